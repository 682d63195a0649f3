/*
 * inquiry.c
 *		A record that is to be explained, with all that decides on it.
 *
 * The record is read as the caller: row-level security and column privileges say
 * what may be explained to whom. All else, rules, exclusions and stored pairs, is
 * read as the owner of our tables, and what the record gets is computed by the
 * match engine itself, so that the explanation is of what happens.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "base/catalog.h"
#include "base/session.h"
#include "explain/inquiry.h"
#include "pair/pairs.h"
#include "rule/criteria.h"
#include "tree/node.h"

/*
 * fetch_record reads the record as the caller may, into a slot with the table's
 * columns.
 */
static TupleTableSlot *
fetch_record(const Ruleset *rules, const char *key)
{
	const ObjectInfo *info = &rules->object;
	TupleTableSlot *slot = MakeSingleTupleTableSlot(rules->desc, &TTSOpsVirtual);
	StringInfoData sql;
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {CStringGetTextDatum(key)};

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	for (int i = 1; i <= rules->desc->natts; i++)
		appendStringInfo(&sql, "%s%s", i == 1 ? "" : ", ",
						 bms_is_member(i, rules->columns) ?
						 quote_identifier(get_attname(info->object, i, false)) : "NULL");
	appendStringInfo(&sql, " FROM %s WHERE %s OPERATOR(pg_catalog.=) $1::%s",
					 catalog_qualified_name(info->object),
					 quote_identifier(NameStr(info->key_column)),
					 format_type_be_qualified(info->key_type));
	session_execute(sql.data, SPI_OK_SELECT, 1, types, values, NULL);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is no record %s in table %s", key, catalog_qualified_name(info->object)),
				 errhint("The key is the value of column %s; row-level security may hide the record.",
						 quote_identifier(NameStr(info->key_column)))));
	ExecClearTuple(slot);
	for (int i = 0; i < rules->desc->natts; i++)
		slot->tts_values[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1,
											&slot->tts_isnull[i]);
	return ExecStoreVirtualTuple(slot);
}

/*
 * integer_at and text_at take a value out of the last query's result; 0 and NULL
 * where it is NULL.
 */
static int32
integer_at(uint64 row, int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);

	return isnull ? 0 : DatumGetInt32(value);
}

static char *
text_at(uint64 row, int column)
{
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
}

/*
 * execute_as_owner runs a query on our tables as their owner.
 */
static void
execute_as_owner(const char *sql, int nargs, Oid *types, Datum *values)
{
	SessionRole role;

	session_become(&role, catalog_owner());
	session_execute(sql, SPI_OK_SELECT, nargs, types, values, NULL);
	session_restore_role(&role);
}

/*
 * read_expressions reads the expressions of the rule set's rules, which are in
 * the same order in both.
 */
static void
read_expressions(Inquiry *inquiry)
{
	const Ruleset *rules = inquiry->rules;
	Oid			types[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(rules->object.object)};
	int			next = 0;

	inquiry->expressions = palloc0(Max(rules->index->rule_count, 1) * sizeof(char *));
	execute_as_owner("SELECT r.id, r.expression FROM territory.rule r"
					 "  JOIN territory.node n ON n.id OPERATOR(pg_catalog.=) r.node_id"
					 " WHERE r.object OPERATOR(pg_catalog.=) $1 AND r.active"
					 "   AND n.model_id OPERATOR(pg_catalog.=) territory.active_model() ORDER BY n.path, r.id",
					 1, types, values);
	for (uint64 i = 0; i < SPI_processed && next < rules->index->rule_count; i++)
	{
		if (integer_at(i, 1) == rules->index->rules[next].id)
			inquiry->expressions[next++] = text_at(i, 2);
	}
	if (next < rules->index->rule_count)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("the rules of table %s have changed meanwhile", catalog_qualified_name(rules->object.object)),
				 errhint("Ask again.")));
}

/*
 * read_premise reads what counts beside the record's row.
 */
static void
read_premise(Inquiry *inquiry)
{
	const ObjectInfo *info = &inquiry->rules->object;
	Premise    *premise = &inquiry->premise;
	Exclusion  *exclusions;
	StoredPair *stored;
	bool		isnull;

	inquiry->key_value = slot_getattr(inquiry->slot, info->key_attno, &isnull);
	premise->excluded.count = exclusion_fetch(info, &inquiry->key_value, 1, &exclusions);
	premise->excluded.exclusions = exclusions;
	premise->stored_count = pairs_read(info, &inquiry->key_value, 1, &stored);
	premise->stored = stored;
	inquiry->held = held_list(stored, premise->stored_count);
}

/*
 * read_bans reads the exclusions of the record, for people.
 */
static void
read_bans(Inquiry *inquiry)
{
	const ObjectInfo *info = &inquiry->rules->object;
	Oid			types[2] = {OIDOID, TEXTOID};
	Datum		values[2] = {ObjectIdGetDatum(info->object)};
	Oid			output;
	bool		varlena;
	bool		isnull;

	getTypeOutputInfo(info->key_type, &output, &varlena);
	values[1] = CStringGetTextDatum(OidOutputFunctionCall(output, inquiry->key_value));
	execute_as_owner("SELECT id, node_id, created_by, created_at, note FROM territory.exclusion"
					 " WHERE object OPERATOR(pg_catalog.=) $1 AND key OPERATOR(pg_catalog.=) $2"
					 " ORDER BY node_id NULLS LAST",
					 2, types, values);
	inquiry->bans = palloc0(Max(SPI_processed, 1) * sizeof(Ban));
	inquiry->ban_count = (int) SPI_processed;
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Ban		   *ban = &inquiry->bans[i];

		ban->id = integer_at(i, 1);
		ban->node_id = integer_at(i, 2);
		ban->who = text_at(i, 3);
		ban->since = DatumGetTimestampTz(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 4, &isnull));
		ban->has_since = !isnull;
		ban->note = text_at(i, 5);
	}
}

/*
 * note_truth keeps which rules are true.
 */
static void
note_truth(Inquiry *inquiry)
{
	const Ruleset *rules = inquiry->rules;

	inquiry->own = palloc0(Max(rules->node_count, 1) * sizeof(bool));
	inquiry->true_rule = palloc0(Max(rules->node_count, 1) * sizeof(int32));
	for (int i = 0; i < rules->hits.count; i++)
	{
		uint64		key = rules->hits.keys[i];

		inquiry->own[hit_node(key)] = true;
		inquiry->true_rule[hit_node(key)] = hit_rule_id(key);
	}
}

/*
 * inquiry_decide lets the engine decide, and keeps what it says.
 */
void
inquiry_decide(Inquiry *inquiry, void *unused)
{
	Ruleset    *rules = inquiry->rules;
	Outcome    *outcome = &inquiry->outcome;
	Match	   *matches;

	*outcome = outcome_of(rules, &inquiry->above, inquiry->key_value, inquiry->slot, &inquiry->premise);
	note_truth(inquiry);
	inquiry->chosen = palloc(Max(outcome->match_count, 1) * sizeof(Match));
	memcpy(inquiry->chosen, outcome->matches, outcome->match_count * sizeof(Match));
	inquiry->chosen_count = match_select(rules, inquiry->chosen, outcome->match_count);
	if (rules->object.kind != KIND_DEAL)
		return;
	matches = palloc(Max(outcome->match_count, 1) * sizeof(Match));
	memcpy(matches, outcome->matches, outcome->match_count * sizeof(Match));
	inquiry->candidate_count = deal_judge(inquiry->above.inheritance, 0, matches, outcome->match_count,
										  &inquiry->premise.excluded, &inquiry->candidates);
}

/*
 * inquiry_match calls back while the rule set may match rows.
 */
void
inquiry_match(Inquiry *inquiry, void (*work) (Inquiry *, void *), void *arg)
{
	MatchScope	scope;

	match_begin(&scope, inquiry->rules);
	PG_TRY();
	{
		work(inquiry, arg);
	}
	PG_FINALLY();
	{
		match_end(&scope);
	}
	PG_END_TRY();
}

/*
 * read_link reads what the row says of the record above.
 */
static void
read_link(Inquiry *inquiry, void *unused)
{
	inquiry->above.link = palloc(sizeof(Link));
	*inquiry->above.link = link_read(inquiry->rules, inquiry->slot);
}

/*
 * read_above finds the record above, if records of the table may have one.
 */
static void
read_above(Inquiry *inquiry)
{
	Above	   *above = &inquiry->above;

	if (inquiry->rules->link == NULL)
		return;
	inquiry_match(inquiry, read_link, NULL);
	above_read(above, inquiry->rules, inquiry->key_value, inquiry->premise.stored, inquiry->premise.stored_count);
	if (inquiry->rules->object.kind == KIND_DEAL)
		deal_know_nodes(above->inheritance, inquiry->premise.stored, inquiry->premise.stored_count);
}

/*
 * inquiry_visit calls back with a record. An error unpins the settings, too.
 */
void
inquiry_visit(Oid object, const char *key, void (*visit) (Inquiry *, void *), void *arg)
{
	Inquiry		inquiry = {.key = key};

	inquiry.rules = ruleset_acquire_whole(object);
	inquiry.rel = table_open(object, AccessShareLock);
	PG_TRY();
	{
		int			pin = session_pin(&inquiry.rules->settings, PIN_TIME | PIN_PATH);

		inquiry.slot = fetch_record(inquiry.rules, key);
		read_expressions(&inquiry);
		read_premise(&inquiry);
		read_bans(&inquiry);
		read_above(&inquiry);
		inquiry_match(&inquiry, inquiry_decide, NULL);
		visit(&inquiry, arg);
		session_unpin(pin);
	}
	PG_FINALLY();
	{
		ruleset_release(inquiry.rules);
	}
	PG_END_TRY();
	table_close(inquiry.rel, NoLock);
}

/*
 * inquiry_find_node looks a node up, whatever the caller may read.
 */
int32
inquiry_find_node(const Territory *path)
{
	SessionRole role;
	int32		id;

	session_become(&role, catalog_owner());
	id = node_find(path);
	session_restore_role(&role);
	return id;
}

int
inquiry_node_index(const Inquiry *inquiry, int32 node_id)
{
	for (int node = 0; node < inquiry->rules->node_count; node++)
	{
		if (inquiry->rules->nodes[node].id == node_id)
			return node;
	}
	return -1;
}

/*
 * inquiry_first_rule finds the first rule of a node, for rules stand in the order
 * of their nodes.
 */
int
inquiry_first_rule(const Inquiry *inquiry, int node)
{
	int			low = 0;
	int			high = inquiry->rules->index->rule_count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (inquiry->rules->index->rules[middle].node < node)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const Ban *
inquiry_ban(const Inquiry *inquiry, int32 node_id)
{
	for (int i = 0; i < inquiry->ban_count; i++)
	{
		if (inquiry->bans[i].node_id == EVERY_NODE || inquiry->bans[i].node_id == node_id)
			return &inquiry->bans[i];
	}
	return NULL;
}

bool
inquiry_has_chosen(const Inquiry *inquiry, int node)
{
	for (int i = 0; i < inquiry->chosen_count; i++)
	{
		if (inquiry->chosen[i].node == node)
			return true;
	}
	return false;
}

int
inquiry_closed_gate(const Inquiry *inquiry, int node)
{
	const RuleNode *nodes = inquiry->rules->nodes;

	for (int gate = nodes[node].gate; gate >= 0; gate = nodes[gate].gate)
	{
		if (!inquiry->own[gate])
			return gate;
	}
	return -1;
}

Expr *
inquiry_criteria(const Inquiry *inquiry, int rule)
{
	return criteria_parse(inquiry->rel, inquiry->expressions[rule]);
}

char *
inquiry_value(const Inquiry *inquiry, AttrNumber attno)
{
	bool		isnull;
	Datum		value = slot_getattr(inquiry->slot, attno, &isnull);
	Oid			output;
	bool		varlena;

	if (isnull)
		return NULL;
	getTypeOutputInfo(TupleDescAttr(inquiry->rules->desc, attno - 1)->atttypid, &output, &varlena);
	return OidOutputFunctionCall(output, value);
}

/*
 * inquiry_path looks a node up in what is known.
 */
char *
inquiry_path(const Inquiry *inquiry, int32 node_id)
{
	const HeldList *lists[] = {&inquiry->held, &inquiry->above.held};
	int			node = inquiry_node_index(inquiry, node_id);

	if (node >= 0)
		return territory_to_cstring(inquiry->rules->nodes[node].path);
	for (int i = 0; i < lengthof(lists); i++)
	{
		const Held *held = held_find(lists[i], node_id);

		if (held != NULL)
			return territory_to_cstring(held->path);
	}
	return psprintf("%d", node_id);
}

/*
 * inquiry_rule_name looks a rule up; one of another table is that of a record above.
 */
char *
inquiry_rule_name(const Inquiry *inquiry, int32 rule_id)
{
	const Ruleset *rules = inquiry->rules;
	Oid			types[1] = {INT4OID};
	Datum		values[1] = {Int32GetDatum(rule_id)};

	for (int i = 0; i < rules->index->rule_count; i++)
	{
		if (rules->index->rules[i].id == rule_id && rules->index->infos[i].name != NULL)
			return rules->index->infos[i].name;
	}
	execute_as_owner("SELECT name FROM territory.rule WHERE id OPERATOR(pg_catalog.=) $1 AND name IS NOT NULL", 1, types, values);
	return SPI_processed > 0 ? text_at(0, 1) : psprintf("%d", rule_id);
}
