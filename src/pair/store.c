/*
 * store.c
 *		Direct access to an assignment table, without SQL.
 *
 * Pairs are written as COPY writes rows: a buffer of them into the table at a
 * time, then their index entries. The entries of an index that begins with
 * node_id are put in by node, so that those of one leaf page follow each other.
 * Stored pairs are found through the primary key, and changed where they stand.
 *
 * All of that passes the executor by, and with it whatever a user may have put
 * on the table. So it is done only where there is nothing to pass by: the
 * columns are those that attach made, and no constraint, rule or trigger would
 * look at the rows (bare.c). Row-level security does not apply, for the engine works as the owner.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "base/session.h"
#include "compat.h"
#include "pair/bare.h"
#include "pair/store.h"

/* columns of an assignment table */
enum
{
	COLUMN_KEY = 1,
	COLUMN_NODE,
	COLUMN_RULE,
	COLUMN_MANUAL,
	COLUMN_SINCE,
	COLUMNS = COLUMN_SINCE
};

/* pairs that are written to the table at a time */
#define BUFFER_PAIRS 512

/* keys from which on it pays to ask first whether there is anything in their range */
#define PROBE_KEYS 8

struct Store
{
	const ObjectInfo *object;
	Relation	rel;
	Relation	key_index;		/* the primary key's */
	ResultRelInfo *result;		/* with the indexes, when open; else NULL */
	bool		plain;			/* result: each index is of columns, and checked at once */
	MemoryContext scratch;		/* of index entries */
};

/*
 * has_layout tells whether the table is as attach made it, but for triggers and
 * indexes.
 */
static bool
has_layout(Relation rel, const ObjectInfo *object)
{
	return bare_table(rel, object, COLUMNS) &&
		bare_column(rel, COLUMN_KEY, NameStr(object->key_column), object->key_type, object->key_collation, true) &&
		bare_column(rel, COLUMN_NODE, "node_id", INT4OID, InvalidOid, true) &&
		bare_column(rel, COLUMN_RULE, "rule_id", INT4OID, InvalidOid, false) &&
		bare_column(rel, COLUMN_MANUAL, "manual", BOOLOID, InvalidOid, true) &&
		bare_column(rel, COLUMN_SINCE, "since", TIMESTAMPTZOID, InvalidOid, true);
}

/*
 * open_key_index opens the primary key's index, or returns NULL when that is
 * not (key, node_id) in the keys' order.
 */
static Relation
open_key_index(Relation rel, Oid type)
{
	Oid			oid = territory_primary_key(rel);
	Relation	index;
	Form_pg_index form;

	if (!OidIsValid(oid))
		return NULL;
	index = index_open(oid, RowExclusiveLock);
	form = index->rd_index;
	if (index->rd_rel->relam == BTREE_AM_OID && form->indisvalid && form->indimmediate &&
		form->indnkeyatts == 2 && form->indkey.values[0] == COLUMN_KEY && form->indkey.values[1] == COLUMN_NODE &&
		index->rd_opfamily[0] == lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY)->btree_opf &&
		index->rd_indcollation[0] == TupleDescAttr(RelationGetDescr(rel), COLUMN_KEY - 1)->attcollation &&
		index->rd_indoption[0] == 0 && index->rd_indoption[1] == 0)
		return index;
	index_close(index, NoLock);
	return NULL;
}

/*
 * store_open opens an assignment table for reading and writing.
 */
Store *
store_open(const ObjectInfo *object)
{
	Relation	rel = table_open(object->assignment, RowExclusiveLock);
	Relation	key_index = NULL;
	Store	   *store;

	if (has_layout(rel, object))
		key_index = open_key_index(rel, object->key_type);
	if (key_index == NULL)
	{
		table_close(rel, NoLock);
		return NULL;
	}
	store = palloc0(sizeof(Store));
	store->object = object;
	store->rel = rel;
	store->key_index = key_index;
	return store;
}

/*
 * store_close closes the table; the locks stay, as after any write.
 */
void
store_close(Store *store)
{
	if (store->result)
		ExecCloseIndices(store->result);
	if (store->scratch)
		MemoryContextDelete(store->scratch);
	index_close(store->key_index, NoLock);
	table_close(store->rel, NoLock);
	pfree(store);
}

/*
 * store_may tells whether nothing would look at what a command does.
 */
bool
store_may(const Store *store, CmdType command)
{
	return bare_of_triggers(store->rel, command);
}

/*
 * init_key prepares the comparison of the index's first column with a key.
 */
static void
init_key(ScanKey scan_key, Relation index, StrategyNumber strategy, Datum key)
{
	Oid			type = index->rd_opcintype[0];
	Oid			comparison = get_opfamily_member(index->rd_opfamily[0], type, type, strategy);

	ScanKeyEntryInitialize(scan_key, 0, 1, strategy, type, index->rd_indcollation[0],
						   get_opcode(comparison), key);
}

/* Stored pairs, while they are collected. */
typedef struct Found
{
	int			count;
	int			room;
	StoredPair *pairs;
} Found;

/*
 * keep_pair appends the pair in a slot.
 */
static void
keep_pair(Found *found, TupleTableSlot *slot, int record)
{
	StoredPair *pair;
	bool		isnull;

	if (found->count == found->room)
	{
		found->room = Max(16, found->room * 2);
		found->pairs = found->pairs ?
			repalloc_huge(found->pairs, found->room * sizeof(StoredPair)) :
			palloc(found->room * sizeof(StoredPair));
	}
	pair = &found->pairs[found->count++];
	slot_getsomeattrs(slot, COLUMN_SINCE);
	isnull = slot->tts_isnull[COLUMN_RULE - 1];
	pair->record = record;
	pair->node_id = DatumGetInt32(slot->tts_values[COLUMN_NODE - 1]);
	pair->rule_id = isnull ? 0 : DatumGetInt32(slot->tts_values[COLUMN_RULE - 1]);
	pair->manual = DatumGetBool(slot->tts_values[COLUMN_MANUAL - 1]);
	pair->row = slot->tts_tid;
	pair->since = DatumGetTimestampTz(slot->tts_values[COLUMN_SINCE - 1]);
}

/*
 * look_up_keys finds the pairs of each key by a look-up of its own.
 */
static void
look_up_keys(Store *store, Snapshot snapshot, TupleTableSlot *slot, const KeySet *keys, Found *found)
{
	IndexScanDesc scan = territory_index_beginscan(store->rel, store->key_index, snapshot, 1);
	ScanKeyData scan_key;

	init_key(&scan_key, store->key_index, BTEqualStrategyNumber, (Datum) 0);
	for (int i = 0; i < keys->count; i++)
	{
		scan_key.sk_argument = keyset_at(keys, i);
		index_rescan(scan, &scan_key, 1, NULL, 0);
		while (index_getnext_slot(scan, ForwardScanDirection, slot))
			keep_pair(found, slot, keys->order[i]);
	}
	index_endscan(scan);
}

/*
 * merge_range reads all pairs from the least key to the greatest and keeps those
 * of the keys. It stops at the first one, with false, where the keys stand too
 * far apart for that.
 */
static bool
merge_range(Store *store, Snapshot snapshot, TupleTableSlot *slot, const KeySet *keys, Found *found)
{
	IndexScanDesc scan = territory_index_beginscan(store->rel, store->key_index, snapshot, 2);
	ScanKeyData range[2];
	int			next = 0;
	bool		merge = true;

	init_key(&range[0], store->key_index, BTGreaterEqualStrategyNumber, keyset_at(keys, 0));
	init_key(&range[1], store->key_index, BTLessEqualStrategyNumber, keyset_at(keys, keys->count - 1));
	index_rescan(scan, range, 2, NULL, 0);
	while (merge && index_getnext_slot(scan, ForwardScanDirection, slot))
	{
		bool		isnull;
		Datum		key = slot_getattr(slot, COLUMN_KEY, &isnull);

		merge = keyset_is_dense(keys);
		while (merge && keyset_compare(keys, keyset_at(keys, next), key) < 0)
			next++;
		if (merge && keyset_compare(keys, keyset_at(keys, next), key) == 0)
			keep_pair(found, slot, keys->order[next]);
	}
	index_endscan(scan);
	return merge;
}

/*
 * store_fetch reads the stored pairs of some records by the newest snapshot.
 */
int
store_fetch(Store *store, const KeySet *keys, StoredPair **stored)
{
	Found		found = {0};
	TupleTableSlot *slot = table_slot_create(store->rel, NULL);
	Snapshot	snapshot;

	CommandCounterIncrement();
	snapshot = RegisterSnapshot(session_latest_snapshot());
	if (keys->count < PROBE_KEYS || !merge_range(store, snapshot, slot, keys, &found))
		look_up_keys(store, snapshot, slot, keys, &found);
	UnregisterSnapshot(snapshot);
	ExecDropSingleTupleTableSlot(slot);
	if (found.count > 1)
		qsort(found.pairs, found.count, sizeof(StoredPair), pair_compare_stored);
	*stored = found.pairs;
	return found.count;
}

/*
 * open_indexes opens the table's indexes for writing.
 */
static void
open_indexes(Store *store)
{
	if (store->result != NULL)
		return;
	store->scratch = AllocSetContextCreate(CurrentMemoryContext, "territory index entries",
										   ALLOCSET_DEFAULT_SIZES);
	store->result = makeNode(ResultRelInfo);
	InitResultRelInfo(store->result, store->rel, 0, NULL, 0);
	ExecOpenIndices(store->result, false);
	store->plain = true;
	for (int i = 0; i < store->result->ri_NumIndices; i++)
		store->plain &= bare_index(store->result->ri_IndexRelationDescs[i], store->result->ri_IndexRelationInfo[i]);
}

/*
 * begin_write readies a store for a command.
 */
static void
begin_write(Store *store, SessionRole *role, const char *command)
{
	PreventCommandIfReadOnly(command);
	open_indexes(store);
	session_become(role, store->object->owner);
}

/*
 * end_write makes what was written visible to the next command.
 */
static void
end_write(const SessionRole *role)
{
	session_restore_role(role);
	CommandCounterIncrement();
}

/*
 * pair_column returns a column of a pair that is added.
 */
static inline Datum
pair_column(const Pair *pair, AttrNumber column, TimestampTz since, bool *isnull)
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
		default:
			return TimestampTzGetDatum(since);
	}
}

/*
 * fill_slot puts a pair into a slot.
 */
static void
fill_slot(TupleTableSlot *slot, const Pair *pair, TimestampTz since)
{
	ExecClearTuple(slot);
	for (int i = 0; i < COLUMNS; i++)
		slot->tts_values[i] = pair_column(pair, i + 1, since, &slot->tts_isnull[i]);
	ExecStoreVirtualTuple(slot);
}

/*
 * make_slots makes the slots of a buffer. Their descriptor is a copy, which
 * nobody has to be told of for each slot.
 */
static TupleTableSlot **
make_slots(Store *store, int count)
{
	TupleDesc	desc = CreateTupleDescCopy(RelationGetDescr(store->rel));
	const TupleTableSlotOps *kind = table_slot_callbacks(store->rel);
	TupleTableSlot **slots = palloc(count * sizeof(TupleTableSlot *));

	for (int i = 0; i < count; i++)
		slots[i] = MakeSingleTupleTableSlot(desc, kind);
	return slots;
}

/*
 * insert_entries puts the entries of a buffer into all indexes, as the executor
 * does it.
 */
static void
insert_entries(Store *store, TupleTableSlot **slots, int count)
{
	EState	   *estate = CreateExecutorState();

	for (int i = 0; i < count; i++)
	{
		territory_insert_index_tuples(store->result, slots[i], estate, TU_All);
		ResetPerTupleExprContext(estate);
	}
	FreeExecutorState(estate);
}

/*
 * insert_rows puts pairs into the table and notes where they stand; for indexes
 * that are not plain ones, their entries too.
 */
static void
insert_rows(Store *store, const PairList *list, TimestampTz since)
{
	int			room = Min(list->count, BUFFER_PAIRS);
	TupleTableSlot **slots = make_slots(store, room);
	CommandId	command = GetCurrentCommandId(true);

	for (int first = 0; first < list->count; first += room)
	{
		int			count = Min(room, list->count - first);

		for (int i = 0; i < count; i++)
			fill_slot(slots[i], &list->pairs[first + i], since);
		table_multi_insert(store->rel, slots, count, command, 0, NULL);
		for (int i = 0; i < count; i++)
			list->pairs[first + i].row = slots[i]->tts_tid;
		if (!store->plain)
			insert_entries(store, slots, count);
	}
	for (int i = 0; i < room; i++)
		ExecDropSingleTupleTableSlot(slots[i]);
	table_finish_bulk_insert(store->rel, 0);
}

/* A pair of a list, to be sorted by its node. */
typedef struct NodeOrder
{
	int32		node_id;
	int			index;
} NodeOrder;

#define ST_SORT sort_by_node
#define ST_ELEMENT_TYPE NodeOrder
#define ST_COMPARE(a, b) \
	((a)->node_id != (b)->node_id ? ((a)->node_id > (b)->node_id ? 1 : -1) : \
	 ((a)->index > (b)->index) - ((a)->index < (b)->index))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * by_node returns the order of the pairs by node.
 */
static NodeOrder *
by_node(const PairList *list)
{
	NodeOrder  *order = palloc_extended(list->count * sizeof(NodeOrder), MCXT_ALLOC_HUGE);

	for (int i = 0; i < list->count; i++)
		order[i] = (NodeOrder) {list->pairs[i].node_id, i};
	sort_by_node(order, list->count);
	return order;
}

/*
 * insert_entry puts a pair's entry into a plain index.
 */
static void
insert_entry(Store *store, Relation index, IndexInfo *info, Pair *pair, TimestampTz since)
{
	Datum		values[INDEX_MAX_KEYS];
	bool		nulls[INDEX_MAX_KEYS];

	for (int i = 0; i < info->ii_NumIndexAttrs; i++)
		values[i] = pair_column(pair, info->ii_IndexAttrNumbers[i], since, &nulls[i]);
	(void) index_insert(index, values, nulls, &pair->row, store->rel,
						index->rd_index->indisunique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO, false, info);
}

/*
 * fill_index puts the entries of all pairs into a plain index.
 */
static void
fill_index(Store *store, int number, const PairList *list, TimestampTz since)
{
	Relation	index = store->result->ri_IndexRelationDescs[number];
	IndexInfo  *info = store->result->ri_IndexRelationInfo[number];
	NodeOrder  *order = NULL;
	MemoryContext old;

	if (!info->ii_ReadyForInserts)
		return;
	if (info->ii_IndexAttrNumbers[0] == COLUMN_NODE && list->count > 1)
		order = by_node(list);
	old = MemoryContextSwitchTo(store->scratch);
	for (int i = 0; i < list->count; i++)
	{
		insert_entry(store, index, info, &list->pairs[order ? order[i].index : i], since);
		if (i % BUFFER_PAIRS == 0)
		{
			CHECK_FOR_INTERRUPTS();
			MemoryContextReset(store->scratch);
		}
	}
	MemoryContextSwitchTo(old);
	if (order)
		pfree(order);
}

/*
 * store_insert adds pairs. The indexes check that they were not there.
 */
void
store_insert(Store *store, const PairList *list, TimestampTz since)
{
	SessionRole role;

	if (list->count == 0)
		return;
	begin_write(store, &role, "INSERT");
	insert_rows(store, list, since);
	for (int i = 0; store->plain && i < store->result->ri_NumIndices; i++)
		fill_index(store, i, list, since);
	end_write(&role);
}

/*
 * keep_rest appends a pair that could not be changed where it stood.
 */
static void
keep_rest(PairList *rest, const Pair *pair)
{
	pair_append(rest, pair->key, pair->node_id, pair->rule_id, NULL)->manual = pair->manual;
}

/*
 * store_delete removes fetched pairs, and notes what they were.
 */
void
store_delete(Store *store, const PairList *list, PairList *rest, PastList *past)
{
	SessionRole role;
	CommandId	command;

	if (list->count == 0)
		return;
	begin_write(store, &role, "DELETE");
	CheckCmdReplicaIdentity(store->rel, CMD_DELETE);
	command = GetCurrentCommandId(true);
	for (int i = 0; i < list->count; i++)
	{
		TM_FailureData failure;

		CHECK_FOR_INTERRUPTS();
		if (table_tuple_delete(store->rel, &list->pairs[i].row, command, SnapshotSelf, InvalidSnapshot,
							   true, &failure, false) != TM_Ok)
			keep_rest(rest, &list->pairs[i]);
		else
			past_append(past, &list->pairs[i], false);
	}
	end_write(&role);
}

/*
 * set_rule changes a pair where it stands; false when somebody else did.
 */
static bool
set_rule(Store *store, Pair *pair, CommandId command, TupleTableSlot *old, TupleTableSlot *new, EState *estate)
{
	TM_FailureData failure;
	LockTupleMode mode;
	TU_UpdateIndexes which;
	ItemPointerData row = pair->row;

	if (!table_tuple_fetch_row_version(store->rel, &row, SnapshotSelf, old))
		return false;
	slot_getallattrs(old);
	ExecClearTuple(new);
	memcpy(new->tts_values, old->tts_values, COLUMNS * sizeof(Datum));
	memcpy(new->tts_isnull, old->tts_isnull, COLUMNS * sizeof(bool));
	new->tts_values[COLUMN_RULE - 1] = Int32GetDatum(pair->rule_id);
	new->tts_isnull[COLUMN_RULE - 1] = pair->rule_id == 0;
	new->tts_values[COLUMN_MANUAL - 1] = BoolGetDatum(pair->manual);
	ExecStoreVirtualTuple(new);
	if (table_tuple_update(store->rel, &row, new, command, SnapshotSelf, InvalidSnapshot,
						   true, &failure, &mode, &which) != TM_Ok)
		return false;
	if (which != TU_None)
	{
		territory_insert_index_tuples(store->result, new, estate, which);
		ResetPerTupleExprContext(estate);
	}
	return true;
}

/*
 * store_set_rule sets the rule of fetched pairs, or none, and whether they are
 * manual, and notes what they were.
 */
void
store_set_rule(Store *store, const PairList *list, PairList *rest, PastList *past)
{
	SessionRole role;
	CommandId	command;
	TupleTableSlot *old;
	TupleTableSlot *new;
	EState	   *estate;

	if (list->count == 0)
		return;
	begin_write(store, &role, "UPDATE");
	CheckCmdReplicaIdentity(store->rel, CMD_UPDATE);
	command = GetCurrentCommandId(true);
	old = table_slot_create(store->rel, NULL);
	new = table_slot_create(store->rel, NULL);
	estate = CreateExecutorState();
	for (int i = 0; i < list->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!set_rule(store, &list->pairs[i], command, old, new, estate))
			keep_rest(rest, &list->pairs[i]);
		else
			past_append(past, &list->pairs[i], true);
	}
	FreeExecutorState(estate);
	ExecDropSingleTupleTableSlot(new);
	ExecDropSingleTupleTableSlot(old);
	end_write(&role);
}
