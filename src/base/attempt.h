/*
 * attempt.h
 *		Work that may fail without the statement failing.
 */
#ifndef TERRITORY_ATTEMPT_H
#define TERRITORY_ATTEMPT_H

#include "postgres.h"

/*
 * Does some work in a subtransaction. An error undoes it: false, and its message,
 * palloc'd, where asked for. Cancelling, and running out of memory, go on to the caller.
 */
extern bool attempt(void (*work) (void *), void *arg, char **message);

#endif							/* TERRITORY_ATTEMPT_H */
