/*
 * moment.c
 *		Moments at which pairs change: the rows of territory.change.
 *
 * A pair carries the moment at which it began ("since"), its history the one at
 * which it ended; by these each finds the row that says by whom and why. So a
 * moment must be unique, and later than all that were before it, whatever the
 * clock does: it is the clock's time, or a microsecond more than the latest
 * moment where that is no later. A lock, held while the row is put in, lets
 * backends do so one at a time.
 *
 * The clock's time is that of the write, not the transaction's beginning: of two
 * transactions that change the same record, the one that comes second may have
 * begun first.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "base/catalog.h"
#include "compat.h"
#include "history/cause.h"
#include "history/moment.h"

PG_FUNCTION_INFO_V1(territory_moment_is_own);

/* columns of territory.change */
enum
{
	COLUMN_AT,
	COLUMN_OBJECT,
	COLUMN_CAUSE,
	COLUMN_DETAIL,
	COLUMN_ACTOR,
	COLUMN_LOGIN,
	COLUMN_XID,
	COLUMNS
};

/* The moments of the running transaction, ascending; in TopTransactionContext. */
static TimestampTz *own = NULL;
static int	own_count = 0;
static int	own_room = 0;

/*
 * keep_own remembers a moment until the transaction ends.
 */
static void
keep_own(TimestampTz moment)
{
	if (own_count == own_room)
	{
		own_room = Max(8, own_room * 2);
		own = own ? repalloc_huge(own, own_room * sizeof(TimestampTz)) :
			MemoryContextAlloc(TopTransactionContext, own_room * sizeof(TimestampTz));
	}
	own[own_count++] = moment;
}

/*
 * moment_is_own looks a moment up among those of the running transaction. One
 * that was rolled back may be among them; no pair has it.
 */
bool
moment_is_own(TimestampTz moment)
{
	int			low = 0;
	int			high = own_count;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (own[middle] == moment)
			return true;
		if (own[middle] < moment)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/*
 * territory_moment_is_own(timestamptz): the same for SQL statements of the engine.
 */
Datum
territory_moment_is_own(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(moment_is_own(PG_GETARG_TIMESTAMPTZ(0)));
}

/*
 * moment_actor returns the name of the one who acts.
 */
char *
moment_actor(void)
{
	return GetUserNameFromId(GetOuterUserId(), false);
}

/*
 * moment_login returns the name of the one who logged in, if it is another.
 */
char *
moment_login(void)
{
	if (GetSessionUserId() == GetOuterUserId())
		return NULL;
	return GetUserNameFromId(GetSessionUserId(), false);
}

/*
 * latest_moment returns the latest moment that anybody took, committed or not;
 * 0, which is long ago, when there is none.
 */
static TimestampTz
latest_moment(Relation rel, TupleTableSlot *slot)
{
	Oid			oid = territory_primary_key(rel);
	Relation	index = index_open(oid, RowExclusiveLock);
	IndexScanDesc scan = territory_index_beginscan(rel, index, SnapshotAny, 0);
	TimestampTz latest = 0;
	bool		isnull;

	index_rescan(scan, NULL, 0, NULL, 0);
	if (index_getnext_slot(scan, BackwardScanDirection, slot))
		latest = DatumGetTimestampTz(slot_getattr(slot, COLUMN_AT + 1, &isnull));
	index_endscan(scan);
	index_close(index, NoLock);
	ExecClearTuple(slot);
	return latest;
}

/*
 * set_text fills a column with a text, or NULL.
 */
static void
set_text(TupleTableSlot *slot, int column, const char *text)
{
	slot->tts_isnull[column] = text == NULL;
	slot->tts_values[column] = text ? CStringGetTextDatum(text) : (Datum) 0;
}

/*
 * fill_slot makes the row of a moment but for its time.
 */
static void
fill_slot(TupleTableSlot *slot, Oid object)
{
	ExecClearTuple(slot);
	memset(slot->tts_isnull, false, COLUMNS * sizeof(bool));
	slot->tts_values[COLUMN_OBJECT] = ObjectIdGetDatum(object);
	set_text(slot, COLUMN_CAUSE, cause_name());
	set_text(slot, COLUMN_DETAIL, cause_detail());
	set_text(slot, COLUMN_ACTOR, moment_actor());
	set_text(slot, COLUMN_LOGIN, moment_login());
	slot->tts_values[COLUMN_XID] = FullTransactionIdGetDatum(GetTopFullTransactionId());
}

/*
 * put_in gives the row its time and adds it, with its index entries. Only this is
 * done one at a time.
 */
static TimestampTz
put_in(Relation rel, TupleTableSlot *slot)
{
	TupleTableSlot *found = table_slot_create(rel, NULL);
	ResultRelInfo *result = makeNode(ResultRelInfo);
	EState	   *estate = CreateExecutorState();
	TimestampTz moment;
	TimestampTz latest;

	InitResultRelInfo(result, rel, 0, NULL, 0);
	ExecOpenIndices(result, false);
	LockDatabaseObject(RelationGetRelid(rel), InvalidOid, 0, ExclusiveLock);
	latest = latest_moment(rel, found);
	moment = GetCurrentTimestamp();
	moment = Max(moment, latest + 1);
	slot->tts_values[COLUMN_AT] = TimestampTzGetDatum(moment);
	ExecStoreVirtualTuple(slot);
	table_tuple_insert(rel, slot, GetCurrentCommandId(true), 0, NULL);
	territory_insert_index_tuples(result, slot, estate, TU_All);
	UnlockDatabaseObject(RelationGetRelid(rel), InvalidOid, 0, ExclusiveLock);
	ExecCloseIndices(result);
	FreeExecutorState(estate);
	ExecDropSingleTupleTableSlot(found);
	return moment;
}

/*
 * moment_take takes a moment.
 */
TimestampTz
moment_take(Oid object)
{
	Relation	rel;
	TupleTableSlot *slot;
	TimestampTz moment;

	PreventCommandIfReadOnly("INSERT");
	rel = table_open(catalog_table("change"), RowExclusiveLock);
	slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsVirtual);
	fill_slot(slot, object);
	moment = put_in(rel, slot);
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, NoLock);
	keep_own(moment);
	return moment;
}

/*
 * forget_own drops the moments when the transaction, whose memory they are of, has
 * ended.
 */
static void
forget_own(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	own = NULL;
	own_count = own_room = 0;
}

/*
 * moment_init registers for the end of transactions.
 */
void
moment_init(void)
{
	RegisterXactCallback(forget_own, NULL);
}
