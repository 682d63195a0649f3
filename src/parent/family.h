/*
 * family.h
 *		The tops of families: records of one table that stand below one another.
 */
#ifndef TERRITORY_FAMILY_H
#define TERRITORY_FAMILY_H

#include "postgres.h"

#include "rule/link.h"

/*
 * Finds the top of each record's family; has_top: it is another record. hold: the
 * records on the way are held (pairs.h).
 */
extern void family_find_tops(const Ruleset *rules, const Datum *keys, const Link *links, int count,
							 bool hold, Datum *tops, bool *has_top);

/* holds the records from these on up; for what they stood below before */
extern void family_hold(const Ruleset *rules, const Datum *keys, int count);

#endif							/* TERRITORY_FAMILY_H */
