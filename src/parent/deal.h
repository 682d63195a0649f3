/*
 * deal.h
 *		Which one node a deal has.
 */
#ifndef TERRITORY_DEAL_H
#define TERRITORY_DEAL_H

#include "postgres.h"

#include "parent/inherit.h"

/* reads the nodes of pairs, which are to be known before the rest is asked */
extern void deal_know_nodes(Inheritance *inheritance, const StoredPair *pairs, int count);

/* appends the node that a deal is to have, if there is one */
extern int	deal_wanted(Inheritance *inheritance, int record, Datum key, Match *matches, int count,
						const Slice *excluded, PairList *wanted);

/*
 * Lets a deal's stored pairs count: the one made by hand is the deal's node;
 * otherwise, where the deal is closed and keeps says so, the one that it has.
 * wanted holds what deal_wanted has appended, and nothing else. Returns their
 * number then.
 */
extern int	deal_settle(Inheritance *inheritance, int record, Datum key, bool keeps, const StoredPair *stored,
						int stored_count, const Slice *excluded, PairList *wanted);

#endif							/* TERRITORY_DEAL_H */
