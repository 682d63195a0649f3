/*
 * build.h
 *		What the files that build a rule set share: condition.c makes conditions
 *		of expressions, access.c decides on what rules hang, compile.c reads the
 *		tables and puts it together.
 */
#ifndef TERRITORY_BUILD_H
#define TERRITORY_BUILD_H

#include "postgres.h"

#include "utils/rel.h"

#include "rule/ruleset.h"

/* What is needed while building, beside the rule set itself. */
typedef struct Builder
{
	Ruleset    *rules;
	Relation	rel;
	int			operand_room;
	int			predicate_room;
	/* predicates by hash: chains of indexes, -1 ends one */
	int		   *bucket;
	uint32	   *hash;
	int		   *next;
} Builder;

/* condition.c: allocates the growing parts in the current context */
extern void condition_init(Builder *builder, Ruleset *rules, Relation rel);

/* condition.c: the condition of a simplified expression, in the current context */
extern Condition *condition_build(Builder *builder, Expr *expr);

/* condition.c: to be called when all conditions are built */
extern void condition_finish(Ruleset *rules);

/* access.c: hangs every rule on values, or on the list of those tried for every row */
extern void access_index(Ruleset *rules);

#endif							/* TERRITORY_BUILD_H */
