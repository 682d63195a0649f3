/*
 * deal_goal.h
 *		What must hold for a deal to come to a node, beside the node's own rules.
 */
#ifndef TERRITORY_DEAL_GOAL_H
#define TERRITORY_DEAL_GOAL_H

#include "postgres.h"

#include "explain/goal.h"

/* May a node that is not excluded take the deal away if it matches? */
extern bool deal_goal_may_block(const Objective *objective, int node);

/* adds the ways in which a node that matches leaves the deal alone, as alternatives */
extern void deal_goal_add_ways(Formula *formula, int node, Goal *goal);

/* adds what must hold whatever matches: of other nodes of the parent, and that the deal is open */
extern void deal_goal_add(Formula *formula);

#endif							/* TERRITORY_DEAL_GOAL_H */
