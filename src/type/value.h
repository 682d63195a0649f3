/*
 * value.h
 *		What the files of the type share and other modules do not need.
 */
#ifndef TERRITORY_VALUE_H
#define TERRITORY_VALUE_H

#include "type/territory.h"
#include "utils/array.h"

/* a value with room for a payload, to be filled by the caller */
extern Territory *territory_allocate(Size size);

/* raise an error unless raw text can be a label, and a path can have that many */
extern void territory_check_new_label(const char *label, Size size);
extern void territory_check_level_count(long levels);

/* the labels of a followed by those of b */
extern Territory *territory_concat(const Territory *a, const Territory *b);

/* the first value behind the subtree, in tree order */
extern Territory *territory_subtree_end(const Territory *t);

/* the root, the ancestors and the path itself, as an array of elements of our type */
extern ArrayType *territory_lineage(const Territory *t, Oid type);

/* the same in an array of the caller's, with room for one more than there are labels; how many */
extern int territory_lineage_elements(const Territory *t, Datum *elements);

/* can territory_lineage return all paths that contain this one? */
extern bool territory_lineage_fits(const Territory *t);

/* the comparison function of the btree operator class, as SQL calls it */
extern PGDLLEXPORT Datum territory_sql_cmp(PG_FUNCTION_ARGS);

#endif /* TERRITORY_VALUE_H */
