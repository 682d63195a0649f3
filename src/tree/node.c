/*
 * node.c
 *		Keeps path, parent_id and name of territory.node true to each other.
 *
 * parent_id and name say where a node is; path is derived from them, whichever
 * of the three the user gave. A BEFORE ROW trigger places the row itself; an
 * AFTER ROW trigger, when all rows of the statement are there, finds parents
 * that came later and carries the subtree along.
 *
 * The statement trigger takes the tree lock first (base/lock.c), and every look
 * at other nodes is by the newest snapshot, so that concurrent moves cannot
 * close a cycle.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "base/catalog.h"
#include "base/lock.h"
#include "base/session.h"
#include "base/triggers.h"
#include "tree/node.h"
#include "type/territory.h"

PG_FUNCTION_INFO_V1(territory_node_lock);
PG_FUNCTION_INFO_V1(territory_node_place);
PG_FUNCTION_INFO_V1(territory_node_settle);
PG_FUNCTION_INFO_V1(territory_node_guard);
PG_FUNCTION_INFO_V1(territory_node_clear);
PG_FUNCTION_INFO_V1(territory_node_id);

/*
 * True while territory_node_settle itself updates nodes: their new values are
 * right already.
 */
static bool moving = false;

static KeptStatement find_by_path = {
	"SELECT id, path FROM territory.node"
	" WHERE model_id OPERATOR(pg_catalog.=) $1 AND path OPERATOR(territory.=) $2::territory.territory",
	SPI_OK_SELECT, 2, {INT4OID, TEXTOID},
	.looks_up = true
};

static KeptStatement find_by_id = {
	"SELECT model_id, path FROM territory.node WHERE id OPERATOR(pg_catalog.=) $1",
	SPI_OK_SELECT, 1, {INT4OID},
	.looks_up = true
};

static KeptStatement set_parent = {
	"UPDATE territory.node SET parent_id = $2 WHERE id OPERATOR(pg_catalog.=) $1",
	SPI_OK_UPDATE, 2, {INT4OID, INT4OID},
	.looks_up = true
};

static KeptStatement carry_subtree = {
	"WITH RECURSIVE below (id, path) AS ("
	"  SELECT id, path FROM territory.node WHERE id OPERATOR(pg_catalog.=) $1"
	"  UNION ALL"
	"  SELECT n.id, territory.child(b.path, n.name)"
	"    FROM territory.node n JOIN below b ON n.parent_id OPERATOR(pg_catalog.=) b.id)"
	" UPDATE territory.node n SET path = b.path FROM below b"
	"  WHERE n.id OPERATOR(pg_catalog.=) b.id AND n.path OPERATOR(territory.<>) b.path",
	SPI_OK_UPDATE, 1, {INT4OID},
	.looks_up = true
};

/* UNION, not UNION ALL: it ends on a cycle, too */
static KeptStatement find_cycle = {
	"WITH RECURSIVE above (id) AS ("
	"  SELECT parent_id FROM territory.node WHERE id OPERATOR(pg_catalog.=) $1"
	"  UNION"
	"  SELECT n.parent_id FROM territory.node n JOIN above a ON n.id OPERATOR(pg_catalog.=) a.id)"
	" SELECT FROM above WHERE id OPERATOR(pg_catalog.=) $1",
	SPI_OK_SELECT, 1, {INT4OID},
	.looks_up = true
};

static KeptStatement count_children = {
	"SELECT pg_catalog.count(*), territory.min(path)::pg_catalog.text FROM territory.node WHERE parent_id OPERATOR(pg_catalog.=) $1",
	SPI_OK_SELECT, 1, {INT4OID},
	.looks_up = true
};

static KeptStatement delete_rules = {
	"DELETE FROM territory.rule WHERE node_id OPERATOR(pg_catalog.=) $1",
	SPI_OK_DELETE, 1, {INT4OID},
	.looks_up = true
};

static KeptStatement delete_exclusions = {
	"DELETE FROM territory.exclusion WHERE node_id OPERATOR(pg_catalog.=) $1",
	SPI_OK_DELETE, 1, {INT4OID},
	.looks_up = true
};

static KeptStatement delete_members = {
	"DELETE FROM territory.member WHERE node_id OPERATOR(pg_catalog.=) $1",
	SPI_OK_DELETE, 1, {INT4OID},
	.looks_up = true
};

static KeptStatement delete_distributions = {
	"DELETE FROM territory.distribution WHERE node_id OPERATOR(pg_catalog.=) $1",
	SPI_OK_DELETE, 1, {INT4OID},
	.looks_up = true
};

static KeptStatement delete_checks = {
	"DELETE FROM territory.pair_check WHERE node_id OPERATOR(pg_catalog.=) $1",
	SPI_OK_DELETE, 1, {INT4OID}
};

/*
 * node_moving tells whether the engine itself is updating nodes.
 */
bool
node_moving(void)
{
	return moving;
}

/*
 * node_read takes a row of territory.node apart.
 */
void
node_read(HeapTuple tuple, TupleDesc desc, NodeRow *node)
{
	bool		isnull;
	Datum		value;

	node->id = DatumGetInt32(heap_getattr(tuple, Anum_node_id, desc, &isnull));
	node->model_id = DatumGetInt32(heap_getattr(tuple, Anum_node_model_id, desc, &isnull));
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("a node needs a model"),
				 errhint("Leave model_id out for the active model; one model must be active.")));
	value = heap_getattr(tuple, Anum_node_parent_id, desc, &isnull);
	node->parent_id = isnull ? 0 : DatumGetInt32(value);
	value = heap_getattr(tuple, Anum_node_name, desc, &isnull);
	node->name = isnull ? NULL : TextDatumGetCString(value);
	value = heap_getattr(tuple, Anum_node_path, desc, &isnull);
	node->path = isnull ? NULL : (Territory *) PG_DETOAST_DATUM_COPY(value);
	node->priority = DatumGetInt32(heap_getattr(tuple, Anum_node_priority, desc, &isnull));
	node->cascade = DatumGetBool(heap_getattr(tuple, Anum_node_cascade, desc, &isnull));
}

/*
 * find_path looks a path up; returns the node's id, or 0.
 */
static int32
find_path(int32 model_id, const Territory *path)
{
	Datum		values[2] = {Int32GetDatum(model_id),
	CStringGetTextDatum(territory_to_cstring(path))};
	bool		isnull;

	session_execute_kept(&find_by_path, values, NULL);
	if (SPI_processed == 0)
		return 0;
	return DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

/*
 * find_parent returns the path of the node with this id, which must be of the
 * model; NULL when there is no such node.
 */
static Territory *
find_parent(int32 model_id, int32 id)
{
	Datum		values[1] = {Int32GetDatum(id)};
	Datum		path;
	bool		isnull;

	session_execute_kept(&find_by_id, values, NULL);
	if (SPI_processed == 0)
		return NULL;
	path = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull);
	if (DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull)) != model_id)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("parent node %d (%s) belongs to another model", id,
						territory_to_cstring(DatumGetTerritoryPP(path)))));
	return (Territory *) PG_DETOAST_DATUM_COPY(path);
}

/*
 * require_parent is find_parent for a node that must exist.
 */
static Territory *
require_parent(int32 model_id, int32 id)
{
	Territory  *path = find_parent(model_id, id);

	if (path == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("parent node %d does not exist", id)));
	return path;
}

/*
 * parent_path returns the path above, the root's for a top-level node.
 */
static Territory *
parent_path(const Territory *path)
{
	const char *payload = TERRITORY_DATA(path);
	Size		size = TERRITORY_SIZE(path);

	while (size > 0 && payload[size - 1] != '\0')
		size--;
	return territory_from_payload(payload, size > 0 ? size - 1 : 0);
}

/*
 * last_label returns the last label as plain text.
 */
static char *
last_label(const Territory *path)
{
	const char *payload = TERRITORY_DATA(path);
	Size		size = TERRITORY_SIZE(path);
	Size		start = size;

	while (start > 0 && payload[start - 1] != '\0')
		start--;
	return pnstrdup(payload + start, size - start);
}

static void
raise_missing_parent(const Territory *path, const Territory *parent)
{
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("territory \"%s\" has no parent: there is no node \"%s\"",
					territory_to_cstring(path), territory_to_cstring(parent)),
			 errhint("Insert \"%s\" first, or in the same statement.",
					 territory_to_cstring(parent))));
}

static void
raise_contradiction(const Territory *path)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("path \"%s\" contradicts parent_id or name", territory_to_cstring(path)),
			 errhint("Give path alone, or parent_id and name; the other is derived.")));
}

/*
 * check_path_and_name refuses the root, and a name that is not the path's.
 * Sets the name from the path.
 */
static void
check_path_and_name(NodeRow *node, bool name_given)
{
	char	   *label;

	if (TERRITORY_SIZE(node->path) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the root is no territory"),
				 errhint("Give a path of one label for a top-level territory.")));
	label = last_label(node->path);
	if (name_given && strcmp(label, node->name) != 0)
		raise_contradiction(node->path);
	node->name = label;
}

/*
 * place_new derives what a new row lacks. A parent that is given by path and
 * not there yet may still come in the same statement.
 */
static void
place_new(NodeRow *node)
{
	if (node->path != NULL)
	{
		check_path_and_name(node, node->name != NULL);
		if (node->parent_id == 0 && territory_nlevel(node->path) > 1)
			node->parent_id = find_path(node->model_id, parent_path(node->path));
	}
	else if (node->name != NULL)
		node->path = territory_child(node->parent_id == 0 ? NULL :
									 require_parent(node->model_id, node->parent_id),
									 node->name, strlen(node->name));
	else
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("a node needs a path, or a name and, below the top, a parent_id")));
}

/*
 * refuse_cycle raises when the new parent is the node itself or below it.
 */
static void
refuse_cycle(const NodeRow *old, const Territory *parent)
{
	if (parent != NULL && territory_contains(old->path, parent))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot move territory \"%s\" to below itself", territory_to_cstring(old->path)),
				 errdetail("The new parent is \"%s\".", territory_to_cstring(parent))));
}

/*
 * place_changed derives path, parent_id and name of an updated row from those
 * of them that changed.
 */
static void
place_changed(const NodeRow *old, NodeRow *node)
{
	bool		path_changed = node->path == NULL || territory_compare(old->path, node->path) != 0;
	bool		parent_changed = old->parent_id != node->parent_id;
	bool		name_changed = node->name == NULL || strcmp(old->name, node->name) != 0;
	Territory  *parent = NULL;

	if (old->id != node->id || old->model_id != node->model_id)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("id and model_id of territory \"%s\" cannot be changed",
						territory_to_cstring(old->path))));
	if (path_changed && node->path != NULL)
	{
		Territory  *above;
		int32		parent_id = 0;

		check_path_and_name(node, name_changed);
		above = parent_path(node->path);
		if (TERRITORY_SIZE(above) > 0)
		{
			parent = above;
			parent_id = find_path(node->model_id, above);
			if (parent_id == 0)
				raise_missing_parent(node->path, above);
		}
		if (parent_changed && parent_id != node->parent_id)
			raise_contradiction(node->path);
		node->parent_id = parent_id;
	}
	else if (parent_changed || name_changed || path_changed)
	{
		if (node->name == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("a node needs a name")));
		if (node->parent_id != 0)
			parent = require_parent(node->model_id, node->parent_id);
		node->path = territory_child(parent, node->name, strlen(node->name));
	}
	refuse_cycle(old, parent);
}

/*
 * node_form returns the tuple with the derived columns filled in.
 */
static HeapTuple
node_form(HeapTuple tuple, TupleDesc desc, const NodeRow *node)
{
	int			columns[3] = {Anum_node_parent_id, Anum_node_name, Anum_node_path};
	Datum		values[3];
	bool		nulls[3] = {node->parent_id == 0, false, false};

	values[0] = Int32GetDatum(node->parent_id);
	values[1] = CStringGetTextDatum(node->name);
	values[2] = TerritoryGetDatum(node->path);
	return heap_modify_tuple_by_cols(tuple, desc, 3, columns, values, nulls);
}

/*
 * territory_node_lock: BEFORE STATEMENT. One editor of the trees at a time.
 */
Datum
territory_node_lock(PG_FUNCTION_ARGS)
{
	(void) trigger_data(fcinfo, "node_lock",
						TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_STATEMENT);
	if (!moving)
		lock_tree();
	return PointerGetDatum(NULL);
}

/*
 * territory_node_place: BEFORE INSERT OR UPDATE, each row. Derives path from
 * parent_id and name, or these from it.
 */
Datum
territory_node_place(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data_of(fcinfo, "node_place",
										TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_ROW, "node");
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	HeapTuple	tuple = update ? trigger->tg_newtuple : trigger->tg_trigtuple;
	MemoryContext result_context = CurrentMemoryContext;
	MemoryContext spi_context;
	SessionRole role;
	NodeRow		node;

	if (moving || session_restoring(RelationGetRelid(trigger->tg_relation)))
		return PointerGetDatum(tuple);

	session_become(&role, catalog_owner());
	SPI_connect();
	node_read(tuple, desc, &node);
	model_require(node.model_id);
	if (update)
	{
		NodeRow		old;

		node_read(trigger->tg_trigtuple, desc, &old);
		place_changed(&old, &node);
	}
	else
		place_new(&node);
	spi_context = MemoryContextSwitchTo(result_context);
	tuple = node_form(tuple, desc, &node);
	MemoryContextSwitchTo(spi_context);
	SPI_finish();
	session_restore_role(&role);
	return PointerGetDatum(tuple);
}

/*
 * execute_moving runs a statement on territory.node whose rows need no placing.
 */
static void
execute_moving(KeptStatement *statement, Datum *values)
{
	moving = true;
	PG_TRY();
	{
		session_execute_kept(statement, values, NULL);
	}
	PG_FINALLY();
	{
		moving = false;
	}
	PG_END_TRY();
}

/*
 * settle_new checks a new row against its parent, now that the statement is
 * complete, and finds a parent that came after its child.
 */
static void
settle_new(const NodeRow *node)
{
	Territory  *above = parent_path(node->path);
	Datum		values[2];

	if (node->parent_id != 0)
	{
		if (territory_compare(require_parent(node->model_id, node->parent_id), above) != 0)
			raise_contradiction(node->path);
		return;
	}
	if (TERRITORY_SIZE(above) == 0)
		return;
	values[0] = Int32GetDatum(node->id);
	values[1] = Int32GetDatum(find_path(node->model_id, above));
	if (DatumGetInt32(values[1]) == 0)
		raise_missing_parent(node->path, above);
	execute_moving(&set_parent, values);
}

/*
 * settle_moved carries the subtree of a moved node along. Several moves of one
 * statement may close a cycle that none of them closes alone.
 */
static void
settle_moved(const NodeRow *old, const NodeRow *node)
{
	Datum		values[1] = {Int32GetDatum(node->id)};

	if (territory_compare(old->path, node->path) == 0)
		return;
	session_execute_kept(&find_cycle, values, NULL);
	if (SPI_processed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot move territory \"%s\" to below itself", territory_to_cstring(old->path))));
	execute_moving(&carry_subtree, values);
}

/*
 * territory_node_settle: AFTER INSERT OR UPDATE, each row. Completes the
 * parents of new rows and carries the subtree of a moved one along.
 */
Datum
territory_node_settle(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data_of(fcinfo, "node_settle",
										TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW, "node");
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	SessionRole role;
	NodeRow		node;

	if (moving || session_restoring(RelationGetRelid(trigger->tg_relation)))
		return PointerGetDatum(NULL);

	session_become(&role, catalog_owner());
	SPI_connect();
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
	{
		node_read(trigger->tg_trigtuple, desc, &node);
		settle_new(&node);
	}
	else
	{
		NodeRow		old;

		node_read(trigger->tg_trigtuple, desc, &old);
		node_read(trigger->tg_newtuple, desc, &node);
		settle_moved(&old, &node);
	}
	SPI_finish();
	session_restore_role(&role);
	return PointerGetDatum(NULL);
}

/*
 * refuse_children raises when children of a deleted node remain.
 */
static void
refuse_children(const NodeRow *node)
{
	Datum		values[1] = {Int32GetDatum(node->id)};
	int64		children;
	bool		isnull;

	session_execute_kept(&count_children, values, NULL);
	children = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	if (children == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 errmsg_plural("cannot delete territory \"%s\": it has " INT64_FORMAT " child",
						   "cannot delete territory \"%s\": it has " INT64_FORMAT " children",
						   (unsigned long) children,
						   territory_to_cstring(node->path), children),
			 errdetail("The first is \"%s\".",
					   SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2)),
			 errhint("Move the children by UPDATE of their parent_id, or delete the whole subtree in one statement: DELETE FROM territory.node WHERE path <@ %s AND model_id = %d.",
					 quote_literal_cstr(territory_to_cstring(node->path)), node->model_id)));
}

/*
 * territory_node_guard: AFTER DELETE, each row. A node whose children remain
 * stays.
 */
Datum
territory_node_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data_of(fcinfo, "node_guard",
										   TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW, "node");
	SessionRole role;
	NodeRow		node;

	session_become(&role, catalog_owner());
	SPI_connect();
	node_read(trigger->tg_trigtuple, RelationGetDescr(trigger->tg_relation), &node);
	refuse_children(&node);
	SPI_finish();
	session_restore_role(&role);
	return PointerGetDatum(NULL);
}

/*
 * territory_node_clear: AFTER DELETE, each row, when the guards have let the
 * node go. What belongs to it goes with it.
 */
Datum
territory_node_clear(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data_of(fcinfo, "node_clear",
										   TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW, "node");
	SessionRole role;
	NodeRow		node;
	Datum		values[1];

	session_become(&role, catalog_owner());
	SPI_connect();
	node_read(trigger->tg_trigtuple, RelationGetDescr(trigger->tg_relation), &node);
	values[0] = Int32GetDatum(node.id);
	session_execute_kept(&delete_rules, values, NULL);
	session_execute_kept(&delete_exclusions, values, NULL);
	session_execute_kept(&delete_members, values, NULL);
	session_execute_kept(&delete_checks, values, NULL);
	session_execute_kept(&delete_distributions, values, NULL);
	SPI_finish();
	session_restore_role(&role);
	return PointerGetDatum(NULL);
}

/*
 * raise_unknown raises the error about a path that is not in a model; NULL
 * means the active one.
 */
static void
raise_unknown(const char *path, const char *model)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 model == NULL ?
			 errmsg("there is no territory \"%s\" in the active model", path) :
			 errmsg("there is no territory \"%s\" in model \"%s\"", path, model),
			 errhint("SELECT path FROM territory.node lists them.")));
}

/*
 * node_look_up returns the id of a node of the active model, or 0. Needs an SPI
 * connection.
 */
int32
node_look_up(const Territory *path)
{
	return find_path(model_active(), path);
}

/*
 * node_find is likewise, and raises where there is none.
 */
int32
node_find(const Territory *path)
{
	int32		id = node_look_up(path);

	if (id == 0)
		raise_unknown(territory_to_cstring(path), NULL);
	return id;
}

/*
 * node_hold raises unless there is a node with this id, and keeps it from being
 * deleted meanwhile. Needs an SPI connection.
 */
void
node_hold(int32 id)
{
	static KeptStatement hold = {
		"SELECT FROM territory.node WHERE id OPERATOR(pg_catalog.=) $1 FOR KEY SHARE",
		SPI_OK_SELECT, 1, {INT4OID},
		.looks_up = true
	};
	Datum		values[1] = {Int32GetDatum(id)};

	session_execute_kept(&hold, values, NULL);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("node_id names no territory"),
				 errdetail("There is no node with id %d.", id),
				 errhint("territory.node_id('path') finds the id of a territory.")));
}

/*
 * territory_node_id(path, model): the node's id. The path may stand in any
 * model; by default the active one. Reads as its caller.
 */
Datum
territory_node_id(PG_FUNCTION_ARGS)
{
	static KeptStatement find = {
		"SELECT n.id FROM territory.node n JOIN territory.model m ON m.id OPERATOR(pg_catalog.=) n.model_id"
		" WHERE n.path OPERATOR(territory.=) $1::territory.territory"
		"   AND CASE WHEN $2 IS NULL THEN m.state OPERATOR(pg_catalog.=) 'active'"
		"            ELSE m.name OPERATOR(pg_catalog.=) $2 END",
		SPI_OK_SELECT, 2, {TEXTOID, TEXTOID}
	};
	Datum		values[2];
	char		nulls[2] = {' ', ' '};
	int32		id;
	bool		isnull;
	char	   *path;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	path = territory_to_cstring(PG_GETARG_TERRITORY_PP(0));
	values[0] = CStringGetTextDatum(path);
	values[1] = PG_ARGISNULL(1) ? (Datum) 0 : PG_GETARG_DATUM(1);
	nulls[1] = PG_ARGISNULL(1) ? 'n' : ' ';
	SPI_connect();
	session_read_kept(&find, values, nulls);
	if (SPI_processed == 0)
		raise_unknown(path, PG_ARGISNULL(1) ? NULL : TextDatumGetCString(PG_GETARG_DATUM(1)));
	id = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	PG_RETURN_INT32(id);
}
