/*
 * ended.h
 *		Pairs that end are kept as history.
 */
#ifndef TERRITORY_ENDED_H
#define TERRITORY_ENDED_H

#include "postgres.h"

#include "pair/past.h"

/* when pairs change now; where history is kept, a moment to be found there */
extern TimestampTz ended_moment(const ObjectInfo *object);

/* notes the pairs that a statement returned because it removed them; needs SPI's result, and frees it */
extern void ended_note(const ObjectInfo *object, PastList *past);

/* writes what was noted */
extern void ended_write(const ObjectInfo *object, const PastList *past);

/* both at once, at a moment of their own */
extern void ended_keep(const ObjectInfo *object);

/* pairs that a cascade removed: those of the transition table territory_ended, which SPI knows */
extern void ended_by_others(const ObjectInfo *object);

#endif							/* TERRITORY_ENDED_H */
