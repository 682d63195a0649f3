/*
 * run.h
 *		Evaluates what stands in an attached table.
 */
#ifndef TERRITORY_RUN_H
#define TERRITORY_RUN_H

#include "postgres.h"

#include "datatype/timestamp.h"

#include "assign/batch.h"
#include "rule/object.h"

/*
 * Re-evaluates the records that a condition over the table's columns selects.
 * NULL selects all, and removes the pairs of records that are not there. The
 * object's lock must be held for change, and SPI be connected.
 */
extern BatchCounts run_where(Oid object, const char *condition);

/* likewise, but evaluates all records where that costs less than to find those of the condition */
extern BatchCounts run_at_least(Oid object, const char *condition);

/* re-evaluates the records with these keys, given as text (char *) */
extern void run_keys(const ObjectInfo *object, List *keys);

/*
 * Re-evaluates the records of a condition on $1, an array of keys of the records
 * above them, which are held; with_family: those below them are among them. What
 * they violate is checked with those above (check_statement).
 */
extern void run_followers(Oid object, const char *condition, Oid type, Datum keys, bool with_family);

/* adds a row to territory.run_log; SPI must be connected */
extern void run_record(Oid object, const char *scope, TimestampTz started,
					   const BatchCounts *counts);

/* raises 42501 unless the caller owns the table or may write rules */
extern void run_require_manager(Oid object);

#endif							/* TERRITORY_RUN_H */
