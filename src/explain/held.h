/*
 * held.h
 *		Pairs of a record with their nodes, as people want to know of them.
 */
#ifndef TERRITORY_HELD_H
#define TERRITORY_HELD_H

#include "postgres.h"

#include "pair/pair.h"
#include "rule/object.h"
#include "type/territory.h"

/* A pair with a node of the active model. */
typedef struct Held
{
	int32		node_id;
	Territory  *path;
	int			priority;
	int32		rule_id;		/* 0: none */
	bool		manual;
	TimestampTz since;
} Held;

typedef struct HeldList
{
	int			count;
	Held	   *items;			/* in tree order */
} HeldList;

/* the pairs whose nodes belong to the active model */
extern HeldList held_list(const StoredPair *pairs, int count);

/* the pair with a node, or NULL */
extern const Held *held_find(const HeldList *list, int32 node_id);

/* who made a pair by hand, palloc'd; NULL where history does not say */
extern char *held_assigner(const ObjectInfo *object, const char *key, const Held *held);

#endif							/* TERRITORY_HELD_H */
