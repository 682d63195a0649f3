/*
 * census.c
 *		Fuzz target: listed subtrees. The input is the texts of paths, one on
 *		each line. What stands behind the first one is also asked for it as if it
 *		were a list, which a damaged one may be.
 */
#include "path/census.h"

#include "oracle.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SUBTREES 16

/* a listed subtree in both views */
typedef struct Subtree
{
	TPathCensusEntry entry;
	OraclePath labels;
} Subtree;

/* subtrees in tree order, and the list of them */
typedef struct Census
{
	Subtree subtree[MAX_SUBTREES];
	size_t count;
	Bytes list;
} Census;

/*
 * compare_subtrees compares two subtrees for qsort.
 */
static int
compare_subtrees(const void *a, const void *b)
{
	const Subtree *x = a;
	const Subtree *y = b;

	return oracle_compare(&x->labels, &y->labels);
}

/*
 * some_number returns a number of any of the sizes that it can have in a list.
 */
static uint32_t
some_number(size_t seed)
{
	return (uint32_t) (0x9e3779b9 * (uint64_t) seed) >> (seed * 5 % 32);
}

/*
 * read_subtrees reads the paths, without the root, which is never listed, and
 * without those that are there already.
 */
static void
read_subtrees(Census *census, Bytes rest)
{
	size_t read = 0;
	size_t i;

	while (rest.size > 0 && read < MAX_SUBTREES)
	{
		Subtree *subtree = &census->subtree[read];
		Bytes path;

		if (!fuzz_parse_path(fuzz_take_line(&rest), &path) || path.size == 0)
			continue;
		subtree->entry =
			(TPathCensusEntry){ path.data, path.size, some_number(read), some_number(read + 3) };
		subtree->labels = oracle_path(path);
		read++;
	}
	qsort(census->subtree, read, sizeof(Subtree), compare_subtrees);
	census->count = 0;
	for (i = 0; i < read; i++)
	{
		if (i == 0 || compare_subtrees(&census->subtree[i], &census->subtree[i - 1]) != 0)
			census->subtree[census->count++] = census->subtree[i];
	}
}

/*
 * write_list writes the list.
 */
static void
write_list(Census *census)
{
	size_t room = 0;
	char *list;
	char *out;
	size_t i;

	for (i = 0; i < census->count; i++)
		room += census->subtree[i].entry.size + TPATH_CENSUS_ENTRY_SIZE;
	out = list = fuzz_allocate(room);
	for (i = 0; i < census->count; i++)
	{
		out = tpath_census_put(out, i > 0 ? &census->subtree[i - 1].entry : NULL,
							   &census->subtree[i].entry);
		REQUIRE((size_t) (out - list) <= room);
	}
	tpath_census_finish(list, (size_t) (out - list));
	census->list = fuzz_copy(list, (size_t) (out - list));
}

/*
 * check_path asks the list for a path and searches the subtrees for the one
 * with the most labels that contains it.
 */
static void
check_path(const Census *census, Bytes path)
{
	OraclePath labels = oracle_path(path);
	const Subtree *smallest = NULL;
	TPathCensusEntry answer;
	bool found =
		tpath_census_ask(census->list.data, census->list.size, path.data, path.size, &answer);
	size_t i;

	for (i = 0; i < census->count; i++)
	{
		const Subtree *subtree = &census->subtree[i];

		if (oracle_contains(&subtree->labels, &labels) &&
			(smallest == NULL || subtree->labels.count > smallest->labels.count))
			smallest = subtree;
	}
	REQUIRE(found == (smallest != NULL));
	if (!found)
		return;
	REQUIRE(answer.path == path.data);
	REQUIRE(answer.size == smallest->entry.size);
	REQUIRE(answer.rows == smallest->entry.rows);
	REQUIRE(answer.others == smallest->entry.others);
}

/*
 * check_neighbours asks for a listed subtree and for paths that have nearly
 * all bytes in common with it.
 */
static void
check_neighbours(const Census *census, const TPathCensusEntry *entry)
{
	size_t parent = tpath_parent_size(entry->path, entry->size);
	char *other = fuzz_allocate(entry->size + 2);

	check_path(census, fuzz_copy(entry->path, entry->size));
	check_path(census, fuzz_copy(entry->path, parent));
	memcpy(other, entry->path, entry->size);
	memcpy(other + entry->size, "\0x", 2);
	check_path(census, fuzz_copy(other, entry->size + 2));
	/* siblings: with a last byte that is another or, if it may, is not there */
	other[entry->size - 1] ^= 0x20;
	if (other[entry->size - 1] != '\0')
		check_path(census, fuzz_copy(other, entry->size));
	if (entry->size > (parent > 0 ? parent + 2 : 1))
		check_path(census, fuzz_copy(other, entry->size - 1));
}

/*
 * check_damaged asks any bytes as a list for a path: there may be an answer,
 * but it has to be about the path or what is above it.
 */
static void
check_damaged(Bytes list, Bytes path)
{
	TPathCensusEntry answer;

	if (!tpath_census_ask(list.data, list.size, path.data, path.size, &answer))
		return;
	REQUIRE(answer.path == path.data);
	REQUIRE(answer.size <= path.size);
	REQUIRE(answer.size == path.size || path.data[answer.size] == '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Bytes input = { (const char *) data, size };
	Bytes rest = input;
	Bytes first = fuzz_take_line(&rest);
	Census census;
	size_t i;

	read_subtrees(&census, input);
	write_list(&census);
	check_path(&census, fuzz_copy("", 0));
	for (i = 0; i < census.count; i++)
		check_neighbours(&census, &census.subtree[i].entry);
	check_damaged(fuzz_copy(rest.data, rest.size), first);
	fuzz_release();
	return 0;
}
