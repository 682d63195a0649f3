/*
 * inval.c
 *		Relation invalidations, for the caches of the other modules.
 *
 * A change of rules, nodes or objects invalidates the relation cache entry of
 * the attached table. PostgreSQL carries that to every backend at commit,
 * replays it in the backend that rolls a (sub)transaction back, and sends the
 * same for DDL on the table. So one mechanism covers all the ways in which a
 * compiled rule set can become stale.
 *
 * The callback may come whenever a lock is taken or a catalog is read; listeners
 * therefore only set flags. A backend has ten slots for such callbacks; we use
 * one.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "utils/inval.h"
#include "utils/syscache.h"

#include "base/inval.h"

#define MAX_LISTENERS 4

static InvalListener listeners[MAX_LISTENERS];
static int	listener_count = 0;

/*
 * dispatch hands an invalidation on to every listener.
 */
static void
dispatch(Datum arg, Oid relid)
{
	for (int i = 0; i < listener_count; i++)
		listeners[i] (relid);
}

/*
 * inval_listen adds a listener; the first one takes the backend's slot.
 */
void
inval_listen(InvalListener listener)
{
	if (listener_count == 0)
		CacheRegisterRelcacheCallback(dispatch, (Datum) 0);
	Assert(listener_count < MAX_LISTENERS);
	listeners[listener_count++] = listener;
}

/*
 * inval_send invalidates a relation; one that is gone needs none.
 */
void
inval_send(Oid relid)
{
	if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
		CacheInvalidateRelcacheByRelid(relid);
}
