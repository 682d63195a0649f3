/*
 * remedy.h
 *		The smallest change of a record's columns that brings it to a node.
 */
#ifndef TERRITORY_REMEDY_H
#define TERRITORY_REMEDY_H

#include "postgres.h"

#include "assign/goal.h"

/* A condition on columns that are to be changed. */
typedef struct Need
{
	NeedKind	kind;
	Expr	   *condition;
	int			mask;			/* what it must become */
	Bitmapset  *columns;		/* that it reads */
	int			rule;			/* index */
} Need;

typedef struct Remedy
{
	bool		found;
	bool		proven;			/* the engine assigns the record with these values */
	bool		minimal;		/* fewer columns do not */
	Bitmapset  *columns;		/* that are to be changed */
	Datum	   *values;			/* proven: by column number - 1 */
	bool	   *nulls;
	List	   *needs;
	int			dead;			/* not found: a node whose rules no change makes true, or -1 */
} Remedy;

/* node: index of one that the record has not. Exclusions from it count as lifted. */
extern Remedy remedy_find(Inquiry *inquiry, int node);

#endif							/* TERRITORY_REMEDY_H */
