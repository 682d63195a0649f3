/*
 * gin_labels.c
 *		GIN operator class for paths by their labels.
 *
 * The keys are the labels. They find what no order of paths can: patterns
 * that begin with "*", and label queries. A key says that a path has a label,
 * not where; so the operator is evaluated again on what is found.
 *
 * Terms whose label may be written in several ways (@, %) name no key; a
 * label that may go on (*) is searched for as a prefix.
 */
#include "postgres.h"

#include "access/gin.h"
#include "access/stratnum.h"
#include "type/matching.h"
#include "type/value.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(territory_sql_gin_labels_value);
PG_FUNCTION_INFO_V1(territory_sql_gin_labels_query);
PG_FUNCTION_INFO_V1(territory_sql_gin_labels_compare_partial);
PG_FUNCTION_INFO_V1(territory_sql_gin_labels_consistent);

#define TERRITORY_MATCHES_STRATEGY	   1 /* ~ pattern */
#define TERRITORY_SATISFIES_STRATEGY   2 /* @ label_query */
#define TERRITORY_MATCHES_ANY_STRATEGY 3 /* ? pattern[] */

/* bytes of a label that are kept in its key, for an entry of an index has a limit */
#define TERRITORY_MAX_KEY_SIZE 512

/*
 * The keys of a query, in the order in which its terms name them. When they
 * are collected, "check" is NULL; when it is known which of them a path has,
 * it says so.
 */
typedef struct LabelKeys
{
	int count;
	int room;
	Datum *keys;
	bool *partial;
	const GinTernaryValue *check;
} LabelKeys;

/* a label query at work: its terms, to number the keys as they come */
typedef struct LabelTerms
{
	const char *at;
	const char *end;
	LabelKeys *keys;
} LabelTerms;

/*
 * territory_label_key returns the key of a label.
 */
static Datum
territory_label_key(const char *label, Size size)
{
	Size kept = Min(size, TERRITORY_MAX_KEY_SIZE);
	Territory *key = territory_allocate(kept);

	memcpy(VARDATA(key), label, kept);
	return TerritoryGetDatum(key);
}

/*
 * territory_names_key tells whether a term names a key.
 */
static bool
territory_names_key(const TPathTerm *term)
{
	return (term->modifiers & ~TPATH_PREFIX) == 0;
}

/*
 * territory_collect_key adds the key that a term names.
 */
static void
territory_collect_key(LabelKeys *keys, const TPathTerm *term)
{
	if (keys->count == keys->room)
	{
		keys->room = Max(8, keys->room * 2);
		keys->keys = keys->keys ? repalloc(keys->keys, sizeof(Datum) * keys->room)
								: palloc(sizeof(Datum) * keys->room);
		keys->partial = keys->partial ? repalloc(keys->partial, sizeof(bool) * keys->room)
									  : palloc(sizeof(bool) * keys->room);
	}
	keys->keys[keys->count] = territory_label_key(term->label, term->size);
	keys->partial[keys->count] = (term->modifiers & TPATH_PREFIX) != 0;
}

/*
 * territory_term_value tells whether a path has a label that matches a term,
 * as far as the keys say. It is to be called once for each term, in order.
 */
static GinTernaryValue
territory_term_value(LabelKeys *keys, const TPathTerm *term)
{
	GinTernaryValue value = GIN_MAYBE;

	if (!territory_names_key(term))
		return GIN_MAYBE;
	if (keys->check == NULL)
		territory_collect_key(keys, term);
	else
		value = keys->check[keys->count];
	keys->count++;
	/* keys of long labels may be those of other labels too */
	return term->size >= TERRITORY_MAX_KEY_SIZE && value == GIN_TRUE ? GIN_MAYBE : value;
}

/*
 * territory_item_value tells whether a path can have labels for an item of a
 * pattern. Keys are of interest only for an item that demands one of its
 * terms.
 */
static bool
territory_item_value(LabelKeys *keys, const TPathItem *item)
{
	const char *at = item->terms;
	bool possible = false;
	long alternative;

	if (item->alternatives == 0 || item->negated || item->least == 0)
		return true;
	for (alternative = 0; alternative < item->alternatives; alternative++)
	{
		TPathTerm term;

		at = tpath_next_term(at, &term);
		if (territory_term_value(keys, &term) != GIN_FALSE)
			possible = true;
	}
	return possible;
}

/*
 * territory_pattern_value tells whether a path can match a pattern.
 */
static bool
territory_pattern_value(LabelKeys *keys, const Pattern *pattern)
{
	const char *at = VARDATA_ANY(pattern);
	const char *end = at + VARSIZE_ANY_EXHDR(pattern);
	bool possible = true;
	TPathItem item;

	/* to the end, for the keys are numbered on the way */
	while ((at = tpath_next_item(at, end, &item)) != NULL)
		possible &= territory_item_value(keys, &item);
	return possible;
}

/*
 * territory_patterns_value tells whether a path can match one of several
 * patterns.
 */
static bool
territory_patterns_value(LabelKeys *keys, ArrayType *patterns)
{
	ArrayIterator iterator = array_create_iterator(patterns, 0, NULL);
	bool possible = false;
	Datum pattern;
	bool isnull;

	while (array_iterate(iterator, &pattern, &isnull))
	{
		if (!isnull)
			possible |= territory_pattern_value(keys, DatumGetPatternPP(pattern));
	}
	array_free_iterator(iterator);
	return possible;
}

/*
 * territory_query_term_value gives a term of a label query the value that
 * makes the query rather true, if it is not known. The terms that evaluation
 * leaves out are passed on the way.
 */
static bool
territory_query_term_value(const TPathTerm *wanted, bool negated, void *argument)
{
	LabelTerms *terms = argument;
	GinTernaryValue value = GIN_MAYBE;
	TPathTerm term;

	do
	{
		terms->at = tpath_next_query_term(terms->at, terms->end, &term);
		Assert(terms->at != NULL);
		value = territory_term_value(terms->keys, &term);
	} while (term.label != wanted->label);
	return value == GIN_MAYBE ? !negated : value == GIN_TRUE;
}

/*
 * territory_label_query_value tells whether a label query can be true of a
 * path.
 */
static bool
territory_label_query_value(LabelKeys *keys, const LabelQuery *query)
{
	const char *compiled = VARDATA_ANY(query);
	Size size = VARSIZE_ANY_EXHDR(query);
	LabelTerms terms = { compiled, compiled + size, keys };
	bool possible = tpath_evaluate_query(compiled, size, territory_query_term_value, &terms);
	TPathTerm term;

	/* keys of terms behind the last one that was asked for */
	while (keys->check == NULL &&
		   (terms.at = tpath_next_query_term(terms.at, terms.end, &term)) != NULL)
		territory_term_value(keys, &term);
	return possible;
}

/*
 * territory_query_value tells whether a path can answer a query of any of the
 * strategies. On the way the keys are collected or, if it is known which of
 * them the path has, asked.
 */
static bool
territory_query_value(LabelKeys *keys, StrategyNumber strategy, Datum query)
{
	switch (strategy)
	{
		case TERRITORY_MATCHES_STRATEGY:
			return territory_pattern_value(keys, DatumGetPatternPP(query));
		case TERRITORY_SATISFIES_STRATEGY:
			return territory_label_query_value(keys, DatumGetLabelQueryPP(query));
		case TERRITORY_MATCHES_ANY_STRATEGY:
			return territory_patterns_value(keys, DatumGetArrayTypeP(query));
		default:
			elog(ERROR, "unrecognized strategy number: %d", strategy);
	}
	return false; /* not reached */
}

/*
 * territory_gin_labels_value(territory, internal, internal) returns the keys
 * of a path.
 */
Datum
territory_sql_gin_labels_value(PG_FUNCTION_ARGS)
{
	Territory *t = PG_GETARG_TERRITORY_PP(0);
	const char *payload = TERRITORY_DATA(t);
	Size size = TERRITORY_SIZE(t);
	Datum *keys = palloc(sizeof(Datum) * (territory_nlevel(t) + 1));
	int32 count = 0;
	Size at = 0;

	while (at < size)
	{
		Size label_size = tpath_label_size(payload + at, size - at);

		keys[count++] = territory_label_key(payload + at, label_size);
		at += label_size + 1;
	}
	*(int32 *) PG_GETARG_POINTER(1) = count;
	PG_RETURN_POINTER(keys);
}

/*
 * territory_gin_labels_query(territory, internal, smallint, internal,
 * internal, internal, internal) says which keys a query looks for. A query
 * that a path without any of them may answer has to look at all paths.
 */
Datum
territory_sql_gin_labels_query(PG_FUNCTION_ARGS)
{
	Datum query = PG_GETARG_DATUM(0);
	StrategyNumber strategy = PG_GETARG_UINT16(2);
	LabelKeys keys = { 0 };
	LabelKeys none = { 0 };

	territory_query_value(&keys, strategy, query);
	none.check = palloc0(sizeof(GinTernaryValue) * (keys.count + 1));
	StaticAssertStmt(GIN_FALSE == 0, "memory of zeros says that no key is there");
	if (territory_query_value(&none, strategy, query))
		*(int32 *) PG_GETARG_POINTER(6) = GIN_SEARCH_MODE_ALL;

	*(int32 *) PG_GETARG_POINTER(1) = keys.count;
	*(bool **) PG_GETARG_POINTER(3) = keys.partial;
	PG_RETURN_POINTER(keys.keys);
}

/*
 * territory_gin_labels_compare_partial(territory, territory, smallint,
 * internal) tells whether a key begins with another one (0); those that do
 * come one after another, and then others (1).
 */
Datum
territory_sql_gin_labels_compare_partial(PG_FUNCTION_ARGS)
{
	Territory *wanted = PG_GETARG_TERRITORY_PP(0);
	Territory *key = PG_GETARG_TERRITORY_PP(1);
	Size size = TERRITORY_SIZE(wanted);

	PG_RETURN_INT32(TERRITORY_SIZE(key) >= size &&
							memcmp(TERRITORY_DATA(key), TERRITORY_DATA(wanted), size) == 0
						? 0
						: 1);
}

/*
 * territory_gin_labels_consistent(internal, smallint, territory, integer,
 * internal, internal, internal) tells whether a path with some of the keys
 * may answer the query.
 */
Datum
territory_sql_gin_labels_consistent(PG_FUNCTION_ARGS)
{
	LabelKeys keys = { 0 };

	keys.check = (const GinTernaryValue *) PG_GETARG_POINTER(0);
	PG_RETURN_GIN_TERNARY_VALUE(
		territory_query_value(&keys, PG_GETARG_UINT16(1), PG_GETARG_DATUM(2)) ? GIN_MAYBE
																			  : GIN_FALSE);
}
