/*
 * build.h
 *		What the files that build an index of rules share. In the order of the work:
 *		compile.c parses rules, condition.c makes a tree of conditions of each, with
 *		the comparisons of comparison.c and the leaves of leaf.c, operand.c numbers
 *		the constants that they compare with, share.c estimates how many rows pass a
 *		comparison, program.c makes a program of each tree, access.c decides on which
 *		comparisons rules hang.
 */
#ifndef TERRITORY_BUILD_H
#define TERRITORY_BUILD_H

#include "postgres.h"

#include "utils/rel.h"

#include "rule/index.h"

/*
 * A condition, as far as it must be known to be true: NOT has been carried down
 * to the comparisons (x < 5 must be false: x >= 5), whose answer is yes or no,
 * also where SQL's is unknown. It lives while the index is built.
 */
typedef enum ConditionKind
{
	CONDITION_CODES,			/* an operand's code is (not) in a list */
	CONDITION_RANGE,			/* an operand's rank is (not) within a range */
	CONDITION_EXPR,				/* the executor evaluates a predicate to true, or false */
	CONDITION_AND,
	CONDITION_OR,
	CONDITION_CONST
} ConditionKind;

typedef struct Condition
{
	ConditionKind kind;
	bool		truth;			/* EXPR: which value is asked for. CONST: the answer */
	bool		negated;		/* CODES, RANGE: not within */
	bool		if_null;		/* CODES: the answer for NULL */
	bool		safe;			/* may be looked at before its turn: can raise no error */
	bool		implied;		/* a row that finds the rule passes it */
	int			index;			/* of the operand or predicate */
	int			count;			/* of codes or arguments */
	int		   *codes;			/* ascending */
	int			code;			/* where there is one */
	/* RANGE: the operand's bounds by number, then ranks; both ends belong to it */
	int			low;
	int			high;
	bool		low_open;		/* only while it is built: the bound does not belong to it */
	bool		high_open;
	double		share;			/* estimated share of the rows that pass; of CODES and RANGE */
	struct Condition **args;
} Condition;

/* no bound at this end */
#define UNBOUNDED (-1)

/* Expressions numbered by what equal() says: intern.c. */
typedef struct Interned
{
	Expr	  **exprs;
	uint32	   *hash;
	int		   *next;			/* chain of a bucket, -1 ends it */
	int			count;
	int			room;
	int		   *bucket;
} Interned;

/* What an operator means for comparisons with constants. */
typedef struct OperatorMeaning
{
	Oid			operator;
	Oid			left;
	Oid			right;
	Oid			equality;		/* that it is, or (negated) the negation of; or InvalidOid */
	bool		negated;
	bool		is_order;
	int			strategy;		/* in a btree operator family, or TERRITORY_ORDER_NE */
	Oid			family;
} OperatorMeaning;

#define KNOWN_OPERATORS 64

/* What is needed while building, beside the index itself. */
typedef struct Builder
{
	RuleIndex  *index;
	Relation	rel;
	Oid			owner;			/* of the table, who evaluates the rules */
	MemoryContext context;		/* of all of this */
	int			rule;			/* at work */
	Condition **conditions;		/* of the rules */
	int			attribute_room;
	int			operand_room;
	int			predicate_room;
	int		   *column_attribute;	/* attribute of a column, by number, or -1 */
	Interned	attribute_exprs;	/* of attributes that are no columns */
	int		   *interned_attribute;
	int			interned_room;
	Interned	predicate_exprs;	/* number for number the predicates */
	OperatorMeaning operators[KNOWN_OPERATORS]; /* met so far */
	int			operator_count;
} Builder;

/* intern.c: allocates in the current context; returns the expression's number */
extern void intern_init(Interned *table);
extern int	intern(Interned *table, Expr *expr, bool *is_new);

/* operand.c: allocates the growing parts in the current context */
extern void operand_init(Builder *builder);

/*
 * operand.c: the number of an operand, a new one if need be. by is the equality
 * operator, or the btree operator family of an order; size is that of a prefix.
 */
extern int	operand_find(Builder *builder, Expr *expr, OperandKind kind, Oid by, Oid collation, int size);

/* operand.c: the code of a constant; a new one if need be. type: of the constant */
extern int	operand_enter(Builder *builder, int operand, Oid type, Datum value);

/* operand.c: the number of a bound, which operand_finish makes a position of */
extern int	operand_enter_bound(Builder *builder, int operand, Oid type, Datum value);

/* operand.c: when all constants are known: sorts bounds; places[operand][bound] is its position */
extern int **operand_finish(Builder *builder);

/* condition.c: the condition of a simplified expression, in the current context */
extern Condition *condition_build(Builder *builder, Expr *expr);

/* condition.c: when all are built: bounds become ranks, ranges of an operand one, shares are set */
extern Condition *condition_finish(Builder *builder, Condition *condition, int **places);

/* share.c: estimates for every operand the share of rows by code or rank, from the table's statistics */
extern void share_init(Builder *builder);
extern double share_of(const Builder *builder, const Condition *condition);

/* program.c: makes a program of a condition, and returns where it starts */
extern int	program_build(Builder *builder, const Condition *condition);

/* access.c: hangs every rule on values, or on the list of those tried for every row */
extern void access_build(Builder *builder);

#endif							/* TERRITORY_BUILD_H */
