/*
 * batch.h
 *		A batch of records: evaluated one by one, written in one go.
 */
#ifndef TERRITORY_BATCH_H
#define TERRITORY_BATCH_H

#include "postgres.h"

#include "executor/tuptable.h"

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
	int		   *end;			/* end of each record's matches */
	int			match_room;
	Match	   *matches;
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
extern void batch_add(Batch *batch, TupleTableSlot *slot, bool fresh);

/* likewise, bracketed by match_begin and match_end */
extern void batch_add_one(Batch *batch, TupleTableSlot *slot, bool fresh);

/* Is a record in it more than once? */
extern bool batch_has_doubles(const Batch *batch);

/* empties the batch without writing */
extern void batch_clear(Batch *batch);

/* writes what differs and empties the batch */
extern void batch_write(Batch *batch);

/* evaluates one record without writing; returns matches, palloc'd, exclusions and mode applied */
extern int	batch_preview(Ruleset *rules, TupleTableSlot *slot, Match **matches);

#endif							/* TERRITORY_BATCH_H */
