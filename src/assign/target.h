/*
 * target.h
 *		To which attached table a relation belongs: itself, or the partitioned
 *		table above a partition.
 */
#ifndef TERRITORY_TARGET_H
#define TERRITORY_TARGET_H

#include "postgres.h"

#include "access/attmap.h"
#include "utils/rel.h"

typedef struct Target
{
	Oid			relid;			/* key */
	bool		valid;
	uint32		generation;		/* counts invalidations */
	Oid			object;			/* InvalidOid: belongs to none */
	AttrMap    *map;			/* relation's column for each of the object's; NULL: the same */
} Target;

/* Needs no SPI connection. The result serves until the next call. */
extern const Target *target_find(Relation rel);

/* the relation's number of a column of the object */
extern AttrNumber target_column(const Target *target, AttrNumber attno);

#endif							/* TERRITORY_TARGET_H */
