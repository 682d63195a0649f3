/*
 * guard.c
 *		The tables of history are written by the engine only.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "utils/rel.h"

#include "base/catalog.h"
#include "base/session.h"
#include "base/triggers.h"
#include "history/guard.h"

PG_FUNCTION_INFO_V1(territory_history_guard);

/* True while the engine itself writes. */
static bool writing = false;

/*
 * guard_execute runs a statement on one of these tables.
 */
void
guard_execute(const char *sql, int expected, int nargs, Oid *types, Datum *values, const char *nulls)
{
	bool		outer = writing;

	writing = true;
	PG_TRY();
	{
		session_execute(sql, expected, nargs, types, values, nulls);
	}
	PG_FINALLY();
	{
		writing = outer;
	}
	PG_END_TRY();
}

/*
 * guard_execute_kept does so with a kept statement.
 */
void
guard_execute_kept(KeptStatement *statement, Datum *values)
{
	bool		outer = writing;

	writing = true;
	PG_TRY();
	{
		session_execute_kept(statement, values, NULL);
	}
	PG_FINALLY();
	{
		writing = outer;
	}
	PG_END_TRY();
}

/*
 * territory_history_guard: BEFORE INSERT, UPDATE, DELETE OR TRUNCATE, each
 * statement. A dump that is being restored may pass.
 */
Datum
territory_history_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data(fcinfo, "history_guard",
										TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_STATEMENT);
	Oid			relid = RelationGetRelid(trigger->tg_relation);

	if (!writing && !session_restoring(relid))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s is written by the engine only", catalog_qualified_name(relid)),
				 errhint("SELECT territory.prune_history() removes what is older than is to be kept.")));
	return PointerGetDatum(NULL);
}
