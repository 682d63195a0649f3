/*
 * parallel.c
 *		Compares with the help of parallel workers.
 *
 * PostgreSQL's own infrastructure for parallel queries starts the workers, gives
 * them the leader's transaction, snapshot, role and settings, and brings their
 * errors back (src/backend/access/transam/README.parallel). Leader and workers
 * each read a share of the tables (shared.c), and add to sums in shared memory. A
 * worker compiles the rules by itself. Nothing is written while they work; what
 * differs the leader mends alone, afterwards (whole.c).
 *
 * The number of workers is found as for CREATE INDEX, which like a run reads a
 * whole table while its writers wait: the table's parallel_workers, else by its
 * size, at most max_parallel_maintenance_workers; and they must be worth while.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/table.h"
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

#include "assign/parallel.h"
#include "base/catalog.h"

PGDLLEXPORT void territory_parallel_worker(dsm_segment *segment, shm_toc *toc);

/* what compiling a rule costs, in the planner's units: see RECORD_COST in whole.c */
#define COMPILE_COST (720 * cpu_operator_cost)

/* what is where in shared memory */
enum
{
	KEY_SHARE = 1,
	KEY_TABLES,
	KEY_PAIRS,
	KEY_SUMS,
	KEY_QUERY,
	KEY_BUFFERS,
	KEY_WAL
};

/* What the processes share, beside the sums and the scans. */
typedef struct Share
{
	Oid			object;
	pg_atomic_uint64 records;	/* compared so far */
} Share;

/* What the tables say of the number of workers. */
typedef struct Wish
{
	int			workers;		/* the most that one asks for */
	bool		by_size;		/* one does not say */
	double		pages;			/* of those that do not */
} Wish;

/*
 * ask_table adds what one table says.
 */
static void
ask_table(Oid relid, Wish *wish)
{
	Relation	rel = table_open(relid, AccessShareLock);
	int			workers = RelationGetParallelWorkers(rel, -1);

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
	return cost - cost / (workers + 1) > parallel_setup_cost + rules->index->rule_count * COMPILE_COST;
}

/*
 * parallel_workers decides on the number of workers. No attached table is
 * temporary, which workers could not read.
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
	if (wish.by_size)
		workers = workers_by_size(wish.pages);
	if (workers > 0 && !is_worth_while(workers, rules, cost))
		workers = 0;
	return Min(Max(workers, wish.workers), max_parallel_maintenance_workers);
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
 * set_up makes the shared memory, and lets the leader's part point into it.
 */
static ParallelContext *
set_up(Compare *compare, int workers)
{
	const ObjectInfo *object = &compare->rules->object;
	List	   *pairs = list_make1_oid(object->assignment);
	Size		tables_size = shared_size(compare->tables, compare->snapshot);
	Size		pairs_size = shared_size(pairs, compare->snapshot);
	Size		sums_size = fingerprint_size(compare->estimate);
	const char *query = debug_query_string ? debug_query_string : "";
	ParallelContext *context = CreateParallelContext("$libdir/territory", "territory_parallel_worker", workers);
	Share	   *share;
	SharedTables *shared_pairs;

	reserve(context, sizeof(Share));
	reserve(context, tables_size);
	reserve(context, pairs_size);
	reserve(context, sums_size);
	reserve(context, strlen(query) + 1);
	reserve(context, mul_size(workers, sizeof(BufferUsage)));
	reserve(context, mul_size(workers, sizeof(WalUsage)));
	InitializeParallelDSM(context);

	share = place(context, KEY_SHARE, sizeof(Share));
	share->object = object->object;
	pg_atomic_init_u64(&share->records, 0);
	compare->records = &share->records;
	compare->shared = place(context, KEY_TABLES, tables_size);
	shared_init(compare->shared, compare->tables, compare->snapshot);
	shared_pairs = place(context, KEY_PAIRS, pairs_size);
	shared_init(shared_pairs, pairs, compare->snapshot);
	compare->pairs = shared_scan(shared_pairs, 0);
	compare->sums = place(context, KEY_SUMS, sums_size);
	fingerprint_init(compare->sums, object, compare->estimate, true);
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
	compare->pairs = NULL;
	DestroyParallelContext(context);
	ExitParallelMode();
	ereport(DEBUG1, (errmsg_internal("territory: compared " UINT64_FORMAT " records of %s, " UINT64_FORMAT " of them in %d workers of %d",
									 pg_atomic_read_u64(records), catalog_qualified_name(compare->rules->object.object),
									 pg_atomic_read_u64(records) - compare->own, launched, workers)));
}

/*
 * work does a worker's share.
 */
static void
work(shm_toc *toc)
{
	Share	   *share = shm_toc_lookup(toc, KEY_SHARE, false);
	SharedTables *tables = shm_toc_lookup(toc, KEY_TABLES, false);
	Compare		compare = {
		.rules = ruleset_acquire(share->object),
		.tables = shared_relids(tables),
		.shared = tables,
		.pairs = shared_scan(shm_toc_lookup(toc, KEY_PAIRS, false), 0),
		.sums = shm_toc_lookup(toc, KEY_SUMS, false),
		.records = &share->records
	};

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
	work(toc);
	InstrEndParallelQuery(&buffers[ParallelWorkerNumber], &wal[ParallelWorkerNumber]);
}
