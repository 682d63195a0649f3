/*
 * statistics.c
 *		A census of a column, read and asked.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type_d.h"
#include "type/statistics.h"
#include "utils/array.h"
#include "utils/syscache.h"

/*
 * territory_read_census takes a census apart. What has not the form of one,
 * which only a superuser can have put there, is none.
 */
static bool
territory_read_census(const bytea *value, TerritoryCensus *census)
{
	const char *data = VARDATA_ANY(value);
	Size size = VARSIZE_ANY_EXHDR(value);
	Size header_size;

	if (size < TPATH_CENSUS_HEADER_SIZE(1))
		return false;
	memcpy(&census->header, data, TPATH_CENSUS_HEADER_SIZE(0));
	if (census->header.rows == 0 || census->header.levels == 0 ||
		census->header.levels > TPATH_CENSUS_LEVELS + 1)
		return false;
	header_size = TPATH_CENSUS_HEADER_SIZE(census->header.levels);
	if (size < header_size)
		return false;
	memcpy(&census->header, data, header_size);
	census->list = data + header_size;
	census->list_size = size - header_size;
	return true;
}

/*
 * territory_census_value returns the values of the slot of a census, or NULL
 * if there is none. The server's get_attstatsslot would copy them.
 */
static ArrayType *
territory_census_value(HeapTuple statistics)
{
	Form_pg_statistic form = (Form_pg_statistic) GETSTRUCT(statistics);
	const int16 *kinds = &form->stakind1;
	Datum values;
	bool isnull;
	int slot = 0;

	while (slot < STATISTIC_NUM_SLOTS && kinds[slot] != TERRITORY_STATISTIC_KIND_CENSUS)
		slot++;
	if (slot == STATISTIC_NUM_SLOTS)
		return NULL;
	values =
		SysCacheGetAttr(STATRELATTINH, statistics, Anum_pg_statistic_stavalues1 + slot, &isnull);
	return isnull ? NULL : DatumGetArrayTypeP(values);
}

/*
 * territory_get_census reads the census of a column.
 */
bool
territory_get_census(VariableStatData *column, Oid function, TerritoryCensus *census)
{
	ArrayType *values;

	if (!HeapTupleIsValid(column->statsTuple) || !statistic_proc_security_check(column, function))
		return false;
	values = territory_census_value(column->statsTuple);
	return values != NULL && ARR_ELEMTYPE(values) == BYTEAOID && ARR_NDIM(values) == 1 &&
		   ARR_DIMS(values)[0] == 1 && !ARR_HASNULL(values) &&
		   territory_read_census((bytea *) ARR_DATA_PTR(values), census);
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
