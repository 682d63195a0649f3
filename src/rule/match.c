/*
 * match.c
 *		Finds the nodes that a row matches.
 *
 * Every rule hangs on a few (operand, value) pairs of which a row must have one
 * for the rule to be true ("access predicates": Fabret et al., SIGMOD 2001). A
 * row's values are looked up once, the rules found by them are checked to the
 * end, and the others are not looked at; so the work grows with the rules that
 * come near to matching, not with their number. What is left to check is mostly
 * comparisons of dictionary codes; other predicates go through the executor, at
 * most once a row each.
 *
 * SQL's third truth value needs no value of its own: condition_is_true and
 * condition_is_false ask two questions that may both be answered no.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "miscadmin.h"

#include "rule/ruleset.h"

/*
 * name_rule adds the rule at work to an error that its criteria raise.
 */
static void
name_rule(void *arg)
{
	const Ruleset *rules = arg;
	const Rule *rule = rules->current;

	if (rule == NULL)
		return;
	if (rule->name != NULL)
		errcontext("rule %d (%s) of territory \"%s\"", rule->id, rule->name,
				   territory_to_cstring(rules->nodes[rule->node].path));
	else
		errcontext("rule %d of territory \"%s\"", rule->id,
				   territory_to_cstring(rules->nodes[rule->node].path));
}

/*
 * match_begin prepares for matching rows: criteria run as the table's owner
 * under the pinned settings. The bracket ends with match_end, also on error
 * (PG_FINALLY), for the scratch part is in use until then.
 */
void
match_begin(MatchScope *scope, Ruleset *rules)
{
	if (rules->matching)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("criteria must not evaluate the rules that they belong to"),
				 errhint("A function in the criteria reads or writes territories; remove it.")));
	scope->rules = rules;
	session_become(&scope->role, rules->object.owner);
	scope->pin = rules->pins ? session_pin(&rules->settings, rules->pins) : 0;
	rules->matching = true;
	rules->current = NULL;
}

/*
 * match_end undoes match_begin.
 */
void
match_end(MatchScope *scope)
{
	scope->rules->matching = false;
	if (scope->pin)
		session_unpin(scope->pin);
	session_restore_role(&scope->role);
}

/*
 * look_up_code looks the row's value of an operand up in its dictionary.
 */
static int
look_up_code(Ruleset *rules, int index)
{
	const Operand *operand = &rules->operands[index];
	Datum		value;
	bool		isnull;

	if (operand->attno != 0)
		value = slot_getattr(rules->econtext->ecxt_scantuple, operand->attno, &isnull);
	else
		value = ExecEvalExprSwitchContext(operand->state, rules->econtext, &isnull);
	rules->operand_code[index] = isnull ? CODE_NULL : operand_code_of(operand, value);
	rules->operand_stamp[index] = rules->stamp;
	return rules->operand_code[index];
}

/*
 * row_code returns the code of the row's value of an operand, looked up once.
 */
static inline int
row_code(Ruleset *rules, int index)
{
	if (rules->operand_stamp[index] == rules->stamp)
		return rules->operand_code[index];
	return look_up_code(rules, index);
}

/*
 * row_predicate returns a predicate's value for the row, evaluated once.
 */
static int
row_predicate(Ruleset *rules, int index)
{
	Datum		value;
	bool		isnull;

	if (rules->predicate_stamp[index] == rules->stamp)
		return rules->predicate_value[index];
	value = ExecEvalExprSwitchContext(rules->predicates[index].state, rules->econtext, &isnull);
	rules->predicate_value[index] = isnull ? -1 : DatumGetBool(value);
	rules->predicate_stamp[index] = rules->stamp;
	return rules->predicate_value[index];
}

/*
 * has_code tells whether an ascending list has the code.
 */
static inline bool
has_code(const Condition *condition, int code)
{
	int			low = 0;
	int			high = condition->count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (condition->codes[middle] < code)
			low = middle + 1;
		else
			high = middle;
	}
	return low < condition->count && condition->codes[low] == code;
}

/*
 * codes_are tells whether a CODES condition has this truth value; with NULL it
 * has neither.
 */
static inline bool
codes_are(Ruleset *rules, const Condition *condition, bool truth)
{
	int			code = row_code(rules, condition->index);

	return code != CODE_NULL &&
		(has_code(condition, code) != condition->negated) == truth;
}

static bool condition_is_false(Ruleset *rules, const Condition *condition);

/*
 * condition_is_true tells whether the row makes a condition true.
 */
static bool
condition_is_true(Ruleset *rules, const Condition *condition)
{
	switch (condition->kind)
	{
		case CONDITION_CODES:
			return codes_are(rules, condition, true);
		case CONDITION_EXPR:
			return row_predicate(rules, condition->index) == 1;
		case CONDITION_CONST:
			return !condition->negated;
		case CONDITION_NOT:
			return condition_is_false(rules, condition->args[0]);
		case CONDITION_AND:
			for (int i = 0; i < condition->count; i++)
				if (!condition_is_true(rules, condition->args[i]))
					return false;
			return true;
		case CONDITION_OR:
			for (int i = 0; i < condition->count; i++)
				if (condition_is_true(rules, condition->args[i]))
					return true;
			return false;
	}
	return false;
}

/*
 * condition_is_false tells whether the row makes a condition false.
 */
static bool
condition_is_false(Ruleset *rules, const Condition *condition)
{
	switch (condition->kind)
	{
		case CONDITION_CODES:
			return codes_are(rules, condition, false);
		case CONDITION_EXPR:
			return row_predicate(rules, condition->index) == 0;
		case CONDITION_CONST:
			return condition->negated;
		case CONDITION_NOT:
			return condition_is_true(rules, condition->args[0]);
		case CONDITION_AND:
			for (int i = 0; i < condition->count; i++)
				if (condition_is_false(rules, condition->args[i]))
					return true;
			return false;
		case CONDITION_OR:
			for (int i = 0; i < condition->count; i++)
				if (!condition_is_false(rules, condition->args[i]))
					return false;
			return true;
	}
	return false;
}

/*
 * try_rule checks a rule; a node that it is the first to match is a new hit.
 * Returns the number of hits so far.
 */
static inline int
try_rule(Ruleset *rules, int index, int hit_count)
{
	const Rule *rule = &rules->rules[index];

	if (rules->rule_stamp[index] == rules->stamp)
		return hit_count;
	rules->rule_stamp[index] = rules->stamp;
	rules->current = rule;
	if (!condition_is_true(rules, rule->condition))
		return hit_count;
	if (rules->node_stamp[rule->node] != rules->stamp)
	{
		rules->node_stamp[rule->node] = rules->stamp;
		rules->node_rule[rule->node] = rule->id;
		rules->hits[hit_count++] = rule->node;
	}
	else if (rule->id < rules->node_rule[rule->node])
		rules->node_rule[rule->node] = rule->id;
	return hit_count;
}

/*
 * guard_passes tells whether the row may have a value that a rule needs beside
 * the one that it hangs on.
 */
static inline bool
guard_passes(Ruleset *rules, const Posting *posting)
{
	int			code;

	if (posting->guard < 0)
		return true;
	code = row_code(rules, posting->guard);
	return code >= 0 && (posting->mask >> (code & 63)) & 1;
}

/*
 * find_hits collects the nodes that have a true rule.
 */
static int
find_hits(Ruleset *rules)
{
	int			hit_count = 0;

	for (int i = 0; i < rules->operand_count; i++)
	{
		const Operand *operand = &rules->operands[i];
		int			code;

		if (operand->start == NULL)
			continue;
		/* an expression may raise: name a rule that has it */
		rules->current = operand->attno == 0 ? &rules->rules[operand->postings[0].rule] : NULL;
		code = row_code(rules, i);
		if (code < 0)
			continue;
		for (int k = operand->start[code]; k < operand->start[code + 1]; k++)
		{
			if (guard_passes(rules, &operand->postings[k]))
				hit_count = try_rule(rules, operand->postings[k].rule, hit_count);
		}
	}
	for (int i = 0; i < rules->scanned_count; i++)
		hit_count = try_rule(rules, rules->scanned[i], hit_count);
	rules->current = NULL;
	return hit_count;
}

static int
compare_int(const void *a, const void *b)
{
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	return (x > y) - (x < y);
}

/*
 * gates_open tells whether every gating node above has a true rule as well.
 */
static bool
gates_open(const Ruleset *rules, int node)
{
	for (int gate = rules->nodes[node].gate; gate >= 0; gate = rules->nodes[gate].gate)
	{
		if (rules->node_stamp[gate] != rules->stamp)
			return false;
	}
	return true;
}

/*
 * next_row makes what the scratch part holds of earlier rows stale.
 */
static void
next_row(Ruleset *rules)
{
	if (++rules->stamp != 0)
		return;
	/* the counter came round: old stamps would look new */
	memset(rules->operand_stamp, 0, rules->operand_count * sizeof(uint32));
	memset(rules->predicate_stamp, 0, rules->predicate_count * sizeof(uint32));
	memset(rules->rule_stamp, 0, rules->rule_count * sizeof(uint32));
	memset(rules->node_stamp, 0, rules->node_count * sizeof(uint32));
	rules->stamp = 1;
}

/*
 * match_row finds all nodes that the row matches, whatever the mode, in tree
 * order; returns their number.
 */
int
match_row(Ruleset *rules, TupleTableSlot *slot)
{
	ErrorContextCallback callback = {error_context_stack, name_rule, rules};
	int			hit_count;
	int			match_count = 0;

	next_row(rules);
	ResetExprContext(rules->econtext);
	rules->econtext->ecxt_scantuple = slot;
	error_context_stack = &callback;
	hit_count = find_hits(rules);
	error_context_stack = callback.previous;
	if (hit_count > 1)
		qsort(rules->hits, hit_count, sizeof(int), compare_int);
	for (int i = 0; i < hit_count; i++)
	{
		int			node = rules->hits[i];

		if (gates_open(rules, node))
			rules->matches[match_count++] = (Match) {node, rules->node_rule[node]};
	}
	return match_count;
}

/*
 * wins tells whether node a comes before node b in mode first.
 */
static bool
wins(const RuleNode *a, const RuleNode *b)
{
	if (a->priority != b->priority)
		return a->priority > b->priority;
	if (a->depth != b->depth)
		return a->depth > b->depth;
	return a < b;				/* nodes are in path order */
}

/*
 * match_select leaves what the mode says of matches in tree order.
 */
int
match_select(Ruleset *rules, Match *matches, int count)
{
	int			left = 0;

	if (rules->object.mode == MODE_ALL || count == 0)
		return count;
	if (rules->object.mode == MODE_FIRST)
	{
		for (int i = 1; i < count; i++)
		{
			if (wins(&rules->nodes[matches[i].node], &rules->nodes[matches[0].node]))
				matches[0] = matches[i];
		}
		return 1;
	}
	for (int i = 0; i < count; i++)
	{
		/* in tree order a matching descendant, if there is any, comes next */
		if (i + 1 == count ||
			matches[i + 1].node >= rules->nodes[matches[i].node].subtree_end)
			matches[left++] = matches[i];
	}
	return left;
}
