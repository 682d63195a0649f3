/*
 * follow.h
 *		Records follow when the pairs of the record above them change.
 */
#ifndef TERRITORY_FOLLOW_H
#define TERRITORY_FOLLOW_H

#include "postgres.h"

#include "assign/batch.h"

/* Does anything depend on an object's records? */
extern bool follow_needed(const ObjectInfo *object);

/* evaluates what depends on the records of a batch, when that has been written */
extern void follow_batch(const Batch *batch);

/* evaluates what depends on records that are gone, or have other pairs, or other keys */
extern void follow_records(const ObjectInfo *object, const Datum *keys, int count);

/* evaluates all records of the tables right below */
extern void follow_all(Oid object);

#endif							/* TERRITORY_FOLLOW_H */
