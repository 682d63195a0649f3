/*
 * candidate.h
 *		Values that a column might be changed to.
 */
#ifndef TERRITORY_CANDIDATE_H
#define TERRITORY_CANDIDATE_H

#include "postgres.h"

#include "nodes/primnodes.h"

#include "explain/inquiry.h"

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
	bool		opening;		/* what is learnt is of a condition that a deal is not closed */
} Candidates;

/* in the current memory context, where all that is learnt stays */
extern void candidates_init(Candidates *candidates, const Inquiry *inquiry, AttrNumber attno);

/* learns the constants of a condition that reads this column; opening: that a deal is closed, which it is not to be */
extern void candidates_learn(Candidates *candidates, Expr *condition, bool opening);

/* when all conditions are known: adds what lies beside the constants */
extern void candidates_finish(Candidates *candidates);

#endif							/* TERRITORY_CANDIDATE_H */
