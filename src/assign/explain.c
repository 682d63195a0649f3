/*
 * explain.c
 *		territory.explain(): why a record has the territories it has, and why it
 *		has not the others.
 *
 * The decisions come from the match engine itself, so that the explanation is
 * of what happens, not of what should. Each rule's criteria are taken apart at
 * the top-level ANDs and evaluated one by one for show.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

#include "assign/batch.h"
#include "assign/exclusion.h"
#include "base/catalog.h"
#include "base/session.h"
#include "rule/criteria.h"
#include "rule/ruleset.h"
#include "tree/node.h"

PG_FUNCTION_INFO_V1(territory_explain);

/* columns of the result */
enum
{
	EXPLAIN_PATH,
	EXPLAIN_NODE_ID,
	EXPLAIN_RULE_ID,
	EXPLAIN_RULE,
	EXPLAIN_CRITERION,
	EXPLAIN_VALUE,
	EXPLAIN_RESULT,
	EXPLAIN_DECISION,
	EXPLAIN_BECAUSE,
	EXPLAIN_COLUMNS
};

/* Everything known about the record. */
typedef struct Explanation
{
	ReturnSetInfo *result;
	Ruleset    *rules;
	Relation	rel;
	TupleTableSlot *slot;
	Exclusion  *exclusions;
	int			exclusion_count;
	Match	   *matched;		/* gates passed */
	int			matched_count;
	Match	   *chosen;			/* what it has by its rules */
	int			chosen_count;
	bool	   *manual;			/* by node index */
	const Territory *only;		/* NULL: all nodes */
} Explanation;

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
				 errmsg("there is no record %s in table %s", key, catalog_qualified_name(info->object))));
	ExecClearTuple(slot);
	for (int i = 0; i < rules->desc->natts; i++)
		slot->tts_values[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1,
											&slot->tts_isnull[i]);
	return ExecStoreVirtualTuple(slot);
}

/*
 * is_own tells whether a node has a true rule, by the last match.
 */
static bool
is_own(const Ruleset *rules, int node)
{
	return match_has_rule(rules, node);
}

/*
 * has_match tells whether a node is among some matches.
 */
static bool
has_match(const Match *matches, int count, int node)
{
	for (int i = 0; i < count; i++)
	{
		if (matches[i].node == node)
			return true;
	}
	return false;
}

/*
 * closed_gate returns the nearest node above that keeps this one shut, or -1.
 */
static int
closed_gate(const Ruleset *rules, int node)
{
	for (int gate = rules->nodes[node].gate; gate >= 0; gate = rules->nodes[gate].gate)
	{
		if (!is_own(rules, gate))
			return gate;
	}
	return -1;
}

/*
 * decide says what became of a node, and by which other node (-1: none).
 */
static const char *
decide(const Explanation *e, int node, int *because)
{
	const Ruleset *rules = e->rules;

	*because = -1;
	if (exclusion_covers(e->exclusions, e->exclusion_count, rules->nodes[node].id))
		return "excluded";
	if (has_match(e->chosen, e->chosen_count, node))
		return "matched";
	if (e->manual[node])
		return "manual";
	if (!is_own(rules, node))
		return "criterion failed";
	*because = closed_gate(rules, node);
	if (*because >= 0)
		return "blocked by ancestor";
	if (rules->object.mode == MODE_FIRST)
	{
		*because = e->chosen_count > 0 ? e->chosen[0].node : -1;
		return "outranked";
	}
	for (int i = 0; i < e->chosen_count; i++)
	{
		if (e->chosen[i].node > node && e->chosen[i].node < rules->nodes[node].subtree_end)
			*because = e->chosen[i].node;
	}
	return "shadowed by descendant";
}

/*
 * describe_values lists the columns that a criterion reads with their values.
 */
static char *
describe_values(const Explanation *e, Node *criterion)
{
	Bitmapset  *columns = NULL;
	int			member = -1;
	StringInfoData text;

	initStringInfo(&text);
	pull_varattnos(criterion, 1, &columns);
	while ((member = bms_next_member(columns, member)) >= 0)
	{
		int			attno = member + FirstLowInvalidHeapAttributeNumber;
		Form_pg_attribute attribute = TupleDescAttr(e->rules->desc, attno - 1);
		bool		isnull;
		Datum		value = slot_getattr(e->slot, attno, &isnull);
		Oid			output;
		bool		varlena;

		getTypeOutputInfo(attribute->atttypid, &output, &varlena);
		appendStringInfo(&text, "%s%s = %s", text.len == 0 ? "" : ", ", NameStr(attribute->attname),
						 isnull ? "NULL" : OidOutputFunctionCall(output, value));
	}
	return text.data;
}

/*
 * put_row adds a row to the result.
 */
static void
put_row(const Explanation *e, int node, Datum *values, bool *nulls)
{
	int			because;
	const char *decision = decide(e, node, &because);

	values[EXPLAIN_PATH] = TerritoryGetDatum(e->rules->nodes[node].path);
	values[EXPLAIN_NODE_ID] = Int32GetDatum(e->rules->nodes[node].id);
	values[EXPLAIN_DECISION] = CStringGetTextDatum(decision);
	nulls[EXPLAIN_BECAUSE] = because < 0;
	if (because >= 0)
		values[EXPLAIN_BECAUSE] = CStringGetTextDatum(territory_to_cstring(e->rules->nodes[because].path));
	tuplestore_putvalues(e->result->setResult, e->result->setDesc, values, nulls);
}

/*
 * explain_rule adds a row for each criterion of a rule.
 */
static void
explain_rule(const Explanation *e, const Rule *rule, const char *expression)
{
	List	   *criteria = make_ands_implicit(criteria_parse(e->rel, expression));
	ExprContext *econtext = e->rules->econtext;
	const char *name = e->rules->index->infos[rule - e->rules->index->rules].name;
	ListCell   *cell;

	foreach(cell, criteria)
	{
		Datum		values[EXPLAIN_COLUMNS];
		bool		nulls[EXPLAIN_COLUMNS] = {false};
		ExprState  *state = ExecInitExpr(expression_planner(copyObject(lfirst(cell))), NULL);
		char	   *value = describe_values(e, lfirst(cell));

		econtext->ecxt_scantuple = e->slot;
		values[EXPLAIN_RULE_ID] = Int32GetDatum(rule->id);
		nulls[EXPLAIN_RULE] = name == NULL;
		values[EXPLAIN_RULE] = name ? CStringGetTextDatum(name) : (Datum) 0;
		values[EXPLAIN_CRITERION] = CStringGetTextDatum(criteria_show(e->rel, lfirst(cell)));
		nulls[EXPLAIN_VALUE] = value[0] == '\0';
		values[EXPLAIN_VALUE] = CStringGetTextDatum(value);
		values[EXPLAIN_RESULT] = ExecEvalExprSwitchContext(state, econtext, &nulls[EXPLAIN_RESULT]);
		put_row(e, rule->node, values, nulls);
	}
}

/*
 * rule_expressions returns the expressions of the rule set's rules, which are
 * in the same order in both.
 */
static char **
rule_expressions(const Ruleset *rules)
{
	Oid			types[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(rules->object.object)};
	char	  **expressions = palloc0(Max(rules->index->rule_count, 1) * sizeof(char *));
	SessionRole role;
	int			next = 0;

	session_become(&role, catalog_owner());
	session_execute("SELECT r.id, r.expression FROM territory.rule r"
					"  JOIN territory.node n ON n.id OPERATOR(pg_catalog.=) r.node_id"
					" WHERE r.object OPERATOR(pg_catalog.=) $1 AND r.active"
					"   AND n.model_id OPERATOR(pg_catalog.=) territory.active_model() ORDER BY n.path, r.id",
					SPI_OK_SELECT, 1, types, values, NULL);
	session_restore_role(&role);
	for (uint64 i = 0; i < SPI_processed && next < rules->index->rule_count; i++)
	{
		bool		isnull;
		int32		id = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull));

		if (id == rules->index->rules[next].id)
			expressions[next++] = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2);
	}
	return expressions;
}

/*
 * explain_nodes adds the rows of all nodes with rules, in tree order.
 */
static void
explain_nodes(const Explanation *e)
{
	const Ruleset *rules = e->rules;
	char	  **expressions = rule_expressions(rules);

	for (int i = 0; i < rules->index->rule_count; i++)
	{
		const Rule *rule = &rules->index->rules[i];

		if (expressions[i] != NULL &&
			(e->only == NULL || territory_compare(e->only, rules->nodes[rule->node].path) == 0))
			explain_rule(e, rule, expressions[i]);
	}
}

/*
 * explain_bare adds the row of a node that was asked for and has no rules.
 */
static void
explain_bare(const Explanation *e, int32 node_id)
{
	Datum		values[EXPLAIN_COLUMNS] = {0};
	bool		nulls[EXPLAIN_COLUMNS];

	memset(nulls, true, sizeof(nulls));
	values[EXPLAIN_PATH] = TerritoryGetDatum(e->only);
	values[EXPLAIN_NODE_ID] = Int32GetDatum(node_id);
	values[EXPLAIN_DECISION] = CStringGetTextDatum("no rules");
	nulls[EXPLAIN_PATH] = nulls[EXPLAIN_NODE_ID] = nulls[EXPLAIN_DECISION] = false;
	tuplestore_putvalues(e->result->setResult, e->result->setDesc, values, nulls);
}

/*
 * has_rules tells whether the node that was asked for has any.
 */
static bool
has_rules(const Explanation *e, int32 node_id)
{
	for (int node = 0; node < e->rules->node_count; node++)
	{
		if (e->rules->nodes[node].id == node_id)
			return true;
	}
	return false;
}

/*
 * find_only looks up the node that was asked for. Raises 42704 where there is
 * none.
 */
static int32
find_only(const Explanation *e)
{
	SessionRole role;
	int32		id;

	session_become(&role, catalog_owner());
	id = node_find(e->only);
	session_restore_role(&role);
	return id;
}

/*
 * find_manual notes on which of the nodes the record stands by hand.
 */
static void
find_manual(Explanation *e, const char *key)
{
	const ObjectInfo *info = &e->rules->object;
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {CStringGetTextDatum(key)};
	SessionRole role;

	e->manual = palloc0(Max(e->rules->node_count, 1) * sizeof(bool));
	session_become(&role, catalog_owner());
	session_execute(psprintf("SELECT node_id FROM %s WHERE manual AND %s OPERATOR(pg_catalog.=) $1::%s",
							 catalog_qualified_name(info->assignment),
							 quote_identifier(NameStr(info->key_column)),
							 format_type_be_qualified(info->key_type)),
					SPI_OK_SELECT, 1, types, values, NULL);
	session_restore_role(&role);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		int32		id = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull));

		for (int node = 0; node < e->rules->node_count; node++)
			e->manual[node] |= e->rules->nodes[node].id == id;
	}
}

/*
 * decide_all matches the record and applies exclusions and mode. The scratch
 * part of the rule set keeps which nodes have a true rule.
 */
static void
decide_all(Explanation *e)
{
	Ruleset    *rules = e->rules;
	bool		isnull;
	Datum		key = slot_getattr(e->slot, rules->object.key_attno, &isnull);

	e->exclusion_count = exclusion_fetch(&rules->object, &key, 1, &e->exclusions);
	e->matched_count = match_row(rules, e->slot);
	e->matched = palloc(Max(e->matched_count, 1) * sizeof(Match));
	e->chosen = palloc(Max(e->matched_count, 1) * sizeof(Match));
	memcpy(e->matched, rules->matches, e->matched_count * sizeof(Match));
	memcpy(e->chosen, rules->matches, e->matched_count * sizeof(Match));
	e->chosen_count = exclusion_apply(rules, e->chosen, e->matched_count,
									  e->exclusions, e->exclusion_count);
	e->chosen_count = match_select(rules, e->chosen, e->chosen_count);
}

/*
 * explain_record fills the result.
 */
static void
explain_record(Explanation *e, const char *key)
{
	int			pin = session_pin(&e->rules->settings, PIN_TIME | PIN_PATH);
	MatchScope	scope;

	e->slot = fetch_record(e->rules, key);
	find_manual(e, key);
	match_begin(&scope, e->rules);
	PG_TRY();
	{
		decide_all(e);
		explain_nodes(e);
	}
	PG_FINALLY();
	{
		match_end(&scope);
	}
	PG_END_TRY();
	session_unpin(pin);
}

/*
 * territory_explain(object, key, node): one row a node, rule and criterion.
 * Shows only records that the caller may read.
 */
Datum
territory_explain(PG_FUNCTION_ARGS)
{
	Explanation e = {0};

	e.result = (ReturnSetInfo *) fcinfo->resultinfo;
	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	if (!PG_ARGISNULL(2))
		e.only = PG_GETARG_TERRITORY_PP(2);
	SPI_connect();
	e.rules = ruleset_acquire_whole(PG_GETARG_OID(0));
	e.rel = table_open(PG_GETARG_OID(0), AccessShareLock);
	PG_TRY();
	{
		int32		only = e.only ? find_only(&e) : 0;

		explain_record(&e, text_to_cstring(PG_GETARG_TEXT_PP(1)));
		if (e.only && !has_rules(&e, only))
			explain_bare(&e, only);
	}
	PG_FINALLY();
	{
		ruleset_release(e.rules);
	}
	PG_END_TRY();
	table_close(e.rel, NoLock);
	SPI_finish();
	return (Datum) 0;
}
