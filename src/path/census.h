/*
 * census.h
 *		How many of the paths of a sample are in which subtree, as plain bytes.
 *
 * A census says for each level how many paths reach it and how many nodes
 * there are, and lists the largest subtrees in tree order, each as what it
 * has not in common with the one before, with the average size of its
 * children that are not listed. It is a column's statistics: small, and read
 * once for each query that is planned.
 */
#ifndef TERRITORY_PATH_CENSUS_H
#define TERRITORY_PATH_CENSUS_H

#include <stdint.h>

#include "path/path.h"

/* levels that a census tells apart; a deeper one is as the last of these */
#define TPATH_CENSUS_LEVELS 64

/* children's sizes are in this part of a row of the sample */
#define TPATH_CENSUS_FRACTION 16

/* what is known of the nodes of one level; the root is the one node of level 0 */
typedef struct TPathCensusLevel
{
	float share; /* of all rows, those whose path has that many labels */
	float nodes; /* how many different nodes of this level there are */
} TPathCensusLevel;

/* the beginning of a census, which is kept without the levels that are not set */
typedef struct TPathCensusHeader
{
	uint32_t rows;	 /* of the sample */
	uint32_t levels; /* that are set */
	uint32_t others; /* average size of a node of level 1 that is not listed */
	TPathCensusLevel level[TPATH_CENSUS_LEVELS + 1];
} TPathCensusHeader;

#define TPATH_CENSUS_HEADER_SIZE(levels) \
	(offsetof(TPathCensusHeader, level) + (levels) * sizeof(TPathCensusLevel))

/* bytes of a listed subtree beside those of its path, at the most */
#define TPATH_CENSUS_ENTRY_SIZE 20

/* a listed subtree */
typedef struct TPathCensusEntry
{
	const char *path;
	size_t size;
	uint32_t rows;	 /* of the sample */
	uint32_t others; /* average size of a child that is not listed */
} TPathCensusEntry;

/* write a listed subtree behind the one before it (NULL at first) and return the end */
extern char *tpath_census_put(char *out, const TPathCensusEntry *last,
							  const TPathCensusEntry *entry);

/* scramble a list that was written, to be asked from then on */
extern void tpath_census_finish(char *list, size_t list_size);

/*
 * The listed subtree of a path or, if that is not listed, the smallest one
 * around it; false if there is none of either kind. Of the entry the path is
 * the one that was asked for, cut to its size.
 */
extern bool tpath_census_ask(const char *list, size_t list_size, const char *path, size_t size,
							 TPathCensusEntry *answer);

#endif /* TERRITORY_PATH_CENSUS_H */
