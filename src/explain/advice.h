/*
 * advice.h
 *		What would have to change, point by point: the rows of why_not().
 */
#ifndef TERRITORY_ADVICE_H
#define TERRITORY_ADVICE_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "explain/inquiry.h"
#include "explain/remedy.h"

/* A point. Texts are palloc'd, and NULL where there is nothing to say. */
typedef struct Advice
{
	Oid			object;			/* of which record */
	const char *key;
	char	   *column;			/* of what column; NULL: it is about no column */
	const char *value;			/* what it is now */
	char	   *becomes;		/* what it must become, or a statement that changes it */
	char	   *suggestion;
	const Territory *path;		/* of which node */
	int32		rule_id;		/* 0: none */
	char	   *rule;
	const char *reason;
	bool		judged;			/* the next two say something */
	bool		proven;
	bool		minimal;
} Advice;

/* Each appends what it has to say to a list of Advice, of a node that is asked about. */

/* an exclusion is to be lifted */
extern List *advice_lift(List *list, const Inquiry *inquiry, const Territory *path, const Ban *ban);

/* a decision by hand that a deal has another node (NULL: one of another model) is to be undone */
extern List *advice_release(List *list, const Inquiry *inquiry, const Territory *path, const Held *held);

/* the node has no active rules */
extern List *advice_rules(List *list, const Inquiry *inquiry, const Territory *path, int32 node_id);

/* columns are to be changed, or (not found) nothing helps */
extern List *advice_remedy(List *list, const Inquiry *inquiry, const Territory *path, const Remedy *remedy);

/* the nodes that stand in the way, whatever is changed of the record; priority: that of the node asked for */
extern List *advice_obstacles(List *list, const Inquiry *inquiry, int32 node_id, int priority);

/* the record above must have the node */
extern List *advice_above(List *list, const Inquiry *inquiry, const Territory *path, bool proven);

/* there is no record above; or_above: it may have a node above this one as well */
extern List *advice_no_parent(List *list, const Inquiry *inquiry, const Territory *path, bool or_above);

#endif							/* TERRITORY_ADVICE_H */
