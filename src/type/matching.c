/*
 * matching.c
 *		Paths against patterns and label queries: the operators ~ and @, and
 *		the part of the tree order in which the matches of a pattern are.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_collation.h"
#include "miscadmin.h"
#include "type/matching.h"
#include "type/value.h"
#include "utils/formatting.h"
#include "utils/lsyscache.h"

/* a path of no more bytes is matched without asking for memory */
#define TERRITORY_SHORT_PATH 254

PG_FUNCTION_INFO_V1(territory_sql_matches);
PG_FUNCTION_INFO_V1(territory_sql_satisfies);
PG_FUNCTION_INFO_V1(territory_sql_pattern_start);
PG_FUNCTION_INFO_V1(territory_sql_pattern_end);

/*
 * territory_is_ascii tells whether all bytes are ASCII.
 */
static bool
territory_is_ascii(const char *bytes, Size size)
{
	while (size > 0)
	{
		if (IS_HIGHBIT_SET(bytes[--size]))
			return false;
	}
	return true;
}

/*
 * territory_folds_ascii tells whether the database's default collation makes
 * ASCII letters small as ASCII does. Turkish does not.
 */
static bool
territory_folds_ascii(void)
{
	static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static int folds = -1;

	if (folds < 0)
	{
		char *lower = str_tolower(upper, strlen(upper), DEFAULT_COLLATION_OID);

		folds = pg_strcasecmp(lower, upper) == 0 && territory_is_ascii(lower, strlen(lower));
		pfree(lower);
	}
	return folds == 1;
}

/*
 * territory_same_in_any_case compares as lower() of the database's default
 * collation does. A collation's rules are asked only where they may differ
 * from those of ASCII.
 */
static bool
territory_same_in_any_case(const char *term, size_t term_size, const char *label,
						   size_t label_size, bool prefix)
{
	bool same;
	char *a;
	char *b;

	if (territory_folds_ascii() && territory_is_ascii(term, term_size) &&
		territory_is_ascii(label, label_size))
		return (label_size == term_size || (prefix && label_size > term_size)) &&
			   pg_strncasecmp(term, label, term_size) == 0;

	/* asking takes long enough to be cancelled in between */
	CHECK_FOR_INTERRUPTS();
	a = str_tolower(term, term_size, DEFAULT_COLLATION_OID);
	b = str_tolower(label, label_size, DEFAULT_COLLATION_OID);
	same = prefix ? strncmp(a, b, strlen(a)) == 0 : strcmp(a, b) == 0;
	pfree(a);
	pfree(b);
	return same;
}

/*
 * territory_check_for_interrupts lets a query be cancelled.
 */
static void
territory_check_for_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

const TPathCallbacks territory_path_callbacks = { territory_same_in_any_case,
												  territory_check_for_interrupts };

/*
 * territory_matches tells whether a path matches a pattern.
 */
bool
territory_matches(const Territory *t, const Pattern *pattern)
{
	/* there are at least two bytes a label */
	uint32 here[(TERRITORY_SHORT_PATH / 2 + 2) * 6 / sizeof(uint32)];
	Size size = TERRITORY_SIZE(t);
	void *workspace = here;
	bool matches;

	if (size > TERRITORY_SHORT_PATH)
		workspace = palloc(tpath_match_workspace(territory_nlevel(t)));
	matches = tpath_matches(TERRITORY_DATA(t), size, VARDATA_ANY(pattern),
							VARSIZE_ANY_EXHDR(pattern), &territory_path_callbacks, workspace);
	if (workspace != here)
		pfree(workspace);
	return matches;
}

/*
 * territory_satisfies tells whether a label query is true of a path.
 */
bool
territory_satisfies(const Territory *t, const LabelQuery *query)
{
	return tpath_satisfies(TERRITORY_DATA(t), TERRITORY_SIZE(t), VARDATA_ANY(query),
						   VARSIZE_ANY_EXHDR(query), &territory_path_callbacks);
}

/*
 * territory_matches(territory, pattern) is the operator ~.
 */
Datum
territory_sql_matches(PG_FUNCTION_ARGS)
{
	Territory *t = PG_GETARG_TERRITORY_PP(0);
	Pattern *pattern = PG_GETARG_PATTERN_PP(1);
	bool matches = territory_matches(t, pattern);

	PG_FREE_IF_COPY(t, 0);
	PG_FREE_IF_COPY(pattern, 1);
	PG_RETURN_BOOL(matches);
}

/*
 * territory_satisfies(territory, label_query) is the operator @.
 */
Datum
territory_sql_satisfies(PG_FUNCTION_ARGS)
{
	Territory *t = PG_GETARG_TERRITORY_PP(0);
	LabelQuery *query = PG_GETARG_LABEL_QUERY_PP(1);
	bool satisfies = territory_satisfies(t, query);

	PG_FREE_IF_COPY(t, 0);
	PG_FREE_IF_COPY(query, 1);
	PG_RETURN_BOOL(satisfies);
}

/*
 * territory_behind_prefix returns a value behind all that begin with some
 * bytes and not far from them, or NULL if there is none. The last byte that
 * can grow and stay a character of its own is an ASCII one; the zero byte
 * behind a whole label is one too, which is how a subtree ends.
 */
static Territory *
territory_behind_prefix(const char *bytes, Size size)
{
	Territory *result;

	while (size > 0 && (unsigned char) bytes[size - 1] >= 0x7e)
		size--;
	if (size == 0)
		return NULL;
	result = territory_allocate(size);
	memcpy(VARDATA(result), bytes, size);
	VARDATA(result)[size - 1]++;
	return result;
}

/*
 * territory_pattern_range returns where in the tree order the matches are.
 */
TerritoryRange
territory_pattern_range(const Pattern *pattern)
{
	Size room = VARSIZE_ANY_EXHDR(pattern);
	TerritoryRange range;
	Size size;

	range.start = territory_allocate(room);
	range.kind = tpath_pattern_prefix(VARDATA_ANY(pattern), room, VARDATA(range.start), &size);
	SET_VARSIZE(range.start, VARHDRSZ + size);
	if (range.kind == TPATH_PREFIX_OF_BYTES)
		range.end = territory_behind_prefix(VARDATA(range.start), size);
	else
		range.end = size > 0 ? territory_subtree_end(range.start) : NULL;
	return range;
}

/*
 * pattern_start(pattern) returns a value that no match comes before.
 */
Datum
territory_sql_pattern_start(PG_FUNCTION_ARGS)
{
	PG_RETURN_TERRITORY_P(territory_pattern_range(PG_GETARG_PATTERN_PP(0)).start);
}

/*
 * pattern_end(pattern) returns a value that all matches come before.
 */
Datum
territory_sql_pattern_end(PG_FUNCTION_ARGS)
{
	Territory *end = territory_pattern_range(PG_GETARG_PATTERN_PP(0)).end;

	/* behind the root's subtree is nothing */
	PG_RETURN_TERRITORY_P(end ? end : territory_subtree_end(territory_allocate(0)));
}

/*
 * territory_is_pattern_type tells whether a type is territory.pattern,
 * whatever its name: the one that our input function reads. Planner functions
 * ask, since they may have been attached to anything.
 */
bool
territory_is_pattern_type(Oid type)
{
	FmgrInfo input;
	Oid function;
	Oid parameter;

	if (!OidIsValid(type) || type < FirstNormalObjectId)
		return false;
	getTypeInputInfo(type, &function, &parameter);
	fmgr_info(function, &input);
	return input.fn_addr == territory_sql_pattern_in;
}
