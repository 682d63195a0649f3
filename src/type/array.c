/*
 * array.c
 *		Arrays of paths and of patterns: is there an element that ..., and which
 *		is the first one?
 *
 * NULL elements are passed over; dimensions do not matter.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "type/matching.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(territory_sql_array_contains);
PG_FUNCTION_INFO_V1(territory_sql_array_contained);
PG_FUNCTION_INFO_V1(territory_sql_array_matches);
PG_FUNCTION_INFO_V1(territory_sql_array_matches_any);
PG_FUNCTION_INFO_V1(territory_sql_array_satisfies);
PG_FUNCTION_INFO_V1(territory_sql_first_contains);
PG_FUNCTION_INFO_V1(territory_sql_first_contained);
PG_FUNCTION_INFO_V1(territory_sql_first_matches);
PG_FUNCTION_INFO_V1(territory_sql_first_satisfies);
PG_FUNCTION_INFO_V1(territory_sql_matches_any);

/*
 * territory_element_contains: is the element the other path or above it?
 */
bool
territory_element_contains(Datum element, void *argument)
{
	return territory_contains(DatumGetTerritoryPP(element), argument);
}

/*
 * territory_element_contained: is the element the other path or below it?
 */
bool
territory_element_contained(Datum element, void *argument)
{
	return territory_contains(argument, DatumGetTerritoryPP(element));
}

/*
 * territory_element_matches: does the element match a pattern?
 */
bool
territory_element_matches(Datum element, void *argument)
{
	return territory_matches(DatumGetTerritoryPP(element), argument);
}

/*
 * territory_element_satisfies: is a label query true of the element?
 */
bool
territory_element_satisfies(Datum element, void *argument)
{
	return territory_satisfies(DatumGetTerritoryPP(element), argument);
}

/*
 * territory_element_is_matched: is the element a pattern that a path matches?
 */
static bool
territory_element_is_matched(Datum element, void *argument)
{
	return territory_matches(argument, DatumGetPatternPP(element));
}

/*
 * territory_find_element finds the first element that passes a test.
 */
static bool
territory_find_element(ArrayType *array, TerritoryElementTest test, void *argument, Datum *found)
{
	ArrayIterator iterator = array_create_iterator(array, 0, NULL);
	bool passed = false;
	bool isnull;

	while (!passed && array_iterate(iterator, found, &isnull))
	{
		CHECK_FOR_INTERRUPTS();
		passed = !isnull && test(*found, argument);
	}
	array_free_iterator(iterator);
	return passed;
}

/*
 * territory_element_matches_any: does the element match one of the patterns?
 */
static bool
territory_element_matches_any(Datum element, void *argument)
{
	Datum found;

	return territory_find_element(argument, territory_element_is_matched,
								  DatumGetTerritoryPP(element), &found);
}

/*
 * territory_exists returns, for a function of an array and something else,
 * whether an element passes the test.
 */
static Datum
territory_exists(FunctionCallInfo fcinfo, TerritoryElementTest test)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(0);
	void *argument = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(1));
	Datum found;
	bool exists = territory_find_element(array, test, argument, &found);

	PG_FREE_IF_COPY(array, 0);
	PG_FREE_IF_COPY(argument, 1);
	PG_RETURN_BOOL(exists);
}

/*
 * territory_first returns the first element that passes the test, or NULL.
 */
static Datum
territory_first(FunctionCallInfo fcinfo, TerritoryElementTest test)
{
	void *argument = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(1));
	Datum found;

	if (!territory_find_element(PG_GETARG_ARRAYTYPE_P(0), test, argument, &found))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PointerGetDatum(PG_DETOAST_DATUM_COPY(found)));
}

/*
 * territory_array_contains(territory[], territory) is the operator @>: is an
 * element the path or above it?
 */
Datum
territory_sql_array_contains(PG_FUNCTION_ARGS)
{
	return territory_exists(fcinfo, territory_element_contains);
}

/*
 * territory_array_contained(territory[], territory) is the operator <@: is an
 * element the path or below it?
 */
Datum
territory_sql_array_contained(PG_FUNCTION_ARGS)
{
	return territory_exists(fcinfo, territory_element_contained);
}

/*
 * territory_array_matches(territory[], pattern) is the operator ~.
 */
Datum
territory_sql_array_matches(PG_FUNCTION_ARGS)
{
	return territory_exists(fcinfo, territory_element_matches);
}

/*
 * territory_array_satisfies(territory[], label_query) is the operator @.
 */
Datum
territory_sql_array_satisfies(PG_FUNCTION_ARGS)
{
	return territory_exists(fcinfo, territory_element_satisfies);
}

/*
 * territory_array_matches_any(territory[], pattern[]) is the operator ?.
 */
Datum
territory_sql_array_matches_any(PG_FUNCTION_ARGS)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(0);
	ArrayType *patterns = PG_GETARG_ARRAYTYPE_P(1);
	Datum found;
	bool exists = territory_find_element(array, territory_element_matches_any, patterns, &found);

	PG_FREE_IF_COPY(array, 0);
	PG_FREE_IF_COPY(patterns, 1);
	PG_RETURN_BOOL(exists);
}

/*
 * territory_matches_any(territory, pattern[]) is the operator ?.
 */
Datum
territory_sql_matches_any(PG_FUNCTION_ARGS)
{
	Territory *t = PG_GETARG_TERRITORY_PP(0);
	ArrayType *patterns = PG_GETARG_ARRAYTYPE_P(1);
	Datum found;
	bool matches = territory_find_element(patterns, territory_element_is_matched, t, &found);

	PG_FREE_IF_COPY(t, 0);
	PG_FREE_IF_COPY(patterns, 1);
	PG_RETURN_BOOL(matches);
}

/*
 * territory_first_contains(territory[], territory) is the operator ?@>.
 */
Datum
territory_sql_first_contains(PG_FUNCTION_ARGS)
{
	return territory_first(fcinfo, territory_element_contains);
}

/*
 * territory_first_contained(territory[], territory) is the operator ?<@.
 */
Datum
territory_sql_first_contained(PG_FUNCTION_ARGS)
{
	return territory_first(fcinfo, territory_element_contained);
}

/*
 * territory_first_matches(territory[], pattern) is the operator ?~.
 */
Datum
territory_sql_first_matches(PG_FUNCTION_ARGS)
{
	return territory_first(fcinfo, territory_element_matches);
}

/*
 * territory_first_satisfies(territory[], label_query) is the operator ?@.
 */
Datum
territory_sql_first_satisfies(PG_FUNCTION_ARGS)
{
	return territory_first(fcinfo, territory_element_satisfies);
}
