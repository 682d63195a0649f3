/*
 * gin_paths.c
 *		GIN operator class for arrays of paths.
 *
 * The keys are the elements, in tree order. So a subtree, or what a pattern
 * matches, is a part of the order, which is searched as GIN searches for
 * prefixes ("partial match"): from its first key on, each key being tested
 * with the operator itself. What contains a path is a few keys by name. All
 * answers are exact.
 *
 * The operators between two arrays are those of every array; PostgreSQL's own
 * functions answer them.
 */
#include "postgres.h"

#include "access/gin.h"
#include "access/stratnum.h"
#include "type/matching.h"
#include "type/value.h"
#include "utils/array.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(territory_sql_gin_paths_query);
PG_FUNCTION_INFO_V1(territory_sql_gin_paths_compare_partial);
PG_FUNCTION_INFO_V1(territory_sql_gin_paths_consistent);

/* the strategies up to this one are those of every array: && @> <@ = */
#define TERRITORY_LAST_ARRAY_STRATEGY 4

/* our own: an element of the array ... */
#define TERRITORY_CONTAINS_STRATEGY	   5 /* @> path */
#define TERRITORY_CONTAINED_STRATEGY   6 /* <@ path */
#define TERRITORY_MATCHES_STRATEGY	   7 /* ~ pattern */
#define TERRITORY_SATISFIES_STRATEGY   8 /* @ label_query */
#define TERRITORY_MATCHES_ANY_STRATEGY 9 /* ? pattern[] */

/* a search among the keys: where it ends, if that is known, and the test */
typedef struct KeySearch
{
	Territory *end;
	TerritoryElementTest test;
	void *argument;
} KeySearch;

/* what the function of a query hands over to GIN */
typedef struct GinQuery
{
	int count;
	Datum *keys;
	bool *partial;
	Pointer *extra;
} GinQuery;

/*
 * territory_gin_query returns a query with room for that many keys.
 */
static GinQuery
territory_gin_query(int room)
{
	GinQuery query = { 0, palloc(sizeof(Datum) * room), palloc0(sizeof(bool) * room),
					   palloc0(sizeof(Pointer) * room) };

	return query;
}

/*
 * territory_add_search adds a search from a key on.
 */
static void
territory_add_search(GinQuery *query, Territory *start, Territory *end, TerritoryElementTest test,
					 void *argument)
{
	KeySearch *search = palloc(sizeof(KeySearch));

	search->end = end;
	search->test = test;
	search->argument = argument;
	query->keys[query->count] = TerritoryGetDatum(start);
	query->partial[query->count] = true;
	query->extra[query->count] = (Pointer) search;
	query->count++;
}

/*
 * territory_add_pattern adds a search for what a pattern matches.
 */
static void
territory_add_pattern(GinQuery *query, Pattern *pattern)
{
	TerritoryRange range = territory_pattern_range(pattern);

	territory_add_search(query, range.start, range.end, territory_element_matches, pattern);
}

/*
 * territory_query_patterns returns the query for an array of patterns.
 */
static GinQuery
territory_query_patterns(ArrayType *patterns)
{
	GinQuery query = territory_gin_query(ArrayGetNItems(ARR_NDIM(patterns), ARR_DIMS(patterns)));
	ArrayIterator iterator = array_create_iterator(patterns, 0, NULL);
	Datum pattern;
	bool isnull;

	while (array_iterate(iterator, &pattern, &isnull))
	{
		if (!isnull)
			territory_add_pattern(&query, DatumGetPatternPP(pattern));
	}
	array_free_iterator(iterator);
	return query;
}

/*
 * territory_query_lineage returns the query for what contains a path. If that
 * is too much to be named, the keys up to the path are searched for it.
 */
static GinQuery
territory_query_lineage(Territory *t)
{
	GinQuery query = territory_gin_query(territory_nlevel(t) + 1);

	if (territory_lineage_fits(t))
		query.count = territory_lineage_elements(t, query.keys);
	else
		territory_add_search(&query, territory_allocate(0), territory_subtree_end(t),
							 territory_element_contains, t);
	return query;
}

/*
 * territory_query returns the query of one of our own strategies.
 */
static GinQuery
territory_query(StrategyNumber strategy, Datum argument)
{
	GinQuery query = territory_gin_query(1);
	Territory *t;

	switch (strategy)
	{
		case TERRITORY_CONTAINS_STRATEGY:
			return territory_query_lineage(DatumGetTerritoryPP(argument));
		case TERRITORY_CONTAINED_STRATEGY:
			t = DatumGetTerritoryPP(argument);
			territory_add_search(&query, t, territory_subtree_end(t), territory_element_contained,
								 t);
			return query;
		case TERRITORY_MATCHES_STRATEGY:
			territory_add_pattern(&query, DatumGetPatternPP(argument));
			return query;
		case TERRITORY_SATISFIES_STRATEGY:
			territory_add_search(&query, territory_allocate(0), NULL, territory_element_satisfies,
								 DatumGetLabelQueryPP(argument));
			return query;
		case TERRITORY_MATCHES_ANY_STRATEGY:
			return territory_query_patterns(DatumGetArrayTypeP(argument));
		default:
			elog(ERROR, "unrecognized strategy number: %d", strategy);
	}
	return query; /* not reached */
}

/*
 * territory_gin_paths_query(territory[], internal, smallint, internal,
 * internal, internal, internal) says which keys a query looks for.
 */
Datum
territory_sql_gin_paths_query(PG_FUNCTION_ARGS)
{
	StrategyNumber strategy = PG_GETARG_UINT16(2);
	GinQuery query;

	if (strategy <= TERRITORY_LAST_ARRAY_STRATEGY)
		return ginqueryarrayextract(fcinfo);
	query = territory_query(strategy, PG_GETARG_DATUM(0));
	*(int32 *) PG_GETARG_POINTER(1) = query.count;
	*(bool **) PG_GETARG_POINTER(3) = query.partial;
	*(Pointer **) PG_GETARG_POINTER(4) = query.extra;
	PG_RETURN_POINTER(query.keys);
}

/*
 * territory_gin_paths_compare_partial(territory, territory, smallint,
 * internal) tells whether a key is found (0), or the search goes on (-1) or
 * is at its end (1).
 */
Datum
territory_sql_gin_paths_compare_partial(PG_FUNCTION_ARGS)
{
	Datum key = PG_GETARG_DATUM(1);
	const KeySearch *search = (const KeySearch *) PG_GETARG_POINTER(3);

	if (search->end && territory_compare(DatumGetTerritoryPP(key), search->end) >= 0)
		PG_RETURN_INT32(1);
	PG_RETURN_INT32(search->test(key, search->argument) ? 0 : -1);
}

/*
 * territory_gin_paths_consistent(internal, smallint, territory[], integer,
 * internal, internal, internal) tells whether an array with some of the keys
 * answers the query: one is enough.
 */
Datum
territory_sql_gin_paths_consistent(PG_FUNCTION_ARGS)
{
	const GinTernaryValue *check = (const GinTernaryValue *) PG_GETARG_POINTER(0);
	GinTernaryValue result = GIN_FALSE;
	int32 count = PG_GETARG_INT32(3);
	int32 i;

	if (PG_GETARG_UINT16(1) <= TERRITORY_LAST_ARRAY_STRATEGY)
		return ginarraytriconsistent(fcinfo);
	for (i = 0; i < count && result != GIN_TRUE; i++)
	{
		if (check[i] != GIN_FALSE)
			result = check[i];
	}
	PG_RETURN_GIN_TERNARY_VALUE(result);
}
