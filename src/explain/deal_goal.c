/*
 * deal_goal.c
 *		What must hold for a deal to come to a node, beside the node's own rules.
 *
 * By its rules: of the other candidates none has a higher priority, and none of
 * the same priority is left where the deal's owner is a member, while he is one of
 * the node. A node that matches is no candidate when one below it matches, too.
 * As one of the parent's own: no deal rule matches there or below, and likewise of
 * the parent's others. A closed deal that keeps another node has to be opened.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "base/catalog.h"
#include "base/session.h"
#include "explain/deal_goal.h"
#include "rule/criteria.h"
#include "rule/link.h"

/* nodes below one that are considered as ways around it */
#define MAX_WAYS 16

/*
 * contains tells whether a node stands above another, by their indexes.
 */
static bool
contains(const Ruleset *rules, int node, int other)
{
	return other > node && other < rules->nodes[node].subtree_end;
}

/*
 * deal_goal_may_block tells whether a node takes the deal away if it matches.
 */
bool
deal_goal_may_block(const Objective *objective, int node)
{
	const Inquiry *inquiry = objective->inquiry;
	const Ruleset *rules = inquiry->rules;
	const RuleNode *other = &rules->nodes[node];

	if (!deal_is_below_parent(inquiry->above.inheritance, 0, other->path))
		return false;
	if (objective->aim == AIM_ABOVE || contains(rules, objective->node, node))
		return true;
	return node != objective->node && !contains(rules, node, objective->node) && other->priority >= objective->priority;
}

/*
 * members_but lists, for an IN, who is a member of the node today and not of
 * another one; NULL: nobody.
 */
static char *
members_but(const Objective *objective, int32 rival)
{
	static KeptStatement find = {
		"SELECT DISTINCT m.member FROM territory.member m"
		" WHERE m.node_id OPERATOR(pg_catalog.=) $1"
		"   AND coalesce(m.starts OPERATOR(pg_catalog.<=) current_date, true)"
		"   AND coalesce(m.ends OPERATOR(pg_catalog.>) current_date, true)"
		"   AND NOT EXISTS (SELECT FROM territory.member o"
		"    WHERE o.node_id OPERATOR(pg_catalog.=) $2 AND o.member OPERATOR(pg_catalog.=) m.member"
		"      AND coalesce(o.starts OPERATOR(pg_catalog.<=) current_date, true)"
		"      AND coalesce(o.ends OPERATOR(pg_catalog.>) current_date, true))"
		" ORDER BY 1",
		SPI_OK_SELECT, 2, {INT4OID, INT4OID}
	};
	Datum		values[2] = {Int32GetDatum(objective->node_id), Int32GetDatum(rival)};
	SessionRole role;
	StringInfoData list;

	session_become(&role, catalog_owner());
	session_execute_kept(&find, values, NULL);
	session_restore_role(&role);
	if (SPI_processed == 0)
		return NULL;
	initStringInfo(&list);
	for (uint64 i = 0; i < SPI_processed; i++)
		appendStringInfo(&list, "%s%s", i == 0 ? "" : ", ",
						 quote_literal_cstr(SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1)));
	SPI_freetuptable(SPI_tuptable);
	return list.data;
}

/*
 * owner_goal makes the goal that the deal's owner decides against a rival of the
 * same priority; NULL: nobody could.
 */
static Goal *
owner_goal(Formula *formula, int32 rival)
{
	const Inquiry *inquiry = formula->objective->inquiry;
	const char *owner = link_owner(inquiry->rules);
	const char *members = owner ? members_but(formula->objective, rival) : NULL;

	if (members == NULL)
		return NULL;
	return goal_condition(formula, criteria_parse(inquiry->rel, psprintf("(%s)::pg_catalog.text IN (%s)", owner, members)),
						  MASK_TRUE, NEED_OWNER, -1);
}

/*
 * deal_goal_add_ways adds the ways around a rival that matches.
 */
void
deal_goal_add_ways(Formula *formula, int node, Goal *goal)
{
	const Objective *objective = formula->objective;
	const RuleNode *nodes = objective->inquiry->rules->nodes;
	const Slice *excluded = &objective->inquiry->premise.excluded;
	Goal	   *owner = NULL;
	int			ways = 0;

	if (nodes[node].priority == objective->priority)
		owner = owner_goal(formula, nodes[node].id);
	if (owner != NULL)
		goal->args = lappend(goal->args, owner);
	for (int below = node + 1; below < nodes[node].subtree_end; below++)
	{
		if (exclusion_covers(excluded->exclusions, excluded->count, nodes[below].id))
			continue;
		formula->narrowed |= ways == MAX_WAYS;
		if (ways++ < MAX_WAYS)
			goal->args = lappend(goal->args, goal_match(formula, below, NEED_WAY));
	}
}

/*
 * add_rival adds what must hold against another one of the parent's nodes. With no
 * way to reach it, the goal is never reached.
 */
static void
add_rival(Formula *formula, const Held *rival)
{
	Goal	   *goal = goal_make(GOAL_ANY, NEED_RIVAL);
	Goal	   *owner = NULL;

	if (rival->priority == formula->objective->priority)
		owner = owner_goal(formula, rival->node_id);
	if (owner != NULL)
		goal->args = list_make1(owner);
	formula->goals = lappend(formula->goals, goal);
}

/*
 * must_open tells whether the deal is to be opened: it is closed and keeps another
 * node, or would keep one that it gets on the way.
 */
static bool
must_open(const Inquiry *inquiry)
{
	return inquiry->above.closed && inquiry->rules->object.freeze &&
		(inquiry->outcome.pairs.count > 0 || inquiry->above.supposed);
}

/*
 * add_open adds that the deal is not closed.
 */
static void
add_open(Formula *formula)
{
	const Inquiry *inquiry = formula->objective->inquiry;
	char	   *closed = psprintf("(%s)::pg_catalog.text IN ('closed', 'omitted')", link_category(inquiry->rules));

	formula->goals = lappend(formula->goals,
							 goal_condition(formula, criteria_parse(inquiry->rel, closed), MASK_FALSE | MASK_UNKNOWN, NEED_OPEN, -1));
}

/*
 * deal_goal_add adds what must hold whatever matches.
 */
void
deal_goal_add(Formula *formula)
{
	const Objective *objective = formula->objective;
	const Inquiry *inquiry = objective->inquiry;
	const HeldList *held = &inquiry->above.held;
	const Slice *excluded = &inquiry->premise.excluded;

	for (int i = 0; i < held->count && objective->aim == AIM_ABOVE; i++)
	{
		const Held *rival = &held->items[i];

		if (rival->node_id != objective->node_id && rival->priority >= objective->priority &&
			!exclusion_covers(excluded->exclusions, excluded->count, rival->node_id))
			add_rival(formula, rival);
	}
	if (must_open(inquiry))
		add_open(formula);
}
