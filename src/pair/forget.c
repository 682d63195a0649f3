/*
 * forget.c
 *		The pairs of records that are gone, or have other keys now.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/timestamp.h"

#include "history/cause.h"
#include "pair/arrays.h"
#include "pair/ended.h"
#include "pair/forget.h"
#include "pair/statement.h"

/*
 * pairs_forget removes all pairs of records that are no longer there.
 */
uint64
pairs_forget(const ObjectInfo *object, const Datum *keys, int count)
{
	Datum		values[1];
	uint64		removed;

	if (count == 0)
		return 0;
	values[0] = key_array(object, keys, count);
	removed = statement_execute(object, PAIRS_FORGET, values);
	if (object->history && removed > 0)
		ended_keep(object);
	return removed;
}

/*
 * pairs_unmark makes the pairs of deleted records no longer manual, so that what
 * is left of them is what the rules give to a record that has got the key.
 */
void
pairs_unmark(const ObjectInfo *object, const Datum *keys, int count)
{
	Datum		values[2];

	if (count == 0)
		return;
	values[0] = key_array(object, keys, count);
	if (statement_execute(object, PAIRS_BY_HAND, values) == 0)
		return;
	values[1] = TimestampTzGetDatum(ended_moment(object));
	(void) statement_execute(object, PAIRS_UNMARK, values);
}

/*
 * make_room ends what pairs other records left under the new keys: they were
 * deleted in the same statement. (Once the records have been carried over, which
 * may be done again, there is nothing under their old keys, and all is left.)
 */
static void
make_room(const ObjectInfo *object, Datum *values)
{
	int			cause;

	if (statement_execute(object, PAIRS_MAKE_ROOM, values) == 0 || !object->history)
		return;
	cause = cause_push(CAUSE_DELETED, NULL);
	ended_keep(object);
	cause_pop(cause);
}

/*
 * pairs_rekey carries the pairs of records, and their history, over to their new
 * keys. A record that once had such a key keeps of its history what does not
 * contradict that.
 */
void
pairs_rekey(const ObjectInfo *object, const Datum *from, const Datum *to, int count)
{
	Datum		values[2];

	if (count == 0)
		return;
	values[0] = key_array(object, from, count);
	values[1] = key_array(object, to, count);
	make_room(object, values);
	(void) statement_execute(object, PAST_MAKE_ROOM, values);
	(void) statement_execute(object, PAST_REKEY, values);
	(void) statement_execute(object, PAIRS_REKEY, values);
}

/*
 * pairs_forget_orphans removes the pairs of records that are not there.
 */
uint64
pairs_forget_orphans(const ObjectInfo *object)
{
	Datum		values[1] = {TimestampTzGetDatum(ended_moment(object))};
	uint64		removed = statement_execute(object, PAIRS_FORGET_ORPHANS, values);
	bool		isnull;

	/* with history, the statement counts them itself */
	if (statement_keeps_history(object, PAIRS_FORGET_ORPHANS))
		removed = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	return removed;
}

/*
 * pairs_prune removes from the history what ended before a time.
 */
uint64
pairs_prune(const ObjectInfo *object, TimestampTz before)
{
	Datum		values[1] = {TimestampTzGetDatum(before)};

	return statement_execute(object, PAST_PRUNE, values);
}
