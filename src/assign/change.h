/*
 * change.h
 *		Changes of rules, nodes, models, objects and exclusions.
 */
#ifndef TERRITORY_CHANGE_H
#define TERRITORY_CHANGE_H

#include "postgres.h"

#include "base/session.h"

/* defines the setting territory.defer_runs; called once, from _PG_init */
extern void change_init(void);

/* runs a statement on territory.exclusion, whose keys are canonical, without re-assigning records */
extern void change_exclusions(KeptStatement *statement, Datum *values, const char *nulls);

/* Is re-assignment left to a later run? */
extern bool change_deferred(void);

#endif							/* TERRITORY_CHANGE_H */
