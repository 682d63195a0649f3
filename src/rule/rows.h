/*
 * rows.h
 *		Rows of territory.node and territory.rule as a rule set has read them.
 *
 * Each is kept with the place and the transaction of its version, which no other
 * version of a row of the same file has: so a plain scan tells which rows have
 * changed since, without a look into those that have not.
 */
#ifndef TERRITORY_ROWS_H
#define TERRITORY_ROWS_H

#include "postgres.h"

#include "storage/itemptr.h"
#include "utils/snapshot.h"

#include "rule/index.h"
#include "type/territory.h"

typedef struct RowVersion
{
	ItemPointerData place;
	TransactionId writer;
} RowVersion;

/* A node of the model. */
typedef struct StoredNode
{
	RowVersion	version;
	int32		id;
	int32		priority;
	bool		cascade;
	bool		used;			/* has rules */
	int			index;			/* number in the rule set, or -1 */
	Territory  *path;
} StoredNode;

typedef struct StoredNodes
{
	MemoryContext context;		/* holds all of it */
	Oid			file;
	int32		model;
	StoredNode *nodes;			/* in the order of the table */
	int			count;
	struct node_places_hash *places;
} StoredNodes;

/* A row of the table of rules, whichever object's. */
typedef struct StoredRule
{
	RowVersion	version;
	int32		node_id;		/* 0: it is none of the object's active rules */
	int			number;			/* in the index, or -1 */
} StoredRule;

typedef struct StoredRules
{
	MemoryContext context;		/* of the list */
	Oid			file;
	StoredRule *rules;			/* in the order of the table */
	int			count;
} StoredRules;

/* What a scan of the rules finds, beside those that are known. */
typedef struct RulesFound
{
	RuleText   *texts;			/* rules that are not */
	int			count;
	bool	   *alive;			/* of the known ones: still there */
} RulesFound;

/* the nodes of a model, in a context under the current one */
extern StoredNodes *nodes_read(int32 model, Snapshot snapshot);

/* Are they what a snapshot sees of the model? */
extern bool nodes_are_current(const StoredNodes *known, int32 model, Snapshot snapshot);

/* NULL: the model has no such node */
extern StoredNode *node_of(const StoredNodes *nodes, int32 id);

/*
 * The active rules of an object whose nodes are in the model, in the current
 * context; stored takes note of all rows.
 */
extern void rules_read(Oid object, const StoredNodes *nodes, Snapshot snapshot,
					   StoredRules *stored, RulesFound *found);

/* likewise, but finds what is new and notes which of the known ones are there; false: the file is another one */
extern bool rules_read_again(Oid object, const StoredNodes *nodes, Snapshot snapshot,
							 const StoredRules *known, RulesFound *found);

#endif							/* TERRITORY_ROWS_H */
