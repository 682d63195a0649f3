/*
 * numbers.h
 *		The numbers that rows have in a list here, by their ids: a hash table
 *		(PostgreSQL's simplehash).
 */
#ifndef TERRITORY_NUMBERS_H
#define TERRITORY_NUMBERS_H

#include "postgres.h"

#include "common/hashfn.h"

typedef struct NumberOfId
{
	int32		id;
	int			number;
	char		status;
} NumberOfId;

#define SH_PREFIX		numbers
#define SH_ELEMENT_TYPE	NumberOfId
#define SH_KEY_TYPE		int32
#define SH_KEY			id
#define SH_HASH_KEY(tb, key) murmurhash32(key)
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE		static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/*
 * numbers_note notes the number of an id.
 */
static inline void
numbers_note(numbers_hash *numbers, int32 id, int number)
{
	bool		found;

	numbers_insert(numbers, id, &found)->number = number;
}

/*
 * numbers_find returns the number of an id, or -1.
 */
static inline int
numbers_find(numbers_hash *numbers, int32 id)
{
	NumberOfId *found = numbers_lookup(numbers, id);

	return found ? found->number : -1;
}

#endif							/* TERRITORY_NUMBERS_H */
