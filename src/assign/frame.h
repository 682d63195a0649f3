/*
 * frame.h
 *		Records touched by a statement, kept until the statement ends.
 */
#ifndef TERRITORY_FRAME_H
#define TERRITORY_FRAME_H

#include "postgres.h"

#include "executor/tuptable.h"
#include "utils/rel.h"

#include "assign/events.h"

/*
 * Brackets a statement on an attached table. update: rows may move between
 * partitions.
 */
extern void frame_open(Oid object, bool update);
extern void frame_close(Oid object);

/* What happened to a row. */
typedef struct RowChange
{
	EventKind	kind;
	int			flags;			/* of the record (batch.h) */
	TupleTableSlot *row;		/* the new row version; NULL where deleted */
	bool		same_columns;	/* it has the object's columns */
	Form_pg_attribute key;		/* the key column; NULL where touched */
	Datum		key_value;		/* what it says before (deleted, moved, rekeyed) or now (inserted) */
	bool		leaves;			/* the record belonged to another one before */
	Datum		old_link;		/* by this value of the column that says so */
} RowChange;

typedef struct Frame Frame;

/*
 * Brackets the noting of a row of an object: in the statement's frame or, outside
 * of any, in one of its own, which frame_leave deals with at once. The object is
 * locked from here on. NULL: the table is not attached.
 */
extern Frame *frame_enter(Oid object);
extern void frame_leave(Frame *frame);

/* Is a statement on the object under way? */
extern bool frame_is_open(Oid object);

/* the current rules; they serve until the next frame_enter */
extern Ruleset *frame_rules(const Frame *frame);

/* may the rules have changed since the statement began? */
extern bool frame_rules_changed(const Frame *frame);

/* notes an event */
extern void frame_note(Frame *frame, Relation rel, const RowChange *change);

/* called once, from _PG_init */
extern void frame_init(void);

#endif							/* TERRITORY_FRAME_H */
