/*
 * pairs.h
 *		The assignment table of an attached table: its (record, node) pairs.
 */
#ifndef TERRITORY_PAIRS_H
#define TERRITORY_PAIRS_H

#include "postgres.h"

#include "rule/object.h"

/* A pair to be written. rule_id 0: none. */
typedef struct Pair
{
	Datum		key;
	int32		node_id;
	int32		rule_id;
} Pair;

/* A growing list of pairs. */
typedef struct PairList
{
	int			count;
	int			room;
	Pair	   *pairs;
} PairList;

/* A stored pair; record is the index of its key in the list asked for. */
typedef struct StoredPair
{
	int			record;
	int32		node_id;
	int32		rule_id;
	bool		manual;
} StoredPair;

extern void pair_append(PairList *list, Datum key, int32 node_id, int32 rule_id);

/* All need an SPI connection and run as the table's owner. */

/* stored pairs of some records, by record and node; palloc'd */
extern int	pairs_fetch(const ObjectInfo *object, const Datum *keys, int count, StoredPair **stored);

/* are there any for keys from the least to the greatest of these? */
extern bool pairs_in_range(const ObjectInfo *object, const Datum *keys, int count);

/* add is for pairs known not to be there; insert corrects those that are */
extern void pairs_add(const ObjectInfo *object, const PairList *list);
extern void pairs_insert(const ObjectInfo *object, const PairList *list);
extern void pairs_delete(const ObjectInfo *object, const PairList *list);
extern void pairs_set_rule(const ObjectInfo *object, const PairList *list);

/* removes all pairs of deleted records; keeps those of records that moved to another partition */
extern uint64 pairs_forget(const ObjectInfo *object, const Datum *keys, int count);

/* records got other keys */
extern void pairs_rekey(const ObjectInfo *object, const Datum *from, const Datum *to, int count);

/* removes the pairs of records that are not there (any more) */
extern uint64 pairs_forget_orphans(const ObjectInfo *object);

/* May the statement that the guard of an assignment table sees go on? */
extern bool pairs_may_write(bool delete);

#endif							/* TERRITORY_PAIRS_H */
