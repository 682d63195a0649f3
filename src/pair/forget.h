/*
 * forget.h
 *		The pairs of records that are gone, or have other keys now.
 */
#ifndef TERRITORY_FORGET_H
#define TERRITORY_FORGET_H

#include "postgres.h"

#include "rule/object.h"

/* All need an SPI connection and run as the table's owner. */

/* removes all pairs of deleted records; keeps those of records that moved to another partition */
extern uint64 pairs_forget(const ObjectInfo *object, const Datum *keys, int count);

/* deleted records take what was by hand along, although others may have got their keys */
extern void pairs_unmark(const ObjectInfo *object, const Datum *keys, int count);

/* records got other keys; their history goes with them */
extern void pairs_rekey(const ObjectInfo *object, const Datum *from, const Datum *to, int count);

/* removes the pairs of records that are not there (any more); returns how many */
extern uint64 pairs_forget_orphans(const ObjectInfo *object);

/* forgets what ended before a time */
extern uint64 pairs_prune(const ObjectInfo *object, TimestampTz before);

#endif							/* TERRITORY_FORGET_H */
