/*
 * deal_decision.h
 *		Why a deal is not in a node.
 */
#ifndef TERRITORY_DEAL_DECISION_H
#define TERRITORY_DEAL_DECISION_H

#include "postgres.h"

#include "explain/decision.h"

/* completes the decision on a node of a deal with a parent; neither rules nor exclusions nor decisions by hand settle it */
extern void decide_deal(const Inquiry *inquiry, const Place *place, Decision *decision);

/* where a deal that keeps its node would be if it were open; NULL: nowhere. palloc'd text */
extern char *decision_if_open(const Inquiry *inquiry);

#endif							/* TERRITORY_DEAL_DECISION_H */
