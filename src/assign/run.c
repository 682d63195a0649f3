/*
 * run.c
 *		Evaluates what stands in an attached table.
 *
 * All records are read by scans (whole.c). Those of a condition come from a
 * query, so that the server's planner finds them through the user's indexes. Its
 * rows go straight from the executor into a batch (a DestReceiver), in the
 * columns' own places: columns that no rule reads are NULL.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
#include "optimizer/optimizer.h"
#include "tcop/dest.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "assign/batch.h"
#include "assign/progress.h"
#include "assign/run.h"
#include "assign/whole.h"
#include "base/catalog.h"
#include "base/session.h"
#include "check/check.h"
#include "compat.h"

/* Receives the rows of the query. */
typedef struct RunReceiver
{
	DestReceiver receiver;		/* must be first */
	Batch	   *batch;
	double		estimate;		/* number of rows */
	int64		done;
	Progress	progress;
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
	RunReceiver *receiver = (RunReceiver *) self;
	Batch	   *batch = receiver->batch;

	batch_add_one(batch, slot, RECORD_KEEPS);
	if (batch->count == batch->capacity)
		write_apart(batch);
	receiver->done++;
	progress_row(&receiver->progress, "records evaluated", receiver->done, receiver->estimate, &batch->counts);
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

/* what evaluating one record and writing what differs costs, in the planner's units */
#define EVALUATION_COST (100 * cpu_operator_cost)

/*
 * execute_plan runs the query into the batch, unless it would cost more than
 * the limit, in the planner's units; false then.
 */
static bool
execute_plan(SPIPlanPtr plan, Batch *batch, double limit)
{
	/* of the kinds of receiver, "none" would mean that the rows are thrown away */
	RunReceiver receiver = {{receive_row, receive_startup, receive_shutdown, receive_shutdown, DestTuplestore}, batch};
	SPIExecuteOptions options = {.read_only = true,.dest = (DestReceiver *) &receiver};
	CachedPlan *cached = SPI_plan_get_cached_plan(plan);
	Plan	   *top = linitial_node(PlannedStmt, cached->stmt_list)->planTree;
	double		cost = top->total_cost + top->plan_rows * EVALUATION_COST;
	int			result;

	receiver.estimate = top->plan_rows;
	ReleaseCachedPlan(cached, NULL);
	if (cost > limit)
		return false;
	progress_begin(&receiver.progress, batch->rules->object.object);
	result = SPI_execute_plan_extended(plan, &options);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan_extended returned %s", SPI_result_code_string(result));
	return true;
}

/*
 * execute_query runs the query into the batch, as the table's owner, under the
 * pinned settings, by the newest snapshot. The plan is a serial one, since full
 * batches are written while it runs. It is not run if it costs more than the
 * limit; false then.
 */
static bool
execute_query(const char *sql, Batch *batch, double limit)
{
	const Ruleset *rules = batch->rules;
	int			pin = session_pin(&rules->settings, PIN_TIME | PIN_PATH | PIN_JIT);
	SessionRole role;
	SPIPlanPtr	plan;
	bool		done;

	session_become(&role, rules->object.owner);
	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	plan = SPI_prepare_cursor(sql, 0, NULL, CURSOR_OPT_CUSTOM_PLAN);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor returned %s for \"%s\"", SPI_result_code_string(SPI_result), sql);
	done = execute_plan(plan, batch, limit);
	SPI_freeplan(plan);
	PopActiveSnapshot();
	session_restore_role(&role);
	session_unpin(pin);
	return done;
}

/*
 * run_query evaluates the records of a condition by a query; false when that
 * would cost more than the limit.
 */
static bool
run_query(Batch *batch, const char *condition, double limit)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	append_columns(&sql, batch->rules);
	appendStringInfo(&sql, " FROM %s WHERE %s", catalog_qualified_name(batch->rules->object.object), condition);
	if (!execute_query(sql.data, batch, limit))
		return false;
	batch_write(batch);
	return true;
}

/*
 * evaluate re-evaluates records: all of them, or those of a condition, or
 * whichever of the two costs less.
 */
static void
evaluate(Batch *batch, const char *condition, bool may_be_more)
{
	double		limit = get_float8_infinity();

	if (condition != NULL && may_be_more)
		limit = whole_cost(&batch->rules->object);
	if (condition == NULL || !run_query(batch, condition, limit))
		whole_run(batch);
}

/*
 * run_records brackets evaluate.
 */
static BatchCounts
run_records(Oid object, const char *condition, bool may_be_more)
{
	Batch		batch;
	BatchCounts counts;

	batch_begin(&batch, object, BATCH_RECORDS);
	PG_TRY();
	{
		evaluate(&batch, condition, may_be_more);
		counts = batch.counts;
	}
	PG_FINALLY();
	{
		batch_end(&batch);
	}
	PG_END_TRY();
	check_statement(object);
	ereport(DEBUG1, (errmsg_internal("territory: evaluated " INT64_FORMAT " records of %s", counts.records,
									 catalog_qualified_name(object))));
	return counts;
}

/*
 * run_where re-evaluates the records of a condition and no others.
 */
BatchCounts
run_where(Oid object, const char *condition)
{
	return run_records(object, condition, false);
}

/*
 * run_at_least re-evaluates the records of a condition, or more.
 */
BatchCounts
run_at_least(Oid object, const char *condition)
{
	return run_records(object, condition, true);
}

/*
 * run_keys re-evaluates the records with these keys.
 */
void
run_keys(const ObjectInfo *object, List *keys)
{
	StringInfoData condition;
	ListCell   *cell;

	initStringInfo(&condition);
	appendStringInfo(&condition, "%s OPERATOR(pg_catalog.=) ANY (ARRAY[",
					 quote_identifier(NameStr(object->key_column)));
	foreach(cell, keys)
		appendStringInfo(&condition, "%s%s", cell == list_head(keys) ? "" : ", ",
						 quote_literal_cstr(lfirst(cell)));
	appendStringInfo(&condition, "]::%s[])", format_type_be_qualified(object->key_type));
	(void) run_where(object->object, condition.data);
}

/*
 * execute_followers runs the query for records that follow into the batch.
 */
static void
execute_followers(SPIPlanPtr plan, Batch *batch, Oid type, Datum keys)
{
	RunReceiver receiver = {{receive_row, receive_startup, receive_shutdown, receive_shutdown, DestTuplestore}, batch};
	SPIExecuteOptions options = {.read_only = true,.dest = (DestReceiver *) &receiver};
	int			result;

	options.params = makeParamList(1);
	options.params->params[0] = (ParamExternData) {keys, false, PARAM_FLAG_CONST, type};
	progress_begin(&receiver.progress, batch->rules->object.object);
	result = SPI_execute_plan_extended(plan, &options);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan_extended returned %s", SPI_result_code_string(result));
}

/*
 * query_followers evaluates the records that follow those of some keys, in a batch.
 */
static void
query_followers(Batch *batch, const char *condition, Oid type, Datum keys)
{
	const Ruleset *rules = batch->rules;
	int			pin = session_pin(&rules->settings, PIN_TIME | PIN_PATH | PIN_JIT);
	MemoryContext context = CurrentMemoryContext;
	StringInfoData sql;
	SessionRole role;
	SPIPlanPtr	plan;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	append_columns(&sql, rules);
	appendStringInfo(&sql, " FROM %s WHERE %s", catalog_qualified_name(rules->object.object), condition);
	session_become(&role, rules->object.owner);
	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	plan = SPI_prepare_cursor(sql.data, 1, &type, CURSOR_OPT_CUSTOM_PLAN);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor returned %s for \"%s\"", SPI_result_code_string(SPI_result), sql.data);
	execute_followers(plan, batch, type, keys);
	SPI_freeplan(plan);
	PopActiveSnapshot();
	session_restore_role(&role);
	session_unpin(pin);
	MemoryContextSwitchTo(context);
	batch_write(batch);
}

/*
 * run_followers evaluates the records of a condition on $1, keys of the records
 * above; with_family: all below them are among those.
 */
void
run_followers(Oid object, const char *condition, Oid type, Datum keys, bool with_family)
{
	Batch		batch;

	batch_begin(&batch, object, BATCH_RECORDS);
	batch.follows = true;
	batch.with_family = with_family;
	PG_TRY();
	{
		query_followers(&batch, condition, type, keys);
	}
	PG_FINALLY();
	{
		batch_end(&batch);
	}
	PG_END_TRY();
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
