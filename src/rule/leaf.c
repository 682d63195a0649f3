/*
 * leaf.c
 *		Makes the leaves of conditions: tests of a code or a rank, predicates for
 *		the executor, constants.
 */
#include "postgres.h"

#include "access/stratnum.h"

#include "rule/leaf.h"

/*
 * leaf_init allocates the growing parts.
 */
void
leaf_init(Builder *builder)
{
	RuleIndex  *index = builder->index;

	intern_init(&builder->predicate_exprs);
	builder->predicate_room = 16;
	index->predicates = MemoryContextAlloc(index->context, builder->predicate_room * sizeof(Predicate));
}

/*
 * condition_make makes a condition with all but its kind to be filled in.
 */
Condition *
condition_make(ConditionKind kind, int count)
{
	Condition  *condition = palloc0(sizeof(Condition));

	condition->kind = kind;
	condition->count = count;
	condition->low = condition->high = UNBOUNDED;
	if (kind == CONDITION_AND || kind == CONDITION_OR)
		condition->args = palloc(Max(count, 1) * sizeof(Condition *));
	return condition;
}

/*
 * leaf_constant makes a condition that is always true, or never.
 */
Condition *
leaf_constant(bool truth)
{
	Condition  *condition = condition_make(CONDITION_CONST, 0);

	condition->truth = truth;
	return condition;
}

/*
 * leaf_codes makes a test of a code.
 */
Condition *
leaf_codes(int operand, int room, bool negated, bool if_null)
{
	Condition  *condition = condition_make(CONDITION_CODES, 0);

	condition->index = operand;
	condition->negated = negated;
	condition->if_null = if_null;
	condition->codes = room > 1 ? palloc(room * sizeof(int)) : &condition->code;
	return condition;
}

static int
compare_codes(const void *a, const void *b)
{
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	return (x > y) - (x < y);
}

/*
 * leaf_sort_codes puts a list in order and takes duplicates out.
 */
void
leaf_sort_codes(Condition *condition)
{
	int			last = 0;

	qsort(condition->codes, condition->count, sizeof(int), compare_codes);
	for (int i = 0; i < condition->count; i++)
	{
		if (i == 0 || condition->codes[i] != condition->codes[last - 1])
			condition->codes[last++] = condition->codes[i];
	}
	condition->count = last;
}

/*
 * leaf_range makes a test of a rank.
 */
Condition *
leaf_range(int operand, int strategy, int bound)
{
	Condition  *condition = condition_make(CONDITION_RANGE, 0);

	condition->index = operand;
	if (strategy >= BTEqualStrategyNumber)
		condition->low = bound;
	if (strategy <= BTEqualStrategyNumber)
		condition->high = bound;
	condition->low_open = strategy == BTGreaterStrategyNumber;
	condition->high_open = strategy == BTLessStrategyNumber;
	return condition;
}

/*
 * leaf_predicate makes a condition that the executor evaluates.
 */
Condition *
leaf_predicate(Builder *builder, Expr *expr, bool want)
{
	RuleIndex  *index = builder->index;
	Condition  *condition = condition_make(CONDITION_EXPR, 0);
	bool		is_new;

	condition->truth = want;
	condition->index = intern(&builder->predicate_exprs, expr, &is_new);
	if (!is_new)
		return condition;
	if (index->predicate_count > STEP_MAX_INDEX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the rules have too many conditions that only the executor can evaluate")));
	if (index->predicate_count == builder->predicate_room)
	{
		builder->predicate_room *= 2;
		index->predicates = repalloc_huge(index->predicates, builder->predicate_room * sizeof(Predicate));
	}
	{
		MemoryContext old = MemoryContextSwitchTo(index->context);
		Predicate  *predicate = &index->predicates[index->predicate_count++];

		memset(predicate, 0, sizeof(Predicate));
		predicate->expr = copyObject(expr);
		builder->predicate_exprs.exprs[condition->index] = predicate->expr;
		MemoryContextSwitchTo(old);
	}
	return condition;
}
