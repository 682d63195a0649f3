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
 * read_held reads the pairs of the record.
 */
static void
read_held(Inquiry *inquiry)
{
	const ObjectInfo *info = &inquiry->rules->object;
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {CStringGetTextDatum(inquiry->key)};

	execute_as_owner(psprintf("SELECT a.node_id, a.rule_id, a.manual, a.since, n.path"
							  "  FROM %s a JOIN territory.node n ON n.id OPERATOR(pg_catalog.=) a.node_id"
							  " WHERE a.%s OPERATOR(pg_catalog.=) $1::%s"
							  "   AND n.model_id OPERATOR(pg_catalog.=) territory.active_model() ORDER BY n.path",
							  catalog_qualified_name(info->assignment),
							  quote_identifier(NameStr(info->key_column)),
							  format_type_be_qualified(info->key_type)),
					 1, types, values);
	inquiry->held = palloc0(Max(SPI_processed, 1) * sizeof(Held));
	inquiry->held_count = (int) SPI_processed;
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Held	   *held = &inquiry->held[i];
		bool		isnull;

		held->node_id = integer_at(i, 1);
		held->rule_id = integer_at(i, 2);
		held->manual = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 3, &isnull));
		held->since = DatumGetTimestampTz(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 4, &isnull));
		held->path = DatumGetTerritoryPP(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 5, &isnull));
	}
}

/*
 * read_bans reads the exclusions of the record: for the engine and for people.
 */
static void
read_bans(Inquiry *inquiry)
{
	const ObjectInfo *info = &inquiry->rules->object;
	Oid			types[2] = {OIDOID, TEXTOID};
	Datum		values[2] = {ObjectIdGetDatum(info->object)};
	bool		isnull;
	Datum		key = slot_getattr(inquiry->slot, info->key_attno, &isnull);
	Oid			output;
	bool		varlena;

	inquiry->exclusion_count = exclusion_fetch(info, &key, 1, &inquiry->exclusions);
	getTypeOutputInfo(info->key_type, &output, &varlena);
	values[1] = CStringGetTextDatum(OidOutputFunctionCall(output, key));
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
 * decide lets the engine match the record, and keeps what it says.
 */
static void
decide(Inquiry *inquiry)
{
	Ruleset    *rules = inquiry->rules;
	int			count = match_row(rules, inquiry->slot);

	inquiry->own = palloc0(Max(rules->node_count, 1) * sizeof(bool));
	inquiry->true_rule = palloc0(Max(rules->node_count, 1) * sizeof(int32));
	for (int i = 0; i < rules->hits.count; i++)
	{
		uint64		key = rules->hits.keys[i];

		inquiry->own[hit_node(key)] = true;
		inquiry->true_rule[hit_node(key)] = hit_rule_id(key);
	}
	inquiry->chosen = palloc(Max(count, 1) * sizeof(Match));
	memcpy(inquiry->chosen, rules->matches, count * sizeof(Match));
	count = exclusion_apply(rules, inquiry->chosen, count, inquiry->exclusions, inquiry->exclusion_count);
	inquiry->chosen_count = match_select(rules, inquiry->chosen, count);
}

/*
 * visit_matched matches the record and calls back.
 */
static void
visit_matched(Inquiry *inquiry, void (*visit) (Inquiry *, void *), void *arg)
{
	MatchScope	scope;

	match_begin(&scope, inquiry->rules);
	PG_TRY();
	{
		decide(inquiry);
		visit(inquiry, arg);
	}
	PG_FINALLY();
	{
		match_end(&scope);
	}
	PG_END_TRY();
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
		read_held(&inquiry);
		read_bans(&inquiry);
		visit_matched(&inquiry, visit, arg);
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

const Held *
inquiry_held(const Inquiry *inquiry, int32 node_id)
{
	for (int i = 0; i < inquiry->held_count; i++)
	{
		if (inquiry->held[i].node_id == node_id)
			return &inquiry->held[i];
	}
	return NULL;
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

char *
inquiry_rule_name(const Inquiry *inquiry, int32 rule_id)
{
	const Ruleset *rules = inquiry->rules;

	for (int i = 0; i < rules->index->rule_count; i++)
	{
		if (rules->index->rules[i].id == rule_id && rules->index->infos[i].name != NULL)
			return rules->index->infos[i].name;
	}
	return psprintf("%d", rule_id);
}
