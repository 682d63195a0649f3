/*
 * limits.c
 *		A test of limits: each at one less, at it and at one more; and of how
 *		the work grows with what is asked for.
 *
 * Work is counted in steps, not in seconds: src/path is compiled so that it
 * calls back at each branch (-fsanitize-coverage=trace-pc-guard).
 */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

#define MILLION 1000000

/* a character of four bytes */
#define ROCKET "\xf0\x9f\x9a\x80"

/* steps that are few for a byte that is read, or a label that is compared */
#define STEPS_FOR_ONE 30

/* steps that no work here takes: they would not end */
#define ENDLESS 1000000000

/* steps after which a query should have let itself be cancelled: some milliseconds */
#define STEPS_WITHOUT_CHECK (TPATH_MAX_LEVELS * STEPS_FOR_ONE)

typedef TPathError (*Parse)(const char *text, size_t text_size, TPathCharSize char_size, char *out,
							size_t *size, size_t *error_at);

static uint64_t steps;		/* since the work began */
static uint64_t last_check; /* when it last could have been cancelled */
static uint64_t longest_uncancelled;

extern void __sanitizer_cov_trace_pc_guard_init(uint32_t *start, uint32_t *stop);
extern void __sanitizer_cov_trace_pc_guard(uint32_t *guard);

/*
 * __sanitizer_cov_trace_pc_guard_init is what the compiler wants to be there.
 */
void
__sanitizer_cov_trace_pc_guard_init(uint32_t *start, uint32_t *stop)
{
	(void) start;
	(void) stop;
}

/*
 * __sanitizer_cov_trace_pc_guard counts a step.
 */
void
__sanitizer_cov_trace_pc_guard(uint32_t *guard)
{
	(void) guard;
	REQUIRE(++steps < ENDLESS);
}

/*
 * begin_work sets the counters back.
 */
static void
begin_work(void)
{
	steps = last_check = longest_uncancelled = 0;
}

/*
 * count_check notes that the work could be cancelled here.
 */
static void
count_check(void)
{
	if (steps - last_check > longest_uncancelled)
		longest_uncancelled = steps - last_check;
	last_check = steps;
}

/*
 * callbacks returns the usual callbacks, but counts.
 */
static TPathCallbacks
callbacks(void)
{
	return (TPathCallbacks){ fuzz_callbacks.same_in_any_case, count_check };
}

/*
 * repeat returns a text that has a part many times, between two others.
 */
static Bytes
repeat(const char *first, const char *part, size_t times, const char *last)
{
	size_t part_size = strlen(part);
	size_t size = strlen(first) + part_size * times + strlen(last);
	char *text = fuzz_allocate(size);
	char *at = text;

	memcpy(at, first, strlen(first));
	for (at += strlen(first); times > 0; times--, at += part_size)
		memcpy(at, part, part_size);
	memcpy(at, last, strlen(last));
	return (Bytes){ text, size };
}

/*
 * text returns a text.
 */
static Bytes
text(const char *string)
{
	return repeat(string, "", 0, "");
}

/*
 * parse_at parses a text and returns also where an error was seen.
 */
static TPathError
parse_at(Parse parse, Bytes source, Bytes *result, size_t *error_at)
{
	size_t room = parse == tpath_parse ? source.size : TPATH_COMPILED_BOUND(source.size);
	char *out = fuzz_allocate(room);
	size_t size;
	TPathError error;

	begin_work();
	error = parse(source.data, source.size, fuzz_char_size, out, &size, error_at);
	REQUIRE(size <= room);
	REQUIRE(*error_at <= source.size);
	REQUIRE(steps <= STEPS_FOR_ONE * (source.size + 1));
	*result = fuzz_copy(out, size);
	return error;
}

/*
 * parsed returns what a text means.
 */
static Bytes
parsed(Parse parse, Bytes source)
{
	Bytes result;
	size_t error_at;

	REQUIRE(parse_at(parse, source, &result, &error_at) == TPATH_OK);
	REQUIRE(error_at == source.size);
	return result;
}

/*
 * refuses tells whether a text is refused for this reason at this place.
 */
static bool
refuses(Parse parse, Bytes source, TPathError error, size_t at)
{
	Bytes ignored;
	size_t error_at;

	return parse_at(parse, source, &ignored, &error_at) == error && error_at == at;
}

/*
 * matches tells whether a path matches a pattern, and checks that the work is
 * in proportion to "comparisons".
 */
static bool
matches(Bytes path, Bytes pattern, uint64_t comparisons)
{
	TPathCallbacks counting = callbacks();
	void *workspace = fuzz_allocate(tpath_match_workspace(tpath_level_count(path.data, path.size)));
	bool match;

	begin_work();
	match = tpath_matches(path.data, path.size, pattern.data, pattern.size, &counting, workspace);
	count_check();
	REQUIRE(steps <= STEPS_FOR_ONE * comparisons);
	REQUIRE(longest_uncancelled <= STEPS_WITHOUT_CHECK);
	return match;
}

/*
 * satisfies tells whether a path satisfies a label query, and checks that the
 * work is in proportion to the size of the query.
 */
static bool
satisfies(Bytes path, Bytes query)
{
	TPathCallbacks counting = callbacks();
	bool match;

	begin_work();
	match = tpath_satisfies(path.data, path.size, query.data, query.size, &counting);
	REQUIRE(steps <= STEPS_FOR_ONE * query.size);
	return match;
}

/*
 * test_levels: a path of as many labels as it may have.
 */
static void
test_levels(void)
{
	char *bytes;
	long levels;

	for (levels = TPATH_MAX_LEVELS - 1; levels <= TPATH_MAX_LEVELS; levels++)
	{
		Bytes source = repeat("", "a.", (size_t) levels - 1, "a");
		Bytes path = parsed(tpath_parse, source);
		Bytes other = repeat("", "b.", (size_t) levels - 1, "c");

		REQUIRE(tpath_level_count(path.data, path.size) == levels);
		REQUIRE(tpath_check(path.data, path.size, fuzz_char_size) == TPATH_OK);
		REQUIRE(fuzz_same(fuzz_print_path(path), source));
		REQUIRE(matches(path, parsed(tpath_parse_pattern, source), 2 * (uint64_t) levels));
		REQUIRE(!matches(parsed(tpath_parse, other), parsed(tpath_parse_pattern, source),
						 2 * (uint64_t) levels));
		REQUIRE(matches(path, parsed(tpath_parse_pattern, text("*{65535}")), (uint64_t) levels) ==
				(levels == TPATH_MAX_LEVELS));
	}
	REQUIRE(refuses(tpath_parse, repeat("", "a.", TPATH_MAX_LEVELS, "a"), TPATH_TOO_MANY_LEVELS,
					2 * TPATH_MAX_LEVELS));
	/* the same number as bytes */
	bytes = fuzz_allocate(2 * TPATH_MAX_LEVELS + 1);
	memset(bytes, 'a', 2 * TPATH_MAX_LEVELS + 1);
	for (levels = 1; levels <= TPATH_MAX_LEVELS; levels++)
		bytes[2 * levels - 1] = '\0';
	REQUIRE(tpath_check(bytes, 2 * TPATH_MAX_LEVELS - 1, fuzz_char_size) == TPATH_OK);
	REQUIRE(tpath_check(bytes, 2 * TPATH_MAX_LEVELS + 1, fuzz_char_size) == TPATH_TOO_MANY_LEVELS);
}

/*
 * is_label tells whether bytes can be a label, which can only be too long.
 */
static bool
is_label(Bytes label)
{
	TPathError error = tpath_check_label(label.data, label.size, fuzz_char_size);

	REQUIRE(error == TPATH_OK || error == TPATH_LABEL_TOO_LONG);
	return error == TPATH_OK;
}

/*
 * test_label: a label of so many characters, in a path, a pattern and a label
 * query, plain and in quotes.
 */
static void
test_label(const char *character, size_t chars, bool good)
{
	static const Parse parse[] = { tpath_parse, tpath_parse_pattern, tpath_parse_query };
	Bytes label = repeat("", character, chars, "");
	Bytes quoted = repeat("\"", character, chars, "\"");
	size_t i;

	REQUIRE(is_label(label) == good);
	for (i = 0; i < sizeof(parse) / sizeof(parse[0]); i++)
	{
		if (good)
			REQUIRE(fuzz_same(parsed(parse[i], label), parsed(parse[i], quoted)));
		else
			REQUIRE(refuses(parse[i], label, TPATH_LABEL_TOO_LONG, 0) &&
					refuses(parse[i], quoted, TPATH_LABEL_TOO_LONG, 0));
	}
}

/*
 * test_labels: labels about as long as they may be, in characters of one and
 * of four bytes.
 */
static void
test_labels(void)
{
	size_t chars;

	for (chars = TPATH_MAX_LABEL_CHARS - 1; chars <= TPATH_MAX_LABEL_CHARS + 1; chars++)
	{
		test_label("x", chars, chars <= TPATH_MAX_LABEL_CHARS);
		test_label(ROCKET, chars, chars <= TPATH_MAX_LABEL_CHARS);
	}
	/* the end of a subtree does not count, once */
	REQUIRE(is_label(repeat("", ROCKET, TPATH_MAX_LABEL_CHARS, "\x01")));
	REQUIRE(!is_label(repeat("", ROCKET, TPATH_MAX_LABEL_CHARS, "\x01\x01")));
	/* a last character that is cut off counts as well */
	REQUIRE(is_label(repeat("", ROCKET, TPATH_MAX_LABEL_CHARS - 1, "\xf0\x9f")));
	REQUIRE(!is_label(repeat("", ROCKET, TPATH_MAX_LABEL_CHARS, "\xf0\x9f")));
	fuzz_char_size = fuzz_single_byte_char;
	test_label(ROCKET, TPATH_MAX_LABEL_CHARS / 4, true);
	test_label(ROCKET, TPATH_MAX_LABEL_CHARS / 4 + 1, false);
	fuzz_char_size = fuzz_utf8_char;
}

/*
 * test_items: a pattern of as many items as it may have.
 */
static void
test_items(void)
{
	Bytes path = parsed(tpath_parse, text("a.b.c.d"));
	size_t items;

	for (items = TPATH_MAX_ITEMS - 1; items <= TPATH_MAX_ITEMS; items++)
	{
		Bytes pattern = parsed(tpath_parse_pattern, repeat("", "*.", items - 1, "*"));

		REQUIRE(matches(path, pattern, items * 5));
	}
	REQUIRE(refuses(tpath_parse_pattern, repeat("", "*.", TPATH_MAX_ITEMS, "*"),
					TPATH_TOO_MANY_ITEMS, 2 * TPATH_MAX_ITEMS));
}

/*
 * test_alternatives: an item of as many alternatives as it may have, for some
 * labels; that is long enough to be cancelled in between.
 */
static void
test_alternatives(void)
{
	Bytes path = parsed(tpath_parse, repeat("", "b.", 50, "b"));
	size_t alternatives;

	for (alternatives = TPATH_MAX_ALTERNATIVES - 1; alternatives <= TPATH_MAX_ALTERNATIVES;
		 alternatives++)
	{
		Bytes pattern = parsed(tpath_parse_pattern, repeat("!", "a|", alternatives - 1, "a{51}"));

		REQUIRE(matches(path, pattern, alternatives * 51));
	}
	REQUIRE(refuses(tpath_parse_pattern, repeat("", "a|", TPATH_MAX_ALTERNATIVES, "a"),
					TPATH_TOO_MANY_ALTERNATIVES, 2 * TPATH_MAX_ALTERNATIVES));
}

/*
 * test_counts: an item that stands for as many labels as it may.
 */
static void
test_counts(void)
{
	parsed(tpath_parse_pattern, text("*{65534,65535}.a{65535}"));
	REQUIRE(refuses(tpath_parse_pattern, text("*{65536}"), TPATH_COUNT_TOO_LARGE, 2));
	REQUIRE(refuses(tpath_parse_pattern, text("*{,65536}"), TPATH_COUNT_TOO_LARGE, 3));
	REQUIRE(
		refuses(tpath_parse_pattern, repeat("*{", "9", MILLION, "}"), TPATH_COUNT_TOO_LARGE, 2));
	REQUIRE(refuses(tpath_parse_pattern, text("a.*{65535,65534}"), TPATH_BAD_COUNT, 3));
}

/*
 * test_query: a long label query is true of one path, and false of the root.
 */
static void
test_query(Bytes source, const char *path)
{
	Bytes query = parsed(tpath_parse_query, source);
	size_t room = tpath_query_text_size(query.data, query.size);
	char *out = fuzz_allocate(room);
	size_t size;

	begin_work();
	size = tpath_print_query(query.data, query.size, out, room);
	REQUIRE(size <= room);
	REQUIRE(steps <= STEPS_FOR_ONE * query.size);
	REQUIRE(fuzz_same(parsed(tpath_parse_query, fuzz_copy(out, size)), query));
	REQUIRE(satisfies(parsed(tpath_parse, text(path)), query));
	REQUIRE(!satisfies(text(""), query));
	fuzz_release();
}

/*
 * nested returns a text that has something inside many parentheses.
 */
static Bytes
nested(const char *opening, const char *inside, const char *closing)
{
	Bytes left = repeat("", opening, MILLION, inside);
	Bytes right = repeat("", closing, MILLION, "");
	char *both = fuzz_allocate(left.size + right.size);

	memcpy(both, left.data, left.size);
	memcpy(both + left.size, right.data, right.size);
	return (Bytes){ both, left.size + right.size };
}

/*
 * test_nesting: label queries that a parser which recurses could not read, and
 * one which goes back could not evaluate in time.
 */
static void
test_nesting(void)
{
	test_query(nested("(", "a", ")"), "a");
	test_query(nested("!(", "a", ")"), "a");
	test_query(nested("(a & ", "a", ")"), "a");
	test_query(nested("(", "a", " & a)"), "a");
	test_query(nested("(b | ", "a", ")"), "a");
	test_query(nested("(", "a", " | a)"), "a");
	test_query(nested("!(b | ", "a", ")"), "a");
	test_query(repeat("", "!", MILLION, "a"), "a");
	test_query(repeat("", "! ", MILLION, "a"), "a");
	test_query(repeat("", "a & b | ", MILLION, "a"), "a");
	test_query(repeat("", "a&", MILLION, "a"), "a");
	REQUIRE(
		refuses(tpath_parse_query, repeat("", "(", MILLION, ""), TPATH_UNEXPECTED_END, MILLION));
	REQUIRE(refuses(tpath_parse_query, repeat("", "(", MILLION, "a"), TPATH_UNCLOSED_PARENTHESIS,
					MILLION + 1));
	REQUIRE(
		refuses(tpath_parse_query, repeat("a", ")", MILLION, ""), TPATH_UNOPENED_PARENTHESIS, 1));
}

/*
 * test_backtracking: patterns on which those who try all ways never end.
 */
static void
test_backtracking(void)
{
	Bytes path = parsed(tpath_parse, repeat("", "a.", 59999, "a"));
	Bytes shorter = parsed(tpath_parse, repeat("", "a.", 1999, "a"));

	REQUIRE(!matches(path, parsed(tpath_parse_pattern, text("*.a.*.a.*.a.*.b")), 8 * 60000));
	REQUIRE(matches(path, parsed(tpath_parse_pattern, text("*.a.*.a.*.a.*.a")), 8 * 60000));
	REQUIRE(
		!matches(shorter, parsed(tpath_parse_pattern, repeat("", "*.a@.", 100, "b")), 201 * 2000));
	REQUIRE(
		!matches(shorter, parsed(tpath_parse_pattern, repeat("", "a{1,}.", 100, "b")), 101 * 2000));
	REQUIRE(matches(shorter, parsed(tpath_parse_pattern, repeat("", "!b{,40}.", 100, "*{1}")),
					101 * 2000));
}

int
main(void)
{
	static void (*const test[])(void) = { test_levels,		 test_labels, test_items,
										  test_alternatives, test_counts, test_nesting,
										  test_backtracking };
	size_t i;

	for (i = 0; i < sizeof(test) / sizeof(test[0]); i++)
	{
		test[i]();
		fuzz_release();
	}
	printf("all limits hold\n");
	return 0;
}
