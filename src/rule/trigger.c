/*
 * trigger.c
 *		territory.rule and its neighbours: criteria are checked and resolved when
 *		a rule is written; what compiled rules depend on tells every backend when
 *		it changes.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/catalog.h"
#include "base/inval.h"
#include "base/session.h"
#include "base/triggers.h"
#include "rule/criteria.h"
#include "rule/object.h"
#include "rule/rule.h"

PG_FUNCTION_INFO_V1(territory_rule_check);
PG_FUNCTION_INFO_V1(territory_rule_changed);
PG_FUNCTION_INFO_V1(territory_object_changed);
PG_FUNCTION_INFO_V1(territory_tree_changed);
PG_FUNCTION_INFO_V1(territory_refuse_truncate);

/*
 * node_settings reads what the model of a node pins, and keeps the node from
 * being deleted meanwhile; false when there is no such node.
 */
static bool
node_settings(int32 node_id, PinnedSettings *settings)
{
	static KeptStatement find = {
		"SELECT m.time_zone, m.date_style"
		"  FROM territory.node n JOIN territory.model m ON m.id OPERATOR(pg_catalog.=) n.model_id"
		" WHERE n.id OPERATOR(pg_catalog.=) $1 FOR KEY SHARE OF n",
		SPI_OK_SELECT, 1, {INT4OID}
	};
	Datum		values[1] = {Int32GetDatum(node_id)};

	session_execute_kept(&find, values, NULL);
	if (SPI_processed == 0)
		return false;
	settings->time_zone = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	settings->date_style = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
	return true;
}

/*
 * check_target raises unless node and table of a rule are there and attached,
 * and reads the settings of the node's model.
 */
static void
check_target(int32 node_id, Oid object, PinnedSettings *settings)
{
	SessionRole role;
	ObjectInfo	info;

	session_become(&role, catalog_owner());
	object_hold(object);
	object_require(object, &info);
	if (info.kind == KIND_CONTACT)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s has no rules: its records have the territories of those of %s",
						catalog_qualified_name(object), catalog_qualified_name(info.above)),
				 errhint("Write the rule for %s.", catalog_qualified_name(info.above))));
	if (!node_settings(node_id, settings))
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("node_id names no territory"),
				 errdetail("There is no node with id %d.", node_id),
				 errhint("territory.node_id('path') finds the id of a territory.")));
	session_restore_role(&role);
}

/*
 * resolve checks criteria and returns them with every name qualified. Names
 * resolve as the writer's do; literals of dates and times are read under the
 * model's settings.
 */
static char *
resolve(Oid object, const char *criteria, const PinnedSettings *settings)
{
	Relation	rel = table_open(object, AccessShareLock);
	int			pin = session_pin(settings, PIN_TIME);
	char	   *expression = criteria_resolve(rel, criteria, BOOLOID);

	session_unpin(pin);
	table_close(rel, NoLock);
	return expression;
}

/*
 * required returns a column's value; 23502 when it is NULL.
 */
static Datum
required(HeapTuple tuple, TupleDesc desc, int column)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, column, desc, &isnull);

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("a rule needs %s", NameStr(TupleDescAttr(desc, column - 1)->attname))));
	return value;
}

/*
 * is_unchanged tells whether an update leaves the criteria and their table as
 * they were resolved before.
 */
static bool
is_unchanged(HeapTuple old, Oid object, const char *criteria, TupleDesc desc)
{
	return DatumGetObjectId(required(old, desc, Anum_rule_object)) == object &&
		strcmp(TextDatumGetCString(required(old, desc, Anum_rule_criteria)), criteria) == 0;
}

/*
 * territory_rule_check: BEFORE INSERT OR UPDATE, each row. Refuses criteria
 * that do not hold, and derives the column expression.
 */
Datum
territory_rule_check(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data_of(fcinfo, "rule_check",
										TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_ROW, "rule");
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	HeapTuple	tuple = update ? trigger->tg_newtuple : trigger->tg_trigtuple;
	MemoryContext result_context = CurrentMemoryContext;
	MemoryContext spi_context;
	PinnedSettings settings;
	Oid			object;
	int32		node_id;
	char	   *criteria;
	Datum		expression;
	int			column = Anum_rule_expression;
	bool		isnull = false;

	if (session_restoring(RelationGetRelid(trigger->tg_relation)))
		return PointerGetDatum(tuple);

	SPI_connect();
	object = DatumGetObjectId(required(tuple, desc, Anum_rule_object));
	node_id = DatumGetInt32(required(tuple, desc, Anum_rule_node_id));
	criteria = TextDatumGetCString(required(tuple, desc, Anum_rule_criteria));
	check_target(node_id, object, &settings);
	if (update && is_unchanged(trigger->tg_trigtuple, object, criteria, desc))
		expression = required(trigger->tg_trigtuple, desc, Anum_rule_expression);
	else
		expression = CStringGetTextDatum(resolve(object, criteria, &settings));

	spi_context = MemoryContextSwitchTo(result_context);
	tuple = heap_modify_tuple_by_cols(tuple, desc, 1, &column, &expression, &isnull);
	MemoryContextSwitchTo(spi_context);
	SPI_finish();
	return PointerGetDatum(tuple);
}

/*
 * send_column invalidates the table that a column of a changed row names.
 */
static void
send_column(TriggerData *trigger, int column)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	bool		isnull;
	Datum		object = heap_getattr(trigger->tg_trigtuple, column, desc, &isnull);

	if (!isnull)
		inval_send(DatumGetObjectId(object));
	if (!TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		return;
	object = heap_getattr(trigger->tg_newtuple, column, desc, &isnull);
	if (!isnull)
		inval_send(DatumGetObjectId(object));
}

/*
 * territory_rule_changed: AFTER INSERT, UPDATE OR DELETE, each row. Makes the
 * compiled rules of the table stale everywhere.
 */
Datum
territory_rule_changed(PG_FUNCTION_ARGS)
{
	send_column(trigger_data_of(fcinfo, "rule_changed", TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW, "rule"),
				Anum_rule_object);
	return PointerGetDatum(NULL);
}

/*
 * territory_object_changed: likewise on territory.object, whose own entry stands
 * for what objects depend on one another.
 */
Datum
territory_object_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data_of(fcinfo, "object_changed", TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW, "object");

	send_column(trigger, Anum_object_object);
	inval_send(RelationGetRelid(trigger->tg_relation));
	return PointerGetDatum(NULL);
}

/*
 * territory_tree_changed: AFTER INSERT, UPDATE OR DELETE on territory.node and
 * territory.model, each row. Makes the compiled rules of all tables stale.
 */
Datum
territory_tree_changed(PG_FUNCTION_ARGS)
{
	SessionRole role;
	ListCell   *cell;

	(void) trigger_data(fcinfo, "tree_changed", TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW);
	SPI_connect();
	session_become(&role, catalog_owner());
	foreach(cell, object_list())
		inval_send(lfirst_oid(cell));
	session_restore_role(&role);
	SPI_finish();
	return PointerGetDatum(NULL);
}

/*
 * territory_refuse_truncate: BEFORE TRUNCATE of a table whose rows have
 * consequences for other rows.
 */
Datum
territory_refuse_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data(fcinfo, "refuse_truncate",
										TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_STATEMENT);
	char	   *name = catalog_qualified_name(RelationGetRelid(trigger->tg_relation));

	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("table %s cannot be truncated", name),
			 trigger->tg_trigger->tgnargs > 0 ? errhint("%s", trigger->tg_trigger->tgargs[0]) :
			 errhint("Use DELETE FROM %s, which keeps the assignments true.", name)));
	return PointerGetDatum(NULL);
}
