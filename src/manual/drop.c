/*
 * drop.c
 *		territory.drop_node(): deletes a node and says where to with what it has.
 *
 * With a node to transfer to, its children, rules, members and manual pairs go
 * there; the records that the rules of either concern are evaluated once, when all
 * is in its place. Without, the whole subtree is deleted, unless people have put
 * records there by hand.
 *
 * All statements on our tables but those on forecasts are the caller's own, so that
 * the rights on them hold; whether he may hand over to the other node what the engine
 * itself moves, is asked first. The locks are those of any change of the tree
 * (base/lock.c).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

#include "assign/batch.h"
#include "assign/change.h"
#include "assign/deal_change.h"
#include "assign/follow.h"
#include "assign/run.h"
#include "base/catalog.h"
#include "base/lock.h"
#include "base/session.h"
#include "check/check.h"
#include "compat.h"
#include "history/cause.h"
#include "manual/manual.h"
#include "pair/exclusion.h"
#include "pair/pairs.h"
#include "parent/kin.h"
#include "rule/object.h"
#include "type/territory.h"

PG_FUNCTION_INFO_V1(territory_drop_node);

void		(*transfer_permission) (int32 node_id) = NULL;

/* what goes to the other node, in this order: $1 is the node, $2 the other */
static const char *const transfers[] = {
	"UPDATE territory.node SET parent_id = $2 WHERE parent_id OPERATOR(pg_catalog.=) $1",
	"UPDATE territory.rule SET node_id = $2 WHERE node_id OPERATOR(pg_catalog.=) $1",
	/* who is there already at that time, is not moved, and goes with the node */
	"UPDATE territory.member m SET node_id = $2 WHERE m.node_id OPERATOR(pg_catalog.=) $1"
	" AND NOT EXISTS (SELECT FROM territory.member o"
	"  WHERE o.node_id OPERATOR(pg_catalog.=) $2 AND o.member OPERATOR(pg_catalog.=) m.member"
	"    AND coalesce(o.starts, '-infinity') OPERATOR(pg_catalog.<) coalesce(m.ends, 'infinity')"
	"    AND coalesce(m.starts, '-infinity') OPERATOR(pg_catalog.<) coalesce(o.ends, 'infinity'))"
};

#define TRANSFERS lengthof(transfers)

/*
 * Likewise what forecasts have for the node, as our own statements, for nobody is to
 * lose it who may delete nodes: what both have for the same period adds up. A node
 * above has it in its own target already; then the node's stays what it was, with
 * the node that is gone.
 */
#define SAME_OF_OTHER \
	"o.node_id OPERATOR(pg_catalog.=) $2 AND o.period_id OPERATOR(pg_catalog.=) f.period_id" \
	" AND o.metric OPERATOR(pg_catalog.=) f.metric AND coalesce(o.member OPERATOR(pg_catalog.=) f.member, o.member IS NULL AND f.member IS NULL)"
#define NOT_COVERED \
	" AND (f.member IS NOT NULL OR NOT EXISTS (SELECT FROM territory.node n JOIN territory.node a ON a.path OPERATOR(territory.@>) n.path" \
	"  WHERE n.id OPERATOR(pg_catalog.=) $1 AND a.id OPERATOR(pg_catalog.=) $2))"

static const char *const forecast_tables[] = {"target", "adjustment"};

/* One call. */
typedef struct Drop
{
	int32		node_id;
	int32		to_id;			/* 0: nowhere */
	char	   *path;
	char	   *to;
	const char *model;			/* argument for hints: which one, if it is not active */
	List	   *objects;		/* OIDs, locked */
	int64		deleted;		/* nodes */
	int64		moved[TRANSFERS];
	int64		pairs;			/* moved ones */
} Drop;

/*
 * execute runs a statement of the caller's on the two nodes.
 */
static int64
execute(const Drop *drop, const char *sql, int expected)
{
	Oid			types[2] = {INT4OID, INT4OID};
	Datum		values[2] = {Int32GetDatum(drop->node_id), Int32GetDatum(drop->to_id)};

	if (SPI_execute_with_args(sql, 2, types, values, NULL, false, 0) != expected)
		elog(ERROR, "could not execute \"%s\"", sql);
	return (int64) SPI_processed;
}

/*
 * find_node returns the id of a node, which must be there.
 */
static int32
find_node(const char *path, Datum model, bool model_null)
{
	Oid			types[2] = {TEXTOID, TEXTOID};
	Datum		values[2] = {CStringGetTextDatum(path), model};
	char		nulls[2] = {' ', model_null ? 'n' : ' '};
	bool		isnull;

	if (SPI_execute_with_args("SELECT territory.node_id($1::territory.territory, $2)", 2, types, values, nulls,
							  false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not look up a node");
	return DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

/*
 * lock_objects locks all attached tables as a change of the tree does.
 */
static void
lock_objects(Drop *drop)
{
	SessionRole role;

	session_become(&role, catalog_owner());
	drop->objects = kin_lock_all_for_change();
	session_restore_role(&role);
}

/*
 * load reads an attached table's row; false when it is attached no longer.
 */
static bool
load(Oid object, ObjectInfo *info)
{
	SessionRole role;
	bool		attached;

	session_become(&role, catalog_owner());
	attached = object_load(object, info);
	session_restore_role(&role);
	return attached;
}

/*
 * refuse_below raises when the other node goes with the subtree, or is the node.
 */
static void
refuse_below(const Drop *drop)
{
	if (execute(drop, "SELECT FROM territory.node n JOIN territory.node o ON o.path OPERATOR(territory.<@) n.path"
				" WHERE n.id OPERATOR(pg_catalog.=) $1 AND o.id OPERATOR(pg_catalog.=) $2", SPI_OK_SELECT) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot transfer territory \"%s\" to \"%s\": that is part of it", drop->path, drop->to),
				 errhint("Name a territory outside of \"%s\".", drop->path)));
}

/*
 * refuse_collisions raises when children of both have the same names.
 */
static void
refuse_collisions(const Drop *drop)
{
	if (execute(drop, "SELECT pg_catalog.string_agg(pg_catalog.quote_literal(a.name), ', ' ORDER BY a.path)"
				"  FROM territory.node a JOIN territory.node b ON b.name OPERATOR(pg_catalog.=) a.name"
				" WHERE a.parent_id OPERATOR(pg_catalog.=) $1 AND b.parent_id OPERATOR(pg_catalog.=) $2"
				" HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0", SPI_OK_SELECT) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("cannot transfer territory \"%s\" to \"%s\": both have children of the same names",
						drop->path, drop->to),
				 errdetail("The names are %s.", SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1)),
				 errhint("Rename them, or drop one of each pair first.")));
}

/*
 * select_pairs reads the keys of the pairs of some nodes, manual ones or all that
 * are left, as the table's owner.
 */
static void
select_pairs(const ObjectInfo *info, const char *which, const char *nodes, int32 node_id)
{
	Oid			types[1] = {INT4OID};
	Datum		values[1] = {Int32GetDatum(node_id)};
	SessionRole role;

	session_become(&role, catalog_owner());
	session_execute(psprintf("SELECT %s FROM %s WHERE %s AND node_id %s",
							 quote_identifier(NameStr(info->key_column)),
							 catalog_qualified_name(info->assignment), which, nodes),
					SPI_OK_SELECT, 1, types, values, NULL);
	session_restore_role(&role);
}

/*
 * move_pair notes what carries one pair over.
 */
static void
move_pair(const Drop *drop, Datum key, const StoredPair *here, const StoredPair *there, bool welcome,
		  Difference *difference)
{
	Pair	   *pair = NULL;

	if (here != NULL)
		pair_append(&difference->deleted, key, drop->node_id, 0, here);
	if (welcome && there == NULL)
		pair = pair_append(&difference->inserted, key, drop->to_id, here && !here->manual ? here->rule_id : 0, NULL);
	else if (welcome && !there->manual && (here == NULL || here->manual))
		pair = pair_append(&difference->changed, key, drop->to_id, there->rule_id, there);
	if (pair)
		pair->manual = here == NULL || here->manual;
}

/*
 * evaluate_unwelcome evaluates records that could not be carried over and depend on
 * others: a deal gets what was held back by the pair that it has lost.
 */
static void
evaluate_unwelcome(const ObjectInfo *info, const Datum *keys, int count)
{
	List	   *texts = NIL;
	Oid			output;
	bool		varlena;

	if (count == 0 || !OidIsValid(info->above))
		return;
	getTypeOutputInfo(info->key_type, &output, &varlena);
	for (int i = 0; i < count; i++)
		texts = lappend(texts, OidOutputFunctionCall(output, keys[i]));
	run_keys(info, texts);
}

/*
 * move_pairs carries the pairs of some records over, as they are: by hand, or those
 * of closed deals. A record that is excluded from the other node does not come
 * there.
 */
static int64
move_pairs(const Drop *drop, const ObjectInfo *info, Datum *keys, int count)
{
	bool	   *fresh = palloc0(count * sizeof(bool));
	Datum	   *unwelcome = palloc(count * sizeof(Datum));
	Difference	difference = {{0}};
	PairAccess	access;
	StoredPair *stored;
	Exclusion  *exclusions = NULL;
	int			excluded = 0;
	int			stored_count;
	int			next = 0;
	int			e = 0;
	int64		moved = 0;

	if (exclusion_any(info->object))
		excluded = exclusion_fetch(info, keys, count, &exclusions);
	pairs_begin(&access, info, keys, count);
	stored_count = pairs_fetch(&access, fresh, &stored);
	for (int i = 0; i < count; i++)
	{
		const StoredPair *here = NULL;
		const StoredPair *there = NULL;
		bool		welcome = true;

		for (; next < stored_count && stored[next].record == i; next++)
		{
			if (stored[next].node_id == drop->to_id)
				there = &stored[next];
			else if (stored[next].node_id == drop->node_id)
				here = &stored[next];
		}
		for (; e < excluded && exclusions[e].record == i; e++)
			welcome = welcome && !exclusion_covers(&exclusions[e], 1, drop->to_id);
		if (!welcome)
			unwelcome[i - moved] = keys[i];
		moved += welcome;
		move_pair(drop, keys[i], here, there, welcome, &difference);
	}
	pairs_write(&access, &difference);
	pairs_end(&access);
	check_note_difference(info, &difference);
	evaluate_unwelcome(info, unwelcome, count - (int) moved);
	follow_records(info, keys, count);
	return moved;
}

/*
 * transfer_pairs carries pairs of a table over, a batch at a time.
 */
static void
transfer_pairs(Drop *drop, const ObjectInfo *info, const char *which)
{
	SPITupleTable *table;
	uint64		count;
	Datum	   *keys = palloc(BATCH_RECORDS * sizeof(Datum));

	select_pairs(info, which, "OPERATOR(pg_catalog.=) $1", drop->node_id);
	table = SPI_tuptable;
	count = SPI_processed;
	for (uint64 first = 0; first < count; first += BATCH_RECORDS)
	{
		int			batch = (int) Min(count - first, BATCH_RECORDS);
		bool		isnull;

		for (int i = 0; i < batch; i++)
			keys[i] = SPI_getbinval(table->vals[first + i], table->tupdesc, 1, &isnull);
		drop->pairs += move_pairs(drop, info, keys, batch);
	}
	SPI_freetuptable(table);
}

/*
 * defer_locally sets whether changes re-assign by themselves; AtEOXact_GUC with
 * the nest level undoes it.
 */
static int
defer_locally(const char *value)
{
	int			nest_level = NewGUCNestLevel();

	(void) set_config_option("territory.defer_runs", value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return nest_level;
}

/*
 * transfer_deals has deals follow that no rule says anything of: those whose owners
 * are members of the other node now; and carries over what closed ones keep.
 */
static void
transfer_deals(Drop *drop)
{
	Datum		id = Int32GetDatum(drop->to_id);
	Datum		ids = PointerGetDatum(construct_array(&id, 1, INT4OID, 4, true, TYPALIGN_INT));
	ListCell   *cell;

	foreach(cell, drop->objects)
	{
		ObjectInfo	info;

		if (!load(lfirst_oid(cell), &info) || info.kind != KIND_DEAL)
			continue;
		deal_reassign_below(&info, ids);
		if (info.freeze)
			transfer_pairs(drop, &info, "true");
	}
}

/*
 * transfer_forecasts moves targets and adjustments.
 */
static void
transfer_forecasts(const Drop *drop)
{
	SessionRole role;

	session_become(&role, catalog_owner());
	for (int i = 0; i < lengthof(forecast_tables); i++)
	{
		const char *table = forecast_tables[i];
		const char *covered = i == 0 ? NOT_COVERED : "";

		(void) execute(drop, psprintf("UPDATE territory.%s o SET amount = o.amount OPERATOR(pg_catalog.+) f.amount FROM territory.%s f"
									  " WHERE f.node_id OPERATOR(pg_catalog.=) $1 AND " SAME_OF_OTHER "%s", table, table, covered),
					   SPI_OK_UPDATE);
		(void) execute(drop, psprintf("DELETE FROM territory.%s f WHERE f.node_id OPERATOR(pg_catalog.=) $1"
									  " AND EXISTS (SELECT FROM territory.%s o WHERE " SAME_OF_OTHER ")%s", table, table, covered),
					   SPI_OK_DELETE);
		(void) execute(drop, psprintf("UPDATE territory.%s f SET node_id = $2 WHERE f.node_id OPERATOR(pg_catalog.=) $1"
									  " AND NOT EXISTS (SELECT FROM territory.%s o WHERE " SAME_OF_OTHER ")", table, table),
					   SPI_OK_UPDATE);
	}
	session_restore_role(&role);
}

/*
 * transfer moves everything to the other node, and evaluates what it concerns.
 */
static void
transfer(Drop *drop)
{
	int			defer;
	ListCell   *cell;

	refuse_below(drop);
	refuse_collisions(drop);
	defer = defer_locally("on");
	for (int i = 0; i < TRANSFERS; i++)
		drop->moved[i] = execute(drop, transfers[i], SPI_OK_UPDATE);
	transfer_forecasts(drop);
	foreach(cell, drop->objects)
	{
		ObjectInfo	info;

		if (load(lfirst_oid(cell), &info))
			transfer_pairs(drop, &info, "manual");
	}
	AtEOXact_GUC(true, defer);
	change_reassign_below(drop->objects, drop->to_id);
	transfer_deals(drop);
	foreach(cell, drop->objects)
		check_statement(lfirst_oid(cell));
	check_subtrees(drop->objects);
	drop->deleted = execute(drop, "DELETE FROM territory.node WHERE id OPERATOR(pg_catalog.=) $1", SPI_OK_DELETE);
}

/*
 * refuse_manual raises when records stand in the subtree by hand.
 */
static void
refuse_manual(const Drop *drop)
{
	StringInfoData detail;
	ListCell   *cell;

	initStringInfo(&detail);
	foreach(cell, drop->objects)
	{
		ObjectInfo	info;

		if (!load(lfirst_oid(cell), &info))
			continue;
		select_pairs(&info, "manual", "IN (SELECT d.id FROM territory.node n JOIN territory.node d"
					  " ON d.model_id OPERATOR(pg_catalog.=) n.model_id AND d.path OPERATOR(territory.<@) n.path"
					  " WHERE n.id OPERATOR(pg_catalog.=) $1)", drop->node_id);
		if (SPI_processed > 0)
			appendStringInfo(&detail, "%sPairs of %s: " UINT64_FORMAT, detail.len == 0 ? "" : "\n",
							 catalog_qualified_name(info.object), SPI_processed);
	}
	if (detail.len > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot drop territory \"%s\": records stand in it or below it by hand", drop->path),
				 errdetail("%s", detail.data),
				 errhint("SELECT territory.drop_node(%s, transfer_to => 'another territory'%s) moves them on%s.",
						 quote_literal_cstr(drop->path), drop->model,
						 drop->model[0] == '\0' ? "; territory.unassign() takes them out" : "")));
}

/*
 * drop_subtree deletes the node and all below it, with what they have.
 */
static void
drop_subtree(Drop *drop)
{
	static const char *const subtree =
		"(SELECT d.id FROM territory.node n JOIN territory.node d"
		"  ON d.model_id OPERATOR(pg_catalog.=) n.model_id AND d.path OPERATOR(territory.<@) n.path"
		" WHERE n.id OPERATOR(pg_catalog.=) $1)";
	int			defer = defer_locally("off");

	refuse_manual(drop);
	drop->moved[2] = execute(drop, psprintf("SELECT FROM territory.member WHERE node_id IN %s", subtree), SPI_OK_SELECT);
	drop->moved[1] = execute(drop, psprintf("DELETE FROM territory.rule WHERE node_id IN %s", subtree), SPI_OK_DELETE);
	drop->deleted = execute(drop, psprintf("DELETE FROM territory.node WHERE id IN %s", subtree), SPI_OK_DELETE);
	AtEOXact_GUC(true, defer);
}

/*
 * require_right raises unless the caller may delete nodes: before anything is
 * locked, or told.
 */
static void
require_right(void)
{
	Oid			table = catalog_table("node");
	AclResult	right = pg_class_aclcheck(table, GetUserId(), ACL_DELETE);

	if (right != ACLCHECK_OK)
		aclcheck_error(right, OBJECT_TABLE, get_rel_name(table));
}

/*
 * territory_drop_node(path, transfer_to, model) -> (deleted, children, rules,
 * members, pairs).
 */
Datum
territory_drop_node(PG_FUNCTION_ARGS)
{
	Drop		drop = {0};
	TupleDesc	desc;
	Datum		values[2 + TRANSFERS];
	bool		nulls[2 + TRANSFERS] = {0};
	int			cause;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("path must not be null")));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	require_right();
	SPI_connect();
	lock_tree();
	drop.path = territory_to_cstring(PG_GETARG_TERRITORY_PP(0));
	drop.model = PG_ARGISNULL(2) ? "" :
		psprintf(", model => %s", quote_literal_cstr(TextDatumGetCString(PG_GETARG_DATUM(2))));
	drop.node_id = find_node(drop.path, PG_ARGISNULL(2) ? (Datum) 0 : PG_GETARG_DATUM(2), PG_ARGISNULL(2));
	lock_objects(&drop);
	cause = cause_push(CAUSE_NODE, drop.path);
	if (PG_ARGISNULL(1))
		drop_subtree(&drop);
	else
	{
		drop.to = territory_to_cstring(PG_GETARG_TERRITORY_PP(1));
		drop.to_id = find_node(drop.to, PG_ARGISNULL(2) ? (Datum) 0 : PG_GETARG_DATUM(2), PG_ARGISNULL(2));
		if (transfer_permission)
			transfer_permission(drop.to_id);
		transfer(&drop);
	}
	cause_pop(cause);
	SPI_finish();
	values[0] = Int64GetDatum(drop.deleted);
	for (int i = 0; i < TRANSFERS; i++)
		values[1 + i] = Int64GetDatum(drop.moved[i]);
	values[1 + TRANSFERS] = Int64GetDatum(drop.pairs);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
