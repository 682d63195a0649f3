/*
 * decision.h
 *		What became of a record at a node, and why.
 */
#ifndef TERRITORY_DECISION_H
#define TERRITORY_DECISION_H

#include "postgres.h"

#include "assign/inquiry.h"

typedef enum DecisionKind
{
	DECISION_MATCHED,
	DECISION_MANUAL,
	DECISION_FAILED,
	DECISION_BLOCKED,
	DECISION_SHADOWED,
	DECISION_OUTRANKED,
	DECISION_EXCLUDED,
	DECISION_NO_RULES
} DecisionKind;

/* A node that is shown: one with active rules, one that the record holds by hand, or the one asked for. */
typedef struct Place
{
	int			node;			/* index in the rule set, or -1: it has no active rules */
	int32		node_id;
	const Territory *path;
} Place;

typedef struct Decision
{
	DecisionKind kind;
	int			because;		/* index of the node that decided, or -1 */
	int32		rule_id;		/* MATCHED: by which rule; else 0 */
	const char *who;			/* EXCLUDED: by whom; else NULL */
	bool		has_since;
	TimestampTz since;			/* since when the record is there, or excluded */
	char	   *note;			/* more about it, or NULL */
} Decision;

/* the words of the contract */
extern const char *decision_word(DecisionKind kind);

extern Decision decide_place(const Inquiry *inquiry, const Place *place);

/*
 * Calls back with each place, in tree order. only: that node alone, whatever it
 * has; NULL: all that have active rules, or hold the record by hand.
 */
extern void decision_each(Inquiry *inquiry, const Territory *only, int32 only_id,
						  void (*callback) (const Inquiry *, const Place *, void *), void *arg);

#endif							/* TERRITORY_DECISION_H */
