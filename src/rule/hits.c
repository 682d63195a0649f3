/*
 * hits.c
 *		Puts the rules that a row makes true in the order of their nodes.
 *
 * Many are sorted by buckets first, since the nodes of one row's rules are spread
 * over the tree: what is left to sort within a bucket is little.
 */
#include "postgres.h"

#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#include "rule/hits.h"

/* sort_keys: ascending, inline, for it is called for every row */
#define ST_SORT sort_keys
#define ST_ELEMENT_TYPE uint64
#define ST_COMPARE(a, b) ((*(a) > *(b)) - (*(a) < *(b)))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

#define FIRST_ROOM 16
#define BUCKET_BITS 7
#define BUCKETS (1 << BUCKET_BITS)

/* fewer than this are not worth buckets */
#define MANY_HITS 24

/*
 * hits_init makes an empty list.
 */
void
hits_init(Hits *hits)
{
	hits->count = 0;
	hits->room = FIRST_ROOM;
	hits->keys = palloc(FIRST_ROOM * sizeof(uint64));
	hits->spare = palloc(FIRST_ROOM * sizeof(uint64));
}

/*
 * hits_grow doubles the room.
 */
void
hits_grow(Hits *hits)
{
	hits->keys = repalloc_huge(hits->keys, 2 * (Size) hits->room * sizeof(uint64));
	hits->spare = repalloc_huge(hits->spare, 2 * (Size) hits->room * sizeof(uint64));
	hits->room *= 2;
}

/*
 * sort_by_buckets sorts keys whose nodes are below a count.
 */
static void
sort_by_buckets(Hits *hits, int node_count)
{
	int			shift = 32 + Max(pg_leftmost_one_pos32(node_count) + 1 - BUCKET_BITS, 0);
	int			end[BUCKETS + 1] = {0};
	uint64	   *sorted = hits->spare;

	for (int i = 0; i < hits->count; i++)
		end[(hits->keys[i] >> shift) + 1]++;
	for (int i = 0; i < BUCKETS; i++)
		end[i + 1] += end[i];
	/* what is the begin of a bucket moves on to be its end */
	for (int i = 0; i < hits->count; i++)
		sorted[end[hits->keys[i] >> shift]++] = hits->keys[i];
	for (int i = 0, begin = 0; i < BUCKETS; begin = end[i++])
	{
		if (end[i] - begin > 1)
			sort_keys(sorted + begin, end[i] - begin);
	}
	hits->spare = hits->keys;
	hits->keys = sorted;
}

/*
 * hits_settle sorts the rules and leaves the first of each node.
 */
void
hits_settle(Hits *hits, int node_count)
{
	uint64	   *keys;
	int			left = 0;

	if (hits->count >= MANY_HITS)
		sort_by_buckets(hits, node_count);
	else if (hits->count > 1)
		sort_keys(hits->keys, hits->count);
	keys = hits->keys;
	for (int i = 0; i < hits->count; i++)
	{
		if (left == 0 || hit_node(keys[i]) != hit_node(keys[left - 1]))
			keys[left++] = keys[i];
	}
	hits->count = left;
}
