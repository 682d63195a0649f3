/*
 * define.c
 *		Triggers of territory.forecast_def, territory.deal_share and territory.snapshot.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "base/catalog.h"
#include "base/session.h"
#include "base/triggers.h"
#include "rule/criteria.h"
#include "rule/object.h"
#include "tree/node.h"

PG_FUNCTION_INFO_V1(territory_forecast_derive);
PG_FUNCTION_INFO_V1(territory_share_check);
PG_FUNCTION_INFO_V1(territory_snapshot_clear);

/* columns of territory.forecast_def; an upgrade only appends */
#define Anum_forecast_name				2
#define Anum_forecast_object			3
#define Anum_forecast_measure			4
#define Anum_forecast_quantity			5
#define Anum_forecast_filter			6
#define Anum_forecast_quantity_expression 8
#define Anum_forecast_filter_expression	9

/* columns of territory.deal_share */
#define Anum_share_object				2
#define Anum_share_key					3
#define Anum_share_kind					5

/*
 * text_column returns a column, NULL where it is null.
 */
static char *
text_column(HeapTuple tuple, TupleDesc desc, int column)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, column, desc, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/*
 * check_object raises unless a table is one whose records a forecast can be of.
 */
static void
check_object(Oid object, const char *measure)
{
	Oid			types[2] = {OIDOID, TEXTOID};
	Datum		values[2] = {ObjectIdGetDatum(object), CStringGetTextDatum(measure)};
	ObjectInfo	info;
	SessionRole role;

	session_become(&role, catalog_owner());
	object_hold(object);
	object_require(object, &info);
	session_execute("SELECT FROM territory.object WHERE object OPERATOR(pg_catalog.=) $1 AND close_date IS NOT NULL"
					"  AND (amount IS NOT NULL OR $2 OPERATOR(pg_catalog.=) ANY (ARRAY['count', 'quantity']))",
					SPI_OK_SELECT, 2, types, values, NULL);
	session_restore_role(&role);
	if (info.kind != KIND_DEAL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s is not attached as kind 'deal'", catalog_qualified_name(object)),
				 errdetail("Other records may have several territories, and would count in each.")));
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s was attached without close_date, or without amount", catalog_qualified_name(object)),
				 errhint("territory.attach(..., amount => 'amount', close_date => 'closes_on') says what they are.")));
}

/*
 * resolve returns an expression over the table with every name qualified; NULL for
 * none.
 */
static char *
resolve(Oid object, const char *text, Oid type)
{
	PinnedSettings settings;
	Relation	rel;
	char	   *result;
	int			pin;

	if (text == NULL)
		return NULL;
	settings = model_active_settings();
	rel = table_open(object, AccessShareLock);
	pin = session_pin(&settings, PIN_TIME);
	result = criteria_resolve(rel, text, type);
	session_unpin(pin);
	table_close(rel, NoLock);
	return result;
}

/*
 * refuse_renaming raises where a forecast would part from its targets.
 */
static void
refuse_renaming(const TriggerData *trigger, TupleDesc desc)
{
	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) &&
		strcmp(text_column(trigger->tg_trigtuple, desc, Anum_forecast_name),
			   text_column(trigger->tg_newtuple, desc, Anum_forecast_name)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a forecast cannot be renamed"),
				 errdetail("Targets, adjustments and snapshots belong to its name.")));
}

/*
 * derive fills in the expressions of a row.
 */
static HeapTuple
derive(HeapTuple tuple, TupleDesc desc, Oid object)
{
	int			columns[2] = {Anum_forecast_quantity_expression, Anum_forecast_filter_expression};
	char	   *texts[2] = {
		resolve(object, text_column(tuple, desc, Anum_forecast_quantity), NUMERICOID),
		resolve(object, text_column(tuple, desc, Anum_forecast_filter), BOOLOID)
	};
	Datum		values[2];
	bool		nulls[2];

	for (int i = 0; i < 2; i++)
	{
		nulls[i] = texts[i] == NULL;
		values[i] = texts[i] ? CStringGetTextDatum(texts[i]) : (Datum) 0;
	}
	return heap_modify_tuple_by_cols(tuple, desc, 2, columns, values, nulls);
}

/*
 * territory_forecast_derive: BEFORE INSERT OR UPDATE on territory.forecast_def, each
 * row.
 */
Datum
territory_forecast_derive(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data_of(fcinfo, "forecast_derive",
										   TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_ROW, "forecast_def");
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	HeapTuple	tuple = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	MemoryContext context = CurrentMemoryContext;
	char	   *measure = text_column(tuple, desc, Anum_forecast_measure);
	bool		object_null;
	Oid			object = DatumGetObjectId(heap_getattr(tuple, Anum_forecast_object, desc, &object_null));

	/* what is NULL that must not be fails its constraint */
	if (session_restoring(RelationGetRelid(trigger->tg_relation)) || measure == NULL)
		return PointerGetDatum(tuple);
	refuse_renaming(trigger, desc);
	SPI_connect();
	if (!object_null)
		check_object(object, measure);
	else if (text_column(tuple, desc, Anum_forecast_quantity) || text_column(tuple, desc, Anum_forecast_filter))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("quantity and filter need an object"),
				 errhint("They are expressions over the columns of one table.")));
	MemoryContextSwitchTo(context);
	if (!object_null)
		tuple = derive(tuple, desc, object);
	SPI_finish();
	return PointerGetDatum(tuple);
}

/*
 * refuse_sum raises unless the shares of a deal add to 1, or are gone.
 */
static void
refuse_sum(HeapTuple tuple, TupleDesc desc)
{
	Oid			types[3] = {OIDOID, TEXTOID, TEXTOID};
	Datum		values[3];
	bool		isnull;

	values[0] = heap_getattr(tuple, Anum_share_object, desc, &isnull);
	values[1] = heap_getattr(tuple, Anum_share_key, desc, &isnull);
	values[2] = heap_getattr(tuple, Anum_share_kind, desc, &isnull);
	session_execute("SELECT pg_catalog.sum(share)::pg_catalog.text FROM territory.deal_share"
					" WHERE object OPERATOR(pg_catalog.=) $1 AND key OPERATOR(pg_catalog.=) $2 AND kind OPERATOR(pg_catalog.=) $3"
					" HAVING pg_catalog.sum(share) OPERATOR(pg_catalog.<>) 1",
					SPI_OK_SELECT, 3, types, values, NULL);
	if (SPI_processed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("the %s shares of deal %s of %s add up to %s, not to 1", TextDatumGetCString(values[2]),
						TextDatumGetCString(values[1]), catalog_qualified_name(DatumGetObjectId(values[0])),
						SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1)),
				 errhint("Write all shares of a deal in one transaction.")));
}

/*
 * territory_share_check: AFTER INSERT, UPDATE OR DELETE on territory.deal_share, each
 * row, when the transaction commits; one transaction at a time for a table, so that the
 * later one sees what the other did.
 */
Datum
territory_share_check(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data_of(fcinfo, "share_check",
										   TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW, "deal_share");
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	HeapTuple	tuple = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	ObjectInfo	info;
	SessionRole role;
	Oid			object;
	bool		isnull;

	if (session_restoring(RelationGetRelid(trigger->tg_relation)))
		return PointerGetDatum(NULL);
	object = DatumGetObjectId(heap_getattr(tuple, Anum_share_object, desc, &isnull));
	LockDatabaseObject(RelationGetRelid(trigger->tg_relation), object, 0, ShareRowExclusiveLock);
	SPI_connect();
	session_become(&role, catalog_owner());
	if (!TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		object_require(object, &info);
	refuse_sum(trigger->tg_trigtuple, desc);
	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		refuse_sum(trigger->tg_newtuple, desc);
	session_restore_role(&role);
	SPI_finish();
	return PointerGetDatum(NULL);
}

/*
 * territory_snapshot_clear: AFTER DELETE on territory.snapshot, each row. What belongs
 * to it goes with it.
 */
Datum
territory_snapshot_clear(PG_FUNCTION_ARGS)
{
	static const char *const tables[] = {"snapshot_node", "snapshot_figure", "snapshot_deal"};
	TriggerData *trigger = trigger_data_of(fcinfo, "snapshot_clear",
										   TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW, "snapshot");
	Oid			types[1] = {INT4OID};
	Datum		values[1];
	SessionRole role;
	bool		isnull;

	values[0] = heap_getattr(trigger->tg_trigtuple, 1, RelationGetDescr(trigger->tg_relation), &isnull);
	SPI_connect();
	session_become(&role, catalog_owner());
	for (int i = 0; i < lengthof(tables); i++)
		session_execute(psprintf("DELETE FROM territory.%s WHERE snapshot_id OPERATOR(pg_catalog.=) $1", tables[i]),
						SPI_OK_DELETE, 1, types, values, NULL);
	session_restore_role(&role);
	SPI_finish();
	return PointerGetDatum(NULL);
}
