/*
 * check.h
 *		Constraints on pairs: rows of territory.pair_check.
 */
#ifndef TERRITORY_CHECK_H
#define TERRITORY_CHECK_H

#include "postgres.h"

#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"

#include "pair/pair.h"
#include "rule/object.h"

/* What the checks of an object make necessary to note; kept by the backend. */
typedef struct CheckNeeds
{
	bool		any;
	bool		nodes;			/* nodes that get a record */
	bool		arrivals;		/* nodes that get a record, to distribute it */
	bool		amounts;		/* all nodes of a record that is evaluated */
	bool		records;		/* every record that is evaluated */
	int64		most_nodes;		/* records with more nodes than this */
	bool		homeless;		/* records without a node */
	Bitmapset  *columns;		/* numbers of columns that amounts read */
} CheckNeeds;

/* the result serves until the next call */
extern const CheckNeeds *check_needs(Oid object);

/* Notes what is to be checked: a node that got a record or whose sum may have changed; a record. */
extern void check_note_node(Oid object, int32 node_id);
extern void check_note_record(const ObjectInfo *object, Datum key);

/* notes all that a decision about single pairs changes */
extern void check_note_difference(const ObjectInfo *object, const Difference *difference);

/* checks what was noted of an object and of those below it, at the end of a statement; needs no SPI connection */
extern void check_statement(Oid object);

/* checks all that stands by one check; needs no SPI connection */
extern void check_all(Oid object, int32 id);

/* likewise by all checks, by deferred ones when the transaction commits */
extern void check_everything(Oid object);

/* checks what a move of nodes may violate, by deferred checks when the transaction commits */
extern void check_subtrees(List *objects);

/* checks what was deferred, before a transaction commits, and forgets all at its end */
extern void check_commit(void);
extern void check_forget(void);

/* raises when an amount of an object's checks can be read no longer */
extern void check_expressions(Oid object);

#endif							/* TERRITORY_CHECK_H */
