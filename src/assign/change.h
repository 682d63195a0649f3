/*
 * change.h
 *		Changes of rules, nodes, models, objects and exclusions.
 */
#ifndef TERRITORY_CHANGE_H
#define TERRITORY_CHANGE_H

#include "postgres.h"

#include "commands/trigger.h"
#include "nodes/pg_list.h"

#include "base/session.h"
#include "history/cause.h"

/* What the work of a trigger of our own tables is bracketed by. */
typedef struct ChangeScope
{
	SessionRole role;
	int			pin;
	int			cause;
	ErrorContextCallback context;	/* where cause is given */
} ChangeScope;

/* Has a change no consequences now? */
extern bool change_is_silent(const TriggerData *trigger);

/* change_begin_for names why pairs change, with the rows that the statement wrote */
extern void change_begin(TriggerData *trigger, ChangeScope *scope);
extern void change_begin_for(TriggerData *trigger, ChangeScope *scope, Cause cause);
extern void change_end(const ChangeScope *scope);

/* defines the setting territory.defer_runs; called once, from _PG_init */
extern void change_init(void);

/* runs a statement on territory.exclusion, whose keys are canonical, without re-assigning records */
extern void change_exclusions(KeptStatement *statement, Datum *values, const char *nulls);

/* re-evaluates the records that rules of a node and of all below it concern, in these locked objects */
extern void change_reassign_below(List *objects, int32 node_id);

/* Is re-assignment left to a later run? */
extern bool change_deferred(void);

#endif							/* TERRITORY_CHANGE_H */
