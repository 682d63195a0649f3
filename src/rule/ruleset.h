/*
 * ruleset.h
 *		The compiled rules of an attached table.
 *
 * A rule set is built by compile.c, matched by match.c and kept by cache.c. It
 * is immutable but for the scratch parts, which hold the state of matching one
 * row.
 */
#ifndef TERRITORY_RULESET_H
#define TERRITORY_RULESET_H

#include "postgres.h"

#include "executor/tuptable.h"
#include "nodes/execnodes.h"
#include "portability/instr_time.h"
#include "utils/sortsupport.h"

#include "base/session.h"
#include "rule/object.h"
#include "type/territory.h"

/*
 * An attribute: a column, or another expression over the row, that rules compare
 * with constants. It is evaluated once a row at most.
 */
typedef struct Attribute
{
	Expr	   *expr;
	AttrNumber	attno;			/* where the expression is a plain column, else 0 */
	bool		varlena;		/* the column's values may be compressed or elsewhere */
	ExprState  *state;			/* where it is not */
	int			rule;			/* one that has it: named if it raises an error */
	int			first_operand;	/* chain of its operands, -1 ends it */
	/* scratch */
	uint32		stamp;
	bool		isnull;
	Datum		value;
} Attribute;

/*
 * An operand: an attribute under one way of comparing it. The constants that it
 * is compared with are numbered, so that a row's value is looked up once, to give
 * the row's code, and every comparison is one of small integers.
 */
typedef enum OperandKind
{
	OPERAND_NULLNESS,			/* whether it is NULL, no more */
	OPERAND_EQUAL,				/* the number of the constant that it equals */
	OPERAND_PREFIX,				/* the number of the constant that its first bytes are */
	OPERAND_ORDER				/* its rank: 2i + 1 if it equals bound i, 2i between i - 1 and i */
} OperandKind;

/* a row's code, where it is none of these numbers */
#define CODE_NULL		(-1)
#define CODE_UNKNOWN	(-2)	/* no constant is like it */

/* how values are compared without a call */
typedef enum ValueClass
{
	VALUE_INTEGER,				/* as integers */
	VALUE_BYTES,				/* byte by byte */
	VALUE_OTHER					/* by the type's functions */
} ValueClass;

typedef struct Operand
{
	/* scratch; first, for matching looks at little else */
	uint32		stamp;
	int			code;
	OperandKind kind;
	ValueClass	class;
	int			attribute;
	int			size;			/* PREFIX: bytes */
	Oid			type;			/* of the values */
	int			value_count;	/* constants, or bounds */
	struct dictionary_hash *dictionary; /* EQUAL, PREFIX */
	Datum	   *bounds;			/* ORDER; ascending */
	Datum	   *abbreviated;	/* NULL: the type has no abbreviated form */
	SortSupport order;
	int			next;			/* of the attribute's operands, or -1 */
	Oid			by;				/* equality operator or btree operator family */
	Oid			collation;
	int16		typlen;
	bool		byval;
	FmgrInfo	hash_function;	/* of class OTHER */
	FmgrInfo	equal_function;
	/* while it is built: share of the rows by code, or of those up to a rank; of other codes; of NULL */
	float	   *shares;
	float		other_share;
	float		null_share;
} Operand;

/* A predicate that only the executor can evaluate; shared by equal conditions. */
typedef struct Predicate
{
	Expr	   *expr;
	ExprState  *state;
	/* scratch */
	uint32		stamp;
	int8		value;			/* 0 false, 1 true, -1 unknown */
} Predicate;

/*
 * A step of a program: a question, and where to go on. A rule's condition is
 * compiled into such short-circuit code, as compilers do with Boolean
 * expressions, so that one loop without recursion evaluates it. Steps are small,
 * since matching waits for memory above all.
 */
typedef enum StepKind
{
	STEP_CODE,					/* is the code this one? */
	STEP_CODES,					/* is it in a list? */
	STEP_RANGE,					/* is it in a range? */
	STEP_EXPR					/* has a predicate this value? */
} StepKind;

typedef struct Step
{
	uint32		kind:2;
	uint32		negated:1;
	uint32		if_null:1;		/* the answer where the operand is NULL */
	uint32		last:1;			/* the answer is the program's */
	uint32		go_on:1;		/* the answer with which the next step follows */
	uint32		index:26;		/* of the operand or predicate */
	int32		from;			/* code; least code; begin of the list in codes; value */
	int32		to;				/* greatest code; end of the list */
	int32		otherwise;		/* the step that follows with the other answer, or a result */
} Step;

#define STEP_MAX_INDEX ((1 << 26) - 1)

/* results of a program, and programs of nothing but the result */
#define PROGRAM_TRUE	(-1)
#define PROGRAM_FALSE	(-2)

/* A rule to be checked, with the program that is left to do so. */
typedef struct Candidate
{
	int			rule;
	int			program;		/* its first step, or one of these results */
} Candidate;

/*
 * The access tree. Each node has candidates that are tried as they are, and
 * partitions, each by an operand: a row goes on to the child that has the row's
 * code, or finds the candidates whose range has the row's rank.
 *
 * It lies in one block of memory, since matching waits for memory above all:
 * after a node come its candidates and its partitions, after these the slots that
 * lead to its children. Places are offsets in the block, in words of 4 bytes.
 */
typedef struct AccessNode
{
	int32		candidate_count;
	int32		partition_count;
} AccessNode;

typedef enum PartitionKind
{
	PARTITION_CODES,			/* children by code, in an array */
	PARTITION_SLOTS,			/* children by code, in a hash table */
	PARTITION_RANGES			/* candidates by rank, in an interval tree */
} PartitionKind;

typedef struct Partition
{
	int32		operand;
	int32		kind;
	int32		place;			/* of the array or the table; root of the interval tree */
	int32		first;			/* CODES: code of the first child of the array */
	uint32		last;			/* greatest index in the array or the table */
} Partition;

typedef struct Slot
{
	int32		code;
	int32		child;			/* place of a node, or NO_CHILD: the slot is empty */
} Slot;

#define NO_CHILD (-1)

/*
 * The slot at which looking for a code begins; the next ones follow.
 */
static inline uint32
access_slot(int code, uint32 mask)
{
	return (uint32) (((uint64) (uint32) code * UINT64CONST(0x9E3779B97F4A7C15)) >> 32) & mask;
}

static inline Candidate *
access_candidates(AccessNode *node)
{
	return (Candidate *) (node + 1);
}

static inline Partition *
access_partitions(AccessNode *node)
{
	return (Partition *) (access_candidates(node) + node->candidate_count);
}

/* A node of a centered interval tree; see interval.c. */
typedef struct IntervalNode
{
	int			center;
	int			below;			/* node of the intervals below the center, or -1 */
	int			above;
	int			first;			/* of the intervals that contain the center */
	int			count;
} IntervalNode;

/* An end of an interval with what hangs on it. */
typedef struct IntervalEnd
{
	int			bound;
	Candidate	candidate;
} IntervalEnd;

/* Rules stand in the order of their nodes, those of a node by id. */
typedef struct Rule
{
	int32		id;
	int			node;			/* index */
} Rule;

#define ACCESS_OPERANDS 4

/* What people want to know of a rule; apart from it, for matching is all about memory near by. */
typedef struct RuleInfo
{
	char	   *name;			/* NULL: none */
	bool		scanned;		/* is tried for every row */
	int			access[ACCESS_OPERANDS];	/* operands that lead to it, -1 ends them */
} RuleInfo;

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

typedef struct LinkRules LinkRules;

/* A node that a row matches, with the lowest id of the rules that say so. */
typedef struct Match
{
	int			node;			/* index */
	int32		rule_id;
} Match;

/* What trying a rule has come to, where somebody counts. */
typedef struct RuleCount
{
	int64		tried;
	int64		matched;		/* rows */
	instr_time	time;			/* of trying it */
	uint32		stamp;			/* of the last row that matched */
} RuleCount;

/* candidates that are found before they are tried */
#define WAITING_CANDIDATES 64

typedef struct Ruleset
{
	MemoryContext context;		/* holds all of it */
	bool		valid;			/* cleared by an invalidation */
	int			users;			/* pins; not freed while > 0 */
	bool		orphaned;		/* no longer in the cache: the last user frees it */
	bool		matching;		/* guards the scratch parts */

	ObjectInfo	object;
	PinnedSettings settings;
	int			pins;			/* settings to pin while matching */
	TupleDesc	desc;			/* of the table */
	Bitmapset  *columns;		/* that rules read */
	int			max_attno;		/* greatest column number read, key included */

	RuleNode   *nodes;
	int			node_count;
	Rule	   *rules;
	RuleInfo   *infos;
	int			rule_count;

	Attribute  *attributes;
	int			attribute_count;
	Operand    *operands;
	int			operand_count;
	Predicate  *predicates;
	int			predicate_count;
	Step	   *steps;
	int			step_count;
	int		   *codes;			/* lists of the steps */
	int			code_count;

	int32	   *access;			/* the access tree; its root is at 0 */
	int			access_size;	/* words */
	IntervalNode *intervals;
	int			interval_count;
	IntervalEnd *lows;			/* ends of intervals, ascending within a node */
	IntervalEnd *highs;			/* descending */
	int			end_count;

	/* scratch: valid where the stamp is that of the row */
	ExprContext *econtext;
	uint32		stamp;
	int			current;		/* rule, for error context; -1: none */
	int			waiting_count;
	Candidate	waiting[WAITING_CANDIDATES];
	int		   *hits;			/* true rules; in the end one a node, in tree order */
	int			hit_count;
	int			hit_room;
	Match	   *matches;
	RuleCount  *counts;			/* NULL: nobody counts */

	LinkRules  *link;		/* link.c; NULL: records depend on no others */
} Ruleset;

/* compile.c: builds the rule set of an object in its own context, unattached to any cache */
extern Ruleset *ruleset_compile(const ObjectInfo *object);

/* operand.c: the code of a row's value, which is not NULL */
extern int	operand_code_of(Operand *operand, Datum value);

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

/* match.c: has a node a true rule, by the last match? */
extern bool match_has_rule(const Ruleset *rules, int node);

/* match.c: what the object's mode leaves of them; in place, returns their number */
extern int	match_select(Ruleset *rules, Match *matches, int count);

#endif							/* TERRITORY_RULESET_H */
