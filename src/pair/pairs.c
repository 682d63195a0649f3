/*
 * pairs.c
 *		The assignment table of an attached table: its (record, node) pairs.
 *
 * Where the table is as attach made it, a batch is read and written directly
 * (store.c). Else through the executor, so that constraints and triggers which
 * users put on the assignment table hold: every statement takes a whole batch, as
 * arrays, and runs as the table's owner. Plans are kept by object and statement;
 * one that is no longer valid (a rename) is made anew from the text, as
 * referential integrity does it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/catalog.h"
#include "base/session.h"
#include "history/cause.h"
#include "history/moment.h"
#include "pair/pairs.h"
#include "pair/store.h"

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

/* A kept plan. The key has no padding. */
typedef struct PlanKey
{
	Oid			assignment;
	Oid			key_type;
	int32		statement;
	int32		history;
} PlanKey;

typedef struct PlanEntry
{
	PlanKey		key;
	SPIPlanPtr	plan;
	bool		planned;		/* has been run: the server has planned it */
} PlanEntry;

/* lists of pairs and of changed keys, as arguments give them */
#define PAIR_LIST \
	"ROWS FROM (pg_catalog.unnest($1::%t[]), pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4))" \
	" AS p (key, node_id, rule_id, manual)"
#define KEY_LIST \
	"ROWS FROM (pg_catalog.unnest($1::%t[]), pg_catalog.unnest($2::%t[])) AS p (was, now)"

/* parts of statements */
#define INSERT_OR_CORRECT \
	"INSERT INTO %p AS a (%k, node_id, rule_id, manual, since)" \
	" SELECT p.key, p.node_id, p.rule_id, p.manual, %m FROM " PAIR_LIST \
	" ON CONFLICT (%k, node_id) DO UPDATE" \
	"   SET rule_id = coalesce(EXCLUDED.rule_id, a.rule_id), manual = a.manual OR EXCLUDED.manual" \
	"  WHERE a.rule_id IS NULL OR a.rule_id OPERATOR(pg_catalog.<>) EXCLUDED.rule_id OR EXCLUDED.manual"
#define DELETE_PAIRS \
	"DELETE FROM %p a USING ROWS FROM (pg_catalog.unnest($1::%t[]), pg_catalog.unnest($2)) AS p (key, node_id)" \
	" WHERE a.%k OPERATOR(pg_catalog.=) p.key AND a.node_id OPERATOR(pg_catalog.=) p.node_id"
#define SET_RULE \
	"UPDATE %p a SET rule_id = p.rule_id, manual = p.manual FROM " PAIR_LIST \
	" WHERE a.%k OPERATOR(pg_catalog.=) p.key AND a.node_id OPERATOR(pg_catalog.=) p.node_id"
#define FORGET_ORPHANS \
	"DELETE FROM %p a" \
	" WHERE NOT EXISTS (SELECT FROM %o o WHERE o.%k OPERATOR(pg_catalog.=) a.%k)"
#define FORGET_PAIRS \
	FORGET_ORPHANS " AND a.%k OPERATOR(pg_catalog.=) ANY ($1::%t[])"
#define FORGET_BY_HAND \
	"DELETE FROM %p a WHERE a.%k OPERATOR(pg_catalog.=) ANY ($1::%t[]) AND a.manual AND a.rule_id IS NULL"
#define ARE_BOTH \
	"a.%k OPERATOR(pg_catalog.=) ANY ($1::%t[]) AND a.manual AND a.rule_id IS NOT NULL"
#define UNMARK \
	"UPDATE %p a SET manual = false WHERE " ARE_BOTH

/* what past.c does: rows of what pairs were until now */
#define KEEP_PAST(source, held) \
	"INSERT INTO %h (%k, node_id, rule_id, manual, since, until, held)" \
	" SELECT key, node_id, rule_id, manual, since, %m, " held " FROM " source \
	"  WHERE since OPERATOR(pg_catalog.<) %m AND NOT territory.moment_is_own(since)"
#define MAKE_ROOM \
	"DELETE FROM %p a USING " KEY_LIST \
	" WHERE a.%k OPERATOR(pg_catalog.=) p.now AND a.%k OPERATOR(pg_catalog.<>) ALL ($1::%t[])" \
	"   AND (EXISTS (SELECT FROM %p m WHERE m.%k OPERATOR(pg_catalog.=) p.was)" \
	"     OR EXISTS (SELECT FROM %h m WHERE m.%k OPERATOR(pg_catalog.=) p.was))"
#define ENDED " RETURNING a.%k AS key, a.node_id, a.rule_id, a.manual, a.since"

/*
 * The statements. A letter after % stands for: p the table of pairs, h that of
 * pairs that ended, k their key column, t the type of the key, o the attached
 * table, l its column with the keys of the records above, m the moment, which is the last argument. Letters of arguments: arrays
 * of k keys, i integers (node and rule ids), b booleans, s times; m the moment.
 *
 * Where history is kept, those that end pairs return them, or write them into
 * that table themselves.
 */
static const struct
{
	const char *text;
	int			result;
	const char *arguments;
	const char *with_history;	/* instead of text; NULL: the same */
	int			history_result;
}			statements[] = {
	[PAIRS_FETCH] = {
		"SELECT %k, node_id, rule_id, manual, since FROM %p"
		" WHERE %k OPERATOR(pg_catalog.=) ANY ($1::%t[]) ORDER BY 1, 2",
	SPI_OK_SELECT, "k"},
	[PAIRS_IN_RANGE] = {
		"SELECT FROM %p a"
		" WHERE a.%k OPERATOR(pg_catalog.>=) (SELECT p.key FROM pg_catalog.unnest($1::%t[]) AS p (key) ORDER BY 1 LIMIT 1)"
		"   AND a.%k OPERATOR(pg_catalog.<=) (SELECT p.key FROM pg_catalog.unnest($1::%t[]) AS p (key) ORDER BY 1 DESC LIMIT 1)"
		" LIMIT 1",
	SPI_OK_SELECT, "k"},
	[PAIRS_ADD] = {
		"INSERT INTO %p (%k, node_id, rule_id, manual, since)"
		" SELECT p.key, p.node_id, p.rule_id, p.manual, %m FROM " PAIR_LIST,
	SPI_OK_INSERT, "kiibm"},
	[PAIRS_INSERT] = {
		INSERT_OR_CORRECT, SPI_OK_INSERT, "kiibm",
		"WITH was AS ("
		"  SELECT a.%k AS key, a.node_id, a.rule_id, a.manual, a.since FROM " PAIR_LIST
		"    JOIN %p a ON a.%k OPERATOR(pg_catalog.=) p.key AND a.node_id OPERATOR(pg_catalog.=) p.node_id"
		"   WHERE a.rule_id IS DISTINCT FROM coalesce(p.rule_id, a.rule_id) OR p.manual AND NOT a.manual),"
		" past AS (" KEEP_PAST("was", "true") ")"
		" " INSERT_OR_CORRECT,
	SPI_OK_INSERT},
	[PAIRS_DELETE] = {
		DELETE_PAIRS, SPI_OK_DELETE, "kim", DELETE_PAIRS ENDED, SPI_OK_DELETE_RETURNING},
	[PAIRS_SET_RULE] = {
		SET_RULE, SPI_OK_UPDATE, "kiibm",
		"WITH was AS ("
		"  SELECT a.%k AS key, a.node_id, a.rule_id, a.manual, a.since FROM " PAIR_LIST
		"    JOIN %p a ON a.%k OPERATOR(pg_catalog.=) p.key AND a.node_id OPERATOR(pg_catalog.=) p.node_id),"
		" past AS (" KEEP_PAST("was", "true") ")"
		" " SET_RULE,
	SPI_OK_UPDATE},
	[PAIRS_FORGET] = {
		FORGET_PAIRS, SPI_OK_DELETE, "k", FORGET_PAIRS ENDED, SPI_OK_DELETE_RETURNING},
	[PAIRS_BY_HAND] = {
		"SELECT FROM %p a WHERE a.%k OPERATOR(pg_catalog.=) ANY ($1::%t[]) AND a.manual LIMIT 1",
	SPI_OK_SELECT, "k"},
	[PAIRS_UNMARK] = {
		"WITH by_hand AS (" FORGET_BY_HAND ") " UNMARK, SPI_OK_UPDATE, "km",
		"WITH by_hand AS (" FORGET_BY_HAND ENDED "),"
		" ended AS (" KEEP_PAST("by_hand", "false") "),"
		" was AS ("
		"  SELECT a.%k AS key, a.node_id, a.rule_id, a.manual, a.since FROM %p a WHERE " ARE_BOTH "),"
		" past AS (" KEEP_PAST("was", "true") ")"
		" " UNMARK,
	SPI_OK_UPDATE},
	[PAIRS_MAKE_ROOM] = {
		MAKE_ROOM, SPI_OK_DELETE, "kk", MAKE_ROOM ENDED, SPI_OK_DELETE_RETURNING},
	[PAIRS_REKEY] = {
		/* the sort makes all deletions precede the first insertion */
		"WITH moved AS ("
		"  DELETE FROM %p a USING " KEY_LIST
		"   WHERE a.%k OPERATOR(pg_catalog.=) p.was"
		"  RETURNING p.now, a.node_id, a.rule_id, a.manual, a.since)"
		" INSERT INTO %p AS a (%k, node_id, rule_id, manual, since)"
		" SELECT now, node_id, rule_id, manual, since FROM moved ORDER BY 1, 2"
		" ON CONFLICT (%k, node_id) DO UPDATE SET manual = a.manual OR EXCLUDED.manual",
	SPI_OK_INSERT, "kk"},
	[PAST_MAKE_ROOM] = {
		"DELETE FROM %h h USING " KEY_LIST
		" WHERE h.%k OPERATOR(pg_catalog.=) p.now AND h.%k OPERATOR(pg_catalog.<>) ALL ($1::%t[])"
		"   AND (EXISTS (SELECT FROM %h m WHERE m.%k OPERATOR(pg_catalog.=) p.was AND m.node_id OPERATOR(pg_catalog.=) h.node_id"
		"                 AND m.since OPERATOR(pg_catalog.<) h.until AND h.since OPERATOR(pg_catalog.<) m.until)"
		"     OR EXISTS (SELECT FROM %p m WHERE m.%k OPERATOR(pg_catalog.=) p.was AND m.node_id OPERATOR(pg_catalog.=) h.node_id"
		"                 AND m.since OPERATOR(pg_catalog.<) h.until))",
	SPI_OK_DELETE, "kk"},
	[PAST_REKEY] = {
		"UPDATE %h h SET %k = p.now FROM " KEY_LIST " WHERE h.%k OPERATOR(pg_catalog.=) p.was",
	SPI_OK_UPDATE, "kk"},
	[PAST_ADD] = {
		"INSERT INTO %h (%k, node_id, rule_id, manual, since, until, held)"
		" SELECT p.key, p.node_id, p.rule_id, p.manual, p.since, %m, p.held"
		"   FROM ROWS FROM (pg_catalog.unnest($1::%t[]), pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4),"
		"                   pg_catalog.unnest($5), pg_catalog.unnest($6)) AS p (key, node_id, rule_id, manual, since, held)",
	SPI_OK_INSERT, "kiibsbm"},
	[PAST_PRUNE] = {
		"DELETE FROM %h h WHERE h.until OPERATOR(pg_catalog.<) %m",
	SPI_OK_DELETE, "m"},
	[PAIRS_FORGET_ORPHANS] = {
		FORGET_ORPHANS, SPI_OK_DELETE, "m",
		"WITH ended AS (" FORGET_ORPHANS ENDED "),"
		" past AS (" KEEP_PAST("ended", "false") ")"
		" SELECT pg_catalog.count(*) FROM ended",
	SPI_OK_SELECT},
	[RECORDS_HOLD] = {
		"SELECT o.%k FROM %o o WHERE o.%k OPERATOR(pg_catalog.=) ANY ($1::%t[]) ORDER BY 1 FOR KEY SHARE",
	SPI_OK_SELECT, "k"},
	[RECORDS_SEIZE] = {
		"SELECT o.%k FROM %o o WHERE o.%k OPERATOR(pg_catalog.=) ANY ($1::%t[]) ORDER BY 1 FOR UPDATE",
	SPI_OK_SELECT, "k"},
	[RECORDS_LINKS] = {
		"SELECT o.%k, o.%l FROM %o o WHERE o.%k OPERATOR(pg_catalog.=) ANY ($1::%t[])",
	SPI_OK_SELECT, "k"},
	[RECORDS_HOLD_LINKS] = {
		"SELECT o.%k, o.%l FROM %o o WHERE o.%k OPERATOR(pg_catalog.=) ANY ($1::%t[]) ORDER BY 1 FOR KEY SHARE",
	SPI_OK_SELECT, "k"}
};

/* records from which on a batch is large */
#define LARGE_BATCH 64

#define MOST_ARGUMENTS 7

static HTAB *plans = NULL;

/*
 * The depth of triggers in which the engine's own statement is running, or 0:
 * statements of users' triggers inside it run deeper.
 */
static int	writing_depth = 0;

/*
 * trigger_depth returns how many triggers are at work.
 */
static int
trigger_depth(void)
{
	return DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0));
}

/*
 * pairs_is_own_statement tells a trigger whether the engine's own statement fired
 * it.
 */
bool
pairs_is_own_statement(void)
{
	return writing_depth != 0 && trigger_depth() == writing_depth;
}

/*
 * pairs_may_write tells the guard of an assignment table whether the statement
 * is the engine's own, or a cascade of a user's foreign key, which removes the
 * pairs of deleted records as the engine would.
 */
bool
pairs_may_write(bool delete)
{
	if (writing_depth != 0)
		return pairs_is_own_statement();
	return delete && InNoForceRLSOperation();
}

/*
 * has_history tells whether a statement is to keep what pairs were.
 */
static bool
has_history(const ObjectInfo *object, PairStatement statement)
{
	return object->history && statements[statement].with_history != NULL;
}

/*
 * statement_text fills a statement's names in.
 */
static char *
statement_text(const ObjectInfo *object, PairStatement statement)
{
	const char *model = has_history(object, statement) ?
		statements[statement].with_history : statements[statement].text;
	StringInfoData text;

	initStringInfo(&text);
	for (const char *c = model; *c; c++)
	{
		if (*c != '%')
		{
			appendStringInfoChar(&text, *c);
			continue;
		}
		c++;
		if (*c == 'p')
			appendStringInfoString(&text, catalog_qualified_name(object->assignment));
		else if (*c == 'h')
			appendStringInfoString(&text, catalog_qualified_name(object->past));
		else if (*c == 'm')
			appendStringInfo(&text, "$%zu", strlen(statements[statement].arguments));
		else if (*c == 'k')
			appendStringInfoString(&text, quote_identifier(NameStr(object->key_column)));
		else if (*c == 't')
			appendStringInfoString(&text, format_type_be_qualified(object->key_type));
		else if (*c == 'l')
			appendStringInfoString(&text, quote_identifier(get_attname(object->object, object->link_attno, false)));
		else if (*c == 'o')
			appendStringInfoString(&text, catalog_qualified_name(object->object));
		else
			elog(ERROR, "unknown name %%%c", *c);
	}
	return text.data;
}

/*
 * argument_types returns the types of a statement's arguments.
 */
static void
argument_types(const ObjectInfo *object, PairStatement statement, Oid *types)
{
	for (const char *letter = statements[statement].arguments; *letter; letter++)
		*types++ = *letter == 'k' ? get_array_type(object->key_type) :
			*letter == 'i' ? INT4ARRAYOID :
			*letter == 'b' ? BOOLARRAYOID :
			*letter == 's' ? TIMESTAMPTZARRAYOID : TIMESTAMPTZOID;
}

/*
 * prepare makes a plan that outlives the transaction. It is for any number of
 * keys: one made for a large batch might read the whole table instead, each time.
 */
static SPIPlanPtr
prepare(const ObjectInfo *object, PairStatement statement)
{
	Oid			types[MOST_ARGUMENTS];
	MemoryContext context = CurrentMemoryContext;
	SPIPlanPtr	plan;

	argument_types(object, statement, types);
	plan = SPI_prepare_cursor(statement_text(object, statement), strlen(statements[statement].arguments),
							  types, CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL || SPI_keepplan(plan) != 0)
		elog(ERROR, "could not prepare a statement on %s", get_rel_name(object->assignment));
	MemoryContextSwitchTo(context);
	return plan;
}

/*
 * find_plan returns the kept plan of a statement.
 */
static PlanEntry *
find_plan(const ObjectInfo *object, PairStatement statement)
{
	PlanKey		key = {object->assignment, object->key_type, statement, has_history(object, statement)};
	PlanEntry  *entry;
	SPIPlanPtr	plan;
	bool		found;

	if (plans == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(PlanKey),.entrysize = sizeof(PlanEntry),
		.hcxt = CacheMemoryContext};

		plans = hash_create("territory pair statements", 16, &control,
							HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	entry = hash_search(plans, &key, HASH_FIND, NULL);
	if (entry != NULL && SPI_plan_is_valid(entry->plan))
		return entry;

	plan = prepare(object, statement);
	entry = hash_search(plans, &key, HASH_ENTER, &found);
	if (found)
		SPI_freeplan(entry->plan);
	entry->plan = plan;
	entry->planned = false;
	return entry;
}

/*
 * run_plan runs a kept plan. The server plans it at its first run, when the
 * assignment table may well be empty; a plan that reads the whole table would
 * then be kept while the table grows, so it is planned to use the indexes.
 */
static void
run_plan(const ObjectInfo *object, PairStatement statement, Datum *values)
{
	PlanEntry  *entry = find_plan(object, statement);
	SPIPlanPtr	plan = entry->plan;
	int			expected = has_history(object, statement) ?
		statements[statement].history_result : statements[statement].result;
	int			pin;

	if (entry->planned || statement == PAIRS_FORGET_ORPHANS || statement == PAST_PRUNE)
	{
		session_execute_plan(plan, expected, values, NULL);
		return;
	}
	pin = session_pin(NULL, PIN_INDEXES);
	session_execute_plan(plan, expected, values, NULL);
	session_unpin(pin);
	/* a statement of a user's trigger may have made another plan meanwhile */
	entry->planned = entry->plan == plan;
}

/*
 * execute runs a statement as the table's owner, with the guard of the
 * assignment table open.
 */
static uint64
execute(const ObjectInfo *object, PairStatement statement, Datum *values)
{
	SessionRole role;
	int			outer_depth = writing_depth;

	session_become(&role, object->owner);
	writing_depth = trigger_depth() + 1;
	PG_TRY();
	{
		run_plan(object, statement, values);
	}
	PG_FINALLY();
	{
		writing_depth = outer_depth;
	}
	PG_END_TRY();
	session_restore_role(&role);
	return SPI_processed;
}

/*
 * key_array makes an array of keys.
 */
static Datum
key_array(const ObjectInfo *object, const Datum *keys, int count)
{
	int16		typlen;
	bool		byval;
	char		align;

	get_typlenbyvalalign(object->key_type, &typlen, &byval, &align);
	return PointerGetDatum(construct_array((Datum *) keys, count, object->key_type,
										   typlen, byval, align));
}

/* columns of pairs that statements take as arrays */
#define PAIR_ARRAYS 4

/*
 * pair_arrays makes the arrays of a list of pairs, one a column.
 */
static void
pair_arrays(const ObjectInfo *object, const PairList *list, Datum *arrays)
{
	Datum	   *column = palloc(list->count * sizeof(Datum));
	bool	   *nulls = palloc(list->count * sizeof(bool));
	int			bounds[1] = {1};
	int			count[1] = {list->count};

	for (int i = 0; i < list->count; i++)
		column[i] = list->pairs[i].key;
	arrays[0] = key_array(object, column, list->count);
	for (int i = 0; i < list->count; i++)
		column[i] = Int32GetDatum(list->pairs[i].node_id);
	arrays[1] = PointerGetDatum(construct_array(column, list->count, INT4OID, 4, true, TYPALIGN_INT));
	for (int i = 0; i < list->count; i++)
	{
		column[i] = Int32GetDatum(list->pairs[i].rule_id);
		nulls[i] = list->pairs[i].rule_id == 0;
	}
	arrays[2] = PointerGetDatum(construct_md_array(column, nulls, 1, count, bounds,
												   INT4OID, 4, true, TYPALIGN_INT));
	for (int i = 0; i < list->count; i++)
		column[i] = BoolGetDatum(list->pairs[i].manual);
	arrays[3] = PointerGetDatum(construct_array(column, list->count, BOOLOID, 1, true, TYPALIGN_CHAR));
	pfree(column);
	pfree(nulls);
}

/*
 * past_arrays makes the arrays of a list of pairs that ended.
 */
static void
past_arrays(const ObjectInfo *object, const PastList *list, Datum *arrays)
{
	Oid			types[6] = {object->key_type, INT4OID, INT4OID, BOOLOID, TIMESTAMPTZOID, BOOLOID};
	Datum	   *columns[6];
	bool	   *nulls = palloc0(list->count * sizeof(bool));
	bool	   *no_rule = palloc(list->count * sizeof(bool));
	int			bounds[1] = {1};
	int			count[1] = {list->count};

	for (int i = 0; i < 6; i++)
		columns[i] = palloc(list->count * sizeof(Datum));
	for (int i = 0; i < list->count; i++)
	{
		const PastPair *pair = &list->pairs[i];

		columns[0][i] = pair->key;
		columns[1][i] = Int32GetDatum(pair->node_id);
		columns[2][i] = Int32GetDatum(pair->rule_id);
		columns[3][i] = BoolGetDatum(pair->manual);
		columns[4][i] = TimestampTzGetDatum(pair->since);
		columns[5][i] = BoolGetDatum(pair->held);
		no_rule[i] = pair->rule_id == 0;
	}
	for (int i = 0; i < 6; i++)
	{
		int16		typlen;
		bool		byval;
		char		align;

		get_typlenbyvalalign(types[i], &typlen, &byval, &align);
		arrays[i] = PointerGetDatum(construct_md_array(columns[i], i == 2 ? no_rule : nulls, 1, count, bounds,
													   types[i], typlen, byval, align));
	}
}

/*
 * read_pair takes a row of the result apart; the record is left open.
 */
static StoredPair
read_pair(HeapTuple row, TupleDesc desc)
{
	StoredPair	pair = {0};
	bool		isnull;

	pair.node_id = DatumGetInt32(SPI_getbinval(row, desc, 2, &isnull));
	pair.rule_id = DatumGetInt32(SPI_getbinval(row, desc, 3, &isnull));
	if (isnull)
		pair.rule_id = 0;
	pair.manual = DatumGetBool(SPI_getbinval(row, desc, 4, &isnull));
	pair.since = DatumGetTimestampTz(SPI_getbinval(row, desc, 5, &isnull));
	return pair;
}

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
		stored[i] = read_pair(table->vals[i], table->tupdesc);
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
	found = (int) execute(object, PAIRS_FETCH, values);
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
	return execute(access->object, PAIRS_IN_RANGE, values) == 0;
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
 * note_ended notes the pairs that a statement removed.
 */
static void
note_ended(const ObjectInfo *object, PastList *past)
{
	SPITupleTable *table = SPI_tuptable;
	int16		typlen;
	bool		byval;

	get_typlenbyval(object->key_type, &typlen, &byval);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		StoredPair	stored = read_pair(table->vals[i], table->tupdesc);
		Pair		pair = {.node_id = stored.node_id,.old_rule = stored.rule_id,.old_manual = stored.manual,.since = stored.since};
		bool		isnull;

		pair.key = datumCopy(SPI_getbinval(table->vals[i], table->tupdesc, 1, &isnull), byval, typlen);
		past_append(past, &pair, false);
	}
	SPI_freetuptable(table);
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
	values[strlen(statements[statement].arguments) - 1] = TimestampTzGetDatum(past->until);
	(void) execute(access->object, statement, values);
	for (int i = 0; i < PAIR_ARRAYS; i++)
		pfree(DatumGetPointer(arrays[i]));
	if (past->kept && statement == PAIRS_DELETE)
		note_ended(access->object, past);
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
 * write_past writes what pairs were that were changed directly.
 */
static void
write_past(const ObjectInfo *object, const PastList *past)
{
	Datum		values[MOST_ARGUMENTS];

	if (past->count == 0 || past_write(object, past))
		return;
	past_arrays(object, past, values);
	values[6] = TimestampTzGetDatum(past->until);
	(void) execute(object, PAST_ADD, values);
}

/*
 * moment_now is when pairs change now: where history is kept, a moment to be found
 * there.
 */
static TimestampTz
moment_now(const ObjectInfo *object)
{
	return object->history ? moment_take(object->object) : GetCurrentTimestamp();
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
	past.until = moment_now(access->object);
	change_stored(access, &difference->deleted, CMD_DELETE, &past);
	change_stored(access, &difference->changed, CMD_UPDATE, &past);
	write_past(access->object, &past);
	if (may_write_directly(access, &difference->inserted, CMD_INSERT))
		store_insert(access->store, &difference->inserted, past.until);
	else
		execute_list(access, access->complete ? PAIRS_ADD : PAIRS_INSERT, &difference->inserted, &past);
}

/*
 * keep_ended writes the pairs of the last statement's result to the history.
 */
static void
keep_ended(const ObjectInfo *object)
{
	PastList	past = {.kept = true,.until = moment_take(object->object)};

	note_ended(object, &past);
	write_past(object, &past);
}

/*
 * pairs_removed writes the pairs that were removed by another than the engine.
 */
void
pairs_removed(const ObjectInfo *object)
{
	if (!object->history)
		return;
	session_execute(psprintf("SELECT %s, node_id, rule_id, manual, since FROM territory_ended",
							 quote_identifier(NameStr(object->key_column))), SPI_OK_SELECT, 0, NULL, NULL, NULL);
	if (SPI_processed > 0)
		keep_ended(object);
}

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
	removed = execute(object, PAIRS_FORGET, values);
	if (object->history && removed > 0)
		keep_ended(object);
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
	if (execute(object, PAIRS_BY_HAND, values) == 0)
		return;
	values[1] = TimestampTzGetDatum(moment_now(object));
	(void) execute(object, PAIRS_UNMARK, values);
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

	if (execute(object, PAIRS_MAKE_ROOM, values) == 0 || !object->history)
		return;
	cause = cause_push(CAUSE_DELETED, NULL);
	keep_ended(object);
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
	(void) execute(object, PAST_MAKE_ROOM, values);
	(void) execute(object, PAST_REKEY, values);
	(void) execute(object, PAIRS_REKEY, values);
}

/*
 * pairs_forget_orphans removes the pairs of records that are not there.
 */
uint64
pairs_forget_orphans(const ObjectInfo *object)
{
	Datum		values[1] = {TimestampTzGetDatum(moment_now(object))};
	uint64		removed = execute(object, PAIRS_FORGET_ORPHANS, values);
	bool		isnull;

	/* with history, the statement counts them itself */
	if (has_history(object, PAIRS_FORGET_ORPHANS))
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

	return execute(object, PAST_PRUNE, values);
}

/*
 * run_on_records runs a statement on the records that have these keys.
 */
static uint64
run_on_records(const ObjectInfo *object, PairStatement statement, const Datum *keys, int count)
{
	Datum		values[1] = {key_array(object, keys, count)};

	return execute(object, statement, values);
}

/*
 * pairs_hold_records keeps records from being deleted, and from getting other
 * territories; returns how many are there.
 */
int
pairs_hold_records(const ObjectInfo *object, const Datum *keys, int count)
{
	int			found = (int) run_on_records(object, RECORDS_HOLD, keys, count);

	SPI_freetuptable(SPI_tuptable);
	return found;
}

/*
 * pairs_seize_records waits for whoever holds records.
 */
void
pairs_seize_records(const ObjectInfo *object, const Datum *keys, int count)
{
	(void) run_on_records(object, RECORDS_SEIZE, keys, count);
	SPI_freetuptable(SPI_tuptable);
}

/*
 * pairs_read_links reads the keys of records and of those above them.
 */
SPITupleTable *
pairs_read_links(const ObjectInfo *object, const Datum *keys, int count, bool hold)
{
	(void) run_on_records(object, hold ? RECORDS_HOLD_LINKS : RECORDS_LINKS, keys, count);
	return SPI_tuptable;
}
