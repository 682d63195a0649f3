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

#include "explain/criterion.h"
#include "explain/inquiry.h"

/* Why a condition must come true, or must not. */
typedef enum NeedKind
{
	NEED_MATCH,					/* the node must match */
	NEED_ANCESTOR,				/* so must a node above it */
	NEED_DESCENDANT,			/* a node below it must not */
	NEED_RIVAL,					/* nor one that comes before it: in mode first, or of a deal */
	NEED_WAY,					/* one below such a node must, and so take its place; of a deal */
	NEED_SELF,					/* nor any, so that the record follows the top of its family */
	NEED_OWNER,					/* a deal's owner must be a member */
	NEED_OPEN					/* a deal must not be closed */
} NeedKind;

/* By what the record is to have the node */
typedef enum Aim
{
	AIM_RULES,					/* its own */
	AIM_ABOVE					/* the record above, which has it; its own must not stand in the way */
} Aim;

/* What is wanted. */
typedef struct Objective
{
	const Inquiry *inquiry;
	Aim			aim;
	int32		node_id;
	int			node;			/* its index; -1: it has no active rules */
	int			priority;		/* the node's, where that counts */
} Objective;

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
	NeedKind	need;
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
	const Objective *objective;
	List	   *goals;			/* AIM_RULES: first the nodes that must match, from the top; then the others */
	List	   *leaves;			/* of all */
	bool		narrowed;		/* ways to reach it were left out, for they are too many */
} Formula;

/* May a node take the record away from the one that is wanted, if it matches? */
extern bool goal_may_block(const Objective *objective, int node);

/* blocking, by node: is looked at as one that must not match */
extern void formula_make(Formula *formula, const Objective *objective, const bool *blocking);

/* for those who make goals (goal.c, deal_goal.c): */
extern Goal *goal_make(GoalKind kind, NeedKind need);
extern Goal *goal_condition(Formula *formula, Expr *expr, int mask, NeedKind need, int rule);

/* that a node and all that gate it match */
extern Goal *goal_match(Formula *formula, int node, NeedKind need);

#endif							/* TERRITORY_GOAL_H */
