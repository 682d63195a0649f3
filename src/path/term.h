/*
 * term.h
 *		Terms as parts of compiled patterns and label queries. Private to
 *		src/path.
 */
#ifndef TERRITORY_PATH_TERM_H
#define TERRITORY_PATH_TERM_H

#include "path/scan.h"

/* read a label and its modifiers and write the compiled term */
extern TPathError tpath_scan_term(TPathScanner *scanner);

/* a term as a text of a language has it: how many bytes, and the bytes */
extern size_t tpath_term_text_size(const TPathTerm *term, unsigned language);
extern char *tpath_print_term(const TPathTerm *term, unsigned language, char *out);

#endif /* TERRITORY_PATH_TERM_H */
