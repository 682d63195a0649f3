/*
 * sort.c
 *		Sort support: comparison without function calls, abbreviated keys.
 *
 * An abbreviated key is the first bytes of the payload as one big-endian
 * integer, short payloads filled up with zero bytes. Since no byte is below
 * the separator, unequal integers are ordered as the payloads are; equal ones
 * leave it to the full comparison.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "lib/hyperloglog.h"
#include "path/path.h"
#include "port/pg_bswap.h"
#include "type/territory.h"
#include "type/value.h"
#include "utils/sortsupport.h"

/* abbreviation is not judged before that many keys, nor once it proved good */
#define TERRITORY_ABBREV_MIN_KEYS 10000
#define TERRITORY_ABBREV_MANY	  100000.0

/*
 * There has to be one distinct abbreviated key for so many keys at the most:
 * to compare equal ones first and the paths then is slower than the latter
 * alone.
 */
#define TERRITORY_ABBREV_KEYS_EACH 20.0

/* width of the register index of the cardinality estimate, in bits */
#define TERRITORY_ABBREV_HLL_BITS 10

PG_FUNCTION_INFO_V1(territory_sql_sortsupport);

/* what abbreviation has seen so far */
typedef struct TerritoryAbbrevState
{
	int64 keys;
	bool judging;
	hyperLogLogState distinct;
} TerritoryAbbrevState;

/*
 * territory_sort_value detoasts a value if it has to be. Nearly none has, and
 * a sort asks so often that the question is not left to a function call.
 */
static inline Territory *
territory_sort_value(Datum value)
{
	Territory *t = (Territory *) DatumGetPointer(value);

	if (VARATT_IS_COMPRESSED(t) || VARATT_IS_EXTERNAL(t))
		return DatumGetTerritoryPP(value);
	return t;
}

/*
 * territory_sort_compare is the full comparison.
 */
static int
territory_sort_compare(Datum x, Datum y, SortSupport ssup)
{
	Territory *a = territory_sort_value(x);
	Territory *b = territory_sort_value(y);
	int order = tpath_compare(TERRITORY_DATA(a), TERRITORY_SIZE(a), TERRITORY_DATA(b),
							  TERRITORY_SIZE(b));

	if (PointerGetDatum(a) != x)
		pfree(a);
	if (PointerGetDatum(b) != y)
		pfree(b);
	return order;
}

/*
 * territory_abbrev_convert makes an abbreviated key.
 */
static Datum
territory_abbrev_convert(Datum original, SortSupport ssup)
{
	TerritoryAbbrevState *state = ssup->ssup_extra;
	Territory *t = territory_sort_value(original);
	Datum key = 0;

	memcpy(&key, TERRITORY_DATA(t), Min(TERRITORY_SIZE(t), sizeof(Datum)));
	key = DatumBigEndianToNative(key);
	state->keys++;
	if (state->judging)
		addHyperLogLog(&state->distinct,
					   murmurhash32((uint32) key ^ (uint32) ((uint64) key >> 32)));

	if (PointerGetDatum(t) != original)
		pfree(t);
	return key;
}

/*
 * territory_abbrev_abort tells whether abbreviated keys are so few that they
 * are not worth their making, as where all paths begin alike.
 */
static bool
territory_abbrev_abort(int memtupcount, SortSupport ssup)
{
	TerritoryAbbrevState *state = ssup->ssup_extra;
	double distinct;

	if (!state->judging || memtupcount < TERRITORY_ABBREV_MIN_KEYS ||
		state->keys < TERRITORY_ABBREV_MIN_KEYS)
		return false;

	distinct = estimateHyperLogLog(&state->distinct);
	if (distinct > TERRITORY_ABBREV_MANY)
		state->judging = false;
	return distinct < state->keys / TERRITORY_ABBREV_KEYS_EACH + 0.5;
}

/*
 * territory_sortsupport(internal) sets up a sort.
 */
Datum
territory_sql_sortsupport(PG_FUNCTION_ARGS)
{
	SortSupport ssup = (SortSupport) PG_GETARG_POINTER(0);
	MemoryContext caller = MemoryContextSwitchTo(ssup->ssup_cxt);

	ssup->comparator = territory_sort_compare;
	if (ssup->abbreviate)
	{
		TerritoryAbbrevState *state = palloc0(sizeof(TerritoryAbbrevState));

		state->judging = true;
		initHyperLogLog(&state->distinct, TERRITORY_ABBREV_HLL_BITS);
		ssup->ssup_extra = state;
		ssup->comparator = ssup_datum_unsigned_cmp;
		ssup->abbrev_converter = territory_abbrev_convert;
		ssup->abbrev_abort = territory_abbrev_abort;
		ssup->abbrev_full_comparator = territory_sort_compare;
	}
	MemoryContextSwitchTo(caller);
	PG_RETURN_VOID();
}
