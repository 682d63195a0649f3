/*
 * parallel.c
 *		Compares with the help of parallel workers.
 *
 * PostgreSQL's own infrastructure for parallel queries starts the workers, gives
 * them the leader's transaction, snapshot, role and settings, and brings their
 * errors back (src/backend/access/transam/README.parallel). Leader and workers
 * each read a share of every table, block by block as they come to it, and add to
 * sums in shared memory. A worker compiles the rules by itself. Nothing is written
 * while they work; what differs the leader mends alone, afterwards (whole.c).
 *
 * The number of workers is found as for CREATE INDEX, which like a run reads a
 * whole table while its writers wait: the table's parallel_workers, else by its
 * size, at most max_parallel_maintenance_workers; and they must be worth while.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "executor/instrument.h"
#include "miscadmin.h"
#include "nodes/pathnodes.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "tcop/tcopprot.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "assign/parallel.h"
#include "base/catalog.h"

PGDLLEXPORT void territory_parallel_worker(dsm_segment *segment, shm_toc *toc);

/* what compiling a rule costs, in the planner's units: see RECORD_COST in whole.c */
#define COMPILE_COST (720 * cpu_operator_cost)

/* what is where in shared memory */
enum
{
	KEY_SHARE = 1,
	KEY_SUMS,
	KEY_SCANS,
	KEY_QUERY,
	KEY_BUFFERS,
	KEY_WAL
};

/* A table to be read, and where the description of its scan stands among all of them. */
typedef struct SharedTable
{
	Oid			relid;
	Size		scan;
} SharedTable;

/* What the processes share, beside the sums. */
typedef struct Share
{
	Oid			object;
	pg_atomic_uint64 records;	/* compared so far */
	int			count;			/* of the tables */
	SharedTable tables[FLEXIBLE_ARRAY_MEMBER];	/* those with the records, then the one with the pairs */
} Share;

/* What the tables say of the number of workers. */
typedef struct Wish
{
	int			workers;		/* the most that one asks for */
	bool		by_size;		/* one does not say */
	double		pages;			/* of those that do not */
	bool		temporary;
} Wish;

/*
 * ask_table adds what one table says.
 */
static void
ask_table(Oid relid, Wish *wish)
{
	Relation	rel = table_open(relid, AccessShareLock);
	int			workers = RelationGetParallelWorkers(rel, -1);

	wish->temporary |= rel->rd_rel->relpersistence == RELPERSISTENCE_TEMP;
	wish->workers = Max(wish->workers, workers);
	if (workers < 0)
	{
		wish->by_size = true;
		wish->pages += RelationGetNumberOfBlocks(rel);
	}
	table_close(rel, NoLock);
}

/*
 * workers_by_size is the planner's number of workers for a scan of so many pages.
 */
static int
workers_by_size(double pages)
{
	RelOptInfo	rel = {.type = T_RelOptInfo,.reloptkind = RELOPT_BASEREL,.rel_parallel_workers = -1};

	return compute_parallel_worker(&rel, pages, -1, max_parallel_maintenance_workers);
}

/*
 * is_worth_while tells whether workers save more than it costs to start them
 * and to compile the rules in each.
 */
static bool
is_worth_while(int workers, const Ruleset *rules, double cost)
{
	return cost - cost / (workers + 1) > parallel_setup_cost + rules->rule_count * COMPILE_COST;
}

/*
 * parallel_workers decides on the number of workers.
 */
int
parallel_workers(const Ruleset *rules, const List *tables, double cost)
{
	Wish		wish = {0};
	ListCell   *cell;
	int			workers = 0;

	if (!IsUnderPostmaster || IsInParallelMode() || max_parallel_maintenance_workers == 0 ||
		!rules->parallel_safe)
		return 0;
	foreach(cell, tables)
		ask_table(lfirst_oid(cell), &wish);
	if (wish.temporary)
		return 0;
	if (wish.by_size)
		workers = workers_by_size(wish.pages);
	if (workers > 0 && !is_worth_while(workers, rules, cost))
		workers = 0;
	return Min(Max(workers, wish.workers), max_parallel_maintenance_workers);
}

/*
 * share_create describes the tables to be read; returns the bytes that the
 * descriptions of their scans take.
 */
static Share *
share_create(const Compare *compare, Size *scans)
{
	List	   *relids = lappend_oid(list_copy(compare->tables), compare->rules->object.assignment);
	int			count = list_length(relids);
	Share	   *share = palloc0(offsetof(Share, tables) + count * sizeof(SharedTable));

	share->object = compare->rules->object.object;
	share->count = count;
	*scans = 0;
	for (int i = 0; i < count; i++)
	{
		Relation	rel = table_open(list_nth_oid(relids, i), AccessShareLock);

		share->tables[i].relid = RelationGetRelid(rel);
		share->tables[i].scan = *scans;
		*scans = add_size(*scans, MAXALIGN(table_parallelscan_estimate(rel, compare->snapshot)));
		table_close(rel, NoLock);
	}
	return share;
}

/*
 * share_size returns a share's bytes.
 */
static Size
share_size(const Share *share)
{
	return offsetof(Share, tables) + share->count * sizeof(SharedTable);
}

/*
 * reserve adds a piece to the estimate of the shared memory.
 */
static void
reserve(ParallelContext *context, Size size)
{
	shm_toc_estimate_chunk(&context->estimator, size);
	shm_toc_estimate_keys(&context->estimator, 1);
}

/*
 * place allocates such a piece.
 */
static void *
place(ParallelContext *context, int key, Size size)
{
	void	   *piece = shm_toc_allocate(context->toc, size);

	shm_toc_insert(context->toc, key, piece);
	return piece;
}

/*
 * scans_of finds the descriptions of the scans.
 */
static ParallelTableScanDesc *
scans_of(const Share *share, char *scans)
{
	ParallelTableScanDesc *list = palloc(share->count * sizeof(ParallelTableScanDesc));

	for (int i = 0; i < share->count; i++)
		list[i] = (ParallelTableScanDesc) (scans + share->tables[i].scan);
	return list;
}

/*
 * init_scans readies the scans.
 */
static void
init_scans(const Compare *compare, const Share *share)
{
	for (int i = 0; i < share->count; i++)
	{
		Relation	rel = table_open(share->tables[i].relid, AccessShareLock);

		table_parallelscan_initialize(rel, compare->shared[i], compare->snapshot);
		table_close(rel, NoLock);
	}
}

/*
 * set_up makes the shared memory, and lets the leader's part point into it.
 */
static ParallelContext *
set_up(Compare *compare, int workers)
{
	ParallelContext *context = CreateParallelContext("$libdir/territory", "territory_parallel_worker", workers);
	const char *query = debug_query_string ? debug_query_string : "";
	Size		scans;
	Share	   *share = share_create(compare, &scans);
	Share	   *shared;

	reserve(context, share_size(share));
	reserve(context, fingerprint_size(compare->estimate));
	reserve(context, scans);
	reserve(context, strlen(query) + 1);
	reserve(context, mul_size(workers, sizeof(BufferUsage)));
	reserve(context, mul_size(workers, sizeof(WalUsage)));
	InitializeParallelDSM(context);

	shared = memcpy(place(context, KEY_SHARE, share_size(share)), share, share_size(share));
	pg_atomic_init_u64(&shared->records, 0);
	compare->records = &shared->records;
	compare->sums = place(context, KEY_SUMS, fingerprint_size(compare->estimate));
	fingerprint_init(compare->sums, &compare->rules->object, compare->estimate, true);
	compare->shared = scans_of(shared, place(context, KEY_SCANS, scans));
	init_scans(compare, shared);
	strcpy(place(context, KEY_QUERY, strlen(query) + 1), query);
	(void) place(context, KEY_BUFFERS, mul_size(workers, sizeof(BufferUsage)));
	(void) place(context, KEY_WAL, mul_size(workers, sizeof(WalUsage)));
	return context;
}

/*
 * finish waits for the workers, and counts what they read to the leader's account.
 */
static void
finish(ParallelContext *context)
{
	BufferUsage *buffers = shm_toc_lookup(context->toc, KEY_BUFFERS, false);
	WalUsage   *wal = shm_toc_lookup(context->toc, KEY_WAL, false);

	WaitForParallelWorkersToFinish(context);
	for (int i = 0; i < context->nworkers_launched; i++)
		InstrAccumParallelQuery(&buffers[i], &wal[i]);
}

/*
 * parallel_compare compares with workers. In parallel mode the server sees to it
 * that nothing is written; on error it ends the workers.
 */
void
parallel_compare(Compare *compare, int workers)
{
	pg_atomic_uint64 *records = compare->records;
	ParallelContext *context;
	int			launched;

	EnterParallelMode();
	context = set_up(compare, workers);
	LaunchParallelWorkers(context);
	launched = context->nworkers_launched;
	if (launched == 0 || parallel_leader_participation)
		compare_share(compare);
	finish(context);
	pg_atomic_write_u64(records, pg_atomic_read_u64(compare->records));
	compare->records = records;
	compare->sums = fingerprint_copy(compare->sums);
	compare->shared = NULL;
	DestroyParallelContext(context);
	ExitParallelMode();
	ereport(DEBUG1, (errmsg_internal("territory: compared " UINT64_FORMAT " records of %s, " UINT64_FORMAT " of them in %d workers of %d",
									 pg_atomic_read_u64(records), catalog_qualified_name(compare->rules->object.object),
									 pg_atomic_read_u64(records) - compare->own, launched, workers)));
}

/*
 * work_on does a worker's share.
 */
static void
work_on(Share *share, shm_toc *toc)
{
	Compare		compare = {
		.rules = ruleset_acquire(share->object),
		.snapshot = GetActiveSnapshot(),
		.shared = scans_of(share, shm_toc_lookup(toc, KEY_SCANS, false)),
		.sums = shm_toc_lookup(toc, KEY_SUMS, false),
		.records = &share->records
	};

	for (int i = 0; i < share->count - 1; i++)
		compare.tables = lappend_oid(compare.tables, share->tables[i].relid);
	compare_share(&compare);
	ruleset_release(compare.rules);
}

/*
 * territory_parallel_worker is where a worker begins.
 */
void
territory_parallel_worker(dsm_segment *segment, shm_toc *toc)
{
	BufferUsage *buffers = shm_toc_lookup(toc, KEY_BUFFERS, false);
	WalUsage   *wal = shm_toc_lookup(toc, KEY_WAL, false);

	debug_query_string = shm_toc_lookup(toc, KEY_QUERY, false);
	pgstat_report_activity(STATE_RUNNING, debug_query_string);
	InstrStartParallelQuery();
	work_on(shm_toc_lookup(toc, KEY_SHARE, false), toc);
	InstrEndParallelQuery(&buffers[ParallelWorkerNumber], &wal[ParallelWorkerNumber]);
}
