/*
 * program.c
 *		Makes programs of conditions: short-circuit code, whose steps stand one
 *		after the other in memory (Aho, Lam, Sethi, Ullman: Compilers, 6.6).
 */
#include "postgres.h"

#include "miscadmin.h"

#include "rule/build.h"
#include "rule/growth.h"

/* A program being made. */
typedef struct Draft
{
	RuleIndex  *index;
	int			count;
	struct DraftStep
	{
		Step		step;
		int			on_true;	/* step of the draft that follows, or a result */
		int			on_false;
	}		   *steps;
} Draft;

/*
 * add_step appends a step that ends the program either way.
 */
static Step *
add_step(Draft *draft, StepKind kind, const Condition *condition)
{
	struct DraftStep *step;

	draft->steps = growth_room(CurrentMemoryContext, draft->steps, draft->count, 1, sizeof(struct DraftStep));
	step = &draft->steps[draft->count++];
	memset(step, 0, sizeof(struct DraftStep));
	step->step.kind = kind;
	step->step.negated = condition->negated;
	step->step.if_null = condition->if_null;
	step->step.index = condition->index;
	step->on_true = PROGRAM_TRUE;
	step->on_false = PROGRAM_FALSE;
	return &step->step;
}

/*
 * add_codes keeps a list of codes and returns where it begins.
 */
static int
add_codes(RuleIndex *index, const Condition *condition)
{
	int			first = index->code_count;

	index->codes = growth_room(index->context, index->codes, first, condition->count, sizeof(int));
	for (int i = 0; i < condition->count; i++)
		index->codes[index->code_count++] = condition->codes[i];
	return first;
}

/*
 * add_test appends the step of a comparison or predicate.
 */
static void
add_test(Draft *draft, const Condition *condition)
{
	Step	   *step;

	if (condition->kind == CONDITION_EXPR)
	{
		step = add_step(draft, STEP_EXPR, condition);
		step->from = condition->truth;
	}
	else if (condition->kind == CONDITION_RANGE)
	{
		step = add_step(draft, STEP_RANGE, condition);
		step->from = condition->low;
		step->to = condition->high;
	}
	else if (condition->count == 1)
	{
		step = add_step(draft, STEP_CODE, condition);
		step->from = condition->codes[0];
	}
	else
	{
		step = add_step(draft, STEP_CODES, condition);
		step->from = add_codes(draft->index, condition);
		step->to = step->from + condition->count;
	}
}

/*
 * redirect makes the steps from one on that would end the program with a result
 * go on to the next step instead.
 */
static void
redirect(Draft *draft, int first, int result)
{
	CHECK_FOR_INTERRUPTS();
	for (int i = first; i < draft->count; i++)
	{
		if (draft->steps[i].on_true == result)
			draft->steps[i].on_true = draft->count;
		if (draft->steps[i].on_false == result)
			draft->steps[i].on_false = draft->count;
	}
}

/*
 * add_condition appends the steps of a condition.
 */
static void
add_condition(Draft *draft, const Condition *condition)
{
	bool		conjunction = condition->kind == CONDITION_AND;
	int			first = draft->count;

	if (!conjunction && condition->kind != CONDITION_OR)
	{
		add_test(draft, condition);
		return;
	}
	for (int i = 0; i < condition->count; i++)
	{
		if (condition->args[i]->implied)
			continue;
		/* of the steps before, only those of the last argument still end with this result */
		redirect(draft, first, conjunction ? PROGRAM_TRUE : PROGRAM_FALSE);
		first = draft->count;
		add_condition(draft, condition->args[i]);
	}
}

/*
 * keep_steps puts a draft into the rule set. The steps of a condition's parts
 * follow one another, so that of the two ways to go on from a step one is always
 * to the next, and both ways from the last one are results.
 */
static int
keep_steps(const Draft *draft)
{
	RuleIndex  *index = draft->index;
	int			first = index->step_count;

	index->steps = growth_room(index->context, index->steps, first, draft->count, sizeof(Step));
	index->step_count += draft->count;
	for (int i = 0; i < draft->count; i++)
	{
		const struct DraftStep *from = &draft->steps[i];
		Step	   *step = &index->steps[first + i];
		int			otherwise;

		*step = from->step;
		step->last = i == draft->count - 1;
		step->go_on = from->on_true == i + 1;
		otherwise = step->go_on ? from->on_false : from->on_true;
		Assert(step->last || step->go_on || from->on_false == i + 1);
		step->otherwise = otherwise < 0 ? otherwise : first + otherwise;
	}
	return first;
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
	Draft		draft = {builder->index, 0, NULL};
	int			first;

	if (is_implied(condition))
		return PROGRAM_TRUE;
	if (condition->kind == CONDITION_CONST)
		return PROGRAM_FALSE;
	add_condition(&draft, condition);
	first = keep_steps(&draft);
	pfree(draft.steps);
	return first;
}
