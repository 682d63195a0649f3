/*
 * stored.h
 *		Reads a whole assignment table, past planner and executor.
 */
#ifndef TERRITORY_STORED_H
#define TERRITORY_STORED_H

#include "postgres.h"

#include "access/tableam.h"
#include "utils/rel.h"

#include "rule/object.h"

typedef struct StoredScan
{
	Relation	rel;
	TableScanDesc scan;
	TupleTableSlot *slot;
	AttrNumber	key;			/* numbers of columns */
	AttrNumber	node_id;
	AttrNumber	rule_id;
	AttrNumber	manual;
	AttrNumber	last;			/* the greatest of them */
} StoredScan;

/* A pair. rule_id 0: none. The key is valid until the next one is read. */
typedef struct StoredRow
{
	Datum		key;
	int32		node_id;
	int32		rule_id;
	bool		manual;
} StoredRow;

/* The snapshot must be registered until stored_close, which is only needed when all goes well. */
extern void stored_open(StoredScan *stored, const ObjectInfo *object, Snapshot snapshot);

/* likewise, but reads a share of the pairs: those that no other process gets of the scan */
extern void stored_open_shared(StoredScan *stored, const ObjectInfo *object, ParallelTableScanDesc shared);

extern bool stored_next(StoredScan *stored, StoredRow *row);
extern void stored_close(StoredScan *stored);

/* Does the snapshot see no pair at all? */
extern bool stored_empty(const ObjectInfo *object, Snapshot snapshot);

#endif							/* TERRITORY_STORED_H */
