/*
 * remedy.h
 *		The smallest change of a record's columns that brings it to a node.
 */
#ifndef TERRITORY_REMEDY_H
#define TERRITORY_REMEDY_H

#include "postgres.h"

#include "explain/goal.h"

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
	bool		proven;			/* the engine gives the record the node with these values */
	bool		minimal;		/* fewer columns do not */
	Bitmapset  *columns;		/* that are to be changed */
	Datum	   *values;			/* proven: by column number - 1 */
	bool	   *nulls;
	PairList	pairs;			/* proven: what the record has then by rules */
	List	   *needs;
	int			dead;			/* not found: a node whose rules no change makes true, or -1 */
} Remedy;

/*
 * The record has not what is wanted. Within inquiry_match.
 */
extern Remedy remedy_find(const Objective *objective);

#endif							/* TERRITORY_REMEDY_H */
