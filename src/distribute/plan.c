/*
 * plan.c
 *		Who gets which of a node's records that have no owner.
 *
 * Weighted least load: the next record, in the order of the keys, goes to the
 * member for whom (records owned + 1) / weight is least, below the member's
 * capacity; of equals, to the lowest id. So it depends on what stands and on
 * nothing else. The members stand in a heap by that rank.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/binaryheap.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#include "base/catalog.h"
#include "base/session.h"
#include "distribute/plan.h"

/* A member of the node, while records are given away. */
typedef struct Candidate
{
	int			place;			/* in the order of ids */
	char	   *name;
	Datum		weight;			/* numeric */
	char	   *weight_text;
	int64		capacity;		/* -1: none */
	int64		owned;
	Datum		rank;			/* (owned + 1) / weight */
} Candidate;

/* columns of the query */
enum
{
	COLUMN_KEY = 1,
	COLUMN_ID,
	COLUMN_MEMBER,
	COLUMN_WEIGHT,
	COLUMN_CAPACITY,
	COLUMN_OWNED
};

/*
 * plan_query is the query for the node's members, with what they own there, and then
 * for the keys of its records without an owner; $1 is the node.
 */
static char *
plan_query(const Distribution *plan)
{
	return psprintf("WITH record AS MATERIALIZED ("
					" SELECT o.%1$s AS key, o.%2$s::text AS owner FROM %3$s o JOIN %4$s a ON a.%1$s = o.%1$s WHERE a.node_id = $1),"
					" held AS (SELECT owner, count(*) AS owned FROM record WHERE owner IS NOT NULL GROUP BY owner)"
					" SELECT NULL, m.id, m.member, m.weight, m.capacity, coalesce(h.owned, 0)"
					"   FROM territory.member m LEFT JOIN held h ON h.owner = m.member"
					"  WHERE m.node_id = $1 AND m.weight > 0"
					"    AND coalesce(m.starts, '-infinity') <= current_date AND current_date < coalesce(m.ends, 'infinity')"
					" UNION ALL"
					" SELECT key, NULL, NULL, NULL, NULL, NULL FROM record WHERE owner IS NULL"
					" ORDER BY 2 NULLS LAST, 1",
					quote_identifier(NameStr(plan->info.key_column)),
					quote_identifier(get_attname(plan->info.object, plan->owner, false)),
					catalog_qualified_name(plan->info.object), catalog_qualified_name(plan->info.assignment));
}

/*
 * column returns a column of a row of its result.
 */
static Datum
column(uint64 row, int number, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, number, isnull);
}

/*
 * set_rank finds a member's rank for his next record.
 */
static void
set_rank(Candidate *candidate)
{
	Datum		next = NumericGetDatum(int64_to_numeric(candidate->owned + 1));

	candidate->rank = DirectFunctionCall2(numeric_div, next, candidate->weight);
	pfree(DatumGetPointer(next));
}

/*
 * is_full tells whether a member may get no more.
 */
static bool
is_full(const Candidate *candidate)
{
	return candidate->capacity >= 0 && candidate->owned >= candidate->capacity;
}

/*
 * compare_candidates is for a heap on top of which is the member who comes first.
 */
static int
compare_candidates(Datum a, Datum b, void *arg)
{
	const Candidate *x = (const Candidate *) DatumGetPointer(a);
	const Candidate *y = (const Candidate *) DatumGetPointer(b);
	int			result = DatumGetInt32(DirectFunctionCall2(numeric_cmp, y->rank, x->rank));

	return result != 0 ? result : y->place - x->place;
}

/*
 * read_candidate reads a member.
 */
static Candidate *
read_candidate(uint64 row)
{
	Candidate  *candidate = palloc(sizeof(Candidate));
	bool		isnull;

	candidate->place = (int) row;
	candidate->name = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, COLUMN_MEMBER);
	candidate->weight = column(row, COLUMN_WEIGHT, &isnull);
	candidate->weight_text = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, COLUMN_WEIGHT);
	candidate->capacity = DatumGetInt32(column(row, COLUMN_CAPACITY, &isnull));
	if (isnull)
		candidate->capacity = -1;
	candidate->owned = DatumGetInt64(column(row, COLUMN_OWNED, &isnull));
	set_rank(candidate);
	return candidate;
}

/*
 * read_candidates puts the members, whose rows come first, into a heap.
 */
static binaryheap *
read_candidates(uint64 count)
{
	binaryheap *heap = binaryheap_allocate(Max(count, 1), compare_candidates, NULL);

	for (uint64 row = 0; row < count; row++)
	{
		Candidate  *candidate = read_candidate(row);

		if (!is_full(candidate))
			binaryheap_add_unordered(heap, PointerGetDatum(candidate));
	}
	binaryheap_build(heap);
	return heap;
}

/*
 * count_members returns the number of rows that are members.
 */
static uint64
count_members(void)
{
	uint64		count = 0;
	bool		isnull = false;

	while (count < SPI_processed)
	{
		(void) column(count, COLUMN_ID, &isnull);
		if (isnull)
			break;
		count++;
	}
	return count;
}

/*
 * why says why a record goes to a member.
 */
static char *
why(const Candidate *candidate, uint64 members)
{
	const char *most = candidate->capacity < 0 ? "" : psprintf(" of at most " INT64_FORMAT, candidate->capacity);

	return psprintf("owned " INT64_FORMAT "%s, weight %s: (" INT64_FORMAT " + 1) / %s is the least of " UINT64_FORMAT " members",
					candidate->owned, most, candidate->weight_text, candidate->owned, candidate->weight_text, members);
}

/*
 * take lets a member have one more record.
 */
static void
take(binaryheap *heap, Candidate *candidate)
{
	Datum		rank = candidate->rank;

	candidate->owned++;
	if (is_full(candidate))
		(void) binaryheap_remove_first(heap);
	else
	{
		set_rank(candidate);
		binaryheap_replace_first(heap, PointerGetDatum(candidate));
	}
	pfree(DatumGetPointer(rank));
}

/*
 * give gives records to members, one by one, until there are no more of either.
 */
static void
give(Distribution *plan, uint64 members, binaryheap *heap)
{
	int16		length;
	bool		by_value;
	bool		isnull;

	get_typlenbyval(plan->info.key_type, &length, &by_value);
	while (plan->count < plan->records && !binaryheap_empty(heap))
	{
		Candidate  *first = (Candidate *) DatumGetPointer(binaryheap_first(heap));

		CHECK_FOR_INTERRUPTS();
		plan->keys[plan->count] = datumCopy(column(members + plan->count, COLUMN_KEY, &isnull), by_value, length);
		plan->members[plan->count] = first->name;
		plan->reasons[plan->count] = why(first, members);
		plan->count++;
		take(heap, first);
	}
}

/*
 * plan_make decides who gets what.
 */
void
plan_make(Distribution *plan)
{
	Oid			types[1] = {INT4OID};
	Datum		values[1] = {Int32GetDatum(plan->node_id)};
	int			pin = session_pin(NULL, PIN_PATH | PIN_JIT);
	SPITupleTable *rows;
	uint64		members;

	session_execute(plan_query(plan), SPI_OK_SELECT, 1, types, values, NULL);
	session_unpin(pin);
	rows = SPI_tuptable;
	members = count_members();
	plan->records = SPI_processed - members;
	plan->keys = MemoryContextAllocHuge(CurrentMemoryContext, Max(plan->records, 1) * sizeof(Datum));
	plan->members = MemoryContextAllocHuge(CurrentMemoryContext, Max(plan->records, 1) * sizeof(char *));
	plan->reasons = MemoryContextAllocHuge(CurrentMemoryContext, Max(plan->records, 1) * sizeof(char *));
	give(plan, members, read_candidates(members));
	SPI_freetuptable(rows);
}
