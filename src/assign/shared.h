/*
 * shared.h
 *		Tables that several processes read together.
 */
#ifndef TERRITORY_SHARED_H
#define TERRITORY_SHARED_H

#include "postgres.h"

#include "access/tableam.h"
#include "nodes/pg_list.h"
#include "port/atomics.h"

typedef struct SharedTable
{
	Oid			relid;
	bool		finished;		/* nothing of it is left for a process that has not begun it */
	Size		scan;			/* where the description of its scan stands */
} SharedTable;

/* In shared memory; the descriptions of the scans follow. */
typedef struct SharedTables
{
	int			count;
	pg_atomic_uint32 begun;		/* how many of them, in their order, some process has begun */
	SharedTable tables[FLEXIBLE_ARRAY_MEMBER];
} SharedTables;

/* bytes for these tables */
extern Size shared_size(const List *relids, Snapshot snapshot);

/* readies so many bytes for reading these tables by a snapshot */
extern void shared_init(SharedTables *shared, const List *relids, Snapshot snapshot);

/* the tables */
extern List *shared_relids(const SharedTables *shared);

/* The number of a table that the calling process is to read a share of, or -1. next: 0 at first. */
extern int	shared_next(SharedTables *shared, int *next);

/*
 * shared_scan returns the description of a table's scan.
 */
static inline ParallelTableScanDesc
shared_scan(SharedTables *shared, int table)
{
	return (ParallelTableScanDesc) ((char *) shared + shared->tables[table].scan);
}

#endif							/* TERRITORY_SHARED_H */
