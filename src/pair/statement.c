/*
 * statement.c
 *		The SQL statements on an assignment table, and on what stands beside it.
 *
 * Every statement takes a whole batch, as arrays, and runs as the table's owner.
 * Plans are kept by object and statement; one that is no longer valid (a rename) is
 * made anew from the text, as referential integrity does it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "base/catalog.h"
#include "base/session.h"
#include "pair/statement.h"

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
 * table, l its column with the keys of the records above, m the moment, which is
 * the last argument. Letters of arguments: arrays of k keys, i integers (node and
 * rule ids), b booleans, s times; m the moment.
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
 * statement_is_own tells a trigger whether the engine's own statement fired
 * it.
 */
bool
statement_is_own(void)
{
	return writing_depth != 0 && trigger_depth() == writing_depth;
}

/*
 * statement_may_write tells the guard of an assignment table whether the statement
 * is the engine's own, or a cascade of a user's foreign key, which removes the
 * pairs of deleted records as the engine would.
 */
bool
statement_may_write(bool delete)
{
	if (writing_depth != 0)
		return statement_is_own();
	return delete && InNoForceRLSOperation();
}

/*
 * statement_keeps_history tells whether a statement is to keep what pairs were.
 */
bool
statement_keeps_history(const ObjectInfo *object, PairStatement statement)
{
	return object->history && statements[statement].with_history != NULL;
}

/*
 * statement_text fills a statement's names in.
 */
static char *
statement_text(const ObjectInfo *object, PairStatement statement)
{
	const char *model = statement_keeps_history(object, statement) ?
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
	PlanKey		key = {object->assignment, object->key_type, statement, statement_keeps_history(object, statement)};
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
	int			expected = statement_keeps_history(object, statement) ?
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
 * statement_execute runs a statement as the table's owner, with the guard of the
 * assignment table open.
 */
uint64
statement_execute(const ObjectInfo *object, PairStatement statement, Datum *values)
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
 * statement_last_argument returns the index of a statement's last argument.
 */
int
statement_last_argument(PairStatement statement)
{
	return (int) strlen(statements[statement].arguments) - 1;
}
