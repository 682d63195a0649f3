/*
 * ruleset.h
 *		The compiled rules of an attached table.
 *
 * A rule set is built by ruleset.c, matched by match.c and kept by cache.c. It has
 * the nodes that have rules, and an index that finds the rules which a row makes
 * true. Where few rules have changed since, it is not built anew but patched:
 * those that are gone are marked in the index, the new ones get an index of their
 * own.
 */
#ifndef TERRITORY_RULESET_H
#define TERRITORY_RULESET_H

#include "postgres.h"

#include "executor/tuptable.h"

#include "base/session.h"
#include "rule/index.h"
#include "rule/object.h"
#include "rule/rows.h"
#include "type/territory.h"

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

typedef struct Ruleset
{
	MemoryContext context;		/* holds all of it */
	bool		valid;			/* cleared by an invalidation */
	int			users;			/* pins; not freed while > 0 */
	bool		orphaned;		/* no longer in the cache: the last user frees it */
	bool		matching;		/* guards the scratch parts */
	bool		whole;			/* as compiled: the index has all rules, in the order of their nodes, those of a node by id */

	ObjectInfo	object;
	int32		model;
	PinnedSettings settings;
	int			pins;			/* settings to pin while matching */
	bool		parallel_safe;	/* parallel workers may compile and match it */
	TupleDesc	desc;			/* of the table */
	double		table_rows;		/* when the rules were compiled, by the server's estimate */
	Bitmapset  *columns;		/* that rules read */
	int			max_attno;		/* greatest column number read, key included */

	StoredNodes *stored_nodes;	/* of the model */
	StoredRules *stored_rules;	/* as they were when the index was built */
	RuleNode   *nodes;
	int			node_count;

	RuleIndex  *index;			/* of all rules, when they were compiled */
	RuleIndex  *patch;			/* of rules written since; NULL: none */
	int64		patched_rows;	/* matched with a patch */

	/* scratch */
	ExprContext *econtext;
	Hits		hits;			/* true rules; in the end one a node, in tree order */
	Match	   *matches;

	LinkRules  *link;			/* link.c; NULL: records depend on no others */
} Ruleset;

/* ruleset.c: builds the rule set of an object in its own context, unattached to any cache */
extern Ruleset *ruleset_compile(const ObjectInfo *object);

/*
 * ruleset.c: makes a stale rule set current again; false: compile it anew. An
 * error leaves it unfit for use.
 */
extern bool ruleset_update(Ruleset *rules, const ObjectInfo *object);

/* ruleset.c: number of rules that count */
extern int	ruleset_size(const Ruleset *rules);

/* cache.c: the current rule set, pinned; the object's lock must be held for a lasting answer */
extern Ruleset *ruleset_acquire(Oid object);
extern void ruleset_release(Ruleset *rules);

/* cache.c: likewise, and one that is whole */
extern Ruleset *ruleset_acquire_whole(Oid object);

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

/* match.c: does node a come before node b in mode first? */
extern bool match_wins(const RuleNode *a, const RuleNode *b);

/* match.c: what the object's mode leaves of them; in place, returns their number */
extern int	match_select(Ruleset *rules, Match *matches, int count);

#endif							/* TERRITORY_RULESET_H */
