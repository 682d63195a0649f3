/*
 * keyset.h
 *		The keys of a batch of records, with their order.
 */
#ifndef TERRITORY_KEYSET_H
#define TERRITORY_KEYSET_H

#include "postgres.h"

#include "fmgr.h"

typedef struct KeySet
{
	const Datum *keys;
	int			count;
	Oid			type;
	Oid			opfamily;		/* of the btree order */
	FmgrInfo   *compare;
	Oid			collation;
	int		   *order;			/* indexes of the keys, in the keys' order */
	bool		doubled;		/* a key occurs more than once */
} KeySet;

/* sorts keys; palloc's the order */
extern void keyset_init(KeySet *set, Oid type, Oid collation, const Datum *keys, int count);

/* the sign of a - b */
extern int	keyset_compare(const KeySet *set, Datum a, Datum b);

/* the key at a place of the order */
static inline Datum
keyset_at(const KeySet *set, int place)
{
	return set->keys[set->order[place]];
}

/* Is a good part of all keys between the least and the greatest among them? */
extern bool keyset_is_dense(const KeySet *set);

#endif							/* TERRITORY_KEYSET_H */
