/*
 * pairs.h
 *		The assignment table of an attached table: its (record, node) pairs.
 */
#ifndef TERRITORY_PAIRS_H
#define TERRITORY_PAIRS_H

#include "postgres.h"

#include "pair/keyset.h"
#include "pair/pair.h"
#include "rule/object.h"

/* Access to the pairs of a batch of records. */
typedef struct PairAccess
{
	const ObjectInfo *object;
	KeySet		keys;
	struct Store *store;		/* NULL: through SQL */
	bool		complete;		/* what is stored of all these records is known */
} PairAccess;

/*
 * All that follow need an SPI connection and run as the table's owner. Between
 * begin and end the batch's pairs are fetched, then written.
 */
extern void pairs_begin(PairAccess *access, const ObjectInfo *object, const Datum *keys, int count);
extern void pairs_end(PairAccess *access);

/*
 * Stored pairs of the records, by record and node; palloc'd. fresh: by record,
 * whether it is new and should have none; these need not be asked for.
 */
extern int	pairs_fetch(PairAccess *access, const bool *fresh, StoredPair **stored);

/* likewise, at any time; no writing follows */
extern int	pairs_read(const ObjectInfo *object, const Datum *keys, int count, StoredPair **stored);

extern void pairs_write(PairAccess *access, Difference *difference);

#endif							/* TERRITORY_PAIRS_H */
