/*
 * planner.h
 *		What the planner support of the type shares between its files.
 */
#ifndef TERRITORY_TYPE_PLANNER_H
#define TERRITORY_TYPE_PLANNER_H

#include "nodes/supportnodes.h"

/* the selectivity of a call whose argument "ancestor" contains the other one */
extern bool territory_estimate_call(SupportRequestSelectivity *request, int ancestor);

#endif /* TERRITORY_TYPE_PLANNER_H */
