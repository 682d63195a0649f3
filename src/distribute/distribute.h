/*
 * distribute.h
 *		Records without an owner go to the members of their node.
 */
#ifndef TERRITORY_DISTRIBUTE_H
#define TERRITORY_DISTRIBUTE_H

#include "postgres.h"

#include "nodes/pg_list.h"

/*
 * Distributes the records of those of these nodes that want it when records
 * arrive; as the table's owner. Needs no SPI connection.
 */
extern void distribute_arrived(Oid object, List *nodes);

#endif							/* TERRITORY_DISTRIBUTE_H */
