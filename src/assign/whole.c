/*
 * whole.c
 *		Evaluates all records of an attached table.
 *
 * Where no pair is stored yet, each record is evaluated and its pairs are
 * written. Otherwise little is wrong as a rule, and it would be a waste to look
 * up the stored pairs of every record. So two scans first compare what the rules
 * give with what is stored, by sums over buckets of records (compare.c), with the
 * help of parallel workers where the table is large (parallel.c).
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

#include "assign/compare.h"
#include "assign/fingerprint.h"
#include "assign/follow.h"
#include "assign/frame.h"
#include "assign/parallel.h"
#include "assign/progress.h"
#include "assign/source.h"
#include "assign/whole.h"
#include "pair/exclusion.h"
#include "pair/forget.h"
#include "pair/stored.h"

typedef struct WholeRun
{
	Batch	   *batch;
	List	   *tables;
	double		estimate;		/* number of records */
	int64		records;		/* compared */
	Snapshot	snapshot;
	MemoryContext scratch;		/* for keys whose pairs are left over */
	Fingerprint *sums;			/* NULL: all records are evaluated */
	Progress	progress;
} WholeRun;

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
	const ObjectInfo *object = &run->batch->rules->object;
	Snapshot	now;

	CommandCounterIncrement();
	now = RegisterSnapshot(GetLatestSnapshot());
	compare_pairs(run->sums, object, run->snapshot, NULL, false);
	compare_pairs(run->sums, object, now, NULL, true);
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
 * compare_all compares all records with all pairs, alone or with workers.
 */
static void
compare_all(WholeRun *run)
{
	Ruleset    *rules = run->batch->rules;
	pg_atomic_uint64 records;
	Compare		compare = {
		.rules = rules,
		.tables = run->tables,
		.snapshot = run->snapshot,
		.records = &records,
		.progress = &run->progress,
		.estimate = run->estimate
	};
	int			workers = parallel_workers(rules, run->tables, whole_cost(&rules->object));

	pg_atomic_init_u64(&records, 0);
	if (workers > 0)
		parallel_compare(&compare, workers);
	else
	{
		compare.sums = fingerprint_create(&rules->object, run->estimate);
		compare_share(&compare);
	}
	run->sums = compare.sums;
	run->records = (int64) pg_atomic_read_u64(&records);
}

/*
 * compare_and_mend compares, and evaluates what differs.
 */
static void
compare_and_mend(WholeRun *run)
{
	Batch	   *batch = run->batch;
	uint32		differing;

	compare_all(run);
	if (exclusion_any(batch->rules->object.object))
		exclusion_each_key(&batch->rules->object, mark_excluded, run->sums);
	differing = fingerprint_count(run->sums, MARK_RECORDS);
	if (differing > 0)
		evaluate(run, false);
	if (differing > run->sums->mask / LOOK_UP_COST)
		find_leftovers(run);
	/*
	 * A record whose key a statement under way has changed seems to be gone, until
	 * that is noted and its pairs are carried over.
	 */
	if (fingerprint_count(run->sums, MARK_PAIRS) > 0 && !frame_is_open(batch->rules->object.object))
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
