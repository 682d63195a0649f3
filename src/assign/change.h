/*
 * change.h
 *		Changes of rules, nodes, models, objects and exclusions.
 */
#ifndef TERRITORY_CHANGE_H
#define TERRITORY_CHANGE_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "nodes/pg_list.h"

#include "base/session.h"

/* defines the setting territory.defer_runs; called once, from _PG_init */
extern void change_init(void);

/* runs a statement on territory.exclusion, whose keys are canonical, without re-assigning records */
extern void change_exclusions(KeptStatement *statement, Datum *values, const char *nulls);

/* re-evaluates the records that rules of a node and of all below it concern, in these locked objects */
extern void change_reassign_below(List *objects, int32 node_id);

/* re-evaluates the records that rules of a node and of all below it concern, in these locked objects */
extern void change_reassign_below(List *objects, int32 node_id);

/* Is re-assignment left to a later run? */
extern bool change_deferred(void);

#endif							/* TERRITORY_CHANGE_H */
