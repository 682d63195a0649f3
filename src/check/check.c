/*
 * check.c
 *		Constraints on pairs: rows of territory.pair_check.
 *
 * Whatever writes pairs notes the nodes and the records that may violate a check;
 * at the end of the statement, or before the commit, these are looked at and no
 * others. A node costs an index scan of as many of its pairs as it may have, a
 * sum one of all its pairs.
 *
 * Two transactions that each add a record to the same node do not see each
 * other's. So before a node is counted it is locked, until the transaction ends,
 * and counted by the newest snapshot: the second one to count sees both. Nodes are
 * locked in the order of their ids. Records need no lock: their writers wait for
 * each other anyway.
 *
 * Most objects have no checks. Whether there are any, and what they make
 * necessary to note, is kept by the backend until the table of checks announces
 * a change (base/inval.c).
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "nodes/primnodes.h"
#include "optimizer/optimizer.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/catalog.h"
#include "base/inval.h"
#include "base/session.h"
#include "check/check.h"
#include "distribute/distribute.h"
#include "parent/kin.h"
#include "rule/criteria.h"
#include "tree/node.h"

/* ---------- what there is to note ---------- */

typedef struct NeedsEntry
{
	Oid			object;			/* key */
	uint32		generation;		/* of the answer */
	CheckNeeds	needs;
} NeedsEntry;

/* The columns of an amount are numbers, which DDL on the attached table does not change. */
static HTAB *needs_cache = NULL;
static Oid	check_table = InvalidOid;

/*
 * init_needs makes the hash at the backend's first use.
 */
static void
init_needs(void)
{
	HASHCTL		control = {.keysize = sizeof(Oid),.entrysize = sizeof(NeedsEntry),.hcxt = CacheMemoryContext};

	if (needs_cache == NULL)
		needs_cache = hash_create("territory checks", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/*
 * amount_columns adds the numbers of the columns that an amount reads.
 */
static Bitmapset *
amount_columns(Bitmapset *columns, Oid object, const char *expression)
{
	Relation	rel = table_open(object, AccessShareLock);
	int			pin = session_pin(NULL, PIN_PATH);
	Expr	   *expr = criteria_parse(rel, psprintf("(%s) IS NOT NULL", expression));
	Bitmapset  *attnos = NULL;
	MemoryContext old;
	int			member = -1;

	pull_varattnos((Node *) expr, 1, &attnos);
	old = MemoryContextSwitchTo(CacheMemoryContext);
	while ((member = bms_next_member(attnos, member)) >= 0)
		columns = bms_add_member(columns, member + FirstLowInvalidHeapAttributeNumber);
	MemoryContextSwitchTo(old);
	session_unpin(pin);
	table_close(rel, NoLock);
	return columns;
}

/*
 * add_need takes one check into account.
 */
static void
add_need(CheckNeeds *needs, Oid object, HeapTuple row, TupleDesc desc)
{
	const char *kind = SPI_getvalue(row, desc, 1);
	bool		everywhere;
	bool		isnull;

	(void) SPI_getbinval(row, desc, 2, &everywhere);
	needs->any = true;
	if (strcmp(kind, "arrivals") == 0)
		needs->arrivals = true;
	else if (strcmp(kind, "records_per_node") == 0)
		needs->nodes = true;
	else if (strcmp(kind, "amount_per_node") == 0)
	{
		needs->amounts = true;
		needs->columns = amount_columns(needs->columns, object, SPI_getvalue(row, desc, 4));
	}
	else if (strcmp(kind, "nodes_per_record") == 0)
		needs->most_nodes = Min(needs->most_nodes, DatumGetInt64(SPI_getbinval(row, desc, 3, &isnull)));
	else if (everywhere)
		needs->homeless = true;
	else
		needs->records = true;
}

/*
 * check_needs tells what the checks of an object make necessary to note.
 */
const CheckNeeds *
check_needs(Oid object)
{
	static KeptStatement find = {
		"SELECT kind, node_id, pg_catalog.floor(least(bound, 1000000000000000))::pg_catalog.int8, expression"
		"  FROM territory.pair_check WHERE object OPERATOR(pg_catalog.=) $1"
		" UNION ALL SELECT DISTINCT 'arrivals', NULL::pg_catalog.int4, NULL::pg_catalog.int8, NULL"
		"  FROM territory.distribution WHERE object OPERATOR(pg_catalog.=) $1",
		SPI_OK_SELECT, 1, {OIDOID}
	};
	Datum		values[1] = {ObjectIdGetDatum(object)};
	CheckNeeds	needs = {.most_nodes = PG_INT64_MAX};
	NeedsEntry *entry;
	uint32		asked;
	SessionRole role;
	bool		found;

	/* a row's way: that the table of checks is another one, is announced as well */
	entry = needs_cache ? hash_search(needs_cache, &object, HASH_FIND, NULL) : NULL;
	if (entry != NULL && entry->generation == inval_generation(check_table))
		return &entry->needs;
	init_needs();
	check_table = catalog_table("pair_check");
	asked = inval_generation(check_table);
	SPI_connect();
	session_become(&role, catalog_owner());
	session_execute_kept(&find, values, NULL);
	for (uint64 i = 0, count = SPI_processed; i < count; i++)
		add_need(&needs, object, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
	session_restore_role(&role);
	SPI_finish();
	entry = hash_search(needs_cache, &object, HASH_ENTER, &found);
	if (found)
		bms_free(entry->needs.columns);
	entry->needs = needs;
	entry->generation = asked;
	return &entry->needs;
}

/* ---------- what was noted ---------- */

/* Of an object, in this transaction. What an aborted subtransaction noted may stay. */
typedef struct Noted
{
	struct Noted *next;
	Oid			object;
	HTAB	   *nodes[2];		/* sets of ids, or NULL; since the last statement, and before */
	List	   *keys[2];		/* as text (char *) */
	int			level;			/* transaction nest level of the statement's notes: the outermost one */
	bool		all;			/* deferred checks are to look at everything */
} Noted;

enum
{
	THIS_STATEMENT,
	THIS_TRANSACTION
};

static Noted *noted = NULL;

static int
compare_ints(const ListCell *a, const ListCell *b)
{
	return (lfirst_int(a) > lfirst_int(b)) - (lfirst_int(a) < lfirst_int(b));
}

/*
 * find_noted returns what was noted of an object; make: in any case.
 */
static Noted *
find_noted(Oid object, bool make)
{
	Noted	   *found = noted;

	while (found != NULL && found->object != object)
		found = found->next;
	if (found == NULL && make)
	{
		found = MemoryContextAllocZero(TopTransactionContext, sizeof(Noted));
		found->object = object;
		found->next = noted;
		noted = found;
	}
	return found;
}

/*
 * add_node adds a node to a set, made at need.
 */
static void
add_node(HTAB **nodes, int32 node_id)
{
	HASHCTL		control = {.keysize = sizeof(int32),.entrysize = sizeof(int32),.hcxt = TopTransactionContext};

	if (*nodes == NULL)
		*nodes = hash_create("territory checked nodes", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	(void) hash_search(*nodes, &node_id, HASH_ENTER, NULL);
}

/*
 * list_nodes returns the nodes of a set, in the order of their ids.
 */
static List *
list_nodes(HTAB *nodes)
{
	List	   *list = NIL;
	HASH_SEQ_STATUS status;
	int32	   *node_id;

	if (nodes == NULL)
		return NIL;
	hash_seq_init(&status, nodes);
	while ((node_id = hash_seq_search(&status)) != NULL)
		list = lappend_int(list, *node_id);
	list_sort(list, compare_ints);
	return list;
}

/*
 * has_notes tells whether the running statement has noted anything.
 */
static bool
has_notes(const Noted *found)
{
	return found->nodes[THIS_STATEMENT] != NULL || found->keys[THIS_STATEMENT] != NIL;
}

/*
 * ready_to_note returns where a note of an object goes.
 */
static Noted *
ready_to_note(Oid object)
{
	Noted	   *found = find_noted(object, true);
	int			level = GetCurrentTransactionNestLevel();

	found->level = has_notes(found) ? Min(found->level, level) : level;
	return found;
}

/*
 * check_note_node notes a node.
 */
void
check_note_node(Oid object, int32 node_id)
{
	add_node(&ready_to_note(object)->nodes[THIS_STATEMENT], node_id);
}

/*
 * check_note_record notes a record.
 */
void
check_note_record(const ObjectInfo *object, Datum key)
{
	Noted	   *found = ready_to_note(object->object);
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	Oid			output;
	bool		varlena;

	getTypeOutputInfo(object->key_type, &output, &varlena);
	found->keys[THIS_STATEMENT] = lappend(found->keys[THIS_STATEMENT], OidOutputFunctionCall(output, key));
	MemoryContextSwitchTo(old);
}

/*
 * check_note_difference notes what a decision about single pairs changes.
 */
void
check_note_difference(const ObjectInfo *object, const Difference *difference)
{
	if (!check_needs(object->object)->any)
		return;
	for (int i = 0; i < difference->inserted.count; i++)
	{
		check_note_node(object->object, difference->inserted.pairs[i].node_id);
		check_note_record(object, difference->inserted.pairs[i].key);
	}
	for (int i = 0; i < difference->deleted.count; i++)
		check_note_record(object, difference->deleted.pairs[i].key);
}

/*
 * check_forget forgets all; the memory is the transaction's.
 */
void
check_forget(void)
{
	noted = NULL;
}

/* ---------- looking at it ---------- */

/* A row of territory.pair_check. */
typedef struct Check
{
	char	   *name;
	char	   *kind;
	int32		node_id;		/* 0: null */
	char	   *bound;
	char	   *expression;
	bool		deferred;
} Check;

/* violations that an error names */
#define NAMED_VIOLATIONS 5

/*
 * read_check takes a row apart, whose columns are those of checks_query.
 */
static Check *
read_check(HeapTuple row, TupleDesc desc)
{
	Check	   *check = palloc0(sizeof(Check));
	bool		isnull;
	Datum		node_id = SPI_getbinval(row, desc, 3, &isnull);

	check->name = SPI_getvalue(row, desc, 1);
	check->kind = SPI_getvalue(row, desc, 2);
	check->node_id = isnull ? 0 : DatumGetInt32(node_id);
	check->bound = SPI_getvalue(row, desc, 4);
	check->expression = SPI_getvalue(row, desc, 5);
	check->deferred = DatumGetBool(SPI_getbinval(row, desc, 6, &isnull));
	return check;
}

/*
 * read_checks reads the checks of an object, all or those with an id. One of a node
 * demands nothing while another model is active.
 */
static List *
read_checks(Oid object, int32 id)
{
	static KeptStatement find = {
		"SELECT name, kind, node_id, bound, expression, deferred FROM territory.pair_check c"
		" WHERE object OPERATOR(pg_catalog.=) $1 AND ($2 OPERATOR(pg_catalog.=) 0 OR id OPERATOR(pg_catalog.=) $2)"
		"   AND (node_id IS NULL OR EXISTS (SELECT FROM territory.node n JOIN territory.model m"
		"     ON m.id OPERATOR(pg_catalog.=) n.model_id AND m.state OPERATOR(pg_catalog.=) 'active'"
		"     WHERE n.id OPERATOR(pg_catalog.=) c.node_id))"
		" ORDER BY name",
		SPI_OK_SELECT, 2, {OIDOID, INT4OID}
	};
	Datum		values[2] = {ObjectIdGetDatum(object), Int32GetDatum(id)};
	List	   *checks = NIL;

	session_execute_kept(&find, values, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
		checks = lappend(checks, read_check(SPI_tuptable->vals[i], SPI_tuptable->tupdesc));
	return checks;
}

static bool
is_kind(const Check *check, const char *kind)
{
	return strcmp(check->kind, kind) == 0;
}

/*
 * is_per_node tells whether a check is about nodes, not records.
 */
static bool
is_per_node(const Check *check)
{
	return is_kind(check, "records_per_node") || is_kind(check, "amount_per_node");
}

/*
 * node_query is the query for the nodes that violate a check: of the ids in $1,
 * or (null) of all; each with a description.
 */
static char *
node_query(const Check *check, const ObjectInfo *info)
{
	const char *key = quote_identifier(NameStr(info->key_column));
	char	   *pairs = catalog_qualified_name(info->assignment);
	char	   *found;
	char	   *which = check->node_id == 0 ? "" : psprintf(" AND t.id = %d", check->node_id);

	if (is_kind(check, "records_per_node"))
		found = psprintf("SELECT t.id FROM touched t WHERE"
						 " (SELECT count(*) FROM (SELECT FROM %s a WHERE a.node_id = t.id LIMIT %s::numeric + 1) x) > %s%s",
						 pairs, check->bound, check->bound, which);
	else
		found = psprintf("SELECT t.id FROM touched t WHERE"
						 " (SELECT sum(x.amount) FROM (SELECT %s AS key, (%s)::numeric AS amount FROM %s) x"
						 "   JOIN %s a ON a.%s = x.key WHERE a.node_id = t.id) > %s%s",
						 key, check->expression, catalog_qualified_name(info->object), pairs, key, check->bound, which);
	return psprintf("WITH touched (id) AS MATERIALIZED ("
					" SELECT unnest($1) UNION SELECT node_id FROM %s WHERE $1 IS NULL)"
					" SELECT 'Territory \"' || n.path::text || '\"'"
					"   FROM (%s) f JOIN territory.node n ON n.id = f.id ORDER BY n.path", pairs, found);
}

/*
 * record_query is the query for the records that violate a check: of the keys in
 * $1, or (null) of all; each with a description. Pairs by hand of other models than
 * the active one do not count.
 */
static char *
record_query(const Check *check, const ObjectInfo *info)
{
	const char *key = quote_identifier(NameStr(info->key_column));
	char	   *type = format_type_be_qualified(info->key_type);
	char	   *pairs = catalog_qualified_name(info->assignment);
	char	   *counts = psprintf(" JOIN territory.node n ON n.id = a.node_id AND n.model_id = %d%s", model_active(),
								  check->node_id == 0 ? "" :
								  psprintf(" JOIN territory.node s ON s.id = %d AND n.path OPERATOR(territory.<@) s.path",
										   check->node_id));

	if (is_kind(check, "assigned"))
		return psprintf("SELECT 'Record ' || quote_literal(o.%s) FROM %s o WHERE ($1 IS NULL OR o.%s = ANY ($1::text[]::%s[]))"
						" AND NOT EXISTS (SELECT FROM %s a%s WHERE a.%s = o.%s) ORDER BY o.%s",
						key, catalog_qualified_name(info->object), key, type, pairs, counts, key, key, key);
	return psprintf("SELECT 'Record ' || quote_literal(a.%s) || ': ' || count(*) FROM %s a%s"
					" WHERE ($1 IS NULL OR a.%s = ANY ($1::text[]::%s[])) GROUP BY a.%s HAVING count(*) > %s ORDER BY a.%s",
					key, pairs, counts, key, type, key, check->bound, key);
}

/*
 * what_must_hold says what a check demands.
 */
static char *
what_must_hold(const Check *check)
{
	if (is_kind(check, "assigned"))
		return "every record must stand in a territory";
	if (is_kind(check, "nodes_per_record"))
		return psprintf("a record may stand in at most %s territories", check->bound);
	if (is_kind(check, "records_per_node"))
		return psprintf("a territory may hold at most %s records", check->bound);
	return psprintf("the records of a territory may sum up to at most %s", check->bound);
}

/*
 * raise_violation raises with the first violations in the last query's result.
 */
static void
raise_violation(const Check *check, const ObjectInfo *info)
{
	StringInfoData detail;

	initStringInfo(&detail);
	for (uint64 i = 0; i < Min(SPI_processed, NAMED_VIOLATIONS); i++)
		appendStringInfo(&detail, "%s%s", i == 0 ? "" : ", ", SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
	if (SPI_processed > NAMED_VIOLATIONS)
		appendStringInfo(&detail, ", and " UINT64_FORMAT " more", SPI_processed - NAMED_VIOLATIONS);
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("territories of %s violate check \"%s\": %s", catalog_qualified_name(info->object),
					check->name, what_must_hold(check)),
			 errdetail("%s.", detail.data),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, check->name),
			 err_generic_string(PG_DIAG_TABLE_NAME, get_rel_name(info->object)),
			 err_generic_string(PG_DIAG_SCHEMA_NAME, get_namespace_name(get_rel_namespace(info->object)))));
}

/*
 * lock_nodes locks nodes, which come in the order of their ids, for whoever counts what they hold.
 */
static void
lock_nodes(List *nodes)
{
	ListCell   *cell;

	foreach(cell, nodes)
		LockDatabaseObject(catalog_table("pair_check"), (Oid) lfirst_int(cell), 0, ShareRowExclusiveLock);
}

static Datum
int_array(List *list)
{
	Datum	   *elements = palloc(Max(list_length(list), 1) * sizeof(Datum));
	ListCell   *cell;

	foreach(cell, list)
		elements[foreach_current_index(cell)] = Int32GetDatum(lfirst_int(cell));
	return PointerGetDatum(construct_array(elements, list_length(list), INT4OID, 4, true, TYPALIGN_INT));
}

static Datum
text_array(List *list)
{
	Datum	   *elements = palloc(Max(list_length(list), 1) * sizeof(Datum));
	ListCell   *cell;

	foreach(cell, list)
		elements[foreach_current_index(cell)] = CStringGetTextDatum(lfirst(cell));
	return PointerGetDatum(construct_array(elements, list_length(list), TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * look raises when a check is violated by one of the nodes or records, or (all)
 * by any. Runs as the owner of our tables, under an empty search_path.
 */
static void
look(const Check *check, const ObjectInfo *info, List *nodes, List *keys, bool all)
{
	bool		per_node = is_per_node(check);
	Oid			types[1] = {per_node ? INT4ARRAYOID : TEXTARRAYOID};
	Datum		values[1];
	List	   *touched = per_node ? nodes : keys;

	if (touched == NIL && !all)
		return;
	values[0] = per_node ? int_array(touched) : text_array(touched);
	session_execute(per_node ? node_query(check, info) : record_query(check, info),
					SPI_OK_SELECT, 1, types, values, all ? "n" : NULL);
	if (SPI_processed > 0)
		raise_violation(check, info);
}

/* What looking is bracketed by. */
typedef struct LookScope
{
	SessionRole role;
	int			pin;
} LookScope;

static void
begin(LookScope *scope)
{
	SPI_connect();
	session_become(&scope->role, catalog_owner());
	scope->pin = session_pin(NULL, PIN_PATH | PIN_JIT);
}

static void
end(const LookScope *scope)
{
	session_unpin(scope->pin);
	session_restore_role(&scope->role);
	SPI_finish();
}

/*
 * look_at looks at what was noted, or at everything, by the checks that are due.
 */
static void
look_at(Oid object, List *nodes, List *keys, bool all, bool deferred)
{
	LookScope	scope;
	ObjectInfo	info;
	ListCell   *cell;

	begin(&scope);
	if (object_load(object, &info))
	{
		List	   *checks = read_checks(object, 0);
		bool		counts = false;

		foreach(cell, checks)
			counts |= is_per_node(lfirst(cell)) && ((Check *) lfirst(cell))->deferred == deferred;
		if (counts)
			lock_nodes(nodes);
		foreach(cell, checks)
		{
			if (((Check *) lfirst(cell))->deferred == deferred)
				look(lfirst(cell), &info, nodes, keys, all);
		}
	}
	end(&scope);
}

/*
 * settle_notes moves the notes of a statement to those of the transaction.
 */
static void
settle_notes(Noted *found, const List *nodes)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	ListCell   *cell;

	foreach(cell, nodes)
		add_node(&found->nodes[THIS_TRANSACTION], lfirst_int(cell));
	found->keys[THIS_TRANSACTION] = list_concat(found->keys[THIS_TRANSACTION], found->keys[THIS_STATEMENT]);
	MemoryContextSwitchTo(old);
	list_free(found->keys[THIS_STATEMENT]);
	found->keys[THIS_STATEMENT] = NIL;
	if (found->nodes[THIS_STATEMENT])
		hash_destroy(found->nodes[THIS_STATEMENT]);
	found->nodes[THIS_STATEMENT] = NULL;
}

/*
 * check_object checks what was noted of an object since the last call, and keeps
 * it for the deferred checks.
 */
static void
check_object(Oid object)
{
	Noted	   *found = find_noted(object, false);
	List	   *nodes;
	List	   *keys;

	if (found == NULL || !has_notes(found))
		return;
	nodes = list_nodes(found->nodes[THIS_STATEMENT]);
	keys = list_copy(found->keys[THIS_STATEMENT]);
	if (found->level >= GetCurrentTransactionNestLevel())
		settle_notes(found, nodes);
	if (check_needs(object)->arrivals)
		distribute_arrived(object, nodes);
	look_at(object, nodes, keys, false, false);
	list_free(nodes);
	list_free(keys);
}

/*
 * check_statement checks what was noted of an object, and of those below it, whose
 * records have followed.
 */
void
check_statement(Oid object)
{
	List	   *children;
	ListCell   *cell;

	if (noted == NULL)
		return;
	check_object(object);
	children = list_copy(kin_children(object));
	foreach(cell, children)
		check_statement(lfirst_oid(cell));
	list_free(children);
}

/*
 * check_commit checks what was deferred.
 */
void
check_commit(void)
{
	for (Noted *found = noted; found != NULL; found = found->next)
	{
		PushActiveSnapshot(GetTransactionSnapshot());
		check_statement(found->object);
		look_at(found->object, list_nodes(found->nodes[THIS_TRANSACTION]), found->keys[THIS_TRANSACTION],
				found->all, true);
		PopActiveSnapshot();
	}
}

/*
 * check_all checks all that stands by one check. Nobody else writes meanwhile.
 */
void
check_all(Oid object, int32 id)
{
	LookScope	scope;
	ObjectInfo	info;
	ListCell   *cell;

	begin(&scope);
	object_require(object, &info);
	foreach(cell, read_checks(object, id))
		look(lfirst(cell), &info, NIL, NIL, true);
	end(&scope);
}

/*
 * look_at_all looks at everything by one check, now or when the transaction commits.
 */
static void
look_at_all(const Check *check, const ObjectInfo *info)
{
	if (check->deferred)
		find_noted(info->object, true)->all = true;
	else
		look(check, info, NIL, NIL, true);
}

/*
 * check_everything checks all that stands. Nobody else writes meanwhile.
 */
void
check_everything(Oid object)
{
	LookScope	scope;
	ObjectInfo	info;
	ListCell   *cell;

	begin(&scope);
	object_require(object, &info);
	foreach(cell, read_checks(object, 0))
		look_at_all(lfirst(cell), &info);
	end(&scope);
}

/*
 * check_subtrees checks what counts the nodes of a subtree, of all records: nodes
 * have moved, and with them the records that stand there.
 */
void
check_subtrees(List *objects)
{
	LookScope	scope;
	ListCell   *object;
	ListCell   *cell;

	begin(&scope);
	foreach(object, objects)
	{
		ObjectInfo	info;

		if (!check_needs(lfirst_oid(object))->any || !object_load(lfirst_oid(object), &info))
			continue;
		foreach(cell, read_checks(lfirst_oid(object), 0))
		{
			Check	   *check = lfirst(cell);

			if (!is_per_node(check) && check->node_id != 0)
				look_at_all(check, &info);
		}
	}
	end(&scope);
}

/*
 * report_check names a check in the context of an error.
 */
static void
report_check(void *arg)
{
	errcontext("check \"%s\" of territory.pair_check", ((Check *) arg)->name);
}

/*
 * check_expressions parses the amounts of an object's checks.
 */
void
check_expressions(Oid object)
{
	LookScope	scope;
	ListCell   *cell;

	begin(&scope);
	foreach(cell, read_checks(object, 0))
	{
		Check	   *check = lfirst(cell);
		ErrorContextCallback callback = {error_context_stack, report_check, check};

		if (check->expression == NULL)
			continue;
		error_context_stack = &callback;
		bms_free(amount_columns(NULL, object, check->expression));
		error_context_stack = callback.previous;
	}
	end(&scope);
}
