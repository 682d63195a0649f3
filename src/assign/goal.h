/*
 * goal.h
 *		What must hold for a record to come to a node, as goals over conditions.
 */
#ifndef TERRITORY_GOAL_H
#define TERRITORY_GOAL_H

#include "postgres.h"

#include "nodes/execnodes.h"
#include "nodes/pg_list.h"
#include "nodes/primnodes.h"

#include "assign/criterion.h"
#include "assign/inquiry.h"

/* Why a condition must come true, or must not. */
typedef enum NeedKind
{
	NEED_MATCH,					/* the node must match */
	NEED_ANCESTOR,				/* so must a node above it */
	NEED_DESCENDANT,			/* a node below it must not */
	NEED_RIVAL					/* nor one that comes before it in mode first */
} NeedKind;

/* truths as a set */
#define MASK_OF(truth)	(1 << (truth))
#define MASK_TRUE		MASK_OF(TRUTH_TRUE)
#define MASK_FALSE		MASK_OF(TRUTH_FALSE)
#define MASK_UNKNOWN	MASK_OF(TRUTH_UNKNOWN)

/* A condition where it stands in a rule. */
typedef struct Leaf
{
	Expr	   *condition;
	Expr	   *planned;
	Bitmapset  *columns;
	int			mask;			/* the truths that are wanted of it */
	/* of variable.c */
	ExprState  *state;
	int			variable;		/* or -1: it never changes */
	Truth		now;
	Bitmapset  *sets[3];		/* by truth: the variable's values that give it */
	Bitmapset  *wanted;			/* those that give a truth that is wanted */
} Leaf;

typedef enum GoalKind
{
	GOAL_LEAF,
	GOAL_ALL,
	GOAL_ANY
} GoalKind;

typedef struct Goal
{
	GoalKind	kind;
	NeedKind	need;
	int			rule;			/* index; of leaves */
	Leaf	   *leaf;
	List	   *args;
} Goal;

/* What must hold, all of it. */
typedef struct Formula
{
	const Inquiry *inquiry;
	int			target;			/* node */
	List	   *goals;			/* first the nodes that must match, from the top; then those that must not */
	List	   *leaves;			/* of all */
} Formula;

/* blocking, by node: it must not match */
extern void formula_make(Formula *formula, const Inquiry *inquiry, int target, const bool *blocking);

#endif							/* TERRITORY_GOAL_H */
