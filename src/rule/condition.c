/*
 * condition.c
 *		Makes conditions of expressions, sharing what rules have in common.
 *
 * Comparisons with constants become tests of small integers (comparison.c);
 * everything else that is not AND, OR or NOT is a predicate for the executor.
 *
 * NOT is carried down to the comparisons. That is right in three-valued logic
 * too, as long as each comparison is asked whether it is known to be false
 * rather than whether it is not true: for NULL neither x < 5 nor x >= 5 holds.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/nodeFuncs.h"

#include "rule/comparison.h"
#include "rule/leaf.h"

static Condition *build(Builder *builder, Expr *expr, bool leading, bool want);

/*
 * truth_condition makes the condition of IS TRUE and its like; NULL where it is
 * left to the executor.
 */
static Condition *
truth_condition(Builder *builder, const BooleanTest *test, bool leading, bool want)
{
	BoolTestType kind = test->booltesttype;
	bool		is_true = kind == IS_TRUE || kind == IS_NOT_FALSE || kind == IS_NOT_UNKNOWN;
	bool		is_false = kind == IS_FALSE || kind == IS_NOT_TRUE || kind == IS_NOT_UNKNOWN;
	bool		is_null = kind == IS_UNKNOWN || kind == IS_NOT_TRUE || kind == IS_NOT_FALSE;

	if (IsA(test->arg, Var))
		return comparison_of_boolean(builder, test->arg, is_true == want, is_false == want, is_null == want);
	if (want && kind == IS_TRUE)
		return build(builder, test->arg, leading, true);
	if (want && kind == IS_FALSE)
		return build(builder, test->arg, leading, false);
	return NULL;
}

/*
 * is_plain tells whether a condition compares a plain column, which can raise no
 * error.
 */
static bool
is_plain(const Builder *builder, const Condition *condition)
{
	const RuleIndex *index = builder->index;

	return (condition->kind == CONDITION_CODES || condition->kind == CONDITION_RANGE) &&
		index->attributes[index->operands[condition->index].attribute].attno != 0;
}

/*
 * sort_arguments puts comparisons of plain columns first, and leaves the order
 * alone otherwise: a condition may stand there to keep the next one from an error
 * (n <> 0 AND 100 / n > 5).
 */
static void
sort_arguments(const Builder *builder, Condition *condition)
{
	Condition **sorted = palloc(condition->count * sizeof(Condition *));
	int			filled = 0;

	for (int pass = 0; pass < 2; pass++)
	{
		for (int i = 0; i < condition->count; i++)
		{
			if (is_plain(builder, condition->args[i]) == (pass == 0))
				sorted[filled++] = condition->args[i];
		}
	}
	condition->args = sorted;
}

/*
 * boolean_condition makes a condition of AND, OR or NOT.
 */
static Condition *
boolean_condition(Builder *builder, BoolExpr *expr, bool leading, bool want)
{
	Condition  *condition;
	ListCell   *cell;

	if (expr->boolop == NOT_EXPR)
		return build(builder, linitial(expr->args), leading, !want);
	condition = condition_make((expr->boolop == AND_EXPR) == want ? CONDITION_AND : CONDITION_OR,
							   list_length(expr->args));
	foreach(cell, expr->args)
	{
		int			i = foreach_current_index(cell);

		condition->args[i] = build(builder, lfirst(cell), leading && i == 0, want);
	}
	sort_arguments(builder, condition);
	return condition;
}

/*
 * leaf_condition makes the condition of what is not AND, OR or NOT; NULL where it
 * is left to the executor.
 */
static Condition *
leaf_condition(Builder *builder, Expr *expr, bool leading, bool want)
{
	switch (nodeTag(expr))
	{
		case T_Const:
			{
				const Const *constant = (Const *) expr;

				return leaf_constant(!constant->constisnull && DatumGetBool(constant->constvalue) == want);
			}
		case T_Var:
			return comparison_of_boolean(builder, expr, want, !want, false);
		case T_OpExpr:
			return comparison_by_operator(builder, (OpExpr *) expr, want);
		case T_DistinctExpr:
			return comparison_distinct(builder, (OpExpr *) expr, want);
		case T_ScalarArrayOpExpr:
			return comparison_with_list(builder, (ScalarArrayOpExpr *) expr, want);
		case T_BooleanTest:
			return truth_condition(builder, (BooleanTest *) expr, leading, want);
		case T_NullTest:
			if (((NullTest *) expr)->argisrow)
				return NULL;
			return comparison_with_null(builder, ((NullTest *) expr)->arg,
								  (((NullTest *) expr)->nulltesttype == IS_NULL) == want);
		default:
			return NULL;
	}
}

/*
 * mark_safe notes of the comparisons that one expression gave whether they may be
 * looked at before their turn.
 */
static void
mark_safe(const Builder *builder, Condition *condition, bool leading)
{
	for (int i = 0; (condition->kind == CONDITION_AND || condition->kind == CONDITION_OR) && i < condition->count; i++)
		mark_safe(builder, condition->args[i], leading);
	if (condition->kind == CONDITION_CODES || condition->kind == CONDITION_RANGE)
		condition->safe |= leading || is_plain(builder, condition);
}

/*
 * build makes the condition that an expression is true, or false. leading: WHERE
 * would evaluate it for every row, whatever the rest of the criteria says.
 */
static Condition *
build(Builder *builder, Expr *expr, bool leading, bool want)
{
	Condition  *condition;

	check_stack_depth();
	if (IsA(expr, BoolExpr))
		return boolean_condition(builder, (BoolExpr *) expr, leading, want);
	condition = leaf_condition(builder, expr, leading, want);
	if (condition == NULL)
		return leaf_predicate(builder, expr, want);
	mark_safe(builder, condition, leading);
	return condition;
}

/*
 * condition_build makes the condition of an expression that the planner has
 * simplified.
 */
Condition *
condition_build(Builder *builder, Expr *expr)
{
	return build(builder, expr, true, true);
}

/*
 * set_ranks makes ranks of the bounds of a range.
 */
static void
set_ranks(const Builder *builder, Condition *condition, int **places)
{
	int		   *place = places[condition->index];
	int			count = builder->index->operands[condition->index].value_count;

	condition->low = condition->low == UNBOUNDED ? 0 :
		2 * place[condition->low] + 1 + condition->low_open;
	condition->high = condition->high == UNBOUNDED ? 2 * count :
		2 * place[condition->high] + 1 - condition->high_open;
}

/*
 * meet_ranges makes one range of the ranges of an operand that AND joins. The
 * operand is evaluated where the first of them stands.
 */
static void
meet_ranges(Condition *condition)
{
	int			left = 0;

	for (int i = 0; i < condition->count; i++)
	{
		Condition  *argument = condition->args[i];
		Condition  *other = NULL;

		CHECK_FOR_INTERRUPTS();
		for (int k = 0; argument->kind == CONDITION_RANGE && k < left && other == NULL; k++)
		{
			if (!argument->negated &&
				condition->args[k]->kind == CONDITION_RANGE && !condition->args[k]->negated &&
				condition->args[k]->index == argument->index)
				other = condition->args[k];
		}
		if (other == NULL)
		{
			condition->args[left++] = argument;
			continue;
		}
		other->low = Max(other->low, argument->low);
		other->high = Min(other->high, argument->high);
	}
	condition->count = left;
}

/*
 * flatten puts the arguments of arguments of the same kind into their place, and
 * leaves out what does not decide; returns what is left.
 */
static Condition *
flatten(Condition *condition)
{
	bool		neutral = condition->kind == CONDITION_AND;
	Condition  *flat;
	int			count = 0;

	for (int i = 0; i < condition->count; i++)
		count += condition->args[i]->kind == condition->kind ? condition->args[i]->count : 1;
	flat = condition_make(condition->kind, count);
	flat->count = 0;
	for (int i = 0; i < condition->count; i++)
	{
		Condition  *argument = condition->args[i];

		if (argument->kind == CONDITION_CONST && argument->truth != neutral)
			return argument;
		if (argument->kind == condition->kind)
		{
			memcpy(flat->args + flat->count, argument->args, argument->count * sizeof(Condition *));
			flat->count += argument->count;
		}
		else if (argument->kind != CONDITION_CONST)
			flat->args[flat->count++] = argument;
	}
	if (flat->count == 0)
		return leaf_constant(neutral);
	return flat->count == 1 ? flat->args[0] : flat;
}

/*
 * finish_range ends a range that can hold no rank.
 */
static Condition *
finish_range(const Builder *builder, Condition *condition)
{
	if (condition->low > condition->high && !condition->negated)
		return leaf_constant(false);
	condition->share = share_of(builder, condition);
	return condition;
}

/*
 * condition_finish makes the final condition: bounds are ranks, the ranges of an
 * operand one, constants are gone, shares are known.
 */
Condition *
condition_finish(Builder *builder, Condition *condition, int **places)
{
	switch (condition->kind)
	{
		case CONDITION_RANGE:
			set_ranks(builder, condition, places);
			return finish_range(builder, condition);
		case CONDITION_CODES:
			condition->share = share_of(builder, condition);
			return condition;
		case CONDITION_AND:
		case CONDITION_OR:
			for (int i = 0; i < condition->count; i++)
				condition->args[i] = condition_finish(builder, condition->args[i], places);
			condition = flatten(condition);
			if (condition->kind != CONDITION_AND)
				return condition;
			meet_ranges(condition);
			for (int i = 0; i < condition->count; i++)
			{
				if (condition->args[i]->kind == CONDITION_RANGE)
					condition->args[i] = finish_range(builder, condition->args[i]);
			}
			return flatten(condition);
		default:
			return condition;
	}
}
