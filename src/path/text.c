/*
 * text.c
 *		Paths as plain bytes: the text form, read and written.
 *
 * Scanning goes byte by byte and never asks for the length of a character:
 * the bytes that mean something here are ASCII, and no other character
 * contains them.
 */
#include "path/path.h"

#include <string.h>

/* a text that is being read, and the payload that is being written */
typedef struct TPathParser
{
	const char *at; /* next byte to read */
	const char *end;
	char *out; /* next byte to write */
	TPathCharSize char_size;
} TPathParser;

/*
 * tpath_is_control tells whether a byte is an ASCII control character.
 */
static inline bool
tpath_is_control(char c)
{
	return (unsigned char) c < 0x20 || c == 0x7f;
}

/*
 * tpath_is_plain tells whether a byte may stand inside an unquoted label.
 */
static inline bool
tpath_is_plain(char c)
{
	return c != '.' && c != '"' && !tpath_is_control(c);
}

/*
 * tpath_emit adds a label, or a part of one, to the payload.
 */
static inline void
tpath_emit(TPathParser *parser, const char *bytes, size_t size)
{
	memcpy(parser->out, bytes, size);
	parser->out += size;
}

/*
 * tpath_parse_plain reads an unquoted label and stops behind it, or at what
 * is wrong with it.
 */
static TPathError
tpath_parse_plain(TPathParser *parser)
{
	const char *label = parser->at;
	const char *end = parser->end;

	if (label < end && *label == ' ')
		return TPATH_OUTER_SPACE;
	while (parser->at < end && tpath_is_plain(*parser->at))
		parser->at++;
	if (parser->at < end && *parser->at == '"')
		return TPATH_QUOTE_IN_LABEL;
	if (parser->at < end && *parser->at != '.')
		return TPATH_CONTROL_CHARACTER;
	if (parser->at > label && parser->at[-1] == ' ')
	{
		parser->at--;
		return TPATH_OUTER_SPACE;
	}
	tpath_emit(parser, label, parser->at - label);
	return TPATH_OK;
}

/*
 * tpath_parse_quoted reads a label that begins with a quote and stops behind
 * the closing quote, or at what is wrong with it.
 */
static TPathError
tpath_parse_quoted(TPathParser *parser)
{
	const char *opening = parser->at++;
	const char *end = parser->end;

	for (;;)
	{
		const char *quote = memchr(parser->at, '"', end - parser->at);

		if (quote == NULL)
		{
			parser->at = opening;
			return TPATH_UNTERMINATED_QUOTE;
		}
		tpath_emit(parser, parser->at, quote - parser->at);
		parser->at = quote + 1;
		if (parser->at == end || *parser->at == '.')
			return TPATH_OK;
		if (*parser->at != '"')
			return TPATH_TEXT_AFTER_QUOTE;
		tpath_emit(parser, quote, 1); /* two quotes mean one */
		parser->at++;
	}
}

/*
 * tpath_parse_label reads one label of either kind and checks what holds for
 * both. A label that is wrong as a whole is reported where it begins.
 */
static TPathError
tpath_parse_label(TPathParser *parser)
{
	const char *from = parser->at;
	const char *label = parser->out;
	bool quoted = from < parser->end && *from == '"';
	TPathError error;

	error = quoted ? tpath_parse_quoted(parser) : tpath_parse_plain(parser);
	if (error != TPATH_OK)
		return error;

	error = tpath_check_label(label, parser->out - label, parser->char_size);
	if (error != TPATH_OK)
		parser->at = from;
	return error;
}

/*
 * tpath_parse_labels reads labels and the dots between them up to the end.
 */
static TPathError
tpath_parse_labels(TPathParser *parser)
{
	long levels;

	for (levels = 1; levels <= TPATH_MAX_LEVELS; levels++)
	{
		TPathError error = tpath_parse_label(parser);

		if (error != TPATH_OK || parser->at == parser->end)
			return error;
		parser->at++;
		*parser->out++ = '\0';
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
	TPathParser parser = { text, text + text_size, payload, char_size };
	TPathError error = TPATH_OK;

	if (text_size > 0)
		error = tpath_parse_labels(&parser);
	*payload_size = parser.out - payload;
	*error_at = parser.at - text;
	return error;
}

/*
 * tpath_label_needs_quotes tells whether a label has to be quoted in a text.
 */
bool
tpath_label_needs_quotes(const char *label, size_t size)
{
	size_t at;

	if (size == 0 || label[0] == ' ' || label[size - 1] == ' ')
		return true;
	for (at = 0; at < size; at++)
	{
		if (!tpath_is_plain(label[at]))
			return true;
	}
	return false;
}

/*
 * tpath_quoted_size returns the bytes that a label takes in quotes.
 */
static size_t
tpath_quoted_size(const char *label, size_t size)
{
	size_t quoted = size + 2;
	size_t at;

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
 * tpath_text_size returns the bytes of the text form.
 */
size_t
tpath_text_size(const char *payload, size_t size)
{
	size_t total = size;
	size_t at = 0;

	while (at < size)
	{
		size_t label_size = tpath_label_size(payload + at, size - at);

		if (tpath_label_needs_quotes(payload + at, label_size))
			total += tpath_quoted_size(payload + at, label_size) - label_size;
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
 * tpath_print writes the text form, tpath_text_size bytes of it, "text_size".
 */
void
tpath_print(const char *payload, size_t size, char *text, size_t text_size)
{
	size_t at = 0;

	/* quotes are the only reason for a text to be longer than its payload */
	if (text_size == size)
	{
		tpath_print_plain(payload, size, text);
		return;
	}
	while (at < size)
	{
		const char *label = payload + at;
		size_t label_size = tpath_label_size(label, size - at);

		if (tpath_label_needs_quotes(label, label_size))
			text = tpath_print_quoted(label, label_size, text);
		else
		{
			memcpy(text, label, label_size);
			text += label_size;
		}
		at += label_size + 1;
		if (at < size)
			*text++ = '.';
	}
}
