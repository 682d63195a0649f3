/*
 * statistics.h
 *		What ANALYZE leaves for the planner about a column of paths: a census.
 */
#ifndef TERRITORY_TYPE_STATISTICS_H
#define TERRITORY_TYPE_STATISTICS_H

#include "postgres.h"

#include "path/census.h"
#include "type/territory.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"

/*
 * The kind of the statistics slot that holds a census, as one bytea. Numbers
 * from 10000 to 30000 are free for private use (pg_statistic.h).
 */
#define TERRITORY_STATISTIC_KIND_CENSUS 21587

/* a census that was read; "list" is a part of the statistics, valid as long as they are */
typedef struct TerritoryCensus
{
	TPathCensusHeader header;
	const char *list;
	Size list_size;
} TerritoryCensus;

/*
 * read the census of a column, if there is one that a function may look at
 * (its rows may be hidden from the user, and the function tell of them)
 */
extern bool territory_get_census(VariableStatData *column, Oid function, TerritoryCensus *census);

/* the share of rows that are in the subtree of a path */
extern double territory_census_subtree(const TerritoryCensus *census, const Territory *t);

/* the share of rows that are on the way to a path, from the root to itself */
extern double territory_census_lineage(const TerritoryCensus *census, const Territory *t);

/* labels that a row has on average */
extern double territory_census_labels(const TerritoryCensus *census);

/* the share of pairs of a row of each of two columns where the first contains the second */
extern double territory_census_join(const TerritoryCensus *ancestors,
									const TerritoryCensus *descendants);

#endif /* TERRITORY_TYPE_STATISTICS_H */
