/*
 * inval.h
 *		Relation invalidations, for the caches of the other modules.
 */
#ifndef TERRITORY_INVAL_H
#define TERRITORY_INVAL_H

#include "postgres.h"

/* Called with a relation's OID, or InvalidOid for all; may only set flags. */
typedef void (*InvalListener) (Oid relid);

/*
 * Called when the (sub)transaction with this id, and all in it, has been
 * aborted, and when the transaction has been committed.
 */
typedef void (*EndListener) (bool commit, SubTransactionId id);

/* Adds listeners for the rest of the backend's life. */
extern void inval_listen(InvalListener listener, EndListener end_listener);

/*
 * A number that is another one when a relation, to this backend's knowledge, may
 * have changed since it was asked for last.
 */
extern uint32 inval_generation(Oid relid);

/* Tells every backend, at commit, to forget what it keeps of this relation. */
extern void inval_send(Oid relid);

#endif							/* TERRITORY_INVAL_H */
