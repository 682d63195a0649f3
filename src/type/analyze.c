/*
 * analyze.c
 *		ANALYZE of a column of paths: the usual statistics, and a census.
 *
 * The usual histogram divides the rows into a hundred parts and knows nothing
 * of what is smaller, whereas in a tree most nodes are. The sample knows more:
 * sorted, it gives the rows of every subtree in one pass. The largest subtrees
 * are kept by name, of the other ones the average of each level.
 */
#include "postgres.h"

#include <math.h>

#include "access/detoast.h"
#include "catalog/pg_type_d.h"
#include "commands/vacuum.h"
#include "compat.h"
#include "lib/binaryheap.h"
#include "type/statistics.h"
#include "type/territory.h"

/* a sample has 300 rows for one of statistics target; a census lists twenty subtrees */
#define TERRITORY_SAMPLE_PER_LISTED 15

/* a census is read through for each query that is planned; longer ones take too long */
#define TERRITORY_MAX_LISTED 20000

/* fewer rows of a sample say nothing about one subtree */
#define TERRITORY_MIN_LISTED_ROWS 3

/* longer paths are left out of the sample, as the usual statistics do */
#define TERRITORY_MAX_SAMPLED_SIZE 1024

PG_FUNCTION_INFO_V1(territory_sql_typanalyze);

/* the usual statistics, which are computed first */
typedef struct TerritoryAnalyze
{
	AnalyzeAttrComputeStatsFunc usual;
	void *usual_data;
} TerritoryAnalyze;

/* nodes that have the same parent, or are of the same level */
typedef struct NodeCount
{
	double rows; /* in their subtrees */
	double nodes;
	double singles; /* nodes of one row */
} NodeCount;

/* a subtree of the sample: the first "size" bytes of a path */
typedef struct Subtree
{
	const char *path;
	Size size;
	int level;
	int rows;
	NodeCount children;	   /* of the sample, but leaves of one row */
	double other_rows;	   /* in children that are not listed */
	double other_children; /* how many of these the table has */
} Subtree;

/* the pass over the sorted sample */
typedef struct CensusTaker
{
	Territory **paths;
	int count;
	double sample_share; /* of the table's rows */
	NodeCount level[TPATH_CENSUS_LEVELS + 1];
	binaryheap *largest; /* subtrees, the smallest one of them on top */

	/* the path at hand: its labels, and the subtree that ends with each of them */
	const char *path;
	int depth;	/* of its labels, up to which */
	int levels; /* the subtrees are that were not left yet */
	Size end[TPATH_CENSUS_LEVELS + 1];
	int first[TPATH_CENSUS_LEVELS + 1];				   /* number of its first path */
	NodeCount children[TPATH_CENSUS_LEVELS + 1]; /* that were left already */
} CensusTaker;

/*
 * territory_compare_pointers orders pointers to paths in tree order.
 */
static int
territory_compare_pointers(const void *a, const void *b)
{
	return territory_compare(*(Territory *const *) a, *(Territory *const *) b);
}

/*
 * territory_compare_subtrees orders them in tree order.
 */
static int
territory_compare_subtrees(const void *a, const void *b)
{
	const Subtree *x = *(Subtree *const *) a;
	const Subtree *y = *(Subtree *const *) b;

	return tpath_compare(x->path, x->size, y->path, y->size);
}

/*
 * territory_smaller_on_top orders a heap by rows.
 */
static int
territory_smaller_on_top(Datum a, Datum b, void *arg)
{
	int x = ((Subtree *) DatumGetPointer(a))->rows;
	int y = ((Subtree *) DatumGetPointer(b))->rows;

	return (x < y) - (x > y);
}

/*
 * territory_offer_subtree puts a subtree among the largest ones if it is one.
 */
static void
territory_offer_subtree(CensusTaker *taker, const Subtree *subtree)
{
	binaryheap *heap = taker->largest;
	Subtree *kept;

	if (subtree->rows < TERRITORY_MIN_LISTED_ROWS)
		return;
	if (heap->bh_size < heap->bh_space)
	{
		kept = palloc(sizeof(Subtree));
		*kept = *subtree;
		binaryheap_add(heap, PointerGetDatum(kept));
		return;
	}
	kept = (Subtree *) DatumGetPointer(binaryheap_first(heap));
	if (subtree->rows <= kept->rows)
		return;
	*kept = *subtree;
	binaryheap_replace_first(heap, PointerGetDatum(kept));
}

/*
 * territory_count_node adds a node to a count.
 */
static void
territory_count_node(NodeCount *count, int rows)
{
	count->rows += rows;
	count->nodes++;
	count->singles += rows == 1;
}

/*
 * territory_leave_subtrees counts the subtrees that the path at hand is in,
 * below a level, and that end before path number "next".
 */
static void
territory_leave_subtrees(CensusTaker *taker, int level, int next)
{
	for (; taker->levels > level; taker->levels--)
	{
		int here = taker->levels;
		Subtree subtree = { taker->path, taker->end[here], here, next - taker->first[here],
							taker->children[here] };

		territory_count_node(&taker->level[here], subtree.rows);
		/* single rows are no subtrees that somebody would search */
		if (subtree.rows > 1 || here < taker->depth)
			territory_count_node(&taker->children[here - 1], subtree.rows);
		territory_offer_subtree(taker, &subtree);
	}
}

/*
 * territory_enter_subtrees makes path number n the one at hand, which begins
 * with the labels of the last one that were not left.
 */
static void
territory_enter_subtrees(CensusTaker *taker, int n)
{
	Territory *t = taker->paths[n];
	Size size = TERRITORY_SIZE(t);
	Size at = taker->levels > 0 ? taker->end[taker->levels] + 1 : 0;

	taker->path = TERRITORY_DATA(t);
	while (at < size && taker->levels < TPATH_CENSUS_LEVELS)
	{
		int here = ++taker->levels;

		taker->end[here] = at + tpath_label_size(taker->path + at, size - at);
		taker->first[here] = n;
		taker->children[here] = (NodeCount) { 0 };
		at = taker->end[here] + 1;
	}
	taker->depth = taker->levels;
}

/*
 * territory_count_subtrees makes the pass.
 */
static void
territory_count_subtrees(CensusTaker *taker)
{
	int n;

	for (n = 0; n < taker->count; n++)
	{
		Territory *t = taker->paths[n];
		Size common = n == 0 ? 0
							 : tpath_common_size(TERRITORY_DATA(t), TERRITORY_SIZE(t),
												 TERRITORY_DATA(taker->paths[n - 1]),
												 TERRITORY_SIZE(taker->paths[n - 1]));
		int level = taker->levels;

		territory_analyze_delay_point();
		while (level > 0 && taker->end[level] > common)
			level--;
		territory_leave_subtrees(taker, level, n);
		territory_enter_subtrees(taker, n);
	}
	territory_leave_subtrees(taker, 0, taker->count);
	taker->level[0].rows = taker->count;
	taker->level[0].nodes = 1;
}

/*
 * territory_table_nodes estimates how many nodes the table has where the
 * sample has some: the estimator of Haas and Stokes (1998) that the usual
 * statistics use too.
 */
static double
territory_table_nodes(const NodeCount *sample, double sample_share)
{
	double table_rows = sample->rows / sample_share;
	double nodes;

	if (sample->rows == 0)
		return 0;
	nodes = sample->rows * sample->nodes /
			(sample->rows - sample->singles + sample->singles * sample->rows / table_rows);
	return Min(Max(nodes, sample->nodes), table_rows);
}

/*
 * territory_sampled_levels returns how many levels the sample has, with that
 * of the root.
 */
static int
territory_sampled_levels(const CensusTaker *taker)
{
	int levels = 0;

	while (levels <= TPATH_CENSUS_LEVELS && taker->level[levels].rows > 0)
		levels++;
	return levels;
}

/*
 * territory_describe_levels fills in what a census says of each level.
 */
static void
territory_describe_levels(const CensusTaker *taker, TPathCensusHeader *header)
{
	int level;

	for (level = 0; level < header->levels; level++)
	{
		const NodeCount *count = &taker->level[level];

		header->level[level].share = count->rows / header->rows;
		header->level[level].nodes = territory_table_nodes(count, taker->sample_share);
	}
}

/*
 * territory_average_other returns the average size of a node's children that
 * are not listed, as a census has it.
 */
static uint32
territory_average_other(const Subtree *subtree)
{
	double rows = Max(subtree->other_rows, 0.0) / Max(subtree->other_children, 1.0);

	return (uint32) rint(rows * TPATH_CENSUS_FRACTION);
}

/*
 * territory_find_others tells for the root and for each listed subtree how
 * much is in children that are not listed. The subtrees are in tree order; of
 * a listed one the parent is listed too, since it is no smaller, but for ties.
 */
static void
territory_find_others(CensusTaker *taker, Subtree *root, Subtree **subtrees, int count)
{
	Subtree *above[TPATH_CENSUS_LEVELS + 1] = { root };
	int i;

	root->children = taker->children[0];
	root->other_rows = root->children.rows;
	root->other_children = territory_table_nodes(&root->children, taker->sample_share);
	for (i = 0; i < count; i++)
	{
		Subtree *subtree = subtrees[i];
		Subtree *parent = above[subtree->level - 1];

		subtree->other_rows = subtree->children.rows;
		subtree->other_children = territory_table_nodes(&subtree->children, taker->sample_share);
		above[subtree->level] = subtree;
		if (parent == NULL ||
			!tpath_contains(parent->path, parent->size, subtree->path, subtree->size))
			continue;
		parent->other_rows -= subtree->rows;
		parent->other_children--;
	}
}

/*
 * territory_list_subtrees writes subtrees and returns the end.
 */
static char *
territory_list_subtrees(Subtree **subtrees, int count, char *out)
{
	TPathCensusEntry entry[2];
	int i;

	for (i = 0; i < count; i++)
	{
		TPathCensusEntry *here = &entry[i % 2];

		here->path = subtrees[i]->path;
		here->size = subtrees[i]->size;
		here->rows = subtrees[i]->rows;
		here->others = territory_average_other(subtrees[i]);
		out = tpath_census_put(out, i > 0 ? &entry[1 - i % 2] : NULL, here);
	}
	return out;
}

/*
 * territory_largest_subtrees returns the listed subtrees in tree order, and
 * the bytes that they take at the most.
 */
static Subtree **
territory_largest_subtrees(const CensusTaker *taker, Size *room)
{
	int count = taker->largest->bh_size;
	Subtree **subtrees = palloc(sizeof(Subtree *) * (count + 1));
	int i;

	*room = 0;
	for (i = 0; i < count; i++)
	{
		subtrees[i] = (Subtree *) DatumGetPointer(taker->largest->bh_nodes[i]);
		*room += subtrees[i]->size + TPATH_CENSUS_ENTRY_SIZE;
	}
	qsort(subtrees, count, sizeof(Subtree *), territory_compare_subtrees);
	return subtrees;
}

/*
 * territory_make_census returns the census of a sample as a bytea in a memory
 * context.
 */
static bytea *
territory_make_census(CensusTaker *taker, int sample_rows, MemoryContext context)
{
	Size room;
	Subtree **subtrees = territory_largest_subtrees(taker, &room);
	TPathCensusHeader header = { 0 };
	Subtree root = { NULL };
	Size header_size;
	bytea *result;
	char *end;

	territory_find_others(taker, &root, subtrees, taker->largest->bh_size);
	header.rows = sample_rows;
	header.levels = territory_sampled_levels(taker);
	header.others = territory_average_other(&root);
	territory_describe_levels(taker, &header);

	header_size = TPATH_CENSUS_HEADER_SIZE(header.levels);
	result = MemoryContextAlloc(context, VARHDRSZ + header_size + room);
	memcpy(VARDATA(result), &header, header_size);
	end = territory_list_subtrees(subtrees, taker->largest->bh_size, VARDATA(result) + header_size);
	tpath_census_finish(VARDATA(result) + header_size, end - VARDATA(result) - header_size);
	SET_VARSIZE(result, end - (char *) result);
	return result;
}

/*
 * territory_fetch_paths returns the paths of a sample, detoasted, in tree
 * order, without NULLs and very long ones.
 */
static Territory **
territory_fetch_paths(VacAttrStats *stats, AnalyzeAttrFetchFunc fetch, int sample_rows, int *count)
{
	Territory **paths = palloc(sizeof(Territory *) * Max(sample_rows, 1));
	int i;

	*count = 0;
	for (i = 0; i < sample_rows; i++)
	{
		bool isnull;
		Datum value = fetch(stats, i, &isnull);

		territory_analyze_delay_point();
		if (!isnull && toast_raw_datum_size(value) <= TERRITORY_MAX_SAMPLED_SIZE)
			paths[(*count)++] = DatumGetTerritoryPP(value);
	}
	qsort(paths, *count, sizeof(Territory *), territory_compare_pointers);
	return paths;
}

/*
 * territory_store_census puts a census into the first slot that is free.
 */
static void
territory_store_census(VacAttrStats *stats, bytea *census)
{
	int slot = 0;

	while (slot < STATISTIC_NUM_SLOTS && stats->stakind[slot] != 0)
		slot++;
	if (slot == STATISTIC_NUM_SLOTS)
		return;
	stats->stakind[slot] = TERRITORY_STATISTIC_KIND_CENSUS;
	stats->stavalues[slot] = MemoryContextAlloc(stats->anl_context, sizeof(Datum));
	stats->stavalues[slot][0] = PointerGetDatum(census);
	stats->numvalues[slot] = 1;
	stats->statypid[slot] = BYTEAOID;
	stats->statyplen[slot] = -1;
	stats->statypbyval[slot] = false;
	stats->statypalign[slot] = TYPALIGN_INT;
}

/*
 * territory_compute_statistics computes the usual statistics and the census.
 */
static void
territory_compute_statistics(VacAttrStats *stats, AnalyzeAttrFetchFunc fetch, int sample_rows,
							 double table_rows)
{
	TerritoryAnalyze *analyze = stats->extra_data;
	CensusTaker taker = { 0 };
	bytea *census;

	stats->extra_data = analyze->usual_data;
	analyze->usual(stats, fetch, sample_rows, table_rows);
	stats->extra_data = analyze;
	if (!stats->stats_valid)
		return;

	taker.paths = territory_fetch_paths(stats, fetch, sample_rows, &taker.count);
	if (taker.count == 0)
		return;
	taker.largest = binaryheap_allocate(
		Min(Max(stats->minrows / TERRITORY_SAMPLE_PER_LISTED, 1), TERRITORY_MAX_LISTED),
		territory_smaller_on_top, NULL);
	territory_count_subtrees(&taker);
	taker.sample_share = Min(sample_rows / Max(table_rows, 1.0), 1.0);
	/* what is stored has to outlive the scratch memory of this column */
	census = territory_make_census(&taker, sample_rows, stats->anl_context);
	territory_store_census(stats, census);
}

/*
 * territory_typanalyze(internal) prepares ANALYZE of a column.
 */
Datum
territory_sql_typanalyze(PG_FUNCTION_ARGS)
{
	VacAttrStats *stats = (VacAttrStats *) PG_GETARG_POINTER(0);
	TerritoryAnalyze *analyze;

	if (!std_typanalyze(stats))
		PG_RETURN_BOOL(false);
	analyze = palloc(sizeof(TerritoryAnalyze));
	analyze->usual = stats->compute_stats;
	analyze->usual_data = stats->extra_data;
	stats->extra_data = analyze;
	stats->compute_stats = territory_compute_statistics;
	PG_RETURN_BOOL(true);
}
