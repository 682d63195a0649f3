/*
 * exclusion.h
 *		Records that are kept out of nodes: rows of territory.exclusion.
 */
#ifndef TERRITORY_EXCLUSION_H
#define TERRITORY_EXCLUSION_H

#include "postgres.h"

#include "rule/ruleset.h"

/* columns of territory.exclusion */
#define Anum_exclusion_object	2
#define Anum_exclusion_key		3
#define Anum_exclusion_node_id	4
#define Anum_exclusion_created_by	6
#define Anum_exclusion_created_at	7

/* node_id of an exclusion from every node */
#define EVERY_NODE 0

/* An exclusion; record is the index of its key in the list asked for. */
typedef struct Exclusion
{
	int			record;
	int32		node_id;
} Exclusion;

/* Has the object any exclusions? Cached. Needs an SPI connection. */
extern bool exclusion_any(Oid object);

/* exclusions of some records, by record; palloc'd */
extern int	exclusion_fetch(const ObjectInfo *object, const Datum *keys, int count,
							Exclusion **exclusions);

/*
 * Calls back with the key of each exclusion of an object; the callback must not
 * keep it. Needs an SPI connection.
 */
extern void exclusion_each_key(const ObjectInfo *object, void (*callback) (Datum key, void *arg),
							   void *arg);

/* Is a node among a record's exclusions? */
extern bool exclusion_covers(const Exclusion *exclusions, int count, int32 node_id);

/* takes a record's excluded nodes out of its matches, in place; returns what is left */
extern int	exclusion_apply(const Ruleset *rules, Match *matches, int count,
							const Exclusion *exclusions, int exclusion_count);

#endif							/* TERRITORY_EXCLUSION_H */
