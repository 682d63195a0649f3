/*
 * arrays.h
 *		Arguments of statements: arrays, one a column, of keys, pairs and what pairs were.
 */
#ifndef TERRITORY_ARRAYS_H
#define TERRITORY_ARRAYS_H

#include "postgres.h"

#include "pair/pair.h"
#include "pair/past.h"
#include "rule/object.h"

/* columns of pairs, and of what pairs were */
#define PAIR_ARRAYS 4
#define PAST_ARRAYS 6

/* all palloc'd */
extern Datum key_array(const ObjectInfo *object, const Datum *keys, int count);
extern void pair_arrays(const ObjectInfo *object, const PairList *list, Datum *arrays);
extern void past_arrays(const ObjectInfo *object, const PastList *list, Datum *arrays);

#endif							/* TERRITORY_ARRAYS_H */
