/*
 * literal.c
 *		Splits criteria into their literals and the rest.
 *
 * Two texts with the same rest (their shape) are the same sequence of tokens to
 * PostgreSQL's scanner but for the values of literals of the same kind. To be
 * sure of that, this reads only what the scanner reads in one way whatever the
 * settings are: names, plain and quoted; decimal numbers; strings without
 * backslashes, and E'' strings in which a backslash only stands before another
 * (so the server writes strings that have some); operators and punctuation.
 * Anything else, comments, dollar quotes and parameters, the other kinds of
 * strings, strings in several pieces, unusual numbers, is left to the parser.
 *
 * In a shape a literal is a quote and the letter of its kind. Integers are of the
 * kind of the type that the parser gives them.
 */
#include "postgres.h"

#include <limits.h>

#include "utils/memutils.h"

#include "rule/literal.h"

/* what the scanner takes as the beginning and as the rest of a name */
#define begins_name(c) (((c) >= 'a' && (c) <= 'z') || ((c) >= 'A' && (c) <= 'Z') || (c) == '_' || ((c) & 0x80))
#define is_digit(c) ((c) >= '0' && (c) <= '9')
#define continues_name(c) (begins_name(c) || is_digit(c) || (c) == '$')
#define is_space(c) ((c) == ' ' || ((c) >= '\t' && (c) <= '\r'))

void
literal_init(LiteralList *list)
{
	initStringInfo(&list->shape);
	initStringInfo(&list->values);
	list->room = 16;
	list->items = palloc(list->room * sizeof(Literal));
	list->count = 0;
}

/*
 * append appends bytes; literal_split has made room.
 */
static inline void
append(StringInfo string, const char *bytes, Size length)
{
	memcpy(string->data + string->len, bytes, length);
	string->len += length;
}

/*
 * add_literal notes a literal whose value is about to be appended.
 */
static void
add_literal(LiteralList *list, int location)
{
	if (list->count == list->room)
	{
		list->room *= 2;
		list->items = repalloc(list->items, list->room * sizeof(Literal));
	}
	list->items[list->count].location = location;
	list->items[list->count].value = list->values.len;
	list->count++;
}

/*
 * end_literal ends the value, and puts the kind into the shape.
 */
static void
end_literal(LiteralList *list, char kind)
{
	append(&list->values, "", 1);
	append(&list->shape, "'", 1);
	append(&list->shape, &kind, 1);
}

/*
 * split_string takes a string whose quote is at "at" (escapes: an E before it)
 * and returns what follows it, or NULL.
 */
static const char *
split_string(LiteralList *list, const char *at, bool escapes)
{
	const char *begin;

	for (begin = ++at;; at++)
	{
		if (*at == '\0' || (*at == '\\' && !escapes))
			return NULL;
		if (*at != '\'' && *at != '\\')
			continue;
		if (at[1] != *at)
			break;
		at++;
		append(&list->values, begin, at - begin);
		begin = at + 1;
	}
	if (*at == '\\')
		return NULL;
	append(&list->values, begin, at - begin);
	end_literal(list, 's');
	for (begin = ++at; is_space(*begin);)
		begin++;
	return *begin == '\'' ? NULL : at;
}

/*
 * number_kind tells which type the parser gives a number: i int4, l int8, n
 * numeric.
 */
static char
number_kind(const char *digits, Size length, bool integer)
{
	int64		value;

	if (!integer)
		return 'n';
	if (length < 10)
		return 'i';
	errno = 0;
	value = strtoll(digits, NULL, 10);
	if (errno == ERANGE)
		return 'n';
	return value <= INT_MAX ? 'i' : 'l';
}

static const char *
skip_digits(const char *at)
{
	while (is_digit(*at))
		at++;
	return at;
}

/*
 * split_number takes a number and returns what follows it, or NULL.
 */
static const char *
split_number(LiteralList *list, const char *text, const char *at)
{
	const char *end = skip_digits(at);
	bool		integer = true;

	if (at > text && at[-1] == '.')
		return NULL;
	if (*end == '.')
	{
		if (!is_digit(end[1]))
			return NULL;
		end = skip_digits(end + 1);
		integer = false;
	}
	if (*end == 'e' || *end == 'E')
	{
		end += end[1] == '+' || end[1] == '-' ? 2 : 1;
		if (!is_digit(*end))
			return NULL;
		end = skip_digits(end);
		integer = false;
	}
	if (continues_name(*end) || *end == '.')
		return NULL;
	append(&list->values, at, end - at);
	end_literal(list, number_kind(at, end - at, integer));
	return end;
}

/*
 * skip_name returns what follows a name, or NULL where it is none, but begins a
 * string or a quoted name of another kind.
 */
static const char *
skip_name(const char *at)
{
	while (continues_name(*at))
		at++;
	if (*at == '\'' || (*at == '&' && (at[1] == '\'' || at[1] == '"')))
		return NULL;
	return at;
}

/*
 * skip_quoted_name returns what follows a quoted name, or NULL.
 */
static const char *
skip_quoted_name(const char *at)
{
	at = strchr(at + 1, '"');
	return at ? at + 1 : NULL;	/* after a doubled quote the rest is skipped like another name */
}

/*
 * skip_other returns what follows a character outside names and literals, or
 * NULL where a comment, a dollar quote or a parameter begins.
 */
static const char *
skip_other(const char *at)
{
	if (*at == '$' || *at == '\\' || (at[0] == '-' && at[1] == '-') || (at[0] == '/' && at[1] == '*'))
		return NULL;
	return at + 1;
}

/*
 * skip_rest returns where the next literal begins, or NULL where something
 * comes that is left to the parser.
 */
static const char *
skip_rest(const char *at)
{
	while (at && *at && !is_digit(*at) && *at != '\'')
	{
		if ((*at == 'e' || *at == 'E') && at[1] == '\'')
			return at;
		if (begins_name(*at))
			at = skip_name(at);
		else if (*at == '"')
			at = skip_quoted_name(at);
		else
			at = skip_other(at);
	}
	return at;
}

/*
 * literal_split reads a text. Returns false where it is left to the parser.
 */
bool
literal_split(LiteralList *list, const char *text)
{
	Size		room = 2 * strlen(text) + 1;	/* 5 becomes two bytes in both */
	const char *at = text;

	if (room > MaxAllocSize / 2)
		return false;
	list->count = 0;
	resetStringInfo(&list->shape);
	resetStringInfo(&list->values);
	enlargeStringInfo(&list->shape, (int) room);
	enlargeStringInfo(&list->values, (int) room);
	for (;;)
	{
		const char *begin = at;

		at = skip_rest(at);
		if (at == NULL)
			return false;
		append(&list->shape, begin, at - begin);
		if (*at == '\0')
			break;
		add_literal(list, at - text);
		if (is_digit(*at))
			at = split_number(list, text, at);
		else
			at = split_string(list, *at == '\'' ? at : at + 1, *at != '\'');
		if (at == NULL)
			return false;
	}
	append(&list->shape, "", 1);
	return true;
}
