/*
 * expanded.c
 *		The expanded form of territory.rollup: a hash table by path.
 *
 * Who holds the read-write pointer of an expanded object may change it in
 * place, so an aggregate's transition costs one look-up in the table. Reading
 * it, also by way of the read-only pointer, goes through the flat form.
 *
 * An entry whose count and sum are both 0 may stand in the table, but is never
 * written to the flat form; hence an error between the insertion of an entry
 * and its first change does no harm.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "forecast/decimal.h"
#include "forecast/rollup.h"
#include "miscadmin.h"
#include "storage/shmem.h"		/* mul_size, in older minor releases */
#include "utils/memutils.h"

#define EXPANDED_ROLLUP_MAGIC	0x7E441701
#define INITIAL_ENTRIES			8

typedef struct RollupKey
{
	const char *path;
	Size		size;
} RollupKey;

typedef struct RollupEntry
{
	RollupKey	key;			/* points into the object's own memory */
	int64		count;
	DecimalSum	sum;
	uint32		hash;
	char		status;			/* for simplehash */
} RollupEntry;

/*
 * key_hash and keys_equal work on the payload's bytes.
 */
static inline uint32
key_hash(RollupKey key)
{
	return hash_bytes((const unsigned char *) key.path, (int) key.size);
}

static inline bool
keys_equal(RollupKey a, RollupKey b)
{
	return a.size == b.size && memcmp(a.path, b.path, a.size) == 0;
}

#define SH_PREFIX rollup_table
#define SH_ELEMENT_TYPE RollupEntry
#define SH_KEY_TYPE RollupKey
#define SH_KEY key
#define SH_HASH_KEY(table, key) key_hash(key)
#define SH_EQUAL(table, a, b) keys_equal(a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(table, entry) ((entry)->hash)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct ExpandedRollup
{
	ExpandedObjectHeader header;
	int			magic;
	rollup_table_hash *table;

	/* those of the flat form; NULL when the table has changed since */
	RollupItem *items;
	uint32		nitems;
};

static Size get_flat_size(ExpandedObjectHeader *object);
static void flatten_into(ExpandedObjectHeader *object, void *result, Size allocated_size);

static const ExpandedObjectMethods rollup_methods = {
	get_flat_size,
	flatten_into
};

/*
 * expanded_rollup_create returns an empty rollup in a context of its own below
 * parent.
 */
ExpandedRollup *
expanded_rollup_create(MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "territory.rollup",
												  ALLOCSET_START_SMALL_SIZES);
	ExpandedRollup *rollup = MemoryContextAllocZero(context, sizeof(ExpandedRollup));

	EOH_init_header(&rollup->header, &rollup_methods, context);
	rollup->magic = EXPANDED_ROLLUP_MAGIC;
	rollup->table = rollup_table_create(context, INITIAL_ENTRIES, NULL);
	return rollup;
}

/*
 * expanded_rollup_from_datum returns a rollup that the caller may change: the
 * datum's own object if it is read-write, else a copy below parent.
 */
ExpandedRollup *
expanded_rollup_from_datum(Datum datum, MemoryContext parent)
{
	ExpandedRollup *rollup;

	if (VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(datum)))
	{
		rollup = (ExpandedRollup *) DatumGetEOHP(datum);
		Assert(rollup->magic == EXPANDED_ROLLUP_MAGIC);
		return rollup;
	}

	rollup = expanded_rollup_create(parent);
	expanded_rollup_add(rollup, rollup_from_datum(datum));
	return rollup;
}

/*
 * expanded_rollup_datum returns the read-write pointer.
 */
Datum
expanded_rollup_datum(ExpandedRollup *rollup)
{
	return EOHPGetRWDatum(&rollup->header);
}

/*
 * expanded_rollup_flatten returns the flat form in the current context.
 */
Rollup *
expanded_rollup_flatten(ExpandedRollup *rollup)
{
	Size		size = get_flat_size(&rollup->header);
	Rollup	   *result = palloc(size);

	flatten_into(&rollup->header, result, size);
	return result;
}

/*
 * find_or_insert returns the entry of a path, a new one with count and sum 0
 * if there was none. The key is copied before the table points to it, so that
 * running out of memory leaves the table whole.
 */
static RollupEntry *
find_or_insert(ExpandedRollup *rollup, const char *path, Size path_size, bool *found)
{
	RollupKey	key = {path, path_size};
	uint32		hash = key_hash(key);
	RollupEntry *entry = rollup_table_lookup_hash(rollup->table, key, hash);
	char	   *copy;

	*found = (entry != NULL);
	if (*found)
		return entry;

	copy = MemoryContextAlloc(rollup->header.eoh_context, path_size);
	memcpy(copy, path, path_size);
	key.path = copy;
	entry = rollup_table_insert_hash(rollup->table, key, hash, found);
	Assert(!*found);
	entry->count = 0;
	memset(&entry->sum, 0, sizeof(entry->sum));
	return entry;
}

/*
 * forget_items drops the items of the flat form, which a change makes stale.
 */
static inline void
forget_items(ExpandedRollup *rollup)
{
	if (rollup->items == NULL)
		return;
	pfree(rollup->items);
	rollup->items = NULL;
}

/*
 * add_to_path adds a count and an amount to a path; an error leaves the value
 * as it was.
 */
static inline void
add_to_path(ExpandedRollup *rollup, const char *path, Size path_size, int64 count, Datum amount)
{
	bool		found;
	RollupEntry *entry = find_or_insert(rollup, path, path_size, &found);

	forget_items(rollup);
	count = rollup_add_counts(entry->count, count);
	decimal_sum_add(&entry->sum, amount, rollup->header.eoh_context);
	entry->count = count;
}

/*
 * expanded_rollup_insert adds an entry; false, and nothing done, if there is
 * one for its path already.
 */
bool
expanded_rollup_insert(ExpandedRollup *rollup, const RollupItem *item)
{
	bool		found;
	RollupEntry *entry = find_or_insert(rollup, item->path, item->path_size, &found);

	if (found)
		return false;

	forget_items(rollup);
	decimal_sum_add(&entry->sum, NumericGetDatum(item->sum), rollup->header.eoh_context);
	entry->count = item->count;
	return true;
}

/*
 * expanded_rollup_count adds one row: 1 to the count of its path, and the
 * amount, a numeric in any form, to the sum.
 */
void
expanded_rollup_count(ExpandedRollup *rollup, const char *path, Size path_size, Datum amount)
{
	add_to_path(rollup, path, path_size, 1, amount);
}

/*
 * expanded_rollup_add adds another rollup, path by path.
 */
void
expanded_rollup_add(ExpandedRollup *rollup, const Rollup *other)
{
	RollupCursor cursor = rollup_first(other);
	RollupItem	item;

	while (rollup_next(&cursor, &item))
	{
		CHECK_FOR_INTERRUPTS();
		add_to_path(rollup, item.path, item.path_size, item.count, NumericGetDatum(item.sum));
	}
}

/*
 * compare_items orders items as the tree does, for qsort.
 */
static int
compare_items(const void *a, const void *b)
{
	const RollupItem *left = a;
	const RollupItem *right = b;

	return rollup_path_compare(left->path, left->path_size, right->path, right->path_size);
}

/*
 * collect_items lists the entries that the flat form has, in tree order. The
 * value stays what it was: sums only move to their final form.
 */
static void
collect_items(ExpandedRollup *rollup)
{
	MemoryContext context = rollup->header.eoh_context;
	Size		capacity = (Size) rollup->table->members + 1;
	RollupItem *items = MemoryContextAllocHuge(context, mul_size(capacity, sizeof(RollupItem)));
	rollup_table_iterator iterator;
	RollupEntry *entry;
	uint32		nitems = 0;

	rollup_table_start_iterate(rollup->table, &iterator);
	while ((entry = rollup_table_iterate(rollup->table, &iterator)) != NULL)
	{
		RollupItem *item = &items[nitems];

		CHECK_FOR_INTERRUPTS();
		item->path = entry->key.path;
		item->path_size = entry->key.size;
		item->count = entry->count;
		item->sum = decimal_sum_settle(&entry->sum, context);
		if (!rollup_item_is_empty(item))
			nitems++;
	}
	qsort(items, nitems, sizeof(RollupItem), compare_items);

	rollup->items = items;
	rollup->nitems = nitems;
}

/*
 * get_flat_size returns the size of the flat form. It is called twice for one
 * tuple; the items are collected once after a change. The caller may be in a
 * context that cannot free single chunks (a sort's, from 17 on), so the numeric
 * arithmetic goes on in one of its own.
 */
static Size
get_flat_size(ExpandedObjectHeader *object)
{
	ExpandedRollup *rollup = (ExpandedRollup *) object;

	Assert(rollup->magic == EXPANDED_ROLLUP_MAGIC);
	if (rollup->items == NULL)
	{
		MemoryContext scratch = AllocSetContextCreate(rollup->header.eoh_context,
													  "territory.rollup sums", ALLOCSET_SMALL_SIZES);
		MemoryContext old = MemoryContextSwitchTo(scratch);

		collect_items(rollup);
		MemoryContextSwitchTo(old);
		MemoryContextDelete(scratch);
	}
	return rollup_size(rollup->items, rollup->nitems);
}

/*
 * flatten_into writes the flat form, of the size that get_flat_size gave.
 */
static void
flatten_into(ExpandedObjectHeader *object, void *result, Size allocated_size)
{
	ExpandedRollup *rollup = (ExpandedRollup *) object;

	Assert(rollup->magic == EXPANDED_ROLLUP_MAGIC);
	Assert(rollup->items != NULL);
	rollup_write(result, allocated_size, rollup->items, rollup->nitems);
}
