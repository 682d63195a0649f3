/*
 * deal.h
 *		Which one node a deal has.
 */
#ifndef TERRITORY_DEAL_H
#define TERRITORY_DEAL_H

#include "postgres.h"

#include "parent/inherit.h"

/* What becomes of a node that may be a deal's */
typedef enum DealFate
{
	DEAL_CHOSEN,
	DEAL_LOWER_PRIORITY,
	DEAL_NOT_OWNERS,			/* the deal's owner is a member of others */
	DEAL_TIED
} DealFate;

/* A node that may be a deal's. */
typedef struct DealCandidate
{
	int32		node_id;
	int32		rule_id;
	int			priority;
	bool		by_rule;		/* a deal rule's; else the parent's own */
	bool		is_owners;		/* is the deal's owner a member? where that was asked */
	DealFate	fate;
} DealCandidate;

/* What of a deal's stored pairs counts */
typedef enum DealSettlement
{
	DEAL_OPEN,					/* nothing */
	DEAL_BY_HAND,
	DEAL_KEPT					/* the deal is closed and keeps its node */
} DealSettlement;

/* reads the nodes of pairs, which are to be known before the rest is asked */
extern void deal_know_nodes(Inheritance *inheritance, const StoredPair *pairs, int count);

/* the candidates of a deal, palloc'd, and what becomes of each; matches as for inherit_wanted */
extern int	deal_judge(Inheritance *inheritance, int record, Match *matches, int count,
					   const Slice *excluded, DealCandidate **candidates);

/* Is a path one of the nodes of the deal's parent, or below one? The deal must have a parent. */
extern bool deal_is_below_parent(const Inheritance *inheritance, int record, const Territory *path);

/* appends the node that a deal is to have, if there is one */
extern int	deal_wanted(Inheritance *inheritance, int record, Datum key, Match *matches, int count,
						const Slice *excluded, PairList *wanted);

/*
 * Lets a deal's stored pairs count: the one made by hand is the deal's node;
 * otherwise, where the deal is closed and keeps says so, the one that it has.
 * wanted holds what deal_wanted has appended, and nothing else.
 */
extern DealSettlement deal_settle(Inheritance *inheritance, int record, Datum key, bool keeps, const StoredPair *stored,
								  int stored_count, const Slice *excluded, PairList *wanted);

#endif							/* TERRITORY_DEAL_H */
