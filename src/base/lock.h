/*
 * lock.h
 *		The two locks of the engine.
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

#endif							/* TERRITORY_LOCK_H */
