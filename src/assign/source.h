/*
 * source.h
 *		Reads all records of an attached table, past planner and executor.
 */
#ifndef TERRITORY_SOURCE_H
#define TERRITORY_SOURCE_H

#include "postgres.h"

#include "access/tableam.h"
#include "utils/rel.h"

#include "assign/shared.h"
#include "rule/ruleset.h"

typedef struct Source
{
	const Ruleset *rules;
	Snapshot	snapshot;
	List	   *relids;			/* tables that hold the records */
	SharedTables *shared;		/* the same, when several processes read them; NULL: one alone */
	int			next;			/* of the tables */

	int			table;			/* the one being read */
	Relation	rel;			/* it is open, or NULL */
	TableScanDesc scan;
	TupleTableSlot *slot;		/* its row */
	TupleTableSlot *mapped;		/* the same with the object's columns; NULL: they stand alike */
	AttrNumber	key_attno;
	AttrNumber	max_attno;		/* greatest number of a column that is needed */
	AttrNumber *columns;		/* its number of each of the object's columns, 0: not needed */
} Source;

/* the tables that hold an object's records, locked */
extern List *source_tables(Oid object);

/* estimated number of rows in these tables, and of their pages */
extern double source_estimate(List *relids, double *pages);

/* The snapshot must be registered until source_close. */
extern void source_open(Source *source, const Ruleset *rules, List *relids, Snapshot snapshot);

/* likewise, but reads a share of the records, beside other processes that do */
extern void source_open_shared(Source *source, const Ruleset *rules, List *relids, SharedTables *shared);

/* only needed when all goes well */
extern void source_close(Source *source);

/* goes to the next record; false: there is none */
extern bool source_next(Source *source);

/* its key, and the row with the object's columns (only those that rules read, and the key) */
extern Datum source_key(Source *source, bool *isnull);
extern TupleTableSlot *source_row(Source *source);

#endif							/* TERRITORY_SOURCE_H */
