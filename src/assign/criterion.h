/*
 * criterion.h
 *		A rule's criteria, taken apart and evaluated for a record.
 */
#ifndef TERRITORY_CRITERION_H
#define TERRITORY_CRITERION_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "assign/inquiry.h"

/* What became of a condition. */
typedef enum Truth
{
	TRUTH_FALSE,
	TRUTH_TRUE,
	TRUTH_UNKNOWN
} Truth;

typedef enum CriterionKind
{
	CRITERION_CONDITION,
	CRITERION_AND,
	CRITERION_OR,
	CRITERION_NOT
} CriterionKind;

/* A condition, or what joins those that follow one level deeper. */
typedef struct Criterion
{
	CriterionKind	kind;
	char	   *place;			/* 2.1: the first part of the second condition */
	int			level;			/* from 1 */
	char	   *text;			/* the condition, or AND, OR, NOT */
	char	   *value;			/* the columns that it reads, as they are; NULL: none */
	Truth		truth;
	char	   *error;			/* evaluating it raises this; else NULL */
} Criterion;

/* Is an expression a condition by itself, not made of others? NOT of such one is, too. */
extern bool criterion_is_condition(const Expr *expr);

/* the truth of what AND, OR (all) or NOT make of others */
extern Truth truth_not(Truth truth);
extern Truth truth_join(Truth a, Truth b, bool all);

/*
 * The criteria of a rule, in the order of the criteria; conditions joined by AND at
 * the top stand side by side. truth is that of all.
 */
extern List *criterion_list(const Inquiry *inquiry, int rule, Truth *truth);

/* evaluates a condition on a row; error: the message of the error that it raises, or NULL */
extern Truth criterion_evaluate(ExprState *state, ExprContext *econtext, TupleTableSlot *slot, char **error);

#endif							/* TERRITORY_CRITERION_H */
