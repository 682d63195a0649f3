/*
 * match.c
 *		Finds the nodes that a row matches.
 *
 * The row's values are looked up among the constants that rules compare them
 * with, once each, and lead through the access tree (access.c) to the rules that
 * it may make true; the others are not looked at. So the work grows with the rules
 * that come near to matching, not with their number. What is left to check of a
 * rule is a program (program.c) of comparisons of small integers mostly; other
 * predicates go through the executor, at most once a row each.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "miscadmin.h"

#include "rule/ruleset.h"
#include "compat.h"

/* sort_rules: ascending numbers, inline, for it is called for every row */
#define ST_SORT sort_rules
#define ST_ELEMENT_TYPE int
#define ST_COMPARE(a, b) ((*(a) > *(b)) - (*(a) < *(b)))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * name_rule adds the rule at work to an error that its criteria raise.
 */
static void
name_rule(void *arg)
{
	const Ruleset *rules = arg;
	const Rule *rule;
	const char *name;

	if (rules->current < 0)
		return;
	rule = &rules->rules[rules->current];
	name = rules->infos[rules->current].name;
	if (name != NULL)
		errcontext("rule %d (%s) of territory \"%s\"", rule->id, name,
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
	rules->current = -1;
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
 * is_apart tells whether a value is compressed, or stands elsewhere.
 */
static inline bool
is_apart(Datum value)
{
	return VARATT_IS_COMPRESSED(DatumGetPointer(value)) || VARATT_IS_EXTERNAL(DatumGetPointer(value));
}

/*
 * whole_value fetches such a value, once a row for all operands.
 */
static Datum
whole_value(Ruleset *rules, Attribute *attribute, Datum value)
{
	if (attribute->stamp != rules->stamp)
	{
		attribute->value = PointerGetDatum(PG_DETOAST_DATUM_PACKED(value));
		attribute->stamp = rules->stamp;
	}
	return attribute->value;
}

/*
 * attribute_value evaluates an attribute, once a row.
 */
static Datum
attribute_value(Ruleset *rules, Attribute *attribute, bool *isnull)
{
	int			current = rules->current;

	if (attribute->attno != 0)
	{
		TupleTableSlot *slot = rules->econtext->ecxt_scantuple;
		Datum	   *value = &slot->tts_values[attribute->attno - 1];

		*isnull = slot->tts_isnull[attribute->attno - 1];
		if (!*isnull && attribute->varlena && is_apart(*value))
			return whole_value(rules, attribute, *value);
		return *value;
	}
	if (attribute->stamp != rules->stamp)
	{
		rules->current = attribute->rule;
		attribute->value = ExecEvalExpr(attribute->state, rules->econtext, &attribute->isnull);
		attribute->stamp = rules->stamp;
		rules->current = current;
	}
	*isnull = attribute->isnull;
	return attribute->value;
}

/*
 * look_up_code finds the row's code of an operand.
 */
static int
look_up_code(Ruleset *rules, Operand *operand)
{
	bool		isnull;
	Datum		value = attribute_value(rules, &rules->attributes[operand->attribute], &isnull);

	operand->code = isnull ? CODE_NULL : operand_code_of(operand, value);
	operand->stamp = rules->stamp;
	return operand->code;
}

/*
 * row_code returns the row's code of an operand, looked up once.
 */
static inline int
row_code(Ruleset *rules, int index)
{
	Operand    *operand = &rules->operands[index];

	return operand->stamp == rules->stamp ? operand->code : look_up_code(rules, operand);
}

/*
 * row_predicate returns a predicate's value for the row, evaluated once.
 */
static int
row_predicate(Ruleset *rules, int index)
{
	Predicate  *predicate = &rules->predicates[index];
	Datum		value;
	bool		isnull;

	if (predicate->stamp == rules->stamp)
		return predicate->value;
	if (predicate->state == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(rules->context);

		predicate->state = ExecInitExpr(predicate->expr, NULL);
		MemoryContextSwitchTo(old);
	}
	value = ExecEvalExpr(predicate->state, rules->econtext, &isnull);
	predicate->value = isnull ? -1 : DatumGetBool(value);
	predicate->stamp = rules->stamp;
	return predicate->value;
}

/*
 * has_code tells whether an ascending list has a code.
 */
static inline bool
has_code(const int *codes, int count, int code)
{
	int			low = 0;
	int			high = count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (codes[middle] < code)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && codes[low] == code;
}

/*
 * answer_of answers a step's question.
 */
static inline bool
answer_of(Ruleset *rules, const Step *step)
{
	int			code;

	if (step->kind == STEP_EXPR)
		return row_predicate(rules, step->index) == step->from;
	code = row_code(rules, step->index);
	if (code == CODE_NULL)
		return step->if_null;
	if (step->kind == STEP_CODE)
		return (code == step->from) != step->negated;
	if (step->kind == STEP_RANGE)
		return (code >= step->from && code <= step->to) != step->negated;
	return has_code(rules->codes + step->from, step->to - step->from, code) != step->negated;
}

/*
 * program_is_true runs a program on the row.
 */
static inline bool
program_is_true(Ruleset *rules, int at)
{
	while (at >= 0)
	{
		const Step *step = &rules->steps[at];
		bool		answer = answer_of(rules, step);

		if (step->last)
			return answer;
		at = answer == step->go_on ? at + 1 : step->otherwise;
	}
	return at == PROGRAM_TRUE;
}

/*
 * hit notes that the row makes a rule true.
 */
static inline void
hit(Ruleset *rules, int rule)
{
	if (rules->hit_count == rules->hit_room)
	{
		rules->hit_room *= 2;
		rules->hits = repalloc_huge(rules->hits, rules->hit_room * sizeof(int));
	}
	rules->hits[rules->hit_count++] = rule;
}

/*
 * count_candidate is try_candidate where somebody counts.
 */
static void
count_candidate(Ruleset *rules, Candidate candidate)
{
	RuleCount  *count = &rules->counts[candidate.rule];
	instr_time	start;
	instr_time	end;
	bool		truth;

	INSTR_TIME_SET_CURRENT(start);
	truth = program_is_true(rules, candidate.program);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_ACCUM_DIFF(count->time, end, start);
	count->tried++;
	if (!truth)
		return;
	count->matched += count->stamp != rules->stamp;
	count->stamp = rules->stamp;
	hit(rules, candidate.rule);
}

/*
 * try_waiting checks what is left of the rules that were found.
 */
static void
try_waiting(Ruleset *rules)
{
	for (int i = 0; i < rules->waiting_count; i++)
	{
		Candidate	candidate = rules->waiting[i];

		rules->current = candidate.rule;
		if (unlikely(rules->counts != NULL))
			count_candidate(rules, candidate);
		else if (program_is_true(rules, candidate.program))
			hit(rules, candidate.rule);
	}
	rules->waiting_count = 0;
}

/*
 * find notes a rule that is to be tried. Its program is fetched meanwhile.
 */
static inline void
find(Ruleset *rules, Candidate candidate)
{
	if (rules->waiting_count == WAITING_CANDIDATES)
		try_waiting(rules);
	if (candidate.program >= 0)
		territory_prefetch(&rules->steps[candidate.program]);
	territory_prefetch(&rules->rules[candidate.rule]);
	rules->waiting[rules->waiting_count++] = candidate;
}

/*
 * find_intervals finds the candidates whose range has a rank; see interval.c.
 */
static void
find_intervals(Ruleset *rules, int at, int rank)
{
	while (at >= 0)
	{
		const IntervalNode *node = &rules->intervals[at];
		const IntervalEnd *lows = rules->lows + node->first;
		const IntervalEnd *highs = rules->highs + node->first;

		if (rank <= node->center)
		{
			for (int i = 0; i < node->count && lows[i].bound <= rank; i++)
				find(rules, lows[i].candidate);
		}
		else
		{
			for (int i = 0; i < node->count && highs[i].bound >= rank; i++)
				find(rules, highs[i].candidate);
		}
		if (rank == node->center)
			return;
		at = rank < node->center ? node->below : node->above;
	}
}

/*
 * find_child returns the place of the child that a code leads to, or NO_CHILD.
 */
static inline int
find_child(const Ruleset *rules, const Partition *partition, int code)
{
	const int32 *place = rules->access + partition->place;
	const Slot *slots = (const Slot *) place;
	uint32		at = (uint32) code - (uint32) partition->first;

	if (partition->kind == PARTITION_CODES)
		return at <= partition->last ? place[at] : NO_CHILD;
	at = access_slot(code, partition->last);
	while (slots[at].child != NO_CHILD && slots[at].code != code)
		at = (at + 1) & partition->last;
	return slots[at].child;
}

/* partitions of a node whose children are looked up before one is visited */
#define PARTITIONS_AHEAD 8

/*
 * enter finds what a partition leads to: candidates, or a child, which is fetched
 * meanwhile. Returns its place, or NO_CHILD.
 */
static inline int
enter(Ruleset *rules, const Partition *partition)
{
	int			code = row_code(rules, partition->operand);
	int			child;

	if (code == CODE_UNKNOWN)
		return NO_CHILD;
	if (partition->kind == PARTITION_RANGES)
	{
		if (code != CODE_NULL)
			find_intervals(rules, partition->place, code);
		return NO_CHILD;
	}
	child = find_child(rules, partition, code);
	if (child != NO_CHILD)
		territory_prefetch(rules->access + child);
	return child;
}

/*
 * visit finds all rules that the row comes to from a node of the access tree,
 * which is no deeper than a rule has covers.
 */
static void
visit(Ruleset *rules, int place)
{
	AccessNode *node = (AccessNode *) (rules->access + place);
	const Candidate *candidates = access_candidates(node);
	const Partition *partitions = access_partitions(node);
	int			children[PARTITIONS_AHEAD];

	for (int i = 0; i < node->candidate_count; i++)
		find(rules, candidates[i]);
	for (int i = 0; i < node->partition_count; i += PARTITIONS_AHEAD)
	{
		int			count = Min(node->partition_count - i, PARTITIONS_AHEAD);
		int			found = 0;

		for (int k = 0; k < count; k++)
		{
			children[found] = enter(rules, &partitions[i + k]);
			found += children[found] != NO_CHILD;
		}
		for (int k = 0; k < found; k++)
			visit(rules, children[k]);
	}
}

/*
 * find_hits collects the true rules.
 */
static void
find_hits(Ruleset *rules)
{
	MemoryContext old = MemoryContextSwitchTo(rules->econtext->ecxt_per_tuple_memory);

	rules->hit_count = 0;
	rules->waiting_count = 0;
	visit(rules, 0);
	try_waiting(rules);
	rules->current = -1;
	MemoryContextSwitchTo(old);
}

/*
 * unique_hits sorts the true rules and leaves the first of each node, which is
 * the one of the lowest id.
 */
static void
unique_hits(Ruleset *rules)
{
	int			left = 0;

	if (rules->hit_count > 1)
		sort_rules(rules->hits, rules->hit_count);
	for (int i = 0; i < rules->hit_count; i++)
	{
		if (left == 0 || rules->rules[rules->hits[i]].node != rules->rules[rules->hits[left - 1]].node)
			rules->hits[left++] = rules->hits[i];
	}
	rules->hit_count = left;
}

/*
 * match_has_rule tells whether a node has a true rule, by the last match.
 */
bool
match_has_rule(const Ruleset *rules, int node)
{
	int			low = 0;
	int			high = rules->hit_count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (rules->rules[rules->hits[middle]].node < node)
			low = middle + 1;
		else
			high = middle;
	}
	return low < rules->hit_count && rules->rules[rules->hits[low]].node == node;
}

/*
 * gates_open tells whether every gating node above has a true rule as well.
 */
static bool
gates_open(const Ruleset *rules, int node)
{
	for (int gate = rules->nodes[node].gate; gate >= 0; gate = rules->nodes[gate].gate)
	{
		if (!match_has_rule(rules, gate))
			return false;
	}
	return true;
}

/*
 * next_row makes what the scratch parts hold of earlier rows stale.
 */
static void
next_row(Ruleset *rules)
{
	if (++rules->stamp != 0)
		return;
	/* the counter came round: old stamps would look new */
	for (int i = 0; i < rules->attribute_count; i++)
		rules->attributes[i].stamp = 0;
	for (int i = 0; i < rules->operand_count; i++)
		rules->operands[i].stamp = 0;
	for (int i = 0; i < rules->predicate_count; i++)
		rules->predicates[i].stamp = 0;
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
	int			match_count = 0;

	next_row(rules);
	ResetExprContext(rules->econtext);
	slot_getsomeattrs(slot, rules->max_attno);
	rules->econtext->ecxt_scantuple = slot;
	error_context_stack = &callback;
	find_hits(rules);
	error_context_stack = callback.previous;
	unique_hits(rules);
	for (int i = 0; i < rules->hit_count; i++)
	{
		const Rule *rule = &rules->rules[rules->hits[i]];

		if (gates_open(rules, rule->node))
			rules->matches[match_count++] = (Match) {rule->node, rule->id};
	}
	return match_count;
}

/*
 * match_wins tells whether node a comes before node b in mode first.
 */
bool
match_wins(const RuleNode *a, const RuleNode *b)
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
			if (match_wins(&rules->nodes[matches[i].node], &rules->nodes[matches[0].node]))
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
