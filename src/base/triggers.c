/*
 * triggers.c
 *		The protocol check with which every trigger function begins.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "utils/rel.h"

#include "base/catalog.h"
#include "base/triggers.h"

/*
 * trigger_data returns the trigger data of a call that was made as declared.
 */
TriggerData *
trigger_data(FunctionCallInfo fcinfo, const char *name,
			 TriggerEvent timing, TriggerEvent level)
{
	TriggerData *data = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function territory.%s was not called by the trigger manager", name)));
	if ((data->tg_event & TRIGGER_EVENT_TIMINGMASK) != timing ||
		(data->tg_event & TRIGGER_EVENT_ROW) != level)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function territory.%s must be fired %s EACH %s", name,
						timing == TRIGGER_EVENT_BEFORE ? "BEFORE" : "AFTER",
						level == TRIGGER_EVENT_ROW ? "ROW" : "STATEMENT"),
				 errhint("This trigger is made by the extension itself.")));
	return data;
}

/*
 * trigger_data_of returns the trigger data of a call on the table that the
 * function is for.
 */
TriggerData *
trigger_data_of(FunctionCallInfo fcinfo, const char *name,
				TriggerEvent timing, TriggerEvent level, const char *table)
{
	TriggerData *data = trigger_data(fcinfo, name, timing, level);

	if (RelationGetRelid(data->tg_relation) != catalog_table(table))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function territory.%s is for table territory.%s only", name, table)));
	return data;
}
