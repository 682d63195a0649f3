/*
 * inquiry.h
 *		A record that is to be explained, with all that decides on it.
 */
#ifndef TERRITORY_INQUIRY_H
#define TERRITORY_INQUIRY_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/rel.h"

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

/* A pair that is stored. */
typedef struct Held
{
	int32		node_id;
	Territory  *path;
	int32		rule_id;		/* 0: none */
	bool		manual;
	TimestampTz since;
} Held;

typedef struct Inquiry
{
	Ruleset    *rules;
	Relation	rel;
	const char *key;
	TupleTableSlot *slot;		/* the table's columns, those that rules read */
	char	  **expressions;	/* of the rules, in the rule set's order */
	Exclusion  *exclusions;
	int			exclusion_count;
	Ban		   *bans;			/* those of its node before those of every node */
	int			ban_count;
	Held	   *held;			/* in the active model, in tree order */
	int			held_count;
	bool	   *own;			/* by node index: is a rule of it true? */
	int32	   *true_rule;		/* by node index: the lowest of them, or 0 */
	Match	   *chosen;			/* what it has by its rules */
	int			chosen_count;
} Inquiry;

/*
 * Reads a record as the caller may and calls back with it, between match_begin
 * and match_end, with an SPI connection. Raises P0002 where the caller sees no such record.
 */
extern void inquiry_visit(Oid object, const char *key, void (*visit) (Inquiry *, void *), void *arg);

/* the id of the node that the caller asks about; raises 42704 where there is none */
extern int32 inquiry_find_node(const Territory *path);

/* index of a node in the rule set, or -1: it has no active rules */
extern int	inquiry_node_index(const Inquiry *inquiry, int32 node_id);

/* the first rule of a node; the others follow */
extern int	inquiry_first_rule(const Inquiry *inquiry, int node);

/* the stored pair with a node, or NULL */
extern const Held *inquiry_held(const Inquiry *inquiry, int32 node_id);

/* the exclusion from a node, or NULL */
extern const Ban *inquiry_ban(const Inquiry *inquiry, int32 node_id);

/* is it among what the record has by its rules? */
extern bool inquiry_has_chosen(const Inquiry *inquiry, int node);

/* the nearest node above that keeps this one shut, or -1 */
extern int	inquiry_closed_gate(const Inquiry *inquiry, int node);

/* what its rule says, parsed */
extern Expr *inquiry_criteria(const Inquiry *inquiry, int rule);

/* a column's value as text; NULL: it is NULL */
extern char *inquiry_value(const Inquiry *inquiry, AttrNumber attno);

/* the name of a rule, or its number */
extern char *inquiry_rule_name(const Inquiry *inquiry, int32 rule_id);

#endif							/* TERRITORY_INQUIRY_H */
