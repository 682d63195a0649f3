/*
 * text_error.c
 *		What is wrong with the text of a path, pattern or label query, in words.
 *
 * A bad text is 22P02 (invalid_text_representation), one beyond a limit is
 * 54000 (program_limit_exceeded). Positions count characters, from 1.
 */
#include "postgres.h"

#include "path/query.h"
#include "type/text_type.h"

/* longest beginning of a bad text that a message repeats, in bytes */
#define TEXT_TYPE_MAX_QUOTED 200

/*
 * text_type_problem says what an error of syntax is.
 */
static const char *
text_type_problem(TPathError error)
{
	switch (error)
	{
		case TPATH_EMPTY_LABEL:
			return "Empty label";
		case TPATH_UNTERMINATED_QUOTE:
			return "Unterminated double quote";
		case TPATH_QUOTE_IN_LABEL:
			return "Double quote inside an unquoted label";
		case TPATH_TEXT_AFTER_QUOTE:
			return "Text after a closing double quote";
		case TPATH_OUTER_SPACE:
			return "White space at the edge of an unquoted label";
		case TPATH_CONTROL_CHARACTER:
			return "Control character in an unquoted label";
		case TPATH_UNEXPECTED_CHARACTER:
			return "Unexpected character";
		case TPATH_UNEXPECTED_END:
			return "Unexpected end of the text";
		case TPATH_COUNT_EXPECTED:
			return "Number or closing brace missing";
		case TPATH_BAD_COUNT:
			return "The least number is greater than the greatest,";
		case TPATH_OPERATOR_EXPECTED:
			return "Operator missing";
		case TPATH_UNCLOSED_PARENTHESIS:
			return "Closing parenthesis missing";
		case TPATH_UNOPENED_PARENTHESIS:
			return "Closing parenthesis without an opening one";
		default:
			return "Invalid byte";
	}
}

/*
 * text_type_path_advice says what the user can do about an error of syntax.
 */
const char *
text_type_path_advice(TPathError error)
{
	switch (error)
	{
		case TPATH_EMPTY_LABEL:
			return "Labels are separated by single dots and have at least one character; only the empty text, the root, has no label.";
		case TPATH_UNTERMINATED_QUOTE:
			return "Close the label with a double quote; write a double quote that belongs to the label twice.";
		case TPATH_QUOTE_IN_LABEL:
			return "Put the whole label in double quotes and write the inner double quote twice.";
		case TPATH_TEXT_AFTER_QUOTE:
			return "Only a dot may follow a quoted label; write a double quote that belongs to the label twice.";
		default:
			return "Put the label in double quotes or remove the character.";
	}
}

/*
 * text_type_query_advice says the same of patterns and label queries.
 */
const char *
text_type_query_advice(TPathError error)
{
	switch (error)
	{
		case TPATH_EMPTY_LABEL:
		case TPATH_UNEXPECTED_END:
			return "A label has at least one character; in a pattern, * alone stands for any labels.";
		case TPATH_UNTERMINATED_QUOTE:
		case TPATH_QUOTE_IN_LABEL:
			return text_type_path_advice(error);
		case TPATH_TEXT_AFTER_QUOTE:
			return "Only a modifier or an operator may follow a quoted label; write a double quote that belongs to the label twice.";
		case TPATH_COUNT_EXPECTED:
			return "Write {n}, {n,}, {,m} or {n,m}.";
		case TPATH_BAD_COUNT:
			return "Write the smaller number first.";
		case TPATH_OPERATOR_EXPECTED:
			return "Write & or | between labels, ! before a label, and a label with special characters in double quotes.";
		case TPATH_UNCLOSED_PARENTHESIS:
		case TPATH_UNOPENED_PARENTHESIS:
			return "Parentheses come in pairs; put a label that contains one in double quotes.";
		default:
			return "Put a label with special characters in double quotes; modifiers stand behind it.";
	}
}

/*
 * text_type_save_limit reports a text that is right but too large. It returns
 * false if the error is none of these.
 */
static bool
text_type_save_limit(const char *type, TPathError error, int position, struct Node *escontext)
{
	switch (error)
	{
		case TPATH_LABEL_TOO_LONG:
			errsave(escontext,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("label of %s is too long", type),
					 errdetail("The label at character %d has more than %d characters.", position,
							   TPATH_MAX_LABEL_CHARS)));
			return true;
		case TPATH_TOO_MANY_LEVELS:
			errsave(escontext,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("%s has too many labels", type),
					 errdetail("The label at character %d is the first beyond the limit of %d.",
							   position, TPATH_MAX_LEVELS)));
			return true;
		case TPATH_COUNT_TOO_LARGE:
			errsave(escontext,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("number in %s is too large", type),
					 errdetail("The number at character %d is greater than %d.", position,
							   TPATH_MAX_LEVELS)));
			return true;
		case TPATH_TOO_MANY_ITEMS:
			errsave(escontext,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("%s has too many items", type),
					 errdetail("The item at character %d is the first beyond the limit of %d.",
							   position, TPATH_MAX_ITEMS)));
			return true;
		case TPATH_TOO_MANY_ALTERNATIVES:
			errsave(escontext,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("%s has too many alternatives", type),
					 errdetail("The label at character %d is the first beyond the limit of %d.",
							   position, TPATH_MAX_ALTERNATIVES)));
			return true;
		default:
			return false;
	}
}

/*
 * text_type_save_error reports what a parser found at an offset of a text.
 */
void
text_type_save_error(const TextType *type, TPathError error, const char *text, Size size,
					 Size offset, struct Node *escontext)
{
	int position = pg_mbstrlen_with_len(text, offset) + 1;
	int shown = size;

	if (text_type_save_limit(type->name, error, position, escontext))
		return;
	if (size > TEXT_TYPE_MAX_QUOTED)
		shown = pg_mbcliplen(text, size, TEXT_TYPE_MAX_QUOTED);
	errsave(escontext, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
						errmsg("invalid input syntax for type %s: \"%.*s%s\"", type->name, shown,
							   text, shown < size ? "..." : ""),
						errdetail("%s at character %d.", text_type_problem(error), position),
						errhint("%s", type->advice(error))));
}
