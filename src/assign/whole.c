/*
 * whole.c
 *		Evaluates all records of an attached table.
 *
 * Where no pair is stored yet, each record is evaluated and its pairs are
 * written. Otherwise little is wrong as a rule, and it would be a waste to look
 * up the stored pairs of every record. So two scans first compare what the rules
 * give with what is stored, by sums over buckets of records (fingerprint.c).
 * Only the records of buckets that differ then take the ordinary way (batch.c);
 * where nothing differs, nothing is written and no index is read.
 *
 * Three things are beside the sums. Records that have exclusions, which the sums
 * do not know, always take the ordinary way. A pair that was only made by hand has
 * no rule to be compared by; its record is looked for. And where a sum is not 0
 * once all records are right, a pair may be of a record that is not there.
 *
 * Records that depend on others are all evaluated, in batches.
 *
 * All reading is by one snapshot. It is the newest one, and the object's lock
 * keeps other writers out.
 */
#include "postgres.h"

#include "access/xact.h"
#include "optimizer/optimizer.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "assign/exclusion.h"
#include "assign/fingerprint.h"
#include "assign/follow.h"
#include "assign/pairs.h"
#include "assign/progress.h"
#include "assign/source.h"
#include "assign/stored.h"
#include "assign/whole.h"

typedef struct WholeRun
{
	Batch	   *batch;
	List	   *tables;
	double		estimate;		/* number of records */
	int64		records;		/* compared so far */
	Snapshot	snapshot;
	MemoryContext scratch;		/* reset now and then while records are compared */
	Fingerprint *sums;			/* NULL: all records are evaluated */
	Progress	progress;
} WholeRun;

/* records between two resets of the scratch context, less 1 */
#define SCRATCH_RECORDS 255

/* to look for a record by its key takes as long as to add so many pairs to the sums twice */
#define LOOK_UP_COST 32

/*
 * What it costs to compare a record, and each of its pairs, beyond reading them,
 * in the planner's units: as much time as so many simple operators in the
 * executor take.
 */
#define RECORD_COST (60 * cpu_operator_cost)
#define PAIR_COST (20 * cpu_operator_cost)

/*
 * whole_cost is the cost of the two scans that compare.
 */
double
whole_cost(const ObjectInfo *object)
{
	double		pages;
	double		pair_pages;
	double		records = source_estimate(source_tables(object->object), &pages);
	double		pairs = source_estimate(list_make1_oid(object->assignment), &pair_pages);

	/* those are compared by their stored pairs */
	if (OidIsValid(object->above))
		records *= 2;
	return (pages + pair_pages) * seq_page_cost + records * (cpu_tuple_cost + RECORD_COST) +
		pairs * (cpu_tuple_cost + PAIR_COST);
}

/*
 * add_record adds what the rules give a record to the sums; false when it has
 * no key.
 */
static bool
add_record(WholeRun *run, Source *source)
{
	Ruleset    *rules = run->batch->rules;
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
	place = fingerprint_key(run->sums, key);
	for (int i = 0; i < count; i++)
		sum += fingerprint_term(run->sums, place, rules->nodes[rules->matches[i].node].id,
								rules->matches[i].rule_id);
	run->sums->sums[place.bucket] += sum;
	return true;
}

/*
 * add_records adds what the rules give all records to the sums.
 */
static void
add_records(WholeRun *run)
{
	MemoryContext old = CurrentMemoryContext;
	MatchScope	scope;
	Source		source;

	source_open(&source, run->batch->rules, run->tables, run->snapshot);
	match_begin(&scope, run->batch->rules);
	PG_TRY();
	{
		while (source_next(&source))
		{
			MemoryContextSwitchTo(run->scratch);
			run->records += add_record(run, &source);
			MemoryContextSwitchTo(old);
			if ((run->records & SCRATCH_RECORDS) == 0)
				MemoryContextReset(run->scratch);
			progress_row(&run->progress, "records compared", run->records, run->estimate, &run->batch->counts);
		}
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
 * add_stored adds the stored pairs that a snapshot sees to the sums, or takes
 * them away.
 */
static void
add_stored(WholeRun *run, Snapshot snapshot, bool away)
{
	StoredScan	stored;
	StoredRow	row;

	stored_open(&stored, &run->batch->rules->object, snapshot);
	while (stored_next(&stored, &row))
	{
		FingerprintKey place = fingerprint_key(run->sums, row.key);
		uint64		term;

		if (is_by_hand(&row))
		{
			fingerprint_mark(run->sums, MARK_PAIRS, place.bucket);
			continue;
		}
		term = fingerprint_term(run->sums, place, row.node_id, row.rule_id);
		run->sums->sums[place.bucket] += away ? -term : term;
	}
	stored_close(&stored);
}

/*
 * mark_excluded marks the buckets of a record with exclusions.
 */
static void
mark_excluded(Datum key, void *arg)
{
	Fingerprint *sums = arg;

	fingerprint_mark(sums, MARK_RECORDS, fingerprint_key(sums, key).bucket);
}

/*
 * fill_batch puts records into the batch until it is full; false when there are
 * no more.
 */
static bool
fill_batch(WholeRun *run, Source *source, bool fresh, int64 *done)
{
	Batch	   *batch = run->batch;
	MatchScope	scope;
	volatile bool more = true;

	match_begin(&scope, batch->rules);
	PG_TRY();
	{
		while (batch->count < batch->capacity && (more = source_next(source)))
		{
			bool		isnull;
			Datum		key = source_key(source, &isnull);

			(*done)++;
			progress_row(&run->progress, "records evaluated", *done, run->estimate, &batch->counts);
			if (isnull)
				continue;
			if (run->sums == NULL ||
				fingerprint_differs(run->sums, MARK_RECORDS, fingerprint_key(run->sums, key).bucket))
				batch_add(batch, source_row(source), fresh ? RECORD_FRESH | RECORD_KEEPS : RECORD_KEEPS);
		}
	}
	PG_FINALLY();
	{
		match_end(&scope);
	}
	PG_END_TRY();
	return more;
}

/*
 * evaluate evaluates all records, or those of the buckets that differ. fresh:
 * none has any pairs.
 */
static void
evaluate(WholeRun *run, bool fresh)
{
	Source		source;
	int64		done = 0;
	bool		more;

	source_open(&source, run->batch->rules, run->tables, run->snapshot);
	do
	{
		more = fill_batch(run, &source, fresh, &done);
		batch_write(run->batch);
	} while (more);
	source_close(&source);
}

/*
 * find_leftovers makes the sums say where pairs are left over, now that all
 * records are right: what the rules give, less what is stored now.
 */
static void
find_leftovers(WholeRun *run)
{
	Snapshot	now;

	CommandCounterIncrement();
	now = RegisterSnapshot(GetLatestSnapshot());
	add_stored(run, run->snapshot, false);
	add_stored(run, now, true);
	UnregisterSnapshot(now);
}

/*
 * forget_leftovers removes the pairs of records that are not there from the
 * buckets that differ.
 */
static void
forget_leftovers(WholeRun *run)
{
	const ObjectInfo *object = &run->batch->rules->object;
	Datum	   *keys = palloc(BATCH_RECORDS * sizeof(Datum));
	int			count = 0;
	StoredScan	stored;
	StoredRow	row;
	int16		typlen;
	bool		byval;

	get_typlenbyval(object->key_type, &typlen, &byval);
	stored_open(&stored, object, run->snapshot);
	while (stored_next(&stored, &row))
	{
		MemoryContext old;

		if (!fingerprint_differs(run->sums, MARK_PAIRS, fingerprint_key(run->sums, row.key).bucket))
			continue;
		old = MemoryContextSwitchTo(run->scratch);
		keys[count++] = datumCopy(row.key, byval, typlen);
		if (count == BATCH_RECORDS)
		{
			run->batch->counts.removed += pairs_forget(object, keys, count);
			follow_records(object, keys, count);
			MemoryContextReset(run->scratch);
			count = 0;
		}
		MemoryContextSwitchTo(old);
	}
	stored_close(&stored);
	run->batch->counts.removed += pairs_forget(object, keys, count);
	follow_records(object, keys, count);
	MemoryContextReset(run->scratch);
	pfree(keys);
}

/*
 * compare_and_mend compares, and evaluates what differs.
 */
static void
compare_and_mend(WholeRun *run)
{
	Batch	   *batch = run->batch;
	uint32		differing;

	run->sums = fingerprint_create(&batch->rules->object, run->estimate);
	add_records(run);
	add_stored(run, run->snapshot, true);
	if (exclusion_any(batch->rules->object.object))
		exclusion_each_key(&batch->rules->object, mark_excluded, run->sums);
	differing = fingerprint_count(run->sums, MARK_RECORDS);
	if (differing > 0)
		evaluate(run, false);
	if (differing > run->sums->mask / LOOK_UP_COST)
		find_leftovers(run);
	if (fingerprint_count(run->sums, MARK_PAIRS) > 0)
		forget_leftovers(run);
	batch->counts.records = run->records;
}

/*
 * evaluate_all evaluates records that depend on others: what is above a record
 * counts too, which the sums do not know.
 */
static void
evaluate_all(WholeRun *run)
{
	const ObjectInfo *object = &run->batch->rules->object;
	uint64		orphans = pairs_forget_orphans(object);

	run->batch->counts.removed += orphans;
	evaluate(run, false);
	if (orphans > 0)
		follow_all(object->object);
}

/*
 * whole_run evaluates all records. What it allocates goes with the caller's
 * memory context but for the large parts.
 */
void
whole_run(Batch *batch)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "territory run",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	WholeRun	run = {.batch = batch,.tables = source_tables(batch->rules->object.object)};
	double		pages;

	run.estimate = source_estimate(run.tables, &pages);
	CommandCounterIncrement();
	run.snapshot = RegisterSnapshot(GetLatestSnapshot());
	PushActiveSnapshot(run.snapshot);
	run.scratch = AllocSetContextCreate(context, "territory run scratch", ALLOCSET_DEFAULT_SIZES);
	progress_begin(&run.progress, batch->rules->object.object);
	if (OidIsValid(batch->rules->object.above))
		evaluate_all(&run);
	else if (stored_empty(&batch->rules->object, run.snapshot))
		evaluate(&run, true);
	else
		compare_and_mend(&run);
	PopActiveSnapshot();
	UnregisterSnapshot(run.snapshot);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}
