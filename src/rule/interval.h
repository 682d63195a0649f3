/*
 * interval.h
 *		Candidates that hang on ranges of ranks.
 */
#ifndef TERRITORY_INTERVAL_H
#define TERRITORY_INTERVAL_H

#include "rule/build.h"

/* A range of ranks with what hangs on it. */
typedef struct RankRange
{
	int			low;
	int			high;
	Candidate	candidate;
} RankRange;

/* builds a tree of intervals, which it reorders; returns its root */
extern int	interval_build(RuleIndex *index, RankRange *intervals, int count);

#endif							/* TERRITORY_INTERVAL_H */
