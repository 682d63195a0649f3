/*
 * kin.c
 *		Which attached tables take territories from which, and their locks.
 *
 * Contacts and deals hang on the table of their parents, so attached tables form
 * a forest. Each backend keeps it until territory.object announces a change
 * (base/inval.c). Locks are taken by what is kept, and then it is looked whether
 * that is still true: under the lock of an object its relatives are certain, since
 * attaching and detaching take the locks of all above.
 *
 * The order of locks is that of the forest's nodes here: the deepest first, else by
 * ascending OID (base/lock.c).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/memutils.h"

#include "base/catalog.h"
#include "base/inval.h"
#include "base/lock.h"
#include "base/session.h"
#include "parent/kin.h"
#include "rule/object.h"

typedef struct KinNode
{
	Oid			object;
	Oid			parent;			/* InvalidOid: none */
	int			depth;			/* number of those above */
	List	   *children;
} KinNode;

typedef struct Forest
{
	MemoryContext context;
	int			count;
	KinNode    *nodes;
} Forest;

static Forest forest = {NULL};
static bool valid = false;
static Oid	object_table = InvalidOid;
static uint32 generation = 1;	/* counts invalidations */

/*
 * mark_stale is the invalidation listener.
 */
static void
mark_stale(Oid relid)
{
	if (relid == object_table || !OidIsValid(relid))
	{
		valid = false;
		generation++;
	}
}

/*
 * end_transaction lets all be looked up again after an abort.
 */
static void
end_transaction(bool commit, SubTransactionId id)
{
	if (!commit)
		mark_stale(InvalidOid);
}

/*
 * find_node returns the node of an object, or NULL.
 */
static KinNode *
find_node(Oid object)
{
	for (int i = 0; i < forest.count; i++)
	{
		if (forest.nodes[i].object == object)
			return &forest.nodes[i];
	}
	return NULL;
}

static int
compare_nodes(const void *a, const void *b)
{
	const KinNode *x = a;
	const KinNode *y = b;

	if (x->depth != y->depth)
		return y->depth - x->depth;
	return (x->object > y->object) - (x->object < y->object);
}

/*
 * link_nodes derives depths, order and children.
 */
static void
link_nodes(void)
{
	MemoryContext old = MemoryContextSwitchTo(forest.context);

	for (int i = 0; i < forest.count; i++)
	{
		KinNode    *node = &forest.nodes[i];

		/* attach closes no cycle; the limit is for rows that were forced in */
		for (KinNode *up = find_node(node->parent); up != NULL && node->depth < forest.count; up = find_node(up->parent))
			node->depth++;
	}
	qsort(forest.nodes, forest.count, sizeof(KinNode), compare_nodes);
	for (int i = 0; i < forest.count; i++)
	{
		KinNode    *parent = find_node(forest.nodes[i].parent);

		if (parent != NULL)
			parent->children = lappend_oid(parent->children, forest.nodes[i].object);
	}
	MemoryContextSwitchTo(old);
}

/*
 * read_forest reads the rows of territory.object whose tables are there.
 */
static void
read_forest(void)
{
	static KeptStatement find = {
		"SELECT o.object::pg_catalog.oid, o.parent::pg_catalog.oid FROM territory.object o"
		"  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) o.object::pg_catalog.oid"
		" ORDER BY 1",
		SPI_OK_SELECT, 0
	};
	SessionRole role;

	SPI_connect();
	session_become(&role, catalog_owner());
	session_execute_kept(&find, NULL, NULL);
	session_restore_role(&role);
	forest.count = (int) SPI_processed;
	forest.nodes = MemoryContextAllocZero(forest.context, Max(forest.count, 1) * sizeof(KinNode));
	for (int i = 0; i < forest.count; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		bool		isnull;
		Datum		parent = SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &isnull);

		forest.nodes[i].parent = isnull ? InvalidOid : DatumGetObjectId(parent);
		forest.nodes[i].object = DatumGetObjectId(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull));
	}
	SPI_finish();
	link_nodes();
}

/*
 * load_forest sees to it that the forest is known.
 */
static void
load_forest(void)
{
	Oid			table = catalog_table("object");
	uint32		asked;

	if (forest.context == NULL)
	{
		forest.context = AllocSetContextCreate(CacheMemoryContext, "territory kin", ALLOCSET_SMALL_SIZES);
		inval_listen(mark_stale, end_transaction);
	}
	if (table != object_table)
	{
		/* first use, or the extension was made anew */
		object_table = table;
		valid = false;
	}
	if (valid)
		return;
	forest.count = 0;
	MemoryContextReset(forest.context);
	asked = generation;
	read_forest();
	valid = asked == generation;
}

/*
 * kin_children returns the tables right below an object.
 */
const List *
kin_children(Oid object)
{
	KinNode    *node;

	load_forest();
	node = find_node(object);
	return node ? node->children : NIL;
}

/*
 * kin_line lists an object and all above it.
 */
List *
kin_line(Oid object)
{
	List	   *line = list_make1_oid(object);
	KinNode    *node;

	load_forest();
	node = find_node(object);
	while (node != NULL && OidIsValid(node->parent) && list_length(line) <= forest.count)
	{
		line = lappend_oid(line, node->parent);
		node = find_node(node->parent);
	}
	return line;
}

/*
 * is_above tells whether one object stands above another, at any distance.
 */
static bool
is_above(Oid object, const KinNode *node)
{
	for (int i = 0; i < forest.count && node != NULL; i++)
	{
		if (node->parent == object)
			return true;
		node = find_node(node->parent);
	}
	return false;
}

/*
 * is_related tells whether the second object is to be locked along with the
 * first: it stands below, or (both) above it.
 */
static bool
is_related(Oid object, const KinNode *other, bool both)
{
	KinNode    *node = find_node(object);

	return is_above(object, other) || (both && node != NULL && is_above(other->object, node));
}

/*
 * kin_is_quiet tells whether this transaction keeps the writers of an object, or of
 * one above it, out: then nobody writes what belongs to its records.
 */
bool
kin_is_quiet(Oid object)
{
	KinNode    *node;

	load_forest();
	node = find_node(object);
	for (int i = 0; i < forest.count && node != NULL; i++)
	{
		if (lock_object_is_mine(node->object))
			return true;
		node = find_node(node->parent);
	}
	return false;
}

/* What is to be locked, in order, with the objects that are meant themselves. */
typedef struct LockPlan
{
	List	   *objects;
	List	   *chosen;
} LockPlan;

/*
 * plan_locks lists objects and their relatives, in the order of locks. Those that
 * are not attached (yet) come first.
 */
static LockPlan
plan_locks(const List *chosen, bool both)
{
	LockPlan	plan = {NIL, NIL};
	ListCell   *cell;

	load_forest();
	foreach(cell, chosen)
	{
		if (find_node(lfirst_oid(cell)) == NULL)
			plan.objects = lappend_oid(plan.objects, lfirst_oid(cell));
	}
	for (int i = 0; i < forest.count; i++)
	{
		bool		wanted = list_member_oid(chosen, forest.nodes[i].object);

		foreach(cell, chosen)
			wanted |= is_related(lfirst_oid(cell), &forest.nodes[i], both);
		if (wanted)
			plan.objects = lappend_oid(plan.objects, forest.nodes[i].object);
	}
	plan.chosen = list_copy(chosen);
	return plan;
}

/*
 * lock_planned takes the locks of a plan; change: those of the chosen ones for
 * change.
 */
static void
lock_planned(const LockPlan *plan, bool change)
{
	ListCell   *cell;

	foreach(cell, plan->objects)
	{
		Oid			object = lfirst_oid(cell);

		if (!list_member_oid(plan->chosen, object))
			lock_object_of_relative(object);
		else if (change)
			lock_object_for_change(object);
		else
			lock_object_for_write(object);
	}
}

/*
 * lock_kin locks objects with their relatives, again where these were others when
 * the locks were there.
 */
static void
lock_kin(const List *chosen, bool change)
{
	LockPlan	plan = plan_locks(chosen, !change);

	for (;;)
	{
		LockPlan	now;

		lock_planned(&plan, change);
		if (valid)
			return;
		now = plan_locks(chosen, !change);
		if (equal(now.objects, plan.objects))
			return;
		plan = now;
	}
}

/*
 * kin_lock_for_write is for whoever writes records. Objects without relatives,
 * most of them, take one lock.
 */
void
kin_lock_for_write(Oid object)
{
	KinNode    *node;

	load_forest();
	node = find_node(object);
	if (node != NULL && node->children == NIL && !OidIsValid(node->parent))
	{
		lock_object_for_write(object);
		if (valid)
			return;
	}
	lock_kin(list_make1_oid(object), false);
}

/*
 * kin_lock_for_change is for whoever changes what an object's records are
 * evaluated by.
 */
void
kin_lock_for_change(Oid object)
{
	kin_lock_list_for_change(list_make1_oid(object));
}

/*
 * kin_lock_list_for_change is likewise for several objects.
 */
void
kin_lock_list_for_change(const List *objects)
{
	lock_kin(objects, true);
}

/*
 * kin_lock_all_for_change locks every attached table's object and returns them.
 */
List *
kin_lock_all_for_change(void)
{
	List	   *objects = object_list();

	kin_lock_list_for_change(objects);
	return objects;
}
