/*
 * cause.h
 *		Why pairs change at this moment: what the engine is at.
 */
#ifndef TERRITORY_CAUSE_H
#define TERRITORY_CAUSE_H

#include "postgres.h"

typedef enum Cause
{
	CAUSE_OTHER,
	CAUSE_INSERTED,				/* of a record: it was ... */
	CAUSE_UPDATED,
	CAUSE_DELETED,
	CAUSE_WRITTEN,				/* records of one statement were inserted, others updated */
	CAUSE_TRUNCATED,
	CAUSE_RULE,					/* ... was changed */
	CAUSE_NODE,
	CAUSE_MODEL,
	CAUSE_MODE,
	CAUSE_EXCLUSION,
	CAUSE_DDL,
	CAUSE_RUN,
	CAUSE_ASSIGNED,				/* by hand */
	CAUSE_UNASSIGNED,
	CAUSE_PARENT,				/* of the record above: it has other territories */
	CAUSE_MEMBER				/* a node's members changed */
} Cause;

/*
 * Brackets what changes pairs for a cause; brackets nest, and the innermost
 * counts. push returns what pop takes. The end of a (sub)transaction pops too.
 * detail (NULL: none) says more in words, such as which rule; it is copied.
 */
extern int	cause_push(Cause cause, const char *detail);
extern void cause_pop(int outer);

/* the innermost cause, its name, and its detail or NULL */
extern bool cause_is(Cause cause);
extern const char *cause_name(void);
extern const char *cause_detail(void);

/* called once, from _PG_init */
extern void cause_init(void);

#endif							/* TERRITORY_CAUSE_H */
