/*
 * plan.h
 *		Who gets which of a node's records that have no owner.
 */
#ifndef TERRITORY_PLAN_H
#define TERRITORY_PLAN_H

#include "postgres.h"

#include "rule/object.h"

typedef struct Distribution
{
	ObjectInfo	info;
	AttrNumber	owner;			/* the owner's column */
	int32		node_id;
	int64		records;		/* without an owner */
	int			count;			/* of them, to be given */
	Datum	   *keys;			/* in their order */
	char	  **members;
	char	  **reasons;
	int64		given;
} Distribution;

/* Plans; object, owner's column and node are known. Needs an SPI connection, and memory for all of it. */
extern void plan_make(Distribution *plan);

#endif							/* TERRITORY_PLAN_H */
