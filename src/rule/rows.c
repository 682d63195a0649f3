/*
 * rows.c
 *		Reads rules and nodes by plain scans, and finds what has changed since.
 *
 * A row's version is known by its place in the file and by the transaction that
 * wrote it: a place is used again only after what stood there has gone for good,
 * and then by a later transaction. Scans go through a file in the order of
 * places, and so does what was kept of an earlier one, so both are compared as
 * sorted lists are merged.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/catalog.h"
#include "rule/growth.h"
#include "rule/rows.h"
#include "rule/rule.h"
#include "tree/node.h"

/* The place of a node in the list, by its id. */
typedef struct NodePlace
{
	int32		id;
	int			place;
	char		status;
} NodePlace;

#define SH_PREFIX		node_places
#define SH_ELEMENT_TYPE	NodePlace
#define SH_KEY_TYPE		int32
#define SH_KEY			id
#define SH_HASH_KEY(tb, key) murmurhash32(key)
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE		static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* A scan of one of our tables. */
typedef struct RowScan
{
	Relation	rel;
	TableScanDesc scan;
	TupleTableSlot *slot;
} RowScan;

/*
 * scan_begin, scan_next and scan_end bracket a scan, in the order of places. The
 * lock stays until the transaction ends.
 */
static void
scan_begin(RowScan *scan, const char *table, Snapshot snapshot)
{
	scan->rel = table_open(catalog_table(table), AccessShareLock);
	scan->scan = table_beginscan_strat(scan->rel, snapshot, 0, NULL, true, false);
	scan->slot = table_slot_create(scan->rel, NULL);
}

static bool
scan_next(RowScan *scan)
{
	CHECK_FOR_INTERRUPTS();
	return table_scan_getnextslot(scan->scan, ForwardScanDirection, scan->slot);
}

static void
scan_end(RowScan *scan)
{
	ExecDropSingleTupleTableSlot(scan->slot);
	table_endscan(scan->scan);
	table_close(scan->rel, NoLock);
}

static Oid
file_of(const RowScan *scan)
{
	return scan->rel->rd_rel->relfilenode;
}

/*
 * version_of tells which version of a row the scan has come to.
 */
static RowVersion
version_of(const RowScan *scan)
{
	bool		isnull;

	return (RowVersion) {
		scan->slot->tts_tid,
		DatumGetTransactionId(slot_getsysattr(scan->slot, MinTransactionIdAttributeNumber, &isnull))
	};
}

static bool
is_same(const RowVersion *a, const RowVersion *b)
{
	return a->writer == b->writer && ItemPointerEquals((ItemPointer) &a->place, (ItemPointer) &b->place);
}

/*
 * column returns a column that is NOT NULL.
 */
static Datum
column(const RowScan *scan, int attno)
{
	bool		isnull;

	return slot_getattr(scan->slot, attno, &isnull);
}

/*
 * take_node adds the row that the scan has come to.
 */
static void
take_node(StoredNodes *nodes, const RowScan *scan)
{
	StoredNode *node;
	bool		known;

	nodes->nodes = growth_room(nodes->context, nodes->nodes, nodes->count, 1, sizeof(StoredNode));
	node = &nodes->nodes[nodes->count];
	*node = (StoredNode) {
		.version = version_of(scan),
		.id = DatumGetInt32(column(scan, Anum_node_id)),
		.priority = DatumGetInt32(column(scan, Anum_node_priority)),
		.cascade = DatumGetBool(column(scan, Anum_node_cascade)),
		.index = -1,
		.path = (Territory *) PG_DETOAST_DATUM_COPY(column(scan, Anum_node_path))
	};
	node_places_insert(nodes->places, node->id, &known)->place = nodes->count++;
}

/*
 * nodes_read reads the nodes of a model.
 */
StoredNodes *
nodes_read(int32 model, Snapshot snapshot)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "territory nodes",
												  ALLOCSET_DEFAULT_SIZES);
	StoredNodes *nodes = MemoryContextAllocZero(context, sizeof(StoredNodes));
	RowScan		scan;
	MemoryContext old;

	scan_begin(&scan, "node", snapshot);
	nodes->context = context;
	nodes->file = file_of(&scan);
	nodes->model = model;
	nodes->places = node_places_create(context, 64, NULL);
	old = MemoryContextSwitchTo(context);
	while (scan_next(&scan))
	{
		if (DatumGetInt32(column(&scan, Anum_node_model_id)) == model)
			take_node(nodes, &scan);
	}
	MemoryContextSwitchTo(old);
	scan_end(&scan);
	return nodes;
}

/*
 * nodes_are_current tells whether the nodes of a model are those that are known.
 */
bool
nodes_are_current(const StoredNodes *known, int32 model, Snapshot snapshot)
{
	RowScan		scan;
	bool		current;
	int			next = 0;

	scan_begin(&scan, "node", snapshot);
	current = known->model == model && known->file == file_of(&scan);
	while (current && scan_next(&scan))
	{
		RowVersion	version = version_of(&scan);

		if (next < known->count && is_same(&known->nodes[next].version, &version))
			next++;
		else
			current = DatumGetInt32(column(&scan, Anum_node_model_id)) != model;
	}
	scan_end(&scan);
	return current && next == known->count;
}

/*
 * node_of finds a node by its id.
 */
StoredNode *
node_of(const StoredNodes *nodes, int32 id)
{
	NodePlace  *found = node_places_lookup(nodes->places, id);

	return found ? &nodes->nodes[found->place] : NULL;
}

/*
 * take_text adds the row that the scan has come to to the rules that are new.
 */
static void
take_text(RulesFound *found, const RowScan *scan, int32 node_id, int row)
{
	bool		nameless;
	Datum		name = slot_getattr(scan->slot, Anum_rule_name, &nameless);

	found->texts = growth_room(CurrentMemoryContext, found->texts, found->count, 1, sizeof(RuleText));
	found->texts[found->count++] = (RuleText) {
		.id = DatumGetInt32(column(scan, Anum_rule_id)),
		.node_id = node_id,
		.row = row,
		.name = nameless ? NULL : TextDatumGetCString(name),
		.expression = TextDatumGetCString(column(scan, Anum_rule_expression))
	};
}

/*
 * node_of_row returns the id of the node of the rule that the scan has come to, or 0
 * where it is none of the object's active rules.
 */
static int32
node_of_row(const RowScan *scan, Oid object)
{
	if (DatumGetObjectId(column(scan, Anum_rule_object)) != object ||
		!DatumGetBool(column(scan, Anum_rule_active)))
		return 0;
	return DatumGetInt32(column(scan, Anum_rule_node_id));
}

/*
 * rules_read reads the rules of an object.
 */
void
rules_read(Oid object, const StoredNodes *nodes, Snapshot snapshot,
		   StoredRules *stored, RulesFound *found)
{
	RowScan		scan;

	scan_begin(&scan, "rule", snapshot);
	stored->file = file_of(&scan);
	while (scan_next(&scan))
	{
		int32		node_id = node_of_row(&scan, object);

		stored->rules = growth_room(stored->context, stored->rules, stored->count, 1, sizeof(StoredRule));
		if (node_id != 0 && node_of(nodes, node_id) != NULL)
			take_text(found, &scan, node_id, stored->count);
		stored->rules[stored->count++] = (StoredRule) {version_of(&scan), node_id, -1};
	}
	scan_end(&scan);
}

/*
 * find_known returns the number of the known row of this version, or -1, and
 * moves on past the places before.
 */
static int
find_known(const StoredRules *known, const RowVersion *version, int *next)
{
	while (*next < known->count &&
		   ItemPointerCompare(&known->rules[*next].version.place, (ItemPointer) &version->place) < 0)
		(*next)++;
	return *next < known->count && is_same(&known->rules[*next].version, version) ? *next : -1;
}

/*
 * rules_read_again finds the rules that are not in the index: new ones, and those
 * whose node was not in the model when it was built.
 */
bool
rules_read_again(Oid object, const StoredNodes *nodes, Snapshot snapshot,
				 const StoredRules *known, RulesFound *found)
{
	RowScan		scan;
	bool		comparable;
	int			next = 0;

	scan_begin(&scan, "rule", snapshot);
	found->alive = palloc0(Max(known->count, 1) * sizeof(bool));
	comparable = known->file == file_of(&scan);
	while (comparable && scan_next(&scan))
	{
		RowVersion	version = version_of(&scan);
		int			row = find_known(known, &version, &next);
		int32		node_id = row >= 0 ? known->rules[row].node_id : node_of_row(&scan, object);

		if (row >= 0 && known->rules[row].number >= 0)
			found->alive[row] = true;
		else if (node_id != 0 && node_of(nodes, node_id) != NULL)
			take_text(found, &scan, node_id, -1);
	}
	scan_end(&scan);
	return comparable;
}
