/*
 * census.c
 *		Listed subtrees: written and searched.
 *
 * Front coding (as in dictionaries): each entry is the number of bytes that
 * its path shares with the one before, the number and the bytes of the rest,
 * and its two sizes; numbers are in groups of seven bits, the lowest ones
 * first.
 */
#include "path/census.h"

#include <string.h>

/*
 * tpath_put_number writes a number and returns the end.
 */
static char *
tpath_put_number(char *out, uint32_t number)
{
	while (number >= 0x80)
	{
		*out++ = (char) (0x80 | (number & 0x7f));
		number >>= 7;
	}
	*out++ = (char) number;
	return out;
}

/*
 * tpath_get_number reads a number and returns the end. A number that goes on
 * beyond the end of the list is cut there.
 */
static const char *
tpath_get_number(const char *at, const char *end, uint32_t *number)
{
	unsigned shift = 0;

	*number = 0;
	for (; at < end && shift < 32; shift += 7)
	{
		unsigned char byte = (unsigned char) *at++;

		*number |= (uint32_t) (byte & 0x7f) << shift;
		if (byte < 0x80)
			break;
	}
	return at;
}

/*
 * tpath_shared_bytes returns how many bytes two paths begin with in common.
 */
static size_t
tpath_shared_bytes(const char *a, size_t a_size, const char *b, size_t b_size)
{
	size_t shorter = a_size < b_size ? a_size : b_size;
	size_t at = 0;

	while (at < shorter && a[at] == b[at])
		at++;
	return at;
}

/*
 * tpath_census_put writes an entry.
 */
char *
tpath_census_put(char *out, const TPathCensusEntry *last, const TPathCensusEntry *entry)
{
	size_t shared =
		last ? tpath_shared_bytes(last->path, last->size, entry->path, entry->size) : 0;

	out = tpath_put_number(out, (uint32_t) shared);
	out = tpath_put_number(out, (uint32_t) (entry->size - shared));
	memcpy(out, entry->path + shared, entry->size - shared);
	out = tpath_put_number(out + (entry->size - shared), entry->rows);
	return tpath_put_number(out, entry->others);
}

/*
 * tpath_census_ask looks for a path among the entries and, since they are in
 * tree order, meets what is above it on the way. Of the entry at hand it only
 * keeps count of how many bytes it has in common with the path.
 */
bool
tpath_census_ask(const char *list, size_t list_size, const char *path, size_t size,
				 TPathCensusEntry *answer)
{
	const char *end = list + list_size;
	bool found = false;
	size_t common = 0;

	while (list < end)
	{
		uint32_t shared;
		uint32_t rest;
		TPathCensusEntry entry = { path, 0, 0, 0 };
		const char *bytes;

		list = tpath_get_number(list, end, &shared);
		bytes = list = tpath_get_number(list, end, &rest);
		if (rest > (size_t) (end - list))
			break;
		list = tpath_get_number(list + rest, end, &entry.rows);
		list = tpath_get_number(list, end, &entry.others);

		/* where it differs from the path, the last one did too: still before it */
		if (shared > common)
			continue;
		/* it leaves the last one where that agreed with the path: behind it */
		if (shared < common)
			break;
		common += tpath_shared_bytes(bytes, rest, path + shared, size - shared);
		entry.size = (size_t) shared + rest;
		if (common < entry.size)
		{
			if (common == size ||
				(unsigned char) bytes[common - shared] > (unsigned char) path[common])
				break;
			continue;
		}
		if (common == size || path[common] == '\0')
		{
			*answer = entry;
			found = true;
		}
	}
	return found;
}
