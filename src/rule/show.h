/*
 * show.h
 *		Conditions as a person would write them.
 */
#ifndef TERRITORY_SHOW_H
#define TERRITORY_SHOW_H

#include "postgres.h"

#include "nodes/primnodes.h"
#include "utils/rel.h"

/* a condition that is not AND or OR: country IN ('NL', 'BE'); palloc'd */
extern char *show_condition(Relation rel, Expr *expr);

/*
 * What a condition on one plain column, or (negate) its negation, asks of it:
 * IN ('NL', 'BE'), >= 500, IS NOT NULL. NULL where it is none such.
 */
extern char *show_bound(Relation rel, Expr *expr, bool negate);

#endif							/* TERRITORY_SHOW_H */
