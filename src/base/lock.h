/*
 * lock.h
 *		The locks of the engine.
 */
#ifndef TERRITORY_LOCK_H
#define TERRITORY_LOCK_H

#include "postgres.h"

/* one editor of the trees at a time */
extern void lock_tree(void);

/* writers of an attached table beside each other ... */
extern void lock_object_for_write(Oid object);

/* ... and apart from whoever changes what they are evaluated by */
extern void lock_object_for_change(Oid object);

/* of a table whose records depend on, or decide about, those that are written */
extern void lock_object_of_relative(Oid object);

/* Does this transaction hold it for change? */
extern bool lock_object_is_mine(Oid object);

/* records are added that others, already there, may belong to ... */
extern void lock_newcomers_for_insert(Oid object);

/* ... and who writes the latter is apart from that */
extern void lock_newcomers_for_search(Oid object);

#endif							/* TERRITORY_LOCK_H */
