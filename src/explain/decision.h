/*
 * decision.h
 *		What became of a record at a node, and why.
 */
#ifndef TERRITORY_DECISION_H
#define TERRITORY_DECISION_H

#include "postgres.h"

#include "explain/inquiry.h"

typedef enum DecisionKind
{
	DECISION_MATCHED,
	DECISION_INHERITED,
	DECISION_FROZEN,
	DECISION_MANUAL,
	DECISION_FAILED,
	DECISION_BLOCKED,
	DECISION_SHADOWED,
	DECISION_OUTRANKED,
	DECISION_TIED,
	DECISION_EXCLUDED,
	DECISION_OUTSIDE_PARENT,
	DECISION_NOT_INHERITED,
	DECISION_NO_PARENT,
	DECISION_NO_RULES
} DecisionKind;

/* A node that is shown. */
typedef struct Place
{
	int			node;			/* index in the rule set, or -1: it has no active rules */
	int32		node_id;
	const Territory *path;
} Place;

typedef struct Decision
{
	DecisionKind kind;
	const char *because;		/* paths of the nodes that decided, or NULL */
	int32		rule_id;		/* where the record is: by which rule; else 0 */
	bool		from_above;		/* because of the record above, or of its lack */
	const char *who;			/* EXCLUDED: by whom; by hand: who assigned it; NULL: not known */
	bool		has_since;
	TimestampTz since;			/* since when the record is there, or excluded */
	const char *note;			/* more about it, or NULL */
} Decision;

/* the words of the contract */
extern const char *decision_word(DecisionKind kind);

/* Is the record there? */
extern bool decision_is_there(const Decision *decision);

extern Decision decide_place(const Inquiry *inquiry, const Place *place);

/* of a record for which there is no place to be shown: because of what is above it; false: that is no reason */
extern bool decide_nowhere(const Inquiry *inquiry, Decision *decision);

/*
 * Calls back with each place, in tree order. only: that node alone, whatever it
 * has; NULL: all that have active rules, hold the record, or the one above it, in
 * a way that rules do not. Returns their number.
 */
extern int	decision_each(const Inquiry *inquiry, const Territory *only, int32 only_id,
						  void (*callback) (const Inquiry *, const Place *, void *), void *arg);

#endif							/* TERRITORY_DECISION_H */
