/*
 * pair_source.h
 *		Assignment tables, read for whoever is asking, whatever rights he has there.
 */
#ifndef TERRITORY_PAIR_SOURCE_H
#define TERRITORY_PAIR_SOURCE_H

#include "postgres.h"

#include "access/genam.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

#include "rule/object.h"

/* An assignment table, opened. */
typedef struct PairSource
{
	const ObjectInfo *object;
	Relation	table;
	Relation	index;			/* of the primary key: (key, node_id) */
} PairSource;

/* One pair while it is read; the key is valid until the next one is. */
typedef struct SourcePair
{
	Datum		key;
	int32		node_id;
} SourcePair;

/* A range of the primary key's index. */
typedef struct PairScan
{
	const PairSource *source;
	IndexScanDesc scan;
	ScanKeyData bound;
	TupleTableSlot *slot;
	Buffer		visibility;
} PairScan;

/* the attached table whose pairs an assignment table holds; raises if it is none. Valid until a lock is taken */
extern const ObjectInfo *pair_source_object(Oid assignment);

extern void pair_source_open(PairSource *source, Oid assignment);
extern void pair_source_close(PairSource *source);

/* reads the pairs of a key, or (strategy BTGreaterEqualStrategyNumber) from it on, in the order of keys */
extern void pair_scan_begin(PairScan *scan, const PairSource *source, Snapshot snapshot, int strategy, Datum key);
extern bool pair_scan_next(PairScan *scan, SourcePair *pair);
extern void pair_scan_end(PairScan *scan);

/* keys of the pairs with some nodes, in no order, perhaps repeatedly; palloc'd. Returns their number */
extern int	pair_source_keys(const PairSource *source, Snapshot snapshot, const int32 *nodes, int node_count, Datum **keys);

#endif							/* TERRITORY_PAIR_SOURCE_H */
