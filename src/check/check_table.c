/*
 * check_table.c
 *		Triggers of territory.pair_check.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "base/catalog.h"
#include "base/inval.h"
#include "base/lock.h"
#include "base/session.h"
#include "base/triggers.h"
#include "check/check.h"
#include "rule/criteria.h"
#include "rule/object.h"
#include "tree/node.h"

PG_FUNCTION_INFO_V1(territory_check_derive);
PG_FUNCTION_INFO_V1(territory_check_changed);
PG_FUNCTION_INFO_V1(territory_check_validate);

/* columns of territory.pair_check; an upgrade only appends */
#define Anum_pair_check_id			1
#define Anum_pair_check_object		3
#define Anum_pair_check_node_id		5
#define Anum_pair_check_amount		7
#define Anum_pair_check_expression	9

/*
 * require_target raises unless the table is attached and the node there, and
 * keeps both.
 */
static void
require_target(Oid object, Datum node_id, bool node_null)
{
	SessionRole role;
	ObjectInfo	info;

	session_become(&role, catalog_owner());
	object_hold(object);
	object_require(object, &info);
	if (!node_null)
		node_hold(DatumGetInt32(node_id));
	session_restore_role(&role);
}

/*
 * resolve_amount returns an amount with every name qualified. What holds for
 * criteria holds for it, so it is checked as part of some, which also says that it
 * is a number, and that NULL is 0.
 */
static char *
resolve_amount(Oid object, const char *amount)
{
	Relation	rel = table_open(object, AccessShareLock);
	char	   *criteria = psprintf("coalesce((%s), 0::pg_catalog.numeric) IS NOT NULL", amount);
	Expr	   *expr;
	char	   *expression;

	criteria_check_syntax(amount);
	expr = criteria_parse(rel, criteria);
	if (!IsA(expr, NullTest))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("the amount is not one expression")));
	criteria_check(rel, expr, criteria);
	criteria_check_access(rel, expr);
	expression = criteria_deparse(rel, ((NullTest *) expr)->arg);
	table_close(rel, NoLock);
	return expression;
}

/*
 * territory_check_derive: BEFORE INSERT OR UPDATE, each row.
 */
Datum
territory_check_derive(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data_of(fcinfo, "check_derive",
										   TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_ROW, "pair_check");
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	HeapTuple	tuple = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	MemoryContext context = CurrentMemoryContext;
	int			column = Anum_pair_check_expression;
	bool		object_null;
	bool		node_null;
	bool		amount_null;
	Datum		object = heap_getattr(tuple, Anum_pair_check_object, desc, &object_null);
	Datum		node_id = heap_getattr(tuple, Anum_pair_check_node_id, desc, &node_null);
	Datum		amount = heap_getattr(tuple, Anum_pair_check_amount, desc, &amount_null);
	Datum		expression = (Datum) 0;

	/* a NULL fails its constraint */
	if (session_restoring(RelationGetRelid(trigger->tg_relation)) || object_null)
		return PointerGetDatum(tuple);
	SPI_connect();
	require_target(DatumGetObjectId(object), node_id, node_null);
	if (!amount_null)
		expression = CStringGetTextDatum(resolve_amount(DatumGetObjectId(object), TextDatumGetCString(amount)));
	MemoryContextSwitchTo(context);
	tuple = heap_modify_tuple_by_cols(tuple, desc, 1, &column, &expression, &amount_null);
	SPI_finish();
	return PointerGetDatum(tuple);
}

/*
 * territory_check_changed: AFTER INSERT, UPDATE OR DELETE, each row; also on
 * territory.distribution. What is to be noted is to be looked up again.
 */
Datum
territory_check_changed(PG_FUNCTION_ARGS)
{
	(void) trigger_data(fcinfo, "check_changed", TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW);
	inval_send(catalog_table("pair_check"));
	return PointerGetDatum(NULL);
}

/*
 * territory_check_validate: AFTER INSERT OR UPDATE, each row. Writers of records
 * either are done, and what they did is looked at, or come later and know of the
 * check.
 */
Datum
territory_check_validate(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data_of(fcinfo, "check_validate",
										   TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW, "pair_check");
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	HeapTuple	tuple = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	bool		isnull;
	Oid			object = DatumGetObjectId(heap_getattr(tuple, Anum_pair_check_object, desc, &isnull));

	if (session_restoring(RelationGetRelid(trigger->tg_relation)))
		return PointerGetDatum(NULL);
	lock_object_for_change(object);
	check_all(object, DatumGetInt32(heap_getattr(tuple, Anum_pair_check_id, desc, &isnull)));
	return PointerGetDatum(NULL);
}
