/*
 * ruleset.h
 *		The compiled rules of an attached table.
 *
 * A rule set is built by compile.c, matched by match.c and kept by cache.c. It
 * is immutable but for the scratch part, which holds the state of matching one
 * row.
 */
#ifndef TERRITORY_RULESET_H
#define TERRITORY_RULESET_H

#include "postgres.h"

#include "executor/tuptable.h"
#include "nodes/execnodes.h"

#include "base/session.h"
#include "rule/object.h"
#include "type/territory.h"

/*
 * A rule that hangs on a value of an operand. The guard, where there is one, is
 * another operand of which the rule needs one of a few values too: a bit for
 * each of them, by the value's code modulo 64. It turns most rules away before
 * they are looked at.
 */
typedef struct Posting
{
	int			rule;
	int			guard;			/* operand, or -1 */
	uint64		mask;
} Posting;

/*
 * An operand: an expression over the row that rules compare with constants for
 * equality (=, <>, IN, NOT IN). The dictionary numbers those constants, so that
 * a row's value is looked up once and every comparison is one of small integers.
 */
typedef struct Operand
{
	Expr	   *expr;
	AttrNumber	attno;			/* where the expression is a plain column, else 0 */
	ExprState  *state;			/* where it is not */
	Oid			collation;
	Oid			equality;		/* operator */
	bool		byval;
	int16		typlen;
	FmgrInfo	hash_function;
	FmgrInfo	equal_function;
	struct dictionary_hash *dictionary;
	int			value_count;	/* constants in the dictionary */
	double		distinct;		/* estimated distinct values in the table */
	/* rules to be tried for a value: postings[start[code] .. start[code + 1]) */
	int		   *start;			/* NULL: no rule hangs on this operand */
	Posting    *postings;
} Operand;

/* what a row's value of an operand is, beside a code of the dictionary */
#define CODE_NULL		(-1)
#define CODE_UNKNOWN	(-2)	/* no rule mentions it */

typedef enum ConditionKind
{
	CONDITION_CODES,			/* an operand's code is (not) in a list */
	CONDITION_EXPR,				/* a predicate evaluated by the executor */
	CONDITION_AND,
	CONDITION_OR,
	CONDITION_NOT,
	CONDITION_CONST
} ConditionKind;

typedef struct Condition
{
	ConditionKind kind;
	bool		negated;		/* CODES: not in the list. CONST: false */
	bool		safe;			/* CODES: may be looked at before its turn */
	int			index;			/* of the operand or predicate */
	int			count;			/* of codes or arguments */
	int		   *codes;			/* ascending */
	struct Condition **args;
} Condition;

/* A predicate that only the executor can evaluate; shared by equal conditions. */
typedef struct Predicate
{
	Expr	   *expr;
	ExprState  *state;
} Predicate;

typedef struct Rule
{
	int32		id;
	int			node;			/* index */
	char	   *name;			/* NULL: none */
	Condition  *condition;
} Rule;

/* A node that has active rules for the object; in tree order. */
typedef struct RuleNode
{
	int32		id;
	Territory  *path;
	int			depth;
	int			priority;
	bool		cascade;
	int			gate;			/* nearest node above that gates, or -1 */
	int			subtree_end;	/* index after the last node below */
} RuleNode;

/* A node that a row matches, with the lowest id of the rules that say so. */
typedef struct Match
{
	int			node;			/* index */
	int32		rule_id;
} Match;

typedef struct Ruleset
{
	MemoryContext context;		/* holds all of it */
	bool		valid;			/* cleared by an invalidation */
	int			users;			/* pins; not freed while > 0 */
	bool		orphaned;		/* no longer in the cache: the last user frees it */
	bool		matching;		/* guards the scratch part */

	ObjectInfo	object;
	PinnedSettings settings;
	int			pins;			/* settings to pin while matching */
	TupleDesc	desc;			/* of the table */
	Bitmapset  *columns;		/* that rules read */
	int			max_attno;		/* greatest column number read, key included */

	RuleNode   *nodes;
	int			node_count;
	Rule	   *rules;
	int			rule_count;
	int		   *scanned;		/* rules to be tried for every row */
	int			scanned_count;
	Operand    *operands;
	int			operand_count;
	Predicate  *predicates;
	int			predicate_count;

	/* scratch: valid where the stamp is that of the row */
	ExprContext *econtext;
	uint32		stamp;
	const Rule *current;		/* for error context */
	uint32	   *operand_stamp;
	int		   *operand_code;
	uint32	   *predicate_stamp;
	int8	   *predicate_value;	/* 0 false, 1 true, -1 unknown */
	uint32	   *rule_stamp;
	uint32	   *node_stamp;
	int32	   *node_rule;		/* lowest matching rule */
	int		   *hits;			/* nodes with a matching rule */
	Match	   *matches;
} Ruleset;

/* compile.c: builds the rule set of an object in its own context, unattached to any cache */
extern Ruleset *ruleset_compile(const ObjectInfo *object);

/* condition.c: numbers a row's value of an operand */
extern int	operand_code_of(const Operand *operand, Datum value);

/* cache.c: the current rule set, pinned; the object's lock must be held for a lasting answer */
extern Ruleset *ruleset_acquire(Oid object);
extern void ruleset_release(Ruleset *rules);

/* cache.c: NULL when the table is not attached */
extern Ruleset *ruleset_acquire_if_attached(Oid object);

/* cache.c: differs when the rules may have changed in between */
extern uint32 ruleset_generation(Oid object);

/* match.c: brackets a number of matches: role, settings, scratch */
typedef struct MatchScope
{
	Ruleset    *rules;
	SessionRole role;
	int			pin;
} MatchScope;

extern void match_begin(MatchScope *scope, Ruleset *rules);
extern void match_end(MatchScope *scope);

/* match.c: all nodes that the row matches, in tree order, in rules->matches */
extern int	match_row(Ruleset *rules, TupleTableSlot *slot);

/* match.c: what the object's mode leaves of them; in place, returns their number */
extern int	match_select(Ruleset *rules, Match *matches, int count);

#endif							/* TERRITORY_RULESET_H */
