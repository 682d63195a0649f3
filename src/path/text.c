/*
 * text.c
 *		Paths as plain bytes: the text form, read and written.
 */
#include "path/scan.h"

/*
 * tpath_parse_labels reads labels and the dots between them up to the end.
 */
static TPathError
tpath_parse_labels(TPathScanner *scanner)
{
	long levels;

	for (levels = 1; levels <= TPATH_MAX_LEVELS; levels++)
	{
		TPathError error = tpath_scan_label(scanner);

		if (error != TPATH_OK || scanner->at == scanner->end)
			return error;
		scanner->at++;
		*scanner->out++ = '\0';
	}
	return TPATH_TOO_MANY_LEVELS;
}

/*
 * tpath_parse turns a text into a payload, which is never longer. On an
 * error, *error_at is the offset of the byte at which it was seen.
 */
TPathError
tpath_parse(const char *text, size_t text_size, TPathCharSize char_size, char *payload,
			size_t *payload_size, size_t *error_at)
{
	TPathScanner scanner = { text, text + text_size, payload, char_size, TPATH_IN_PATH };
	TPathError error = TPATH_OK;

	if (text_size > 0)
		error = tpath_parse_labels(&scanner);
	*payload_size = scanner.out - payload;
	*error_at = scanner.at - text;
	return error;
}

/*
 * tpath_is_plain tells whether surely no label needs quotes.
 */
static bool
tpath_is_plain(const char *payload, size_t size)
{
	unsigned seen = 0;
	size_t at;

	for (at = 0; at < size; at++)
		seen |= tpath_label_ends[(unsigned char) payload[at]];
	return (seen & TPATH_MAY_NEED_QUOTES) == 0;
}

/*
 * tpath_text_size returns the bytes of the text form.
 */
size_t
tpath_text_size(const char *payload, size_t size)
{
	size_t total = size;
	size_t at = 0;

	if (tpath_is_plain(payload, size))
		return size;
	while (at < size)
	{
		size_t label_size = tpath_label_size(payload + at, size - at);

		total += tpath_label_text_size(payload + at, label_size, TPATH_IN_PATH) - label_size;
		at += label_size + 1;
	}
	return total;
}

/*
 * tpath_print_plain writes a text form in which nothing needs quotes.
 */
static void
tpath_print_plain(const char *payload, size_t size, char *text)
{
	size_t at;

	for (at = 0; at < size; at++)
		text[at] = payload[at] == '\0' ? '.' : payload[at];
}

/*
 * tpath_print writes the text form, tpath_text_size bytes of it, "text_size",
 * which it returns.
 */
size_t
tpath_print(const char *payload, size_t size, char *text, size_t text_size)
{
	size_t at = 0;

	/* quotes are the only reason for a text to be longer than its payload */
	if (text_size == size)
	{
		tpath_print_plain(payload, size, text);
		return text_size;
	}
	while (at < size)
	{
		size_t label_size = tpath_label_size(payload + at, size - at);

		text = tpath_print_label(payload + at, label_size, TPATH_IN_PATH, text);
		at += label_size + 1;
		if (at < size)
			*text++ = '.';
	}
	return text_size;
}
