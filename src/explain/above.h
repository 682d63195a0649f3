/*
 * above.h
 *		The record above one that is explained: of a contact or deal its parent, in
 *		families the top.
 */
#ifndef TERRITORY_ABOVE_H
#define TERRITORY_ABOVE_H

#include "postgres.h"

#include "explain/held.h"
#include "parent/inherit.h"

typedef struct Above
{
	Link	   *link;			/* what the row says; NULL: the table's records depend on no others */
	bool		closed;			/* the record is a closed deal */
	Inheritance *inheritance;	/* of the record alone; NULL likewise */
	bool		named;			/* it names a record above, which may be there or not; in families: it has a top */
	bool		there;
	bool		readable;		/* by the caller */
	char	   *key;			/* of the record above; NULL: none, or not for the caller to know */
	HeldList	held;			/* what it has, or, hidden, may have */
	bool		supposed;		/* that is not what is stored of it */
	StoredPair *stored;
	int			stored_count;
} Above;

/* Finds it, as the caller may. link and pairs are the record's. */
extern void above_read(Above *above, Ruleset *rules, Datum key, const StoredPair *pairs, int count);

/* lets it have other pairs, for what would be then; and what is stored again */
extern void above_suppose(Above *above, StoredPair *pairs, int count);
extern void above_restore(Above *above);

/* does the record take nodes from one above? */
static inline bool
above_counts(const Above *above)
{
	return above->named && above->there;
}

/* is it there, and not for the caller to read? */
static inline bool
above_is_hidden(const Above *above)
{
	return above_counts(above) && !above->readable;
}

#endif							/* TERRITORY_ABOVE_H */
