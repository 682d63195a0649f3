/*
 * oracle.c
 *		What src/path should answer, found in the most obvious way.
 */
#include "oracle.h"

#include <string.h>

/* steps of a match after which the oracle gives up */
#define ORACLE_MAX_STEPS 5000

/* ---------- paths ---------- */

/*
 * oracle_path returns the labels of a payload.
 */
OraclePath
oracle_path(Bytes payload)
{
	OraclePath path = { 0, fuzz_allocate((payload.size + 1) * sizeof(Bytes)) };
	size_t from = 0;
	size_t at;

	if (payload.size == 0)
		return path;
	for (at = 0; at <= payload.size; at++)
	{
		if (at == payload.size || payload.data[at] == '\0')
		{
			path.label[path.count++] = (Bytes){ payload.data + from, at - from };
			from = at + 1;
		}
	}
	return path;
}

/*
 * oracle_is_label tells whether bytes can be a label.
 */
static bool
oracle_is_label(Bytes label)
{
	size_t chars = 0;
	size_t at;

	for (at = 0; at < label.size; at += fuzz_char_size(label.data + at, label.size - at))
		chars++;
	for (at = 0; at < label.size; at++)
	{
		if (label.data[at] == '\0')
			return false;
	}
	/* the end of a subtree may stand behind the longest label */
	if (label.size > 0 && label.data[label.size - 1] == TPATH_SUBTREE_END)
		chars--;
	return label.size > 0 && chars <= TPATH_MAX_LABEL_CHARS;
}

/*
 * oracle_is_payload tells whether bytes are a payload.
 */
bool
oracle_is_payload(Bytes payload)
{
	OraclePath path = oracle_path(payload);
	size_t n;

	for (n = 0; n < path.count; n++)
	{
		if (!oracle_is_label(path.label[n]))
			return false;
	}
	return true;
}

/*
 * oracle_compare_labels compares two labels, byte by byte.
 */
static int
oracle_compare_labels(Bytes a, Bytes b)
{
	size_t at;

	for (at = 0; at < a.size && at < b.size; at++)
	{
		unsigned char x = (unsigned char) a.data[at];
		unsigned char y = (unsigned char) b.data[at];

		if (x != y)
			return x < y ? -1 : 1;
	}
	return a.size < b.size ? -1 : a.size > b.size;
}

/*
 * oracle_common_labels returns how many labels two paths begin with in common.
 */
size_t
oracle_common_labels(const OraclePath *a, const OraclePath *b)
{
	size_t n = 0;

	while (n < a->count && n < b->count && oracle_compare_labels(a->label[n], b->label[n]) == 0)
		n++;
	return n;
}

/*
 * oracle_compare compares two paths, label by label.
 */
int
oracle_compare(const OraclePath *a, const OraclePath *b)
{
	size_t n = oracle_common_labels(a, b);

	if (n < a->count && n < b->count)
		return oracle_compare_labels(a->label[n], b->label[n]);
	return a->count < b->count ? -1 : a->count > b->count;
}

/*
 * oracle_contains tells whether the labels of a are the first ones of b.
 */
bool
oracle_contains(const OraclePath *a, const OraclePath *b)
{
	return oracle_common_labels(a, b) == a->count;
}

/*
 * oracle_joined_size returns the bytes of the labels from "first" up to but
 * not including "end", with the separators between them.
 */
size_t
oracle_joined_size(const OraclePath *path, size_t first, size_t end)
{
	size_t size = 0;
	size_t n;

	for (n = first; n < end; n++)
		size += path->label[n].size + (n > first);
	return size;
}

/* ---------- texts ---------- */

/* what is left of a text to be read */
typedef struct Reader
{
	Bytes rest;
	const char *ends_label; /* beside control characters */
	bool words;				/* of a label query: spaces behind a label are not its own */
} Reader;

/*
 * next returns the next byte, or -1 at the end.
 */
static int
next(const Reader *reader)
{
	return reader->rest.size > 0 ? (unsigned char) *reader->rest.data : -1;
}

/*
 * advance passes over the next byte.
 */
static void
advance(Reader *reader)
{
	reader->rest.data++;
	reader->rest.size--;
}

/*
 * take passes over the next byte if it is this one.
 */
static bool
take(Reader *reader, char c)
{
	if (next(reader) != c)
		return false;
	advance(reader);
	return true;
}

/*
 * is_modifier tells whether a byte is one, as next returns it.
 */
static bool
is_modifier(int c)
{
	return c == '@' || c == '*' || c == '%';
}

/*
 * read_quoted reads what stands in quotes, the first of which was read.
 */
static bool
read_quoted(Reader *reader, Bytes *label)
{
	char *out = fuzz_allocate(reader->rest.size);

	*label = (Bytes){ out, 0 };
	for (; next(reader) != -1; advance(reader))
	{
		if (take(reader, '"') && next(reader) != '"')
			return true;
		out[label->size++] = *reader->rest.data;
	}
	return false;
}

/*
 * read_plain reads a label without quotes.
 */
static bool
read_plain(Reader *reader, Bytes *label)
{
	*label = (Bytes){ reader->rest.data, 0 };
	for (; next(reader) >= ' ' && next(reader) != 0x7f; advance(reader))
	{
		if (strchr(reader->ends_label, next(reader)) != NULL)
			break;
		label->size++;
	}
	if (reader->words && !is_modifier(next(reader)))
	{
		while (label->size > 0 && label->data[label->size - 1] == ' ')
			label->size--;
	}
	return label->size == 0 || (label->data[0] != ' ' && label->data[label->size - 1] != ' ');
}

/*
 * read_label reads a label.
 */
static bool
read_label(Reader *reader, Bytes *label)
{
	bool complete = take(reader, '"') ? read_quoted(reader, label) : read_plain(reader, label);

	return complete && oracle_is_label(*label);
}

/*
 * read_term reads a label and its modifiers.
 */
static bool
read_term(Reader *reader, TPathTerm *term)
{
	Bytes label;

	if (!read_label(reader, &label))
		return false;
	*term = (TPathTerm){ label.data, (uint16_t) label.size, TPATH_NO_MODIFIER };
	for (; is_modifier(next(reader)); advance(reader))
		term->modifiers |= next(reader) == '@'	 ? TPATH_ANY_CASE
						   : next(reader) == '*' ? TPATH_PREFIX
												 : TPATH_LEXEMES;
	return true;
}

/*
 * oracle_parse_path returns the payload of a text, or false.
 */
bool
oracle_parse_path(Bytes text, Bytes *payload)
{
	Reader reader = { text, "\".", false };
	char *out = fuzz_allocate(text.size);

	*payload = (Bytes){ out, 0 };
	if (text.size == 0)
		return true;
	for (;;)
	{
		Bytes label;

		if (!read_label(&reader, &label))
			return false;
		memcpy(out + payload->size, label.data, label.size);
		payload->size += label.size;
		if (next(&reader) == -1)
			return true;
		if (!take(&reader, '.'))
			return false;
		out[payload->size++] = '\0';
	}
}

/* ---------- terms ---------- */

/*
 * same tells whether a label is a term, or begins with it if that is meant.
 */
static bool
same(Bytes term, Bytes label, unsigned modifiers)
{
	bool prefix = (modifiers & TPATH_PREFIX) != 0;

	if (modifiers & TPATH_ANY_CASE)
		return fuzz_callbacks.same_in_any_case(term.data, term.size, label.data, label.size,
											   prefix);
	if (prefix && label.size > term.size)
		label.size = term.size;
	return fuzz_same(term, label);
}

/*
 * take_word takes the next word, between spaces and underscores, from a label.
 */
static bool
take_word(Bytes *rest, Bytes *word)
{
	*word = (Bytes){ rest->data, 0 };
	for (; rest->size > 0; rest->size--, rest->data++)
	{
		if (*rest->data != ' ' && *rest->data != '_')
			word->size++;
		else if (word->size > 0)
			return true;
		else
			word->data++;
	}
	return word->size > 0;
}

/*
 * has_word tells whether a word is one of a label's.
 */
static bool
has_word(Bytes label, Bytes wanted, unsigned modifiers)
{
	Bytes word;

	while (take_word(&label, &word))
	{
		if (same(wanted, word, modifiers))
			return true;
	}
	return false;
}

/*
 * oracle_term_matches tells whether a label matches a term.
 */
static bool
oracle_term_matches(const TPathTerm *term, Bytes label)
{
	Bytes rest = { term->label, term->size };
	Bytes wanted;

	if ((term->modifiers & TPATH_LEXEMES) == 0)
		return same(rest, label, term->modifiers);
	while (take_word(&rest, &wanted))
	{
		if (!has_word(label, wanted, term->modifiers))
			return false;
	}
	return true;
}

/* ---------- patterns ---------- */

/*
 * read_number reads a number, if there is one, in place of a default.
 */
static bool
read_number(Reader *reader, size_t *number)
{
	if (next(reader) < '0' || next(reader) > '9')
		return true;
	for (*number = 0; next(reader) >= '0' && next(reader) <= '9'; advance(reader))
	{
		*number = *number * 10 + (size_t) (next(reader) - '0');
		if (*number > TPATH_MAX_LEVELS)
			return false;
	}
	return true;
}

/*
 * read_count reads "{n}", "{n,m}", "{n,}", "{,m}" or "{,}".
 */
static bool
read_count(Reader *reader, OracleItem *item)
{
	const char *from;

	if (!take(reader, '{'))
		return true;
	from = reader->rest.data;
	item->least = 0;
	item->most = TPATH_MAX_LEVELS;
	if (!read_number(reader, &item->least))
		return false;
	if (!take(reader, ','))
	{
		if (reader->rest.data == from)
			return false;
		item->most = item->least;
	}
	else if (!read_number(reader, &item->most))
		return false;
	return take(reader, '}') && item->least <= item->most;
}

/*
 * read_item reads what stands between dots.
 */
static bool
read_item(Reader *reader, OraclePattern *pattern)
{
	OracleItem *item = &pattern->item[pattern->count++];

	*item = (OracleItem){ 0, TPATH_MAX_LEVELS, false, 0, NULL };
	if (take(reader, '*'))
		return read_count(reader, item);
	item->negated = take(reader, '!');
	item->least = item->most = 1;
	item->term = &pattern->term[pattern->terms];
	do
	{
		if (!read_term(reader, &pattern->term[pattern->terms++]))
			return false;
		item->terms++;
	} while (take(reader, '|'));
	return read_count(reader, item);
}

/*
 * oracle_parse_pattern returns the items of a text, or false.
 */
bool
oracle_parse_pattern(Bytes text, OraclePattern *pattern)
{
	Reader reader = { text, "\".!|@*%{}", false };

	*pattern = (OraclePattern){ .item = fuzz_allocate((text.size + 1) * sizeof(OracleItem)),
								.term = fuzz_allocate((text.size + 1) * sizeof(TPathTerm)) };
	do
	{
		if (!read_item(&reader, pattern))
			return false;
	} while (take(&reader, '.'));
	return next(&reader) == -1;
}

/*
 * item_matches tells whether a label can be one of those of an item.
 */
static bool
item_matches(const OracleItem *item, Bytes label)
{
	size_t n;

	for (n = 0; n < item->terms; n++)
	{
		if (oracle_term_matches(&item->term[n], label))
			return !item->negated;
	}
	return item->terms == 0 || item->negated;
}

/*
 * matches_from tells whether the labels from one on match the items from one
 * on, by trying all numbers of labels for the first item.
 */
static OracleAnswer
matches_from(const OraclePattern *pattern, size_t item_at, const OraclePath *path, size_t label_at,
			 int *steps)
{
	const OracleItem *item = &pattern->item[item_at];
	size_t n;

	if (item_at == pattern->count)
		return label_at == path->count ? ORACLE_YES : ORACLE_NO;
	for (n = 0; n <= item->most && label_at + n <= path->count; n++)
	{
		OracleAnswer answer = ORACLE_NO;

		if (++*steps > ORACLE_MAX_STEPS)
			return ORACLE_DOES_NOT_KNOW;
		if (n > 0 && !item_matches(item, path->label[label_at + n - 1]))
			return ORACLE_NO;
		if (n >= item->least)
			answer = matches_from(pattern, item_at + 1, path, label_at + n, steps);
		if (answer != ORACLE_NO)
			return answer;
	}
	return ORACLE_NO;
}

/*
 * oracle_matches tells whether a path matches a pattern.
 */
OracleAnswer
oracle_matches(const OraclePattern *pattern, const OraclePath *path)
{
	int steps = 0;

	return matches_from(pattern, 0, path, 0, &steps);
}

/* ---------- label queries ---------- */

/* a label query that is evaluated while it is read */
typedef struct Evaluation
{
	Reader reader;
	OracleTermValue value;
	void *argument;
} Evaluation;

static bool read_alternatives(Evaluation *evaluation, bool *result);

/*
 * skip_space passes over white space.
 */
static void
skip_space(Reader *reader)
{
	while (next(reader) == ' ' || (next(reader) >= '\t' && next(reader) <= '\r'))
		advance(reader);
}

/*
 * read_operand reads a term or what stands in parentheses, perhaps negated.
 */
static bool
read_operand(Evaluation *evaluation, bool *result)
{
	Reader *reader = &evaluation->reader;
	bool complete;

	skip_space(reader);
	if (take(reader, '!'))
	{
		complete = read_operand(evaluation, result);
		*result = !*result;
	}
	else if (take(reader, '('))
		complete = read_alternatives(evaluation, result) && take(reader, ')');
	else
	{
		TPathTerm term;

		complete = read_term(reader, &term);
		if (complete)
			*result = evaluation->value(&term, evaluation->argument);
	}
	skip_space(reader);
	return complete;
}

/*
 * read_conditions reads operands joined by "&".
 */
static bool
read_conditions(Evaluation *evaluation, bool *result)
{
	*result = true;
	do
	{
		bool operand = false;

		if (!read_operand(evaluation, &operand))
			return false;
		*result = operand && *result;
	} while (take(&evaluation->reader, '&'));
	return true;
}

/*
 * read_alternatives reads conditions joined by "|".
 */
static bool
read_alternatives(Evaluation *evaluation, bool *result)
{
	*result = false;
	do
	{
		bool conditions;

		if (!read_conditions(evaluation, &conditions))
			return false;
		*result = conditions || *result;
	} while (take(&evaluation->reader, '|'));
	return true;
}

/*
 * oracle_evaluate returns the value of a label query from those of its terms.
 */
bool
oracle_evaluate(Bytes text, OracleTermValue value, void *argument, bool *result)
{
	Evaluation evaluation = { { text, "\".!|@*%{}&()", true }, value, argument };

	return read_alternatives(&evaluation, result) && next(&evaluation.reader) == -1;
}

/*
 * oracle_any_label_matches tells whether a label of a path matches a term.
 */
bool
oracle_any_label_matches(const TPathTerm *term, const OraclePath *path)
{
	size_t n;

	for (n = 0; n < path->count; n++)
	{
		if (oracle_term_matches(term, path->label[n]))
			return true;
	}
	return false;
}
