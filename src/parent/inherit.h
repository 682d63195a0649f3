/*
 * inherit.h
 *		The pairs that records have because of the record above them.
 */
#ifndef TERRITORY_INHERIT_H
#define TERRITORY_INHERIT_H

#include "postgres.h"

#include "pair/exclusion.h"
#include "pair/pair.h"
#include "rule/link.h"

/* A record's exclusions. */
typedef struct Slice
{
	const Exclusion *exclusions;
	int			count;
} Slice;

/* What is known of the records above those of a batch. */
typedef struct Inheritance
{
	Ruleset    *rules;
	const Link *links;			/* by record */
	ObjectInfo	above;			/* the table of the records above */
	Datum	   *keys;			/* by group: the key of the record above */
	int		   *group;			/* by record: which record above; -1: none */
	int		   *begin;			/* by group: its first pair; one more at the end */
	StoredPair *pairs;			/* by group and node */
	struct DealChoice *deals;	/* of deals */
} Inheritance;

/* What the pairs of the records above are read for */
typedef enum InheritPurpose
{
	INHERIT_READ,				/* nothing is written */
	INHERIT_WRITE,
	INHERIT_HOLD				/* and they have to stay as they are until the transaction ends */
} InheritPurpose;

/* Reads the pairs of the records above. Needs an SPI connection, and memory for all of it. */
extern Inheritance *inherit_begin(Ruleset *rules, const Datum *keys, const Link *links, int count,
								  InheritPurpose purpose);

/*
 * Appends the pairs that a record is to have; matches are those of its own rules,
 * less exclusions, in tree order. Returns their number.
 */
extern int	inherit_wanted(Inheritance *inheritance, int record, Datum key, Match *matches, int count,
						   const Slice *excluded, PairList *wanted);

/*
 * Does the current role see the record above the only one of a batch, if there is one?
 * Raises where it may not read that one's table.
 */
extern bool inherit_sees_above(const Inheritance *inheritance);

/* lets the record above the only one of a batch have other pairs; for what would be then */
extern void inherit_suppose(Inheritance *inheritance, StoredPair *pairs, int count);

/* holds records above that batches' records belonged to before */
extern void inherit_hold(const Ruleset *rules, const Datum *keys, int count);

#endif							/* TERRITORY_INHERIT_H */
