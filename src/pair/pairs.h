/*
 * pairs.h
 *		The assignment table of an attached table: its (record, node) pairs.
 */
#ifndef TERRITORY_PAIRS_H
#define TERRITORY_PAIRS_H

#include "postgres.h"

#include "executor/spi.h"

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

/* removes all pairs of deleted records; keeps those of records that moved to another partition */
extern uint64 pairs_forget(const ObjectInfo *object, const Datum *keys, int count);

/* deleted records take what was by hand along, although others may have got their keys */
extern void pairs_unmark(const ObjectInfo *object, const Datum *keys, int count);

/* records got other keys; their history goes with them */
extern void pairs_rekey(const ObjectInfo *object, const Datum *from, const Datum *to, int count);

/* removes the pairs of records that are not there (any more); returns how many */
extern uint64 pairs_forget_orphans(const ObjectInfo *object);

/* forgets what ended before a time */
extern uint64 pairs_prune(const ObjectInfo *object, TimestampTz before);

/* Is the statement whose trigger is running one of the engine's own? */
extern bool pairs_is_own_statement(void);

/* pairs that a cascade removed: those of the transition table territory_ended, which SPI knows */
extern void pairs_removed(const ObjectInfo *object);

/*
 * Locks on records of the attached table itself: who writes one that belongs to
 * others holds these, who has changed their pairs seizes them (base/lock.c).
 */
extern int	pairs_hold_records(const ObjectInfo *object, const Datum *keys, int count);
extern void pairs_seize_records(const ObjectInfo *object, const Datum *keys, int count);

/* (key, key of the record above) of some records, held if asked for */
extern SPITupleTable *pairs_read_links(const ObjectInfo *object, const Datum *keys, int count, bool hold);

/* May the statement that the guard of an assignment table sees go on? */
extern bool pairs_may_write(bool delete);

#endif							/* TERRITORY_PAIRS_H */
