/*
 * answer.h
 *		Functions that return the rows of a query.
 */
#ifndef TERRITORY_ANSWER_H
#define TERRITORY_ANSWER_H

#include "postgres.h"

#include "fmgr.h"

/*
 * Makes the rows of a query the result of a set-returning function. InitMaterializedSRF
 * and SPI_connect come before. as_owner: with the rights of the owner of our tables.
 */
extern void answer_query(FunctionCallInfo fcinfo, const char *sql, int count, Oid *types, Datum *values,
						 const char *nulls, bool as_owner);

#endif							/* TERRITORY_ANSWER_H */
