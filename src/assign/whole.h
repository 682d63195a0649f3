/*
 * whole.h
 *		Evaluates all records of an attached table.
 */
#ifndef TERRITORY_WHOLE_H
#define TERRITORY_WHOLE_H

#include "postgres.h"

#include "assign/batch.h"

/*
 * Makes the pairs of all records what they must be, and removes those of records
 * that are not there; the counts are the batch's.
 */
extern void whole_run(Batch *batch);

/* what whole_run is likely to cost, in the planner's units, if little is to be changed */
extern double whole_cost(const ObjectInfo *object);

#endif							/* TERRITORY_WHOLE_H */
