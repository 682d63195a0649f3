/*
 * access.c
 *		Decides on which values rules hang.
 *
 * The (operand, value) pairs of which a row must have one for a rule to be true
 * (the rule's cover) follow its condition: a comparison offers its constants,
 * AND takes its cheapest argument's offer, OR needs one of every argument.
 * Nothing is expanded to a normal form. A rule without a cover is tried for
 * every row.
 */
#include "postgres.h"

#include "nodes/pg_list.h"

#include "rule/build.h"

/* On what a rule may hang: codes of one or several operands. */
typedef struct Cover
{
	double		cost;			/* expected share of rows that have one of the pairs */
	List	   *conditions;		/* of kind CODES, not negated */
} Cover;

/*
 * code_share estimates which share of the rows has one given value of an
 * operand.
 */
static double
code_share(const Operand *operand)
{
	return 1.0 / Max(Max(operand->distinct, operand->value_count), 1.0);
}

static bool find_cover(Ruleset *rules, Condition *condition, Cover *cover);

/*
 * cheapest_cover takes the cheapest of the arguments' covers, for AND.
 */
static bool
cheapest_cover(Ruleset *rules, Condition *condition, Cover *cover)
{
	bool		found = false;

	for (int i = 0; i < condition->count; i++)
	{
		Cover		offer;

		if (find_cover(rules, condition->args[i], &offer) &&
			(!found || offer.cost < cover->cost))
		{
			*cover = offer;
			found = true;
		}
	}
	return found;
}

/*
 * joint_cover takes all of the arguments' covers, for OR.
 */
static bool
joint_cover(Ruleset *rules, Condition *condition, Cover *cover)
{
	cover->cost = 0;
	cover->conditions = NIL;
	for (int i = 0; i < condition->count; i++)
	{
		Cover		offer;

		if (!find_cover(rules, condition->args[i], &offer))
			return false;
		cover->cost += offer.cost;
		cover->conditions = list_concat(cover->conditions, offer.conditions);
	}
	return true;
}

/*
 * find_cover finds values of which a row must have one for the condition to be
 * true; false when there are none.
 */
static bool
find_cover(Ruleset *rules, Condition *condition, Cover *cover)
{
	switch (condition->kind)
	{
		case CONDITION_CODES:
			cover->cost = condition->count * code_share(&rules->operands[condition->index]);
			cover->conditions = list_make1(condition);
			return condition->safe && !condition->negated;
		case CONDITION_AND:
			return cheapest_cover(rules, condition, cover);
		case CONDITION_OR:
			return joint_cover(rules, condition, cover);
		case CONDITION_CONST:
			/* never true: needs no looking for */
			cover->cost = 0;
			cover->conditions = NIL;
			return condition->negated;
		case CONDITION_EXPR:
		case CONDITION_NOT:
			return false;
	}
	return false;
}

/*
 * find_guard picks, of the other comparisons that a rule needs as well, the one
 * that the fewest rows pass.
 */
static void
find_guard(const Ruleset *rules, const Condition *rule, const Condition *cover, Posting *posting)
{
	double		best = 1;

	posting->guard = -1;
	posting->mask = 0;
	for (int i = 0; rule->kind == CONDITION_AND && i < rule->count; i++)
	{
		const Condition *other = rule->args[i];
		double		share;

		if (other == cover || other->kind != CONDITION_CODES || other->negated || !other->safe)
			continue;
		share = other->count * code_share(&rules->operands[other->index]);
		if (share >= best)
			continue;
		best = share;
		posting->guard = other->index;
		posting->mask = 0;
		for (int k = 0; k < other->count; k++)
			posting->mask |= UINT64CONST(1) << (other->codes[k] & 63);
	}
}

/*
 * count_postings counts the rules that hang on each value: those of a code two
 * places late in start.
 */
static void
count_postings(Ruleset *rules, List **covers)
{
	for (int i = 0; i < rules->rule_count; i++)
	{
		ListCell   *cell;

		foreach(cell, covers[i])
		{
			Condition  *condition = lfirst(cell);
			Operand    *operand = &rules->operands[condition->index];

			if (operand->start == NULL)
				operand->start = palloc0((operand->value_count + 2) * sizeof(int));
			for (int k = 0; k < condition->count; k++)
				operand->start[condition->codes[k] + 2]++;
		}
	}
}

/*
 * fill_postings hangs the rules. The begins stand one place late; filling
 * advances each to where the next value's list begins.
 */
static void
fill_postings(Ruleset *rules, List **covers)
{
	for (int i = 0; i < rules->rule_count; i++)
	{
		ListCell   *cell;

		foreach(cell, covers[i])
		{
			Condition  *condition = lfirst(cell);
			Operand    *operand = &rules->operands[condition->index];
			Posting		posting;

			posting.rule = i;
			find_guard(rules, rules->rules[i].condition, condition, &posting);
			for (int k = 0; k < condition->count; k++)
				operand->postings[operand->start[condition->codes[k] + 1]++] = posting;
		}
	}
}

/*
 * access_index hangs every rule on its cover, or on the list of those that are
 * tried for every row.
 */
void
access_index(Ruleset *rules)
{
	List	  **covers = palloc0(Max(rules->rule_count, 1) * sizeof(List *));

	rules->scanned = palloc(Max(rules->rule_count, 1) * sizeof(int));
	for (int i = 0; i < rules->rule_count; i++)
	{
		Cover		cover;

		if (find_cover(rules, rules->rules[i].condition, &cover))
			covers[i] = cover.conditions;
		else
			rules->scanned[rules->scanned_count++] = i;
	}

	count_postings(rules, covers);
	for (int i = 0; i < rules->operand_count; i++)
	{
		Operand    *operand = &rules->operands[i];

		if (operand->start == NULL)
			continue;
		for (int k = 1; k < operand->value_count + 2; k++)
			operand->start[k] += operand->start[k - 1];
		operand->postings = palloc(Max(operand->start[operand->value_count + 1], 1) * sizeof(Posting));
	}
	fill_postings(rules, covers);
}
