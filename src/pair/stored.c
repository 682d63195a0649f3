/*
 * stored.c
 *		Reads a whole assignment table, past planner and executor.
 */
#include "postgres.h"

#include "access/table.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"

#include "pair/stored.h"

/*
 * find_column returns the number of a column, and keeps track of the greatest.
 */
static AttrNumber
find_column(StoredScan *stored, const char *name)
{
	AttrNumber	attno = get_attnum(RelationGetRelid(stored->rel), name);

	if (attno == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("assignment table %s has lost its column \"%s\"",
						RelationGetRelationName(stored->rel), name)));
	stored->last = Max(stored->last, attno);
	return attno;
}

/*
 * open_table opens the assignment table.
 */
static void
open_table(StoredScan *stored, const ObjectInfo *object)
{
	stored->rel = table_open(object->assignment, AccessShareLock);
	stored->last = 0;
	stored->key = find_column(stored, NameStr(object->key_column));
	stored->node_id = find_column(stored, "node_id");
	stored->rule_id = find_column(stored, "rule_id");
	stored->manual = find_column(stored, "manual");
	stored->slot = table_slot_create(stored->rel, NULL);
}

/*
 * stored_open begins to read.
 */
void
stored_open(StoredScan *stored, const ObjectInfo *object, Snapshot snapshot)
{
	open_table(stored, object);
	stored->scan = table_beginscan(stored->rel, snapshot, 0, NULL);
}

/*
 * stored_open_shared begins to read a share of the pairs.
 */
void
stored_open_shared(StoredScan *stored, const ObjectInfo *object, ParallelTableScanDesc shared)
{
	open_table(stored, object);
	stored->scan = table_beginscan_parallel(stored->rel, shared);
}

/*
 * stored_next reads the next pair; false: there is none.
 */
bool
stored_next(StoredScan *stored, StoredRow *row)
{
	TupleTableSlot *slot = stored->slot;

	CHECK_FOR_INTERRUPTS();
	if (!table_scan_getnextslot(stored->scan, ForwardScanDirection, slot))
		return false;
	slot_getsomeattrs(slot, stored->last);
	row->key = slot->tts_values[stored->key - 1];
	row->node_id = DatumGetInt32(slot->tts_values[stored->node_id - 1]);
	row->rule_id = slot->tts_isnull[stored->rule_id - 1] ? 0 :
		DatumGetInt32(slot->tts_values[stored->rule_id - 1]);
	row->manual = DatumGetBool(slot->tts_values[stored->manual - 1]);
	return true;
}

/*
 * stored_close ends reading.
 */
void
stored_close(StoredScan *stored)
{
	table_endscan(stored->scan);
	ExecDropSingleTupleTableSlot(stored->slot);
	table_close(stored->rel, NoLock);
}

/*
 * stored_empty tells whether there are no pairs.
 */
bool
stored_empty(const ObjectInfo *object, Snapshot snapshot)
{
	StoredScan	stored;
	StoredRow	row;
	bool		found;

	stored_open(&stored, object, snapshot);
	found = stored_next(&stored, &row);
	stored_close(&stored);
	return !found;
}
