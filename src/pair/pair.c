/*
 * pair.c
 *		A (record, node) pair: one to be written, or one that is stored.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "pair/pair.h"

/*
 * pair_append adds a pair; the list grows in the current memory context.
 */
Pair *
pair_append(PairList *list, Datum key, int32 node_id, int32 rule_id, const StoredPair *stored)
{
	Pair	   *pair;

	if (list->count == list->room)
	{
		list->room = Max(16, list->room * 2);
		list->pairs = list->pairs ?
			repalloc_huge(list->pairs, list->room * sizeof(Pair)) :
			palloc(list->room * sizeof(Pair));
	}
	pair = &list->pairs[list->count++];
	pair->key = key;
	pair->node_id = node_id;
	pair->rule_id = rule_id;
	pair->manual = false;
	pair->old_rule = stored ? stored->rule_id : 0;
	pair->old_manual = stored ? stored->manual : false;
	pair->since = stored ? stored->since : 0;
	if (stored)
		pair->row = stored->row;
	else
		ItemPointerSetInvalid(&pair->row);
	return pair;
}

/*
 * pair_compare_stored orders stored pairs by record and node.
 */
int
pair_compare_stored(const void *a, const void *b)
{
	const StoredPair *x = a;
	const StoredPair *y = b;

	if (x->record != y->record)
		return x->record > y->record ? 1 : -1;
	return (x->node_id > y->node_id) - (x->node_id < y->node_id);
}

/*
 * pair_read makes a stored pair of a row (key, node, rule, manual, since); the record is
 * left open.
 */
StoredPair
pair_read(HeapTuple row, TupleDesc desc)
{
	StoredPair	pair = {0};
	bool		isnull;

	pair.node_id = DatumGetInt32(SPI_getbinval(row, desc, 2, &isnull));
	pair.rule_id = DatumGetInt32(SPI_getbinval(row, desc, 3, &isnull));
	if (isnull)
		pair.rule_id = 0;
	pair.manual = DatumGetBool(SPI_getbinval(row, desc, 4, &isnull));
	pair.since = DatumGetTimestampTz(SPI_getbinval(row, desc, 5, &isnull));
	return pair;
}
