/*
 * plan.c
 *		What the planner is told of sees() and edits().
 *
 * How many rows pass: what the statistics of the assignment table say of the nodes in
 * which whoever is planning has the right.
 *
 * That an index of the key finds them: sees(assignment, key) is
 * key = ANY (visible_keys(assignment)), which the scan evaluates when it begins. So
 * somebody who sees few of many records has them found from his nodes, and not by a
 * look at every row. What that costs stands in the cost of visible_keys(). It is not
 * offered to an index with another collation than the key's, by which other keys may
 * be equal; nor where another condition finds rows by the key, a join too, since the
 * index would be given both; nor where some rows in the order of an index are asked
 * for, and walking along it comes to them sooner.
 *
 * That inserting() is false of rows that are not being inserted.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/plancat.h"
#include "parser/parse_func.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"

#include "access/pair_source.h"
#include "access/probe.h"
#include "access/visible.h"
#include "base/catalog.h"

PG_FUNCTION_INFO_V1(territory_sees_support);
PG_FUNCTION_INFO_V1(territory_edits_support);
PG_FUNCTION_INFO_V1(territory_inserting_support);
PG_FUNCTION_INFO_V1(territory_visible_keys_support);

/* the cost of finding a record from its pair, in that of handling a row: two descents of an index */
#define ROWS_PER_KEY 40

/* What is expected of the pairs of an assignment table. */
typedef struct PairEstimate
{
	double		pairs;
	double		visible;		/* of these, with a node in which there is the right */
} PairEstimate;

/*
 * constant_oid returns an argument that is a constant OID, or InvalidOid.
 */
static Oid
constant_oid(Node *argument)
{
	if (argument == NULL || !IsA(argument, Const) || ((Const *) argument)->constisnull)
		return InvalidOid;
	return DatumGetObjectId(((Const *) argument)->constvalue);
}

/*
 * count_pairs estimates the number of pairs.
 */
static double
count_pairs(Relation table)
{
	BlockNumber pages;
	double		tuples;
	double		allvisfrac;

	estimate_rel_size(table, NULL, &pages, &tuples, &allvisfrac);
	return tuples;
}

/*
 * node_share returns the share of the pairs whose node the viewer has the right in:
 * of the frequent nodes, what the statistics say; of each other one, the average.
 */
static double
node_share(Relation table, const Viewer *viewer, int right)
{
	AttrNumber	column = get_attnum(RelationGetRelid(table), "node_id");
	HeapTuple	statistics = SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(RelationGetRelid(table)),
											 Int16GetDatum(column), BoolGetDatum(false));
	double		distinct = DEFAULT_NUM_DISTINCT;
	double		share = 0;
	double		rest = 1;
	int			others = viewer_count(viewer, right);
	int			frequent = 0;
	AttStatsSlot slot;

	if (HeapTupleIsValid(statistics))
	{
		double		stated = ((Form_pg_statistic) GETSTRUCT(statistics))->stadistinct;

		distinct = stated < 0 ? -stated * count_pairs(table) : Max(stated, 1);
		if (get_attstatsslot(&slot, statistics, STATISTIC_KIND_MCV, InvalidOid, ATTSTATSSLOT_VALUES | ATTSTATSSLOT_NUMBERS))
		{
			frequent = slot.nvalues;
			for (int i = 0; i < slot.nvalues; i++)
			{
				rest -= slot.numbers[i];
				if ((viewer_rights(viewer, DatumGetInt32(slot.values[i])) & right) == 0)
					continue;
				share += slot.numbers[i];
				others--;
			}
			free_attstatsslot(&slot);
		}
		ReleaseSysCache(statistics);
	}
	if (distinct > frequent && rest > 0)
		share += rest * Min(1.0, others / (distinct - frequent));
	return Min(share, 1.0);
}

/*
 * estimate_pairs estimates for an assignment table.
 */
static PairEstimate
estimate_pairs(Oid assignment, int right)
{
	PairEstimate estimate = {1, 0};
	Viewer	   *viewer = viewer_acquire();
	Relation	table;

	if (viewer == NULL)
		return estimate;
	viewer_release_with(viewer, CurrentMemoryContext);
	(void) pair_source_object(assignment);
	table = table_open(assignment, AccessShareLock);
	estimate.pairs = Max(count_pairs(table), 1);
	estimate.visible = estimate.pairs * node_share(table, viewer, right);
	table_close(table, NoLock);
	return estimate;
}

/*
 * estimate_selectivity answers how many rows pass.
 */
static Node *
estimate_selectivity(SupportRequestSelectivity *request, int right)
{
	Oid			assignment = constant_oid(linitial(request->args));
	Node	   *key = strip_implicit_coercions(lsecond(request->args));
	PairEstimate estimate;
	RelOptInfo *rel;

	if (!OidIsValid(assignment) || !IsA(key, Var) || ((Var *) key)->varlevelsup != 0 || request->root == NULL)
		return NULL;
	rel = find_base_rel(request->root, ((Var *) key)->varno);
	estimate = estimate_pairs(assignment, right);
	request->selectivity = Min(1.0, estimate.visible / Max(estimate.pairs, rel->tuples));
	return (Node *) request;
}

/*
 * finds_by_column tells whether a clause may find rows by the index's column.
 */
static bool
finds_by_column(RestrictInfo *info, const SupportRequestIndexCondition *request)
{
	Node	   *clause = (Node *) info->clause;
	List	   *operands = NIL;
	ListCell   *cell;

	if (IsA(clause, OpExpr))
		operands = ((OpExpr *) clause)->args;
	else if (IsA(clause, ScalarArrayOpExpr))
		operands = ((ScalarArrayOpExpr *) clause)->args;
	foreach(cell, operands)
	{
		if (match_index_to_operand(lfirst(cell), request->indexcol, request->index))
			return true;
	}
	return false;
}

/*
 * is_joined_by_column tells whether other tables are joined by the index's column.
 */
static bool
is_joined_by_column(const SupportRequestIndexCondition *request)
{
	RelOptInfo *rel = request->index->rel;
	ListCell   *cell;

	foreach(cell, request->root->eq_classes)
	{
		EquivalenceClass *class = lfirst(cell);
		ListCell   *member;

		if (list_length(class->ec_members) < 2)
			continue;
		foreach(member, class->ec_members)
		{
			EquivalenceMember *em = lfirst(member);

			if (bms_is_subset(em->em_relids, rel->relids) &&
				match_index_to_operand((Node *) em->em_expr, request->indexcol, request->index))
				return true;
		}
	}
	foreach(cell, rel->joininfo)
	{
		if (finds_by_column(lfirst(cell), request))
			return true;
	}
	return false;
}

/*
 * is_found_otherwise tells whether another condition finds rows by the column.
 */
static bool
is_found_otherwise(const SupportRequestIndexCondition *request)
{
	ListCell   *cell;

	foreach(cell, request->index->rel->baserestrictinfo)
	{
		if (finds_by_column(lfirst(cell), request))
			return true;
	}
	return is_joined_by_column(request);
}

/*
 * is_index_order tells whether an index of the table gives its rows as the query wants
 * them.
 */
static bool
is_index_order(PlannerInfo *root, RelOptInfo *rel)
{
	EquivalenceClass *class;
	ListCell   *cell;

	if (root->query_pathkeys == NIL)
		return true;
	class = linitial_node(PathKey, root->query_pathkeys)->pk_eclass;
	foreach(cell, class->ec_members)
	{
		EquivalenceMember *member = lfirst(cell);
		ListCell   *index;

		foreach(index, rel->indexlist)
		{
			if (((IndexOptInfo *) lfirst(index))->sortopfamily != NULL &&
				match_index_to_operand((Node *) member->em_expr, 0, lfirst(index)))
				return true;
		}
	}
	return false;
}

/*
 * walking_is_shorter tells whether the query ends after fewer rows of an index than
 * there are keys.
 */
static bool
walking_is_shorter(const SupportRequestIndexCondition *request, double keys)
{
	PlannerInfo *root = request->root;
	RelOptInfo *rel = request->index->rel;

	return root->limit_tuples > 0 && keys > 0 && bms_membership(root->all_baserels) == BMS_SINGLETON &&
		root->limit_tuples * rel->tuples / keys < keys && is_index_order(root, rel);
}

/*
 * keys_call makes the call visible_keys(assignment, NULL::type, writable). The planner
 * calls functions of constants to estimate by their results, which here is the work of
 * the query itself; its own call does not have this format, and is answered NULL.
 */
static Expr *
keys_call(Node *assignment, Oid type, bool writable)
{
	Oid			types[3] = {REGCLASSOID, ANYELEMENTOID, BOOLOID};
	Oid			function = LookupFuncName(list_make2(makeString(TERRITORY_SCHEMA), makeString("visible_keys")), 3, types, false);
	List	   *args = list_make3(copyObject(assignment), makeNullConst(type, -1, get_typcollation(type)),
								  makeBoolConst(writable, false));

	return (Expr *) makeFuncExpr(function, get_array_type(type), args, InvalidOid, InvalidOid, VISIBLE_KEYS_FORMAT);
}

/*
 * index_condition offers the condition by which an index of the key finds the rows.
 */
static List *
index_condition(SupportRequestIndexCondition *request, int right)
{
	FuncExpr   *call = (FuncExpr *) request->node;
	const ObjectInfo *object;
	Oid			assignment;
	Oid			type;
	ScalarArrayOpExpr *condition;
	PairEstimate estimate;

	if (!IsA(call, FuncExpr) || request->indexarg != 1 || request->index->relam != BTREE_AM_OID)
		return NIL;
	assignment = constant_oid(linitial(call->args));
	if (!OidIsValid(assignment) || is_found_otherwise(request))
		return NIL;
	estimate = estimate_pairs(assignment, right);
	if (walking_is_shorter(request, estimate.visible))
		return NIL;
	type = request->index->opcintype[request->indexcol];
	object = pair_source_object(assignment);
	if ((type != object->key_type && type != TEXTOID) || request->indexcollation != object->key_collation)
		return NIL;
	condition = makeNode(ScalarArrayOpExpr);
	condition->opno = get_opfamily_member(request->opfamily, type, type, BTEqualStrategyNumber);
	condition->useOr = true;
	condition->inputcollid = request->indexcollation;
	condition->args = list_make2(copyObject(lsecond(call->args)),
								 keys_call(linitial(call->args), type, right == RIGHT_EDIT));
	condition->location = -1;
	set_sa_opfuncid(condition);
	request->lossy = false;
	return list_make1(condition);
}

/*
 * support answers the planner about sees() or edits().
 */
static Node *
support(Node *request, int right)
{
	if (IsA(request, SupportRequestSelectivity))
		return estimate_selectivity((SupportRequestSelectivity *) request, right);
	if (IsA(request, SupportRequestIndexCondition))
		return (Node *) index_condition((SupportRequestIndexCondition *) request, right);
	return NULL;
}

Datum
territory_sees_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(support((Node *) PG_GETARG_POINTER(0), RIGHT_SEE));
}

Datum
territory_edits_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(support((Node *) PG_GETARG_POINTER(0), RIGHT_EDIT));
}

/*
 * territory_visible_keys_support tells what it costs to find the keys, and the records
 * with them.
 */
Datum
territory_visible_keys_support(PG_FUNCTION_ARGS)
{
	Node	   *node = (Node *) PG_GETARG_POINTER(0);
	SupportRequestCost *request = (SupportRequestCost *) node;
	List	   *args;
	Node	   *writable;

	if (!IsA(node, SupportRequestCost) || request->node == NULL || !IsA(request->node, FuncExpr))
		PG_RETURN_POINTER(NULL);
	args = ((FuncExpr *) request->node)->args;
	writable = lthird(args);
	if (!OidIsValid(constant_oid(linitial(args))) || !IsA(writable, Const))
		PG_RETURN_POINTER(NULL);
	request->startup = estimate_pairs(constant_oid(linitial(args)),
									  DatumGetBool(((Const *) writable)->constvalue) ? RIGHT_EDIT : RIGHT_SEE).visible *
		ROWS_PER_KEY * cpu_tuple_cost;
	request->per_tuple = 0;
	PG_RETURN_POINTER(request);
}

/*
 * is_new_row tells whether a call is about the rows that a statement inserts, and that
 * it may have to show: not about rows of the same table, or of another, that it reads.
 */
static bool
is_new_row(const Query *query, const List *args)
{
	Oid			assignment = constant_oid(linitial(args));
	Var		   *key = (Var *) strip_implicit_coercions(lsecond(args));

	if (query->commandType != CMD_INSERT && (query->commandType != CMD_MERGE || query->returningList == NIL))
		return false;
	return IsA(key, Var) && key->varlevelsup == 0 && key->varno == query->resultRelation && OidIsValid(assignment) &&
		rt_fetch(query->resultRelation, query->rtable)->relid == pair_source_object(assignment)->object;
}

Datum
territory_inserting_support(PG_FUNCTION_ARGS)
{
	Node	   *node = (Node *) PG_GETARG_POINTER(0);
	SupportRequestSimplify *request = (SupportRequestSimplify *) node;

	if (!IsA(node, SupportRequestSimplify) || request->root == NULL ||
		is_new_row(request->root->parse, request->fcall->args))
		PG_RETURN_POINTER(NULL);
	PG_RETURN_POINTER(makeBoolConst(false, false));
}
