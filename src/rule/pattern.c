/*
 * pattern.c
 *		territory.criteria(): criteria from numbered conditions and a pattern such
 *		as '(1 and 2) or 3', as people know them from other systems.
 *
 * The pattern is read by recursive descent (OR, AND, NOT, in parentheses or a
 * number) and written with each number replaced by its condition.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "rule/criteria.h"

PG_FUNCTION_INFO_V1(territory_criteria);

/* A pattern being read. */
typedef struct Pattern
{
	const char *text;
	const char *at;
	int			count;			/* conditions */
	char	  **conditions;
	bool	   *used;
	StringInfoData result;
} Pattern;

/*
 * fail raises a syntax error at the place that the reading has come to.
 */
static void
fail(const Pattern *pattern, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 *pattern->at == '\0' ?
			 errmsg("the pattern ends where %s should follow", expected) :
			 errmsg("unexpected \"%.*s\" in the pattern where %s should stand",
					pg_mblen(pattern->at), pattern->at, expected),
			 errhint("A pattern is made of numbers, AND, OR, NOT and parentheses, such as (1 and 2) or 3."),
			 internalerrquery(pattern->text),
			 internalerrposition(pg_mbstrlen_with_len(pattern->text, pattern->at - pattern->text) + 1)));
}

static void
skip_space(Pattern *pattern)
{
	while (isspace((unsigned char) *pattern->at))
		pattern->at++;
}

/*
 * take_word goes past a word, in any case, if it comes next.
 */
static bool
take_word(Pattern *pattern, const char *word)
{
	size_t		length = strlen(word);

	skip_space(pattern);
	if (pg_strncasecmp(pattern->at, word, length) != 0 ||
		isalnum((unsigned char) pattern->at[length]))
		return false;
	pattern->at += length;
	return true;
}

/*
 * read_number replaces a number by its condition.
 */
static void
read_number(Pattern *pattern)
{
	const char *begin = pattern->at;
	int64		number = 0;

	while (isdigit((unsigned char) *pattern->at) && number <= pattern->count)
		number = number * 10 + (*pattern->at++ - '0');
	if (number < 1 || number > pattern->count)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the pattern names a condition that is not there"),
				 errdetail_plural("There is %d condition.", "There are conditions 1 to %d.",
								  pattern->count, pattern->count),
				 internalerrquery(pattern->text),
				 internalerrposition(pg_mbstrlen_with_len(pattern->text, begin - pattern->text) + 1)));
	pattern->used[number - 1] = true;
	/* a comment at the end must not swallow the parenthesis */
	appendStringInfo(&pattern->result, "(%s%s)", pattern->conditions[number - 1],
					 strstr(pattern->conditions[number - 1], "--") ? "\n" : "");
}

static void read_alternatives(Pattern *pattern);

/*
 * read_term reads a number, NOT and a term, or a pattern in parentheses.
 */
static void
read_term(Pattern *pattern)
{
	check_stack_depth();
	if (take_word(pattern, "not"))
	{
		appendStringInfoString(&pattern->result, "NOT ");
		read_term(pattern);
		return;
	}
	skip_space(pattern);
	if (isdigit((unsigned char) *pattern->at))
	{
		read_number(pattern);
		return;
	}
	if (*pattern->at != '(')
		fail(pattern, "a number or (");
	pattern->at++;
	appendStringInfoChar(&pattern->result, '(');
	read_alternatives(pattern);
	skip_space(pattern);
	if (*pattern->at != ')')
		fail(pattern, "AND, OR or )");
	pattern->at++;
	appendStringInfoChar(&pattern->result, ')');
}

/*
 * read_alternatives reads terms joined by AND and OR, which bind in the result
 * as they do in the pattern.
 */
static void
read_alternatives(Pattern *pattern)
{
	read_term(pattern);
	for (;;)
	{
		if (take_word(pattern, "and"))
			appendStringInfoString(&pattern->result, " AND ");
		else if (take_word(pattern, "or"))
			appendStringInfoString(&pattern->result, " OR ");
		else
			return;
		read_term(pattern);
	}
}

/*
 * read_conditions takes the array of conditions apart; each must be one
 * expression by itself.
 */
static void
read_conditions(Pattern *pattern, ArrayType *array)
{
	Datum	   *values;
	bool	   *nulls;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &pattern->count);
	pattern->conditions = palloc(Max(pattern->count, 1) * sizeof(char *));
	pattern->used = palloc0(Max(pattern->count, 1) * sizeof(bool));
	for (int i = 0; i < pattern->count; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("condition %d is null", i + 1)));
		pattern->conditions[i] = TextDatumGetCString(values[i]);
		criteria_check_syntax(pattern->conditions[i]);
	}
}

/*
 * territory_criteria(pattern, VARIADIC conditions) -> criteria.
 */
Datum
territory_criteria(PG_FUNCTION_ARGS)
{
	Pattern		pattern = {NULL};

	pattern.text = pattern.at = text_to_cstring(PG_GETARG_TEXT_PP(0));
	read_conditions(&pattern, PG_GETARG_ARRAYTYPE_P(1));
	initStringInfo(&pattern.result);
	read_alternatives(&pattern);
	skip_space(&pattern);
	if (*pattern.at != '\0')
		fail(&pattern, "AND or OR");
	for (int i = 0; i < pattern.count; i++)
	{
		if (!pattern.used[i])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the pattern does not use condition %d", i + 1),
					 errdetail("The condition is: %s", pattern.conditions[i])));
	}
	PG_RETURN_TEXT_P(cstring_to_text_with_len(pattern.result.data, pattern.result.len));
}
