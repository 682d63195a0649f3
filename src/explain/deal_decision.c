/*
 * deal_decision.c
 *		Why a deal is not in a node.
 *
 * The candidates, and what became of each, are those of parent/deal.c. A node that
 * is none of them lies outside of what the parent has, or is the parent's own
 * where deal rules give others, or its rules do not give it.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "explain/deal_decision.h"

/*
 * find_candidate returns the candidate of a node, or NULL.
 */
static const DealCandidate *
find_candidate(const Inquiry *inquiry, int32 node_id)
{
	for (int i = 0; i < inquiry->candidate_count; i++)
	{
		if (inquiry->candidates[i].node_id == node_id)
			return &inquiry->candidates[i];
	}
	return NULL;
}

/*
 * list_candidates lists the paths of the candidates but one, those that were left
 * last (chosen, or tied) or all.
 */
static char *
list_candidates(const Inquiry *inquiry, const DealCandidate *but, bool left_only)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < inquiry->candidate_count; i++)
	{
		const DealCandidate *candidate = &inquiry->candidates[i];

		if (candidate == but || (left_only && candidate->fate != DEAL_CHOSEN && candidate->fate != DEAL_TIED))
			continue;
		appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "", inquiry_path(inquiry, candidate->node_id));
	}
	return list.data;
}

/*
 * highest_priority is that of the candidates that were left.
 */
static int
highest_priority(const Inquiry *inquiry)
{
	int			highest = PG_INT32_MIN;

	for (int i = 0; i < inquiry->candidate_count; i++)
		highest = Max(highest, inquiry->candidates[i].priority);
	return highest;
}

/*
 * owner_name is the deal's owner.
 */
static const char *
owner_name(const Inquiry *inquiry)
{
	return inquiry->above.link->owner;
}

/*
 * explain_tie says why the owner does not break it.
 */
static char *
explain_tie(const Inquiry *inquiry, const DealCandidate *candidate)
{
	const char *owner = owner_name(inquiry);

	if (owner == NULL)
		return psprintf("equal priority %d; the deal has no owner", candidate->priority);
	return psprintf("equal priority %d; the owner %s is a member of %s", candidate->priority, owner,
					candidate->is_owners ? "each of them" : "none of them");
}

/*
 * explain_held says why a node that would be the deal's is not.
 */
static void
explain_held(const Inquiry *inquiry, Decision *decision)
{
	bool		kept = inquiry->outcome.settlement == DEAL_KEPT;
	const HeldList *held = &inquiry->held;

	decision->kind = DECISION_OUTRANKED;
	decision->note = kept ? "the deal is closed and keeps its territory" : "the deal has its territory by hand";
	if (kept)
		decision->because = inquiry_path(inquiry, inquiry->outcome.pairs.pairs[0].node_id);
	for (int i = 0; i < held->count && decision->because == NULL; i++)
	{
		if (held->items[i].manual)
			decision->because = inquiry_path(inquiry, held->items[i].node_id);
	}
	if (decision->because == NULL)
		decision->note = "the deal has a territory of another model by hand";
}

/*
 * decide_candidate completes the decision on a candidate.
 */
static void
decide_candidate(const Inquiry *inquiry, const DealCandidate *candidate, Decision *decision)
{
	if (candidate->fate == DEAL_CHOSEN ||
		(candidate->fate == DEAL_TIED && inquiry->outcome.settlement != DEAL_OPEN))
	{
		explain_held(inquiry, decision);
		return;
	}
	decision->kind = candidate->fate == DEAL_TIED ? DECISION_TIED : DECISION_OUTRANKED;
	decision->because = list_candidates(inquiry, candidate, true);
	if (candidate->fate == DEAL_TIED)
		decision->note = explain_tie(inquiry, candidate);
	else if (candidate->fate == DEAL_LOWER_PRIORITY)
		decision->note = psprintf("priority %d before %d", highest_priority(inquiry), candidate->priority);
	else
		decision->note = psprintf("equal priority; the owner %s is a member there", owner_name(inquiry));
}

/*
 * decide_ruled completes the decision on a node with deal rules that is no
 * candidate and not the parent's own.
 */
static void
decide_ruled(const Inquiry *inquiry, int node, Decision *decision)
{
	const Ruleset *rules = inquiry->rules;
	int			gate = inquiry_closed_gate(inquiry, node);

	decision->kind = DECISION_FAILED;
	if (!inquiry->own[node])
		return;
	decision->kind = gate >= 0 ? DECISION_BLOCKED : DECISION_SHADOWED;
	if (gate >= 0)
		decision->because = territory_to_cstring(rules->nodes[gate].path);
	for (int i = 0; i < inquiry->candidate_count && gate < 0; i++)
	{
		int			other = inquiry_node_index(inquiry, inquiry->candidates[i].node_id);

		if (other > node && other < rules->nodes[node].subtree_end)
			decision->because = territory_to_cstring(rules->nodes[other].path);
	}
}

/*
 * decide_deal says why a deal is not in a node.
 */
void
decide_deal(const Inquiry *inquiry, const Place *place, Decision *decision)
{
	const Above *above = &inquiry->above;
	const DealCandidate *candidate = find_candidate(inquiry, place->node_id);

	if (candidate != NULL)
		decide_candidate(inquiry, candidate, decision);
	else if (!deal_is_below_parent(above->inheritance, 0, place->path))
	{
		decision->kind = DECISION_OUTSIDE_PARENT;
		decision->from_above = true;
	}
	else if (place->node >= 0 && (inquiry->own[place->node] || held_find(&above->held, place->node_id) == NULL))
		decide_ruled(inquiry, place->node, decision);
	else if (held_find(&above->held, place->node_id) != NULL)
	{
		decision->kind = DECISION_OUTRANKED;
		decision->because = list_candidates(inquiry, NULL, false);
		decision->note = "deal rules come before what the parent has itself";
	}
	else
		decision->kind = DECISION_NO_RULES;
}

/*
 * decision_if_open names the candidate that is chosen.
 */
char *
decision_if_open(const Inquiry *inquiry)
{
	for (int i = 0; i < inquiry->candidate_count; i++)
	{
		if (inquiry->candidates[i].fate == DEAL_CHOSEN)
			return inquiry_path(inquiry, inquiry->candidates[i].node_id);
	}
	return NULL;
}
