/*
 * matching.h
 *		The types territory.pattern and territory.label_query, as the files of
 *		this module see them.
 *
 * A value is a varlena whose payload is what src/path compiled. It is only
 * ever made by the parsers, from text, so that its layout may be that of the
 * machine.
 */
#ifndef TERRITORY_TYPE_MATCHING_H
#define TERRITORY_TYPE_MATCHING_H

#include "path/query.h"
#include "type/territory.h"

typedef struct varlena Pattern;
typedef struct varlena LabelQuery;

/* packed, for src/path reads its records from any address */
#define DatumGetPatternPP(d)		((Pattern *) PG_DETOAST_DATUM_PACKED(d))
#define PG_GETARG_PATTERN_PP(n)		DatumGetPatternPP(PG_GETARG_DATUM(n))
#define DatumGetLabelQueryPP(d)		((LabelQuery *) PG_DETOAST_DATUM_PACKED(d))
#define PG_GETARG_LABEL_QUERY_PP(n) DatumGetLabelQueryPP(PG_GETARG_DATUM(n))

/* comparison regardless of case, by the database's default collation; interrupts */
extern const TPathCallbacks territory_path_callbacks;

/* the operators ~ and @ */
extern bool territory_matches(const Territory *t, const Pattern *pattern);
extern bool territory_satisfies(const Territory *t, const LabelQuery *query);

/*
 * What is asked of an element of an array or a key of an index: does it stand
 * in that relation to the argument?
 */
typedef bool (*TerritoryElementTest)(Datum element, void *argument);

extern bool territory_element_contains(Datum element, void *path);
extern bool territory_element_contained(Datum element, void *path);
extern bool territory_element_matches(Datum element, void *pattern);
extern bool territory_element_satisfies(Datum element, void *label_query);

/*
 * The part of the tree order in which all matches of a pattern are: not
 * before "start" and, unless "end" is NULL, before "end"; both palloc'd. The
 * kind says how much more than the matches that is.
 */
typedef struct TerritoryRange
{
	TPathPrefixKind kind;
	Territory *start;
	Territory *end;
} TerritoryRange;

extern TerritoryRange territory_pattern_range(const Pattern *pattern);

/* is this the type territory.pattern? */
extern bool territory_is_pattern_type(Oid type);

/* the input function of patterns, as SQL calls it */
extern PGDLLEXPORT Datum territory_sql_pattern_in(PG_FUNCTION_ARGS);

#endif /* TERRITORY_TYPE_MATCHING_H */
