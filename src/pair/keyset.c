/*
 * keyset.c
 *		The keys of a batch of records, with their order.
 *
 * Stored pairs come in the order of the keys (the primary key's index), so a
 * batch is compared with them by a merge.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/typcache.h"

#include "pair/keyset.h"

/* a set is dense when one of this many integers of its range is in it */
#define SPARSENESS 4

/*
 * keyset_compare compares two keys.
 */
int
keyset_compare(const KeySet *set, Datum a, Datum b)
{
	return DatumGetInt32(FunctionCall2Coll(set->compare, set->collation, a, b));
}

/*
 * compare_indexes orders the indexes of keys by the keys.
 */
static int
compare_indexes(const void *a, const void *b, void *arg)
{
	const KeySet *set = arg;

	return keyset_compare(set, set->keys[*(const int *) a], set->keys[*(const int *) b]);
}

/*
 * keyset_init sorts keys. Those of a statement mostly are in order already,
 * which the sort notices.
 */
void
keyset_init(KeySet *set, Oid type, Oid collation, const Datum *keys, int count)
{
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_CMP_PROC_FINFO | TYPECACHE_BTREE_OPFAMILY);

	set->keys = keys;
	set->count = count;
	set->type = type;
	set->opfamily = entry->btree_opf;
	set->compare = &entry->cmp_proc_finfo;
	set->collation = collation;
	set->order = palloc(Max(count, 1) * sizeof(int));
	set->doubled = false;
	for (int i = 0; i < count; i++)
		set->order[i] = i;
	if (count > 1)
		qsort_arg(set->order, count, sizeof(int), compare_indexes, set);
	for (int i = 1; i < count && !set->doubled; i++)
		set->doubled = keyset_compare(set, keyset_at(set, i - 1), keyset_at(set, i)) == 0;
}

/*
 * integer_of returns an integer key's value.
 */
static int64
integer_of(const KeySet *set, Datum key)
{
	switch (set->type)
	{
		case INT2OID:
			return DatumGetInt16(key);
		case INT4OID:
			return DatumGetInt32(key);
		default:
			return DatumGetInt64(key);
	}
}

/*
 * keyset_is_dense tells whether reading the whole range of the keys costs less
 * than looking each of them up; known of integers only.
 */
bool
keyset_is_dense(const KeySet *set)
{
	uint64		range;

	if (set->type != INT2OID && set->type != INT4OID && set->type != INT8OID)
		return false;
	range = (uint64) integer_of(set, keyset_at(set, set->count - 1)) -
		(uint64) integer_of(set, keyset_at(set, 0));
	return range / SPARSENESS <= (uint64) set->count;
}
