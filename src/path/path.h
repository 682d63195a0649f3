/*
 * path.h
 *		Paths as plain bytes: the part of the type that needs no server.
 *
 * A payload is the labels joined by a zero byte; the payload of the root is
 * empty. A text is the labels joined by dots, where a label stands in double
 * quotes if it has to. Functions here allocate nothing, raise nothing and
 * never read beyond the given sizes, so that they can be measured and fuzzed
 * alone. The encoding of labels is the caller's: one that is a superset of
 * ASCII in which no byte of a longer character is below 0x80.
 */
#ifndef TERRITORY_PATH_H
#define TERRITORY_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define TPATH_MAX_LEVELS	  65535
#define TPATH_MAX_LABEL_CHARS 1000

/* this byte behind a path, the least above the separator, is behind its subtree */
#define TPATH_SUBTREE_END '\x01'

/* what is wrong with a text, a label or a payload */
typedef enum TPathError
{
	TPATH_OK,
	TPATH_EMPTY_LABEL,
	TPATH_UNTERMINATED_QUOTE,
	TPATH_QUOTE_IN_LABEL,	 /* a quote inside an unquoted label */
	TPATH_TEXT_AFTER_QUOTE,	 /* neither dot nor end after a closing quote */
	TPATH_OUTER_SPACE,		 /* unquoted label begins or ends with a space */
	TPATH_CONTROL_CHARACTER, /* control character in an unquoted label */
	TPATH_ZERO_BYTE,
	TPATH_LABEL_TOO_LONG,
	TPATH_TOO_MANY_LEVELS,
	/* in patterns and label queries */
	TPATH_UNEXPECTED_CHARACTER,
	TPATH_UNEXPECTED_END,
	TPATH_COUNT_EXPECTED,	/* something else in braces, or no end of them */
	TPATH_BAD_COUNT,		/* the least number is greater than the greatest */
	TPATH_OPERATOR_EXPECTED,
	TPATH_UNCLOSED_PARENTHESIS,
	TPATH_UNOPENED_PARENTHESIS,
	TPATH_COUNT_TOO_LARGE,
	TPATH_TOO_MANY_ITEMS,
	TPATH_TOO_MANY_ALTERNATIVES
} TPathError;

/* bytes of the character that begins at "at", from 1 to "limit" */
typedef size_t (*TPathCharSize)(const char *at, size_t limit);

/*
 * Text and payload. tpath_parse writes at most text_size bytes to payload; on
 * an error, *error_at is the offset in the text at which it was seen.
 * tpath_print is to be given what tpath_text_size returns, and writes as much.
 */
extern TPathError tpath_parse(const char *text, size_t text_size, TPathCharSize char_size,
							  char *payload, size_t *payload_size, size_t *error_at);
extern size_t tpath_text_size(const char *payload, size_t size);
extern size_t tpath_print(const char *payload, size_t size, char *text, size_t text_size);

/* validity */
extern TPathError tpath_check_label(const char *label, size_t size, TPathCharSize char_size);
extern TPathError tpath_check(const char *payload, size_t size, TPathCharSize char_size);

/* relations between two payloads */

/*
 * tpath_compare returns -1, 0 or 1 in tree order: an ancestor comes before
 * its descendants, and a subtree is never interrupted.
 */
static inline int
tpath_compare(const char *a, size_t a_size, const char *b, size_t b_size)
{
	size_t shorter = a_size < b_size ? a_size : b_size;
	int order = shorter > 0 ? memcmp(a, b, shorter) : 0;

	if (order != 0)
		return order < 0 ? -1 : 1;
	return (a_size > b_size) - (a_size < b_size);
}

extern bool tpath_contains(const char *a, size_t a_size, const char *b, size_t b_size);
extern size_t tpath_common_size(const char *a, size_t a_size, const char *b, size_t b_size);

/* parts of one payload */
extern long tpath_level_count(const char *payload, size_t size);
extern size_t tpath_lineage_bytes(const char *payload, size_t size, size_t limit);
extern size_t tpath_label_size(const char *label, size_t limit);
extern size_t tpath_parent_size(const char *payload, size_t size);
extern size_t tpath_label_offset(const char *payload, size_t size, long n);
extern const char *tpath_slice(const char *payload, size_t size, long first, long end,
							   size_t *slice_size);

#endif /* TERRITORY_PATH_H */
