/*
 * model.c
 *		territory.model: exactly one model is active.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/rel.h"

#include "base/catalog.h"
#include "base/session.h"
#include "base/triggers.h"
#include "tree/node.h"

PG_FUNCTION_INFO_V1(territory_model_check);
PG_FUNCTION_INFO_V1(territory_model_guard);
PG_FUNCTION_INFO_V1(territory_model_guard_nodes);

/*
 * model_active returns the id of the active model. Needs an SPI connection.
 */
int32
model_active(void)
{
	static KeptStatement find = {
		"SELECT id FROM territory.model WHERE state OPERATOR(pg_catalog.=) 'active'",
		SPI_OK_SELECT, 0
	};
	bool		isnull;

	session_execute_kept(&find, NULL, NULL);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no model is active"),
				 errhint("Set the state of one row of territory.model to 'active'.")));
	return DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

/*
 * model_argument returns the argument that names a model which is not active. Needs
 * an SPI connection.
 */
char *
model_argument(int32 id)
{
	static KeptStatement find = {
		"SELECT name FROM territory.model WHERE id OPERATOR(pg_catalog.=) $1 AND state OPERATOR(pg_catalog.<>) 'active'",
		SPI_OK_SELECT, 1, {INT4OID}
	};
	Datum		values[1] = {Int32GetDatum(id)};

	session_execute_kept(&find, values, NULL);
	if (SPI_processed == 0)
		return "";
	return psprintf(", model => %s", quote_literal_cstr(SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1)));
}

/*
 * model_active_settings returns what the active model pins, palloc'd. Needs an SPI
 * connection.
 */
PinnedSettings
model_active_settings(void)
{
	PinnedSettings settings;
	SessionRole role;

	session_become(&role, catalog_owner());
	session_execute("SELECT time_zone, date_style FROM territory.model WHERE state OPERATOR(pg_catalog.=) 'active'",
					SPI_OK_SELECT, 0, NULL, NULL, NULL);
	session_restore_role(&role);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no model is active")));
	settings.time_zone = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	settings.date_style = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
	return settings;
}

/*
 * model_require raises unless there is a model with this id, and keeps it from
 * being deleted meanwhile. Needs an SPI connection.
 */
void
model_require(int32 id)
{
	static KeptStatement find = {
		"SELECT FROM territory.model WHERE id OPERATOR(pg_catalog.=) $1 FOR KEY SHARE",
		SPI_OK_SELECT, 1, {INT4OID}
	};
	Datum		values[1] = {Int32GetDatum(id)};

	session_execute_kept(&find, values, NULL);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("there is no model with id %d", id)));
}

/*
 * territory_model_guard_nodes: AFTER DELETE, each row. A model that has nodes
 * stays.
 */
Datum
territory_model_guard_nodes(PG_FUNCTION_ARGS)
{
	static KeptStatement count = {
		"SELECT pg_catalog.count(*) FROM territory.node WHERE model_id OPERATOR(pg_catalog.=) $1",
		SPI_OK_SELECT, 1, {INT4OID}
	};
	TriggerData *trigger = trigger_data_of(fcinfo, "model_guard_nodes",
										   TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW, "model");
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	Datum		values[1];
	SessionRole role;
	char	   *nodes;
	bool		isnull;

	/* make_room removes a model whose nodes another worker has restored already */
	if (session_restoring(RelationGetRelid(trigger->tg_relation)))
		return PointerGetDatum(NULL);
	SPI_connect();
	session_become(&role, catalog_owner());
	values[0] = heap_getattr(trigger->tg_trigtuple, Anum_model_id, desc, &isnull);
	session_execute_kept(&count, values, NULL);
	nodes = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	if (strcmp(nodes, "0") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot delete model \"%s\": it has territories",
						TextDatumGetCString(heap_getattr(trigger->tg_trigtuple, Anum_model_name, desc, &isnull))),
				 errdetail("There are %s.", nodes),
				 errhint("Archive it (state = 'archived'), or delete its territories first.")));
	session_restore_role(&role);
	SPI_finish();
	return PointerGetDatum(NULL);
}

/*
 * replace_default writes a dumped row over the model that CREATE EXTENSION
 * made; returns false when that one is not there.
 */
static bool
replace_default(HeapTuple tuple, TupleDesc desc)
{
	static KeptStatement replace = {
		"UPDATE territory.model SET name = $1, state = $2, description = $3, time_zone = $4, date_style = $5"
		" WHERE id OPERATOR(pg_catalog.=) 1",
		SPI_OK_UPDATE, 5, {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID}
	};
	Datum		values[5];
	char		nulls[5];

	for (int i = 0; i < 5; i++)
	{
		bool		isnull;

		values[i] = heap_getattr(tuple, Anum_model_name + i, desc, &isnull);
		nulls[i] = isnull ? 'n' : ' ';
	}
	session_execute_kept(&replace, values, nulls);
	return SPI_processed > 0;
}

/*
 * check_settings raises when the server does not know the settings of a row.
 */
static void
check_settings(HeapTuple tuple, TupleDesc desc)
{
	static const struct
	{
		int			column;
		const char *setting;
	}			checks[] = {
		{Anum_model_time_zone, "TimeZone"},
		{Anum_model_date_style, "DateStyle"}
	};

	for (int i = 0; i < lengthof(checks); i++)
	{
		bool		isnull;
		Datum		value = heap_getattr(tuple, checks[i].column, desc, &isnull);

		if (!isnull)
			(void) set_config_option(checks[i].setting, TextDatumGetCString(value),
									 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SET, false, 0, false);
	}
}

/*
 * make_room removes model 1 where it collides with another model of the dump:
 * it is then that of CREATE EXTENSION, which the dump does not have or brings
 * later under another name or state.
 */
static void
make_room(HeapTuple tuple, TupleDesc desc)
{
	static KeptStatement delete = {
		"DELETE FROM territory.model WHERE id OPERATOR(pg_catalog.=) 1"
		" AND (name OPERATOR(pg_catalog.=) $1"
		"      OR (state OPERATOR(pg_catalog.=) 'active' AND $2 OPERATOR(pg_catalog.=) 'active'))",
		SPI_OK_DELETE, 2, {TEXTOID, TEXTOID}
	};
	bool		isnull;
	Datum		values[2];

	values[0] = heap_getattr(tuple, Anum_model_name, desc, &isnull);
	values[1] = heap_getattr(tuple, Anum_model_state, desc, &isnull);
	session_execute_kept(&delete, values, NULL);
}

/*
 * merge_default fits a row of a dump in with model 1, which CREATE EXTENSION has
 * made already; true when the row has taken its place.
 */
static bool
merge_default(HeapTuple tuple, TupleDesc desc)
{
	SessionRole role;
	bool		merged = false;
	bool		isnull;

	session_become(&role, catalog_owner());
	SPI_connect();
	if (DatumGetInt32(heap_getattr(tuple, Anum_model_id, desc, &isnull)) == 1)
		merged = replace_default(tuple, desc);
	else
		make_room(tuple, desc);
	SPI_finish();
	session_restore_role(&role);
	return merged;
}

/*
 * territory_model_check: BEFORE INSERT OR UPDATE, each row. Refuses unknown
 * settings; merges the default model of a dump that is being restored.
 */
Datum
territory_model_check(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data_of(fcinfo, "model_check",
										TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_ROW, "model");
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	bool		insert = TRIGGER_FIRED_BY_INSERT(trigger->tg_event);
	HeapTuple	tuple = insert ? trigger->tg_trigtuple : trigger->tg_newtuple;

	if (!session_restoring(RelationGetRelid(trigger->tg_relation)))
		check_settings(tuple, desc);
	else if (insert && merge_default(tuple, desc))
		return PointerGetDatum(NULL);
	return PointerGetDatum(tuple);
}

/*
 * territory_model_guard: AFTER UPDATE OR DELETE, each statement. One model
 * stays active.
 */
Datum
territory_model_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data_of(fcinfo, "model_guard",
										TRIGGER_EVENT_AFTER, TRIGGER_EVENT_STATEMENT, "model");
	SessionRole role;

	if (session_restoring(RelationGetRelid(trigger->tg_relation)))
		return PointerGetDatum(NULL);
	session_become(&role, catalog_owner());
	SPI_connect();
	(void) model_active();
	SPI_finish();
	session_restore_role(&role);
	return PointerGetDatum(NULL);
}
