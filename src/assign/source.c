/*
 * source.c
 *		Reads all records of an attached table, past planner and executor.
 *
 * The table, or each leaf of a partitioned one, is scanned by its access method,
 * and of each row only the columns up to the last one that matters are taken
 * apart. In a leaf the columns may stand in another order; then those that rules
 * read, and the key, are put into their places.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "optimizer/plancat.h"
#include "utils/lsyscache.h"

#include "assign/source.h"
#include "assign/target.h"
#include "base/catalog.h"

/*
 * source_tables lists the tables that hold an object's records. An attached
 * table has a primary key and no children by inheritance, so that they are
 * itself, or partitions which are no foreign tables.
 */
List *
source_tables(Oid object)
{
	List	   *tables = NIL;
	ListCell   *cell;

	foreach(cell, find_all_inheritors(object, AccessShareLock, NULL))
	{
		char		kind = get_rel_relkind(lfirst_oid(cell));

		if (kind == RELKIND_RELATION)
			tables = lappend_oid(tables, lfirst_oid(cell));
		else if (kind != RELKIND_PARTITIONED_TABLE)
			elog(ERROR, "table %s holds records of an attached table", catalog_qualified_name(lfirst_oid(cell)));
	}
	return tables;
}

/*
 * source_estimate adds up the planner's estimates.
 */
double
source_estimate(List *relids, double *pages)
{
	double		rows = 0;
	ListCell   *cell;

	*pages = 0;
	foreach(cell, relids)
	{
		Relation	rel = table_open(lfirst_oid(cell), AccessShareLock);
		BlockNumber table_pages;
		double		tuples;
		double		visible;

		estimate_rel_size(rel, NULL, &table_pages, &tuples, &visible);
		*pages += table_pages;
		rows += tuples;
		table_close(rel, NoLock);
	}
	return rows;
}

/*
 * source_open readies a source; the first table is opened by source_next.
 */
void
source_open(Source *source, const Ruleset *rules, List *relids, Snapshot snapshot)
{
	memset(source, 0, sizeof(Source));
	source->rules = rules;
	source->relids = relids;
	source->snapshot = snapshot;
	source->columns = palloc0((rules->max_attno + 1) * sizeof(AttrNumber));
}

/*
 * source_open_shared readies a source of a share of the records.
 */
void
source_open_shared(Source *source, const Ruleset *rules, List *relids, SharedTables *shared)
{
	source_open(source, rules, relids, InvalidSnapshot);
	source->shared = shared;
}

/*
 * take_column notes where the open table has a column of the object.
 */
static void
take_column(Source *source, const Target *target, AttrNumber attno)
{
	AttrNumber	column = target_column(target, attno);

	source->columns[attno] = column;
	source->max_attno = Max(source->max_attno, column);
}

/*
 * next_table chooses the table to read next; false: none is left.
 */
static bool
next_table(Source *source)
{
	if (source->shared)
		source->table = shared_next(source->shared, &source->next);
	else
		source->table = source->next < list_length(source->relids) ? source->next++ : -1;
	return source->table >= 0;
}

/*
 * open_table begins to read the table that was chosen.
 */
static void
open_table(Source *source)
{
	const Ruleset *rules = source->rules;
	const Target *target;
	int			attno = -1;

	source->rel = table_open(list_nth_oid(source->relids, source->table), AccessShareLock);
	target = target_find(source->rel);
	source->max_attno = 0;
	while ((attno = bms_next_member(rules->columns, attno)) > 0)
		take_column(source, target, attno);
	source->key_attno = source->columns[rules->object.key_attno];
	source->slot = table_slot_create(source->rel, NULL);
	if (target->map)
	{
		source->mapped = MakeSingleTupleTableSlot(rules->desc, &TTSOpsVirtual);
		ExecStoreAllNullTuple(source->mapped);
	}
	if (source->shared)
		source->scan = table_beginscan_parallel(source->rel, shared_scan(source->shared, source->table));
	else
		source->scan = table_beginscan(source->rel, source->snapshot, 0, NULL);
}

/*
 * close_table ends reading a table.
 */
static void
close_table(Source *source)
{
	if (source->rel == NULL)
		return;
	table_endscan(source->scan);
	if (source->mapped)
		ExecDropSingleTupleTableSlot(source->mapped);
	source->mapped = NULL;
	ExecDropSingleTupleTableSlot(source->slot);
	table_close(source->rel, NoLock);
	source->rel = NULL;
}

/*
 * source_close ends reading.
 */
void
source_close(Source *source)
{
	close_table(source);
	pfree(source->columns);
}

/*
 * source_next goes to the next record.
 */
bool
source_next(Source *source)
{
	CHECK_FOR_INTERRUPTS();
	for (;;)
	{
		if (source->rel != NULL)
		{
			if (table_scan_getnextslot(source->scan, ForwardScanDirection, source->slot))
				return true;
			if (source->shared)
				source->shared->tables[source->table].finished = true;
			close_table(source);
		}
		if (!next_table(source))
			return false;
		open_table(source);
	}
}

/*
 * source_key returns the record's key, with as few columns taken apart as need be.
 */
Datum
source_key(Source *source, bool *isnull)
{
	return slot_getattr(source->slot, source->key_attno, isnull);
}

/*
 * source_row returns the record's row with the object's columns.
 */
TupleTableSlot *
source_row(Source *source)
{
	TupleTableSlot *from = source->slot;
	TupleTableSlot *to = source->mapped;

	slot_getsomeattrs(from, source->max_attno);
	if (to == NULL)
		return from;
	for (int attno = 1; attno <= source->rules->max_attno; attno++)
	{
		AttrNumber	column = source->columns[attno];

		if (column == 0)
			continue;
		to->tts_values[attno - 1] = from->tts_values[column - 1];
		to->tts_isnull[attno - 1] = from->tts_isnull[column - 1];
	}
	return to;
}
