/*
 * pair.h
 *		A (record, node) pair: one to be written, or one that is stored.
 */
#ifndef TERRITORY_PAIR_H
#define TERRITORY_PAIR_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "datatype/timestamp.h"
#include "storage/itemptr.h"

/* A stored pair; record is the index of its key in the list asked for. */
typedef struct StoredPair
{
	int			record;
	int32		node_id;
	int32		rule_id;		/* 0: none */
	bool		manual;
	ItemPointerData row;
	TimestampTz since;
} StoredPair;

/* A pair to be written. rule_id 0: none. */
typedef struct Pair
{
	Datum		key;
	int32		node_id;
	int32		rule_id;
	bool		manual;
	int32		old_rule;		/* what is stored of it; 0, and so on, where that is not known */
	bool		old_manual;
	ItemPointerData row;		/* where it stands; invalid: not known */
	TimestampTz since;
} Pair;

/* A growing list of pairs. */
typedef struct PairList
{
	int			count;
	int			room;
	Pair	   *pairs;
} PairList;

/* What is to be written of a batch of records. */
typedef struct Difference
{
	PairList	inserted;
	PairList	deleted;
	PairList	changed;		/* rule of a stored pair, or whether it is manual */
} Difference;

/*
 * Adds a pair, which is not to be manual, and returns it; the list grows in the
 * current memory context. stored: NULL where not known
 */
extern Pair *pair_append(PairList *list, Datum key, int32 node_id, int32 rule_id, const StoredPair *stored);

/* a stored pair of a row of an SPI result: key, node, rule, manual, since; record is not set */
extern StoredPair pair_read(HeapTuple row, TupleDesc desc);

/* for qsort: stored pairs by record and node */
extern int	pair_compare_stored(const void *a, const void *b);

#endif							/* TERRITORY_PAIR_H */
