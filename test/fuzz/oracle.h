/*
 * oracle.h
 *		What src/path should answer, found in the most obvious way.
 *
 * Written from the grammars and the definitions, without the functions that
 * are tested: a path is a list of labels, a pattern is matched by trying all
 * there is, a label query is evaluated while it is read, by recursion. Limits
 * that a short input cannot reach are left to limits.c.
 */
#ifndef TERRITORY_FUZZ_ORACLE_H
#define TERRITORY_FUZZ_ORACLE_H

#include "fuzz.h"

/* paths */
typedef struct OraclePath
{
	size_t count;
	Bytes *label;
} OraclePath;

extern OraclePath oracle_path(Bytes payload);
extern bool oracle_is_payload(Bytes payload);
extern bool oracle_parse_path(Bytes text, Bytes *payload);
extern int oracle_compare(const OraclePath *a, const OraclePath *b);
extern size_t oracle_common_labels(const OraclePath *a, const OraclePath *b);
extern bool oracle_contains(const OraclePath *a, const OraclePath *b);
extern size_t oracle_joined_size(const OraclePath *path, size_t first, size_t end);

/* patterns */
typedef struct OracleItem
{
	size_t least;
	size_t most;
	bool negated;
	size_t terms; /* none is "*" */
	const TPathTerm *term;
} OracleItem;

typedef struct OraclePattern
{
	size_t count;
	OracleItem *item;
	size_t terms; /* of all items */
	TPathTerm *term;
} OraclePattern;

typedef enum OracleAnswer
{
	ORACLE_NO,
	ORACLE_YES,
	ORACLE_DOES_NOT_KNOW /* it would take too long */
} OracleAnswer;

extern bool oracle_parse_pattern(Bytes text, OraclePattern *pattern);
extern OracleAnswer oracle_matches(const OraclePattern *pattern, const OraclePath *path);

/* label queries; false if the text is none. The values of all terms are asked for, in order. */
typedef bool (*OracleTermValue)(const TPathTerm *term, void *argument);
extern bool oracle_evaluate(Bytes text, OracleTermValue value, void *argument, bool *result);
extern bool oracle_any_label_matches(const TPathTerm *term, const OraclePath *path);

#endif /* TERRITORY_FUZZ_ORACLE_H */
