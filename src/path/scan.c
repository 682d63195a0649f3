/*
 * scan.c
 *		Labels in a text: read and written, plain or in double quotes.
 *
 * Scanning goes byte by byte and never asks for the length of a character:
 * the bytes that mean something are ASCII, and no other character contains
 * them.
 */
#include "path/scan.h"

#include <string.h>

#define IN_QUERIES (TPATH_IN_PATTERN | TPATH_IN_QUERY)
#define EVERYWHERE (TPATH_IN_PATH | IN_QUERIES | TPATH_MAY_NEED_QUOTES)

const unsigned char tpath_label_ends[256] = {
	/* ASCII control characters: a label with one is always quoted */
	[0x00] = TPATH_IN_PATH | IN_QUERIES,
	[0x01 ... 0x1f] = EVERYWHERE,
	[0x7f] = EVERYWHERE,
	[' '] = TPATH_MAY_NEED_QUOTES,
	['"'] = EVERYWHERE,
	/* between labels; in a label query, nothing a plain word could contain */
	['.'] = EVERYWHERE,
	/* operators and modifiers */
	['!'] = IN_QUERIES,
	['|'] = IN_QUERIES,
	['@'] = IN_QUERIES,
	['*'] = IN_QUERIES,
	['%'] = IN_QUERIES,
	['{'] = IN_QUERIES,
	['}'] = IN_QUERIES,
	['&'] = TPATH_IN_QUERY,
	['('] = TPATH_IN_QUERY,
	[')'] = TPATH_IN_QUERY,
};

/*
 * tpath_is_control tells whether a byte is an ASCII control character.
 */
static inline bool
tpath_is_control(char c)
{
	return (unsigned char) c < 0x20 || c == 0x7f;
}

/*
 * tpath_emit writes a label, or a part of one.
 */
static inline void
tpath_emit(TPathScanner *scanner, const char *bytes, size_t size)
{
	memcpy(scanner->out, bytes, size);
	scanner->out += size;
}

/*
 * tpath_plain_end returns where a plain label ends that was scanned up to
 * here. The words of a label query may have spaces behind them, which are
 * not theirs, unless a modifier follows.
 */
static const char *
tpath_plain_end(const TPathScanner *scanner, const char *label)
{
	const char *end = scanner->at;

	if (scanner->language != TPATH_IN_QUERY ||
		(end < scanner->end && tpath_modifier(*end) != TPATH_NO_MODIFIER))
		return end;
	while (end > label && end[-1] == ' ')
		end--;
	return end;
}

/*
 * tpath_scan_plain reads a plain label.
 */
static TPathError
tpath_scan_plain(TPathScanner *scanner)
{
	const char *label = scanner->at;
	const char *end;

	if (tpath_sees(scanner, ' '))
		return TPATH_OUTER_SPACE;
	while (scanner->at < scanner->end && !tpath_ends_label(*scanner->at, scanner->language))
		scanner->at++;
	end = tpath_plain_end(scanner, label);
	if (end > label && end[-1] == ' ')
	{
		scanner->at = end - 1;
		return TPATH_OUTER_SPACE;
	}
	tpath_emit(scanner, label, end - label);
	return TPATH_OK;
}

/*
 * tpath_scan_quoted reads a label that begins with a quote.
 */
static TPathError
tpath_scan_quoted(TPathScanner *scanner)
{
	const char *opening = scanner->at++;

	for (;;)
	{
		const char *quote = memchr(scanner->at, '"', scanner->end - scanner->at);

		if (quote == NULL)
		{
			scanner->at = opening;
			return TPATH_UNTERMINATED_QUOTE;
		}
		tpath_emit(scanner, scanner->at, quote - scanner->at);
		scanner->at = quote + 1;
		if (!tpath_sees(scanner, '"'))
			return TPATH_OK;
		tpath_emit(scanner, quote, 1); /* two quotes mean one */
		scanner->at++;
	}
}

/*
 * tpath_after_label tells what is wrong with the byte behind a label, if it
 * can follow none in any language.
 */
static TPathError
tpath_after_label(const TPathScanner *scanner, bool quoted)
{
	if (scanner->at == scanner->end)
		return TPATH_OK;
	if (!tpath_ends_label(*scanner->at, scanner->language))
	{
		/* only behind a quote; the spaces behind a word end it in a query */
		return scanner->language == TPATH_IN_QUERY && *scanner->at == ' ' ? TPATH_OK
																		  : TPATH_TEXT_AFTER_QUOTE;
	}
	if (*scanner->at == '"')
		return TPATH_QUOTE_IN_LABEL;
	if (tpath_is_control(*scanner->at) && scanner->language != TPATH_IN_QUERY)
		return quoted ? TPATH_TEXT_AFTER_QUOTE : TPATH_CONTROL_CHARACTER;
	return TPATH_OK;
}

/*
 * tpath_scan_label reads one label of either kind and checks what holds for
 * both. A label that is wrong as a whole is reported where it begins.
 */
TPathError
tpath_scan_label(TPathScanner *scanner)
{
	const char *from = scanner->at;
	const char *label = scanner->out;
	bool quoted = tpath_sees(scanner, '"');
	TPathError error = quoted ? tpath_scan_quoted(scanner) : tpath_scan_plain(scanner);

	if (error == TPATH_OK)
		error = tpath_after_label(scanner, quoted);
	if (error != TPATH_OK)
		return error;

	error = tpath_check_label(label, scanner->out - label, scanner->char_size);
	if (error != TPATH_OK)
		scanner->at = from;
	return error;
}

/*
 * tpath_needs_quotes tells whether a label has to be quoted in a text.
 */
static bool
tpath_needs_quotes(const char *label, size_t size, unsigned language)
{
	size_t at;

	if (size == 0 || label[0] == ' ' || label[size - 1] == ' ')
		return true;
	for (at = 0; at < size; at++)
	{
		if (tpath_ends_label(label[at], language))
			return true;
	}
	return false;
}

/*
 * tpath_label_text_size returns the bytes that a label takes in a text.
 */
size_t
tpath_label_text_size(const char *label, size_t size, unsigned language)
{
	size_t quoted = size + 2;
	size_t at;

	if (!tpath_needs_quotes(label, size, language))
		return size;
	for (at = 0; at < size; at++)
		quoted += label[at] == '"';
	return quoted;
}

/*
 * tpath_print_quoted writes a label in quotes and returns the end of it.
 */
static char *
tpath_print_quoted(const char *label, size_t size, char *out)
{
	size_t at;

	*out++ = '"';
	for (at = 0; at < size; at++)
	{
		if (label[at] == '"')
			*out++ = '"';
		*out++ = label[at];
	}
	*out++ = '"';
	return out;
}

/*
 * tpath_print_label writes a label as a text has it and returns the end.
 */
char *
tpath_print_label(const char *label, size_t size, unsigned language, char *out)
{
	if (tpath_needs_quotes(label, size, language))
		return tpath_print_quoted(label, size, out);
	memcpy(out, label, size);
	return out + size;
}
