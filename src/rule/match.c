/*
 * match.c
 *		Finds the nodes that a row matches.
 *
 * The index (find.c) gives the rules that the row makes true; what is done with
 * them here costs by their number, not by the tree's size.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "miscadmin.h"

#include "rule/ruleset.h"

/*
 * name_rule adds the rule of an index that is at work to an error that its
 * criteria raise.
 */
static void
name_rule(const Ruleset *rules, const RuleIndex *index)
{
	const Rule *rule;
	const char *name;
	const char *path;

	if (index == NULL || index->current < 0)
		return;
	rule = &index->rules[index->current];
	name = index->infos[index->current].name;
	path = territory_to_cstring(rules->nodes[rule->node].path);
	if (name != NULL)
		errcontext("rule %d (%s) of territory \"%s\"", rule->id, name, path);
	else
		errcontext("rule %d of territory \"%s\"", rule->id, path);
}

static void
report_rule(void *arg)
{
	const Ruleset *rules = arg;

	name_rule(rules, rules->index);
	name_rule(rules, rules->patch);
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
	rules->index->current = -1;
	if (rules->patch)
		rules->patch->current = -1;
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
 * find_hits collects the true rules.
 */
static void
find_hits(Ruleset *rules)
{
	rules->hits.count = 0;
	index_find(rules->index);
	if (rules->patch == NULL)
		return;
	rules->patched_rows++;
	index_find(rules->patch);
}

/*
 * match_has_rule tells whether a node has a true rule, by the last match.
 */
bool
match_has_rule(const Ruleset *rules, int node)
{
	const uint64 *keys = rules->hits.keys;
	int			low = 0;
	int			high = rules->hits.count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (hit_node(keys[middle]) < node)
			low = middle + 1;
		else
			high = middle;
	}
	return low < rules->hits.count && hit_node(keys[low]) == node;
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
 * match_row finds all nodes that the row matches, whatever the mode, in tree
 * order; returns their number.
 */
int
match_row(Ruleset *rules, TupleTableSlot *slot)
{
	ErrorContextCallback callback = {error_context_stack, report_rule, rules};
	int			match_count = 0;

	ResetExprContext(rules->econtext);
	slot_getsomeattrs(slot, rules->max_attno);
	rules->econtext->ecxt_scantuple = slot;
	error_context_stack = &callback;
	find_hits(rules);
	error_context_stack = callback.previous;
	hits_settle(&rules->hits, rules->node_count);
	for (int i = 0; i < rules->hits.count; i++)
	{
		uint64		key = rules->hits.keys[i];

		if (gates_open(rules, hit_node(key)))
			rules->matches[match_count++] = (Match) {hit_node(key), hit_rule_id(key)};
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
