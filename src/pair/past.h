/*
 * past.h
 *		The table of pairs that ended, beside the assignment table.
 */
#ifndef TERRITORY_PAST_H
#define TERRITORY_PAST_H

#include "postgres.h"

#include "pair/pair.h"
#include "rule/object.h"

/* What a pair was until it ended, or (held) until its rule changed. */
typedef struct PastPair
{
	Datum		key;
	int32		node_id;
	int32		rule_id;		/* 0: none */
	bool		manual;
	bool		held;
	TimestampTz since;
	ItemPointerData row;		/* where it was written */
} PastPair;

typedef struct PastList
{
	bool		kept;			/* false: nothing is, history is off */
	TimestampTz until;			/* the moment at which they end */
	int			count;
	int			room;
	PastPair   *pairs;
} PastList;

/*
 * Notes a stored pair, in the current memory context. One that the running
 * transaction began never stood for anybody else, and is left out.
 */
extern void past_append(PastList *list, const Pair *pair, bool held);

/* Writes what was noted; false where only SQL may write the table. */
extern bool past_write(const ObjectInfo *object, const PastList *list);

#endif							/* TERRITORY_PAST_H */
