/*
 * leaf.h
 *		The leaves of conditions. All are made in the current memory context.
 */
#ifndef TERRITORY_LEAF_H
#define TERRITORY_LEAF_H

#include "rule/build.h"

/* allocates the growing parts in the current context */
extern void leaf_init(Builder *builder);

/* a condition of a kind, all else empty, with room for arguments */
extern Condition *condition_make(ConditionKind kind, int count);

extern Condition *leaf_constant(bool truth);

/* a test of whether an operand's code is (not) in a list that is to be filled in, and put in order */
extern Condition *leaf_codes(int operand, int room, bool negated, bool if_null);
extern void leaf_sort_codes(Condition *condition);

/* a test of an operand's rank: a btree strategy and the number of a bound */
extern Condition *leaf_range(int operand, int strategy, int bound);

/* a predicate that the executor has to find true, or (want) false */
extern Condition *leaf_predicate(Builder *builder, Expr *expr, bool want);

#endif							/* TERRITORY_LEAF_H */
