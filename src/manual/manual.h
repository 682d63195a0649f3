/*
 * manual.h
 *		What other modules have to say about decisions by hand.
 */
#ifndef TERRITORY_MANUAL_H
#define TERRITORY_MANUAL_H

#include "postgres.h"

/*
 * Raises unless the caller, who may update the records, may decide about a node (0: about all) and records of a table;
 * NULL: he may.
 */
extern void (*manual_permission) (Oid object, int32 node_id);

/* Raises unless the caller, who may delete nodes, may hand over to a node what another one has; NULL: he may. */
extern void (*transfer_permission) (int32 node_id);

#endif							/* TERRITORY_MANUAL_H */
