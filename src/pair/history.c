/*
 * history.c
 *		What stood when: territory.pair_history() and territory.pairs_as_of(), for
 *		the view and the function that people use; and the end of history.
 *
 * Both read as their caller, who needs SELECT on the table of pairs and on that
 * of pairs that ended. A caller whom row-level security keeps from some records
 * sees the pairs of those that he can read.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/rls.h"
#include "utils/timestamp.h"

#include "base/catalog.h"
#include "base/select.h"
#include "base/session.h"
#include "history/guard.h"
#include "pair/history.h"
#include "pair/forget.h"
#include "rule/object.h"

PG_FUNCTION_INFO_V1(territory_pair_history);
PG_FUNCTION_INFO_V1(territory_pairs_as_of);
PG_FUNCTION_INFO_V1(territory_prune_history);

/* setting territory.keep_history: an interval, or empty: for ever */
static char *keep_history = NULL;

/*
 * history_init defines the setting.
 */
void
history_init(void)
{
	DefineCustomStringVariable("territory.keep_history",
							   "How long history and audit are kept, an interval.",
							   "territory.prune_history() removes what is older. Empty: nothing is.",
							   &keep_history, "", PGC_USERSET, 0, NULL, NULL, NULL);
}

/*
 * find_object reads the row of an attached table, as the extension's owner.
 */
static void
find_object(Oid relid, ObjectInfo *info)
{
	SessionRole role;

	session_become(&role, catalog_owner());
	object_require(relid, info);
	session_restore_role(&role);
}

/*
 * append_visible appends the condition that the caller may read the record.
 */
static void
append_visible(StringInfo sql, const ObjectInfo *info)
{
	const char *key = quote_identifier(NameStr(info->key_column));

	if (check_enable_rls(info->object, InvalidOid, true) == RLS_ENABLED)
		appendStringInfo(sql, " AND EXISTS (SELECT FROM %s o WHERE o.%s OPERATOR(pg_catalog.=) p.%s)",
						 catalog_qualified_name(info->object), key, key);
}

/*
 * territory_pair_history(object, key) -> (key, node_id, rule_id, manual, since,
 * until): all pairs of a record, or (key NULL) of all, each once; until NULL: it
 * stands.
 */
Datum
territory_pair_history(PG_FUNCTION_ARGS)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1];
	int			count = PG_ARGISNULL(1) ? 0 : 1;
	StringInfoData sql;
	StringInfoData condition;
	ObjectInfo	info;
	const char *key;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	SPI_connect();
	find_object(PG_GETARG_OID(0), &info);
	key = quote_identifier(NameStr(info.key_column));
	initStringInfo(&condition);
	if (count == 1)
	{
		values[0] = PG_GETARG_DATUM(1);
		appendStringInfo(&condition, " AND p.%s OPERATOR(pg_catalog.=) $1::%s", key,
						 format_type_be_qualified(info.key_type));
	}
	append_visible(&condition, &info);
	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT p.%s::pg_catalog.text, p.node_id, p.rule_id, p.manual, p.since, p.until"
					 "  FROM %s p WHERE NOT p.held%s"
					 " UNION ALL"
					 " SELECT p.%s::pg_catalog.text, p.node_id, p.rule_id, p.manual, p.since, NULL"
					 "  FROM %s p WHERE true%s",
					 key, catalog_qualified_name(info.past), condition.data,
					 key, catalog_qualified_name(info.assignment), condition.data);
	select_send(sql.data, count, types, values, NULL, true, select_result(fcinfo));
	SPI_finish();
	return (Datum) 0;
}

/*
 * territory_pairs_as_of(object, at) -> (key, node_id, rule_id, manual): the pairs as
 * they stood. Of the rows that say what a pair was at that time, the first to end
 * is right.
 */
Datum
territory_pairs_as_of(PG_FUNCTION_ARGS)
{
	Oid			types[1] = {TIMESTAMPTZOID};
	Datum		values[1];
	StringInfoData sql;
	StringInfoData condition;
	ObjectInfo	info;
	const char *key;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	SPI_connect();
	values[0] = PG_GETARG_DATUM(1);
	find_object(PG_GETARG_OID(0), &info);
	key = quote_identifier(NameStr(info.key_column));
	initStringInfo(&condition);
	append_visible(&condition, &info);
	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT DISTINCT ON (s.key, s.node_id) s.key::pg_catalog.text, s.node_id, s.rule_id, s.manual FROM ("
					 " SELECT p.%s AS key, p.node_id, p.rule_id, p.manual, p.until"
					 "  FROM %s p WHERE p.since OPERATOR(pg_catalog.<=) $1 AND p.until OPERATOR(pg_catalog.>) $1%s"
					 " UNION ALL"
					 " SELECT p.%s, p.node_id, p.rule_id, p.manual, NULL"
					 "  FROM %s p WHERE p.since OPERATOR(pg_catalog.<=) $1%s) AS s"
					 " ORDER BY s.key, s.node_id, s.until NULLS LAST",
					 key, catalog_qualified_name(info.past), condition.data,
					 key, catalog_qualified_name(info.assignment), condition.data);
	select_send(sql.data, 1, types, values, NULL, true, select_result(fcinfo));
	SPI_finish();
	return (Datum) 0;
}

/*
 * time_before returns the time that lies an interval before now.
 */
static TimestampTz
time_before(Datum interval)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz before = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval,
																 TimestampTzGetDatum(now), interval));

	if (before > now)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("history cannot be kept for less than no time"),
				 errhint("Give an interval that is not negative, such as '5 years'.")));
	return before;
}

/*
 * default_horizon returns the time before which history is to be forgotten where
 * an attached table says nothing else; DT_NOBEGIN: none is.
 */
static TimestampTz
default_horizon(FunctionCallInfo fcinfo)
{
	if (!PG_ARGISNULL(0))
		return time_before(PG_GETARG_DATUM(0));
	if (keep_history == NULL || keep_history[0] == '\0')
		return DT_NOBEGIN;
	return time_before(DirectFunctionCall3(interval_in, CStringGetDatum(keep_history),
										   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

/*
 * horizon_of returns that time for an attached table.
 */
static TimestampTz
horizon_of(Oid object, TimestampTz otherwise)
{
	Oid			types[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(object)};
	Datum		keep;
	bool		isnull;

	session_execute("SELECT keep_history FROM territory.object WHERE object OPERATOR(pg_catalog.=) $1 AND keep_history IS NOT NULL",
					SPI_OK_SELECT, 1, types, values, NULL);
	if (SPI_processed == 0)
		return otherwise;
	keep = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return time_before(keep);
}

/*
 * prune_object forgets the history of an attached table, and the moments of which
 * no pair tells any more; returns the number of pairs.
 */
static uint64
prune_object(const ObjectInfo *info, TimestampTz horizon)
{
	Oid			types[2] = {OIDOID, TIMESTAMPTZOID};
	Datum		values[2] = {ObjectIdGetDatum(info->object), TimestampTzGetDatum(horizon)};
	uint64		pairs = pairs_prune(info, horizon);

	guard_execute(psprintf("DELETE FROM territory.change c"
						   " WHERE c.object OPERATOR(pg_catalog.=) $1 AND c.at OPERATOR(pg_catalog.<) $2"
						   "   AND NOT EXISTS (SELECT FROM %s p WHERE p.since OPERATOR(pg_catalog.=) c.at)"
						   "   AND NOT EXISTS (SELECT FROM %s p WHERE p.since OPERATOR(pg_catalog.=) c.at)",
						   catalog_qualified_name(info->assignment), catalog_qualified_name(info->past)),
				  SPI_OK_DELETE, 2, types, values, NULL);
	return pairs;
}

/*
 * prune_nodes forgets deleted nodes that no history names.
 */
static void
prune_nodes(TimestampTz horizon)
{
	Oid			types[1] = {TIMESTAMPTZOID};
	Datum		values[1] = {TimestampTzGetDatum(horizon)};
	StringInfoData sql;
	ListCell   *cell;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "DELETE FROM territory.former_node n WHERE n.deleted OPERATOR(pg_catalog.<) $1");
	foreach(cell, object_list())
	{
		ObjectInfo	info;

		if (object_load(lfirst_oid(cell), &info))
			appendStringInfo(&sql, " AND NOT EXISTS (SELECT FROM %s p WHERE p.node_id OPERATOR(pg_catalog.=) n.id)",
							 catalog_qualified_name(info.past));
	}
	guard_execute(sql.data, SPI_OK_DELETE, 1, types, values, NULL);
}

/*
 * prune_audit forgets what was audited; returns the number of rows.
 */
static uint64
prune_audit(TimestampTz horizon)
{
	Oid			types[1] = {TIMESTAMPTZOID};
	Datum		values[1] = {TimestampTzGetDatum(horizon)};

	guard_execute("DELETE FROM territory.audit WHERE at OPERATOR(pg_catalog.<) $1",
				  SPI_OK_DELETE, 1, types, values, NULL);
	return SPI_processed;
}

/*
 * require_pruner raises unless the caller may delete from the audit.
 */
static void
require_pruner(void)
{
	if (pg_class_aclcheck(catalog_table("audit"), GetUserId(), ACL_DELETE) != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to remove history"),
				 errhint("Be granted DELETE on territory.audit.")));
}

/*
 * territory_prune_history(keep) -> (pairs, audits): removes what is older than is
 * to be kept.
 */
Datum
territory_prune_history(PG_FUNCTION_ARGS)
{
	TimestampTz horizon = default_horizon(fcinfo);
	uint64		pairs = 0;
	uint64		audits = 0;
	Datum		values[2];
	bool		nulls[2] = {false, false};
	TupleDesc	desc;
	SessionRole role;
	ListCell   *cell;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	require_pruner();
	SPI_connect();
	session_become(&role, catalog_owner());
	foreach(cell, object_list())
	{
		ObjectInfo	info;
		TimestampTz here = horizon_of(lfirst_oid(cell), horizon);

		if (here != DT_NOBEGIN && object_load(lfirst_oid(cell), &info))
			pairs += prune_object(&info, here);
	}
	if (horizon != DT_NOBEGIN)
	{
		audits = prune_audit(horizon);
		prune_nodes(horizon);
	}
	session_restore_role(&role);
	SPI_finish();
	values[0] = Int64GetDatum(pairs);
	values[1] = Int64GetDatum(audits);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
