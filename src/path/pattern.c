/*
 * pattern.c
 *		Patterns: read, written, taken apart.
 *
 *		pattern := item { "." item }
 *		item    := "*" [ count ] | [ "!" ] term { "|" term } [ count ]
 *		count   := "{" number "}" | "{" [ number ] "," [ number ] "}"
 */
#include "path/term.h"

/* a compiled item: this record and then its terms */
typedef struct TPathItemRecord
{
	uint32_t size; /* of the terms */
	uint16_t alternatives;
	uint16_t least;
	uint16_t most;
	uint8_t negated;
	uint8_t counted;
} TPathItemRecord;

/* bytes that the numbers of an item take in a text at the most: "{65535,65535}" */
#define TPATH_COUNT_TEXT_SIZE 13

/*
 * tpath_scan_number reads a number, if there is one, in place of a default.
 */
static TPathError
tpath_scan_number(TPathScanner *scanner, uint16_t *number)
{
	const char *from = scanner->at;
	long value = 0;

	for (; scanner->at < scanner->end && *scanner->at >= '0' && *scanner->at <= '9'; scanner->at++)
	{
		value = value * 10 + (*scanner->at - '0');
		if (value > TPATH_MAX_LEVELS)
		{
			scanner->at = from;
			return TPATH_COUNT_TOO_LARGE;
		}
	}
	if (scanner->at > from)
		*number = (uint16_t) value;
	return TPATH_OK;
}

/*
 * tpath_scan_bounds reads what stands between the braces.
 */
static TPathError
tpath_scan_bounds(TPathScanner *scanner, TPathItemRecord *item)
{
	const char *from = scanner->at;
	TPathError error;

	item->least = 0;
	item->most = TPATH_MAX_LEVELS;
	error = tpath_scan_number(scanner, &item->least);
	if (error != TPATH_OK)
		return error;
	if (tpath_takes(scanner, ','))
		return tpath_scan_number(scanner, &item->most);
	if (scanner->at == from)
		return TPATH_COUNT_EXPECTED;
	item->most = item->least;
	return TPATH_OK;
}

/*
 * tpath_scan_count reads how many labels an item stands for, if that is said.
 * For "*" it does not matter whether it was: "*{,}" is "*", in all bytes.
 */
static TPathError
tpath_scan_count(TPathScanner *scanner, TPathItemRecord *item)
{
	const char *from = scanner->at;
	TPathError error;

	if (!tpath_takes(scanner, '{'))
		return TPATH_OK;
	item->counted = item->alternatives > 0;
	error = tpath_scan_bounds(scanner, item);
	if (error != TPATH_OK)
		return error;
	if (!tpath_takes(scanner, '}'))
		return TPATH_COUNT_EXPECTED;
	if (item->least <= item->most)
		return TPATH_OK;
	scanner->at = from;
	return TPATH_BAD_COUNT;
}

/*
 * tpath_scan_alternatives reads the terms of an item.
 */
static TPathError
tpath_scan_alternatives(TPathScanner *scanner, TPathItemRecord *item)
{
	item->negated = tpath_takes(scanner, '!');
	item->least = item->most = 1;
	do
	{
		TPathError error;

		if (item->alternatives == TPATH_MAX_ALTERNATIVES)
			return TPATH_TOO_MANY_ALTERNATIVES;
		error = tpath_scan_term(scanner);
		if (error != TPATH_OK)
			return error;
		item->alternatives++;
	} while (tpath_takes(scanner, '|'));
	return TPATH_OK;
}

/*
 * tpath_scan_item reads one item and writes it compiled.
 */
static TPathError
tpath_scan_item(TPathScanner *scanner)
{
	char *record_at = scanner->out;
	TPathItemRecord item = { 0, 0, 0, TPATH_MAX_LEVELS, false, false };
	TPathError error = TPATH_OK;

	scanner->out += sizeof(item);
	if (!tpath_takes(scanner, '*'))
		error = tpath_scan_alternatives(scanner, &item);
	item.size = (uint32_t) (scanner->out - record_at - sizeof(item));
	if (error == TPATH_OK)
		error = tpath_scan_count(scanner, &item);
	memcpy(record_at, &item, sizeof(item));
	return error;
}

/*
 * tpath_scan_items reads items and the dots between them up to the end.
 */
static TPathError
tpath_scan_items(TPathScanner *scanner)
{
	long items;

	for (items = 1; items <= TPATH_MAX_ITEMS; items++)
	{
		TPathError error = tpath_scan_item(scanner);

		if (error != TPATH_OK || scanner->at == scanner->end)
			return error;
		if (!tpath_takes(scanner, '.'))
			return TPATH_UNEXPECTED_CHARACTER;
	}
	return TPATH_TOO_MANY_ITEMS;
}

/*
 * tpath_parse_pattern compiles a text; "pattern" has room for
 * TPATH_COMPILED_BOUND bytes. On an error, *error_at is the offset of the
 * byte at which it was seen.
 */
TPathError
tpath_parse_pattern(const char *text, size_t text_size, TPathCharSize char_size, char *pattern,
					size_t *size, size_t *error_at)
{
	TPathScanner scanner = { text, text + text_size, pattern, char_size, TPATH_IN_PATTERN };
	TPathError error = tpath_scan_items(&scanner);

	*size = scanner.out - pattern;
	*error_at = scanner.at - text;
	return error;
}

/*
 * tpath_next_item reads the compiled item at "at" and returns its end, or
 * NULL if "at" is the end of the pattern.
 */
const char *
tpath_next_item(const char *at, const char *end, TPathItem *item)
{
	TPathItemRecord record;

	if (at == end)
		return NULL;
	memcpy(&record, at, sizeof(record));
	item->alternatives = record.alternatives;
	item->least = record.least;
	item->most = record.most;
	item->negated = record.negated;
	item->counted = record.counted;
	item->terms = at + sizeof(record);
	return item->terms + record.size;
}

/*
 * tpath_pattern_text_size returns no fewer bytes than the text form has.
 */
size_t
tpath_pattern_text_size(const char *pattern, size_t size)
{
	const char *end = pattern + size;
	size_t total = 0;
	TPathItem item;

	while ((pattern = tpath_next_item(pattern, end, &item)) != NULL)
	{
		const char *at = item.terms;
		long alternative;

		/* the dot, the "!" or "*" and the numbers; each term and its "|" */
		total += 2 + TPATH_COUNT_TEXT_SIZE;
		for (alternative = 0; alternative < item.alternatives; alternative++)
		{
			TPathTerm term;

			at = tpath_read_term(at, &term);
			total += tpath_term_text_size(&term, TPATH_IN_PATTERN) + 1;
		}
	}
	return total;
}

/*
 * tpath_print_number writes a number and returns the end.
 */
static char *
tpath_print_number(unsigned number, char *out)
{
	char digits[8];
	int count = 0;

	do
		digits[count++] = '0' + number % 10;
	while ((number /= 10) > 0);
	while (count > 0)
		*out++ = digits[--count];
	return out;
}

/*
 * tpath_print_count writes how many labels an item stands for, unless it is
 * what is meant where nothing is said, and returns the end.
 */
static char *
tpath_print_count(const TPathItem *item, char *out)
{
	if (item->alternatives == 0 ? item->least == 0 && item->most == TPATH_MAX_LEVELS
								: !item->counted)
		return out;
	*out++ = '{';
	if (item->least > 0 || item->least == item->most)
		out = tpath_print_number(item->least, out);
	if (item->least < item->most)
	{
		*out++ = ',';
		if (item->most < TPATH_MAX_LEVELS)
			out = tpath_print_number(item->most, out);
	}
	*out++ = '}';
	return out;
}

/*
 * tpath_print_item writes an item and returns the end.
 */
static char *
tpath_print_item(const TPathItem *item, char *out)
{
	const char *at = item->terms;
	long alternative;

	if (item->alternatives == 0)
		*out++ = '*';
	if (item->negated)
		*out++ = '!';
	for (alternative = 0; alternative < item->alternatives; alternative++)
	{
		TPathTerm term;

		at = tpath_read_term(at, &term);
		if (alternative > 0)
			*out++ = '|';
		out = tpath_print_term(&term, TPATH_IN_PATTERN, out);
	}
	return tpath_print_count(item, out);
}

/*
 * tpath_print_pattern writes the text form and returns its size, at most what
 * tpath_pattern_text_size says.
 */
size_t
tpath_print_pattern(const char *pattern, size_t size, char *text, size_t text_size)
{
	const char *end = pattern + size;
	char *out = text;
	TPathItem item;

	while ((pattern = tpath_next_item(pattern, end, &item)) != NULL)
	{
		if (out > text)
			*out++ = '.';
		out = tpath_print_item(&item, out);
	}
	(void) text_size;
	return out - text;
}

/*
 * tpath_pattern_prefix returns what an index in tree order can use: the
 * labels that the pattern begins with, written to "prefix", which has room
 * for "size" bytes.
 */
TPathPrefixKind
tpath_pattern_prefix(const char *pattern, size_t size, char *prefix, size_t *prefix_size)
{
	const char *end = pattern + size;
	char *out = prefix;
	TPathItem item;
	TPathTerm term;

	while ((pattern = tpath_next_item(pattern, end, &item)) != NULL)
	{
		if (!tpath_only_term(&item, &term) || (term.modifiers & ~TPATH_PREFIX) != 0)
			break;
		if (out > prefix)
			*out++ = '\0';
		memcpy(out, term.label, term.size);
		out += term.size;
		*prefix_size = out - prefix;
		if (term.modifiers == TPATH_PREFIX)
			return TPATH_PREFIX_OF_BYTES;
	}
	*prefix_size = out - prefix;
	if (pattern == NULL)
		return TPATH_PREFIX_IS_PATTERN;
	if (pattern == end && item.alternatives == 0 && item.least == 0 && item.most == TPATH_MAX_LEVELS)
		return TPATH_PREFIX_IS_SUBTREE;
	return TPATH_PREFIX_OF_PATHS;
}
