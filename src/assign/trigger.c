/*
 * trigger.c
 *		The triggers of attached tables.
 *
 * Before the statement a frame opens, each row is noted in it, and evaluated if
 * that may be done at once; the end of the statement settles it (frame.c). A row whose key and rule columns are as
 * they were is not noted.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "utils/datum.h"
#include "utils/rel.h"

#include "assign/batch.h"
#include "assign/follow.h"
#include "assign/frame.h"
#include "assign/run.h"
#include "assign/target.h"
#include "base/catalog.h"
#include "base/session.h"
#include "base/triggers.h"
#include "check/check.h"
#include "history/cause.h"
#include "pair/ended.h"
#include "pair/forget.h"
#include "pair/statement.h"
#include "parent/kin.h"
#include "rule/link.h"
#include "rule/ruleset.h"

PG_FUNCTION_INFO_V1(territory_statement_begin);
PG_FUNCTION_INFO_V1(territory_statement_end);
PG_FUNCTION_INFO_V1(territory_record_changed);
PG_FUNCTION_INFO_V1(territory_records_truncated);
PG_FUNCTION_INFO_V1(territory_assignment_guard);
PG_FUNCTION_INFO_V1(territory_assignment_ended);

/*
 * territory_statement_begin: BEFORE INSERT OR UPDATE OR DELETE, each statement.
 */
Datum
territory_statement_begin(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data(fcinfo, "statement_begin",
										TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_STATEMENT);
	const Target *target = target_find(trigger->tg_relation);

	if (OidIsValid(target->object))
		frame_open(target->object, TRIGGER_FIRED_BY_UPDATE(trigger->tg_event));
	return PointerGetDatum(NULL);
}

/*
 * territory_statement_end: AFTER INSERT OR UPDATE OR DELETE, each statement.
 */
Datum
territory_statement_end(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data(fcinfo, "statement_end",
										TRIGGER_EVENT_AFTER, TRIGGER_EVENT_STATEMENT);
	const Target *target = target_find(trigger->tg_relation);

	if (OidIsValid(target->object))
		frame_close(target->object);
	return PointerGetDatum(NULL);
}

/*
 * is_changed tells whether a column of the object differs between the two
 * versions of a row, which have been taken apart.
 */
static inline bool
is_changed(const TriggerData *trigger, const Target *target, AttrNumber attno)
{
	int			column = target_column(target, attno) - 1;
	const TupleTableSlot *old = trigger->tg_trigslot;
	const TupleTableSlot *new = trigger->tg_newslot;
	Form_pg_attribute attribute = TupleDescAttr(old->tts_tupleDescriptor, column);

	if (old->tts_isnull[column] || new->tts_isnull[column])
		return old->tts_isnull[column] != new->tts_isnull[column];
	if (attribute->attbyval)
		return old->tts_values[column] != new->tts_values[column];
	return !datumIsEqual(old->tts_values[column], new->tts_values[column], false, attribute->attlen);
}

/*
 * take_apart extracts the columns that matter of both versions of a row.
 */
static void
take_apart(const TriggerData *trigger, const Target *target, const Ruleset *rules)
{
	int			columns = target->map ? RelationGetDescr(trigger->tg_relation)->natts : rules->max_attno;

	slot_getsomeattrs(trigger->tg_trigslot, columns);
	slot_getsomeattrs(trigger->tg_newslot, columns);
}

/*
 * amount_changed tells whether an update changes what a check sums up.
 */
static bool
amount_changed(const TriggerData *trigger, const Target *target, const Ruleset *rules)
{
	const Bitmapset *columns = check_needs(rules->object.object)->columns;
	int			attno = -1;

	while ((attno = bms_next_member(columns, attno)) >= 0)
	{
		int			column = target_column(target, attno);

		slot_getsomeattrs(trigger->tg_trigslot, column);
		slot_getsomeattrs(trigger->tg_newslot, column);
		if (is_changed(trigger, target, attno))
			return true;
	}
	return false;
}

/*
 * update_kind tells what an update means: EVENT_REKEYED, EVENT_TOUCHED, or (-1)
 * nothing, because no column that matters has changed.
 */
static int
update_kind(const TriggerData *trigger, const Target *target, const Frame *frame)
{
	const Ruleset *rules = frame_rules(frame);
	int			attno = -1;

	take_apart(trigger, target, rules);
	if (is_changed(trigger, target, rules->object.key_attno))
		return EVENT_REKEYED;
	while ((attno = bms_next_member(rules->columns, attno)) >= 0)
	{
		if (is_changed(trigger, target, attno))
			return EVENT_TOUCHED;
	}
	return frame_rules_changed(frame) || amount_changed(trigger, target, rules) ? EVENT_TOUCHED : -1;
}

/*
 * has_moved tells whether a deleted row has gone to another partition.
 */
static bool
has_moved(TupleTableSlot *row)
{
	return TTS_IS_BUFFERTUPLE(row) && ((BufferHeapTupleTableSlot *) row)->base.tuple != NULL &&
		HeapTupleHeaderIndicatesMovedPartitions(((BufferHeapTupleTableSlot *) row)->base.tuple->t_data);
}

/*
 * is_closed tells whether a deal's row is that of a closed one.
 */
static bool
is_closed(Ruleset *rules, TupleTableSlot *slot)
{
	MatchScope	scope;
	volatile bool closed = false;

	match_begin(&scope, rules);
	PG_TRY();
	{
		closed = link_is_closed(rules, slot);
	}
	PG_FINALLY();
	{
		match_end(&scope);
	}
	PG_END_TRY();
	return closed;
}

/*
 * was_closed tells whether a deal was closed before an update.
 */
static bool
was_closed(const TriggerData *trigger, const Target *target, Ruleset *rules)
{
	TupleTableSlot *mapped;
	bool		closed;

	if (target->map == NULL)
		return is_closed(rules, trigger->tg_trigslot);
	mapped = MakeSingleTupleTableSlot(rules->desc, &TTSOpsVirtual);
	closed = is_closed(rules, execute_attr_map_slot(target->map, trigger->tg_trigslot, mapped));
	ExecDropSingleTupleTableSlot(mapped);
	return closed;
}

/*
 * note_left notes to which record another one belonged before.
 */
static void
note_left(const TriggerData *trigger, const Target *target, const Ruleset *rules, RowChange *change)
{
	bool		isnull;

	change->old_link = slot_getattr(trigger->tg_trigslot, target_column(target, rules->object.link_attno), &isnull);
	change->leaves = !isnull;
}

/*
 * note_update fills in what an update means; false: nothing.
 */
static bool
note_update(const TriggerData *trigger, const Target *target, Frame *frame, RowChange *change)
{
	Ruleset    *rules = frame_rules(frame);
	int			kind = update_kind(trigger, target, frame);

	if (kind < 0)
		return false;
	change->kind = kind;
	change->row = trigger->tg_newslot;
	if (rules->link == NULL)
		return true;
	if (is_changed(trigger, target, rules->object.link_attno))
	{
		note_left(trigger, target, rules, change);
		change->flags |= RECORD_MOVED;
	}
	else if (rules->object.freeze && was_closed(trigger, target, rules))
		change->flags |= RECORD_KEEPS;
	return true;
}

/*
 * note_row notes what happened to one row.
 */
static void
note_row(const TriggerData *trigger, const Target *target, Frame *frame)
{
	Relation	rel = trigger->tg_relation;
	const Ruleset *rules = frame_rules(frame);
	AttrNumber	column = target_column(target, rules->object.key_attno);
	RowChange	change = {.kind = EVENT_INSERTED,.flags = RECORD_MOVED,.row = trigger->tg_trigslot};
	bool		isnull;

	change.same_columns = target->map == NULL;
	if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
	{
		change.kind = has_moved(trigger->tg_trigslot) ? EVENT_MOVED : EVENT_DELETED;
		change.row = NULL;
		if (rules->link)
			note_left(trigger, target, rules, &change);
	}
	else if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
	{
		change.flags = 0;
		if (!note_update(trigger, target, frame, &change))
			return;
	}
	if (change.kind != EVENT_TOUCHED)
	{
		change.key = TupleDescAttr(RelationGetDescr(rel), column - 1);
		change.key_value = slot_getattr(trigger->tg_trigslot, column, &isnull);
	}
	frame_note(frame, rel, &change);
}

/*
 * territory_record_changed: AFTER INSERT, UPDATE OR DELETE, each row. On
 * restoring a dump there is nothing to do, for the dump holds the pairs.
 */
Datum
territory_record_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data(fcinfo, "record_changed",
										TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW);
	const Target *target = target_find(trigger->tg_relation);
	Frame	   *frame;

	if (!OidIsValid(target->object) || session_restoring(target->object))
		return PointerGetDatum(NULL);
	frame = frame_enter(target->object);
	if (frame == NULL)
		return PointerGetDatum(NULL);
	/* waiting for the lock may have brought other news */
	note_row(trigger, target_find(trigger->tg_relation), frame);
	frame_leave(frame);
	return PointerGetDatum(NULL);
}

/*
 * territory_records_truncated: AFTER TRUNCATE, each statement, on an attached
 * table and on its partitions.
 */
Datum
territory_records_truncated(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data(fcinfo, "records_truncated",
										TRIGGER_EVENT_AFTER, TRIGGER_EVENT_STATEMENT);
	const Target *target = target_find(trigger->tg_relation);
	ObjectInfo	info;
	int			cause;

	if (!OidIsValid(target->object))
		return PointerGetDatum(NULL);
	kin_lock_for_write(target->object);
	SPI_connect();
	{
		SessionRole role;

		session_become(&role, catalog_owner());
		object_require(target->object, &info);
		session_restore_role(&role);
	}
	cause = cause_push(CAUSE_TRUNCATED, NULL);
	if (pairs_forget_orphans(&info) > 0)
		follow_all(info.object);
	/* who stood below a record that is gone is on top of a family now, whatever that one had */
	if (object_has_families(&info))
		(void) run_where(info.object, NULL);
	cause_pop(cause);
	check_statement(info.object);
	SPI_finish();
	return PointerGetDatum(NULL);
}

/*
 * territory_assignment_guard: BEFORE INSERT, UPDATE, DELETE OR TRUNCATE on an
 * assignment table, each statement. Only the engine writes there, and a dump
 * that is being restored.
 */
Datum
territory_assignment_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data(fcinfo, "assignment_guard",
										TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_STATEMENT);
	Relation	rel = trigger->tg_relation;

	if (!statement_may_write(TRIGGER_FIRED_BY_DELETE(trigger->tg_event)) &&
		!session_restoring(RelationGetRelid(rel)))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table %s is written by the engine only",
						catalog_qualified_name(RelationGetRelid(rel))),
				 errhint("Change the rules, or exclude the record by a row of territory.exclusion.")));
	return PointerGetDatum(NULL);
}

/*
 * find_by_assignment reads the object whose pairs a table holds; false when there
 * is none.
 */
static bool
find_by_assignment(Oid assignment, ObjectInfo *info)
{
	Oid			types[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(assignment)};
	SessionRole role;
	bool		found;
	bool		isnull;

	session_become(&role, catalog_owner());
	session_execute("SELECT object FROM territory.object WHERE assignment OPERATOR(pg_catalog.=) $1",
					SPI_OK_SELECT, 1, types, values, NULL);
	found = SPI_processed > 0 &&
		object_load(DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull)), info);
	session_restore_role(&role);
	return found;
}

/*
 * territory_assignment_ended: AFTER DELETE on an assignment table, each statement,
 * with a transition table. A cascade of a user's foreign key ends pairs too.
 */
Datum
territory_assignment_ended(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data(fcinfo, "assignment_ended",
										TRIGGER_EVENT_AFTER, TRIGGER_EVENT_STATEMENT);
	SessionRole role;
	ObjectInfo	info;
	int			cause;

	if (statement_is_own() || session_restoring(RelationGetRelid(trigger->tg_relation)))
		return PointerGetDatum(NULL);
	cause = cause_push(CAUSE_DELETED, NULL);
	SPI_connect();
	if (find_by_assignment(RelationGetRelid(trigger->tg_relation), &info))
	{
		if (SPI_register_trigger_data(trigger) != SPI_OK_TD_REGISTER)
			elog(ERROR, "could not register transition tables");
		session_become(&role, info.owner);
		ended_by_others(&info);
		session_restore_role(&role);
	}
	SPI_finish();
	cause_pop(cause);
	return PointerGetDatum(NULL);
}
