/*
 * merge.c
 *		Adding and subtracting flat rollups, entry by entry.
 *
 * Both sides are in tree order, and so is what comes out: one pass over both.
 */
#include "postgres.h"

#include "common/int.h"
#include "forecast/rollup.h"
#include "miscadmin.h"
#include "storage/shmem.h"		/* mul_size, in older minor releases */
#include "utils/memutils.h"

/*
 * rollup_add_counts adds two counts and refuses to overflow.
 */
int64
rollup_add_counts(int64 a, int64 b)
{
	int64		result;

	if (pg_add_s64_overflow(a, b, &result))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("count of a territory.rollup is out of range")));
	return result;
}

/*
 * subtract_counts subtracts b from a and refuses to overflow.
 */
static int64
subtract_counts(int64 a, int64 b)
{
	int64		result;

	if (pg_sub_s64_overflow(a, b, &result))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("count of a territory.rollup is out of range")));
	return result;
}

/*
 * add_items returns what two items of one path give together.
 */
static RollupItem
add_items(const RollupItem *a, const RollupItem *b)
{
	RollupItem	result = *a;

	result.count = rollup_add_counts(a->count, b->count);
	result.sum = numeric_add_opt_error(a->sum, b->sum, NULL);
	return result;
}

/*
 * subtract_items returns what is left of a, an item of the same path as b.
 */
static RollupItem
subtract_items(const RollupItem *a, const RollupItem *b)
{
	RollupItem	result = *a;

	result.count = subtract_counts(a->count, b->count);
	result.sum = numeric_sub_opt_error(a->sum, b->sum, NULL);
	return result;
}

/*
 * negate_item returns the opposite of an item.
 */
static RollupItem
negate_item(const RollupItem *item)
{
	RollupItem	nothing = *item;

	nothing.count = 0;
	nothing.sum = int64_to_numeric(0);
	return subtract_items(&nothing, item);
}

/*
 * rollup_merge returns a + b, or a - b, in the current context. Items that
 * become empty vanish.
 */
Rollup *
rollup_merge(const Rollup *a, const Rollup *b, bool subtract)
{
	RollupCursor a_cursor = rollup_first(a);
	RollupCursor b_cursor = rollup_first(b);
	RollupItem	a_item;
	RollupItem	b_item;
	bool		a_more = rollup_next(&a_cursor, &a_item);
	bool		b_more = rollup_next(&b_cursor, &b_item);
	RollupItem *items = MemoryContextAllocHuge(CurrentMemoryContext,
											   mul_size(add_size(a->nentries, b->nentries) + 1,
														sizeof(RollupItem)));
	uint32		nitems = 0;
	Rollup	   *result;

	while (a_more || b_more)
	{
		int			order = !b_more ? -1 : !a_more ? 1 :
			rollup_path_compare(a_item.path, a_item.path_size, b_item.path, b_item.path_size);

		CHECK_FOR_INTERRUPTS();
		if (order < 0)
			items[nitems] = a_item;
		else if (order > 0)
			items[nitems] = subtract ? negate_item(&b_item) : b_item;
		else
			items[nitems] = subtract ? subtract_items(&a_item, &b_item) : add_items(&a_item, &b_item);
		if (!rollup_item_is_empty(&items[nitems]))
			nitems++;

		if (order <= 0)
			a_more = rollup_next(&a_cursor, &a_item);
		if (order >= 0)
			b_more = rollup_next(&b_cursor, &b_item);
	}

	result = rollup_from_items(items, nitems);
	pfree(items);
	return result;
}
