/*
 * variable.c
 *		What can be changed of a record, and what its conditions make of it.
 *
 * Each column is a variable whose values are its candidates; a condition that reads
 * one column is a set of them for each truth, found by evaluating it. A condition
 * over several columns, or one that no candidate makes true or none makes false,
 * cannot be inverted: it is a variable of its own, whose values are the truths.
 */
#include "postgres.h"

#include "executor/executor.h"

#include "base/attempt.h"
#include "explain/variable.h"

/*
 * column_is_generated tells whether a column's value is computed from others.
 */
bool
column_is_generated(const Inquiry *inquiry, AttrNumber attno)
{
	return TupleDescAttr(RelationGetDescr(inquiry->rel), attno - 1)->attgenerated != '\0';
}

/*
 * add_variable adds a variable with values from 0.
 */
static Variable *
add_variable(Variables *variables, Bitmapset *columns, int count, int now)
{
	Variable   *variable = &variables->items[variables->count++];

	memset(variable, 0, sizeof(Variable));
	variable->columns = columns;
	variable->now = now;
	variable->all = bms_add_range(NULL, 0, count - 1);
	return variable;
}

/*
 * make_columns makes the variables of the columns: not of the key, nor of the one
 * that names the record above.
 */
static void
make_columns(Variables *variables, const List *leaves)
{
	const ObjectInfo *object = &variables->inquiry->rules->object;
	int			attno = -1;
	ListCell   *cell;

	foreach(cell, leaves)
		variables->columns = bms_add_members(variables->columns, ((Leaf *) lfirst(cell))->columns);
	variables->columns = bms_del_member(variables->columns, object->key_attno);
	if (OidIsValid(object->above))
		variables->columns = bms_del_member(variables->columns, object->link_attno);
	while ((attno = bms_next_member(variables->columns, attno)) >= 0)
	{
		Candidates *candidates = palloc(sizeof(Candidates));

		if (column_is_generated(variables->inquiry, attno))
			continue;
		candidates_init(candidates, variables->inquiry, attno);
		foreach(cell, leaves)
		{
			const Leaf *leaf = lfirst(cell);

			if (bms_is_member(attno, leaf->columns))
				candidates_learn(candidates, leaf->planned, leaf->need == NEED_OPEN);
		}
		candidates_finish(candidates);
		variables->of_column[attno] = variables->count;
		add_variable(variables, bms_make_singleton(attno), candidates->count, 0)->candidates = candidates;
	}
}

/* What evaluate_candidates works on. */
typedef struct Trial
{
	Variables  *variables;
	Leaf	   *leaf;
	Candidates *candidates;
	int			first;
	int			end;
} Trial;

/*
 * evaluate_candidates puts one value after the other into the row and evaluates a
 * condition.
 */
static void
evaluate_candidates(void *arg)
{
	Trial	   *trial = arg;
	TupleTableSlot *slot = trial->variables->slot;
	ExprContext *econtext = trial->variables->econtext;
	int			at = trial->candidates->attno - 1;

	for (int i = trial->first; i < trial->end; i++)
	{
		bool		isnull;
		Datum		value;
		Truth		truth;

		slot->tts_values[at] = trial->candidates->values[i];
		slot->tts_isnull[at] = trial->candidates->texts[i] == NULL;
		ResetExprContext(econtext);
		econtext->ecxt_scantuple = slot;
		value = ExecEvalExprSwitchContext(trial->leaf->state, econtext, &isnull);
		truth = isnull ? TRUTH_UNKNOWN : DatumGetBool(value) ? TRUTH_TRUE : TRUTH_FALSE;
		trial->leaf->sets[truth] = bms_add_member(trial->leaf->sets[truth], i);
	}
}

/*
 * variables_reset_row makes the changed row the record as it is.
 */
void
variables_reset_row(Variables *variables)
{
	const TupleTableSlot *slot = variables->inquiry->slot;
	int			natts = variables->inquiry->rules->desc->natts;

	memcpy(variables->slot->tts_values, slot->tts_values, natts * sizeof(Datum));
	memcpy(variables->slot->tts_isnull, slot->tts_isnull, natts * sizeof(bool));
}

/*
 * set_by_candidates finds which candidates give a condition which truth. A value
 * for which it raises an error is in no set.
 */
static void
set_by_candidates(Variables *variables, Leaf *leaf)
{
	Candidates *candidates = variables->items[leaf->variable].candidates;
	Trial		trial = {variables, leaf, candidates, 0, candidates->count};

	if (!attempt(evaluate_candidates, &trial, NULL))
	{
		memset(leaf->sets, 0, sizeof(leaf->sets));
		for (int i = 0; i < candidates->count; i++)
		{
			trial.first = i;
			trial.end = i + 1;
			(void) attempt(evaluate_candidates, &trial, NULL);
		}
	}
	variables_reset_row(variables);
}

/*
 * is_open tells whether a condition cannot be inverted: the candidates of its
 * column leave an answer out that it might give.
 */
static bool
is_open(const Leaf *leaf)
{
	if (IsA(leaf->planned, NullTest))
		return false;
	return bms_is_empty(leaf->sets[TRUTH_TRUE]) || bms_is_empty(leaf->sets[TRUTH_FALSE]);
}

/*
 * open_leaf gives a condition that cannot be inverted a variable of its own.
 */
static void
open_leaf(Variables *variables, Leaf *leaf, Bitmapset *columns)
{
	leaf->variable = variables->count;
	add_variable(variables, columns, 3, leaf->now);
	for (int truth = 0; truth < 3; truth++)
		leaf->sets[truth] = bms_make_singleton(truth);
}

/*
 * place_leaf finds what a condition depends on.
 */
static void
place_leaf(Variables *variables, Leaf *leaf)
{
	Bitmapset  *columns = bms_intersect(leaf->columns, variables->columns);
	int			attno;
	char	   *error;

	leaf->variable = -1;
	leaf->state = ExecInitExpr(leaf->planned, NULL);
	leaf->now = criterion_evaluate(leaf->state, variables->econtext, variables->slot, &error);
	if (bms_is_empty(columns))
		return;
	if (bms_get_singleton_member(leaf->columns, &attno) && !column_is_generated(variables->inquiry, attno))
	{
		leaf->variable = variables->of_column[attno];
		set_by_candidates(variables, leaf);
		if (!is_open(leaf))
			return;
	}
	open_leaf(variables, leaf, columns);
}

/*
 * variables_make finds what can be changed, and what the conditions make of it.
 */
void
variables_make(Variables *variables, const Inquiry *inquiry, const List *leaves)
{
	const Ruleset *rules = inquiry->rules;
	ListCell   *cell;

	*variables = (Variables) {inquiry};
	variables->econtext = CreateStandaloneExprContext();
	variables->slot = MakeSingleTupleTableSlot(rules->desc, &TTSOpsVirtual);
	ExecStoreVirtualTuple(variables->slot);
	variables_reset_row(variables);
	variables->of_column = palloc0((rules->desc->natts + 1) * sizeof(int));
	variables->items = palloc((rules->desc->natts + list_length(leaves)) * sizeof(Variable));
	make_columns(variables, leaves);
	foreach(cell, leaves)
	{
		Leaf	   *leaf = lfirst(cell);

		place_leaf(variables, leaf);
		for (int truth = 0; truth < 3; truth++)
		{
			if (leaf->mask & MASK_OF(truth))
				leaf->wanted = bms_add_members(leaf->wanted, leaf->sets[truth]);
		}
	}
}
