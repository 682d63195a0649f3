/*
 * compare.h
 *		Compares what the rules give all records with what is stored.
 */
#ifndef TERRITORY_COMPARE_H
#define TERRITORY_COMPARE_H

#include "postgres.h"

#include "access/tableam.h"
#include "nodes/pg_list.h"
#include "port/atomics.h"

#include "assign/fingerprint.h"
#include "assign/progress.h"
#include "assign/shared.h"
#include "rule/ruleset.h"

/* A comparison, by one process alone or by several that each do a share. */
typedef struct Compare
{
	Ruleset    *rules;
	List	   *tables;			/* that hold the records */
	Snapshot	snapshot;		/* registered */
	SharedTables *shared;		/* the same tables, if several do a share; NULL: alone */
	ParallelTableScanDesc pairs;	/* scan of the pairs, likewise */
	Fingerprint *sums;
	pg_atomic_uint64 *records;	/* with a key, compared so far by all */
	uint64		own;			/* those of this process */
	uint32		uncounted;		/* of this process, not among them yet */
	Progress   *progress;		/* NULL: says nothing */
	double		estimate;		/* number of records */
} Compare;

/* adds what the rules give to the sums, and takes away what is stored */
extern void compare_share(Compare *compare);

/*
 * Adds stored pairs to the sums, or takes them away: all that a snapshot sees, or,
 * unless pairs is NULL, the process's share of that scan.
 */
extern void compare_pairs(Fingerprint *sums, const ObjectInfo *object, Snapshot snapshot,
						  ParallelTableScanDesc pairs, bool away);

#endif							/* TERRITORY_COMPARE_H */
