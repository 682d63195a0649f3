/*
 * pattern.c
 *		Fuzz target: patterns. The first line of the input is the text of a
 *		path, the rest that of a pattern.
 */
#include "oracle.h"

#include <string.h>

/*
 * parse returns a compiled pattern, or false.
 */
static bool
parse(Bytes text, Bytes *pattern)
{
	char *out = fuzz_allocate(TPATH_COMPILED_BOUND(text.size));
	size_t size;
	size_t error_at;
	TPathError error =
		tpath_parse_pattern(text.data, text.size, fuzz_char_size, out, &size, &error_at);

	REQUIRE(size <= TPATH_COMPILED_BOUND(text.size));
	REQUIRE(error_at <= text.size);
	if (error != TPATH_OK)
		return false;
	*pattern = fuzz_copy(out, size);
	return true;
}

/*
 * check_print checks that a pattern's text means this pattern, byte for byte.
 */
static void
check_print(Bytes pattern, Bytes text)
{
	size_t room = tpath_pattern_text_size(pattern.data, pattern.size);
	char *out = fuzz_allocate(room);
	Bytes printed = { out, tpath_print_pattern(pattern.data, pattern.size, out, room) };
	Bytes again;

	/* nothing is printed that could be left out */
	REQUIRE(printed.size <= room && printed.size <= text.size);
	REQUIRE(parse(fuzz_copy(printed.data, printed.size), &again));
	REQUIRE(fuzz_same(again, pattern));
}

/*
 * matches tells whether a path matches a pattern.
 */
static bool
matches(Bytes path, Bytes pattern)
{
	long levels = tpath_level_count(path.data, path.size);

	return tpath_matches(path.data, path.size, pattern.data, pattern.size, &fuzz_callbacks,
						 fuzz_allocate(tpath_match_workspace(levels)));
}

/*
 * check_prefix checks that what an index would look for is where all matches
 * are, and for some kinds no others.
 */
static void
check_prefix(TPathPrefixKind kind, Bytes prefix, Bytes path, bool match)
{
	bool below = tpath_contains(prefix.data, prefix.size, path.data, path.size);

	switch (kind)
	{
		case TPATH_PREFIX_IS_PATTERN:
			REQUIRE(match == fuzz_same(prefix, path));
			break;
		case TPATH_PREFIX_IS_SUBTREE:
			REQUIRE(match == below);
			break;
		case TPATH_PREFIX_OF_PATHS:
			REQUIRE(!match || below);
			break;
		case TPATH_PREFIX_OF_BYTES:
			REQUIRE(!match ||
					(path.size >= prefix.size && memcmp(path.data, prefix.data, prefix.size) == 0));
			break;
	}
}

/*
 * check_path checks the answer for one path.
 */
static void
check_path(Bytes path, Bytes pattern, const OraclePattern *items)
{
	OraclePath labels = oracle_path(path);
	OracleAnswer expected = oracle_matches(items, &labels);
	bool match = matches(path, pattern);
	char *room = fuzz_allocate(pattern.size);
	Bytes prefix = { room, 0 };
	TPathPrefixKind kind = tpath_pattern_prefix(pattern.data, pattern.size, room, &prefix.size);

	REQUIRE(expected == ORACLE_DOES_NOT_KNOW || match == (expected == ORACLE_YES));
	REQUIRE(prefix.size <= pattern.size);
	check_prefix(kind, fuzz_copy(prefix.data, prefix.size), path, match);
}

/*
 * check_pattern checks a pattern, and what it says of a path.
 */
static void
check_pattern(Bytes text, Bytes path_text)
{
	OraclePattern items;
	Bytes pattern;
	Bytes path;
	bool accepted = parse(text, &pattern);

	REQUIRE(accepted == oracle_parse_pattern(text, &items));
	if (!accepted)
		return;
	check_print(pattern, text);
	check_path(fuzz_copy("", 0), pattern, &items);
	if (fuzz_parse_path(path_text, &path))
		check_path(path, pattern, &items);
	/* a plain pattern matches itself, which the path above rarely is */
	if (fuzz_parse_path(text, &path))
		check_path(path, pattern, &items);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Bytes rest = { (const char *) data, size };
	Bytes path = fuzz_take_line(&rest);
	Bytes text = fuzz_copy(rest.data, rest.size);

	check_pattern(text, path);
	fuzz_release();
	return 0;
}
