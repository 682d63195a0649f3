/*
 * batch.h
 *		A batch of records: evaluated one by one, written in one go.
 */
#ifndef TERRITORY_BATCH_H
#define TERRITORY_BATCH_H

#include "postgres.h"

#include "executor/tuptable.h"

#include "pair/pair.h"
#include "rule/link.h"
#include "rule/ruleset.h"

/* records in a batch at most: bounds memory, and keeps array parameters small */
#define BATCH_RECORDS 4096

/* what writing batches changed */
typedef struct BatchCounts
{
	int64		records;
	int64		added;
	int64		removed;
} BatchCounts;

/* what is known of a record that is evaluated; flags */
#define RECORD_FRESH	0x01	/* it is new, should have no stored pairs */
#define RECORD_KEEPS	0x02	/* if it is a closed deal, it keeps its node */
#define RECORD_MOVED	0x04	/* it is new in its family */
#define RECORD_TOP		0x08	/* it depends on no other; found out by writing, as the next one */
#define RECORD_CHANGED	0x10	/* it has other pairs now */

typedef struct Batch
{
	MemoryContext context;		/* reset after each write */
	Ruleset    *rules;
	int			capacity;		/* records it may hold */
	int			room;			/* records there is memory for */
	int			count;
	int16		key_length;		/* of the keys' type */
	bool		key_by_value;
	Datum	   *keys;
	bool	   *fresh;			/* record is new, should have no stored pairs */
	uint8	   *flags;
	Link	   *links;			/* where records depend on others, else NULL */
	int		   *end;			/* end of each record's matches */
	int			match_room;
	Match	   *matches;
	bool		follows;		/* its records follow others, which are held already */
	bool		with_family;	/* all below its records are evaluated along with it */
	BatchCounts counts;
} Batch;

/*
 * batch_begin pins the object's rule set and readies a batch for up to
 * BATCH_RECORDS records; every path out must reach batch_end
 * (PG_FINALLY). SPI must be connected from before the one to after the other.
 */
extern void batch_begin(Batch *batch, Oid object, int capacity);
extern void batch_end(Batch *batch);

/* evaluates a record, whose slot has the attached table's columns */
extern void batch_add(Batch *batch, TupleTableSlot *slot, int flags);

/* likewise, bracketed by match_begin and match_end */
extern void batch_add_one(Batch *batch, TupleTableSlot *slot, int flags);

/* Is a record in it more than once? */
extern bool batch_has_doubles(const Batch *batch);

/* empties the batch without writing */
extern void batch_clear(Batch *batch);

/* writes what differs and empties the batch */
extern void batch_write(Batch *batch);

/* evaluates one record without writing; returns the pairs that it should have, palloc'd, by node */
extern int	batch_preview(Ruleset *rules, TupleTableSlot *slot, Pair **pairs);

#endif							/* TERRITORY_BATCH_H */
