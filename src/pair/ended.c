/*
 * ended.c
 *		Pairs that end are kept as history.
 *
 * Those that were changed where they stood are written as they were noted (past.c);
 * those that a statement removed, it returns: (key, node, rule, manual, since).
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "base/session.h"
#include "history/moment.h"
#include "pair/arrays.h"
#include "pair/ended.h"
#include "pair/statement.h"

/*
 * ended_note notes the pairs that a statement removed.
 */
void
ended_note(const ObjectInfo *object, PastList *past)
{
	SPITupleTable *table = SPI_tuptable;
	int16		typlen;
	bool		byval;

	get_typlenbyval(object->key_type, &typlen, &byval);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		StoredPair	stored = pair_read(table->vals[i], table->tupdesc);
		Pair		pair = {.node_id = stored.node_id,.old_rule = stored.rule_id,.old_manual = stored.manual,.since = stored.since};
		bool		isnull;

		pair.key = datumCopy(SPI_getbinval(table->vals[i], table->tupdesc, 1, &isnull), byval, typlen);
		past_append(past, &pair, false);
	}
	SPI_freetuptable(table);
}

/*
 * ended_write writes what pairs were that were changed directly.
 */
void
ended_write(const ObjectInfo *object, const PastList *past)
{
	Datum		values[PAST_ARRAYS + 1];

	if (past->count == 0 || past_write(object, past))
		return;
	past_arrays(object, past, values);
	values[PAST_ARRAYS] = TimestampTzGetDatum(past->until);
	(void) statement_execute(object, PAST_ADD, values);
}

/*
 * ended_moment is when pairs change now: where history is kept, a moment to be found
 * there.
 */
TimestampTz
ended_moment(const ObjectInfo *object)
{
	return object->history ? moment_take(object->object) : GetCurrentTimestamp();
}

/*
 * ended_keep writes the pairs of the last statement's result to the history.
 */
void
ended_keep(const ObjectInfo *object)
{
	PastList	past = {.kept = true,.until = moment_take(object->object)};

	ended_note(object, &past);
	ended_write(object, &past);
}

/*
 * ended_by_others writes the pairs that were removed by another than the engine.
 */
void
ended_by_others(const ObjectInfo *object)
{
	if (!object->history)
		return;
	session_execute(psprintf("SELECT %s, node_id, rule_id, manual, since FROM territory_ended",
							 quote_identifier(NameStr(object->key_column))), SPI_OK_SELECT, 0, NULL, NULL, NULL);
	if (SPI_processed > 0)
		ended_keep(object);
}
