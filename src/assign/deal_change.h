/*
 * deal_change.h
 *		Changes of nodes and members that decide between a deal's candidates.
 */
#ifndef TERRITORY_DEAL_CHANGE_H
#define TERRITORY_DEAL_CHANGE_H

#include "postgres.h"

#include "rule/object.h"

/* re-evaluates the deals whose parents stand in some nodes, an array of ids; needs an SPI connection */
extern void deal_reassign_below(const ObjectInfo *deal, Datum node_ids);

#endif							/* TERRITORY_DEAL_CHANGE_H */
