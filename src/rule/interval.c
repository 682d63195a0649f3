/*
 * interval.c
 *		Candidates that hang on ranges of ranks: a centered interval tree.
 *
 * (Edelsbrunner 1980; de Berg et al., Computational Geometry, 10.1.) A node has
 * a center and the intervals that contain it, once by their lower ends and once by
 * their upper ones; those wholly below or above are in its subtrees. A rank below
 * the center lies in those of the node's intervals that begin at or before it,
 * which come first in the one list, and in some of the subtree below. So a search
 * looks at as many intervals as contain the rank, and one more a level.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "rule/growth.h"
#include "rule/interval.h"

static int
compare_low(const void *a, const void *b)
{
	int			x = ((const RankRange *) a)->low;
	int			y = ((const RankRange *) b)->low;

	return (x > y) - (x < y);
}

static int
compare_high_down(const void *a, const void *b)
{
	int			x = ((const RankRange *) a)->high;
	int			y = ((const RankRange *) b)->high;

	return (x < y) - (x > y);
}

static int
compare_int(const void *a, const void *b)
{
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	return (x > y) - (x < y);
}

/*
 * median_end returns the median of the ends of intervals, which at least one of
 * them contains.
 */
static int
median_end(const RankRange *intervals, int count)
{
	int		   *ends = palloc_extended((Size) count * 2 * sizeof(int), MCXT_ALLOC_HUGE);
	int			median;

	for (int i = 0; i < count; i++)
	{
		ends[2 * i] = intervals[i].low;
		ends[2 * i + 1] = intervals[i].high;
	}
	qsort(ends, (Size) count * 2, sizeof(int), compare_int);
	median = ends[count];
	pfree(ends);
	return median;
}

/*
 * add_ends keeps the two lists of a node's intervals, and returns where they
 * begin.
 */
static int
add_ends(RuleIndex *index, RankRange *intervals, int count)
{
	int			first = index->end_count;

	index->lows = growth_room(index->context, index->lows, first, count, sizeof(IntervalEnd));
	index->highs = growth_room(index->context, index->highs, first, count, sizeof(IntervalEnd));
	index->end_count += count;
	qsort(intervals, count, sizeof(RankRange), compare_low);
	for (int i = 0; i < count; i++)
		index->lows[first + i] = (IntervalEnd) {intervals[i].low, intervals[i].candidate};
	qsort(intervals, count, sizeof(RankRange), compare_high_down);
	for (int i = 0; i < count; i++)
		index->highs[first + i] = (IntervalEnd) {intervals[i].high, intervals[i].candidate};
	return first;
}

/*
 * split sorts intervals into those below a center, those that contain it, and
 * those above; returns the numbers of the first two.
 */
static void
split(RankRange *intervals, int count, int center, int *below, int *across)
{
	RankRange   *sorted = palloc_extended((Size) count * sizeof(RankRange), MCXT_ALLOC_HUGE);
	int			last = count;
	int			filled = 0;

	for (int i = 0; i < count; i++)
	{
		if (intervals[i].high < center)
			sorted[filled++] = intervals[i];
		else if (intervals[i].low > center)
			sorted[--last] = intervals[i];
	}
	*below = filled;
	*across = last - filled;
	for (int i = 0; i < count; i++)
	{
		if (intervals[i].low <= center && intervals[i].high >= center)
			sorted[filled++] = intervals[i];
	}
	memcpy(intervals, sorted, (Size) count * sizeof(RankRange));
	pfree(sorted);
}

/*
 * interval_build builds a tree; an empty one is -1.
 */
int
interval_build(RuleIndex *index, RankRange *intervals, int count)
{
	int			number = index->interval_count;
	IntervalNode node;
	int			below;
	int			across;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (count == 0)
		return -1;
	index->intervals = growth_room(index->context, index->intervals, number, 1, sizeof(IntervalNode));
	index->interval_count++;
	node.center = median_end(intervals, count);
	split(intervals, count, node.center, &below, &across);
	node.first = add_ends(index, intervals + below, across);
	node.count = across;
	node.below = interval_build(index, intervals, below);
	node.above = interval_build(index, intervals + below + across, count - below - across);
	index->intervals[number] = node;
	return number;
}
