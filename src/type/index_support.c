/*
 * index_support.c
 *		Planner support: the btree answers <@ and @>.
 *
 * What lies in the subtree of x is the range from x to before subtree_end(x);
 * what contains x is one of lineage(x). Both are exact, so that the index
 * condition replaces the operator.
 *
 * For a constant x both are constants too; else they are calls, which the
 * scan evaluates when it begins.
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
#include "type/planner.h"
#include "type/territory.h"
#include "type/value.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(territory_sql_contains_support);
PG_FUNCTION_INFO_V1(territory_sql_contained_support);

/* a condition that an index may answer: column, other side and operators */
typedef struct TerritoryIndexCondition
{
	Expr *column;
	Expr *other;
	Oid type;
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
	oidvector *argument_types = buildoidvector(&condition->type, 1);
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
 * territory_known_value returns the other side if it is known now, else NULL.
 */
static Territory *
territory_known_value(TerritoryIndexCondition *condition)
{
	Const *value = (Const *) condition->other;

	if (!IsA(value, Const) || value->constisnull)
		return NULL;
	return DatumGetTerritoryPP(value->constvalue);
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
 * territory_subtree_condition returns the clauses for "column <@ other". The
 * subtree of the root has no end but the column's own.
 */
static List *
territory_subtree_condition(TerritoryIndexCondition *condition)
{
	Territory *known = territory_known_value(condition);
	Expr *start =
		territory_compare_column(condition, BTGreaterEqualStrategyNumber, condition->other);
	Expr *end;

	if (known != NULL && TERRITORY_SIZE(known) == 0)
		return list_make1(start);
	if (known != NULL)
		end = territory_constant(condition->type, territory_subtree_end(known));
	else
		end = territory_call_on_other(condition, "subtree_end", condition->type);
	if (end == NULL)
		return NIL;
	return list_make2(start, territory_compare_column(condition, BTLessStrategyNumber, end));
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
 * territory_lineage_condition returns the clause for "column @> other".
 */
static List *
territory_lineage_condition(TerritoryIndexCondition *condition)
{
	Expr *array = territory_lineage_array(condition);
	ScalarArrayOpExpr *clause = makeNode(ScalarArrayOpExpr);

	if (array == NULL)
		return NIL;
	clause->opno = territory_column_operator(condition, BTEqualStrategyNumber);
	clause->opfuncid = get_opcode(clause->opno);
	clause->useOr = true;
	clause->args = list_make2(copyObject(condition->column), array);
	clause->location = -1;
	return list_make1(clause);
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
 * territory_index_condition answers a request for an index condition, where
 * argument "ancestor" of the function contains the other one. Only a btree in
 * the type's own order will do, and only a value that is known when the scan
 * begins.
 */
static List *
territory_index_condition(SupportRequestIndexCondition *request, int ancestor)
{
	List *args = territory_arguments(request->node);
	TerritoryIndexCondition condition;

	if (args == NIL || request->index->relam != BTREE_AM_OID)
		return NIL;
	condition.column = list_nth(args, request->indexarg);
	condition.other = list_nth(args, 1 - request->indexarg);
	condition.type = getBaseType(exprType((Node *) condition.other));
	condition.opfamily = request->opfamily;
	condition.schema = get_func_namespace(request->funcid);

	if (!territory_is_type(condition.type) ||
		lookup_type_cache(condition.type, TYPECACHE_BTREE_OPFAMILY)->btree_opf !=
			request->opfamily ||
		!is_pseudo_constant_for_index(request->root, (Node *) condition.other, request->index))
		return NIL;

	request->lossy = false;
	if (request->indexarg == ancestor)
		return territory_lineage_condition(&condition);
	return territory_subtree_condition(&condition);
}

/*
 * territory_support answers the planner's requests about a function whose
 * argument "ancestor" contains the other one.
 */
static Node *
territory_support(Node *request, int ancestor)
{
	if (IsA(request, SupportRequestIndexCondition))
		return (Node *) territory_index_condition((SupportRequestIndexCondition *) request,
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
	PG_RETURN_POINTER(territory_support((Node *) PG_GETARG_POINTER(0), 0));
}

/*
 * territory_contained_support(internal) is the support of <@.
 */
Datum
territory_sql_contained_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(territory_support((Node *) PG_GETARG_POINTER(0), 1));
}
