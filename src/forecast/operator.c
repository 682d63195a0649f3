/*
 * operator.c
 *		The operators of territory.rollup and the functions behind them.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "fmgr.h"
#include "forecast/decimal.h"
#include "forecast/rollup.h"
#include "miscadmin.h"
#include "type/territory.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(rollup_add);
PG_FUNCTION_INFO_V1(rollup_subtract);
PG_FUNCTION_INFO_V1(rollup_eq);
PG_FUNCTION_INFO_V1(rollup_ne);
PG_FUNCTION_INFO_V1(rollup_hash);
PG_FUNCTION_INFO_V1(rollup_hash_extended);
PG_FUNCTION_INFO_V1(subtree_sum);
PG_FUNCTION_INFO_V1(subtree_count);

/*
 * rollup_add is the operator +: counts and sums added, path by path.
 */
Datum
rollup_add(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(rollup_merge(PG_GETARG_ROLLUP_P(0), PG_GETARG_ROLLUP_P(1), false));
}

/*
 * rollup_subtract is the operator -: counts and sums subtracted, path by path.
 */
Datum
rollup_subtract(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(rollup_merge(PG_GETARG_ROLLUP_P(0), PG_GETARG_ROLLUP_P(1), true));
}

/*
 * items_equal compares two entries; sums as numeric does, whatever their scale.
 */
static bool
items_equal(const RollupItem *a, const RollupItem *b)
{
	return a->count == b->count &&
		rollup_path_compare(a->path, a->path_size, b->path, b->path_size) == 0 &&
		DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(a->sum),
										 NumericGetDatum(b->sum)));
}

/*
 * rollups_equal tells whether two rollups have the same entries.
 */
static bool
rollups_equal(const Rollup *a, const Rollup *b)
{
	RollupCursor a_cursor = rollup_first(a);
	RollupCursor b_cursor = rollup_first(b);
	RollupItem	a_item;
	RollupItem	b_item;

	if (a->nentries != b->nentries)
		return false;
	while (rollup_next(&a_cursor, &a_item) && rollup_next(&b_cursor, &b_item))
	{
		CHECK_FOR_INTERRUPTS();
		if (!items_equal(&a_item, &b_item))
			return false;
	}
	return true;
}

/*
 * arguments_equal compares the two arguments of a call and frees what it had
 * to copy for that.
 */
static bool
arguments_equal(FunctionCallInfo fcinfo)
{
	const Rollup *a = PG_GETARG_ROLLUP_P(0);
	const Rollup *b = PG_GETARG_ROLLUP_P(1);
	bool		result = rollups_equal(a, b);

	PG_FREE_IF_COPY((void *) a, 0);
	PG_FREE_IF_COPY((void *) b, 1);
	return result;
}

/*
 * rollup_eq is the operator =.
 */
Datum
rollup_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(arguments_equal(fcinfo));
}

/*
 * rollup_ne is the operator <>.
 */
Datum
rollup_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!arguments_equal(fcinfo));
}

/*
 * hash_rollup hashes what rollups_equal compares.
 */
static uint64
hash_rollup(const Rollup *rollup, uint64 seed)
{
	RollupCursor cursor = rollup_first(rollup);
	RollupItem	item;
	uint64		hash = seed;

	while (rollup_next(&cursor, &item))
	{
		uint64		path_hash = hash_bytes_extended((const unsigned char *) item.path,
													(int) item.path_size, seed);
		Datum		sum_hash = DirectFunctionCall2(hash_numeric_extended,
												   NumericGetDatum(item.sum),
												   Int64GetDatum((int64) seed));

		CHECK_FOR_INTERRUPTS();
		hash = hash_combine64(hash, path_hash);
		hash = hash_combine64(hash, (uint64) item.count);
		hash = hash_combine64(hash, DatumGetUInt64(sum_hash));
	}
	return hash;
}

/*
 * rollup_hash is the 32-bit hash: the low half of the other one, with seed 0.
 */
Datum
rollup_hash(PG_FUNCTION_ARGS)
{
	const Rollup *rollup = PG_GETARG_ROLLUP_P(0);
	uint64		hash = hash_rollup(rollup, 0);

	PG_FREE_IF_COPY((void *) rollup, 0);
	PG_RETURN_UINT32((uint32) hash);
}

/*
 * rollup_hash_extended is the 64-bit hash with a seed.
 */
Datum
rollup_hash_extended(PG_FUNCTION_ARGS)
{
	const Rollup *rollup = PG_GETARG_ROLLUP_P(0);
	uint64		hash = hash_rollup(rollup, (uint64) PG_GETARG_INT64(1));

	PG_FREE_IF_COPY((void *) rollup, 0);
	PG_RETURN_UINT64(hash);
}

/*
 * next_below reads the next entry at or below a path; false when there is
 * none. In tree order a subtree's entries stand together.
 */
static bool
next_below(RollupCursor *cursor, const Territory *path, RollupItem *item)
{
	while (rollup_next(cursor, item))
	{
		CHECK_FOR_INTERRUPTS();
		if (rollup_path_contains(TERRITORY_DATA(path), TERRITORY_SIZE(path),
								 item->path, item->path_size))
			return true;
		if (rollup_path_compare(item->path, item->path_size,
								TERRITORY_DATA(path), TERRITORY_SIZE(path)) > 0)
			return false;
	}
	return false;
}

/*
 * subtree_sum is the operator ->: the sum at a path and below it, NULL if
 * there is no entry.
 */
Datum
subtree_sum(PG_FUNCTION_ARGS)
{
	RollupCursor cursor = rollup_first(PG_GETARG_ROLLUP_P(0));
	Territory  *path = PG_GETARG_TERRITORY_PP(1);
	DecimalSum	sum = {0};
	bool		found = false;
	RollupItem	item;

	while (next_below(&cursor, path, &item))
	{
		decimal_sum_add(&sum, NumericGetDatum(item.sum), CurrentMemoryContext);
		found = true;
	}
	if (!found)
		PG_RETURN_NULL();
	PG_RETURN_NUMERIC(decimal_sum_settle(&sum, CurrentMemoryContext));
}

/*
 * subtree_count returns the count at a path and below it.
 */
Datum
subtree_count(PG_FUNCTION_ARGS)
{
	RollupCursor cursor = rollup_first(PG_GETARG_ROLLUP_P(0));
	Territory  *path = PG_GETARG_TERRITORY_PP(1);
	int64		count = 0;
	RollupItem	item;

	while (next_below(&cursor, path, &item))
		count = rollup_add_counts(count, item.count);
	PG_RETURN_INT64(count);
}
