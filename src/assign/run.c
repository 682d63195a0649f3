/*
 * run.c
 *		Evaluates what stands in an attached table.
 *
 * The records come from a query, so that the server's planner finds those of a
 * condition through the user's indexes. Its rows go straight from the executor
 * into a batch (a DestReceiver), in the columns' own places: columns that no
 * rule reads are NULL.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/dest.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "assign/batch.h"
#include "assign/pairs.h"
#include "assign/run.h"
#include "base/catalog.h"
#include "base/session.h"
#include "compat.h"

/* Receives the rows of the query. */
typedef struct RunReceiver
{
	DestReceiver receiver;		/* must be first */
	Batch	   *batch;
} RunReceiver;

static void
receive_startup(DestReceiver *self, int operation, TupleDesc desc)
{
}

static void
receive_shutdown(DestReceiver *self)
{
}

/*
 * write_apart writes a full batch in an SPI connection of its own: the query
 * that fills it is still running in the caller's.
 */
static void
write_apart(Batch *batch)
{
	SPI_connect();
	batch_write(batch);
	SPI_finish();
}

/*
 * receive_row evaluates one record.
 */
static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	Batch	   *batch = ((RunReceiver *) self)->batch;
	MatchScope	scope;

	match_begin(&scope, batch->rules);
	PG_TRY();
	{
		batch_add(batch, slot, false);
	}
	PG_FINALLY();
	{
		match_end(&scope);
	}
	PG_END_TRY();
	if (batch->count == batch->capacity)
		write_apart(batch);
	return true;
}

/*
 * append_columns appends the select list: each column that rules read in its
 * own place, NULL in the others.
 */
static void
append_columns(StringInfo sql, const Ruleset *rules)
{
	for (int attno = 1; attno <= rules->max_attno; attno++)
	{
		if (attno > 1)
			appendStringInfoString(sql, ", ");
		if (bms_is_member(attno, rules->columns))
			appendStringInfoString(sql, quote_identifier(get_attname(rules->object.object, attno, false)));
		else
			appendStringInfoString(sql, "NULL");
	}
}

/*
 * execute_query runs the query into the batch, as the table's owner, under the
 * pinned settings, by the newest snapshot. The plan is a serial one, since full
 * batches are written while it runs.
 */
static void
execute_query(const char *sql, Batch *batch)
{
	const Ruleset *rules = batch->rules;
	/* of the kinds of receiver, "none" would mean that the rows are thrown away */
	RunReceiver receiver = {{receive_row, receive_startup, receive_shutdown, receive_shutdown, DestTuplestore}, batch};
	SPIExecuteOptions options = {.read_only = true,.dest = (DestReceiver *) &receiver};
	int			pin = session_pin(&rules->settings, PIN_TIME | PIN_PATH | PIN_JIT);
	SessionRole role;
	SPIPlanPtr	plan;
	int			result;

	session_become(&role, rules->object.owner);
	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	plan = SPI_prepare_cursor(sql, 0, NULL, CURSOR_OPT_CUSTOM_PLAN);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor returned %s for \"%s\"", SPI_result_code_string(SPI_result), sql);
	result = SPI_execute_plan_extended(plan, &options);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan_extended returned %s", SPI_result_code_string(result));
	SPI_freeplan(plan);
	PopActiveSnapshot();
	session_restore_role(&role);
	session_unpin(pin);
}

/*
 * run_where re-evaluates records.
 */
BatchCounts
run_where(Oid object, const char *condition)
{
	StringInfoData sql;
	Batch		batch;
	BatchCounts counts;

	batch_begin(&batch, object, BATCH_RECORDS);
	PG_TRY();
	{
		initStringInfo(&sql);
		appendStringInfoString(&sql, "SELECT ");
		append_columns(&sql, batch.rules);
		appendStringInfo(&sql, " FROM %s", catalog_qualified_name(object));
		if (condition)
			appendStringInfo(&sql, " WHERE %s", condition);
		execute_query(sql.data, &batch);
		batch_write(&batch);
		if (condition == NULL)
			batch.counts.removed += pairs_forget_orphans(&batch.rules->object);
		counts = batch.counts;
	}
	PG_FINALLY();
	{
		batch_end(&batch);
	}
	PG_END_TRY();
	return counts;
}

/*
 * run_record adds a row to territory.run_log.
 */
void
run_record(Oid object, const char *scope, TimestampTz started, const BatchCounts *counts)
{
	static KeptStatement insert = {
		"INSERT INTO territory.run_log (object, scope, started, seconds, rows_read, added, removed)"
		" VALUES ($1, $2, $3, pg_catalog.round(pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) $3)::pg_catalog.numeric, 3), $4, $5, $6)",
		SPI_OK_INSERT, 6, {OIDOID, TEXTOID, TIMESTAMPTZOID, INT8OID, INT8OID, INT8OID}
	};
	Datum		values[6] = {
		ObjectIdGetDatum(object), CStringGetTextDatum(scope), TimestampTzGetDatum(started),
		Int64GetDatum(counts->records), Int64GetDatum(counts->added), Int64GetDatum(counts->removed)
	};
	SessionRole role;

	session_become(&role, catalog_owner());
	session_execute_kept(&insert, values, NULL);
	session_restore_role(&role);
}

/*
 * run_require_manager raises unless the caller owns the attached table or may
 * write rules.
 */
void
run_require_manager(Oid object)
{
	if (!territory_owns_relation(object, GetUserId()) &&
		pg_class_aclcheck(catalog_table("rule"), GetUserId(), ACL_INSERT) != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for the territories of table %s", catalog_qualified_name(object)),
				 errhint("Own the table, or be granted INSERT on territory.rule.")));
}
