/*
 * statistics.c
 *		A census of a column, read and asked.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "type/statistics.h"
#include "utils/builtins.h"

/*
 * territory_read_census takes the census in the slot apart. What it has not
 * the form of, which only a superuser can have put there, is no census.
 */
static bool
territory_read_census(TerritoryCensus *census)
{
	bytea *value = DatumGetByteaPP(census->slot.values[0]);
	Size size = VARSIZE_ANY_EXHDR(value);
	Size header_size;

	if (size < TPATH_CENSUS_HEADER_SIZE(1))
		return false;
	memcpy(&census->header, VARDATA_ANY(value), TPATH_CENSUS_HEADER_SIZE(0));
	if (census->header.rows == 0 || census->header.levels == 0 ||
		census->header.levels > TPATH_CENSUS_LEVELS + 1)
		return false;
	header_size = TPATH_CENSUS_HEADER_SIZE(census->header.levels);
	if (size < header_size)
		return false;
	memcpy(&census->header, VARDATA_ANY(value), header_size);
	census->list = VARDATA_ANY(value) + header_size;
	census->list_size = size - header_size;
	return true;
}

/*
 * territory_get_census reads the census of a column, to be freed if it
 * returns true.
 */
bool
territory_get_census(VariableStatData *column, Oid function, TerritoryCensus *census)
{
	if (!HeapTupleIsValid(column->statsTuple) ||
		!statistic_proc_security_check(column, function) ||
		!get_attstatsslot(&census->slot, column->statsTuple, TERRITORY_STATISTIC_KIND_CENSUS,
						  InvalidOid, ATTSTATSSLOT_VALUES))
		return false;
	if (census->slot.valuetype == BYTEAOID && census->slot.nvalues == 1 &&
		territory_read_census(census))
		return true;
	free_attstatsslot(&census->slot);
	return false;
}

/*
 * territory_free_census frees what territory_get_census read.
 */
void
territory_free_census(TerritoryCensus *census)
{
	free_attstatsslot(&census->slot);
}

/*
 * territory_average_share returns the share of rows that a node of a level
 * has in its subtree on average.
 */
static double
territory_average_share(const TPathCensusHeader *header, int level)
{
	return header->level[level].share / Max(header->level[level].nodes, 1.0);
}

/*
 * territory_census_subtree returns the rows of a subtree that is listed.
 * Another one is taken for an average child of the smallest listed one around
 * it; if it is further down, it is as much smaller as nodes are from level to
 * level.
 */
double
territory_census_subtree(const TerritoryCensus *census, const Territory *t)
{
	const TPathCensusHeader *header = &census->header;
	const char *payload = TERRITORY_DATA(t);
	Size size = TERRITORY_SIZE(t);
	TPathCensusEntry around = { payload, 0, 0, header->others };
	int level = Min(territory_nlevel(t), (int) header->levels - 1);
	int child;

	if (size == 0)
		return header->level[0].share;
	if (tpath_census_ask(census->list, census->list_size, payload, size, &around) &&
		around.size == size)
		return (double) around.rows / header->rows;

	child = Min((int) tpath_level_count(payload, around.size) + 1, level);
	return (double) around.others / TPATH_CENSUS_FRACTION / header->rows *
		   territory_average_share(header, level) / territory_average_share(header, child);
}

/*
 * territory_census_at_level returns the share of rows whose path ends at a
 * level.
 */
static double
territory_census_at_level(const TPathCensusHeader *header, int level)
{
	double below = level + 1 < header->levels ? header->level[level + 1].share : 0.0;

	return Max(header->level[level].share - below, 0.0);
}

/*
 * territory_census_lineage supposes that each level's rows are spread evenly
 * over its nodes.
 */
double
territory_census_lineage(const TerritoryCensus *census, const Territory *t)
{
	const TPathCensusHeader *header = &census->header;
	int levels = Min(territory_nlevel(t), (int) header->levels - 1);
	double share = 0.0;
	int level;

	for (level = 0; level <= levels; level++)
		share += territory_census_at_level(header, level) / Max(header->level[level].nodes, 1.0);
	return share;
}

/*
 * territory_census_labels returns the average number of labels.
 */
double
territory_census_labels(const TerritoryCensus *census)
{
	double labels = 0.0;
	int level;

	for (level = 1; level < census->header.levels; level++)
		labels += census->header.level[level].share;
	return labels;
}

/*
 * territory_census_join goes level by level: a row of the descendants meets
 * the rows of the ancestors that end at a level if both are of one node,
 * which is one out of as many as the side with more nodes has, as in a join
 * by equality.
 */
double
territory_census_join(const TerritoryCensus *ancestors, const TerritoryCensus *descendants)
{
	int levels = Min(ancestors->header.levels, descendants->header.levels);
	double share = 0.0;
	int level;

	for (level = 0; level < levels; level++)
		share += territory_census_at_level(&ancestors->header, level) *
				 descendants->header.level[level].share /
				 Max(Max(ancestors->header.level[level].nodes,
						 descendants->header.level[level].nodes),
					 1.0);
	return share;
}
