/*
 * answer.h
 *		What would have to change for a record to come to a node, here and in the
 *		records above it.
 */
#ifndef TERRITORY_ANSWER_H
#define TERRITORY_ANSWER_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "pair/pair.h"
#include "type/territory.h"

typedef struct Answer
{
	List	   *points;			/* of Advice; none: the record is there */
	bool		reached;		/* with all of them done the engine gives the record the node */
	int			columns;		/* that are to be changed, of all records */
	StoredPair *pairs;			/* reached: all that the record has then */
	int			pair_count;
} Answer;

/*
 * Needs an SPI connection. Raises P0002 where the caller sees no such record.
 */
extern Answer *answer_find(Oid object, const char *key, const Territory *path, int32 node_id);

#endif							/* TERRITORY_ANSWER_H */
