/*
 * distribute.c
 *		territory.distribute(): records without an owner go to the members of
 *		their node.
 *
 * Weighted least load: the next record, in the order of the keys, goes to the
 * member m for whom (records owned + 1) / weight is least, below the member's
 * capacity; of equals, to the lowest id. So it depends on what stands and on
 * nothing else. All steps are one query: member m's k-th record has the rank
 * k / weight, and the n least ranks of all members are what n steps would take.
 *
 * The plan is made by a look at everything, since a member's load must not depend
 * on what the caller sees; the owner's column is written by a plain UPDATE, with
 * the caller's rights, or, when records arrive, as the table's owner. One at a
 * time distributes a node's records.
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
#include "rule/criteria.h"
#include "rule/object.h"
#include "tree/node.h"

PG_FUNCTION_INFO_V1(territory_distribute);
PG_FUNCTION_INFO_V1(territory_distribution_check);

/* columns of territory.distribution */
#define Anum_distribution_object	2
#define Anum_distribution_node_id	3

/* A distribution. Arrays of keys and of members (as text), of reasons. */
typedef struct Distribution
{
	ObjectInfo	info;
	AttrNumber	owner;			/* the owner's column */
	int32		node_id;
	Datum		keys;
	Datum		members;
	Datum		reasons;
	int64		records;		/* without an owner */
	int64		given;
} Distribution;

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
 * plan_query is the query for who gets what; $1 is the node.
 */
static char *
plan_query(const Distribution *plan)
{
	const char *key = quote_identifier(NameStr(plan->info.key_column));

	return psprintf("WITH record AS MATERIALIZED ("
					" SELECT o.%1$s AS key, o.%2$s::text AS owner FROM %3$s o JOIN %4$s a ON a.%1$s = o.%1$s WHERE a.node_id = $1),"
					" free AS MATERIALIZED (SELECT key, row_number() OVER (ORDER BY key) AS place FROM record WHERE owner IS NULL),"
					" person AS MATERIALIZED ("
					" SELECT m.id, m.member, m.weight, m.capacity, (SELECT count(*) FROM record r WHERE r.owner = m.member) AS load"
					"   FROM territory.member m WHERE m.node_id = $1 AND m.weight > 0"
					"    AND coalesce(m.starts, '-infinity') <= current_date AND current_date < coalesce(m.ends, 'infinity')),"
					" slot AS ("
					" SELECT p.*, k, row_number() OVER (ORDER BY k / p.weight, p.id) AS place FROM person p"
					"  CROSS JOIN LATERAL generate_series(p.load + 1, least(p.load + (SELECT count(*) FROM free), p.capacity)) AS k)"
					" SELECT array_agg(f.key ORDER BY place), array_agg(s.member ORDER BY place),"
					"        array_agg(format('owned %%s%%s, weight %%s: (%%s + 1) / %%s is the least of %%s members', s.k - 1,"
					"                  ' of at most ' || s.capacity, s.weight, s.k - 1, s.weight, (SELECT count(*) FROM person)) ORDER BY place),"
					"        (SELECT count(*) FROM free) FROM free f JOIN slot s USING (place)",
					key, quote_identifier(get_attname(plan->info.object, plan->owner, false)),
					catalog_qualified_name(plan->info.object), catalog_qualified_name(plan->info.assignment));
}

/*
 * make_plan decides who gets what; false when nobody gets anything.
 */
static bool
make_plan(Distribution *plan)
{
	Oid			types[1] = {INT4OID};
	Datum		values[1] = {Int32GetDatum(plan->node_id)};
	HeapTuple	row;
	TupleDesc	desc;
	bool		none;
	bool		isnull;
	int			pin;

	LockDatabaseObject(catalog_table("member"), (Oid) plan->node_id, 0, ShareRowExclusiveLock);
	pin = session_pin(NULL, PIN_PATH | PIN_JIT);
	session_execute(plan_query(plan), SPI_OK_SELECT, 1, types, values, NULL);
	session_unpin(pin);
	row = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	plan->keys = SPI_getbinval(row, desc, 1, &none);
	plan->members = SPI_getbinval(row, desc, 2, &isnull);
	plan->reasons = SPI_getbinval(row, desc, 3, &isnull);
	plan->records = DatumGetInt64(SPI_getbinval(row, desc, 4, &isnull));
	return !none;
}

/*
 * write_owners updates the records, by the rights of the current user, and
 * returns the keys of those that were updated, as an array of texts.
 */
static Datum
write_owners(Distribution *plan)
{
	const char *key = quote_identifier(NameStr(plan->info.key_column));
	const char *owner = quote_identifier(get_attname(plan->info.object, plan->owner, false));
	Oid			types[2] = {get_array_type(plan->info.key_type), TEXTARRAYOID};
	Datum		values[2] = {plan->keys, plan->members};
	Datum	   *keys;
	Oid			output;
	bool		varlena;

	if (SPI_execute_with_args(psprintf("UPDATE %1$s AS o SET %2$s = p.member::%3$s"
									   " FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS p (key, member)"
									   " WHERE o.%4$s OPERATOR(pg_catalog.=) p.key AND o.%2$s IS NULL RETURNING o.%4$s",
									   catalog_qualified_name(plan->info.object), owner,
									   format_type_be_qualified(get_atttype(plan->info.object, plan->owner)), key),
							  2, types, values, NULL, false, 0) != SPI_OK_UPDATE_RETURNING)
		elog(ERROR, "could not update the owners of %s", catalog_qualified_name(plan->info.object));
	plan->given = (int64) SPI_processed;
	keys = palloc(Max(plan->given, 1) * sizeof(Datum));
	getTypeOutputInfo(plan->info.key_type, &output, &varlena);
	for (int64 i = 0; i < plan->given; i++)
	{
		bool		isnull;

		keys[i] = CStringGetTextDatum(OidOutputFunctionCall(output, SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull)));
	}
	return PointerGetDatum(construct_array(keys, (int) plan->given, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * write_log says why, of those records that were updated.
 */
static void
write_log(const Distribution *plan, Datum updated)
{
	Oid			types[6] = {OIDOID, get_array_type(plan->info.key_type), TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT4OID};
	Datum		values[6] = {ObjectIdGetDatum(plan->info.object), plan->keys, plan->members, plan->reasons, updated,
	Int32GetDatum(plan->node_id)};

	session_execute("INSERT INTO territory.distribution_log (object, key, node_id, path, member, reason)"
					" SELECT $1, p.key::pg_catalog.text, n.id, n.path, p.member, p.reason"
					"   FROM ROWS FROM (pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4)) AS p (key, member, reason)"
					"   JOIN pg_catalog.unnest($5) AS u (key) ON u.key OPERATOR(pg_catalog.=) p.key::pg_catalog.text"
					"  CROSS JOIN territory.node n WHERE n.id OPERATOR(pg_catalog.=) $6",
					SPI_OK_INSERT, 6, types, values, NULL);
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
	Datum		updated;

	plan->owner = owner_column(plan->info.object);
	if (saved)
		require_right(plan, saved->user);
	if (!make_plan(plan))
		return;
	session_become(&role, plan->info.owner);
	if (saved)
		session_restore_role(saved);
	updated = write_owners(plan);
	session_restore_role(&role);
	write_log(plan, updated);
}

/*
 * territory_distribute(object, node) -> (given, left_over).
 */
Datum
territory_distribute(PG_FUNCTION_ARGS)
{
	Distribution		plan = {{0}};
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
		Distribution		plan = {.node_id = lfirst_int(cell)};

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
