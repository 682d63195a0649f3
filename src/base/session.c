/*
 * session.c
 *		What the engine sets aside of the calling session: its role, its
 *		snapshot, its settings.
 *
 * Role. The trigger works for a user who holds nothing in schema territory:
 * statements on our tables run as their owner, statements on a user's tables
 * as that table's owner, as referential integrity does. Transaction and
 * subtransaction abort restore the role by themselves.
 *
 * Snapshot. After a wait for the object's lock the rules that were committed
 * meanwhile must be seen, also where the transaction's own snapshot is older
 * (REPEATABLE READ, SERIALIZABLE). So everything that the engine reads, it
 * reads by the newest snapshot, as foreign keys do.
 *
 * Settings. A rule means the same whoever writes the row, so TimeZone,
 * DateStyle, IntervalStyle and search_path are pinned while criteria that
 * could feel them are parsed or evaluated.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

#include "base/catalog.h"
#include "base/session.h"
#include "compat.h"

/*
 * session_become switches to another role for internal statements, row-level
 * security off. Undo it with session_restore_role; an error undoes it too.
 */
void
session_become(SessionRole *saved, Oid role)
{
	GetUserIdAndSecContext(&saved->user, &saved->security);
	SetUserIdAndSecContext(role, saved->security |
						   SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
}

/*
 * session_restore_role returns to the role that session_become left.
 */
void
session_restore_role(const SessionRole *saved)
{
	SetUserIdAndSecContext(saved->user, saved->security);
}

/*
 * session_latest_snapshot returns the newest snapshot to be had. In a worker of a
 * parallel query there is none but the query's own. Its leader may take new ones of
 * the catalog only, which are as good.
 */
Snapshot
session_latest_snapshot(void)
{
	if (IsParallelWorker())
		return GetActiveSnapshot();
	if (IsInParallelMode())
		return GetNonHistoricCatalogSnapshot(catalog_table("model"));
	return GetLatestSnapshot();
}

/*
 * session_execute_plan runs a plan with the newest snapshot. The server
 * advances the command counter first, so the transaction's own work is seen. SPI
 * would leave its own memory context as the current one; the caller's stays.
 */
void
session_execute_plan(SPIPlanPtr plan, int expected, Datum *values, const char *nulls)
{
	int			result;
	MemoryContext context = CurrentMemoryContext;
	Snapshot	snapshot = RegisterSnapshot(session_latest_snapshot());

	result = SPI_execute_snapshot(plan, values, nulls, snapshot, InvalidSnapshot,
								  IsInParallelMode(), true, 0);
	UnregisterSnapshot(snapshot);
	MemoryContextSwitchTo(context);
	if (result != expected)
		elog(ERROR, "SPI_execute_snapshot returned %s instead of %s",
			 SPI_result_code_string(result), SPI_result_code_string(expected));
}

/*
 * session_execute prepares and runs one statement with the newest snapshot.
 */
void
session_execute(const char *sql, int expected, int nargs,
				Oid *argtypes, Datum *values, const char *nulls)
{
	MemoryContext context = CurrentMemoryContext;
	SPIPlanPtr	plan = SPI_prepare(sql, nargs, argtypes);

	MemoryContextSwitchTo(context);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare returned %s for \"%s\"",
			 SPI_result_code_string(SPI_result), sql);
	session_execute_plan(plan, expected, values, nulls);
	SPI_freeplan(plan);
}

/*
 * keep prepares a kept statement, unless it is. The server plans it anew when a
 * table that it names has changed, by its text, so that it outlives the
 * extension's own DROP and CREATE.
 */
static void
keep(KeptStatement *statement)
{
	MemoryContext context = CurrentMemoryContext;
	SPIPlanPtr	plan;

	if (statement->plan != NULL)
		return;
	plan = SPI_prepare_cursor(statement->sql, statement->nargs, statement->argtypes,
							  statement->looks_up ? CURSOR_OPT_GENERIC_PLAN : 0);
	if (plan == NULL || SPI_keepplan(plan) != 0)
		elog(ERROR, "could not prepare \"%s\"", statement->sql);
	statement->plan = plan;
	MemoryContextSwitchTo(context);
}

/*
 * session_execute_kept runs a kept statement with the newest snapshot. The server
 * plans it at its first run; one that looks rows up might then read a whole table,
 * if it is empty still, and go on to do so while the table grows.
 */
void
session_execute_kept(KeptStatement *statement, Datum *values, const char *nulls)
{
	int			pin;

	keep(statement);
	if (!statement->looks_up || statement->planned)
	{
		session_execute_plan(statement->plan, statement->expected, values, nulls);
		return;
	}
	pin = session_pin(NULL, PIN_INDEXES);
	session_execute_plan(statement->plan, statement->expected, values, nulls);
	session_unpin(pin);
	statement->planned = true;
}

/*
 * session_read_kept runs a kept query with the snapshot of the calling query.
 */
void
session_read_kept(KeptStatement *statement, Datum *values, const char *nulls)
{
	MemoryContext context = CurrentMemoryContext;

	keep(statement);
	if (SPI_execute_plan(statement->plan, values, nulls, true, 0) != statement->expected)
		elog(ERROR, "could not run \"%s\"", statement->sql);
	MemoryContextSwitchTo(context);
}

/*
 * session_pin_one sets one parameter until the nest level ends.
 */
static void
session_pin_one(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/*
 * session_pin pins the settings asked for and returns the nest level that
 * session_unpin takes. An error unpins them too.
 */
int
session_pin(const PinnedSettings *settings, int what)
{
	int			nest_level = NewGUCNestLevel();

	if (what & PIN_TIME)
	{
		session_pin_one("TimeZone", settings->time_zone);
		session_pin_one("DateStyle", settings->date_style);
		session_pin_one("IntervalStyle", "postgres");
	}
	if (what & PIN_FORMAT)
	{
		session_pin_one("DateStyle", "ISO");
		session_pin_one("IntervalStyle", "postgres");
		session_pin_one("extra_float_digits", "1");
	}
	if (what & PIN_JIT)
		session_pin_one("jit", "off");
	if (what & PIN_JOINS)
		session_pin_one("enable_nestloop", "off");
	if (what & PIN_INDEXES)
		session_pin_one("enable_seqscan", "off");
	if (what & PIN_PATH)
		session_pin_one("search_path", "pg_catalog, pg_temp");
	return nest_level;
}

/*
 * session_unpin gives the session its own settings back.
 */
void
session_unpin(int nest_level)
{
	AtEOXact_GUC(true, nest_level);
}

/*
 * session_restoring tells whether a dump is being loaded into the table.
 *
 * Scripts of pg_dump, and pg_restore in each of its workers, begin by
 * switching check_function_bodies off and emptying search_path. While rules,
 * records and assignments arrive half-loaded and in any order, nothing may be
 * checked or evaluated: the dump holds all of it, derived columns included.
 * Only the owner of the table (for our own tables, of the extension), who could
 * disable the triggers as well, is believed, so that nobody else can write past
 * the engine by these two settings.
 */
bool
session_restoring(Oid relid)
{
	Oid			user = GetUserId();
	Oid			extension;

	if (check_function_bodies || namespace_search_path[0] != '\0')
		return false;
	if (territory_owns_relation(relid, user))
		return true;
	extension = getExtensionOfObject(RelationRelationId, relid);
	return OidIsValid(extension) && territory_owns_extension(extension, user);
}
