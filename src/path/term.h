/*
 * term.h
 *		Terms as parts of compiled patterns and label queries. Private to
 *		src/path.
 */
#ifndef TERRITORY_PATH_TERM_H
#define TERRITORY_PATH_TERM_H

#include <string.h>

#include "path/scan.h"

/* a compiled term: this record and then the bytes of the label */
typedef struct TPathTermRecord
{
	uint16_t size;
	uint16_t modifiers;
} TPathTermRecord;

/*
 * tpath_read_term reads the compiled term at "at" and returns its end.
 */
static inline const char *
tpath_read_term(const char *at, TPathTerm *term)
{
	TPathTermRecord record;

	memcpy(&record, at, sizeof(record));
	term->label = at + sizeof(record);
	term->size = record.size;
	term->modifiers = record.modifiers;
	return term->label + term->size;
}

/*
 * tpath_is_term tells whether a label is the term, which has no modifiers.
 */
static inline bool
tpath_is_term(const TPathTerm *term, const char *label, size_t size)
{
	return size == term->size && memcmp(term->label, label, size) == 0;
}

/*
 * tpath_only_term reads the term of an item that is one label and has no
 * other term; it returns false if the item is something else.
 */
static inline bool
tpath_only_term(const TPathItem *item, TPathTerm *term)
{
	if (item->alternatives != 1 || item->negated || item->least != 1 || item->most != 1)
		return false;
	tpath_read_term(item->terms, term);
	return true;
}

/* read a label and its modifiers and write the compiled term */
extern TPathError tpath_scan_term(TPathScanner *scanner);

/* a term as a text of a language has it: how many bytes, and the bytes */
extern size_t tpath_term_text_size(const TPathTerm *term, unsigned language);
extern char *tpath_print_term(const TPathTerm *term, unsigned language, char *out);

#endif /* TERRITORY_PATH_TERM_H */
