/*
 * path_text.c
 *		Fuzz target: the text of a path. The input is the text.
 */
#include "oracle.h"

/*
 * check_print checks that a payload's text means this payload, and is the
 * text that is printed again.
 */
static void
check_print(Bytes payload, Bytes text)
{
	Bytes printed = fuzz_print_path(payload);
	Bytes again;

	/* quotes are printed only where every text needs them */
	REQUIRE(printed.size <= text.size);
	REQUIRE(printed.size >= payload.size);
	REQUIRE(fuzz_parse_path(printed, &again));
	REQUIRE(fuzz_same(again, payload));
	REQUIRE(fuzz_same(fuzz_print_path(again), printed));
}

/*
 * check_text checks a text.
 */
static void
check_text(Bytes text)
{
	Bytes payload;
	Bytes expected;
	bool accepted = fuzz_parse_path(text, &payload);

	REQUIRE(accepted == oracle_parse_path(text, &expected));
	if (!accepted)
		return;
	REQUIRE(fuzz_same(payload, expected));
	REQUIRE(tpath_check(payload.data, payload.size, fuzz_char_size) == TPATH_OK);
	REQUIRE(tpath_level_count(payload.data, payload.size) <= TPATH_MAX_LEVELS);
	check_print(payload, text);
}

/*
 * The encoding matters only for the length of labels, and hence only here:
 * the inputs of the other targets are shorter than the longest label.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Bytes text = fuzz_copy(data, size);

	fuzz_char_size = fuzz_single_byte_char;
	check_text(text);
	fuzz_char_size = fuzz_utf8_char;
	check_text(text);
	fuzz_release();
	return 0;
}
