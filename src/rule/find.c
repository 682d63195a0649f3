/*
 * find.c
 *		Finds the rules that a row makes true.
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

#include "compat.h"
#include "rule/index.h"

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
whole_value(RuleIndex *index, Attribute *attribute, Datum value)
{
	if (attribute->stamp != index->stamp)
	{
		attribute->value = PointerGetDatum(PG_DETOAST_DATUM_PACKED(value));
		attribute->stamp = index->stamp;
	}
	return attribute->value;
}

/*
 * attribute_value evaluates an attribute, once a row.
 */
static Datum
attribute_value(RuleIndex *index, Attribute *attribute, bool *isnull)
{
	int			current = index->current;

	if (attribute->attno != 0)
	{
		TupleTableSlot *slot = index->econtext->ecxt_scantuple;
		Datum	   *value = &slot->tts_values[attribute->attno - 1];

		*isnull = slot->tts_isnull[attribute->attno - 1];
		if (!*isnull && attribute->varlena && is_apart(*value))
			return whole_value(index, attribute, *value);
		return *value;
	}
	if (attribute->stamp != index->stamp)
	{
		if (index->rules[attribute->rule].node >= 0)
			index->current = attribute->rule;
		attribute->value = ExecEvalExpr(attribute->state, index->econtext, &attribute->isnull);
		attribute->stamp = index->stamp;
		index->current = current;
	}
	*isnull = attribute->isnull;
	return attribute->value;
}

/*
 * look_up_code finds the row's code of an operand.
 */
static int
look_up_code(RuleIndex *index, Operand *operand)
{
	bool		isnull;
	Datum		value = attribute_value(index, &index->attributes[operand->attribute], &isnull);

	operand->code = isnull ? CODE_NULL : operand_code_of(operand, value);
	operand->stamp = index->stamp;
	return operand->code;
}

/*
 * row_code returns the row's code of an operand, looked up once.
 */
static inline int
row_code(RuleIndex *index, int number)
{
	Operand    *operand = &index->operands[number];

	return operand->stamp == index->stamp ? operand->code : look_up_code(index, operand);
}

/*
 * row_predicate returns a predicate's value for the row, evaluated once.
 */
static int
row_predicate(RuleIndex *index, int number)
{
	Predicate  *predicate = &index->predicates[number];
	Datum		value;
	bool		isnull;

	if (predicate->stamp == index->stamp)
		return predicate->value;
	if (predicate->state == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(index->context);

		predicate->state = ExecInitExpr(predicate->expr, NULL);
		MemoryContextSwitchTo(old);
	}
	value = ExecEvalExpr(predicate->state, index->econtext, &isnull);
	predicate->value = isnull ? -1 : DatumGetBool(value);
	predicate->stamp = index->stamp;
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
answer_of(RuleIndex *index, const Step *step)
{
	int			code;

	if (step->kind == STEP_EXPR)
		return row_predicate(index, step->index) == step->from;
	code = row_code(index, step->index);
	if (code == CODE_NULL)
		return step->if_null;
	if (step->kind == STEP_CODE)
		return (code == step->from) != step->negated;
	if (step->kind == STEP_RANGE)
		return (code >= step->from && code <= step->to) != step->negated;
	return has_code(index->codes + step->from, step->to - step->from, code) != step->negated;
}

/*
 * program_is_true runs a program on the row.
 */
static inline bool
program_is_true(RuleIndex *index, int at)
{
	while (at >= 0)
	{
		const Step *step = &index->steps[at];
		bool		answer = answer_of(index, step);

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
hit(RuleIndex *index, int number)
{
	Rule		rule = index->rules[number];

	hits_add(index->hits, hit_key(rule.node, rule.id));
}

/*
 * count_candidate is try_candidate where somebody counts.
 */
static void
count_candidate(RuleIndex *index, Candidate candidate)
{
	RuleCount  *count = &index->counts[candidate.rule];
	instr_time	start;
	instr_time	end;
	bool		truth;

	INSTR_TIME_SET_CURRENT(start);
	truth = program_is_true(index, candidate.program);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_ACCUM_DIFF(count->time, end, start);
	count->tried++;
	if (!truth)
		return;
	count->matched += count->stamp != index->stamp;
	count->stamp = index->stamp;
	hit(index, candidate.rule);
}

/*
 * try_waiting checks what is left of the rules that were found.
 */
static void
try_waiting(RuleIndex *index)
{
	for (int i = 0; i < index->waiting_count; i++)
	{
		Candidate	candidate = index->waiting[i];

		if (index->rules[candidate.rule].node < 0)
			continue;			/* gone: its criteria may have been an error */
		index->current = candidate.rule;
		if (unlikely(index->counts != NULL))
			count_candidate(index, candidate);
		else if (program_is_true(index, candidate.program))
			hit(index, candidate.rule);
	}
	index->waiting_count = 0;
}

/*
 * find notes a rule that is to be tried. Its program is fetched meanwhile.
 */
static inline void
find(RuleIndex *index, Candidate candidate)
{
	if (index->waiting_count == WAITING_CANDIDATES)
		try_waiting(index);
	if (candidate.program >= 0)
		territory_prefetch(&index->steps[candidate.program]);
	territory_prefetch(&index->rules[candidate.rule]);
	index->waiting[index->waiting_count++] = candidate;
}

/*
 * find_intervals finds the candidates whose range has a rank; see interval.c.
 */
static void
find_intervals(RuleIndex *index, int at, int rank)
{
	while (at >= 0)
	{
		const IntervalNode *node = &index->intervals[at];
		const IntervalEnd *lows = index->lows + node->first;
		const IntervalEnd *highs = index->highs + node->first;

		if (rank <= node->center)
		{
			for (int i = 0; i < node->count && lows[i].bound <= rank; i++)
				find(index, lows[i].candidate);
		}
		else
		{
			for (int i = 0; i < node->count && highs[i].bound >= rank; i++)
				find(index, highs[i].candidate);
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
find_child(const RuleIndex *index, const Partition *partition, int code)
{
	const int32 *place = index->access + partition->place;
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
enter(RuleIndex *index, const Partition *partition)
{
	int			code = row_code(index, partition->operand);
	int			child;

	if (code == CODE_UNKNOWN)
		return NO_CHILD;
	if (partition->kind == PARTITION_RANGES)
	{
		if (code != CODE_NULL)
			find_intervals(index, partition->place, code);
		return NO_CHILD;
	}
	child = find_child(index, partition, code);
	if (child != NO_CHILD)
		territory_prefetch(index->access + child);
	return child;
}

/*
 * visit finds all rules that the row comes to from a node of the access tree,
 * which is no deeper than a rule has covers.
 */
static void
visit(RuleIndex *index, int place)
{
	AccessNode *node = (AccessNode *) (index->access + place);
	const Candidate *candidates = access_candidates(node);
	const Partition *partitions = access_partitions(node);
	int			children[PARTITIONS_AHEAD];

	for (int i = 0; i < node->candidate_count; i++)
		find(index, candidates[i]);
	for (int i = 0; i < node->partition_count; i += PARTITIONS_AHEAD)
	{
		int			count = Min(node->partition_count - i, PARTITIONS_AHEAD);
		int			found = 0;

		for (int k = 0; k < count; k++)
		{
			children[found] = enter(index, &partitions[i + k]);
			found += children[found] != NO_CHILD;
		}
		for (int k = 0; k < found; k++)
			visit(index, children[k]);
	}
}

/*
 * next_row makes what the scratch parts hold of earlier rows stale.
 */
static void
next_row(RuleIndex *index)
{
	if (++index->stamp != 0)
		return;
	/* the counter came round: old stamps would look new */
	for (int i = 0; i < index->attribute_count; i++)
		index->attributes[i].stamp = 0;
	for (int i = 0; i < index->operand_count; i++)
		index->operands[i].stamp = 0;
	for (int i = 0; i < index->predicate_count; i++)
		index->predicates[i].stamp = 0;
	index->stamp = 1;
}

/*
 * index_find adds the rules that the row in the expression context makes true to
 * the hits, in no order, and some twice.
 */
void
index_find(RuleIndex *index)
{
	MemoryContext old = MemoryContextSwitchTo(index->econtext->ecxt_per_tuple_memory);

	next_row(index);
	index->waiting_count = 0;
	visit(index, 0);
	try_waiting(index);
	index->current = -1;
	MemoryContextSwitchTo(old);
}
