/*
 * census.c
 *		Listed subtrees: written and searched.
 *
 * Front coding (as in dictionaries): each entry is the number of bytes that
 * its path shares with the one before, the number and the bytes of the rest,
 * and its two sizes; numbers are in groups of seven bits, the lowest ones
 * first.
 *
 * The finished list is scrambled, each byte by a key that depends on where it
 * is, so that it looks random. The server compresses large statistics if that
 * saves space, and to decompress them takes longer than all of the planning
 * of a small query; what looks random it leaves as it is.
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
 * tpath_census_key returns the key of the byte at a place: bits of a
 * multiplicative hash (Knuth) of the place.
 */
static inline unsigned char
tpath_census_key(size_t at)
{
	return (unsigned char) (((uint64_t) (uint32_t) at * UINT64_C(0x9E3779B1)) >> 24);
}

/*
 * tpath_census_finish scrambles a list.
 */
void
tpath_census_finish(char *list, size_t list_size)
{
	size_t at;

	for (at = 0; at < list_size; at++)
		list[at] = (char) ((unsigned char) list[at] ^ tpath_census_key(at));
}

/* a list that is being read */
typedef struct TPathCensusReader
{
	const char *list;
	size_t at;
	size_t size;
} TPathCensusReader;

/*
 * tpath_census_byte returns a byte of the list as it was written.
 */
static inline unsigned char
tpath_census_byte(const TPathCensusReader *reader, size_t at)
{
	return (unsigned char) reader->list[at] ^ tpath_census_key(at);
}

/*
 * tpath_get_number reads a number. One that goes on beyond the end of the
 * list is cut there.
 */
static inline uint32_t
tpath_get_number(TPathCensusReader *reader)
{
	uint32_t number = 0;
	unsigned shift = 0;

	for (; reader->at < reader->size && shift < 32; shift += 7)
	{
		unsigned char byte = tpath_census_byte(reader, reader->at++);

		number |= (uint32_t) (byte & 0x7f) << shift;
		if (byte < 0x80)
			break;
	}
	return number;
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
 * tpath_read_entry reads an entry, but for its path: of that, it returns how
 * many bytes it has in common with the entry before, how many more there are,
 * and where. It returns false at the end of the list.
 */
static inline bool
tpath_read_entry(TPathCensusReader *reader, TPathCensusEntry *entry, size_t *shared, size_t *rest,
				 size_t *bytes_at)
{
	if (reader->at >= reader->size)
		return false;
	*shared = tpath_get_number(reader);
	*rest = tpath_get_number(reader);
	*bytes_at = reader->at;
	if (*rest > reader->size - reader->at)
		return false;
	reader->at += *rest;
	entry->size = *shared + *rest;
	entry->rows = tpath_get_number(reader);
	entry->others = tpath_get_number(reader);
	return true;
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
	TPathCensusReader reader = { list, 0, list_size };
	TPathCensusEntry entry = { path, 0, 0, 0 };
	bool found = false;
	size_t common = 0;
	size_t shared;
	size_t rest;
	size_t bytes_at;

	while (tpath_read_entry(&reader, &entry, &shared, &rest, &bytes_at))
	{
		/* where it differs from the path, the last one did too: still before it */
		if (shared > common)
			continue;
		/* it leaves the last one where that agreed with the path: behind it */
		if (shared < common)
			break;
		while (common < entry.size && common < size &&
			   tpath_census_byte(&reader, bytes_at + common - shared) ==
				   (unsigned char) path[common])
			common++;
		if (common < entry.size)
		{
			if (common == size || tpath_census_byte(&reader, bytes_at + common - shared) >
									  (unsigned char) path[common])
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
