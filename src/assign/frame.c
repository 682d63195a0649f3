/*
 * frame.c
 *		Records touched by a statement, kept until the statement ends.
 *
 * The row trigger notes which rows a statement touched; the statement trigger
 * at its end evaluates and writes them in one batch. What is noted is where a
 * row version stands, not what it says: by the time it is looked at, a user's
 * trigger may have changed the row again, and then the later version, which is
 * noted as well, counts. So a row that is no longer live is passed over.
 *
 * Statement triggers do not fire where rows are written into a partition
 * directly, nor in logical replication's apply. No frame is open then, and the
 * row trigger deals with each row at once.
 *
 * A statement inside a statement (a user's trigger writes to the same table)
 * opens the same frame again; each end deals with all that was noted so far. An
 * update inside another statement is noted whatever it changes, because the
 * version noted before is no longer live. A frame belongs to a (sub)transaction and is forgotten with it on abort.
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

typedef struct Frame
{
	struct Frame *below;
	Oid			object;
	int			level;			/* transaction nest level */
	int			statements;		/* open ones */
	bool		moves;			/* rows may move between partitions */
	bool		removes;		/* a record was deleted or got another key */
	MemoryContext context;		/* of keys; reset when dealt with */
	int			count;
	int			room;
	Event	   *events;
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
 * frame_is_nested tells whether a statement is at work inside another one on
 * the same object, which may have noted rows that the inner one changes.
 */
bool
frame_is_nested(Oid object)
{
	int			statements = 0;

	for (Frame *frame = top; frame != NULL; frame = frame->below)
	{
		if (frame->object == object)
			statements += frame->statements;
	}
	return statements > 1;
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
	Frame	   *frame = MemoryContextAlloc(TopTransactionContext, sizeof(Frame));

	frame->below = top;
	frame->object = object;
	frame->level = GetCurrentTransactionNestLevel();
	frame->statements = 0;
	frame->moves = false;
	frame->removes = false;
	frame->count = 0;
	frame->room = 8;
	frame->events = MemoryContextAlloc(TopTransactionContext, frame->room * sizeof(Event));
	frame->context = AllocSetContextCreate(TopTransactionContext, "territory frame",
										   ALLOCSET_SMALL_SIZES);
	top = frame;
	return frame;
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
	MemoryContextDelete(frame->context);
	pfree(frame->events);
	pfree(frame);
}

/*
 * collect_keys gathers the old keys of the events of one kind.
 */
static int
collect_keys(const Frame *frame, EventKind kind, Datum *keys)
{
	int			count = 0;

	for (int i = 0; i < frame->count; i++)
	{
		if (frame->events[i].kind == kind)
			keys[count++] = frame->events[i].old_key;
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
 * read_row returns the row of an event with the object's columns, or NULL when
 * that version is no longer live.
 */
static TupleTableSlot *
read_row(RowSource *source, Event *event)
{
	if (!table_tuple_fetch_row_version(source->rel, &event->row, SnapshotSelf, source->slot))
		return NULL;
	if (source->object_slot)
		return execute_attr_map_slot(source->map, source->slot, source->object_slot);
	return source->slot;
}

/*
 * rekey carries the pairs of rekeyed records over, before they are evaluated.
 */
static void
rekey(Frame *frame, RowSource *source, const Ruleset *rules)
{
	Datum	   *from = palloc(frame->count * sizeof(Datum));
	Datum	   *to = palloc(frame->count * sizeof(Datum));
	int16		typlen;
	bool		byval;
	int			count = 0;

	get_typlenbyval(rules->object.key_type, &typlen, &byval);
	for (int i = 0; i < frame->count; i++)
	{
		TupleTableSlot *slot;
		bool		isnull;

		if (frame->events[i].kind != EVENT_REKEYED)
			continue;
		open_source(source, frame->events[i].relid, rules);
		slot = read_row(source, &frame->events[i]);
		if (slot == NULL)
			continue;
		from[count] = frame->events[i].old_key;
		to[count++] = datumCopy(slot_getattr(slot, rules->object.key_attno, &isnull), byval, typlen);
	}
	pairs_rekey(&rules->object, from, to, count);
}

/*
 * evaluate evaluates the live rows of a frame into the batch.
 */
static void
evaluate(Frame *frame, RowSource *source, Batch *batch)
{
	MatchScope	scope;

	match_begin(&scope, batch->rules);
	PG_TRY();
	{
		for (int i = 0; i < frame->count; i++)
		{
			Event	   *event = &frame->events[i];
			TupleTableSlot *slot;

			if (event->kind == EVENT_DELETED)
				continue;
			open_source(source, event->relid, batch->rules);
			slot = read_row(source, event);
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
 * settle deals with all that a frame has noted.
 */
static void
settle(Frame *frame)
{
	RowSource	source = {NULL};
	Batch		batch;

	if (frame->count == 0)
		return;
	SPI_connect();
	batch_begin(&batch, frame->object, frame->count);
	PG_TRY();
	{
		Datum	   *keys = palloc(frame->count * sizeof(Datum));

		pairs_forget(&batch.rules->object, keys, collect_keys(frame, EVENT_DELETED, keys));
		rekey(frame, &source, batch.rules);
		evaluate(frame, &source, &batch);
		close_source(&source);
		batch_write(&batch);
	}
	PG_FINALLY();
	{
		batch_end(&batch);
	}
	PG_END_TRY();
	SPI_finish();
	frame->count = 0;
	MemoryContextReset(frame->context);
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
	if (frame->count == BATCH_RECORDS)
		settle(frame);
	if (frame->count == frame->room)
	{
		frame->room *= 2;
		frame->events = repalloc(frame->events, frame->room * sizeof(Event));
	}
	return &frame->events[frame->count++];
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
	event->old_key = (Datum) 0;
	if (key)
	{
		MemoryContext old = MemoryContextSwitchTo(frame->context);

		event->old_key = datumCopy(old_key, key->attbyval, key->attlen);
		MemoryContextSwitchTo(old);
	}
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
