/*
 * verify.c
 *		territory.verify(): what is stored against a brute-force evaluation.
 *
 * The criteria are evaluated as plain SQL, every rule on every record, and the
 * tree's logic is written as joins. Nothing of the match engine is used, so
 * that the one checks the other.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "assign/run.h"
#include "assign/verify_child.h"
#include "base/catalog.h"
#include "base/session.h"
#include "rule/object.h"
#include "rule/ruleset.h"
#include "tree/node.h"

PG_FUNCTION_INFO_V1(territory_verify);

/*
 * append_hits appends the CTE "hit": records and nodes with a true rule, with
 * the lowest of their rules.
 */
static void
append_hits(StringInfo sql, const ObjectInfo *info, int32 model)
{
	Oid			types[2] = {OIDOID, INT4OID};
	Datum		values[2] = {ObjectIdGetDatum(info->object), Int32GetDatum(model)};

	session_execute("SELECT r.id, r.node_id, r.expression FROM territory.rule r"
					"  JOIN territory.node n ON n.id OPERATOR(pg_catalog.=) r.node_id"
					" WHERE r.object OPERATOR(pg_catalog.=) $1 AND r.active"
					"   AND n.model_id OPERATOR(pg_catalog.=) $2 ORDER BY r.id",
					SPI_OK_SELECT, 2, types, values, NULL);
	/* criteria stand in one array, so that each is readied once, not once a record */
	appendStringInfoString(sql, "rule (number, id, node_id) AS MATERIALIZED (VALUES (0, 0, 0)");
	for (uint64 i = 0; i < SPI_processed; i++)
		appendStringInfo(sql, ", (" UINT64_FORMAT ", %s, %s)", i + 1,
						 SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1),
						 SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2));
	appendStringInfo(sql, "), hit (key, node_id, rule_id) AS MATERIALIZED ("
					 " SELECT held.key, rule.node_id, min(rule.id) FROM ("
					 "  SELECT territory_record.%s AS key, unnest(array_positions(ARRAY[",
					 quote_identifier(NameStr(info->key_column)));
	for (uint64 i = 0; i < SPI_processed; i++)
		appendStringInfo(sql, "%s(%s)", i == 0 ? "" : ", ",
						 SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 3));
	appendStringInfo(sql, "]::bool[], true)) AS number FROM %s AS territory_record) AS held"
					 " JOIN rule ON rule.number = held.number GROUP BY 1, 2)",
					 catalog_qualified_name(info->object));
}

/*
 * append_tree appends the CTEs on nodes: those with rules for the object, and
 * which of them stand above which.
 */
static void
append_tree(StringInfo sql, const ObjectInfo *info, int32 model)
{
	appendStringInfo(sql,
					 ", ruled AS MATERIALIZED ("
					 " SELECT n.id, n.path, n.priority, n.cascade FROM territory.node n"
					 "  WHERE n.model_id = %d AND EXISTS (SELECT FROM territory.rule r"
					 "   WHERE r.node_id = n.id AND r.object = %u AND r.active)),"
					 " above AS MATERIALIZED ("
					 " SELECT n.id AS node_id, a.id AS above_id, a.cascade"
					 "   FROM ruled n JOIN ruled a ON a.path OPERATOR(territory.@>) n.path AND a.id <> n.id)",
					 model, info->object);
}

/*
 * append_matches appends the CTEs from hits to candidates: gates passed,
 * exclusions taken out.
 */
static void
append_matches(StringInfo sql, const ObjectInfo *info)
{
	appendStringInfo(sql,
					 ", matched AS ("
					 " SELECT h.key, h.node_id, h.rule_id FROM hit h"
					 "   LEFT JOIN above a ON a.node_id = h.node_id AND a.cascade"
					 "   LEFT JOIN hit g ON g.key = h.key AND g.node_id = a.above_id"
					 "  GROUP BY 1, 2, 3 HAVING count(a.above_id) = count(g.node_id)),"
					 " excluded AS MATERIALIZED ("
					 " SELECT e.key::%2$s AS key, e.node_id FROM territory.exclusion e WHERE e.object = %1$u),"
					 " candidate AS MATERIALIZED ("
					 " SELECT * FROM matched m WHERE NOT EXISTS ("
					 "  SELECT FROM excluded e WHERE e.key = m.key AND coalesce(e.node_id, m.node_id) = m.node_id))",
					 info->object, format_type_be_qualified(info->key_type));
}

/*
 * append_choice appends the CTE "own": what the mode leaves.
 */
static void
append_choice(StringInfo sql, const ObjectInfo *info)
{
	switch (info->mode)
	{
		case MODE_ALL:
			appendStringInfoString(sql, ", own AS (SELECT * FROM candidate)");
			break;
		case MODE_FIRST:
			appendStringInfoString(sql,
								   ", own AS (SELECT DISTINCT ON (c.key) c.*"
								   "   FROM candidate c JOIN ruled n ON n.id = c.node_id"
								   "  ORDER BY c.key, n.priority DESC, territory.nlevel(n.path) DESC, n.path)");
			break;
		case MODE_DEEPEST:
			appendStringInfoString(sql,
								   ", shadowed AS MATERIALIZED ("
								   " SELECT DISTINCT c.key, a.above_id FROM candidate c"
								   "   JOIN above a ON a.node_id = c.node_id),"
								   " own AS ("
								   " SELECT c.* FROM candidate c LEFT JOIN shadowed s"
								   "     ON s.key = c.key AND s.above_id = c.node_id"
								   "  WHERE s.key IS NULL)");
			break;
	}
}

/*
 * append_comparison appends the comparison with what is stored.
 */
static void
append_comparison(StringInfo sql, const ObjectInfo *info)
{
	appendStringInfo(sql,
					 ", stored AS (SELECT %1$s AS key, node_id, rule_id, manual FROM %2$s),"
					 " computed AS ("
					 " SELECT key, node_id, max(rule_id) AS rule_id FROM ("
					 "  SELECT key, node_id, rule_id FROM chosen"
					 "  UNION ALL"
					 "  SELECT s.key, s.node_id, NULL FROM stored s"
					 "   WHERE s.manual AND NOT EXISTS (SELECT FROM excluded e"
					 "    WHERE e.key = s.key AND coalesce(e.node_id, s.node_id) = s.node_id)"
					 "     AND EXISTS (SELECT FROM %3$s o WHERE o.%1$s = s.key)) AS both_kinds"
					 "  GROUP BY 1, 2)"
					 " SELECT coalesce(s.key, c.key)::text, coalesce(s.node_id, c.node_id),"
					 "        s.node_id IS NOT NULL, c.node_id IS NOT NULL"
					 "   FROM stored s FULL JOIN computed c ON c.key = s.key AND c.node_id = s.node_id"
					 "  WHERE s.node_id IS NULL OR c.node_id IS NULL OR s.rule_id IS DISTINCT FROM c.rule_id"
					 "  ORDER BY coalesce(s.key, c.key), 2",
					 quote_identifier(NameStr(info->key_column)),
					 catalog_qualified_name(info->assignment),
					 catalog_qualified_name(info->object));
}

/*
 * verify_query returns the text of the whole query; it is to be run under an
 * empty search_path.
 */
static char *
verify_query(const ObjectInfo *info)
{
	int32		model = model_active();
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "WITH RECURSIVE ");
	append_hits(&sql, info, model);
	append_tree(&sql, info, model);
	append_matches(&sql, info);
	append_choice(&sql, info);
	if (OidIsValid(info->above))
		verify_append_children(&sql, info, model);
	else
		appendStringInfoString(&sql, ", chosen AS (SELECT * FROM own)");
	append_comparison(&sql, info);
	return sql.data;
}

/*
 * model_settings reads what the active model pins.
 */
static PinnedSettings
model_settings(void)
{
	PinnedSettings settings;

	session_execute("SELECT time_zone, date_style FROM territory.model WHERE state OPERATOR(pg_catalog.=) 'active'",
					SPI_OK_SELECT, 0, NULL, NULL, NULL);
	if (SPI_processed == 0)
		(void) model_active();	/* raises */
	settings.time_zone = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	settings.date_style = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
	return settings;
}

/*
 * territory_verify(object) -> (key, node_id, stored, computed): the pairs that
 * are not as they should be.
 */
Datum
territory_verify(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	PinnedSettings settings;
	SessionRole role;
	ObjectInfo	info;
	int			pin;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	run_require_manager(PG_GETARG_OID(0));
	SPI_connect();
	session_become(&role, catalog_owner());
	object_require(PG_GETARG_OID(0), &info);
	settings = model_settings();
	pin = session_pin(&settings, PIN_TIME | PIN_PATH | PIN_JIT | PIN_JOINS);
	session_execute(verify_query(&info), SPI_OK_SELECT, 0, NULL, NULL, NULL);
	session_unpin(pin);
	session_restore_role(&role);
	for (uint64 i = 0; i < SPI_processed; i++)
		tuplestore_puttuple(result->setResult, SPI_tuptable->vals[i]);
	SPI_finish();
	return (Datum) 0;
}
