/*
 * frame.h
 *		Records touched by a statement, kept until the statement ends.
 */
#ifndef TERRITORY_FRAME_H
#define TERRITORY_FRAME_H

#include "postgres.h"

#include "storage/itemptr.h"
#include "utils/rel.h"

/* what happened to a record */
typedef enum EventKind
{
	EVENT_INSERTED,				/* is new, has no pairs */
	EVENT_TOUCHED,				/* is to be evaluated again */
	EVENT_DELETED,
	EVENT_REKEYED				/* has another key, and is to be evaluated again */
} EventKind;

/*
 * Brackets a statement on an attached table. update: rows may move between
 * partitions.
 */
extern void frame_open(Oid object, bool update);
extern void frame_close(Oid object);

/*
 * Notes an event. row is the new row version (NULL where deleted); key and old_key
 * are the key column and its value before (deleted, rekeyed), else NULL and 0.
 * Outside of any frame the event is dealt with at once.
 */
extern void frame_note(Oid object, Relation rel, EventKind kind, ItemPointer row,
					   Form_pg_attribute key, Datum old_key);

/* may the rules have changed since the statement began? */
extern bool frame_rules_changed(Oid object);

/* called once, from _PG_init */
extern void frame_init(void);

#endif							/* TERRITORY_FRAME_H */
