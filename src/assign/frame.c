/*
 * frame.c
 *		Records touched by a statement, kept until the statement ends.
 *
 * The row trigger notes which rows a statement touched; the statement trigger
 * at its end evaluates and writes them in one batch. What is noted is where a
 * row version stands, not what it says: by the time it is looked at, a user's
 * trigger may have changed the row again, and then the latest version counts.
 *
 * Statement triggers do not fire where rows are written into a partition
 * directly, nor in logical replication's apply. No frame is open then, and the
 * row trigger deals with each row at once.
 *
 * A statement inside a statement (a user's trigger writes to the same table)
 * opens the same frame again; each end deals with all that was noted so far. A
 * frame belongs to a (sub)transaction and is forgotten with it on abort.
 */
#include "postgres.h"

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
#include "assign/frame.h"
#include "assign/pairs.h"
#include "assign/target.h"

/* A noted event. */
typedef struct Event
{
	EventKind	kind;
	ItemPointerData row;
	Oid			relid;			/* relation of the row */
	Datum		old_key;
} Event;

/* Events to be dealt with together. */
typedef struct EventList
{
	int			count;
	int			room;
	Event	   *events;
	MemoryContext context;		/* of old keys; NULL: none yet */
} EventList;

typedef struct Frame
{
	struct Frame *below;
	Oid			object;
	int			level;			/* transaction nest level */
	int			statements;		/* open ones */
	uint64		opened;			/* statements so far */
	uint32		generation;		/* of the rules, when the first one began */
	bool		moves;			/* rows may move between partitions */
	bool		removes;		/* a record was deleted or got another key */
	EventList	list;
} Frame;

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
 * free_list frees what a list has, not the list itself.
 */
static void
free_list(EventList *list)
{
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
 * is_noted tells whether another event of the list is about this row version.
 */
static bool
is_noted(const EventList *list, const Event *event)
{
	for (int i = 0; i < list->count; i++)
	{
		const Event *other = &list->events[i];

		if (other != event && other->kind != EVENT_DELETED && other->relid == event->relid &&
			ItemPointerEquals((ItemPointer) &other->row, (ItemPointer) &event->row))
			return true;
	}
	return false;
}

/*
 * read_event returns the live row of an event, or NULL when it is gone or the
 * business of another event.
 */
static TupleTableSlot *
read_event(RowSource *source, const EventList *list, Event *event)
{
	TupleTableSlot *slot = read_row(source, &event->row);

	if (slot != NULL)
		return slot;
	if (!latest_version(source, &event->row) || is_noted(list, event))
		return NULL;
	return read_row(source, &event->row);
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

			if (event->kind == EVENT_DELETED)
				continue;
			open_source(source, event->relid, batch->rules);
			slot = read_event(source, list, event);
			if (slot != NULL)
				batch_add(batch, slot, event->kind == EVENT_INSERTED &&
						  !may_have_pairs(frame, event->relid));
		}
	}
	PG_FINALLY();
	{
		match_end(&scope);
	}
	PG_END_TRY();
}

/*
 * settle_list deals with a list of events.
 */
static void
settle_list(const Frame *frame, const EventList *list)
{
	RowSource	source = {NULL};
	Batch		batch;

	SPI_connect();
	batch_begin(&batch, frame->object, list->count);
	PG_TRY();
	{
		Datum	   *keys = palloc(list->count * sizeof(Datum));

		pairs_forget(&batch.rules->object, keys, collect_keys(list, EVENT_DELETED, keys));
		rekey(list, &source, &batch.rules->object, batch.rules);
		evaluate(frame, list, &source, &batch);
		close_source(&source);
		batch_write(&batch);
	}
	PG_FINALLY();
	{
		batch_end(&batch);
	}
	PG_END_TRY();
	SPI_finish();
}

/*
 * settle deals with all that a frame has noted. Writing the pairs may fire a
 * user's triggers, and these write records: such statements settle their own
 * events, and what was decided here before is then decided again.
 */
static void
settle(Frame *frame)
{
	EventList	list = frame->list;
	uint64		opened;

	if (list.count == 0)
		return;
	memset(&frame->list, 0, sizeof(EventList));
	do
	{
		opened = frame->opened;
		settle_list(frame, &list);
		frame->removes |= frame->opened != opened;
	} while (frame->opened != opened);
	free_list(&list);
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
	frame->statements++;
	frame->opened++;
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
		remove_frame(frame);
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
 * keep_key copies an old key for as long as the list is there.
 */
static Datum
keep_key(EventList *list, Form_pg_attribute key, Datum value)
{
	MemoryContext old;

	if (list->context == NULL)
		list->context = AllocSetContextCreate(TopTransactionContext, "territory keys",
											  ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(list->context);
	value = datumCopy(value, key->attbyval, key->attlen);
	MemoryContextSwitchTo(old);
	return value;
}

/*
 * frame_rules_changed tells whether the rules may have changed since the
 * statement began (a user's trigger did it). Rows that the statement had
 * changed already were then evaluated by neither.
 */
bool
frame_rules_changed(Oid object)
{
	Frame	   *frame = find_frame(object);

	return frame != NULL && frame->generation != ruleset_generation(object);
}

/*
 * append_event notes an event in a frame.
 */
static void
append_event(Frame *frame, Relation rel, EventKind kind, ItemPointer row,
			 Form_pg_attribute key, Datum old_key)
{
	Event	   *event = next_event(frame);

	event->kind = kind;
	event->relid = RelationGetRelid(rel);
	if (row)
		event->row = *row;
	else
		ItemPointerSetInvalid(&event->row);
	event->old_key = key ? keep_key(&frame->list, key, old_key) : (Datum) 0;
	frame->removes |= key != NULL;
}

/*
 * frame_note notes an event, or deals with it at once where no frame is open.
 */
void
frame_note(Oid object, Relation rel, EventKind kind, ItemPointer row,
		   Form_pg_attribute key, Datum old_key)
{
	Frame	   *frame = find_frame(object);

	if (frame != NULL)
	{
		append_event(frame, rel, kind, row, key, old_key);
		return;
	}
	frame = push_frame(object);
	frame->moves = true;
	append_event(frame, rel, kind, row, key, old_key);
	settle(frame);
	remove_frame(frame);
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
 * forget_all drops all frames at the end of a transaction, whose memory they are.
 */
static void
forget_all(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		top = NULL;
}

/*
 * frame_init registers for the end of transactions.
 */
void
frame_init(void)
{
	RegisterXactCallback(forget_all, NULL);
	RegisterSubXactCallback(forget_level, NULL);
}
