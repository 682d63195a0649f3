/*
 * kin.h
 *		Which attached tables take territories from which, and their locks.
 */
#ifndef TERRITORY_KIN_H
#define TERRITORY_KIN_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* the tables whose records belong to those of an object, families left aside; valid until a lock is taken */
extern const List *kin_children(Oid object);

/* Does this transaction keep out whoever writes records that belong to an object's? */
extern bool kin_is_quiet(Oid object);

/* an object and all above it; palloc'd */
extern List *kin_line(Oid object);

/* locks an object for writing records, and its relatives with it */
extern void kin_lock_for_write(Oid object);

/* locks an object, or several, for a change of what records are evaluated by, and those below */
extern void kin_lock_for_change(Oid object);
extern void kin_lock_list_for_change(const List *objects);

/* locks all objects for change and returns them */
extern List *kin_lock_all_for_change(void);

#endif							/* TERRITORY_KIN_H */
