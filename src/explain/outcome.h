/*
 * outcome.h
 *		What the engine gives a record, as it is or as it might be.
 */
#ifndef TERRITORY_OUTCOME_H
#define TERRITORY_OUTCOME_H

#include "postgres.h"

#include "executor/tuptable.h"

#include "explain/above.h"
#include "parent/deal.h"
#include "rule/ruleset.h"

/* What counts beside a record's row and the record above. */
typedef struct Premise
{
	Slice		excluded;
	const StoredPair *stored;	/* its pairs, in every model */
	int			stored_count;
} Premise;

typedef struct Outcome
{
	int			match_count;
	Match	   *matches;		/* of its own rules, less exclusions, in tree order */
	PairList	pairs;			/* what it has by rules, its own and those of the record above */
	DealSettlement settlement;	/* of a deal */
} Outcome;

/*
 * The engine's answer for a row of the record; palloc'd. Within match_begin and
 * match_end. The row's link must be the record's.
 */
extern Outcome outcome_of(Ruleset *rules, const Above *above, Datum key, TupleTableSlot *slot, const Premise *premise);

/* the pair with a node, or NULL */
extern const Pair *outcome_find(const Outcome *outcome, int32 node_id);

#endif							/* TERRITORY_OUTCOME_H */
