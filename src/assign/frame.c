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
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "assign/batch.h"
#include "assign/follow.h"
#include "assign/frame.h"
#include "assign/target.h"
#include "base/lock.h"
#include "check/check.h"
#include "history/cause.h"
#include "pair/pairs.h"
#include "parent/inherit.h"
#include "parent/kin.h"

/* A noted event. */
typedef struct Event
{
	EventKind	kind;
	ItemPointerData row;
	Oid			relid;			/* relation of the row */
	int			flags;			/* of the record (batch.h) */
	bool		leaves;			/* the record belonged to another one before */
	Datum		old_key;
	Datum		left;			/* the key of that */
} Event;

/* Events to be dealt with together. */
typedef struct EventList
{
	int			count;
	int			room;
	Event	   *events;
	MemoryContext context;		/* of old keys; NULL: none yet */
	bool		quick;			/* all of them have been evaluated, into the batch */
	uint64		opened;			/* the frame's count at the first event */
	Batch		batch;			/* rules NULL: not begun */
} EventList;

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
 * may_have_pairs tells whether an inserted record may have pairs already: those
 * of a record of the same key that was deleted at the same time, or of itself
 * in another partition.
 */
static bool
may_have_pairs(const Frame *frame, Oid relid)
{
	if (frame->moves && relid != frame->object)
		return true;
	for (const Frame *other = top; other != NULL; other = other->below)
	{
		if (other->object == frame->object && other->removes)
			return true;
	}
	return false;
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
 * free_list frees what a list has, not the list itself.
 */
static void
free_list(EventList *list)
{
	batch_end(&list->batch);
	if (list->events)
		pfree(list->events);
	if (list->context)
		MemoryContextDelete(list->context);
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
	free_list(&frame->list);
	if (frame->rules)
		ruleset_release(frame->rules);
	pfree(frame);
}

/*
 * collect_keys gathers the old keys of the events of one kind.
 */
static int
collect_keys(const EventList *list, EventKind kind, Datum *keys)
{
	int			count = 0;

	for (int i = 0; i < list->count; i++)
	{
		if (list->events[i].kind == kind)
			keys[count++] = list->events[i].old_key;
	}
	return count;
}

/* A relation that rows are read from, and the slots to do it. */
typedef struct RowSource
{
	Relation	rel;
	TupleTableSlot *slot;
	TupleTableSlot *object_slot;	/* NULL: columns are those of the object */
	AttrMap    *map;
} RowSource;

/*
 * close_source closes the relation of a source.
 */
static void
close_source(RowSource *source)
{
	if (source->rel == NULL)
		return;
	if (source->object_slot)
		ExecDropSingleTupleTableSlot(source->object_slot);
	ExecDropSingleTupleTableSlot(source->slot);
	table_close(source->rel, NoLock);
	source->rel = NULL;
}

/*
 * open_source opens the relation of an event, unless it is open already.
 */
static void
open_source(RowSource *source, Oid relid, const Ruleset *rules)
{
	const Target *target;

	if (source->rel != NULL && RelationGetRelid(source->rel) == relid)
		return;
	close_source(source);
	source->rel = table_open(relid, AccessShareLock);
	source->slot = table_slot_create(source->rel, NULL);
	source->object_slot = NULL;
	target = target_find(source->rel);
	source->map = target->map;
	if (source->map)
		source->object_slot = MakeSingleTupleTableSlot(rules->desc, &TTSOpsVirtual);
}

/*
 * read_row returns the row version at a place with the object's columns, or
 * NULL when it is not live.
 */
static TupleTableSlot *
read_row(RowSource *source, ItemPointer row)
{
	if (!table_tuple_fetch_row_version(source->rel, row, SnapshotSelf, source->slot))
		return NULL;
	if (source->object_slot)
		return execute_attr_map_slot(source->map, source->slot, source->object_slot);
	return source->slot;
}

/*
 * latest_version follows a row that was changed again to its latest version;
 * false when there is none after this one.
 */
static bool
latest_version(RowSource *source, ItemPointer row)
{
	TableScanDesc scan = table_beginscan_tid(source->rel, SnapshotSelf);
	ItemPointerData latest = *row;
	bool		moved;

	table_tuple_get_latest_tid(scan, &latest);
	table_endscan(scan);
	moved = !ItemPointerEquals(&latest, row);
	*row = latest;
	return moved;
}

/*
 * find_other returns another event of the list that is about the same row version,
 * or NULL.
 */
static Event *
find_other(const EventList *list, const Event *event)
{
	for (int i = 0; i < list->count; i++)
	{
		Event	   *other = &list->events[i];

		if (other != event && other->kind != EVENT_DELETED && other->kind != EVENT_MOVED && other->relid == event->relid &&
			ItemPointerEquals(&other->row, (ItemPointer) &event->row))
			return other;
	}
	return NULL;
}

/*
 * leave_to hands what is known of a record on to the event that it is left to.
 */
static void
leave_to(Event *other, const Event *event)
{
	other->flags = ((other->flags | event->flags) & ~RECORD_KEEPS) | (other->flags & event->flags & RECORD_KEEPS);
}

/*
 * read_event returns the live row of an event, or NULL when it is gone or the
 * business of another event.
 */
static TupleTableSlot *
read_event(RowSource *source, const EventList *list, Event *event)
{
	TupleTableSlot *slot = read_row(source, &event->row);
	Event	   *other;

	if (slot != NULL)
		return slot;
	if (!latest_version(source, &event->row))
		return NULL;
	other = find_other(list, event);
	if (other == NULL)
		return read_row(source, &event->row);
	leave_to(other, event);
	return NULL;
}

/*
 * rekey carries the pairs of rekeyed records over, before they are evaluated. A
 * record that was deleted in the end takes them along.
 */
static void
rekey(const EventList *list, RowSource *source, const ObjectInfo *object, const Ruleset *rules)
{
	Datum	   *from = palloc(list->count * sizeof(Datum));
	Datum	   *to = palloc(list->count * sizeof(Datum));
	Datum	   *gone = palloc(list->count * sizeof(Datum));
	int			count = 0;
	int			gone_count = 0;
	int16		typlen;
	bool		byval;

	get_typlenbyval(object->key_type, &typlen, &byval);
	for (int i = 0; i < list->count; i++)
	{
		const Event *event = &list->events[i];
		ItemPointerData row = event->row;
		TupleTableSlot *slot;
		bool		isnull;

		if (event->kind != EVENT_REKEYED)
			continue;
		open_source(source, event->relid, rules);
		slot = read_row(source, &row);
		if (slot == NULL && latest_version(source, &row))
			slot = read_row(source, &row);
		if (slot == NULL)
			gone[gone_count++] = event->old_key;
		else
		{
			from[count] = event->old_key;
			to[count++] = datumCopy(slot_getattr(slot, object->key_attno, &isnull), byval, typlen);
		}
	}
	pairs_rekey(object, from, to, count);
	(void) pairs_forget(object, gone, gone_count);
	follow_records(object, from, count);
	follow_records(object, to, count);
	follow_records(object, gone, gone_count);
}

/*
 * record_flags tells what is known of an event's record.
 */
static int
record_flags(const Frame *frame, EventKind kind, int flags, Oid relid)
{
	if (kind == EVENT_INSERTED && !may_have_pairs(frame, relid))
		flags |= RECORD_FRESH;
	return flags;
}

/*
 * evaluate evaluates the live rows of a list into the batch.
 */
static void
evaluate(const Frame *frame, const EventList *list, RowSource *source, Batch *batch)
{
	MatchScope	scope;

	match_begin(&scope, batch->rules);
	PG_TRY();
	{
		for (int i = 0; i < list->count; i++)
		{
			Event	   *event = &list->events[i];
			TupleTableSlot *slot;

			if (event->kind == EVENT_DELETED || event->kind == EVENT_MOVED)
				continue;
			open_source(source, event->relid, batch->rules);
			slot = read_event(source, list, event);
			if (slot != NULL)
				batch_add(batch, slot, record_flags(frame, event->kind, event->flags, event->relid));
		}
	}
	PG_FINALLY();
	{
		match_end(&scope);
	}
	PG_END_TRY();
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
 * forget_deleted removes what deleted records leave. Another record may have got
 * the key of one, but only by an event beside, or by a statement inside this one.
 */
static void
forget_deleted(const Frame *frame, const EventList *list, const ObjectInfo *object)
{
	Datum	   *keys = palloc(list->count * sizeof(Datum));
	int			count = collect_keys(list, EVENT_DELETED, keys);

	if (count < list->count || frame->opened > 1)
		pairs_unmark(object, keys, count);
	(void) pairs_forget(object, keys, count);
	follow_records(object, keys, count);
	count = collect_keys(list, EVENT_MOVED, keys);
	(void) pairs_forget(object, keys, count);
	follow_records(object, keys, count);
}

/*
 * hold_left holds the records that those of a list belonged to before, so that
 * nobody has these follow them meanwhile (base/lock.c).
 */
static void
hold_left(const EventList *list, const Ruleset *rules)
{
	Datum	   *keys;
	int			count = 0;

	if (rules->link == NULL || lock_object_is_mine(rules->object.object))
		return;
	keys = palloc(list->count * sizeof(Datum));
	for (int i = 0; i < list->count; i++)
	{
		if (list->events[i].leaves)
			keys[count++] = list->events[i].left;
	}
	inherit_hold(rules, keys, count);
}

/*
 * read_list deals with deleted and rekeyed records, and evaluates the others,
 * from the table.
 */
static void
read_list(const Frame *frame, const EventList *list, Batch *batch)
{
	RowSource	source = {NULL};
	int			cause = cause_push(CAUSE_DELETED, NULL);

	forget_deleted(frame, list, &batch->rules->object);
	cause_pop(cause);
	rekey(list, &source, &batch->rules->object, batch->rules);
	evaluate(frame, list, &source, batch);
	close_source(&source);
}

/*
 * cause_of tells why the records of a list may get other pairs.
 */
static Cause
cause_of(const EventList *list)
{
	bool		inserted = false;
	bool		updated = false;

	for (int i = 0; i < list->count; i++)
	{
		inserted |= list->events[i].kind == EVENT_INSERTED;
		updated |= list->events[i].kind == EVENT_TOUCHED || list->events[i].kind == EVENT_REKEYED;
	}
	return !inserted ? CAUSE_UPDATED : updated ? CAUSE_WRITTEN : CAUSE_INSERTED;
}

/*
 * settle_list deals with a list of events.
 */
static void
settle_list(const Frame *frame, EventList *list)
{
	int			cause = cause_push(cause_of(list), NULL);

	SPI_connect();
	PG_TRY();
	{
		bool		ready = ready_batch(frame, list);

		hold_left(list, list->batch.rules);
		if (!ready)
			read_list(frame, list, &list->batch);
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
		free_list(&list);
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

	if (batch->rules == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);

		batch_begin(batch, frame->object, BATCH_RECORDS);
		MemoryContextSwitchTo(old);
	}
	batch_add_one(batch, row, record_flags(frame, event->kind, event->flags, event->relid));
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
