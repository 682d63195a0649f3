/*
 * index_support.c
 *		Planner support: btree and BRIN answer <@, @> and ~.
 *
 * What lies in the subtree of x is the range from x to before subtree_end(x);
 * what contains x is one of lineage(x). Both are exact, so that the index
 * condition replaces the operator. What matches a pattern p is in the range
 * from pattern_start(p) to before pattern_end(p); that is exact only for some
 * patterns, such as 'A.B.*'.
 *
 * For a constant x or p these are constants too; else they are calls, which
 * the scan evaluates when it begins.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_proc.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "type/matching.h"
#include "type/planner.h"
#include "type/value.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(territory_sql_contains_support);
PG_FUNCTION_INFO_V1(territory_sql_contained_support);
PG_FUNCTION_INFO_V1(territory_sql_matches_support);

/* a condition that an index may answer: column, other side and operators */
typedef struct TerritoryIndexCondition
{
	Expr *column;
	Expr *other;
	Oid type; /* of paths */
	Oid other_type;
	Oid opfamily;
	Oid schema; /* where the functions of the type are */
} TerritoryIndexCondition;

/*
 * territory_call_on_other returns a call of a function of one argument, with
 * the other side as its argument; NULL if there is no such function.
 */
static Expr *
territory_call_on_other(TerritoryIndexCondition *condition, const char *name, Oid result_type)
{
	oidvector *argument_types = buildoidvector(&condition->other_type, 1);
	Oid function =
		GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
						PointerGetDatum(argument_types), ObjectIdGetDatum(condition->schema));

	if (!OidIsValid(function))
		return NULL;
	return (Expr *) makeFuncExpr(function, result_type, list_make1(copyObject(condition->other)),
								 InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
}

/*
 * territory_column_operator returns the operator of the index for a strategy.
 */
static Oid
territory_column_operator(TerritoryIndexCondition *condition, int strategy)
{
	return get_opfamily_member(condition->opfamily, condition->type, condition->type, strategy);
}

/*
 * territory_compare_column returns the clause "column operator value".
 */
static Expr *
territory_compare_column(TerritoryIndexCondition *condition, int strategy, Expr *value)
{
	return make_opclause(territory_column_operator(condition, strategy), BOOLOID, false,
						 copyObject(condition->column), copyObject(value), InvalidOid, InvalidOid);
}

/*
 * territory_known_value returns the other side, detoasted, if it is known
 * now, else NULL.
 */
static struct varlena *
territory_known_value(TerritoryIndexCondition *condition)
{
	Const *value = (Const *) condition->other;

	if (!IsA(value, Const) || value->constisnull)
		return NULL;
	return PG_DETOAST_DATUM_PACKED(value->constvalue);
}

/*
 * territory_constant returns a constant of a type of variable length.
 */
static Expr *
territory_constant(Oid type, void *value)
{
	return (Expr *) makeConst(type, -1, InvalidOid, -1, PointerGetDatum(value), false, false);
}

/*
 * territory_range_condition returns the clauses for a column between two
 * values, of which the end is not one and may be missing.
 */
static List *
territory_range_condition(TerritoryIndexCondition *condition, Expr *start, Expr *end)
{
	List *clauses =
		list_make1(territory_compare_column(condition, BTGreaterEqualStrategyNumber, start));

	if (end != NULL)
		clauses =
			lappend(clauses, territory_compare_column(condition, BTLessStrategyNumber, end));
	return clauses;
}

/*
 * territory_subtree_condition returns the clauses for "column <@ other". The
 * subtree of the root has no end but the column's own.
 */
static List *
territory_subtree_condition(TerritoryIndexCondition *condition)
{
	Territory *known = territory_known_value(condition);
	Expr *end = NULL;

	if (known == NULL)
	{
		end = territory_call_on_other(condition, "subtree_end", condition->type);
		if (end == NULL)
			return NIL;
	}
	else if (TERRITORY_SIZE(known) > 0)
		end = territory_constant(condition->type, territory_subtree_end(known));
	return territory_range_condition(condition, condition->other, end);
}

/*
 * territory_lineage_array returns the array of what contains the other side;
 * NULL if it cannot be had.
 */
static Expr *
territory_lineage_array(TerritoryIndexCondition *condition)
{
	Oid array_type = get_array_type(condition->type);
	Territory *known = territory_known_value(condition);

	if (known == NULL)
		return territory_call_on_other(condition, "lineage", array_type);
	if (!territory_lineage_fits(known))
		return NULL;
	return territory_constant(array_type, territory_lineage(known, condition->type));
}

/*
 * territory_among_condition returns the clause "column = ANY (array)".
 */
static List *
territory_among_condition(TerritoryIndexCondition *condition, Expr *array)
{
	ScalarArrayOpExpr *clause = makeNode(ScalarArrayOpExpr);

	clause->opno = territory_column_operator(condition, BTEqualStrategyNumber);
	clause->opfuncid = get_opcode(clause->opno);
	clause->useOr = true;
	clause->args = list_make2(copyObject(condition->column), array);
	clause->location = -1;
	return list_make1(clause);
}

/*
 * territory_lineage_condition returns the clause for "column @> other". Where
 * an array will not do, it is at least true that no ancestor comes behind the
 * other side.
 */
static List *
territory_lineage_condition(TerritoryIndexCondition *condition, bool array_will_do, bool *lossy)
{
	Expr *array = array_will_do ? territory_lineage_array(condition) : NULL;

	*lossy = array == NULL;
	if (array != NULL)
		return territory_among_condition(condition, array);
	return list_make1(territory_compare_column(condition, BTLessEqualStrategyNumber,
											   condition->other));
}

/*
 * territory_arguments returns the two arguments of a call or an operator, or
 * NIL if the node is something else.
 */
static List *
territory_arguments(Node *node)
{
	List *args = NIL;

	if (is_opclause(node))
		args = ((OpExpr *) node)->args;
	else if (is_funcclause(node))
		args = ((FuncExpr *) node)->args;
	return list_length(args) == 2 ? args : NIL;
}

/*
 * territory_known_pattern_condition returns the clauses for "column ~ other"
 * for a known pattern.
 */
static List *
territory_known_pattern_condition(TerritoryIndexCondition *condition, Pattern *pattern, bool *lossy)
{
	TerritoryRange range = territory_pattern_range(pattern);
	Expr *start = territory_constant(condition->type, range.start);
	Expr *end = range.end ? territory_constant(condition->type, range.end) : NULL;

	*lossy = range.kind != TPATH_PREFIX_IS_PATTERN && range.kind != TPATH_PREFIX_IS_SUBTREE;
	if (range.kind == TPATH_PREFIX_IS_PATTERN)
		return list_make1(territory_compare_column(condition, BTEqualStrategyNumber, start));
	/* nothing is gained by reading all of an index */
	if (*lossy && TERRITORY_SIZE(range.start) == 0)
		return NIL;
	return territory_range_condition(condition, start, end);
}

/*
 * territory_is_known_later tells whether a value depends on a parameter of
 * the query. Such a query may be planned again when that is known, which is
 * better for a pattern: it may begin with "*" and be in need of all of a
 * btree, or of another index. A plan for any pattern must not look good.
 */
static bool
territory_is_known_later(Node *value, void *context)
{
	if (value == NULL)
		return false;
	if (IsA(value, Param))
		return ((Param *) value)->paramkind == PARAM_EXTERN;
	return expression_tree_walker(value, territory_is_known_later, context);
}

/*
 * territory_pattern_condition returns the clauses for "column ~ other".
 */
static List *
territory_pattern_condition(TerritoryIndexCondition *condition, bool *lossy)
{
	Pattern *known = territory_known_value(condition);
	Expr *start;
	Expr *end;

	if (known != NULL)
		return territory_known_pattern_condition(condition, known, lossy);
	if (territory_is_known_later((Node *) condition->other, NULL))
		return NIL;
	start = territory_call_on_other(condition, "pattern_start", condition->type);
	end = territory_call_on_other(condition, "pattern_end", condition->type);
	*lossy = true;
	return start && end ? territory_range_condition(condition, start, end) : NIL;
}

/*
 * territory_in_tree_order tells whether an index of some operator family
 * finds ranges of our type's own order.
 */
static bool
territory_in_tree_order(IndexOptInfo *index, Oid opfamily, Oid type)
{
	Oid less = lookup_type_cache(type, TYPECACHE_LT_OPR)->lt_opr;

	return (index->relam == BTREE_AM_OID || index->relam == BRIN_AM_OID) && OidIsValid(less) &&
		   get_opfamily_member(opfamily, type, type, BTLessStrategyNumber) == less;
}

/*
 * territory_get_condition takes a request for an index condition apart. It
 * returns false unless a column of our type is compared with a value that is
 * known when the scan begins, and the index is in tree order.
 */
static bool
territory_get_condition(SupportRequestIndexCondition *request, TerritoryIndexCondition *condition)
{
	List *args = territory_arguments(request->node);

	if (args == NIL)
		return false;
	condition->column = list_nth(args, request->indexarg);
	condition->other = list_nth(args, 1 - request->indexarg);
	condition->type = getBaseType(exprType((Node *) condition->column));
	condition->other_type = getBaseType(exprType((Node *) condition->other));
	condition->opfamily = request->opfamily;
	condition->schema = get_func_namespace(request->funcid);
	return territory_is_type(condition->type) &&
		   territory_in_tree_order(request->index, request->opfamily, condition->type) &&
		   is_pseudo_constant_for_index(request->root, (Node *) condition->other, request->index);
}

/*
 * territory_array_will_do tells whether the index may be searched for each
 * element of an array and still be thought to return rows in its order.
 */
static bool
territory_array_will_do(SupportRequestIndexCondition *request)
{
	return territory_arrays_keep_order || request->indexcol == 0 ||
		   request->index->relam != BTREE_AM_OID;
}

/*
 * territory_ancestry_index answers a request for an index condition, where
 * argument "ancestor" of the function contains the other one.
 */
static List *
territory_ancestry_index(SupportRequestIndexCondition *request, int ancestor)
{
	TerritoryIndexCondition condition;

	if (!territory_get_condition(request, &condition) || !territory_is_type(condition.other_type))
		return NIL;
	if (request->indexarg == ancestor)
		return territory_lineage_condition(&condition, territory_array_will_do(request),
										   &request->lossy);
	request->lossy = false;
	return territory_subtree_condition(&condition);
}

/*
 * territory_pattern_index answers a request for an index condition, where the
 * first argument of the function is a path and the second one a pattern.
 */
static List *
territory_pattern_index(SupportRequestIndexCondition *request)
{
	TerritoryIndexCondition condition;

	if (request->indexarg != 0 || !territory_get_condition(request, &condition) ||
		!territory_is_pattern_type(condition.other_type))
		return NIL;
	return territory_pattern_condition(&condition, &request->lossy);
}

/*
 * territory_ancestry_support answers the planner's requests about a function
 * whose argument "ancestor" contains the other one.
 */
static Node *
territory_ancestry_support(Node *request, int ancestor)
{
	if (IsA(request, SupportRequestIndexCondition))
		return (Node *) territory_ancestry_index((SupportRequestIndexCondition *) request,
												 ancestor);
	if (IsA(request, SupportRequestSelectivity))
		return territory_estimate_call((SupportRequestSelectivity *) request, ancestor) ? request
																						: NULL;
	return NULL;
}

/*
 * territory_contains_support(internal) is the support of @> and is_ancestor().
 */
Datum
territory_sql_contains_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(territory_ancestry_support((Node *) PG_GETARG_POINTER(0), 0));
}

/*
 * territory_contained_support(internal) is the support of <@.
 */
Datum
territory_sql_contained_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(territory_ancestry_support((Node *) PG_GETARG_POINTER(0), 1));
}

/*
 * territory_matches_support(internal) is the support of ~.
 */
Datum
territory_sql_matches_support(PG_FUNCTION_ARGS)
{
	Node *request = (Node *) PG_GETARG_POINTER(0);

	if (IsA(request, SupportRequestIndexCondition))
		PG_RETURN_POINTER(territory_pattern_index((SupportRequestIndexCondition *) request));
	PG_RETURN_POINTER(NULL);
}
