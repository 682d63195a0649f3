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

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "base/session.h"
#include "history/moment.h"
#include "pair/bare.h"
#include "pair/past.h"

/* columns of the table */
enum
{
	COLUMN_KEY = 1,
	COLUMN_NODE,
	COLUMN_RULE,
	COLUMN_MANUAL,
	COLUMN_HELD,
	COLUMN_SINCE,
	COLUMN_UNTIL,
	COLUMNS = COLUMN_UNTIL
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
		.key = pair->key,.node_id = pair->node_id,.rule_id = pair->old_rule,
			.manual = pair->old_manual,.held = held,.since = pair->since
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
		bare_column(rel, COLUMN_HELD, "held", BOOLOID, InvalidOid, true) &&
		bare_column(rel, COLUMN_SINCE, "since", TIMESTAMPTZOID, InvalidOid, true) &&
		bare_column(rel, COLUMN_UNTIL, "until", TIMESTAMPTZOID, InvalidOid, true);
}

/*
 * past_column returns a column of a row.
 */
static inline Datum
past_column(const PastPair *pair, AttrNumber column, TimestampTz until, bool *isnull)
{
	*isnull = column == COLUMN_RULE && pair->rule_id == 0;
	switch (column)
	{
		case COLUMN_KEY:
			return pair->key;
		case COLUMN_NODE:
			return Int32GetDatum(pair->node_id);
		case COLUMN_RULE:
			return Int32GetDatum(pair->rule_id);
		case COLUMN_MANUAL:
			return BoolGetDatum(pair->manual);
		case COLUMN_HELD:
			return BoolGetDatum(pair->held);
		case COLUMN_SINCE:
			return TimestampTzGetDatum(pair->since);
		default:
			return TimestampTzGetDatum(until);
	}
}

/*
 * fill_slot puts a row into a slot.
 */
static void
fill_slot(TupleTableSlot *slot, const PastPair *pair, TimestampTz until)
{
	ExecClearTuple(slot);
	for (int i = 0; i < COLUMNS; i++)
		slot->tts_values[i] = past_column(pair, i + 1, until, &slot->tts_isnull[i]);
	ExecStoreVirtualTuple(slot);
}

/*
 * insert_rows puts rows into the table and notes where they stand.
 */
static void
insert_rows(Relation rel, const PastList *list)
{
	int			room = Min(list->count, BUFFER_ROWS);
	TupleTableSlot **slots = palloc(room * sizeof(TupleTableSlot *));
	TupleDesc	desc = CreateTupleDescCopy(RelationGetDescr(rel));
	CommandId	command = GetCurrentCommandId(true);

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
			list->pairs[first + i].row = slots[i]->tts_tid;
	}
	for (int i = 0; i < room; i++)
		ExecDropSingleTupleTableSlot(slots[i]);
	table_finish_bulk_insert(rel, 0);
}

/*
 * fill_index puts the entries of all rows into an index.
 */
static void
fill_index(Relation rel, Relation index, IndexInfo *info, const PastList *list)
{
	if (!info->ii_ReadyForInserts)
		return;
	for (int i = 0; i < list->count; i++)
	{
		Datum		values[INDEX_MAX_KEYS];
		bool		nulls[INDEX_MAX_KEYS];

		for (int k = 0; k < info->ii_NumIndexAttrs; k++)
			values[k] = past_column(&list->pairs[i], info->ii_IndexAttrNumbers[k], list->until, &nulls[k]);
		(void) index_insert(index, values, nulls, &list->pairs[i].row, rel,
							index->rd_index->indisunique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO, false, info);
	}
}

/*
 * write_rows writes what was noted; false where an index needs more than columns.
 */
static bool
write_rows(Relation rel, ResultRelInfo *result, const PastList *list)
{
	for (int i = 0; i < result->ri_NumIndices; i++)
	{
		if (!bare_index(result->ri_IndexRelationDescs[i], result->ri_IndexRelationInfo[i]))
			return false;
	}
	insert_rows(rel, list);
	for (int i = 0; i < result->ri_NumIndices; i++)
		fill_index(rel, result->ri_IndexRelationDescs[i], result->ri_IndexRelationInfo[i], list);
	return true;
}

/*
 * past_write writes what was noted.
 */
bool
past_write(const ObjectInfo *object, const PastList *list)
{
	Relation	rel = table_open(object->past, RowExclusiveLock);
	bool		written = false;

	if (has_layout(rel, object))
	{
		ResultRelInfo *result = makeNode(ResultRelInfo);
		SessionRole role;

		PreventCommandIfReadOnly("INSERT");
		session_become(&role, object->owner);
		InitResultRelInfo(result, rel, 0, NULL, 0);
		ExecOpenIndices(result, false);
		written = write_rows(rel, result, list);
		ExecCloseIndices(result);
		session_restore_role(&role);
		CommandCounterIncrement();
	}
	table_close(rel, NoLock);
	return written;
}
