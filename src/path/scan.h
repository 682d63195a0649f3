/*
 * scan.h
 *		Reading labels from a text: what paths, patterns and label queries share.
 *
 * In all three a label stands plain, up to the first byte that means
 * something there, or in double quotes. Private to src/path.
 */
#ifndef TERRITORY_PATH_SCAN_H
#define TERRITORY_PATH_SCAN_H

#include "path/query.h"

/* the languages, as bits: which bytes end a plain label differs */
#define TPATH_IN_PATH	 0x01
#define TPATH_IN_PATTERN 0x02
#define TPATH_IN_QUERY	 0x04

/* and one bit more: a path without such bytes is written without quotes; the separator is none */
#define TPATH_MAY_NEED_QUOTES 0x08

/* a text that is being read, and the bytes that are being written */
typedef struct TPathScanner
{
	const char *at; /* next byte to read */
	const char *end;
	char *out; /* next byte to write */
	TPathCharSize char_size;
	unsigned language;
} TPathScanner;

/* for each byte, the languages in which it ends a plain label */
extern const unsigned char tpath_label_ends[256];

/*
 * tpath_ends_label tells whether a byte ends a plain label of a language.
 */
static inline bool
tpath_ends_label(char c, unsigned language)
{
	return (tpath_label_ends[(unsigned char) c] & language) != 0;
}

/*
 * tpath_sees tells whether the next byte to read is this one.
 */
static inline bool
tpath_sees(const TPathScanner *scanner, char c)
{
	return scanner->at < scanner->end && *scanner->at == c;
}

/*
 * tpath_takes reads the next byte if it is this one, and tells whether it was.
 */
static inline bool
tpath_takes(TPathScanner *scanner, char c)
{
	bool seen = tpath_sees(scanner, c);

	scanner->at += seen;
	return seen;
}

/*
 * tpath_modifier returns what a byte behind a label means there.
 */
static inline unsigned
tpath_modifier(char c)
{
	switch (c)
	{
		case '@':
			return TPATH_ANY_CASE;
		case '*':
			return TPATH_PREFIX;
		case '%':
			return TPATH_LEXEMES;
		default:
			return TPATH_NO_MODIFIER;
	}
}

/* read one label of either kind and write it, raw; stops behind it, or at what is wrong */
extern TPathError tpath_scan_label(TPathScanner *scanner);

/* a label as a text of a language has it: how many bytes, and the bytes */
extern size_t tpath_label_text_size(const char *label, size_t size, unsigned language);
extern char *tpath_print_label(const char *label, size_t size, unsigned language, char *out);

#endif /* TERRITORY_PATH_SCAN_H */
