/*
 * past.c
 *		The table of pairs that ended, beside the assignment table.
 *
 * A row says that a record stood in a node from one moment (since) to another
 * (until), the rule and the manual flag it had at the end. A pair that goes on
 * with another rule, or none, leaves a row too (held): what it was until then.
 * Rows are written as COPY writes them, where the table is as attach made it
 * (bare.c).
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/rel.h"

#include "assign/bare.h"
#include "assign/past.h"
#include "base/session.h"
#include "history/moment.h"
#include "compat.h"

/* columns of the table */
enum
{
	COLUMN_KEY = 1,
	COLUMN_NODE,
	COLUMN_RULE,
	COLUMN_MANUAL,
	COLUMN_SINCE,
	COLUMN_UNTIL,
	COLUMN_HELD,
	COLUMNS = COLUMN_HELD
};

/* rows that are written at a time */
#define BUFFER_ROWS 512

/*
 * past_append notes a stored pair.
 */
void
past_append(PastList *list, const Pair *pair, bool held)
{
	if (!list->kept || pair->since >= list->until || moment_is_own(pair->since))
		return;
	if (list->count == list->room)
	{
		list->room = Max(16, list->room * 2);
		list->pairs = list->pairs ?
			repalloc_huge(list->pairs, list->room * sizeof(PastPair)) :
			palloc(list->room * sizeof(PastPair));
	}
	list->pairs[list->count++] = (PastPair)
	{
		pair->key, pair->node_id, pair->old_rule, pair->manual, held, pair->since
	};
}

/*
 * has_layout tells whether the table is as attach made it, but for indexes.
 */
static bool
has_layout(Relation rel, const ObjectInfo *object)
{
	return bare_table(rel, object, COLUMNS) && bare_of_triggers(rel, CMD_INSERT) &&
		bare_column(rel, COLUMN_KEY, NameStr(object->key_column), object->key_type, object->key_collation, true) &&
		bare_column(rel, COLUMN_NODE, "node_id", INT4OID, InvalidOid, true) &&
		bare_column(rel, COLUMN_RULE, "rule_id", INT4OID, InvalidOid, false) &&
		bare_column(rel, COLUMN_MANUAL, "manual", BOOLOID, InvalidOid, true) &&
		bare_column(rel, COLUMN_SINCE, "since", TIMESTAMPTZOID, InvalidOid, true) &&
		bare_column(rel, COLUMN_UNTIL, "until", TIMESTAMPTZOID, InvalidOid, true) &&
		bare_column(rel, COLUMN_HELD, "held", BOOLOID, InvalidOid, true);
}

/*
 * fill_slot puts a row into a slot.
 */
static void
fill_slot(TupleTableSlot *slot, const PastPair *pair, TimestampTz until)
{
	ExecClearTuple(slot);
	memset(slot->tts_isnull, false, COLUMNS * sizeof(bool));
	slot->tts_isnull[COLUMN_RULE - 1] = pair->rule_id == 0;
	slot->tts_values[COLUMN_KEY - 1] = pair->key;
	slot->tts_values[COLUMN_NODE - 1] = Int32GetDatum(pair->node_id);
	slot->tts_values[COLUMN_RULE - 1] = Int32GetDatum(pair->rule_id);
	slot->tts_values[COLUMN_MANUAL - 1] = BoolGetDatum(pair->manual);
	slot->tts_values[COLUMN_SINCE - 1] = TimestampTzGetDatum(pair->since);
	slot->tts_values[COLUMN_UNTIL - 1] = TimestampTzGetDatum(until);
	slot->tts_values[COLUMN_HELD - 1] = BoolGetDatum(pair->held);
	ExecStoreVirtualTuple(slot);
}

/*
 * insert_rows puts rows into the table, with their index entries.
 */
static void
insert_rows(Relation rel, ResultRelInfo *result, const PastList *list)
{
	int			room = Min(list->count, BUFFER_ROWS);
	TupleTableSlot **slots = palloc(room * sizeof(TupleTableSlot *));
	TupleDesc	desc = CreateTupleDescCopy(RelationGetDescr(rel));
	CommandId	command = GetCurrentCommandId(true);
	EState	   *estate = CreateExecutorState();

	for (int i = 0; i < room; i++)
		slots[i] = MakeSingleTupleTableSlot(desc, table_slot_callbacks(rel));
	for (int first = 0; first < list->count; first += room)
	{
		int			count = Min(room, list->count - first);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < count; i++)
			fill_slot(slots[i], &list->pairs[first + i], list->until);
		table_multi_insert(rel, slots, count, command, 0, NULL);
		for (int i = 0; i < count; i++)
		{
			territory_insert_index_tuples(result, slots[i], estate, TU_All);
			ResetPerTupleExprContext(estate);
		}
	}
	for (int i = 0; i < room; i++)
		ExecDropSingleTupleTableSlot(slots[i]);
	table_finish_bulk_insert(rel, 0);
	FreeExecutorState(estate);
}

/*
 * past_write writes what was noted.
 */
bool
past_write(const ObjectInfo *object, const PastList *list)
{
	Relation	rel = table_open(object->past, RowExclusiveLock);
	ResultRelInfo *result;
	SessionRole role;

	if (!has_layout(rel, object))
	{
		table_close(rel, NoLock);
		return false;
	}
	PreventCommandIfReadOnly("INSERT");
	session_become(&role, object->owner);
	result = makeNode(ResultRelInfo);
	InitResultRelInfo(result, rel, 0, NULL, 0);
	ExecOpenIndices(result, false);
	insert_rows(rel, result, list);
	ExecCloseIndices(result);
	session_restore_role(&role);
	table_close(rel, NoLock);
	CommandCounterIncrement();
	return true;
}
