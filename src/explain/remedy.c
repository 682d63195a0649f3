/*
 * remedy.c
 *		The smallest change of a record's columns that brings it to a node.
 *
 * What must hold is a Boolean formula over conditions (goal.c): the node and those
 * that gate it match, and those that would take the record away do not. Each condition must become true, or false, or one of these
 * and unknown. For every column there are finitely many candidates (candidate.c),
 * and a condition that reads one column is a set of them. Sets of columns are tried
 * by size, all of a size before any of the next, so the first that serves is a
 * smallest one: a minimum hitting set, found exhaustively. With the other columns
 * as they are, most of the formula is decided; the rest is solved by depth-first
 * search, which narrows each column's set of candidates and gives up where one is
 * empty. What is found is proven by the engine on the changed row (outcome.c).
 *
 * Conditions that cannot be inverted (variable.c) count as free once one of their
 * columns may change; candidates are then tried in the hope that the engine agrees.
 * If it never does, the condition itself is the answer.
 *
 * Nodes that might take the record away are too many at times. Then only those are
 * looked at that do so in an answer that was found, and the search begins anew.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"

#include "base/attempt.h"
#include "explain/remedy.h"
#include "explain/variable.h"

/* sets of columns that are tried before only some smaller set is looked for */
#define MAX_SETS 20000
/* steps of the search for one set of columns */
#define MAX_STEPS 100000
/* rows that the engine is asked about for one solution */
#define MAX_ROWS 256
/* rules of nodes that would take the record away that are all looked at */
#define MAX_BLOCKING_RULES 300

/* Goals that are left. */
typedef struct Agenda
{
	Goal	   *goal;
	const struct Agenda *rest;
} Agenda;

typedef struct Search
{
	const Objective *objective;
	const Inquiry *inquiry;
	MemoryContext context;		/* of all of it, and of what is found */
	MemoryContext work;			/* of the work on one set of columns */
	bool	   *blocking;		/* by node: is looked at as one that must not match */

	Formula		formula;
	Variables	variables;

	Bitmapset  *changed;		/* set of columns at work */
	List	   *trail;			/* leaf goals that were chosen */
	int			steps;
	bool		only_possible;	/* asks whether there is a solution, not for one */
	bool		gave_up;		/* something was not searched to its end */
	bool		begin_anew;		/* more nodes are to be looked at */
	PairList	pairs;			/* of the last row that was proven */
	Remedy		remedy;
} Search;

static bool solve(Search *search, const Agenda *agenda);

/*
 * find_blocking decides on the nodes that are looked at as ones that must not
 * match: all, if they are few.
 */
static void
find_blocking(Search *search)
{
	const Ruleset *rules = search->inquiry->rules;
	int			count = 0;

	search->blocking = palloc0(rules->node_count * sizeof(bool));
	for (int rule = 0; rule < rules->index->rule_count; rule++)
		count += goal_may_block(search->objective, rules->index->rules[rule].node);
	for (int node = 0; node < rules->node_count && count <= MAX_BLOCKING_RULES; node++)
		search->blocking[node] = goal_may_block(search->objective, node);
}

/*
 * is_certain tells whether a goal is reached whatever is decided later.
 */
static bool
is_certain(const Search *search, const Goal *goal)
{
	const Leaf *leaf = goal->leaf;
	ListCell   *cell;

	if (goal->kind == GOAL_LEAF)
		return leaf->variable < 0 ? (leaf->mask & MASK_OF(leaf->now)) != 0 :
			bms_is_subset(search->variables.items[leaf->variable].allowed, leaf->wanted);
	foreach(cell, goal->args)
	{
		if (is_certain(search, lfirst(cell)) != (goal->kind == GOAL_ALL))
			return goal->kind == GOAL_ANY;
	}
	return goal->kind == GOAL_ALL;
}

/*
 * is_possible tells whether it may be reached, as far as each of its conditions
 * alone can tell.
 */
static bool
is_possible(const Search *search, const Goal *goal)
{
	const Leaf *leaf = goal->leaf;
	ListCell   *cell;

	if (goal->kind == GOAL_LEAF)
		return leaf->variable < 0 ? (leaf->mask & MASK_OF(leaf->now)) != 0 :
			bms_overlap(search->variables.items[leaf->variable].allowed, leaf->wanted);
	foreach(cell, goal->args)
	{
		if (is_possible(search, lfirst(cell)) != (goal->kind == GOAL_ALL))
			return goal->kind == GOAL_ANY;
	}
	return goal->kind == GOAL_ALL;
}

/*
 * is_recomputed tells whether a generated column that rules read follows from
 * columns that are to be changed: the server computes it, not we.
 */
static bool
is_recomputed(const Search *search)
{
	const Ruleset *rules = search->inquiry->rules;
	int			attno = -1;

	while ((attno = bms_next_member(rules->columns, attno)) >= 0)
	{
		Bitmapset  *attributes = NULL;
		int			member = -1;

		if (!column_is_generated(search->inquiry, attno))
			continue;
		pull_varattnos(build_column_default(search->inquiry->rel, attno), 1, &attributes);
		while ((member = bms_next_member(attributes, member)) >= 0)
		{
			if (bms_is_member(member + FirstLowInvalidHeapAttributeNumber, search->changed))
				return true;
		}
	}
	return false;
}

/*
 * is_open tells whether a condition that was chosen cannot be inverted.
 */
static bool
is_open(const Search *search, const Leaf *leaf)
{
	return leaf->variable >= 0 && search->variables.items[leaf->variable].candidates == NULL;
}

/*
 * holds tells whether such conditions are what they must be in the changed row:
 * of the others the candidates make sure.
 */
static bool
holds(Search *search)
{
	ListCell   *cell;

	foreach(cell, search->trail)
	{
		const Leaf *leaf = ((Goal *) lfirst(cell))->leaf;
		char	   *error;

		if (is_open(search, leaf) &&
			!(leaf->mask & MASK_OF(criterion_evaluate(leaf->state, search->variables.econtext,
													  search->variables.slot, &error))))
			return false;
	}
	return true;
}

/* What ask_engine works on. */
typedef struct Proof
{
	Search	   *search;
	Outcome		outcome;
} Proof;

/*
 * ask_engine asks what the changed row gives the record.
 */
static void
ask_engine(void *arg)
{
	Proof	   *proof = arg;
	const Inquiry *inquiry = proof->search->inquiry;

	proof->outcome = outcome_of(inquiry->rules, &inquiry->above, inquiry->key_value,
								proof->search->variables.slot, &inquiry->premise);
}

/*
 * prove asks the engine whether the changed row gives the record the node. If a node
 * takes it away that was not looked at, it will be.
 */
static bool
prove(Search *search)
{
	Proof		proof = {search};

	if (!holds(search) || !attempt(ask_engine, &proof, NULL))
		return false;
	search->pairs = proof.outcome.pairs;
	if (outcome_find(&proof.outcome, search->objective->node_id) != NULL)
		return true;
	for (int i = 0; i < proof.outcome.match_count; i++)
	{
		int			node = proof.outcome.matches[i].node;

		if (!search->blocking[node] && goal_may_block(search->objective, node))
			search->blocking[node] = search->begin_anew = true;
	}
	return false;
}

/*
 * next_value returns the candidate that comes after another in the order of
 * trying, or -1: the value that is there now is the last.
 */
static int
next_value(const Variable *variable, int value)
{
	int			next;

	if (value == variable->now)
		return -1;
	next = bms_next_member(variable->allowed, value < 0 ? variable->now : value);
	if (next >= 0)
		return next;
	return bms_is_member(variable->now, variable->allowed) ? variable->now : -1;
}

/*
 * put_value gives a column of the changed row a candidate.
 */
static void
put_value(Search *search, const Variable *variable, int value)
{
	int			at = variable->candidates->attno - 1;

	search->variables.slot->tts_values[at] = variable->candidates->values[value];
	search->variables.slot->tts_isnull[at] = variable->candidates->texts[value] == NULL;
}

/*
 * try_rows tries the rows that a solution leaves, until the engine agrees with
 * one: combinations of candidates, the first column's changing fastest.
 */
static bool
try_rows(Search *search)
{
	int		   *values = palloc(search->variables.count * sizeof(int));
	int			count = 0;
	int			at = 0;

	for (int i = 0; i < search->variables.count; i++)
	{
		const Variable *variable = &search->variables.items[i];

		if (variable->candidates == NULL || !bms_is_subset(variable->columns, search->changed))
			continue;
		values[i] = next_value(variable, -1);
		put_value(search, variable, values[i]);
	}
	while (count++ < MAX_ROWS && !prove(search))
	{
		for (at = 0; at < search->variables.count; at++)
		{
			const Variable *variable = &search->variables.items[at];

			if (variable->candidates == NULL || !bms_is_subset(variable->columns, search->changed))
				continue;
			values[at] = next_value(variable, values[at]);
			if (values[at] >= 0)
				break;
			values[at] = next_value(variable, -1);
			put_value(search, variable, values[at]);
		}
		if (at == search->variables.count || search->begin_anew)
			return false;
		put_value(search, &search->variables.items[at], values[at]);
	}
	return count <= MAX_ROWS;
}

/*
 * keep_remedy keeps what was found.
 */
static void
keep_remedy(Search *search, bool proven)
{
	Remedy	   *remedy = &search->remedy;
	int			natts = search->inquiry->rules->desc->natts;
	MemoryContext old = MemoryContextSwitchTo(search->context);
	ListCell   *cell;

	*remedy = (Remedy) {.found = true,.proven = proven,.dead = -1};
	remedy->columns = bms_copy(search->changed);
	remedy->values = palloc(natts * sizeof(Datum));
	remedy->nulls = palloc(natts * sizeof(bool));
	memcpy(remedy->values, search->variables.slot->tts_values, natts * sizeof(Datum));
	memcpy(remedy->nulls, search->variables.slot->tts_isnull, natts * sizeof(bool));
	for (int i = 0; proven && i < search->pairs.count; i++)
		pair_append(&remedy->pairs, search->pairs.pairs[i].key, search->pairs.pairs[i].node_id,
					search->pairs.pairs[i].rule_id, NULL);
	foreach(cell, search->trail)
	{
		const Goal *goal = lfirst(cell);
		Need	   *need = palloc(sizeof(Need));

		if (!bms_overlap(goal->leaf->columns, search->changed))
			continue;
		*need = (Need) {goal->need, goal->leaf->condition, goal->leaf->mask, goal->leaf->columns, goal->rule};
		remedy->needs = lappend(remedy->needs, need);
	}
	MemoryContextSwitchTo(old);
}

/*
 * accept takes a solution, if the engine agrees; a first one with which it does
 * not is kept, if it has conditions that cannot be inverted.
 */
static bool
accept(Search *search)
{
	bool		proven;
	bool		open = is_recomputed(search);
	ListCell   *cell;

	if (search->only_possible)
		return true;
	proven = !open && try_rows(search);
	foreach(cell, search->trail)
	{
		const Leaf *leaf = ((Goal *) lfirst(cell))->leaf;

		open |= is_open(search, leaf) && bms_overlap(leaf->columns, search->changed);
	}
	if (proven || (open && !search->remedy.found && !search->begin_anew))
		keep_remedy(search, proven);
	variables_reset_row(&search->variables);
	return proven;
}

/*
 * solve_leaf narrows a variable to what a condition wants.
 */
static bool
solve_leaf(Search *search, Goal *goal, const Agenda *rest)
{
	Variable   *variable = goal->leaf->variable < 0 ? NULL : &search->variables.items[goal->leaf->variable];
	Bitmapset  *allowed;
	bool		solved;

	if (!is_possible(search, goal))
		return false;
	if (variable == NULL)
		return solve(search, rest);
	allowed = variable->allowed;
	variable->allowed = bms_intersect(allowed, goal->leaf->wanted);
	search->trail = lappend(search->trail, goal);
	solved = solve(search, rest);
	if (!solved)
		search->trail = list_delete_last(search->trail);
	variable->allowed = allowed;
	return solved;
}

/*
 * solve_any tries one argument after the other; a certain one is as good as any.
 */
static bool
solve_any(Search *search, Goal *goal, const Agenda *rest)
{
	ListCell   *cell;

	foreach(cell, goal->args)
	{
		Agenda		agenda = {lfirst(cell), rest};

		if (is_certain(search, agenda.goal))
			return solve(search, &agenda);
	}
	foreach(cell, goal->args)
	{
		Agenda		agenda = {lfirst(cell), rest};

		if (is_possible(search, agenda.goal) && solve(search, &agenda))
			return true;
	}
	return false;
}

/*
 * solve_all puts all arguments on the agenda, the first of them on top.
 */
static bool
solve_all(Search *search, Goal *goal, const Agenda *rest)
{
	Agenda	   *agendas = palloc(Max(list_length(goal->args), 1) * sizeof(Agenda));

	for (int i = list_length(goal->args) - 1; i >= 0; i--)
	{
		agendas[i] = (Agenda) {list_nth(goal->args, i), rest};
		rest = &agendas[i];
	}
	return solve(search, rest);
}

/*
 * solve reaches the goals of an agenda by narrowing variables. What stands in the
 * way in no case is no need.
 */
static bool
solve(Search *search, const Agenda *agenda)
{
	Goal	   *goal;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (search->begin_anew)
		return false;
	if (++search->steps > MAX_STEPS)
	{
		search->gave_up = true;
		return false;
	}
	if (agenda == NULL)
		return accept(search);
	goal = agenda->goal;
	if (goal->need != NEED_MATCH && goal->need != NEED_ANCESTOR && is_certain(search, goal))
		return solve(search, agenda->rest);
	switch (goal->kind)
	{
		case GOAL_LEAF:
			return solve_leaf(search, goal, agenda->rest);
		case GOAL_ANY:
			return solve_any(search, goal, agenda->rest);
		default:
			return solve_all(search, goal, agenda->rest);
	}
}

/*
 * solve_with tries to reach goals by changing some columns.
 */
static bool
solve_with(Search *search, List *goals, Bitmapset *columns)
{
	Goal		all = {.kind = GOAL_ALL,.need = NEED_MATCH,.args = goals};
	Agenda		agenda = {&all, NULL};
	MemoryContext old;
	bool		solved;
	ListCell   *cell;

	MemoryContextReset(search->work);
	old = MemoryContextSwitchTo(search->work);
	search->changed = columns;
	search->steps = 0;
	search->trail = NIL;
	for (int i = 0; i < search->variables.count; i++)
	{
		Variable   *variable = &search->variables.items[i];

		variable->allowed = bms_overlap(variable->columns, columns) ? variable->all : bms_make_singleton(variable->now);
	}
	solved = true;
	foreach(cell, goals)
		solved = solved && is_possible(search, lfirst(cell));
	solved = solved && solve(search, &agenda);
	MemoryContextSwitchTo(old);
	return solved;
}

/*
 * can_solve tells whether goals can be reached if all columns may change.
 */
static bool
can_solve(Search *search, List *goals)
{
	bool		possible;

	search->only_possible = true;
	possible = solve_with(search, goals, search->variables.columns);
	search->only_possible = false;
	return possible;
}

/*
 * explain_impossible finds a node whose rules alone cannot be made true.
 */
static void
explain_impossible(Search *search)
{
	const RuleNode *nodes = search->inquiry->rules->nodes;
	int			node = search->objective->aim == AIM_RULES ? search->objective->node : -1;
	int			at = 0;

	search->remedy.dead = -1;
	for (int gate = node; gate >= 0; gate = nodes[gate].gate)
		at++;
	for (int gate = node; gate >= 0; gate = nodes[gate].gate)
	{
		if (!can_solve(search, list_make1(list_nth(search->formula.goals, --at))))
			search->remedy.dead = gate;
	}
}

/*
 * next_set makes the next combination of so many of the columns; false: there is
 * none.
 */
static bool
next_set(int *set, int size, int count)
{
	int			at = size - 1;

	while (at >= 0 && set[at] == count - size + at)
		at--;
	if (at < 0)
		return false;
	set[at]++;
	for (int i = at + 1; i < size; i++)
		set[i] = set[i - 1] + 1;
	return true;
}

/*
 * try_size tries all sets of so many columns.
 */
static bool
try_size(Search *search, const int *columns, int count, int size, int *sets)
{
	int		   *set = palloc(size * sizeof(int));

	for (int i = 0; i < size; i++)
		set[i] = i;
	do
	{
		Bitmapset  *changed = NULL;

		if (++*sets > MAX_SETS)
			return false;
		for (int i = 0; i < size; i++)
			changed = bms_add_member(changed, columns[set[i]]);
		if (solve_with(search, search->formula.goals, changed))
			return true;
	} while (!search->begin_anew && next_set(set, size, count));
	return false;
}

/*
 * shrink looks for a smaller set by leaving out one column after the other: where
 * there are too many sets to try them all.
 */
static void
shrink(Search *search)
{
	Bitmapset  *columns = search->variables.columns;
	int			attno = -1;

	search->gave_up = true;
	if (!solve_with(search, search->formula.goals, columns))
		return;
	while ((attno = bms_next_member(search->variables.columns, attno)) >= 0 && !search->begin_anew)
	{
		Bitmapset  *fewer = bms_del_member(bms_copy(columns), attno);

		if (solve_with(search, search->formula.goals, fewer))
			columns = fewer;
	}
}

/*
 * search_sets looks for a smallest set of columns.
 */
static void
search_sets(Search *search)
{
	int		   *columns = palloc((search->inquiry->rules->desc->natts + 1) * sizeof(int));
	int			count = 0;
	int			attno = -1;
	int			sets = 0;

	while ((attno = bms_next_member(search->variables.columns, attno)) >= 0)
		columns[count++] = attno;
	for (int size = 1; size <= count && !search->begin_anew; size++)
	{
		if (try_size(search, columns, count, size, &sets))
			break;
		if (sets > MAX_SETS)
		{
			shrink(search);
			break;
		}
	}
	search->remedy.minimal = search->remedy.proven && !search->gave_up && !search->formula.narrowed;
}

/*
 * remedy_find finds the smallest change that brings the record to a node.
 */
Remedy
remedy_find(const Objective *objective)
{
	Search		search = {.objective = objective,.inquiry = objective->inquiry,.context = CurrentMemoryContext};
	Link	   *link = objective->inquiry->above.link;
	Link		link_now = link ? *link : (Link) {0};

	search.work = AllocSetContextCreate(CurrentMemoryContext, "territory why_not", ALLOCSET_DEFAULT_SIZES);
	find_blocking(&search);
	do
	{
		search.begin_anew = search.gave_up = false;
		search.remedy = (Remedy) {.dead = -1};
		formula_make(&search.formula, objective, search.blocking);
		variables_make(&search.variables, search.inquiry, search.formula.leaves);
		if (can_solve(&search, search.formula.goals) || search.gave_up)
			search_sets(&search);
		else
			explain_impossible(&search);
	} while (search.begin_anew);
	if (link)
		*link = link_now;		/* that of the last row that was tried is there */
	return search.remedy;
}
