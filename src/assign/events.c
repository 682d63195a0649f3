/*
 * events.c
 *		What a statement did to records, and the rows that say what became of them.
 *
 * An event says where a row version stands, not what it says: by the time it is
 * looked at, the row may have been written again, and then its latest version
 * counts, once.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "executor/executor.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "assign/events.h"
#include "assign/follow.h"
#include "assign/target.h"
#include "base/lock.h"
#include "pair/forget.h"
#include "parent/inherit.h"

/*
 * events_free frees what a list has, not the list itself.
 */
void
events_free(EventList *list)
{
	batch_end(&list->batch);
	if (list->events)
		pfree(list->events);
	if (list->context)
		MemoryContextDelete(list->context);
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
 * event_flags tells what is known of an event's record.
 */
int
event_flags(const EventScene *scene, EventKind kind, int flags, Oid relid)
{
	bool		may_have_pairs = scene->removes || (scene->moves && relid != scene->object);

	if (kind == EVENT_INSERTED && !may_have_pairs)
		flags |= RECORD_FRESH;
	return flags;
}

/*
 * evaluate evaluates the live rows of a list into the batch.
 */
static void
evaluate(const EventScene *scene, const EventList *list, RowSource *source, Batch *batch)
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
				batch_add(batch, slot, event_flags(scene, event->kind, event->flags, event->relid));
		}
	}
	PG_FINALLY();
	{
		match_end(&scope);
	}
	PG_END_TRY();
}

/*
 * forget_deleted removes what deleted records leave. Another record may have got
 * the key of one, but only by an event beside, or by a statement inside this one.
 */
static void
forget_deleted(const EventScene *scene, const EventList *list, const ObjectInfo *object)
{
	Datum	   *keys = palloc(list->count * sizeof(Datum));
	int			count = collect_keys(list, EVENT_DELETED, keys);

	if (count < list->count || scene->nested)
		pairs_unmark(object, keys, count);
	(void) pairs_forget(object, keys, count);
	follow_records(object, keys, count);
	count = collect_keys(list, EVENT_MOVED, keys);
	(void) pairs_forget(object, keys, count);
	follow_records(object, keys, count);
}

/*
 * events_hold_left holds the records that those of a list belonged to before, so that
 * nobody has these follow them meanwhile (base/lock.c).
 */
void
events_hold_left(const EventList *list, const Ruleset *rules)
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
 * events_read deals with deleted and rekeyed records, and evaluates the others,
 * from the table.
 */
void
events_read(const EventScene *scene, const EventList *list, Batch *batch)
{
	RowSource	source = {NULL};
	int			cause = cause_push(CAUSE_DELETED, NULL);

	forget_deleted(scene, list, &batch->rules->object);
	cause_pop(cause);
	rekey(list, &source, &batch->rules->object, batch->rules);
	evaluate(scene, list, &source, batch);
	close_source(&source);
}

/*
 * events_cause tells why the records of a list may get other pairs.
 */
Cause
events_cause(const EventList *list)
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
