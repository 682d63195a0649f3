/*
 * text.c
 *		The text form of territory.rollup, and its input and output functions.
 *
 * The text is a JSON object: each key is the text form of a path, each value
 * an array of the count and the sum, as in {"EMEA.NL": [3, 1500.00]}. Output
 * is in tree order. Input takes any order, refuses a path that occurs twice,
 * and keeps the scale of every sum. NaN and the infinities, which JSON has no
 * numbers for, are strings.
 */
#include "postgres.h"

#include <ctype.h>

#include "compat.h"
#include "fmgr.h"
#include "forecast/rollup.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "type/territory.h"
#include "utils/builtins.h"
#include "utils/json.h"

/* the state of the parser; its functions return false after a soft error */
typedef struct RollupParser
{
	const char *text;
	const char *next;			/* the next byte to read */
	StringInfoData token;		/* the string or number read last */
	Node	   *escontext;
	ExpandedRollup *rollup;		/* what has been read so far */
} RollupParser;

PG_FUNCTION_INFO_V1(rollup_in);
PG_FUNCTION_INFO_V1(rollup_out);

/*
 * position_of counts the characters up to a place in the text, from 1.
 */
static int
position_of(const RollupParser *parser, const char *place)
{
	return pg_mbstrlen_with_len(parser->text, place - parser->text) + 1;
}

/*
 * syntax_error reports what was expected at a place in the text.
 */
static bool
syntax_error(RollupParser *parser, const char *place, const char *expected)
{
	ereturn(parser->escontext, false,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%s\"", "territory.rollup", parser->text),
			 errdetail("Expected %s at position %d.", expected, position_of(parser, place))));
}

/*
 * duplicate_error reports that the path at a place in the text occurs before.
 */
static bool
duplicate_error(RollupParser *parser, const char *place)
{
	ereturn(parser->escontext, false,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%s\"", "territory.rollup", parser->text),
			 errdetail("The path at position %d occurs more than once.",
					   position_of(parser, place))));
}

/*
 * skip_space moves to the next byte that is not white space, and returns it.
 */
static char
skip_space(RollupParser *parser)
{
	while (*parser->next == ' ' || *parser->next == '\t' ||
		   *parser->next == '\n' || *parser->next == '\r')
		parser->next++;
	return *parser->next;
}

/*
 * accept_char moves past a character, after any space, if it is the next one.
 */
static bool
accept_char(RollupParser *parser, char c)
{
	if (skip_space(parser) != c)
		return false;
	parser->next++;
	return true;
}

/*
 * expect_char moves past a character, after any space, or fails.
 */
static bool
expect_char(RollupParser *parser, char c)
{
	char		expected[] = {'"', c, '"', '\0'};

	return accept_char(parser, c) || syntax_error(parser, parser->next, expected);
}

/*
 * parse_code_unit reads the four hexadecimal digits of a \u escape.
 */
static bool
parse_code_unit(RollupParser *parser, pg_wchar *unit)
{
	*unit = 0;
	for (int i = 0; i < 4; i++)
	{
		char		c = *parser->next;

		if (!isxdigit((unsigned char) c))
			return syntax_error(parser, parser->next, "a hexadecimal digit");
		*unit = *unit * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
		parser->next++;
	}
	return true;
}

/*
 * parse_unicode_escape reads what follows \u, the second half of a surrogate
 * pair too, and adds the character to the token.
 */
static bool
parse_unicode_escape(RollupParser *parser)
{
	const char *start = parser->next - 2;
	unsigned char character[MAX_UNICODE_EQUIVALENT_STRING + 1];
	pg_wchar	code;
	pg_wchar	second;

	if (!parse_code_unit(parser, &code))
		return false;
	if (is_utf16_surrogate_first(code) && parser->next[0] == '\\' && parser->next[1] == 'u')
	{
		parser->next += 2;
		if (!parse_code_unit(parser, &second))
			return false;
		code = is_utf16_surrogate_second(second) ? surrogate_pair_to_codepoint(code, second) : 0;
	}
	if (!is_valid_unicode_codepoint(code) ||
		is_utf16_surrogate_first(code) || is_utf16_surrogate_second(code))
		return syntax_error(parser, start, "an escape of a Unicode character");

	pg_unicode_to_server(code, character);
	appendStringInfoString(&parser->token, (char *) character);
	return true;
}

/*
 * parse_escape reads what follows a backslash and adds it to the token.
 */
static bool
parse_escape(RollupParser *parser)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";
	char		c = *parser->next;
	const char *letter = c != '\0' ? strchr(letters, c) : NULL;

	if (c == 'u')
	{
		parser->next++;
		return parse_unicode_escape(parser);
	}
	if (letter == NULL)
		return syntax_error(parser, parser->next, "an escape character");
	appendStringInfoChar(&parser->token, meanings[letter - letters]);
	parser->next++;
	return true;
}

/*
 * parse_string reads a string, after any space, into the token.
 */
static bool
parse_string(RollupParser *parser)
{
	resetStringInfo(&parser->token);
	if (!accept_char(parser, '"'))
		return syntax_error(parser, parser->next, "a string in double quotes");

	for (;;)
	{
		Size		plain = strcspn(parser->next, "\"\\");

		appendBinaryStringInfo(&parser->token, parser->next, plain);
		parser->next += plain;
		if (*parser->next == '\0')
			return syntax_error(parser, parser->next, "a closing quote");
		if (*parser->next++ == '"')
			return true;
		if (!parse_escape(parser))
			return false;
	}
}

/*
 * copy_digits moves past digits and adds them to the token; false if there is
 * none.
 */
static bool
copy_digits(RollupParser *parser)
{
	Size		ndigits = strspn(parser->next, "0123456789");

	appendBinaryStringInfo(&parser->token, parser->next, ndigits);
	parser->next += ndigits;
	return ndigits > 0;
}

/*
 * copy_one_of moves past one of the characters and adds it to the token; false
 * if the next one is none of them.
 */
static bool
copy_one_of(RollupParser *parser, const char *characters)
{
	if (*parser->next == '\0' || strchr(characters, *parser->next) == NULL)
		return false;
	appendStringInfoChar(&parser->token, *parser->next++);
	return true;
}

/*
 * parse_integer reads an integer, after any space, into the token; if there is
 * none, the error names what the caller expects.
 */
static bool
parse_integer(RollupParser *parser, const char *expected)
{
	resetStringInfo(&parser->token);
	skip_space(parser);
	copy_one_of(parser, "-");
	return copy_digits(parser) || syntax_error(parser, parser->next, expected);
}

/*
 * parse_number reads a number, after any space, into the token.
 */
static bool
parse_number(RollupParser *parser)
{
	if (!parse_integer(parser, "a number"))
		return false;
	if (copy_one_of(parser, ".") && !copy_digits(parser))
		return syntax_error(parser, parser->next, "a digit");
	if (copy_one_of(parser, "eE"))
	{
		copy_one_of(parser, "+-");
		if (!copy_digits(parser))
			return syntax_error(parser, parser->next, "a digit");
	}
	return true;
}

/*
 * parse_special reads a string that stands for NaN or an infinity.
 */
static bool
parse_special(RollupParser *parser)
{
	const char *start = parser->next;

	if (!parse_string(parser))
		return false;
	return strcmp(parser->token.data, "NaN") == 0 ||
		strcmp(parser->token.data, "Infinity") == 0 ||
		strcmp(parser->token.data, "-Infinity") == 0 ||
		syntax_error(parser, start, "\"NaN\", \"Infinity\", \"-Infinity\" or a number");
}

/*
 * convert_token calls the input function of a type on the token. (The servers'
 * own function for this is not in all versions.)
 */
static bool
convert_token(RollupParser *parser, PGFunction input, Datum *result)
{
	LOCAL_FCINFO(fcinfo, 3);

	InitFunctionCallInfoData(*fcinfo, NULL, 3, InvalidOid, (fmNodePtr) parser->escontext, NULL);
	fcinfo->args[0].value = CStringGetDatum(parser->token.data);
	fcinfo->args[0].isnull = false;
	fcinfo->args[1].value = ObjectIdGetDatum(InvalidOid);
	fcinfo->args[1].isnull = false;
	fcinfo->args[2].value = Int32GetDatum(-1);
	fcinfo->args[2].isnull = false;

	*result = input(fcinfo);
	return !SOFT_ERROR_OCCURRED(parser->escontext);
}

/*
 * parse_values reads the array of count and sum.
 */
static bool
parse_values(RollupParser *parser, RollupItem *item)
{
	Datum		count;
	Datum		sum;

	if (!expect_char(parser, '[') ||
		!parse_integer(parser, "an integer") ||
		!convert_token(parser, int8in, &count) ||
		!expect_char(parser, ','))
		return false;
	if (!(skip_space(parser) == '"' ? parse_special(parser) : parse_number(parser)) ||
		!convert_token(parser, numeric_in, &sum) ||
		!expect_char(parser, ']'))
		return false;

	item->count = DatumGetInt64(count);
	item->sum = DatumGetNumeric(sum);
	return true;
}

/*
 * parse_entry reads a path and its values, and adds them to the rollup.
 */
static bool
parse_entry(RollupParser *parser)
{
	const char *start;
	Territory  *path;
	RollupItem	item;

	skip_space(parser);
	start = parser->next;
	if (!parse_string(parser))
		return false;
	path = territory_from_cstring(parser->token.data, parser->escontext);
	if (path == NULL)
		return false;

	item.path = TERRITORY_DATA(path);
	item.path_size = TERRITORY_SIZE(path);
	if (!expect_char(parser, ':') || !parse_values(parser, &item))
		return false;
	if (!expanded_rollup_insert(parser->rollup, &item))
		return duplicate_error(parser, start);

	pfree(item.sum);
	pfree(path);
	return true;
}

/*
 * parse_rollup reads the whole text.
 */
static bool
parse_rollup(RollupParser *parser)
{
	if (!expect_char(parser, '{'))
		return false;
	if (!accept_char(parser, '}'))
	{
		do
		{
			CHECK_FOR_INTERRUPTS();
			if (!parse_entry(parser))
				return false;
		} while (accept_char(parser, ','));
		if (!accept_char(parser, '}'))
			return syntax_error(parser, parser->next, "\",\" or \"}\"");
	}
	if (skip_space(parser) != '\0')
		return syntax_error(parser, parser->next, "end of input");
	return true;
}

/*
 * rollup_in is the input function: the value of a text.
 */
Datum
rollup_in(PG_FUNCTION_ARGS)
{
	RollupParser parser = {0};

	parser.text = parser.next = PG_GETARG_CSTRING(0);
	parser.escontext = (Node *) fcinfo->context;
	parser.rollup = expanded_rollup_create(CurrentMemoryContext);
	initStringInfo(&parser.token);

	if (!parse_rollup(&parser))
		PG_RETURN_NULL();
	PG_RETURN_POINTER(expanded_rollup_flatten(parser.rollup));
}

/*
 * append_item writes one entry of the text form.
 */
static void
append_item(StringInfo text, const RollupItem *item)
{
	Territory  *path = territory_from_payload(item->path, item->path_size);
	char	   *path_text = territory_to_cstring(path);
	char	   *sum_text = DatumGetCString(DirectFunctionCall1(numeric_out,
															   NumericGetDatum(item->sum)));
	bool		special = numeric_is_nan(item->sum) || numeric_is_inf(item->sum);

	escape_json(text, path_text);
	appendStringInfo(text, special ? ": [" INT64_FORMAT ", \"%s\"]" : ": [" INT64_FORMAT ", %s]",
					 item->count, sum_text);
	pfree(sum_text);
	pfree(path_text);
	pfree(path);
}

/*
 * rollup_out is the output function: the text of a value, the same for every
 * value that has the same entries.
 */
Datum
rollup_out(PG_FUNCTION_ARGS)
{
	const Rollup *rollup = PG_GETARG_ROLLUP_P(0);
	RollupCursor cursor = rollup_first(rollup);
	RollupItem	item;
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoChar(&text, '{');
	while (rollup_next(&cursor, &item))
	{
		CHECK_FOR_INTERRUPTS();
		if (text.len > 1)
			appendStringInfoString(&text, ", ");
		append_item(&text, &item);
	}
	appendStringInfoChar(&text, '}');
	PG_RETURN_CSTRING(text.data);
}
