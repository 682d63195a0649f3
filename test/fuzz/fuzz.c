/*
 * fuzz.c
 *		What the fuzz targets share.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* what was allocated for this input; no target needs more */
#define MAX_BLOCKS 10000

static void *fuzz_block[MAX_BLOCKS];
static size_t fuzz_blocks = 0;

TPathCharSize fuzz_char_size = fuzz_utf8_char;

/*
 * fuzz_fail ends the program, since a property does not hold.
 */
void
fuzz_fail(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	abort();
}

/*
 * fuzz_allocate returns memory whose first and last byte AddressSanitizer
 * knows. It would not know the end of no bytes, for which malloc gives one:
 * that end is behind the one byte.
 */
void *
fuzz_allocate(size_t size)
{
	char *memory = malloc(size > 0 ? size : 1);

	REQUIRE(memory != NULL && fuzz_blocks < MAX_BLOCKS);
	fuzz_block[fuzz_blocks++] = memory;
	return size > 0 ? memory : memory + 1;
}

/*
 * fuzz_copy returns a copy of bytes in memory of exactly their size.
 */
Bytes
fuzz_copy(const void *data, size_t size)
{
	char *copy = fuzz_allocate(size);

	if (size > 0)
		memcpy(copy, data, size);
	return (Bytes){ copy, size };
}

/*
 * fuzz_release frees what was allocated for this input.
 */
void
fuzz_release(void)
{
	while (fuzz_blocks > 0)
		free(fuzz_block[--fuzz_blocks]);
}

/*
 * fuzz_same tells whether bytes are the same.
 */
bool
fuzz_same(Bytes a, Bytes b)
{
	return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

/*
 * fuzz_take_line takes the bytes up to the next line feed, or all, from the
 * beginning of the rest of an input, which can so be read and written as text.
 */
Bytes
fuzz_take_line(Bytes *rest)
{
	const char *feed = rest->size > 0 ? memchr(rest->data, '\n', rest->size) : NULL;
	size_t size = feed != NULL ? (size_t) (feed - rest->data) : rest->size;
	Bytes line = fuzz_copy(rest->data, size);

	size += feed != NULL;
	rest->data += size;
	rest->size -= size;
	return line;
}

/*
 * fuzz_utf8_char returns what the first byte of a character says, as the
 * server does, but never more than is left.
 */
size_t
fuzz_utf8_char(const char *at, size_t limit)
{
	unsigned char lead = (unsigned char) *at;
	size_t size = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf8 ? 4 : 1;

	REQUIRE(limit > 0);
	return size < limit ? size : limit;
}

/*
 * fuzz_single_byte_char is for encodings such as LATIN1.
 */
size_t
fuzz_single_byte_char(const char *at, size_t limit)
{
	(void) at;
	REQUIRE(limit > 0);
	return 1;
}

/*
 * fuzz_lower returns the small letter of a capital one.
 */
static char
fuzz_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

/*
 * fuzz_same_in_any_case tells whether a label is a term, or begins with it,
 * where capital and small letters are the same.
 */
static bool
fuzz_same_in_any_case(const char *term, size_t term_size, const char *label, size_t label_size,
					  bool prefix)
{
	size_t at;

	if (prefix ? label_size < term_size : label_size != term_size)
		return false;
	for (at = 0; at < term_size; at++)
	{
		if (fuzz_lower(term[at]) != fuzz_lower(label[at]))
			return false;
	}
	return true;
}

/*
 * fuzz_check_for_interrupts lets all go on.
 */
static void
fuzz_check_for_interrupts(void)
{
}

const TPathCallbacks fuzz_callbacks = { fuzz_same_in_any_case, fuzz_check_for_interrupts };

/*
 * fuzz_parse_path returns the payload of a text, or false.
 */
bool
fuzz_parse_path(Bytes text, Bytes *payload)
{
	char *out = fuzz_allocate(text.size);
	size_t size;
	size_t error_at;
	TPathError error = tpath_parse(text.data, text.size, fuzz_char_size, out, &size, &error_at);

	REQUIRE(size <= text.size);
	REQUIRE(error_at <= text.size);
	*payload = fuzz_copy(out, size);
	return error == TPATH_OK;
}

/*
 * fuzz_print_path returns the text of a payload.
 */
Bytes
fuzz_print_path(Bytes payload)
{
	size_t size = tpath_text_size(payload.data, payload.size);
	char *text = fuzz_allocate(size);

	tpath_print(payload.data, payload.size, text, size);
	return (Bytes){ text, size };
}
