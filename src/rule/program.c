/*
 * program.c
 *		Makes programs of conditions: short-circuit code, whose steps stand one
 *		after the other in memory (Aho, Lam, Sethi, Ullman: Compilers, 6.6).
 */
#include "postgres.h"

#include "rule/build.h"
#include "rule/growth.h"

/*
 * add_step appends a step that ends the program either way.
 */
static Step *
add_step(Ruleset *rules, StepKind kind, const Condition *condition)
{
	Step	   *step;

	rules->steps = growth_room(rules->context, rules->steps, rules->step_count, 1, sizeof(Step));
	step = &rules->steps[rules->step_count++];
	step->kind = kind;
	step->negated = condition->negated;
	step->if_null = condition->if_null;
	step->index = condition->index;
	step->on_true = PROGRAM_TRUE;
	step->on_false = PROGRAM_FALSE;
	return step;
}

/*
 * add_codes keeps a list of codes and returns where it begins.
 */
static int
add_codes(Ruleset *rules, const Condition *condition)
{
	int			first = rules->code_count;

	rules->codes = growth_room(rules->context, rules->codes, first, condition->count, sizeof(int));
	for (int i = 0; i < condition->count; i++)
		rules->codes[rules->code_count++] = condition->codes[i];
	return first;
}

/*
 * add_test appends the step of a comparison or predicate.
 */
static void
add_test(Ruleset *rules, const Condition *condition)
{
	Step	   *step;

	if (condition->kind == CONDITION_EXPR)
	{
		step = add_step(rules, STEP_EXPR, condition);
		step->from = condition->truth;
	}
	else if (condition->kind == CONDITION_RANGE)
	{
		step = add_step(rules, STEP_RANGE, condition);
		step->from = condition->low;
		step->to = condition->high;
	}
	else if (condition->count == 1)
	{
		step = add_step(rules, STEP_CODE, condition);
		step->from = condition->codes[0];
	}
	else
	{
		int			first = add_codes(rules, condition);

		step = add_step(rules, STEP_CODES, condition);
		step->from = first;
		step->to = first + condition->count;
	}
}

/*
 * redirect makes the steps from one on that would end the program in one way go
 * on to the next step instead.
 */
static void
redirect(Ruleset *rules, int first, bool truth)
{
	for (int i = first; i < rules->step_count; i++)
	{
		Step	   *step = &rules->steps[i];

		if (truth && step->on_true == PROGRAM_TRUE)
			step->on_true = rules->step_count;
		if (truth && step->on_false == PROGRAM_TRUE)
			step->on_false = rules->step_count;
		if (!truth && step->on_true == PROGRAM_FALSE)
			step->on_true = rules->step_count;
		if (!truth && step->on_false == PROGRAM_FALSE)
			step->on_false = rules->step_count;
	}
}

/*
 * add_condition appends the steps of a condition.
 */
static void
add_condition(Ruleset *rules, const Condition *condition)
{
	bool		conjunction = condition->kind == CONDITION_AND;
	int			first;
	bool		begun = false;

	if (!conjunction && condition->kind != CONDITION_OR)
	{
		add_test(rules, condition);
		return;
	}
	first = rules->step_count;
	for (int i = 0; i < condition->count; i++)
	{
		if (condition->args[i]->implied)
			continue;
		if (begun)
			redirect(rules, first, conjunction);
		add_condition(rules, condition->args[i]);
		begun = true;
	}
}

/*
 * is_implied tells whether nothing of a condition is left to be checked.
 */
static bool
is_implied(const Condition *condition)
{
	if (condition->kind == CONDITION_CONST)
		return condition->truth;
	if (condition->implied)
		return true;
	if (condition->kind != CONDITION_AND)
		return false;
	for (int i = 0; i < condition->count; i++)
	{
		if (!condition->args[i]->implied)
			return false;
	}
	return true;
}

/*
 * program_build makes the program of a condition, less what a row that comes to
 * it is known to pass.
 */
int
program_build(Builder *builder, const Condition *condition)
{
	Ruleset    *rules = builder->rules;
	int			first = rules->step_count;

	if (is_implied(condition))
		return PROGRAM_TRUE;
	if (condition->kind == CONDITION_CONST)
		return PROGRAM_FALSE;
	add_condition(rules, condition);
	return first;
}
