/*
 * each.c
 *		territory.each: the totals of a rollup, node by node.
 *
 * The entries come in tree order, so one pass over them lists every node that
 * occurs and every ancestor of one, each node after its parent; one pass back
 * over that list adds every node's total to its parent's.
 */
#include "postgres.h"

#include "fmgr.h"
#include "forecast/decimal.h"
#include "forecast/rollup.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/shmem.h"		/* mul_size, in older minor releases */
#include "type/territory.h"
#include "utils/memutils.h"

#define NO_PARENT	(-1)
#define INITIAL_NODES	64

typedef struct RollupNode
{
	RollupItem	own;			/* the path points into the rollup; sum may be NULL */
	int64		parent;			/* its place in the list, or NO_PARENT */
	int64		total_count;
	DecimalSum	total_sum;
} RollupNode;

typedef struct RollupNodeList
{
	RollupNode *nodes;
	int64		nnodes;
	int64		capacity;
} RollupNodeList;

PG_FUNCTION_INFO_V1(rollup_each);

/*
 * append_node adds a node without rows of its own, and returns its place.
 */
static int64
append_node(RollupNodeList *list, const char *path, Size path_size, int64 parent)
{
	RollupNode *node;

	if (list->nnodes == list->capacity)
	{
		list->capacity *= 2;
		list->nodes = repalloc_huge(list->nodes, mul_size(list->capacity, sizeof(RollupNode)));
	}

	node = &list->nodes[list->nnodes];
	memset(node, 0, sizeof(*node));
	node->own.path = path;
	node->own.path_size = path_size;
	node->parent = parent;
	return list->nnodes++;
}

/*
 * append_branch adds a path and those of its ancestors that lie below the node
 * at parent (all of them, if there is none), and returns the path's place.
 */
static int64
append_branch(RollupNodeList *list, const RollupItem *item, int64 parent)
{
	const char *end = item->path + item->path_size;
	const char *label;

	if (parent == NO_PARENT)
		parent = append_node(list, item->path, 0, NO_PARENT);

	label = item->path + list->nodes[parent].own.path_size;
	while (label < end)
	{
		const char *label_end;

		CHECK_FOR_INTERRUPTS();
		if (*label == '\0')
			label++;
		label_end = memchr(label, '\0', end - label);
		if (label_end == NULL)
			label_end = end;
		parent = append_node(list, item->path, label_end - item->path, parent);
		label = label_end;
	}
	return parent;
}

/*
 * list_nodes lists the nodes of a rollup, parents first; own values are also
 * the first part of the totals.
 */
static RollupNodeList
list_nodes(const Rollup *rollup)
{
	RollupNodeList list = {palloc(INITIAL_NODES * sizeof(RollupNode)), 0, INITIAL_NODES};
	RollupCursor cursor = rollup_first(rollup);
	RollupItem	item;
	int64		place = NO_PARENT;

	while (rollup_next(&cursor, &item))
	{
		RollupNode *node;

		CHECK_FOR_INTERRUPTS();
		/* climb from the previous node to the nearest ancestor of this one */
		while (place != NO_PARENT &&
			   !rollup_path_contains(list.nodes[place].own.path, list.nodes[place].own.path_size,
									 item.path, item.path_size))
			place = list.nodes[place].parent;
		place = append_branch(&list, &item, place);

		node = &list.nodes[place];
		node->own = item;
		node->total_count = item.count;
		decimal_sum_add(&node->total_sum, NumericGetDatum(item.sum), CurrentMemoryContext);
	}
	return list;
}

/*
 * add_to_parents completes the totals: children stand after their parents, so
 * going backwards each total is complete before it is passed on.
 */
static void
add_to_parents(RollupNodeList *list)
{
	for (int64 i = list->nnodes - 1; i > 0; i--)
	{
		RollupNode *node = &list->nodes[i];
		RollupNode *parent = &list->nodes[node->parent];
		Numeric		total = decimal_sum_settle(&node->total_sum, CurrentMemoryContext);

		CHECK_FOR_INTERRUPTS();
		parent->total_count = rollup_add_counts(parent->total_count, node->total_count);
		decimal_sum_add(&parent->total_sum, NumericGetDatum(total), CurrentMemoryContext);
	}
}

/*
 * put_node writes the row of a node.
 */
static void
put_node(ReturnSetInfo *result, RollupNode *node, Numeric zero)
{
	Datum		values[5];
	bool		nulls[5] = {false};
	Territory  *path = territory_from_payload(node->own.path, node->own.path_size);

	values[0] = TerritoryGetDatum(path);
	values[1] = Int64GetDatum(node->own.count);
	values[2] = NumericGetDatum(node->own.sum != NULL ? node->own.sum : zero);
	values[3] = Int64GetDatum(node->total_count);
	values[4] = NumericGetDatum(decimal_sum_settle(&node->total_sum, CurrentMemoryContext));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	pfree(path);
}

/*
 * rollup_each returns one row for every node that occurs in a rollup and for every
 * ancestor of one, in tree order; none for an empty rollup.
 */
Datum
rollup_each(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RollupNodeList list = list_nodes(PG_GETARG_ROLLUP_P(0));
	Numeric		zero = int64_to_numeric(0);

	InitMaterializedSRF(fcinfo, 0);
	add_to_parents(&list);
	for (int64 i = 0; i < list.nnodes; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_node(result, &list.nodes[i], zero);
	}
	return (Datum) 0;
}
