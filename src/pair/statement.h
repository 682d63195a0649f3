/*
 * statement.h
 *		The SQL statements on an assignment table, and on what stands beside it.
 */
#ifndef TERRITORY_STATEMENT_H
#define TERRITORY_STATEMENT_H

#include "postgres.h"

#include "rule/object.h"

typedef enum PairStatement
{
	PAIRS_FETCH,
	PAIRS_IN_RANGE,
	PAIRS_ADD,
	PAIRS_INSERT,
	PAIRS_DELETE,
	PAIRS_SET_RULE,
	PAIRS_FORGET,
	PAIRS_BY_HAND,
	PAIRS_UNMARK,
	PAIRS_MAKE_ROOM,
	PAIRS_REKEY,
	PAIRS_FORGET_ORPHANS,
	PAST_MAKE_ROOM,
	PAST_REKEY,
	PAST_ADD,
	PAST_PRUNE,
	RECORDS_HOLD,
	RECORDS_SEIZE,
	RECORDS_LINKS,
	RECORDS_HOLD_LINKS
} PairStatement;

/* most arguments that a statement takes */
#define MOST_ARGUMENTS 7

/*
 * Runs a statement as the table's owner and returns the number of rows. Its values
 * are in the order of the arguments, the moment last where it takes one. Needs an
 * SPI connection, which has the result.
 */
extern uint64 statement_execute(const ObjectInfo *object, PairStatement statement, Datum *values);

/* which argument is the last */
extern int	statement_last_argument(PairStatement statement);

/* Does the statement keep what pairs were, or return it? */
extern bool statement_keeps_history(const ObjectInfo *object, PairStatement statement);

/* Is the statement whose trigger is running one of the engine's own? */
extern bool statement_is_own(void);

/* May the statement that the guard of an assignment table sees go on? */
extern bool statement_may_write(bool delete);

#endif							/* TERRITORY_STATEMENT_H */
