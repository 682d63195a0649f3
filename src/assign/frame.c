/*
 * frame.c
 *		Records touched by a statement, kept until the statement ends.
 *
 * The row trigger notes which rows a statement touched; the statement trigger
 * at its end evaluates and writes them in one batch. What is noted is where a
 * row version stands, not what it says: by the time it is looked at, a user's
 * trigger may have changed the row again, and then the latest version counts.
 *
 * Mostly nobody does. So a row that is live when the row trigger sees it is
 * evaluated there and then, beside being noted, and at the end that is good
 * unless the row may have been written again: row triggers fire when all rows of
 * their statement have been written, and any other statement on the object opens
 * a frame, which is counted. A write into a partition while a statement on the
 * partitioned table is at its triggers opens none; but the record then is in the
 * batch twice, if what matters of it has changed. Where a record was deleted or
 * got another key, or the rules have changed, or evaluating needs settings to be
 * pinned, the rows are read at the end.
 *
 * Statement triggers do not fire where rows are written into a partition
 * directly, nor in logical replication's apply. No frame is open then, and the
 * row trigger deals with each row at once, in a frame for the one row.
 *
 * A statement inside a statement (a user's trigger writes to the same table)
 * opens the same frame again; each end deals with all that was noted so far. A
 * frame belongs to a (sub)transaction and is forgotten with it on abort.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "executor/spi.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "assign/events.h"
#include "assign/frame.h"
#include "check/check.h"
#include "history/cause.h"
#include "parent/kin.h"

struct Frame
{
	Frame	   *below;
	Oid			object;
	int			level;			/* transaction nest level */
	int			statements;		/* open ones, or 1 for a frame of one row */
	bool		row;			/* is a frame of one row */
	int			rows;			/* of such a frame: brackets that are open */
	uint64		opened;			/* statements on the object so far, deeper levels' too */
	uint32		generation;		/* of the rules, when the first one began */
	bool		moves;			/* rows may move between partitions */
	bool		removes;		/* a record was deleted or got another key */
	bool		locked;			/* the object is */
	Ruleset    *rules;			/* pinned; NULL: not yet looked for */
	EventList	list;
};

static Frame *top = NULL;

/*
 * find_frame returns the open frame of an object at the current level.
 */
static Frame *
find_frame(Oid object)
{
	int			level = GetCurrentTransactionNestLevel();

	for (Frame *frame = top; frame != NULL && frame->level == level; frame = frame->below)
	{
		if (frame->object == object)
			return frame;
	}
	return NULL;
}

/*
 * frame_is_open tells whether a statement on an object is under way, at whatever
 * level: what it does to the records is not all noted yet.
 */
bool
frame_is_open(Oid object)
{
	for (Frame *frame = top; frame != NULL; frame = frame->below)
	{
		if (frame->object == object)
			return true;
	}
	return false;
}

/*
 * scene_of tells what goes on while a frame's events are dealt with.
 */
static EventScene
scene_of(const Frame *frame)
{
	EventScene	scene = {.object = frame->object,.moves = frame->moves,.nested = frame->opened > 1};

	for (const Frame *other = top; other != NULL; other = other->below)
		scene.removes |= other->object == frame->object && other->removes;
	return scene;
}

/*
 * push_frame opens a new frame.
 */
static Frame *
push_frame(Oid object)
{
	Frame	   *frame = MemoryContextAllocZero(TopTransactionContext, sizeof(Frame));

	frame->below = top;
	frame->object = object;
	frame->level = GetCurrentTransactionNestLevel();
	frame->generation = ruleset_generation(object);
	top = frame;
	return frame;
}

/*
 * count_statement lets every frame of an object know of one more statement.
 */
static void
count_statement(Oid object)
{
	for (Frame *frame = top; frame != NULL; frame = frame->below)
	{
		if (frame->object == object)
			frame->opened++;
	}
}

/*
 * remove_frame takes a frame out of the stack and frees it.
 */
static void
remove_frame(Frame *frame)
{
	Frame	  **link = &top;

	while (*link != frame)
		link = &(*link)->below;
	*link = frame->below;
	events_free(&frame->list);
	if (frame->rules)
		ruleset_release(frame->rules);
	pfree(frame);
}

/*
 * ready_batch sees to it that a list has a batch with the current rules, and
 * tells whether the batch holds the list's records, evaluated, already.
 */
static bool
ready_batch(const Frame *frame, EventList *list)
{
	Ruleset    *rules = ruleset_acquire(frame->object);
	bool		current = rules == list->batch.rules;

	ruleset_release(rules);
	if (current && list->quick && list->opened == frame->opened && !batch_has_doubles(&list->batch))
		return true;
	batch_end(&list->batch);
	batch_begin(&list->batch, frame->object, list->count);
	return false;
}

/*
 * settle_list deals with a list of events.
 */
static void
settle_list(const Frame *frame, EventList *list)
{
	int			cause = cause_push(events_cause(list), NULL);

	SPI_connect();
	PG_TRY();
	{
		bool		ready = ready_batch(frame, list);

		events_hold_left(list, list->batch.rules);
		if (!ready)
		{
			EventScene	scene = scene_of(frame);

			events_read(&scene, list, &list->batch);
		}
		batch_write(&list->batch);
	}
	PG_FINALLY();
	{
		batch_end(&list->batch);
	}
	PG_END_TRY();
	SPI_finish();
	cause_pop(cause);
}

/*
 * settle deals with all that a frame has noted. Writing the pairs may fire a
 * user's triggers, and these write records: such statements settle their own
 * events, and what was decided here before is then decided again.
 */
static void
settle(Frame *frame)
{
	while (frame->list.count > 0)
	{
		EventList	list = frame->list;
		uint64		opened;

		memset(&frame->list, 0, sizeof(EventList));
		do
		{
			opened = frame->opened;
			settle_list(frame, &list);
			frame->removes |= frame->opened != opened;
		} while (frame->opened != opened);
		events_free(&list);
	}
}

/*
 * frame_open is called before a statement on an attached table.
 */
void
frame_open(Oid object, bool update)
{
	Frame	   *frame = find_frame(object);

	if (frame == NULL)
		frame = push_frame(object);
	count_statement(object);
	frame->statements++;
	frame->moves |= update;
}

/*
 * frame_close is called after the statement.
 */
void
frame_close(Oid object)
{
	Frame	   *frame = find_frame(object);

	if (frame == NULL)
		return;
	settle(frame);
	if (--frame->statements == 0)
	{
		remove_frame(frame);
		check_statement(object);
	}
}

/*
 * next_event returns room for one more event, settling a full frame first.
 */
static Event *
next_event(Frame *frame)
{
	EventList  *list = &frame->list;

	if (list->count == BATCH_RECORDS)
		settle(frame);
	if (list->count == list->room)
	{
		list->room = list->room ? list->room * 2 : 8;
		list->events = list->events ?
			repalloc(list->events, list->room * sizeof(Event)) :
			MemoryContextAlloc(TopTransactionContext, list->room * sizeof(Event));
	}
	return &list->events[list->count++];
}

/*
 * keep_keys copies the keys of an event for as long as the list is there.
 */
static void
keep_keys(Frame *frame, Event *event, const RowChange *change)
{
	EventList  *list = &frame->list;
	MemoryContext old;

	event->old_key = event->left = (Datum) 0;
	event->leaves = false;
	if ((change->key == NULL || change->kind == EVENT_INSERTED) && !change->leaves)
		return;
	if (list->context == NULL)
		list->context = AllocSetContextCreate(TopTransactionContext, "territory keys",
											  ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(list->context);
	if (change->key && change->kind != EVENT_INSERTED)
		event->old_key = datumCopy(change->key_value, change->key->attbyval, change->key->attlen);
	if (change->leaves)
		event->leaves = link_key(frame->rules, change->old_link, &event->left);
	MemoryContextSwitchTo(old);
}

/*
 * frame_rules returns the rules that were current on entering.
 */
Ruleset *
frame_rules(const Frame *frame)
{
	return frame->rules;
}

/*
 * frame_rules_changed tells whether the rules may have changed since the
 * statement began (a user's trigger did it). Rows that the statement had
 * changed already were then evaluated by neither.
 */
bool
frame_rules_changed(const Frame *frame)
{
	return frame->generation != ruleset_generation(frame->object);
}

/*
 * pin_rules lets a frame hold the current rules; false when there are none
 * because the table is not attached.
 */
static bool
pin_rules(Frame *frame)
{
	Ruleset    *rules = ruleset_acquire_if_attached(frame->object);

	if (frame->rules)
		ruleset_release(frame->rules);
	frame->rules = rules;
	return rules != NULL;
}

/*
 * open_row_frame opens a frame for a row that is written outside of any
 * statement.
 */
static Frame *
open_row_frame(Oid object)
{
	Frame	   *frame = push_frame(object);

	count_statement(object);
	frame->statements = 1;
	frame->row = true;
	frame->moves = true;
	return frame;
}

/*
 * frame_enter finds the frame for a row. The object's lock comes before the
 * rules: only under it is it certain what they are. A frame takes it once, since
 * both end with the (sub)transaction at the latest.
 */
Frame *
frame_enter(Oid object)
{
	Frame	   *frame = find_frame(object);

	if (frame == NULL)
		frame = open_row_frame(object);
	if (!frame->locked)
	{
		kin_lock_for_write(object);
		frame->locked = true;
	}
	if (!pin_rules(frame))
	{
		if (frame->row && frame->rows == 0)
			remove_frame(frame);
		return NULL;
	}
	if (frame->row && frame->rows++ == 0)
		frame->generation = ruleset_generation(object);
	return frame;
}

/*
 * frame_leave ends the bracket.
 */
void
frame_leave(Frame *frame)
{
	Oid			object = frame->object;

	if (!frame->row)
		return;
	if (frame->rows == 1)
		settle(frame);
	if (--frame->rows == 0)
	{
		remove_frame(frame);
		check_statement(object);
	}
}

/*
 * is_live tells whether a row version, as the trigger got it, is the latest and
 * nobody holds a lock on it.
 */
static bool
is_live(TupleTableSlot *row)
{
	HeapTuple	tuple;

	if (!TTS_IS_BUFFERTUPLE(row))
		return false;
	tuple = ((BufferHeapTupleTableSlot *) row)->base.tuple;
	return tuple != NULL && (tuple->t_data->t_infomask & HEAP_XMAX_INVALID) != 0;
}

/*
 * can_be_quick tells whether an event's row may be evaluated at once.
 */
static bool
can_be_quick(const Frame *frame, EventKind kind, TupleTableSlot *row, bool same_columns)
{
	const EventList *list = &frame->list;

	return (kind == EVENT_INSERTED || kind == EVENT_TOUCHED) && same_columns &&
		frame->rules->pins == 0 && !frame->rules->matching && list->opened == frame->opened &&
		(list->batch.rules == NULL || list->batch.rules == frame->rules) && is_live(row);
}

/*
 * evaluate_at_once evaluates a row into the list's batch.
 */
static void
evaluate_at_once(Frame *frame, const Event *event, TupleTableSlot *row)
{
	Batch	   *batch = &frame->list.batch;
	EventScene	scene = scene_of(frame);

	if (batch->rules == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);

		batch_begin(batch, frame->object, BATCH_RECORDS);
		MemoryContextSwitchTo(old);
	}
	batch_add_one(batch, row, event_flags(&scene, event->kind, event->flags, event->relid));
}

/*
 * moved_event returns the last event when it is of a row that has left its
 * partition: a row that is inserted next is the same record.
 */
static Event *
moved_event(EventList *list)
{
	Event	   *last = list->count > 0 ? &list->events[list->count - 1] : NULL;

	return last != NULL && last->kind == EVENT_MOVED ? last : NULL;
}

/*
 * frame_note notes an event, and evaluates its row if that may be done at once.
 */
void
frame_note(Frame *frame, Relation rel, const RowChange *change)
{
	EventList  *list = &frame->list;
	EventKind	kind = change->kind;
	Event	   *event = kind == EVENT_INSERTED ? moved_event(list) : NULL;

	if (event != NULL)
		kind = datumIsEqual(event->old_key, change->key_value, change->key->attbyval, change->key->attlen) ?
			EVENT_TOUCHED : EVENT_REKEYED;
	else
	{
		event = next_event(frame);
		keep_keys(frame, event, change);
	}
	event->kind = kind;
	event->flags = change->flags;
	event->relid = RelationGetRelid(rel);
	if (change->row)
		event->row = change->row->tts_tid;
	else
		ItemPointerSetInvalid(&event->row);
	frame->removes |= kind != EVENT_INSERTED && kind != EVENT_TOUCHED;
	if (list->count == 1)
	{
		list->quick = true;
		list->opened = frame->opened;
	}
	list->quick = list->quick && can_be_quick(frame, kind, change->row, change->same_columns);
	if (list->quick)
		evaluate_at_once(frame, event, change->row);
}

/*
 * forget_level drops the frames of an aborted subtransaction.
 */
static void
forget_level(SubXactEvent event, SubTransactionId sub, SubTransactionId parent, void *arg)
{
	if (event != SUBXACT_EVENT_ABORT_SUB)
		return;
	while (top != NULL && top->level >= GetCurrentTransactionNestLevel())
		remove_frame(top);
}

/*
 * settle_left_over settles what statements left that did not come to their end: a
 * procedural language may stop one with RETURNING after some rows, and then its
 * last triggers do not fire.
 */
static void
settle_left_over(void)
{
	for (Frame *frame = top; frame != NULL;)
	{
		if (frame->list.count == 0)
		{
			frame = frame->below;
			continue;
		}
		PushActiveSnapshot(GetTransactionSnapshot());
		settle(frame);
		PopActiveSnapshot();
		frame = top;			/* others may have come and gone */
	}
}

/*
 * end_all settles what is left before a transaction commits, and drops all frames
 * at its end, for they are of its memory, and their pins.
 */
static void
end_all(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
	{
		settle_left_over();
		check_commit();
	}
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	while (top != NULL)
		remove_frame(top);
	check_forget();
}

/*
 * frame_init registers for the end of transactions.
 */
void
frame_init(void)
{
	RegisterXactCallback(end_all, NULL);
	RegisterSubXactCallback(forget_level, NULL);
}
