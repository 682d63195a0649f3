/*
 * decision.c
 *		What became of a record at a node, and why.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"

#include "base/catalog.h"
#include "explain/decision.h"

const char *
decision_word(DecisionKind kind)
{
	static const char *const words[] = {
		[DECISION_MATCHED] = "matched",
		[DECISION_MANUAL] = "manual",
		[DECISION_FAILED] = "criterion failed",
		[DECISION_BLOCKED] = "blocked by ancestor",
		[DECISION_SHADOWED] = "shadowed by descendant",
		[DECISION_OUTRANKED] = "outranked",
		[DECISION_EXCLUDED] = "excluded",
		[DECISION_NO_RULES] = "no rules"
	};

	return words[kind];
}

/*
 * explain_rank says by what one node comes before another in mode first.
 */
static char *
explain_rank(const RuleNode *winner, const RuleNode *loser)
{
	if (winner->priority != loser->priority)
		return psprintf("priority %d before %d", winner->priority, loser->priority);
	if (winner->depth != loser->depth)
		return psprintf("equal priority; depth %d before %d", winner->depth, loser->depth);
	return pstrdup("equal priority and depth; path order");
}

/*
 * inactive_rules counts a node's rules for the object that are not active.
 */
static int
inactive_rules(const Inquiry *inquiry, int32 node_id)
{
	Oid			types[2] = {OIDOID, INT4OID};
	Datum		values[2] = {ObjectIdGetDatum(inquiry->rules->object.object), Int32GetDatum(node_id)};
	SessionRole role;

	session_become(&role, catalog_owner());
	session_execute("SELECT FROM territory.rule WHERE object OPERATOR(pg_catalog.=) $1"
					"   AND node_id OPERATOR(pg_catalog.=) $2 AND NOT active",
					SPI_OK_SELECT, 2, types, values, NULL);
	session_restore_role(&role);
	return (int) SPI_processed;
}

/*
 * decide_by_rules completes the decision on a node with active rules in which the
 * record does not stand.
 */
static void
decide_by_rules(const Inquiry *inquiry, int node, Decision *decision)
{
	const Ruleset *rules = inquiry->rules;

	decision->kind = DECISION_FAILED;
	if (!inquiry->own[node])
		return;
	decision->kind = DECISION_BLOCKED;
	decision->because = inquiry_closed_gate(inquiry, node);
	if (decision->because >= 0)
		return;
	if (rules->object.mode == MODE_FIRST && inquiry->chosen_count > 0)
	{
		decision->kind = DECISION_OUTRANKED;
		decision->because = inquiry->chosen[0].node;
		decision->note = explain_rank(&rules->nodes[decision->because], &rules->nodes[node]);
		return;
	}
	decision->kind = DECISION_SHADOWED;
	for (int i = 0; i < inquiry->chosen_count; i++)
	{
		if (inquiry->chosen[i].node > node && inquiry->chosen[i].node < rules->nodes[node].subtree_end)
			decision->because = inquiry->chosen[i].node;
	}
}

/*
 * decide_by_ban completes the decision on a node that the record is kept out of.
 */
static void
decide_by_ban(const Ban *ban, Decision *decision)
{
	decision->kind = DECISION_EXCLUDED;
	decision->who = ban->who;
	decision->has_since = ban->has_since;
	decision->since = ban->since;
	decision->note = ban->note;
	if (ban->node_id == EVERY_NODE)
		decision->note = ban->note ? psprintf("from every territory: %s", ban->note) : "from every territory";
}

/*
 * decide_place says what became of the record at a node.
 */
Decision
decide_place(const Inquiry *inquiry, const Place *place)
{
	Decision	decision = {.because = -1};
	const Ban  *ban = inquiry_ban(inquiry, place->node_id);
	const Held *held = inquiry_held(inquiry, place->node_id);
	bool		matched = place->node >= 0 && inquiry_has_chosen(inquiry, place->node);

	if (ban != NULL)
	{
		decide_by_ban(ban, &decision);
		return decision;
	}
	if (held != NULL && (matched || held->manual))
	{
		decision.has_since = true;
		decision.since = held->since;
	}
	if (matched)
	{
		decision.kind = DECISION_MATCHED;
		decision.rule_id = inquiry->true_rule[place->node];
		decision.note = held != NULL && held->manual ? "by hand, too" : NULL;
	}
	else if (held != NULL && held->manual)
		decision.kind = DECISION_MANUAL;
	else if (place->node >= 0)
		decide_by_rules(inquiry, place->node, &decision);
	else
	{
		int			count = inactive_rules(inquiry, place->node_id);

		decision.kind = DECISION_NO_RULES;
		decision.note = count > 0 ? psprintf("rules that are not active: %d", count) : NULL;
	}
	return decision;
}

/*
 * decision_each calls back with the places to be shown. Nodes with rules and
 * stored pairs are both in tree order, so they are merged.
 */
void
decision_each(Inquiry *inquiry, const Territory *only, int32 only_id,
			  void (*callback) (const Inquiry *, const Place *, void *), void *arg)
{
	const Ruleset *rules = inquiry->rules;
	int			held = 0;

	if (only != NULL)
	{
		Place		place = {inquiry_node_index(inquiry, only_id), only_id, only};

		callback(inquiry, &place, arg);
		return;
	}
	for (int node = 0; node <= rules->node_count; node++)
	{
		const RuleNode *next = node < rules->node_count ? &rules->nodes[node] : NULL;

		for (; held < inquiry->held_count; held++)
		{
			const Held *pair = &inquiry->held[held];
			Place		place = {-1, pair->node_id, pair->path};

			if (next != NULL && territory_compare(pair->path, next->path) >= 0)
				break;
			if (pair->manual && inquiry_node_index(inquiry, pair->node_id) < 0)
				callback(inquiry, &place, arg);
		}
		if (next != NULL)
		{
			Place		place = {node, next->id, next->path};

			callback(inquiry, &place, arg);
		}
	}
}
