/*
 * guard.h
 *		The tables of history are written by the engine only.
 */
#ifndef TERRITORY_GUARD_H
#define TERRITORY_GUARD_H

#include "postgres.h"

#include "base/session.h"

/* session_execute for a statement that writes one of them */
extern void guard_execute(const char *sql, int expected, int nargs, Oid *types, Datum *values, const char *nulls);

/* likewise session_execute_kept */
extern void guard_execute_kept(KeptStatement *statement, Datum *values);

#endif							/* TERRITORY_GUARD_H */
