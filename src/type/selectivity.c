/*
 * selectivity.c
 *		How many rows <@, @> and ~ will find, from the statistics of the column.
 *
 * The census that ANALYZE leaves knows of subtrees. Where there is none, for
 * statistics that a dump restored have only the usual kinds, common values
 * are tested with the operator itself; of the other ones, a subtree holds the
 * share that it has of the histogram's bounds, and an ancestor or the path
 * itself is as frequent as any other value.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_statistic.h"
#include "nodes/supportnodes.h"
#include "type/matching.h"
#include "type/planner.h"
#include "type/statistics.h"
#include "type/value.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"
#include "utils/typcache.h"

/* the share of rows that match a pattern of which nothing is known; PostgreSQL's own for such operators */
#define TERRITORY_DEFAULT_MATCHING 0.010

/* labels of a path of which nothing is known */
#define TERRITORY_ASSUMED_LEVELS 5

/* a histogram of fewer bounds says nothing about subtrees */
#define TERRITORY_MIN_HISTOGRAM 10

PG_FUNCTION_INFO_V1(territory_sql_contains_sel);
PG_FUNCTION_INFO_V1(territory_sql_contained_sel);
PG_FUNCTION_INFO_V1(territory_sql_contains_joinsel);
PG_FUNCTION_INFO_V1(territory_sql_contained_joinsel);
PG_FUNCTION_INFO_V1(territory_sql_matches_sel);

/* "column operator constant", as the planner's functions want it */
typedef struct TerritoryRestriction
{
	VariableStatData column;
	FmgrInfo function;
	Oid collation;
	Const *value;
	bool column_is_left;
} TerritoryRestriction;

/*
 * territory_share_of_one returns the expected share of rows that are in
 * relation to one path by "paths" values of the column: the ancestors of a
 * path, or, counted over all rows, the paths that a row has as ancestors.
 */
static double
territory_share_of_one(VariableStatData *column, double paths)
{
	bool is_default;
	double distinct = get_variable_numdistinct(column, &is_default);

	if (is_default)
		return DEFAULT_RANGE_INEQ_SEL;
	return Min(1.0, paths / Max(distinct, 1.0));
}

/*
 * territory_null_share returns the share of NULLs.
 */
static double
territory_null_share(VariableStatData *column)
{
	return ((Form_pg_statistic) GETSTRUCT(column->statsTuple))->stanullfrac;
}

/*
 * territory_bounds_before returns how many bounds of a histogram come before
 * a path.
 */
static int
territory_bounds_before(AttStatsSlot *histogram, const Territory *t)
{
	int low = 0;
	int high = histogram->nvalues;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (territory_compare(DatumGetTerritoryPP(histogram->values[middle]), t) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * territory_share_of_bounds returns the share of a subtree among values of
 * which the bounds of a histogram are a sample. If it has no bound, its share
 * is somewhere between that of one value and that of what lies between two
 * bounds; the geometric mean is the least wrong either way.
 */
static double
territory_share_of_bounds(AttStatsSlot *histogram, const Territory *t, double one_value)
{
	int inside = territory_bounds_before(histogram, territory_subtree_end(t)) -
				 territory_bounds_before(histogram, t);

	if (inside > 0)
		return (double) inside / histogram->nvalues;
	return sqrt(one_value / histogram->nvalues);
}

/*
 * territory_get_histogram fetches the histogram in tree order, to be freed by
 * the caller, if there is one that may be read and says enough.
 */
static bool
territory_get_histogram(TerritoryRestriction *r, AttStatsSlot *histogram)
{
	TypeCacheEntry *type = lookup_type_cache(r->value->consttype, TYPECACHE_LT_OPR);

	if (!statistic_proc_security_check(&r->column, r->function.fn_oid) ||
		!get_attstatsslot(histogram, r->column.statsTuple, STATISTIC_KIND_HISTOGRAM, type->lt_opr,
						  ATTSTATSSLOT_VALUES))
		return false;
	if (histogram->nvalues >= TERRITORY_MIN_HISTOGRAM)
		return true;
	free_attstatsslot(histogram);
	return false;
}

/*
 * territory_uncommon_in_subtree returns the share of a subtree among values
 * that are not common ones.
 */
static double
territory_uncommon_in_subtree(TerritoryRestriction *r)
{
	AttStatsSlot histogram;
	double share;

	if (!territory_get_histogram(r, &histogram))
		return territory_share_of_one(&r->column, TERRITORY_ASSUMED_LEVELS);
	share = territory_share_of_bounds(&histogram, DatumGetTerritoryPP(r->value->constvalue),
									  territory_share_of_one(&r->column, 1.0));
	free_attstatsslot(&histogram);
	return share;
}

/*
 * territory_uncommon_in_lineage returns the share of the values that contain
 * the constant among values that are not common ones.
 */
static double
territory_uncommon_in_lineage(TerritoryRestriction *r)
{
	Territory *t = DatumGetTerritoryPP(r->value->constvalue);
	TerritoryCensus census;

	if (!territory_get_census(&r->column, r->function.fn_oid, &census))
		return territory_share_of_one(&r->column, territory_nlevel(t) + 1.0);
	return territory_census_lineage(&census, t);
}

/*
 * territory_share_in_lineage returns the share of rows that contain the
 * constant.
 */
static double
territory_share_in_lineage(TerritoryRestriction *r)
{
	double common;
	double common_all;

	if (!HeapTupleIsValid(r->column.statsTuple))
		return territory_uncommon_in_lineage(r);
	common = mcv_selectivity(&r->column, &r->function, r->collation, r->value->constvalue,
							 r->column_is_left, &common_all);
	return common + territory_uncommon_in_lineage(r) *
						Max(0.0, 1.0 - territory_null_share(&r->column) - common_all);
}

/*
 * territory_share_in_subtree returns the share of rows that the constant
 * contains.
 */
static double
territory_share_in_subtree(TerritoryRestriction *r)
{
	TerritoryCensus census;
	double common;
	double common_all;

	if (!HeapTupleIsValid(r->column.statsTuple))
		return DEFAULT_RANGE_INEQ_SEL;
	if (territory_get_census(&r->column, r->function.fn_oid, &census))
		return territory_census_subtree(&census, DatumGetTerritoryPP(r->value->constvalue));
	common = mcv_selectivity(&r->column, &r->function, r->collation, r->value->constvalue,
							 r->column_is_left, &common_all);
	return common + territory_uncommon_in_subtree(r) *
						Max(0.0, 1.0 - territory_null_share(&r->column) - common_all);
}

/*
 * territory_share_of_unknown returns the share of rows in relation to a path
 * that is not known yet.
 */
static double
territory_share_of_unknown(VariableStatData *column, Oid function)
{
	TerritoryCensus census;
	double labels = TERRITORY_ASSUMED_LEVELS;

	if (territory_get_census(column, function, &census))
		labels = territory_census_labels(&census);
	return territory_share_of_one(column, labels);
}

/*
 * territory_estimate_column returns the share of rows for which a function
 * holds between a column and something else. Values are looked at only if
 * both sides really are of our type, whatever the function is.
 */
static double
territory_estimate_column(TerritoryRestriction *r, Node *other, Oid function, bool subtree)
{
	if (!IsA(other, Const))
		return territory_share_of_unknown(&r->column, function);
	r->value = (Const *) other;
	if (r->value->constisnull)
		return 0.0;
	if (!territory_is_type(r->value->consttype) ||
		!territory_is_type(getBaseType(r->column.vartype)))
		return DEFAULT_RANGE_INEQ_SEL;
	fmgr_info(function, &r->function);
	return subtree ? territory_share_in_subtree(r) : territory_share_in_lineage(r);
}

/*
 * territory_estimate returns the share of rows for which a function holds
 * whose argument "ancestor" contains the other one.
 */
static double
territory_estimate(PlannerInfo *root, Oid function, Oid collation, List *args, int varRelid,
				   int ancestor)
{
	TerritoryRestriction r = { 0 };
	Node *other;
	double share;

	r.collation = collation;
	if (!get_restriction_variable(root, args, varRelid, &r.column, &other, &r.column_is_left))
		return DEFAULT_RANGE_INEQ_SEL;
	share = territory_estimate_column(&r, other, function, r.column_is_left == (ancestor == 1));
	ReleaseVariableStats(r.column);
	CLAMP_PROBABILITY(share);
	return share;
}

/*
 * territory_share_of_pairs returns the share of pairs of rows of two columns
 * where the first contains the second. Without a census of both, each
 * descendant meets its ancestors, of which the other side holds as many rows
 * as there are of any value.
 */
static double
territory_share_of_pairs(VariableStatData *ancestors, VariableStatData *descendants, Oid function)
{
	TerritoryCensus above;
	TerritoryCensus below;

	if (!territory_get_census(ancestors, function, &above))
		return territory_share_of_one(ancestors, TERRITORY_ASSUMED_LEVELS);
	if (!territory_get_census(descendants, function, &below))
		return territory_share_of_one(ancestors, territory_census_labels(&above));
	return territory_census_join(&above, &below);
}

/*
 * territory_estimate_join returns the share of pairs of rows where one side,
 * argument "ancestor" of the function, contains the other.
 */
static double
territory_estimate_join(PlannerInfo *root, Oid function, List *args, SpecialJoinInfo *sjinfo,
						int ancestor)
{
	VariableStatData side[2];
	bool reversed;
	double share;

	get_join_variables(root, args, sjinfo, &side[0], &side[1], &reversed);
	share = territory_share_of_pairs(&side[ancestor], &side[1 - ancestor], function);
	ReleaseVariableStats(side[0]);
	ReleaseVariableStats(side[1]);
	CLAMP_PROBABILITY(share);
	return share;
}

/*
 * territory_estimate_call estimates a call written as a function.
 */
bool
territory_estimate_call(SupportRequestSelectivity *request, int ancestor)
{
	if (list_length(request->args) != 2)
		return false;
	if (request->is_join)
		request->selectivity =
			territory_estimate_join(request->root, request->funcid, request->args, request->sjinfo,
									ancestor);
	else
		request->selectivity =
			territory_estimate(request->root, request->funcid, request->inputcollid, request->args,
							   request->varRelid, ancestor);
	return true;
}

/*
 * territory_estimate_operator takes the arguments of a restriction estimator.
 */
static Datum
territory_estimate_operator(FunctionCallInfo fcinfo, int ancestor)
{
	PlannerInfo *root = (PlannerInfo *) PG_GETARG_POINTER(0);
	Oid function = get_opcode(PG_GETARG_OID(1));
	List *args = (List *) PG_GETARG_POINTER(2);

	if (list_length(args) != 2)
		PG_RETURN_FLOAT8(DEFAULT_RANGE_INEQ_SEL);
	PG_RETURN_FLOAT8(
		territory_estimate(root, function, PG_GET_COLLATION(), args, PG_GETARG_INT32(3), ancestor));
}

/*
 * territory_estimate_join_operator takes the arguments of a join estimator.
 */
static Datum
territory_estimate_join_operator(FunctionCallInfo fcinfo, int ancestor)
{
	PlannerInfo *root = (PlannerInfo *) PG_GETARG_POINTER(0);
	Oid function = get_opcode(PG_GETARG_OID(1));
	List *args = (List *) PG_GETARG_POINTER(2);
	SpecialJoinInfo *sjinfo = (SpecialJoinInfo *) PG_GETARG_POINTER(4);

	if (list_length(args) != 2)
		PG_RETURN_FLOAT8(DEFAULT_RANGE_INEQ_SEL);
	PG_RETURN_FLOAT8(territory_estimate_join(root, function, args, sjinfo, ancestor));
}

/*
 * territory_contains_sel(internal, oid, internal, integer) is the estimator
 * of @>.
 */
Datum
territory_sql_contains_sel(PG_FUNCTION_ARGS)
{
	return territory_estimate_operator(fcinfo, 0);
}

/*
 * territory_contained_sel(internal, oid, internal, integer) is the estimator
 * of <@.
 */
Datum
territory_sql_contained_sel(PG_FUNCTION_ARGS)
{
	return territory_estimate_operator(fcinfo, 1);
}

/*
 * territory_contains_joinsel(internal, oid, internal, smallint, internal) is
 * the join estimator of @>.
 */
Datum
territory_sql_contains_joinsel(PG_FUNCTION_ARGS)
{
	return territory_estimate_join_operator(fcinfo, 0);
}

/*
 * territory_contained_joinsel(internal, oid, internal, smallint, internal) is
 * the join estimator of <@.
 */
Datum
territory_sql_contained_joinsel(PG_FUNCTION_ARGS)
{
	return territory_estimate_join_operator(fcinfo, 1);
}

/*
 * territory_whole_labels cuts a path that is known in bytes only to its
 * parent, whose subtree all that begins with the bytes is in.
 */
static Territory *
territory_whole_labels(const TerritoryRange *range)
{
	const char *payload = TERRITORY_DATA(range->start);
	Size size = TERRITORY_SIZE(range->start);

	if (range->kind == TPATH_PREFIX_OF_BYTES)
		size = tpath_parent_size(payload, size);
	return territory_from_payload(payload, size);
}

/*
 * territory_share_of_pattern returns the share of rows that match a pattern:
 * where the pattern is no more than a path or a subtree, what the statistics
 * say of these; else "guess", if there is as much in the subtree that all
 * matches are in.
 */
static double
territory_share_of_pattern(TerritoryRestriction *r, const Pattern *pattern, double guess)
{
	TerritoryRange range = territory_pattern_range(pattern);
	TypeCacheEntry *type =
		lookup_type_cache(getBaseType(r->column.vartype), TYPECACHE_EQ_OPR | TYPECACHE_CMP_PROC);
	TerritoryCensus census;
	double share;

	if (range.kind == TPATH_PREFIX_IS_PATTERN)
		return var_eq_const(&r->column, type->eq_opr, r->collation,
							TerritoryGetDatum(range.start), false, true, false);
	/* a census is only compared with, as the type's own comparison does */
	if (!territory_get_census(&r->column, type->cmp_proc, &census))
		return guess;
	share = territory_census_subtree(&census, territory_whole_labels(&range));
	return range.kind == TPATH_PREFIX_IS_SUBTREE ? share : Min(share, guess);
}

/*
 * territory_matches_sel(internal, oid, internal, integer) is the estimator of
 * ~ between a path and a pattern.
 */
Datum
territory_sql_matches_sel(PG_FUNCTION_ARGS)
{
	PlannerInfo *root = (PlannerInfo *) PG_GETARG_POINTER(0);
	Oid operator_id = PG_GETARG_OID(1);
	List *args = (List *) PG_GETARG_POINTER(2);
	int varRelid = PG_GETARG_INT32(3);
	double share = generic_restriction_selectivity(root, operator_id, PG_GET_COLLATION(), args,
												   varRelid, TERRITORY_DEFAULT_MATCHING);
	TerritoryRestriction r = { 0 };
	Node *other;

	r.collation = PG_GET_COLLATION();
	if (!get_restriction_variable(root, args, varRelid, &r.column, &other, &r.column_is_left))
		PG_RETURN_FLOAT8(share);
	r.value = (Const *) other;
	if (IsA(other, Const) && !r.value->constisnull && r.column_is_left &&
		territory_is_pattern_type(r.value->consttype) &&
		territory_is_type(getBaseType(r.column.vartype)))
		share = territory_share_of_pattern(&r, DatumGetPatternPP(r.value->constvalue), share);
	ReleaseVariableStats(r.column);
	CLAMP_PROBABILITY(share);
	PG_RETURN_FLOAT8(share);
}
