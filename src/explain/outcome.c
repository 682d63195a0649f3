/*
 * outcome.c
 *		What the engine gives a record, as it is or as it might be.
 *
 * The same steps as for a record that is written (assign/batch.c), by the same
 * functions, and nothing is written.
 */
#include "postgres.h"

#include "explain/outcome.h"

/*
 * choose appends what a record gets that depends on no other.
 */
static void
choose(Ruleset *rules, Datum key, Match *matches, int count, PairList *pairs)
{
	count = match_select(rules, matches, count);
	for (int i = 0; i < count; i++)
		pair_append(pairs, key, rules->nodes[matches[i].node].id, matches[i].rule_id, NULL);
}

/*
 * outcome_of asks the engine.
 */
Outcome
outcome_of(Ruleset *rules, const Above *above, Datum key, TupleTableSlot *slot, const Premise *premise)
{
	Outcome		outcome = {.settlement = DEAL_OPEN};
	int			count = match_row(rules, slot);
	Match	   *matches = palloc(Max(count, 1) * sizeof(Match));

	outcome.matches = palloc(Max(count, 1) * sizeof(Match));
	memcpy(outcome.matches, rules->matches, count * sizeof(Match));
	count = exclusion_apply(rules, outcome.matches, count, premise->excluded.exclusions, premise->excluded.count);
	outcome.match_count = count;
	memcpy(matches, outcome.matches, count * sizeof(Match));
	if (above->inheritance == NULL)
	{
		choose(rules, key, matches, count, &outcome.pairs);
		return outcome;
	}
	*above->link = link_read(rules, slot);
	(void) inherit_wanted(above->inheritance, 0, key, matches, count, &premise->excluded, &outcome.pairs);
	if (rules->object.kind == KIND_DEAL)
		outcome.settlement = deal_settle(above->inheritance, 0, key, above->closed, premise->stored,
										 premise->stored_count, &premise->excluded, &outcome.pairs);
	return outcome;
}

/*
 * outcome_find finds the pair with a node.
 */
const Pair *
outcome_find(const Outcome *outcome, int32 node_id)
{
	for (int i = 0; i < outcome->pairs.count; i++)
	{
		if (outcome->pairs.pairs[i].node_id == node_id)
			return &outcome->pairs.pairs[i];
	}
	return NULL;
}
