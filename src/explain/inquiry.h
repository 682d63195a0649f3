/*
 * inquiry.h
 *		A record that is to be explained, with all that decides on it.
 */
#ifndef TERRITORY_INQUIRY_H
#define TERRITORY_INQUIRY_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/rel.h"

#include "explain/above.h"
#include "explain/held.h"
#include "explain/outcome.h"
#include "pair/exclusion.h"
#include "rule/ruleset.h"

/* An exclusion of the record, as people want to know of it. */
typedef struct Ban
{
	int32		id;
	int32		node_id;		/* or EVERY_NODE */
	char	   *who;			/* NULL: not known */
	TimestampTz since;
	bool		has_since;
	char	   *note;			/* NULL: none */
} Ban;

typedef struct Inquiry
{
	Ruleset    *rules;
	Relation	rel;
	const char *key;
	Datum		key_value;
	TupleTableSlot *slot;		/* the table's columns, those that rules read */
	char	  **expressions;	/* of the rules, in the rule set's order */
	Premise		premise;		/* its exclusions, and its pairs */
	Ban		   *bans;			/* those of its node before those of every node */
	int			ban_count;
	HeldList	held;			/* its pairs */
	Above		above;
	bool	   *own;			/* by node index: is a rule of it true? */
	int32	   *true_rule;		/* by node index: the lowest of them, or 0 */
	Outcome		outcome;		/* what it has by rules */
	Match	   *chosen;			/* what its own rules alone give it */
	int			chosen_count;
	DealCandidate *candidates;	/* of a deal */
	int			candidate_count;
} Inquiry;

/*
 * Reads a record as the caller may and calls back with it; needs an SPI connection.
 * Raises P0002 where the caller sees no such record.
 */
extern void inquiry_visit(Oid object, const char *key, void (*visit) (Inquiry *, void *), void *arg);

/* calls back between match_begin and match_end, which evaluating criteria needs */
extern void inquiry_match(Inquiry *inquiry, void (*work) (Inquiry *, void *), void *arg);

/* decides anew: what counts beside its row has been changed. Within inquiry_match. */
extern void inquiry_decide(Inquiry *inquiry, void *unused);

/* the id of the node that the caller asks about; raises 42704 where there is none */
extern int32 inquiry_find_node(const Territory *path);

/* index of a node in the rule set, or -1: it has no active rules */
extern int	inquiry_node_index(const Inquiry *inquiry, int32 node_id);

/* the first rule of a node; the others follow */
extern int	inquiry_first_rule(const Inquiry *inquiry, int node);

/* the exclusion from a node, or NULL */
extern const Ban *inquiry_ban(const Inquiry *inquiry, int32 node_id);

/* is it among what the record's own rules give it? */
extern bool inquiry_has_chosen(const Inquiry *inquiry, int node);

/* the path of a node that rules, the record or the one above it have; palloc'd text */
extern char *inquiry_path(const Inquiry *inquiry, int32 node_id);

/* the nearest node above that keeps this one shut, or -1 */
extern int	inquiry_closed_gate(const Inquiry *inquiry, int node);

/* what its rule says, parsed */
extern Expr *inquiry_criteria(const Inquiry *inquiry, int rule);

/* a column's value as text; NULL: it is NULL */
extern char *inquiry_value(const Inquiry *inquiry, AttrNumber attno);

/* the name of a rule, of this table or another one, or its number */
extern char *inquiry_rule_name(const Inquiry *inquiry, int32 rule_id);

#endif							/* TERRITORY_INQUIRY_H */
