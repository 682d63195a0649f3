/*
 * operators.c
 *		Comparison, ancestry, concatenation and hashing, as SQL calls them.
 *
 * All but concatenation are pure byte comparisons that cannot raise; the
 * install script declares them leakproof for that.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "type/territory.h"
#include "type/value.h"

PG_FUNCTION_INFO_V1(territory_sql_eq);
PG_FUNCTION_INFO_V1(territory_sql_ne);
PG_FUNCTION_INFO_V1(territory_sql_lt);
PG_FUNCTION_INFO_V1(territory_sql_le);
PG_FUNCTION_INFO_V1(territory_sql_gt);
PG_FUNCTION_INFO_V1(territory_sql_ge);
PG_FUNCTION_INFO_V1(territory_sql_cmp);
PG_FUNCTION_INFO_V1(territory_sql_larger);
PG_FUNCTION_INFO_V1(territory_sql_smaller);
PG_FUNCTION_INFO_V1(territory_sql_contains);
PG_FUNCTION_INFO_V1(territory_sql_contained);
PG_FUNCTION_INFO_V1(territory_sql_concat);
PG_FUNCTION_INFO_V1(territory_sql_hash);
PG_FUNCTION_INFO_V1(territory_sql_hash_extended);

/*
 * territory_compare_args compares the two arguments of an SQL function and
 * frees what had to be detoasted, since a sort or an index build calls this
 * without end in one memory context.
 */
static int
territory_compare_args(FunctionCallInfo fcinfo)
{
	Territory *a = PG_GETARG_TERRITORY_PP(0);
	Territory *b = PG_GETARG_TERRITORY_PP(1);
	int order = territory_compare(a, b);

	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return order;
}

/*
 * territory_args_equal is the same for equality alone, which different sizes
 * decide.
 */
static bool
territory_args_equal(FunctionCallInfo fcinfo)
{
	Territory *a = PG_GETARG_TERRITORY_PP(0);
	Territory *b = PG_GETARG_TERRITORY_PP(1);
	bool equal = TERRITORY_SIZE(a) == TERRITORY_SIZE(b) &&
				 memcmp(TERRITORY_DATA(a), TERRITORY_DATA(b), TERRITORY_SIZE(a)) == 0;

	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return equal;
}

/*
 * territory_eq(territory, territory) is the operator =.
 */
Datum
territory_sql_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(territory_args_equal(fcinfo));
}

/*
 * territory_ne(territory, territory) is the operator <>.
 */
Datum
territory_sql_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!territory_args_equal(fcinfo));
}

/*
 * territory_lt(territory, territory) is the operator <.
 */
Datum
territory_sql_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(territory_compare_args(fcinfo) < 0);
}

/*
 * territory_le(territory, territory) is the operator <=.
 */
Datum
territory_sql_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(territory_compare_args(fcinfo) <= 0);
}

/*
 * territory_gt(territory, territory) is the operator >.
 */
Datum
territory_sql_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(territory_compare_args(fcinfo) > 0);
}

/*
 * territory_ge(territory, territory) is the operator >=.
 */
Datum
territory_sql_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(territory_compare_args(fcinfo) >= 0);
}

/*
 * territory_cmp(territory, territory) is the order of the btree operator
 * class.
 */
Datum
territory_sql_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(territory_compare_args(fcinfo));
}

/*
 * territory_larger(territory, territory) is the step of max().
 */
Datum
territory_sql_larger(PG_FUNCTION_ARGS)
{
	Territory *a = PG_GETARG_TERRITORY_PP(0);
	Territory *b = PG_GETARG_TERRITORY_PP(1);

	PG_RETURN_TERRITORY_P(territory_compare(a, b) >= 0 ? a : b);
}

/*
 * territory_smaller(territory, territory) is the step of min().
 */
Datum
territory_sql_smaller(PG_FUNCTION_ARGS)
{
	Territory *a = PG_GETARG_TERRITORY_PP(0);
	Territory *b = PG_GETARG_TERRITORY_PP(1);

	PG_RETURN_TERRITORY_P(territory_compare(a, b) <= 0 ? a : b);
}

/*
 * territory_contains_args tells whether one argument of an SQL function is
 * another one or an ancestor of it.
 */
static bool
territory_contains_args(FunctionCallInfo fcinfo, int ancestor, int descendant)
{
	Territory *a = PG_GETARG_TERRITORY_PP(ancestor);
	Territory *b = PG_GETARG_TERRITORY_PP(descendant);
	bool contains = territory_contains(a, b);

	PG_FREE_IF_COPY(a, ancestor);
	PG_FREE_IF_COPY(b, descendant);
	return contains;
}

/*
 * territory_contains(territory, territory) is the operator @>, and
 * is_ancestor().
 */
Datum
territory_sql_contains(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(territory_contains_args(fcinfo, 0, 1));
}

/*
 * territory_contained(territory, territory) is the operator <@.
 */
Datum
territory_sql_contained(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(territory_contains_args(fcinfo, 1, 0));
}

/*
 * territory_concat(territory, territory) is the operator ||.
 */
Datum
territory_sql_concat(PG_FUNCTION_ARGS)
{
	PG_RETURN_TERRITORY_P(territory_concat(PG_GETARG_TERRITORY_PP(0), PG_GETARG_TERRITORY_PP(1)));
}

/*
 * territory_hash(territory) is the hash of the hash operator class.
 */
Datum
territory_sql_hash(PG_FUNCTION_ARGS)
{
	Territory *t = PG_GETARG_TERRITORY_PP(0);
	Datum hash = hash_any((unsigned char *) TERRITORY_DATA(t), TERRITORY_SIZE(t));

	PG_FREE_IF_COPY(t, 0);
	return hash;
}

/*
 * territory_hash_extended(territory, int8) is the same with a seed.
 */
Datum
territory_sql_hash_extended(PG_FUNCTION_ARGS)
{
	Territory *t = PG_GETARG_TERRITORY_PP(0);
	Datum hash = hash_any_extended((unsigned char *) TERRITORY_DATA(t), TERRITORY_SIZE(t),
								   PG_GETARG_INT64(1));

	PG_FREE_IF_COPY(t, 0);
	return hash;
}
