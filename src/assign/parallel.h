/*
 * parallel.h
 *		Compares with the help of parallel workers.
 */
#ifndef TERRITORY_PARALLEL_H
#define TERRITORY_PARALLEL_H

#include "postgres.h"

#include "assign/compare.h"

/* how many workers should help with what costs so much in the planner's units; 0: none */
extern int	parallel_workers(const Ruleset *rules, const List *tables, double cost);

/*
 * Compares with up to so many workers. Sums come back in the current memory
 * context; shared must be NULL. The snapshot must be the active one.
 */
extern void parallel_compare(Compare *compare, int workers);

#endif							/* TERRITORY_PARALLEL_H */
