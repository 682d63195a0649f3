/*
 * aggregate.c
 *		The aggregates territory.rollup and territory.rollup_merge.
 *
 * The transition value is a territory.rollup. While it is small it is flat,
 * and each row replaces it, so that many small groups take little memory. Then
 * it becomes an expanded object in the aggregate's own memory, which each row
 * changes in place. A partial result leaves the process in the flat form, as
 * any value of the type does, so there is nothing to serialize.
 */
#include "postgres.h"

#include "fmgr.h"
#include "forecast/rollup.h"
#include "type/territory.h"

/* a state is small while it has so many entries, none with more rows */
#define SMALL_ENTRIES	16
#define SMALL_ROWS		16

PG_FUNCTION_INFO_V1(rollup_accum);
PG_FUNCTION_INFO_V1(rollup_combine);

/*
 * is_small tells whether a flat state is to stay flat.
 */
static bool
is_small(const Rollup *state)
{
	RollupCursor cursor = rollup_first(state);
	RollupItem	item;

	if (state->nentries > SMALL_ENTRIES)
		return false;
	while (rollup_next(&cursor, &item))
	{
		if (item.count > SMALL_ROWS)
			return false;
	}
	return true;
}

/*
 * expanded_state returns the first argument, which is not NULL, as an object
 * that may be changed in place, or NULL if it is to stay flat. Outside an
 * aggregate a new object lives in the caller's context.
 */
static ExpandedRollup *
expanded_state(FunctionCallInfo fcinfo)
{
	Datum		state = PG_GETARG_DATUM(0);
	MemoryContext context;

	if (!VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(state)) &&
		is_small(rollup_from_datum(state)))
		return NULL;

	if (!AggCheckCallContext(fcinfo, &context))
		context = CurrentMemoryContext;
	return expanded_rollup_from_datum(state, context);
}

/*
 * one_row returns the flat rollup of a single row.
 */
static Rollup *
one_row(const Territory *path, Numeric amount)
{
	RollupItem	item;

	item.path = TERRITORY_DATA(path);
	item.path_size = TERRITORY_SIZE(path);
	item.count = 1;
	item.sum = amount;
	return rollup_from_items(&item, 1);
}

/*
 * unchanged_state returns the first argument as it came.
 */
static Datum
unchanged_state(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/*
 * rollup_accum adds one row, a path and an amount; a row where either is NULL
 * adds nothing.
 */
Datum
rollup_accum(PG_FUNCTION_ARGS)
{
	ExpandedRollup *state;
	Territory  *path;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return unchanged_state(fcinfo);

	path = PG_GETARG_TERRITORY_PP(1);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(one_row(path, PG_GETARG_NUMERIC(2)));

	state = expanded_state(fcinfo);
	if (state == NULL)
		PG_RETURN_POINTER(rollup_merge(PG_GETARG_ROLLUP_P(0),
									   one_row(path, PG_GETARG_NUMERIC(2)), false));

	expanded_rollup_count(state, TERRITORY_DATA(path), TERRITORY_SIZE(path), PG_GETARG_DATUM(2));
	PG_RETURN_DATUM(expanded_rollup_datum(state));
}

/*
 * rollup_combine adds one rollup to another; NULL adds nothing.
 */
Datum
rollup_combine(PG_FUNCTION_ARGS)
{
	ExpandedRollup *state;
	const Rollup *other;

	if (PG_ARGISNULL(1))
		return unchanged_state(fcinfo);

	other = PG_GETARG_ROLLUP_P(1);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(other);

	state = expanded_state(fcinfo);
	if (state == NULL)
		PG_RETURN_POINTER(rollup_merge(PG_GETARG_ROLLUP_P(0), other, false));

	expanded_rollup_add(state, other);
	PG_RETURN_DATUM(expanded_rollup_datum(state));
}
