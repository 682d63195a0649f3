/*
 * pair_source.c
 *		Assignment tables, read for whoever is asking.
 *
 * A policy has no use for the asker's rights on the assignment table, nor for the
 * policies of that: it reads the table by itself, past planner and executor, by the
 * snapshot of the query. What is in the index is enough where all transactions see
 * the page, as in an index-only scan.
 */
#include "postgres.h"

#include "access/relscan.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/visibilitymap.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "access/pair_source.h"
#include "base/catalog.h"
#include "base/inval.h"
#include "base/session.h"
#include "compat.h"
#include "pair/stored.h"

/* An assignment table that was asked for. */
typedef struct KnownSource
{
	Oid			assignment;		/* hash key */
	uint32		generations[2]; /* of itself, and of the table that its records are in, which stands for its attachment */
	Oid			index;			/* of its primary key, if that is as attach made it; InvalidOid: not looked at yet */
	ObjectInfo	object;
} KnownSource;

static HTAB *known_sources = NULL;

/*
 * read_object finds the attached table that an assignment table belongs to.
 */
static void
read_object(Oid assignment, ObjectInfo *object)
{
	static KeptStatement find = {
		"SELECT object FROM territory.object WHERE assignment OPERATOR(pg_catalog.=) $1",
		SPI_OK_SELECT, 1, {OIDOID}
	};
	Datum		values[1] = {ObjectIdGetDatum(assignment)};
	SessionRole role;
	bool		isnull;

	SPI_connect();
	session_become(&role, catalog_owner());
	session_execute_kept(&find, values, NULL);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 get_rel_name(assignment) ?
				 errmsg("%s holds the territories of no attached table", catalog_qualified_name(assignment)) :
				 errmsg("relation with OID %u does not exist", assignment)));
	object_require(DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull)), object);
	session_restore_role(&role);
	SPI_finish();
}

/*
 * find_source looks an assignment table up, once until something about it changes.
 */
static KnownSource *
find_source(Oid assignment)
{
	KnownSource *known;
	ObjectInfo	object;
	uint32		own = inval_generation(assignment);

	if (known_sources == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(Oid),.entrysize = sizeof(KnownSource),.hcxt = CacheMemoryContext};

		known_sources = hash_create("territory assignment tables", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	known = hash_search(known_sources, &assignment, HASH_FIND, NULL);
	if (known != NULL && known->generations[0] == own &&
		known->generations[1] == inval_generation(known->object.object))
		return known;
	read_object(assignment, &object);
	known = hash_search(known_sources, &assignment, HASH_ENTER, NULL);
	known->object = object;
	known->generations[0] = own;
	known->generations[1] = inval_generation(object.object);
	known->index = InvalidOid;
	return known;
}

const ObjectInfo *
pair_source_object(Oid assignment)
{
	return &find_source(assignment)->object;
}

/*
 * is_key_index tells whether an index is the one that attach made.
 */
static bool
is_key_index(const PairSource *source)
{
	const char *key = NameStr(source->object->key_column);
	Form_pg_index form = source->index->rd_index;

	return form->indnkeyatts == 2 &&
		form->indkey.values[0] == get_attnum(RelationGetRelid(source->table), key) &&
		form->indkey.values[1] == get_attnum(RelationGetRelid(source->table), "node_id");
}

/*
 * pair_source_open opens an assignment table.
 */
void
pair_source_open(PairSource *source, Oid assignment)
{
	KnownSource *known;
	Oid			index;

	source->table = table_open(assignment, AccessShareLock);
	known = find_source(assignment);
	source->object = &known->object;
	index = OidIsValid(known->index) ? known->index : territory_primary_key(source->table);
	source->index = OidIsValid(index) ? index_open(index, AccessShareLock) : NULL;
	if (index == known->index && OidIsValid(index))
		return;
	if (source->index == NULL || !is_key_index(source))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the primary key of %s is no longer (%s, node_id)", catalog_qualified_name(assignment),
						NameStr(source->object->key_column)),
				 errhint("Row-level security finds a record's territories by it.")));
	known->index = index;
}

/*
 * pair_source_close closes it; the locks stay.
 */
void
pair_source_close(PairSource *source)
{
	index_close(source->index, NoLock);
	table_close(source->table, NoLock);
}

/*
 * pair_scan_begin begins to read a range.
 */
void
pair_scan_begin(PairScan *scan, const PairSource *source, Snapshot snapshot, int strategy, Datum key)
{
	Oid			family = source->index->rd_opfamily[0];
	Oid			type = source->index->rd_opcintype[0];
	Oid			operator = get_opfamily_member(family, type, type, strategy);

	ScanKeyEntryInitialize(&scan->bound, 0, 1, strategy, InvalidOid, source->index->rd_indcollation[0],
						   get_opcode(operator), key);
	scan->source = source;
	scan->visibility = InvalidBuffer;
	scan->slot = NULL;
	scan->scan = territory_index_beginscan(source->table, source->index, snapshot, 1);
	scan->scan->xs_want_itup = true;
	index_rescan(scan->scan, &scan->bound, 1, NULL, 0);
}

/*
 * is_visible tells whether the pair that the index has found is there.
 */
static bool
is_visible(PairScan *scan, ItemPointer tid)
{
	BlockNumber block = ItemPointerGetBlockNumber(tid);

	if (VM_ALL_VISIBLE(scan->source->table, block, &scan->visibility))
	{
		PredicateLockPage(scan->source->table, block, scan->scan->xs_snapshot);
		return true;
	}
	if (scan->slot == NULL)
		scan->slot = table_slot_create(scan->source->table, NULL);
	if (!index_fetch_heap(scan->scan, scan->slot))
		return false;
	ExecClearTuple(scan->slot);
	return true;
}

/*
 * pair_scan_next reads the next pair; false: there is none.
 */
bool
pair_scan_next(PairScan *scan, SourcePair *pair)
{
	TupleDesc	desc = scan->scan->xs_itupdesc;
	ItemPointer tid;
	bool		isnull;

	CHECK_FOR_INTERRUPTS();
	while ((tid = index_getnext_tid(scan->scan, ForwardScanDirection)) != NULL)
	{
		if (!is_visible(scan, tid))
			continue;
		pair->key = index_getattr(scan->scan->xs_itup, 1, desc, &isnull);
		pair->node_id = DatumGetInt32(index_getattr(scan->scan->xs_itup, 2, desc, &isnull));
		return true;
	}
	return false;
}

/*
 * pair_scan_end ends reading.
 */
void
pair_scan_end(PairScan *scan)
{
	if (BufferIsValid(scan->visibility))
		ReleaseBuffer(scan->visibility);
	index_endscan(scan->scan);
	if (scan->slot)
		ExecDropSingleTupleTableSlot(scan->slot);
}

/* Keys that are being gathered. */
typedef struct KeyList
{
	Datum	   *keys;
	int			count;
	int			size;
	bool		byval;
	int16		typlen;
} KeyList;

static void
add_key(KeyList *list, Datum key)
{
	if (list->count == list->size)
	{
		list->size *= 2;
		list->keys = repalloc_huge(list->keys, list->size * sizeof(Datum));
	}
	list->keys[list->count++] = datumCopy(key, list->byval, list->typlen);
}

/*
 * node_index opens an index that finds pairs by their node; NULL: there is none.
 */
static Relation
node_index(const PairSource *source)
{
	AttrNumber	column = get_attnum(RelationGetRelid(source->table), "node_id");
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(source->table))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		if (index->rd_index->indisvalid && index->rd_index->indkey.values[0] == column &&
			index->rd_rel->relam == BTREE_AM_OID && RelationGetIndexPredicate(index) == NIL)
			return index;
		index_close(index, NoLock);
	}
	return NULL;
}

/*
 * gather_by_index gathers the keys of some nodes by an index.
 */
static void
gather_by_index(const PairSource *source, Relation index, Snapshot snapshot, const int32 *nodes, int node_count, KeyList *list)
{
	AttrNumber	column = get_attnum(RelationGetRelid(source->table), NameStr(source->object->key_column));
	IndexScanDesc scan = territory_index_beginscan(source->table, index, snapshot, 1);
	TupleTableSlot *slot = table_slot_create(source->table, NULL);
	bool		isnull;

	for (int i = 0; i < node_count; i++)
	{
		ScanKeyData key;

		CHECK_FOR_INTERRUPTS();
		ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(nodes[i]));
		index_rescan(scan, &key, 1, NULL, 0);
		while (index_getnext_slot(scan, ForwardScanDirection, slot))
			add_key(list, slot_getattr(slot, column, &isnull));
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
}

/*
 * gather_by_reading gathers the keys of some nodes out of the whole table.
 */
static void
gather_by_reading(const PairSource *source, Snapshot snapshot, const int32 *nodes, int node_count, KeyList *list)
{
	StoredScan	stored;
	StoredRow	row;

	stored_open(&stored, source->object, snapshot);
	while (stored_next(&stored, &row))
	{
		int			low = 0;
		int			high = node_count;

		while (low < high)
		{
			int			middle = low + (high - low) / 2;

			if (nodes[middle] < row.node_id)
				low = middle + 1;
			else
				high = middle;
		}
		if (low < node_count && nodes[low] == row.node_id)
			add_key(list, row.key);
	}
	stored_close(&stored);
}

/*
 * pair_source_keys gathers the keys of the pairs with some nodes.
 */
int
pair_source_keys(const PairSource *source, Snapshot snapshot, const int32 *nodes, int node_count, Datum **keys)
{
	Relation	index = node_index(source);
	KeyList		list = {.count = 0,.size = 64};

	get_typlenbyval(source->object->key_type, &list.typlen, &list.byval);
	list.keys = palloc(list.size * sizeof(Datum));
	if (index != NULL)
	{
		gather_by_index(source, index, snapshot, nodes, node_count, &list);
		index_close(index, NoLock);
	}
	else
		gather_by_reading(source, snapshot, nodes, node_count, &list);
	*keys = list.keys;
	return list.count;
}
