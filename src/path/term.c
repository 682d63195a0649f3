/*
 * term.c
 *		Terms: labels with modifiers, and whether a label matches one.
 */
#include "path/term.h"

/* the longest label has characters of four bytes */
_Static_assert(TPATH_MAX_LABEL_CHARS * 4 <= UINT16_MAX, "the size of a label fits its field");

/*
 * tpath_scan_term reads a label and its modifiers, in any order, and writes
 * the compiled term.
 */
TPathError
tpath_scan_term(TPathScanner *scanner)
{
	char *record_at = scanner->out;
	TPathTermRecord record = { 0, TPATH_NO_MODIFIER };
	TPathError error;

	scanner->out += sizeof(record);
	error = tpath_scan_label(scanner);
	if (error != TPATH_OK)
		return error;
	record.size = (uint16_t) (scanner->out - record_at - sizeof(record));
	for (; scanner->at < scanner->end; scanner->at++)
	{
		unsigned modifier = tpath_modifier(*scanner->at);

		if (modifier == TPATH_NO_MODIFIER)
			break;
		record.modifiers |= modifier;
	}
	memcpy(record_at, &record, sizeof(record));
	return TPATH_OK;
}

/*
 * tpath_next_term is tpath_read_term for callers outside of this module.
 */
const char *
tpath_next_term(const char *at, TPathTerm *term)
{
	return tpath_read_term(at, term);
}

/*
 * tpath_term_text_size returns the bytes that a term takes in a text.
 */
size_t
tpath_term_text_size(const TPathTerm *term, unsigned language)
{
	return tpath_label_text_size(term->label, term->size, language) +
		   ((term->modifiers & TPATH_LEXEMES) != 0) + ((term->modifiers & TPATH_ANY_CASE) != 0) +
		   ((term->modifiers & TPATH_PREFIX) != 0);
}

/*
 * tpath_print_term writes a term as a text has it and returns the end.
 */
char *
tpath_print_term(const TPathTerm *term, unsigned language, char *out)
{
	out = tpath_print_label(term->label, term->size, language, out);
	if (term->modifiers & TPATH_LEXEMES)
		*out++ = '%';
	if (term->modifiers & TPATH_ANY_CASE)
		*out++ = '@';
	if (term->modifiers & TPATH_PREFIX)
		*out++ = '*';
	return out;
}

/*
 * tpath_bytes_match compares a term, or a word of it, with a label, or a word
 * of that.
 */
static bool
tpath_bytes_match(const char *term, size_t term_size, const char *label, size_t size,
				  unsigned modifiers, const TPathCallbacks *callbacks)
{
	bool prefix = (modifiers & TPATH_PREFIX) != 0;

	if (modifiers & TPATH_ANY_CASE)
		return callbacks->same_in_any_case(term, term_size, label, size, prefix);
	return (size == term_size || (prefix && size > term_size)) &&
		   memcmp(term, label, term_size) == 0;
}

/*
 * tpath_next_lexeme finds the next word of a label: what stands between
 * spaces and underscores. It returns false if there is none.
 */
static bool
tpath_next_lexeme(const char **at, const char *end, const char **lexeme, size_t *size)
{
	while (*at < end && (**at == '_' || **at == ' '))
		(*at)++;
	*lexeme = *at;
	while (*at < end && **at != '_' && **at != ' ')
		(*at)++;
	*size = *at - *lexeme;
	return *size > 0;
}

/*
 * tpath_has_lexeme tells whether a word is one of a label's.
 */
static bool
tpath_has_lexeme(const char *label, size_t size, const char *wanted, size_t wanted_size,
				 unsigned modifiers, const TPathCallbacks *callbacks)
{
	const char *at = label;
	const char *lexeme;
	size_t lexeme_size;

	while (tpath_next_lexeme(&at, label + size, &lexeme, &lexeme_size))
	{
		if (tpath_bytes_match(wanted, wanted_size, lexeme, lexeme_size, modifiers, callbacks))
			return true;
	}
	return false;
}

/*
 * tpath_has_lexemes tells whether all words of a term are words of a label,
 * in whatever order.
 */
static bool
tpath_has_lexemes(const TPathTerm *term, const char *label, size_t size,
				  const TPathCallbacks *callbacks)
{
	const char *at = term->label;
	const char *wanted;
	size_t wanted_size;

	while (tpath_next_lexeme(&at, term->label + term->size, &wanted, &wanted_size))
	{
		callbacks->check_for_interrupts();
		if (!tpath_has_lexeme(label, size, wanted, wanted_size, term->modifiers, callbacks))
			return false;
	}
	return true;
}

/*
 * tpath_term_matches tells whether a label matches a term.
 */
bool
tpath_term_matches(const TPathTerm *term, const char *label, size_t size,
				   const TPathCallbacks *callbacks)
{
	if (term->modifiers & TPATH_LEXEMES)
		return tpath_has_lexemes(term, label, size, callbacks);
	return tpath_bytes_match(term->label, term->size, label, size, term->modifiers, callbacks);
}
