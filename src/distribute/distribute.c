/*
 * distribute.c
 *		territory.distribute(): records without an owner go to the members of
 *		their node.
 *
 * Who gets what is planned (plan.c) by a look at everything, since a member's load
 * must not depend on what the caller sees; the owner's column is written by a plain
 * UPDATE, with the caller's rights, or, when records arrive, as the table's owner.
 * One at a time distributes a node's records.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "nodes/primnodes.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/catalog.h"
#include "base/session.h"
#include "base/triggers.h"
#include "distribute/distribute.h"
#include "distribute/plan.h"
#include "rule/criteria.h"
#include "rule/object.h"
#include "tree/node.h"

PG_FUNCTION_INFO_V1(territory_distribute);
PG_FUNCTION_INFO_V1(territory_distribution_check);

/* columns of territory.distribution */
#define Anum_distribution_object	2
#define Anum_distribution_node_id	3

/*
 * read_owner reads what says who owns a record; it must be there.
 */
static char *
read_owner(Oid object)
{
	Oid			types[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(object)};
	char	   *owner = NULL;

	session_execute("SELECT owner FROM territory.object WHERE object OPERATOR(pg_catalog.=) $1",
					SPI_OK_SELECT, 1, types, values, NULL);
	if (SPI_processed > 0)
		owner = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	if (owner == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s has no column for owners", catalog_qualified_name(object)),
				 errhint("SELECT territory.attach(..., owner => 'column') names it.")));
	return owner;
}

/*
 * column_of returns the number of the column that an expression is, with casts at
 * most; 0 where it is something else.
 */
static AttrNumber
column_of(Node *expr)
{
	while (expr != NULL && !IsA(expr, Var))
	{
		if (IsA(expr, RelabelType))
			expr = (Node *) ((RelabelType *) expr)->arg;
		else if (IsA(expr, CoerceViaIO))
			expr = (Node *) ((CoerceViaIO *) expr)->arg;
		else if (IsA(expr, FuncExpr) && ((FuncExpr *) expr)->funcformat != COERCE_EXPLICIT_CALL)
			expr = linitial(((FuncExpr *) expr)->args);
		else
			return InvalidAttrNumber;
	}
	return expr ? ((Var *) expr)->varattno : InvalidAttrNumber;
}

/*
 * owner_column returns the number of the column that holds a record's owner. An
 * owner that is computed cannot be written.
 */
static AttrNumber
owner_column(Oid object)
{
	char	   *owner = read_owner(object);
	Relation	rel = table_open(object, AccessShareLock);
	int			pin = session_pin(NULL, PIN_PATH);
	AttrNumber	column = column_of((Node *) criteria_parse_value(rel, owner, TEXTOID));

	session_unpin(pin);
	table_close(rel, NoLock);
	if (column <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the owner of records of %s is not a column but an expression: %s",
						catalog_qualified_name(object), owner),
				 errdetail("Distribution writes the owner into the record."),
				 errhint("SELECT territory.attach(..., owner => 'column') names a column.")));
	return column;
}

/*
 * text_array makes an array of texts.
 */
static Datum
text_array(char *const *texts, int count)
{
	Datum	   *elements = palloc(Max(count, 1) * sizeof(Datum));

	for (int i = 0; i < count; i++)
		elements[i] = CStringGetTextDatum(texts[i]);
	return PointerGetDatum(construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * key_array makes an array of the keys of the records that are given.
 */
static Datum
key_array(const Distribution *plan)
{
	int16		length;
	bool		by_value;
	char		align;

	get_typlenbyvalalign(plan->info.key_type, &length, &by_value, &align);
	return PointerGetDatum(construct_array(plan->keys, plan->count, plan->info.key_type, length, by_value, align));
}

/*
 * write_owners updates the records, by the rights of the current user; returns how
 * many. The result, which SPI has, says by their places in the plan (from 1) which
 * these are, their keys and who owns them now: a trigger may have changed both.
 */
static int
write_owners(const Distribution *plan)
{
	const char *owner = quote_identifier(get_attname(plan->info.object, plan->owner, false));
	Oid			types[2] = {get_array_type(plan->info.key_type), TEXTARRAYOID};
	Datum		values[2] = {key_array(plan), text_array(plan->members, plan->count)};

	if (SPI_execute_with_args(psprintf("UPDATE %1$s AS o SET %2$s = p.member::%3$s"
									   " FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) WITH ORDINALITY AS p (key, member, place)"
									   " WHERE o.%4$s OPERATOR(pg_catalog.=) p.key AND o.%2$s IS NULL"
									   " RETURNING p.place::pg_catalog.int4, o.%4$s::pg_catalog.text, o.%2$s::pg_catalog.text",
									   catalog_qualified_name(plan->info.object), owner,
									   format_type_be_qualified(get_atttype(plan->info.object, plan->owner)),
									   quote_identifier(NameStr(plan->info.key_column))),
							  2, types, values, NULL, false, 0) != SPI_OK_UPDATE_RETURNING)
		elog(ERROR, "could not update the owners of %s", catalog_qualified_name(plan->info.object));
	return (int) SPI_processed;
}

/*
 * log_arrays makes the arrays of what the log says of the records that were given:
 * keys, owners, reasons.
 */
static void
log_arrays(const Distribution *plan, int given, Datum *arrays)
{
	char	  **texts[3];

	for (int i = 0; i < lengthof(texts); i++)
		texts[i] = palloc(Max(given, 1) * sizeof(char *));
	for (int i = 0; i < given; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		bool		isnull;
		int			place = DatumGetInt32(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull)) - 1;
		char	   *owner = SPI_getvalue(row, SPI_tuptable->tupdesc, 3);

		texts[0][i] = SPI_getvalue(row, SPI_tuptable->tupdesc, 2);
		texts[1][i] = owner ? owner : plan->members[place];
		texts[2][i] = owner && strcmp(owner, plan->members[place]) == 0 ? plan->reasons[place] :
			psprintf("given to %s, which a trigger of the table has changed: %s", plan->members[place], plan->reasons[place]);
	}
	for (int i = 0; i < lengthof(texts); i++)
		arrays[i] = text_array(texts[i], given);
}

/*
 * write_log says who owns the records that were given, and why.
 */
static void
write_log(const Distribution *plan, int given)
{
	Oid			types[5] = {OIDOID, INT4OID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID};
	Datum		values[5] = {ObjectIdGetDatum(plan->info.object), Int32GetDatum(plan->node_id)};

	log_arrays(plan, given, &values[2]);
	session_execute("INSERT INTO territory.distribution_log (object, key, node_id, path, member, reason)"
					" SELECT $1, g.key, n.id, n.path, g.member, g.reason"
					"   FROM ROWS FROM (pg_catalog.unnest($3), pg_catalog.unnest($4), pg_catalog.unnest($5)) AS g (key, member, reason)"
					"  CROSS JOIN territory.node n WHERE n.id OPERATOR(pg_catalog.=) $2",
					SPI_OK_INSERT, 5, types, values, NULL);
}

/*
 * require_right raises unless a user may update the owner's column: before
 * anything is locked.
 */
static void
require_right(const Distribution *plan, Oid user)
{
	if (pg_class_aclcheck(plan->info.object, user, ACL_UPDATE) != ACLCHECK_OK &&
		pg_attribute_aclcheck(plan->info.object, plan->owner, user, ACL_UPDATE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(plan->info.object));
}

/*
 * distribute distributes the records of a node. Runs as the owner of our tables;
 * the owners are written by the saved role, or (saved NULL) by the table's owner.
 */
static void
distribute(Distribution *plan, const SessionRole *saved)
{
	SessionRole role;

	plan->owner = owner_column(plan->info.object);
	if (saved)
		require_right(plan, saved->user);
	LockDatabaseObject(catalog_table("member"), (Oid) plan->node_id, 0, ShareRowExclusiveLock);
	plan_make(plan);
	if (plan->count == 0)
		return;
	session_become(&role, plan->info.owner);
	if (saved)
		session_restore_role(saved);
	plan->given = write_owners(plan);
	session_restore_role(&role);
	write_log(plan, plan->given);
}

/*
 * territory_distribute(object, node) -> (given, left_over).
 */
Datum
territory_distribute(PG_FUNCTION_ARGS)
{
	Distribution plan = {{0}};
	SessionRole role;
	TupleDesc	desc;
	Datum		values[2];
	bool		nulls[2] = {false, false};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("object and node must not be null")));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	SPI_connect();
	session_become(&role, catalog_owner());
	object_require(PG_GETARG_OID(0), &plan.info);
	plan.node_id = node_find(PG_GETARG_TERRITORY_PP(1));
	distribute(&plan, &role);
	session_restore_role(&role);
	SPI_finish();
	values[0] = Int64GetDatum(plan.given);
	values[1] = Int64GetDatum(plan.records - plan.given);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/*
 * wants_arrivals tells whether a node's records are distributed as they arrive.
 */
static bool
wants_arrivals(Oid object, int32 node_id)
{
	static KeptStatement find = {
		"SELECT FROM territory.distribution WHERE object OPERATOR(pg_catalog.=) $1"
		" AND (node_id IS NULL OR node_id OPERATOR(pg_catalog.=) $2)",
		SPI_OK_SELECT, 2, {OIDOID, INT4OID}
	};
	Datum		values[2] = {ObjectIdGetDatum(object), Int32GetDatum(node_id)};

	session_execute_kept(&find, values, NULL);
	return SPI_processed > 0;
}

/*
 * distribute_arrived distributes the records of nodes where some have arrived.
 */
void
distribute_arrived(Oid object, List *nodes)
{
	SessionRole role;
	ListCell   *cell;

	SPI_connect();
	session_become(&role, catalog_owner());
	foreach(cell, nodes)
	{
		Distribution plan = {.node_id = lfirst_int(cell)};

		if (wants_arrivals(object, plan.node_id) && object_load(object, &plan.info))
			distribute(&plan, NULL);
	}
	session_restore_role(&role);
	SPI_finish();
}

/*
 * territory_distribution_check: BEFORE INSERT OR UPDATE on territory.distribution,
 * each row.
 */
Datum
territory_distribution_check(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data_of(fcinfo, "distribution_check",
										   TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_ROW, "distribution");
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	HeapTuple	tuple = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	bool		object_null;
	bool		node_null;
	Datum		object = heap_getattr(tuple, Anum_distribution_object, desc, &object_null);
	Datum		node_id = heap_getattr(tuple, Anum_distribution_node_id, desc, &node_null);
	SessionRole role;
	ObjectInfo	info;

	if (session_restoring(RelationGetRelid(trigger->tg_relation)) || object_null)
		return PointerGetDatum(tuple);
	SPI_connect();
	session_become(&role, catalog_owner());
	object_hold(DatumGetObjectId(object));
	object_require(DatumGetObjectId(object), &info);
	(void) owner_column(DatumGetObjectId(object));
	if (!node_null)
		node_hold(DatumGetInt32(node_id));
	session_restore_role(&role);
	SPI_finish();
	return PointerGetDatum(tuple);
}
