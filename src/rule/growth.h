/*
 * growth.h
 *		Arrays of a rule set that grow while it is built, by powers of two.
 */
#ifndef TERRITORY_GROWTH_H
#define TERRITORY_GROWTH_H

#include "postgres.h"

#include "utils/memutils.h"

/*
 * growth_room returns an array of count elements with room for so many more;
 * NULL is an empty one.
 */
static inline void *
growth_room(MemoryContext context, void *array, int count, int more, Size size)
{
	Size		room = 16;

	while (room < count)
		room *= 2;
	if (array != NULL && count + more <= room)
		return array;
	while (room < count + more)
		room *= 2;
	return array ? repalloc_huge(array, room * size) : MemoryContextAllocHuge(context, room * size);
}

#endif							/* TERRITORY_GROWTH_H */
