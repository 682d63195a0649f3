/*
 * change.h
 *		Changes of rules, nodes, models, objects and exclusions.
 */
#ifndef TERRITORY_CHANGE_H
#define TERRITORY_CHANGE_H

#include "postgres.h"

#include "commands/trigger.h"

#include "base/session.h"

/* What the work of a trigger of our own tables is bracketed by. */
typedef struct ChangeScope
{
	SessionRole role;
	int			pin;
} ChangeScope;

/* Has a change no consequences now? */
extern bool change_is_silent(const TriggerData *trigger);

extern void change_begin(TriggerData *trigger, ChangeScope *scope);
extern void change_end(const ChangeScope *scope);

/* defines the setting territory.defer_runs; called once, from _PG_init */
extern void change_init(void);

#endif							/* TERRITORY_CHANGE_H */
