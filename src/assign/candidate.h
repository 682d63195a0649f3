/*
 * candidate.h
 *		Values that a column might be changed to.
 */
#ifndef TERRITORY_CANDIDATE_H
#define TERRITORY_CANDIDATE_H

#include "postgres.h"

#include "nodes/primnodes.h"

#include "assign/inquiry.h"

/*
 * The candidates of a column. The first is its value now; then come the constants
 * that conditions compare it with, values beside these, and NULL.
 */
typedef struct Candidates
{
	AttrNumber	attno;
	Form_pg_attribute attribute;
	int			count;
	int			room;
	char	  **texts;			/* NULL: the value is NULL */
	Datum	   *values;
	int			constants;		/* the candidates from 1 to here are constants */
} Candidates;

/* in the current memory context, where all that is learnt stays */
extern void candidates_init(Candidates *candidates, const Inquiry *inquiry, AttrNumber attno);

/* learns the constants of a condition that reads this column */
extern void candidates_learn(Candidates *candidates, Expr *condition);

/* when all conditions are known: adds what lies beside the constants */
extern void candidates_finish(Candidates *candidates);

#endif							/* TERRITORY_CANDIDATE_H */
