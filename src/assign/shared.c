/*
 * shared.c
 *		Tables that several processes read together.
 *
 * A table can be read by several processes, which the server gives its blocks in
 * turn. Yet to open one costs a process that never saw it more than to read a
 * small one. So each process takes tables that none has begun, as long as there
 * are any, and only then helps others with theirs, as Parallel Append does.
 */
#include "postgres.h"

#include "access/table.h"
#include "storage/shmem.h"
#include "utils/rel.h"

#include "assign/shared.h"

/*
 * header_size returns the bytes before the descriptions of scans.
 */
static Size
header_size(const List *relids)
{
	return MAXALIGN(offsetof(SharedTables, tables) + list_length(relids) * sizeof(SharedTable));
}

/*
 * scan_size returns the bytes of the description of a scan.
 */
static Size
scan_size(Relation rel, Snapshot snapshot)
{
	return MAXALIGN(table_parallelscan_estimate(rel, snapshot));
}

/*
 * shared_size returns the bytes for some tables.
 */
Size
shared_size(const List *relids, Snapshot snapshot)
{
	Size		size = header_size(relids);
	ListCell   *cell;

	foreach(cell, relids)
	{
		Relation	rel = table_open(lfirst_oid(cell), AccessShareLock);

		size = add_size(size, scan_size(rel, snapshot));
		table_close(rel, NoLock);
	}
	return size;
}

/*
 * shared_init readies tables for reading.
 */
void
shared_init(SharedTables *shared, const List *relids, Snapshot snapshot)
{
	Size		at = header_size(relids);
	ListCell   *cell;

	shared->count = list_length(relids);
	pg_atomic_init_u32(&shared->begun, 0);
	foreach(cell, relids)
	{
		int			table = foreach_current_index(cell);
		Relation	rel = table_open(lfirst_oid(cell), AccessShareLock);

		shared->tables[table] = (SharedTable) {lfirst_oid(cell), false, at};
		table_parallelscan_initialize(rel, shared_scan(shared, table), snapshot);
		at += scan_size(rel, snapshot);
		table_close(rel, NoLock);
	}
}

/*
 * shared_relids lists the tables.
 */
List *
shared_relids(const SharedTables *shared)
{
	List	   *relids = NIL;

	for (int i = 0; i < shared->count; i++)
		relids = lappend_oid(relids, shared->tables[i].relid);
	return relids;
}

/*
 * shared_next chooses a table for the calling process.
 */
int
shared_next(SharedTables *shared, int *next)
{
	if (pg_atomic_read_u32(&shared->begun) < shared->count)
	{
		uint32		table = pg_atomic_fetch_add_u32(&shared->begun, 1);

		if (table < shared->count)
			return (int) table;
	}
	while (*next < shared->count)
	{
		int			table = (*next)++;

		if (!shared->tables[table].finished)
			return table;
	}
	return -1;
}
