/*
 * goal.c
 *		What must hold for a record to come to a node, as goals over conditions.
 *
 * A rule's criteria become a tree of goals with the conditions as leaves, of each of
 * which some of the three truths are wanted: a rule of the node must be true; of a
 * node that must not match, every rule must be false or unknown. NOT is carried down
 * to the conditions.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"

#include "assign/goal.h"

static Goal *
make_goal(GoalKind kind, NeedKind need)
{
	Goal	   *goal = palloc0(sizeof(Goal));

	goal->kind = kind;
	goal->need = need;
	return goal;
}

/*
 * leaf_goal makes a goal of a condition.
 */
static Goal *
leaf_goal(Formula *formula, Expr *expr, int mask, NeedKind need, int rule)
{
	Goal	   *goal = make_goal(GOAL_LEAF, need);
	Leaf	   *leaf = palloc0(sizeof(Leaf));
	Bitmapset  *attributes = NULL;
	int			member = -1;

	leaf->condition = expr;
	leaf->mask = mask;
	leaf->planned = expression_planner(copyObject(expr));
	pull_varattnos((Node *) leaf->planned, 1, &attributes);
	while ((member = bms_next_member(attributes, member)) >= 0)
		leaf->columns = bms_add_member(leaf->columns, member + FirstLowInvalidHeapAttributeNumber);
	goal->leaf = leaf;
	goal->rule = rule;
	formula->leaves = lappend(formula->leaves, leaf);
	return goal;
}

/*
 * expression_goal makes the goal that an expression has one of the truths in a
 * set, which is {true}, {false} or either with unknown. AND has it if all of its
 * arguments have, where the set has true in it, else if any has; OR the other way
 * round. That holds in three-valued logic.
 */
static Goal *
expression_goal(Formula *formula, Expr *expr, int mask, NeedKind need, int rule)
{
	BoolExpr   *joined = (BoolExpr *) expr;
	Goal	   *goal;
	ListCell   *cell;

	check_stack_depth();
	if (!IsA(expr, BoolExpr))
		return leaf_goal(formula, expr, mask, need, rule);
	if (joined->boolop == NOT_EXPR)
		return expression_goal(formula, linitial(joined->args),
							   ((mask & MASK_TRUE) ? MASK_FALSE : 0) | ((mask & MASK_FALSE) ? MASK_TRUE : 0) |
							   (mask & MASK_UNKNOWN), need, rule);
	goal = make_goal((joined->boolop == AND_EXPR) == ((mask & MASK_TRUE) != 0) ? GOAL_ALL : GOAL_ANY, need);
	foreach(cell, joined->args)
		goal->args = lappend(goal->args, expression_goal(formula, lfirst(cell), mask, need, rule));
	return goal;
}

/*
 * rules_goal makes the goal that any rule of a node is true, or that none is.
 */
static Goal *
rules_goal(Formula *formula, int node, bool truth, NeedKind need)
{
	const Ruleset *rules = formula->inquiry->rules;
	Goal	   *goal = make_goal(truth ? GOAL_ANY : GOAL_ALL, need);

	for (int rule = inquiry_first_rule(formula->inquiry, node);
		 rule < rules->index->rule_count && rules->index->rules[rule].node == node; rule++)
		goal->args = lappend(goal->args,
							 expression_goal(formula, inquiry_criteria(formula->inquiry, rule),
											 truth ? MASK_TRUE : MASK_FALSE | MASK_UNKNOWN, need, rule));
	return goal;
}

/*
 * is_gate tells whether a node is the target or one that must match with it.
 */
static bool
is_gate(const Formula *formula, int node)
{
	const RuleNode *nodes = formula->inquiry->rules->nodes;

	for (int gate = formula->target; gate >= 0; gate = nodes[gate].gate)
	{
		if (gate == node)
			return true;
	}
	return false;
}

/*
 * blocking_goal makes the goal that a node does not match: no rule of it is true,
 * or none of a node that gates it.
 */
static Goal *
blocking_goal(Formula *formula, int node)
{
	const Ruleset *rules = formula->inquiry->rules;
	NeedKind	need = rules->object.mode == MODE_FIRST ? NEED_RIVAL : NEED_DESCENDANT;
	Goal	   *goal = make_goal(GOAL_ANY, need);

	for (int gate = node; gate >= 0; gate = rules->nodes[gate].gate)
	{
		if (!is_gate(formula, gate))
			goal->args = lappend(goal->args, rules_goal(formula, gate, false, need));
	}
	return goal;
}

/*
 * formula_make makes the goals: first what must match, from the top, then what must
 * not.
 */
void
formula_make(Formula *formula, const Inquiry *inquiry, int target, const bool *blocking)
{
	const Ruleset *rules = inquiry->rules;

	*formula = (Formula) {inquiry, target};
	for (int gate = target; gate >= 0; gate = rules->nodes[gate].gate)
		formula->goals = lcons(rules_goal(formula, gate, true, gate == target ? NEED_MATCH : NEED_ANCESTOR),
							   formula->goals);
	for (int node = 0; node < rules->node_count; node++)
	{
		if (blocking[node])
			formula->goals = lappend(formula->goals, blocking_goal(formula, node));
	}
}
