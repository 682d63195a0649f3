/*
 * advice.h
 *		Tells who writes rules what makes them slow.
 */
#ifndef TERRITORY_ADVICE_H
#define TERRITORY_ADVICE_H

#include "postgres.h"

#include "executor/spi.h"

/*
 * A notice, if among the rules whose ids stand in the first column, ascending,
 * are some that have to be tried for every record, and the object has many such.
 */
extern void advice_on_rules(Oid object, const SPITupleTable *ids, uint64 count);

#endif							/* TERRITORY_ADVICE_H */
