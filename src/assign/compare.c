/*
 * compare.c
 *		Compares what the rules give all records with what is stored, by sums over
 *		buckets of records (fingerprint.c).
 *
 * It only reads, and sums do not mind the order of their terms: so several
 * processes can do a share each (parallel.c).
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "assign/compare.h"
#include "assign/source.h"
#include "pair/stored.h"

/* records between two resets of the scratch context, less 1 */
#define SCRATCH_RECORDS 255

/*
 * add_record adds what the rules give a record to the sums; false when it has
 * no key.
 */
static bool
add_record(Compare *compare, Source *source)
{
	Ruleset    *rules = compare->rules;
	TupleTableSlot *row = source_row(source);
	bool		isnull;
	Datum		key = source_key(source, &isnull);
	FingerprintKey place;
	int			count;
	uint64		sum = 0;

	if (isnull)
		return false;
	count = match_row(rules, row);
	if (count == 0)
		return true;
	count = match_select(rules, rules->matches, count);
	place = fingerprint_key(compare->sums, key);
	for (int i = 0; i < count; i++)
		sum += fingerprint_term(compare->sums, place, rules->nodes[rules->matches[i].node].id,
								rules->matches[i].rule_id);
	fingerprint_add(compare->sums, place.bucket, sum);
	return true;
}

/*
 * count_records adds to the number of records, and says how far all have come.
 */
static void
count_records(Compare *compare)
{
	static const BatchCounts nothing = {0};

	pg_atomic_fetch_add_u64(compare->records, compare->uncounted);
	compare->own += compare->uncounted;
	compare->uncounted = 0;
	if (compare->progress)
		progress_say(compare->progress, "records compared", (int64) pg_atomic_read_u64(compare->records),
					 compare->estimate, &nothing);
}

/*
 * add_source adds what the rules give the records of a source to the sums.
 */
static void
add_source(Compare *compare, Source *source)
{
	MemoryContext old = CurrentMemoryContext;
	MemoryContext scratch = AllocSetContextCreate(old, "territory compare", ALLOCSET_DEFAULT_SIZES);
	uint32		read = 0;

	while (source_next(source))
	{
		MemoryContextSwitchTo(scratch);
		compare->uncounted += add_record(compare, source);
		MemoryContextSwitchTo(old);
		if (compare->uncounted > PROGRESS_ROWS)
			count_records(compare);
		if ((++read & SCRATCH_RECORDS) == 0)
			MemoryContextReset(scratch);
	}
	count_records(compare);
	MemoryContextDelete(scratch);
}

/*
 * add_records adds what the rules give the records to the sums.
 */
static void
add_records(Compare *compare)
{
	MatchScope	scope;
	Source		source;

	if (compare->shared)
		source_open_shared(&source, compare->rules, compare->tables, compare->shared);
	else
		source_open(&source, compare->rules, compare->tables, compare->snapshot);
	match_begin(&scope, compare->rules);
	PG_TRY();
	{
		add_source(compare, &source);
	}
	PG_FINALLY();
	{
		match_end(&scope);
	}
	PG_END_TRY();
	source_close(&source);
}

/*
 * is_by_hand tells whether a pair is there for no rule's sake.
 */
static inline bool
is_by_hand(const StoredRow *row)
{
	return row->manual && row->rule_id == 0;
}

/*
 * compare_pairs adds stored pairs to the sums, or takes them away.
 */
void
compare_pairs(Fingerprint *sums, const ObjectInfo *object, Snapshot snapshot,
			  ParallelTableScanDesc pairs, bool away)
{
	StoredScan	stored;
	StoredRow	row;

	if (pairs)
		stored_open_shared(&stored, object, pairs);
	else
		stored_open(&stored, object, snapshot);
	while (stored_next(&stored, &row))
	{
		FingerprintKey place = fingerprint_key(sums, row.key);
		uint64		term;

		if (is_by_hand(&row))
		{
			fingerprint_mark(sums, MARK_PAIRS, place.bucket);
			continue;
		}
		term = fingerprint_term(sums, place, row.node_id, row.rule_id);
		fingerprint_add(sums, place.bucket, away ? -term : term);
	}
	stored_close(&stored);
}

/*
 * compare_share compares, alone or as one of several.
 */
void
compare_share(Compare *compare)
{
	add_records(compare);
	compare_pairs(compare->sums, &compare->rules->object, compare->snapshot, compare->pairs, true);
}
