/*
 * hits.h
 *		The rules that a row makes true.
 */
#ifndef TERRITORY_HITS_H
#define TERRITORY_HITS_H

#include "postgres.h"

/*
 * Each is the number of the rule's node and the rule's id in one integer, which
 * sorts by node first.
 */
typedef struct Hits
{
	uint64	   *keys;
	int			count;
	int			room;
	uint64	   *spare;			/* scratch, of the same size */
} Hits;

#define HIT_SIGN UINT32_C(0x80000000)

static inline uint64
hit_key(int node, int32 rule_id)
{
	return (uint64) node << 32 | ((uint32) rule_id ^ HIT_SIGN);
}

static inline int
hit_node(uint64 key)
{
	return (int) (key >> 32);
}

static inline int32
hit_rule_id(uint64 key)
{
	return (int32) ((uint32) key ^ HIT_SIGN);
}

/* hits.c: allocates in the current context, and later in the same */
extern void hits_init(Hits *hits);

/* hits.c: makes room for more */
extern void hits_grow(Hits *hits);

static inline void
hits_add(Hits *hits, uint64 key)
{
	if (unlikely(hits->count == hits->room))
		hits_grow(hits);
	hits->keys[hits->count++] = key;
}

/*
 * hits.c: puts them in the order of nodes, of which there are so many, and leaves
 * of each node the one of the lowest id
 */
extern void hits_settle(Hits *hits, int node_count);

#endif							/* TERRITORY_HITS_H */
