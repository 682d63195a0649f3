/*
 * comparison.h
 *		Conditions of comparisons with constants.
 *
 * Each is the condition that the comparison is true, or (want) that it is false,
 * in the current memory context; NULL where only the executor can tell.
 */
#ifndef TERRITORY_COMPARISON_H
#define TERRITORY_COMPARISON_H

#include "rule/build.h"

/* expression operator constant, either way round */
extern Condition *comparison_by_operator(Builder *builder, OpExpr *expr, bool want);

/* expression operator ANY (constants), or ALL */
extern Condition *comparison_with_list(Builder *builder, const ScalarArrayOpExpr *expr, bool want);

/* expression IS DISTINCT FROM constant */
extern Condition *comparison_distinct(Builder *builder, OpExpr *expr, bool want);

/* expression IS NULL, or IS NOT NULL: always a condition */
extern Condition *comparison_with_null(Builder *builder, Expr *expr, bool is_null);

/* a Boolean expression is one of these: always a condition */
extern Condition *comparison_of_boolean(Builder *builder, Expr *expr, bool is_true, bool is_false, bool is_null);

#endif							/* TERRITORY_COMPARISON_H */
