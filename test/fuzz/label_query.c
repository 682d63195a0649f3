/*
 * label_query.c
 *		Fuzz target: label queries. The first line of the input is the text of
 *		a path, the rest that of a label query.
 *
 * Beside a path, the terms get values by hand: each different term is in one
 * of a few groups, and every assignment of values to the groups is tried, also
 * with some groups unknown. An index asks so: a term that is unknown is to be
 * what makes the query rather true, and then a query that is false is false
 * whatever the term may be.
 */
#include "oracle.h"

/* different terms that the groups tell apart; the others are as the last one */
#define MAX_TERMS 16

/* a set of groups is a bit for each */
#define GROUPS		3
#define ASSIGNMENTS (1u << GROUPS)

/* the terms of a query in their order, and what is known of them */
typedef struct Terms
{
	TPathTerm different[MAX_TERMS];
	size_t different_count;
	TPathTerm *all;
	size_t count;
	unsigned true_groups;
	unsigned unknown_groups;
	bool optimistic;
} Terms;

/*
 * parse returns a compiled query, or false.
 */
static bool
parse(Bytes text, Bytes *query)
{
	char *out = fuzz_allocate(TPATH_COMPILED_BOUND(text.size));
	size_t size;
	size_t error_at;
	TPathError error =
		tpath_parse_query(text.data, text.size, fuzz_char_size, out, &size, &error_at);

	REQUIRE(size <= TPATH_COMPILED_BOUND(text.size));
	REQUIRE(error_at <= text.size);
	if (error != TPATH_OK)
		return false;
	*query = fuzz_copy(out, size);
	return true;
}

/*
 * print returns the text of a query.
 */
static Bytes
print(Bytes query)
{
	size_t room = tpath_query_text_size(query.data, query.size);
	char *out = fuzz_allocate(room);
	size_t size = tpath_print_query(query.data, query.size, out, room);

	REQUIRE(size <= room);
	return fuzz_copy(out, size);
}

/*
 * same_term tells whether two terms are the same.
 */
static bool
same_term(const TPathTerm *a, const TPathTerm *b)
{
	return a->modifiers == b->modifiers &&
		   fuzz_same((Bytes){ a->label, a->size }, (Bytes){ b->label, b->size });
}

/*
 * group_of returns the group of a term as a bit.
 */
static unsigned
group_of(const Terms *terms, const TPathTerm *term)
{
	size_t n = 0;

	while (n < terms->different_count && !same_term(&terms->different[n], term))
		n++;
	return 1u << (n % GROUPS);
}

/*
 * note_term is the value of a term for those who only want to know the terms.
 */
static bool
note_term(const TPathTerm *term, void *argument)
{
	Terms *terms = argument;
	size_t n = 0;

	terms->all[terms->count++] = *term;
	while (n < terms->different_count && !same_term(&terms->different[n], term))
		n++;
	if (n == terms->different_count && n < MAX_TERMS)
		terms->different[terms->different_count++] = *term;
	return false;
}

/*
 * known_value is the value of a term by its group, for the oracle.
 */
static bool
known_value(const TPathTerm *term, void *argument)
{
	const Terms *terms = argument;

	return (terms->true_groups & group_of(terms, term)) != 0;
}

/*
 * possible_value is the same for the library, some being unknown.
 */
static bool
possible_value(const TPathTerm *term, bool negated, void *argument)
{
	const Terms *terms = argument;

	if (terms->unknown_groups & group_of(terms, term))
		return negated != terms->optimistic;
	return known_value(term, argument);
}

/*
 * evaluate returns the value of a query with some groups true and some unknown.
 */
static bool
evaluate(Bytes query, Terms *terms, unsigned true_groups, unsigned unknown_groups, bool optimistic)
{
	terms->true_groups = true_groups;
	terms->unknown_groups = unknown_groups;
	terms->optimistic = optimistic;
	return tpath_evaluate_query(query.data, query.size, possible_value, terms);
}

/*
 * check_unknown checks what a query is with some groups unknown: if it is
 * rather false for an optimist, or true for a pessimist, then it is that
 * whatever they are. "value" has a bit for each assignment that makes it true.
 */
static void
check_unknown(Bytes query, Terms *terms, unsigned value, unsigned unknown)
{
	unsigned known;
	unsigned groups;

	for (known = 0; known < ASSIGNMENTS; known++)
	{
		bool can_be_true;
		bool can_be_false;

		if (known & unknown)
			continue;
		can_be_true = evaluate(query, terms, known, unknown, true);
		can_be_false = !evaluate(query, terms, known, unknown, false);
		for (groups = 0; groups < ASSIGNMENTS; groups++)
		{
			if ((groups & ~unknown) == known)
				REQUIRE(value & (1u << groups) ? can_be_true : can_be_false);
		}
	}
}

/*
 * check_values checks a query with every assignment of values to its terms.
 */
static void
check_values(Bytes query, Bytes text, Terms *terms)
{
	unsigned value = 0;
	unsigned groups;
	unsigned unknown;

	for (groups = 0; groups < ASSIGNMENTS; groups++)
	{
		bool is_true = evaluate(query, terms, groups, 0, true);
		bool expected;

		REQUIRE(oracle_evaluate(text, known_value, terms, &expected));
		REQUIRE(is_true == expected);
		value |= (unsigned) is_true << groups;
	}
	for (unknown = 1; unknown < ASSIGNMENTS; unknown++)
		check_unknown(query, terms, value, unknown);
}

/*
 * check_terms checks that a query has these terms in this order.
 */
static void
check_terms(Bytes query, const Terms *terms)
{
	const char *at = query.data;
	const char *end = query.data + query.size;
	size_t count = 0;
	TPathTerm term;

	while ((at = tpath_next_query_term(at, end, &term)) != NULL)
	{
		REQUIRE(count < terms->count);
		REQUIRE(same_term(&term, &terms->all[count++]));
	}
	REQUIRE(count == terms->count);
}

/*
 * label_matches is the value of a term for a path.
 */
static bool
label_matches(const TPathTerm *term, void *argument)
{
	return oracle_any_label_matches(term, argument);
}

/*
 * check_path checks the answer for one path.
 */
static void
check_path(Bytes path, Bytes query, Bytes text)
{
	OraclePath labels = oracle_path(path);
	bool expected;

	REQUIRE(oracle_evaluate(text, label_matches, &labels, &expected));
	REQUIRE(tpath_satisfies(path.data, path.size, query.data, query.size, &fuzz_callbacks) ==
			expected);
}

/*
 * check_query checks a query, and what it says of a path.
 */
static void
check_query(Bytes text, Bytes path_text)
{
	Terms terms = { .all = fuzz_allocate((text.size + 1) * sizeof(TPathTerm)) };
	Bytes query;
	Bytes printed;
	Bytes again;
	Bytes path;
	bool ignored;
	bool accepted = parse(text, &query);

	REQUIRE(accepted == oracle_evaluate(text, note_term, &terms, &ignored));
	if (!accepted)
		return;
	printed = print(query);
	REQUIRE(parse(printed, &again));
	REQUIRE(fuzz_same(again, query));
	check_terms(query, &terms);
	check_values(query, printed, &terms);
	check_path(fuzz_copy("", 0), query, text);
	if (fuzz_parse_path(path_text, &path))
		check_path(path, query, text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Bytes rest = { (const char *) data, size };
	Bytes path = fuzz_take_line(&rest);
	Bytes text = fuzz_copy(rest.data, rest.size);

	check_query(text, path);
	fuzz_release();
	return 0;
}
