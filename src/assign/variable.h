/*
 * variable.h
 *		What can be changed of a record, and what its conditions make of it.
 */
#ifndef TERRITORY_VARIABLE_H
#define TERRITORY_VARIABLE_H

#include "postgres.h"

#include "executor/tuptable.h"
#include "nodes/execnodes.h"

#include "assign/candidate.h"
#include "assign/goal.h"

/* What the search decides on: a column, or a condition that cannot be inverted. */
typedef struct Variable
{
	Candidates *candidates;		/* of a column; else NULL */
	Bitmapset  *columns;		/* that must be changed for it to change */
	int			now;
	Bitmapset  *all;
	Bitmapset  *allowed;		/* scratch of the search */
} Variable;

typedef struct Variables
{
	const Inquiry *inquiry;
	Variable   *items;
	int			count;
	int		   *of_column;		/* by column number; of those that can be given a value */
	Bitmapset  *columns;		/* that may be changed */
	ExprContext *econtext;
	TupleTableSlot *slot;		/* the changed row; at first the record as it is */
} Variables;

/* the variables of some conditions (Leaf), of which each is given its own */
extern void variables_make(Variables *variables, const Inquiry *inquiry, const List *leaves);

/* makes the changed row the record as it is */
extern void variables_reset_row(Variables *variables);

/* Is a column's value computed from others? */
extern bool column_is_generated(const Inquiry *inquiry, AttrNumber attno);

#endif							/* TERRITORY_VARIABLE_H */
