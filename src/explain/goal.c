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

#include "explain/deal_goal.h"
#include "explain/goal.h"

Goal *
goal_make(GoalKind kind, NeedKind need)
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
	Goal	   *goal = goal_make(GOAL_LEAF, need);
	Leaf	   *leaf = palloc0(sizeof(Leaf));
	Bitmapset  *attributes = NULL;
	int			member = -1;

	leaf->condition = expr;
	leaf->need = need;
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
 * goal_condition makes the goal that an expression has one of the truths in a
 * set, which is {true}, {false} or either with unknown. AND has it if all of its
 * arguments have, where the set has true in it, else if any has; OR the other way
 * round. That holds in three-valued logic.
 */
Goal *
goal_condition(Formula *formula, Expr *expr, int mask, NeedKind need, int rule)
{
	BoolExpr   *joined = (BoolExpr *) expr;
	Goal	   *goal;
	ListCell   *cell;

	check_stack_depth();
	if (!IsA(expr, BoolExpr))
		return leaf_goal(formula, expr, mask, need, rule);
	if (joined->boolop == NOT_EXPR)
		return goal_condition(formula, linitial(joined->args),
							   ((mask & MASK_TRUE) ? MASK_FALSE : 0) | ((mask & MASK_FALSE) ? MASK_TRUE : 0) |
							   (mask & MASK_UNKNOWN), need, rule);
	goal = goal_make((joined->boolop == AND_EXPR) == ((mask & MASK_TRUE) != 0) ? GOAL_ALL : GOAL_ANY, need);
	foreach(cell, joined->args)
		goal->args = lappend(goal->args, goal_condition(formula, lfirst(cell), mask, need, rule));
	return goal;
}

/*
 * rules_goal makes the goal that any rule of a node is true, or that none is.
 */
static Goal *
rules_goal(Formula *formula, int node, bool truth, NeedKind need)
{
	const Inquiry *inquiry = formula->objective->inquiry;
	const Ruleset *rules = inquiry->rules;
	Goal	   *goal = goal_make(truth ? GOAL_ANY : GOAL_ALL, need);

	for (int rule = inquiry_first_rule(inquiry, node);
		 rule < rules->index->rule_count && rules->index->rules[rule].node == node; rule++)
		goal->args = lappend(goal->args,
							 goal_condition(formula, inquiry_criteria(inquiry, rule),
											 truth ? MASK_TRUE : MASK_FALSE | MASK_UNKNOWN, need, rule));
	return goal;
}

/*
 * is_gate tells whether a node is one that must match.
 */
static bool
is_gate(const Objective *objective, int node)
{
	const RuleNode *nodes = objective->inquiry->rules->nodes;

	if (objective->aim != AIM_RULES)
		return false;
	for (int gate = objective->node; gate >= 0; gate = nodes[gate].gate)
	{
		if (gate == node)
			return true;
	}
	return false;
}

/*
 * is_below tells whether a node stands below the one that must match.
 */
static bool
is_below(const Objective *objective, int node)
{
	const RuleNode *nodes = objective->inquiry->rules->nodes;

	return objective->aim == AIM_RULES && node > objective->node && node < nodes[objective->node].subtree_end;
}

/*
 * goal_may_block tells whether a node takes the record away if it matches.
 */
bool
goal_may_block(const Objective *objective, int node)
{
	const Inquiry *inquiry = objective->inquiry;
	const Ruleset *rules = inquiry->rules;
	const Slice *excluded = &inquiry->premise.excluded;

	if (exclusion_covers(excluded->exclusions, excluded->count, rules->nodes[node].id))
		return false;
	if (rules->object.kind == KIND_DEAL)
		return deal_goal_may_block(objective, node);
	if (objective->aim == AIM_ABOVE)
		return true;
	if (rules->object.mode == MODE_FIRST)
		return node != objective->node && match_wins(&rules->nodes[node], &rules->nodes[objective->node]);
	return rules->object.mode == MODE_DEEPEST && is_below(objective, node);
}

/*
 * goal_match makes the goal that a node matches; those that must match anyway are
 * left out.
 */
Goal *
goal_match(Formula *formula, int node, NeedKind need)
{
	Goal	   *goal = goal_make(GOAL_ALL, need);

	for (int gate = node; gate >= 0; gate = formula->objective->inquiry->rules->nodes[gate].gate)
	{
		if (!is_gate(formula->objective, gate))
			goal->args = lappend(goal->args, rules_goal(formula, gate, true, need));
	}
	return goal;
}

/*
 * need_of says why a node must not match.
 */
static NeedKind
need_of(const Objective *objective, int node)
{
	const ObjectInfo *object = &objective->inquiry->rules->object;

	if (objective->aim == AIM_ABOVE && object->kind != KIND_DEAL)
		return NEED_SELF;
	return object->mode == MODE_DEEPEST && is_below(objective, node) ? NEED_DESCENDANT : NEED_RIVAL;
}

/*
 * blocking_goal makes the goal that a node does not match: no rule of it is true,
 * or none of a node that gates it; or, of a deal, that it matters not.
 */
static Goal *
blocking_goal(Formula *formula, int node)
{
	const Objective *objective = formula->objective;
	const Ruleset *rules = objective->inquiry->rules;
	NeedKind	need = need_of(objective, node);
	Goal	   *goal = goal_make(GOAL_ANY, need);

	for (int gate = node; gate >= 0; gate = rules->nodes[gate].gate)
	{
		if (!is_gate(objective, gate))
			goal->args = lappend(goal->args, rules_goal(formula, gate, false, need));
	}
	if (rules->object.kind == KIND_DEAL && objective->aim == AIM_RULES && need == NEED_RIVAL)
		deal_goal_add_ways(formula, node, goal);
	return goal;
}

/*
 * formula_make makes the goals.
 */
void
formula_make(Formula *formula, const Objective *objective, const bool *blocking)
{
	const Ruleset *rules = objective->inquiry->rules;

	*formula = (Formula) {objective};
	for (int gate = objective->aim == AIM_RULES ? objective->node : -1; gate >= 0; gate = rules->nodes[gate].gate)
		formula->goals = lcons(rules_goal(formula, gate, true, gate == objective->node ? NEED_MATCH : NEED_ANCESTOR),
							   formula->goals);
	for (int node = 0; node < rules->node_count; node++)
	{
		if (blocking[node])
			formula->goals = lappend(formula->goals, blocking_goal(formula, node));
	}
	if (rules->object.kind == KIND_DEAL)
		deal_goal_add(formula);
}
