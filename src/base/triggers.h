/*
 * triggers.h
 *		The protocol check with which every trigger function begins.
 */
#ifndef TERRITORY_TRIGGERS_H
#define TERRITORY_TRIGGERS_H

#include "postgres.h"

#include "commands/trigger.h"
#include "fmgr.h"

/* the level "statement", named like TRIGGER_EVENT_ROW */
#define TRIGGER_EVENT_STATEMENT 0

/*
 * The trigger data of a call; raises 39P01 when the function was not called as
 * a trigger with this timing (TRIGGER_EVENT_BEFORE or _AFTER) and level
 * (TRIGGER_EVENT_ROW or _STATEMENT).
 */
extern TriggerData *trigger_data(FunctionCallInfo fcinfo, const char *name,
								 TriggerEvent timing, TriggerEvent level);

/*
 * Likewise for a trigger of one of the extension's own tables, whose columns the
 * function knows; on any other table it raises 39P01 too.
 */
extern TriggerData *trigger_data_of(FunctionCallInfo fcinfo, const char *name,
									TriggerEvent timing, TriggerEvent level,
									const char *table);

#endif							/* TERRITORY_TRIGGERS_H */
