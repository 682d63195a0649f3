/*
 * pairs.c
 *		The assignment table of an attached table: its (record, node) pairs.
 *
 * Where the table is as attach made it, a batch is read and written directly
 * (store.c). Else through the executor (statement.c), so that constraints and
 * triggers which users put on the assignment table hold.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/timestamp.h"

#include "pair/arrays.h"
#include "pair/ended.h"
#include "pair/pairs.h"
#include "pair/statement.h"
#include "pair/store.h"

/* records from which on a batch is large */
#define LARGE_BATCH 64

/*
 * read_pairs makes the stored pairs of a result, whose rows come in the order of
 * the keys: merged with them.
 */
static StoredPair *
read_pairs(SPITupleTable *table, int found, const KeySet *keys)
{
	StoredPair *stored = palloc(Max(found, 1) * sizeof(StoredPair));
	int			next = 0;

	for (int i = 0; i < found; i++)
	{
		bool		isnull;
		Datum		key = SPI_getbinval(table->vals[i], table->tupdesc, 1, &isnull);

		while (next < keys->count - 1 && keyset_compare(keys, keyset_at(keys, next), key) < 0)
			next++;
		stored[i] = pair_read(table->vals[i], table->tupdesc);
		stored[i].record = keys->order[next];
	}
	qsort(stored, found, sizeof(StoredPair), pair_compare_stored);
	return stored;
}

/*
 * fetch_by_query reads the stored pairs of the records that may have any.
 */
static int
fetch_by_query(const PairAccess *access, const bool *fresh, StoredPair **stored)
{
	const ObjectInfo *object = access->object;
	int			all = access->keys.count;
	Datum	   *keys = palloc(all * sizeof(Datum));
	int		   *records = palloc(all * sizeof(int));
	int			count = 0;
	KeySet		set;
	Datum		values[1];
	int			found;

	*stored = NULL;
	for (int i = 0; i < all; i++)
	{
		if (fresh[i])
			continue;
		records[count] = i;
		keys[count++] = access->keys.keys[i];
	}
	if (count == 0)
		return 0;
	keyset_init(&set, object->key_type, object->key_collation, keys, count);
	values[0] = key_array(object, keys, count);
	found = (int) statement_execute(object, PAIRS_FETCH, values);
	*stored = read_pairs(SPI_tuptable, found, &set);
	for (int i = 0; i < found; i++)
		(*stored)[i].record = records[(*stored)[i].record];
	SPI_freetuptable(SPI_tuptable);
	return found;
}

/*
 * pairs_begin opens access to the pairs of a batch of records: a direct one
 * where the table is as attach made it and each record is there once.
 */
void
pairs_begin(PairAccess *access, const ObjectInfo *object, const Datum *keys, int count)
{
	access->object = object;
	keyset_init(&access->keys, object->key_type, object->key_collation, keys, count);
	access->store = access->keys.doubled ? NULL : store_open(object);
	access->complete = false;
}

/*
 * pairs_end closes it.
 */
void
pairs_end(PairAccess *access)
{
	if (access->store)
		store_close(access->store);
	access->store = NULL;
}

/*
 * pairs_read reads the stored pairs of some records, for nothing to be written:
 * also in parallel workers, and on a standby.
 */
int
pairs_read(const ObjectInfo *object, const Datum *keys, int count, StoredPair **stored)
{
	PairAccess	access = {.object = object};
	bool	   *fresh = palloc0(Max(count, 1) * sizeof(bool));

	keyset_init(&access.keys, object->key_type, object->key_collation, keys, count);
	return fetch_by_query(&access, fresh, stored);
}

/*
 * is_new_ground tells whether a batch is of new records only, with keys that no
 * pair is near. A pair of a record that was not there can only be left over
 * from times when triggers were switched off; looking for it beforehand is
 * cheaper than at every insertion, if the batch is large.
 */
static bool
is_new_ground(const PairAccess *access, const bool *fresh)
{
	const KeySet *keys = &access->keys;
	Datum		values[1];

	if (keys->count < LARGE_BATCH)
		return false;
	for (int i = 0; i < keys->count; i++)
	{
		if (!fresh[i])
			return false;
	}
	values[0] = key_array(access->object, keys->keys, keys->count);
	return statement_execute(access->object, PAIRS_IN_RANGE, values) == 0;
}

/*
 * pairs_fetch reads the stored pairs of the records. A direct look costs less
 * than not to know, so new records are asked for too.
 */
int
pairs_fetch(PairAccess *access, const bool *fresh, StoredPair **stored)
{
	if (access->store)
	{
		access->complete = true;
		return store_fetch(access->store, &access->keys, stored);
	}
	access->complete = is_new_ground(access, fresh);
	return fetch_by_query(access, fresh, stored);
}

/*
 * execute_list runs one of the statements that take a list of pairs. A user's
 * triggers may write other pairs meanwhile.
 */
static void
execute_list(PairAccess *access, PairStatement statement, const PairList *list, PastList *past)
{
	Datum		arrays[PAIR_ARRAYS];
	Datum		values[PAIR_ARRAYS + 1];

	if (list->count == 0)
		return;
	access->complete = false;
	pair_arrays(access->object, list, arrays);
	memcpy(values, arrays, sizeof(arrays));
	values[statement_last_argument(statement)] = TimestampTzGetDatum(past->until);
	(void) statement_execute(access->object, statement, values);
	for (int i = 0; i < PAIR_ARRAYS; i++)
		pfree(DatumGetPointer(arrays[i]));
	if (past->kept && statement == PAIRS_DELETE)
		ended_note(access->object, past);
}

/*
 * may_write_directly tells whether a list can be written without SQL.
 */
static bool
may_write_directly(const PairAccess *access, const PairList *list, CmdType command)
{
	return list->count > 0 && access->store != NULL && access->complete &&
		store_may(access->store, command);
}

/*
 * change_stored removes stored pairs (CMD_DELETE), or sets their rules and whether
 * they are manual (CMD_UPDATE). What cannot be changed where it stood is left to SQL.
 */
static void
change_stored(PairAccess *access, const PairList *list, CmdType command, PastList *past)
{
	PairStatement statement = command == CMD_DELETE ? PAIRS_DELETE : PAIRS_SET_RULE;
	PairList	rest = {0};

	if (!may_write_directly(access, list, command))
	{
		execute_list(access, statement, list, past);
		return;
	}
	if (command == CMD_DELETE)
		store_delete(access->store, list, &rest, past);
	else
		store_set_rule(access->store, list, &rest, past);
	execute_list(access, statement, &rest, past);
}

/*
 * pairs_write writes what differs. A pair to be added that is there already
 * (which can be only where what is stored is not fully known) is corrected.
 */
void
pairs_write(PairAccess *access, Difference *difference)
{
	PastList	past = {.kept = access->object->history};

	if (difference->deleted.count == 0 && difference->changed.count == 0 && difference->inserted.count == 0)
		return;
	past.until = ended_moment(access->object);
	change_stored(access, &difference->deleted, CMD_DELETE, &past);
	change_stored(access, &difference->changed, CMD_UPDATE, &past);
	ended_write(access->object, &past);
	if (may_write_directly(access, &difference->inserted, CMD_INSERT))
		store_insert(access->store, &difference->inserted, past.until);
	else
		execute_list(access, access->complete ? PAIRS_ADD : PAIRS_INSERT, &difference->inserted, &past);
}
