/*
 * manual.c
 *		territory.assign(), unassign(), exclude() and include(): what people decide
 *		about single records, against the rules or beside them.
 *
 * A pair made by hand is marked as manual in the assignment table. Exclusions
 * come before it, rules beside it: it stays whatever they give, and does not count
 * for the object's mode. Exclusions are rows of territory.exclusion; an exclusion
 * takes a manual pair of its record and node away for good.
 *
 * Writers of the same record wait for each other by its row lock (subject.c), and
 * changes of rules, of nodes and runs by the object's lock. So, unlike rows that
 * are written into territory.exclusion, neither exclude() nor include() needs to
 * keep the writers of other records waiting.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "assign/change.h"
#include "assign/follow.h"
#include "assign/run.h"
#include "base/catalog.h"
#include "base/session.h"
#include "check/check.h"
#include "history/cause.h"
#include "manual/manual.h"
#include "manual/subject.h"
#include "pair/exclusion.h"
#include "pair/pairs.h"
#include "tree/node.h"

PG_FUNCTION_INFO_V1(territory_assign);
PG_FUNCTION_INFO_V1(territory_assign_many);
PG_FUNCTION_INFO_V1(territory_unassign);
PG_FUNCTION_INFO_V1(territory_unassign_many);
PG_FUNCTION_INFO_V1(territory_exclude);
PG_FUNCTION_INFO_V1(territory_exclude_many);
PG_FUNCTION_INFO_V1(territory_include);
PG_FUNCTION_INFO_V1(territory_include_many);

void		(*manual_permission) (Oid object, int32 node_id) = NULL;

/* One call: some records, and a node (0: every node). */
typedef struct Decision
{
	Subject		subject;
	int32		node_id;
	char	   *whereto;		/* for messages: territory "EMEA" */
} Decision;

/*
 * require_argument raises when an argument that must be given is NULL.
 */
static void
require_argument(FunctionCallInfo fcinfo, int index, const char *name)
{
	if (PG_ARGISNULL(index))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
}

/*
 * key_argument returns the keys of a call, as a list of texts.
 */
static List *
key_argument(FunctionCallInfo fcinfo, bool many)
{
	List	   *keys = NIL;
	Datum	   *elements;
	bool	   *nulls;
	int			count;

	require_argument(fcinfo, 1, many ? "keys" : "key");
	if (!many)
		return list_make1(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("keys must not be null"),
					 errdetail("Element %d of the array is.", i + 1)));
		keys = lappend(keys, TextDatumGetCString(elements[i]));
	}
	return keys;
}

/*
 * find_node looks the node of a call up. That it stays needs no lock of its row:
 * who deletes a node looks for its pairs and exclusions under the object's lock,
 * which we hold.
 */
static void
find_node(FunctionCallInfo fcinfo, Decision *decision)
{
	SessionRole role;

	decision->whereto = "every territory";
	if (PG_ARGISNULL(2))
		return;
	session_become(&role, catalog_owner());
	decision->node_id = node_find(PG_GETARG_TERRITORY_PP(2));
	session_restore_role(&role);
	decision->whereto = psprintf("territory \"%s\"", territory_to_cstring(PG_GETARG_TERRITORY_PP(2)));
}

/*
 * begin takes the arguments of a call, and locks what it is about.
 */
static void
begin(FunctionCallInfo fcinfo, bool many, Decision *decision)
{
	memset(decision, 0, sizeof(Decision));
	require_argument(fcinfo, 0, "object");
	subject_hold(&decision->subject, PG_GETARG_OID(0), key_argument(fcinfo, many));
	find_node(fcinfo, decision);
	if (manual_permission)
		manual_permission(decision->subject.info.object, decision->node_id);
}

/*
 * note_excluded notes the records that are excluded from the node.
 */
static void
note_excluded(Decision *decision)
{
	Subject    *subject = &decision->subject;
	Exclusion  *exclusions;
	int			count;

	if (subject->count == 0 || !exclusion_any(subject->info.object))
		return;
	count = exclusion_fetch(&subject->info, subject->keys, subject->count, &exclusions);
	for (int i = 0; i < count; i++)
	{
		/* of two that exclude the same record, the first says it */
		if (exclusion_covers(&exclusions[i], 1, decision->node_id) &&
			(i == 0 || exclusions[i - 1].record != exclusions[i].record ||
			 !exclusion_covers(&exclusions[i - 1], 1, decision->node_id)))
			subject_fault(subject, FAULT_EXCLUDED, subject->keys[exclusions[i].record]);
	}
}

/*
 * find_stored returns the stored pair of a record with the node, or NULL. Pairs
 * and records come in the same order; next is where to go on.
 */
static const StoredPair *
find_stored(const Decision *decision, int record, const StoredPair *stored, int count, int *next)
{
	const StoredPair *found = NULL;

	for (; *next < count && stored[*next].record == record; (*next)++)
	{
		if (stored[*next].node_id == decision->node_id)
			found = &stored[*next];
	}
	return found;
}

/*
 * mark notes what makes a pair manual.
 */
static void
mark(const Decision *decision, Datum key, const StoredPair *pair, Difference *difference)
{
	if (pair == NULL)
		pair_append(&difference->inserted, key, decision->node_id, 0, NULL)->manual = true;
	else if (!pair->manual)
		pair_append(&difference->changed, key, pair->node_id, pair->rule_id, pair)->manual = true;
}

/*
 * unmark notes what makes a pair no longer manual.
 */
static void
unmark(Decision *decision, Datum key, const StoredPair *pair, Difference *difference)
{
	if (pair == NULL)
		return;
	if (!pair->manual)
		subject_fault(&decision->subject, FAULT_BY_RULE, key);
	else if (pair->rule_id != 0)
		pair_append(&difference->changed, key, pair->node_id, pair->rule_id, pair);
	else
		pair_append(&difference->deleted, key, pair->node_id, 0, pair);
}

/*
 * release_others notes that a deal's pairs with other nodes are by hand no longer:
 * it has one node, so a decision replaces the former one.
 */
static void
release_others(Decision *decision, int record, const StoredPair *stored, int count, Difference *difference)
{
	for (int i = 0; i < count && stored[i].record == record; i++)
	{
		if (stored[i].node_id != decision->node_id && stored[i].manual)
			unmark(decision, decision->subject.keys[record], &stored[i], difference);
	}
}

/*
 * changed_keys lists the records of a difference.
 */
static Datum *
changed_keys(const Difference *difference, int *number)
{
	const PairList *lists[] = {&difference->inserted, &difference->changed, &difference->deleted};
	Datum	   *keys = palloc((lists[0]->count + lists[1]->count + lists[2]->count + 1) * sizeof(Datum));
	int			count = 0;

	for (int i = 0; i < lengthof(lists); i++)
	{
		for (int k = 0; k < lists[i]->count; k++)
			keys[count++] = lists[i]->pairs[k].key;
	}
	*number = count;
	return keys;
}

/*
 * spread evaluates what marks may change besides: the records themselves where a
 * mark counts for what they have from above or from their rules (a deal has one
 * node; a pair that is by hand no longer may be one of the record above), and all
 * that depends on them.
 */
static void
spread(const Subject *subject, const Difference *difference)
{
	int			count;
	Datum	   *keys = changed_keys(difference, &count);
	List	   *texts = NIL;

	if (count == 0)
		return;
	if (OidIsValid(subject->info.above))
	{
		for (int i = 0; i < count; i++)
			texts = lappend(texts, subject_text(subject, keys[i]));
		run_keys(&subject->info, texts);
	}
	follow_records(&subject->info, keys, count);
}

/*
 * write_marks makes pairs manual, or no longer so, and returns how many changed.
 */
static int
write_marks(Decision *decision, bool manual)
{
	Subject    *subject = &decision->subject;
	bool	   *fresh = palloc0(Max(subject->count, 1) * sizeof(bool));
	Difference	difference = {{0}};
	PairAccess	access;
	StoredPair *stored;
	bool		one_node = manual && subject->info.kind == KIND_DEAL;
	int			count;
	int			next = 0;
	int			released = 0;

	pairs_begin(&access, &subject->info, subject->keys, subject->count);
	count = subject->count == 0 ? 0 : pairs_fetch(&access, fresh, &stored);
	for (int i = 0; i < subject->count; i++)
	{
		int			first = next;
		const StoredPair *pair = find_stored(decision, i, stored, count, &next);
		int			before = difference.changed.count + difference.deleted.count;

		if (one_node)
			release_others(decision, i, stored + first, count - first, &difference);
		released += difference.changed.count + difference.deleted.count - before;
		if (manual)
			mark(decision, subject->keys[i], pair, &difference);
		else
			unmark(decision, subject->keys[i], pair, &difference);
	}
	subject_check(subject, manual ? "assign" : "unassign",
				  psprintf("%s %s", manual ? "to" : "from", decision->whereto));
	pairs_write(&access, &difference);
	pairs_end(&access);
	check_note_difference(&subject->info, &difference);
	spread(subject, &difference);
	check_statement(subject->info.object);
	return difference.inserted.count + difference.changed.count + difference.deleted.count - released;
}

/*
 * assign makes pairs manual.
 */
static int
assign(FunctionCallInfo fcinfo, bool many)
{
	Decision	decision;
	int			changed;
	int			cause;

	require_argument(fcinfo, 2, "node");
	SPI_connect();
	begin(fcinfo, many, &decision);
	note_excluded(&decision);
	cause = cause_push(CAUSE_ASSIGNED, NULL);
	changed = write_marks(&decision, true);
	cause_pop(cause);
	SPI_finish();
	return changed;
}

/*
 * unassign makes them no longer manual.
 */
static int
unassign(FunctionCallInfo fcinfo, bool many)
{
	Decision	decision;
	int			changed;
	int			cause;

	require_argument(fcinfo, 2, "node");
	SPI_connect();
	begin(fcinfo, many, &decision);
	cause = cause_push(CAUSE_UNASSIGNED, NULL);
	changed = write_marks(&decision, false);
	cause_pop(cause);
	SPI_finish();
	return changed;
}

/*
 * key_texts makes an array of the records' keys as text.
 */
static Datum
key_texts(const Subject *subject, List **list)
{
	Datum	   *texts = palloc(Max(subject->count, 1) * sizeof(Datum));

	for (int i = 0; i < subject->count; i++)
	{
		char	   *text = subject_text(subject, subject->keys[i]);

		texts[i] = CStringGetTextDatum(text);
		*list = lappend(*list, text);
	}
	return PointerGetDatum(construct_array(texts, subject->count, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * write_exclusions runs a statement on territory.exclusion, evaluates the
 * records, and returns how many rows changed.
 */
static int
write_exclusions(FunctionCallInfo fcinfo, bool many, const char *verb, KeptStatement *statement)
{
	Decision	decision;
	Subject    *subject = &decision.subject;
	List	   *keys = NIL;
	Datum		values[4];
	char		nulls[4] = {' ', ' ', ' ', ' '};
	SessionRole role;
	int			changed;
	int			cause;

	SPI_connect();
	begin(fcinfo, many, &decision);
	subject_check(subject, verb, psprintf("%s %s", statement->nargs == 4 ? "from" : "in", decision.whereto));
	values[0] = ObjectIdGetDatum(subject->info.object);
	values[1] = key_texts(subject, &keys);
	values[2] = Int32GetDatum(decision.node_id);
	nulls[2] = decision.node_id == EVERY_NODE ? 'n' : ' ';
	if (statement->nargs == 4)
	{
		values[3] = PG_ARGISNULL(3) ? (Datum) 0 : PG_GETARG_DATUM(3);
		nulls[3] = PG_ARGISNULL(3) ? 'n' : ' ';
	}
	session_become(&role, catalog_owner());
	change_exclusions(statement, values, nulls);
	changed = (int) SPI_processed;
	cause = cause_push(CAUSE_EXCLUSION, NULL);
	if (changed > 0 && !change_deferred())
		run_keys(&subject->info, keys);
	cause_pop(cause);
	session_restore_role(&role);
	SPI_finish();
	return changed;
}

/*
 * exclude adds exclusions, or writes their notes.
 */
static int
exclude(FunctionCallInfo fcinfo, bool many)
{
	static KeptStatement add = {
		"INSERT INTO territory.exclusion AS e (object, key, node_id, note)"
		" SELECT $1, p.key, $3, $4 FROM pg_catalog.unnest($2) AS p (key)"
		" ON CONFLICT ON CONSTRAINT exclusion_once DO UPDATE SET note = EXCLUDED.note"
		"  WHERE e.note IS NULL AND EXCLUDED.note IS NOT NULL OR e.note OPERATOR(pg_catalog.<>) EXCLUDED.note",
		SPI_OK_INSERT, 4, {OIDOID, TEXTARRAYOID, INT4OID, TEXTOID}
	};

	return write_exclusions(fcinfo, many, "exclude", &add);
}

/*
 * include takes exclusions back.
 */
static int
include(FunctionCallInfo fcinfo, bool many)
{
	static KeptStatement remove = {
		"DELETE FROM territory.exclusion"
		" WHERE object OPERATOR(pg_catalog.=) $1 AND key OPERATOR(pg_catalog.=) ANY ($2)"
		"   AND CASE WHEN $3 IS NULL THEN node_id IS NULL ELSE node_id OPERATOR(pg_catalog.=) $3 END",
		SPI_OK_DELETE, 3, {OIDOID, TEXTARRAYOID, INT4OID}
	};

	return write_exclusions(fcinfo, many, "include", &remove);
}

/*
 * As SQL calls them: of one record, whether anything changed; of many, how many
 * did.
 */
Datum
territory_assign(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(assign(fcinfo, false) > 0);
}

Datum
territory_assign_many(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(assign(fcinfo, true));
}

Datum
territory_unassign(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(unassign(fcinfo, false) > 0);
}

Datum
territory_unassign_many(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(unassign(fcinfo, true));
}

Datum
territory_exclude(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(exclude(fcinfo, false) > 0);
}

Datum
territory_exclude_many(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(exclude(fcinfo, true));
}

Datum
territory_include(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(include(fcinfo, false) > 0);
}

Datum
territory_include_many(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(include(fcinfo, true));
}
