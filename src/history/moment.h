/*
 * moment.h
 *		Moments at which pairs change: the rows of territory.change.
 */
#ifndef TERRITORY_MOMENT_H
#define TERRITORY_MOMENT_H

#include "postgres.h"

#include "datatype/timestamp.h"

/*
 * A new moment, later than every other one of the database, whose row says by
 * whom and why (cause.h) the pairs of an object change. To be taken when the
 * records are locked already: then the moments of each record are in the order
 * of its changes.
 */
extern TimestampTz moment_take(Oid object);

/* Was it taken by the running transaction? */
extern bool moment_is_own(TimestampTz moment);

/* the one who acts: the role outside of functions with rights of their own */
extern char *moment_actor(void);

/* who logged in, palloc'd; NULL where that is the one who acts */
extern char *moment_login(void);

/* called once, from _PG_init */
extern void moment_init(void);

#endif							/* TERRITORY_MOMENT_H */
