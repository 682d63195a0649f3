/*
 * query.h
 *		Patterns and label queries as plain bytes.
 *
 * A term is a label with modifiers: what one label of a path is compared
 * with. A pattern (ltree's lquery) is a sequence of items, each of which
 * stands for some labels one after another; it matches a path as a whole. A
 * label query (ltree's ltxtquery) combines terms by & | ! and parentheses; a
 * term holds if any label of the path matches it.
 *
 * Both are kept compiled: records of fixed size, each followed by the terms
 * or the label that belong to it, all in the order of the text. They are in
 * the byte order and layout of the machine and are checked by nobody: only
 * what the parsers wrote may be given to the other functions. As in path.h,
 * nothing here allocates, raises or knows of a server.
 */
#ifndef TERRITORY_PATH_QUERY_H
#define TERRITORY_PATH_QUERY_H

#include <stdint.h>

#include "path/path.h"

/* items of a pattern, and alternatives of an item */
#define TPATH_MAX_ITEMS		   65535
#define TPATH_MAX_ALTERNATIVES 65535

/* bytes that compiling a text takes at the most */
#define TPATH_COMPILED_BOUND(text_size) (10 * (size_t) (text_size) + 32)

/* modifiers of a term, as bits */
#define TPATH_NO_MODIFIER 0x00
#define TPATH_ANY_CASE	  0x01 /* @ */
#define TPATH_PREFIX	  0x02 /* *: the label may go on */
#define TPATH_LEXEMES	  0x04 /* %: each word of the term is a word of the label */

/*
 * What the functions below cannot do without the caller: compare regardless
 * of case, and let long work be cancelled. "same" tells whether the label is
 * the term, or begins with it.
 */
typedef struct TPathCallbacks
{
	bool (*same_in_any_case)(const char *term, size_t term_size, const char *label,
							 size_t label_size, bool prefix);
	void (*check_for_interrupts)(void);
} TPathCallbacks;

/* a term, its label being a part of what it was read from */
typedef struct TPathTerm
{
	const char *label;
	uint16_t size;
	uint16_t modifiers;
} TPathTerm;

/* an item of a pattern: "*" has no alternatives; the first one is at "terms" */
typedef struct TPathItem
{
	uint16_t alternatives;
	uint16_t least; /* how many labels it stands for */
	uint16_t most;
	bool negated;
	bool counted; /* the numbers were written, of other items than "*" */
	const char *terms;
} TPathItem;

/* what of a pattern an index in tree order can find */
typedef enum TPathPrefixKind
{
	TPATH_PREFIX_IS_PATTERN, /* the pattern matches this path alone */
	TPATH_PREFIX_IS_SUBTREE, /* it matches this path and all below */
	TPATH_PREFIX_OF_PATHS,	 /* whatever it matches is this path or below */
	TPATH_PREFIX_OF_BYTES	 /* whatever it matches begins with these bytes */
} TPathPrefixKind;

/*
 * Patterns. tpath_print_pattern is to be given what tpath_pattern_text_size
 * returns; it writes, and returns, no more.
 */
extern TPathError tpath_parse_pattern(const char *text, size_t text_size, TPathCharSize char_size,
									  char *pattern, size_t *size, size_t *error_at);
extern size_t tpath_pattern_text_size(const char *pattern, size_t size);
extern size_t tpath_print_pattern(const char *pattern, size_t size, char *text, size_t text_size);
extern const char *tpath_next_item(const char *at, const char *end, TPathItem *item);
extern const char *tpath_next_term(const char *at, TPathTerm *term);
extern TPathPrefixKind tpath_pattern_prefix(const char *pattern, size_t size, char *prefix,
											size_t *prefix_size);

/* does a path match? "workspace" has room for tpath_match_workspace(levels of the path) bytes */
extern size_t tpath_match_workspace(long levels);
extern bool tpath_matches(const char *path, size_t path_size, const char *pattern, size_t size,
						  const TPathCallbacks *callbacks, void *workspace);

/* label queries; the same */
extern TPathError tpath_parse_query(const char *text, size_t text_size, TPathCharSize char_size,
									char *query, size_t *size, size_t *error_at);
extern size_t tpath_query_text_size(const char *query, size_t size);
extern size_t tpath_print_query(const char *query, size_t size, char *text, size_t text_size);
extern bool tpath_satisfies(const char *path, size_t path_size, const char *query, size_t size,
							const TPathCallbacks *callbacks);

/*
 * The value of a label query whose terms have the values that the caller
 * gives; "negated" says that a term being true makes the query rather false.
 */
typedef bool (*TPathTermValue)(const TPathTerm *term, bool negated, void *argument);
extern bool tpath_evaluate_query(const char *query, size_t size, TPathTermValue value,
								 void *argument);

/* read the next term from "at" on and return its end, or NULL if there is none */
extern const char *tpath_next_query_term(const char *at, const char *end, TPathTerm *term);

/* does one label match one term? */
extern bool tpath_term_matches(const TPathTerm *term, const char *label, size_t size,
							   const TPathCallbacks *callbacks);

#endif /* TERRITORY_PATH_QUERY_H */
