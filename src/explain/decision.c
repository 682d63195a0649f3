/*
 * decision.c
 *		What became of a record at a node, and why.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"

#include "base/catalog.h"
#include "explain/deal_decision.h"
#include "explain/decision.h"

/* of what is not so because of a parent that the caller does not see */
static const char hidden_parent[] = "as far as you may know: its parent is not yours to read";

const char *
decision_word(DecisionKind kind)
{
	static const char *const words[] = {
		[DECISION_MATCHED] = "matched",
		[DECISION_INHERITED] = "inherited",
		[DECISION_FROZEN] = "frozen",
		[DECISION_MANUAL] = "manual",
		[DECISION_FAILED] = "criterion failed",
		[DECISION_BLOCKED] = "blocked by ancestor",
		[DECISION_SHADOWED] = "shadowed by descendant",
		[DECISION_OUTRANKED] = "outranked",
		[DECISION_TIED] = "tied",
		[DECISION_EXCLUDED] = "excluded",
		[DECISION_OUTSIDE_PARENT] = "outside parent",
		[DECISION_NOT_INHERITED] = "not inherited",
		[DECISION_NO_PARENT] = "no parent",
		[DECISION_NO_RULES] = "no rules"
	};

	return words[kind];
}

bool
decision_is_there(const Decision *decision)
{
	return decision->kind <= DECISION_MANUAL;
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
 * path_at is the path of a node by its index.
 */
static char *
path_at(const Inquiry *inquiry, int node)
{
	return territory_to_cstring(inquiry->rules->nodes[node].path);
}

/*
 * decide_by_rules completes the decision on a node with active rules in which the
 * record does not stand.
 */
static void
decide_by_rules(const Inquiry *inquiry, int node, Decision *decision)
{
	const Ruleset *rules = inquiry->rules;
	int			gate = inquiry_closed_gate(inquiry, node);

	decision->kind = DECISION_FAILED;
	if (!inquiry->own[node])
		return;
	decision->kind = gate >= 0 ? DECISION_BLOCKED : DECISION_SHADOWED;
	if (gate >= 0)
		decision->because = path_at(inquiry, gate);
	else if (rules->object.mode == MODE_FIRST && inquiry->chosen_count > 0)
	{
		int			winner = inquiry->chosen[0].node;

		decision->kind = DECISION_OUTRANKED;
		decision->because = path_at(inquiry, winner);
		decision->note = explain_rank(&rules->nodes[winner], &rules->nodes[node]);
	}
	for (int i = 0; i < inquiry->chosen_count && decision->kind == DECISION_SHADOWED; i++)
	{
		if (inquiry->chosen[i].node > node && inquiry->chosen[i].node < rules->nodes[node].subtree_end)
			decision->because = path_at(inquiry, inquiry->chosen[i].node);
	}
}

/*
 * list_chosen lists the paths that a record's own rules give it.
 */
static char *
list_chosen(const Inquiry *inquiry)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < inquiry->chosen_count; i++)
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "", path_at(inquiry, inquiry->chosen[i].node));
	return list.data;
}

/*
 * decide_by_family completes the decision where the record has what its own rules
 * give it, not what its top has, or the other way round; false: that is no reason.
 */
static bool
decide_by_family(const Inquiry *inquiry, const Place *place, Decision *decision)
{
	if (!inquiry->above.named)
		return false;
	if (held_find(&inquiry->above.held, place->node_id) != NULL)
	{
		decision->because = list_chosen(inquiry);
		decision->note = "the record matches itself, so it does not follow the top of its family";
	}
	else if (place->node >= 0 && inquiry_has_chosen(inquiry, place->node))
		decision->note = "all follow the top of their family, as family_mode says";
	else
		return false;
	decision->kind = DECISION_OUTRANKED;
	decision->from_above = true;
	return true;
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
 * decide_without_rules completes the decision on a node without active rules.
 */
static void
decide_without_rules(const Inquiry *inquiry, const Place *place, Decision *decision)
{
	int			count = inactive_rules(inquiry, place->node_id);

	decision->kind = DECISION_NO_RULES;
	if (count > 0)
		decision->note = psprintf("rules that are not active: %d", count);
}

/*
 * decide_without_parent completes the decision on a record that has no parent.
 */
static void
decide_without_parent(const Inquiry *inquiry, Decision *decision)
{
	decision->kind = DECISION_NO_PARENT;
	decision->from_above = true;
	decision->note = inquiry->above.named ? "the parent is not there" : "no parent is named";
}

/*
 * decide_missing completes the decision on a node in which the record does not
 * stand, though nothing is decided by hand.
 */
static void
decide_missing(const Inquiry *inquiry, const Place *place, Decision *decision)
{
	ObjectKind	kind = inquiry->rules->object.kind;

	if ((kind == KIND_CONTACT || kind == KIND_DEAL) && !above_counts(&inquiry->above))
	{
		decide_without_parent(inquiry, decision);
		return;
	}
	switch (kind)
	{
		case KIND_CONTACT:
			decision->kind = DECISION_NOT_INHERITED;
			decision->from_above = true;
			return;
		case KIND_DEAL:
			decide_deal(inquiry, place, decision);
			if (decision->kind == DECISION_NO_RULES)
				decide_without_rules(inquiry, place, decision);
			return;
		default:
			if (decide_by_family(inquiry, place, decision))
				return;
			if (place->node >= 0)
				decide_by_rules(inquiry, place->node, decision);
			else
				decide_without_rules(inquiry, place, decision);
	}
}

/*
 * is_inherited tells whether a pair that the record has is that of the record
 * above.
 */
static bool
is_inherited(const Inquiry *inquiry)
{
	const ObjectInfo *object = &inquiry->rules->object;

	if (!inquiry->above.named)
		return false;
	if (object->kind == KIND_DEAL)
		return inquiry->candidate_count > 0 && !inquiry->candidates[0].by_rule;
	return object->kind == KIND_CONTACT || object->family_mode == FAMILY_ALL || inquiry->chosen_count == 0;
}

/*
 * decide_there completes the decision on a node in which the record stands by
 * rules, its own or others'.
 */
static void
decide_there(const Inquiry *inquiry, const Pair *pair, bool manual, Decision *decision)
{
	decision->rule_id = pair->rule_id;
	decision->note = manual ? "by hand, too" : NULL;
	if (inquiry->outcome.settlement == DEAL_KEPT)
	{
		const char *open = decision_if_open(inquiry);

		decision->kind = DECISION_FROZEN;
		decision->note = above_is_hidden(&inquiry->above) ? "the deal is closed and keeps its territory" :
			psprintf("the deal is closed and keeps its territory; if it were open: %s", open ? open : "none");
	}
	else if (is_inherited(inquiry))
	{
		decision->kind = DECISION_INHERITED;
		decision->from_above = true;
		if (pair->rule_id == 0)
			decision->note = manual ? "by hand there, and by hand, too" : "by hand there";
	}
	else
		decision->kind = DECISION_MATCHED;
}

/*
 * decide_place says what became of the record at a node.
 */
Decision
decide_place(const Inquiry *inquiry, const Place *place)
{
	Decision	decision = {.kind = DECISION_MANUAL};
	const Ban  *ban = inquiry_ban(inquiry, place->node_id);
	const Held *held = held_find(&inquiry->held, place->node_id);
	const Pair *pair = outcome_find(&inquiry->outcome, place->node_id);
	bool		manual = held != NULL && held->manual;

	if (ban != NULL)
	{
		decide_by_ban(ban, &decision);
		return decision;
	}
	if (pair != NULL)
		decide_there(inquiry, pair, manual, &decision);
	else if (!manual)
		decide_missing(inquiry, place, &decision);
	if (held != NULL && decision_is_there(&decision))
	{
		decision.has_since = true;
		decision.since = held->since;
	}
	if (decision.note == NULL && above_is_hidden(&inquiry->above) &&
		(decision.kind == DECISION_OUTSIDE_PARENT || decision.kind == DECISION_NOT_INHERITED))
		decision.note = hidden_parent;
	if (manual)
		decision.who = held_assigner(&inquiry->rules->object, inquiry->key, held);
	return decision;
}

/*
 * decide_nowhere says why there is no node to speak of.
 */
bool
decide_nowhere(const Inquiry *inquiry, Decision *decision)
{
	ObjectKind	kind = inquiry->rules->object.kind;

	*decision = (Decision) {.kind = DECISION_NOT_INHERITED,.from_above = true,.note = "the parent is in no territory"};
	if (kind != KIND_CONTACT && kind != KIND_DEAL)
		return false;
	if (!above_counts(&inquiry->above))
		decide_without_parent(inquiry, decision);
	else if (above_is_hidden(&inquiry->above))
		decision->note = hidden_parent;
	return true;
}

static int
compare_places(const void *a, const void *b)
{
	return territory_compare(((const Place *) a)->path, ((const Place *) b)->path);
}

/*
 * add_held adds the nodes of pairs, which must be shown though no rule has them.
 */
static int
add_held(const Inquiry *inquiry, const HeldList *held, bool by_rules, Place *places)
{
	int			count = 0;

	for (int i = 0; i < held->count; i++)
	{
		const Held *item = &held->items[i];

		if ((by_rules || item->manual || outcome_find(&inquiry->outcome, item->node_id) != NULL) &&
			inquiry_node_index(inquiry, item->node_id) < 0)
			places[count++] = (Place) {-1, item->node_id, item->path};
	}
	return count;
}

/*
 * decision_each calls back with the places to be shown.
 */
int
decision_each(const Inquiry *inquiry, const Territory *only, int32 only_id,
			  void (*callback) (const Inquiry *, const Place *, void *), void *arg)
{
	const Ruleset *rules = inquiry->rules;
	Place	   *places = palloc((rules->node_count + inquiry->held.count + inquiry->above.held.count + 1) * sizeof(Place));
	int			count = 0;
	int			shown = 0;

	if (only != NULL)
		places[count++] = (Place) {inquiry_node_index(inquiry, only_id), only_id, only};
	for (int node = 0; node < rules->node_count && only == NULL; node++)
		places[count++] = (Place) {node, rules->nodes[node].id, rules->nodes[node].path};
	if (only == NULL)
	{
		count += add_held(inquiry, &inquiry->held, false, places + count);
		count += add_held(inquiry, &inquiry->above.held, true, places + count);
	}
	qsort(places, count, sizeof(Place), compare_places);
	for (int i = 0; i < count; i++)
	{
		/* the record and the one above it may have the same */
		if (i > 0 && places[i].node_id == places[i - 1].node_id)
			continue;
		callback(inquiry, &places[i], arg);
		shown++;
	}
	return shown;
}
