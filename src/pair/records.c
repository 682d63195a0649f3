/*
 * records.c
 *		Records of an attached table itself: their locks, and what they belong to.
 */
#include "postgres.h"

#include "executor/spi.h"

#include "pair/arrays.h"
#include "pair/records.h"
#include "pair/statement.h"

/*
 * run_on_records runs a statement on the records that have these keys.
 */
static uint64
run_on_records(const ObjectInfo *object, PairStatement statement, const Datum *keys, int count)
{
	Datum		values[1] = {key_array(object, keys, count)};

	return statement_execute(object, statement, values);
}

/*
 * records_hold keeps records from being deleted, and from getting other
 * territories; returns how many are there.
 */
int
records_hold(const ObjectInfo *object, const Datum *keys, int count)
{
	int			found = (int) run_on_records(object, RECORDS_HOLD, keys, count);

	SPI_freetuptable(SPI_tuptable);
	return found;
}

/*
 * records_seize waits for whoever holds records.
 */
void
records_seize(const ObjectInfo *object, const Datum *keys, int count)
{
	(void) run_on_records(object, RECORDS_SEIZE, keys, count);
	SPI_freetuptable(SPI_tuptable);
}

/*
 * records_read_links reads the keys of records and of those above them.
 */
SPITupleTable *
records_read_links(const ObjectInfo *object, const Datum *keys, int count, bool hold)
{
	(void) run_on_records(object, hold ? RECORDS_HOLD_LINKS : RECORDS_LINKS, keys, count);
	return SPI_tuptable;
}
