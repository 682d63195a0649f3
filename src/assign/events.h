/*
 * events.h
 *		What a statement did to records, and the rows that say what became of them.
 */
#ifndef TERRITORY_EVENTS_H
#define TERRITORY_EVENTS_H

#include "postgres.h"

#include "storage/itemptr.h"

#include "assign/batch.h"
#include "history/cause.h"

/* what happened to a record */
typedef enum EventKind
{
	EVENT_INSERTED,				/* is new, has no pairs */
	EVENT_TOUCHED,				/* is to be evaluated again */
	EVENT_DELETED,
	EVENT_MOVED,				/* has left its partition; its EVENT_INSERTED comes next */
	EVENT_REKEYED				/* has another key, and is to be evaluated again */
} EventKind;

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

/* What else goes on while events are dealt with. */
typedef struct EventScene
{
	Oid			object;
	bool		moves;			/* rows may move between partitions */
	bool		removes;		/* records were deleted or got other keys, by this statement or one around it */
	bool		nested;			/* statements inside the statement wrote records */
} EventScene;

/*
 * The flags of an event's record (batch.h): an inserted one is fresh, unless it may
 * have the pairs of a record of the same key that was deleted at the same time, or
 * of itself in another partition.
 */
extern int	event_flags(const EventScene *scene, EventKind kind, int flags, Oid relid);

/* why the records of a list may get other pairs */
extern Cause events_cause(const EventList *list);

/*
 * Holds the records that those of a list belonged to before, so that nobody has
 * these follow them meanwhile (base/lock.c).
 */
extern void events_hold_left(const EventList *list, const Ruleset *rules);

/*
 * Deals with deleted and rekeyed records, and evaluates the others, from the table,
 * into a batch. Needs an SPI connection.
 */
extern void events_read(const EventScene *scene, const EventList *list, Batch *batch);

/* frees what a list has, not the list itself */
extern void events_free(EventList *list);

#endif							/* TERRITORY_EVENTS_H */
