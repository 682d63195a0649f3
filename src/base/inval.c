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
 * One case it does not cover: what the very command that aborts had invalidated.
 * The server drops that, since nobody else can have seen it; but our caches may
 * have been filled after it. So listeners hear of aborts as well, and forget what
 * they built in the aborted (sub)transaction.
 *
 * The callback may come whenever a lock is taken or a catalog is read; listeners
 * therefore only set flags. A backend has ten slots for such callbacks; we use
 * one.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "utils/inval.h"
#include "utils/syscache.h"

#include "base/inval.h"

#define MAX_LISTENERS 8

static InvalListener listeners[MAX_LISTENERS];
static EndListener end_listeners[MAX_LISTENERS];
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
 * dispatch_end tells every listener of an end.
 */
static void
dispatch_end(bool commit, SubTransactionId id)
{
	for (int i = 0; i < listener_count; i++)
		end_listeners[i] (commit, id);
}

static void
on_transaction_end(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_ABORT)
		dispatch_end(false, TopSubTransactionId);
	else if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE)
		dispatch_end(true, TopSubTransactionId);
}

static void
on_subtransaction_end(SubXactEvent event, SubTransactionId id, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		dispatch_end(false, id);
}

/*
 * inval_listen adds listeners; the first takes the backend's slot.
 */
void
inval_listen(InvalListener listener, EndListener end_listener)
{
	if (listener_count == 0)
	{
		CacheRegisterRelcacheCallback(dispatch, (Datum) 0);
		RegisterXactCallback(on_transaction_end, NULL);
		RegisterSubXactCallback(on_subtransaction_end, NULL);
	}
	Assert(listener_count < MAX_LISTENERS);
	listeners[listener_count] = listener;
	end_listeners[listener_count++] = end_listener;
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
