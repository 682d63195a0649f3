/*
 * key.h
 *		The column by which an attached table's records are known.
 */
#ifndef TERRITORY_KEY_H
#define TERRITORY_KEY_H

#include "postgres.h"

#include "utils/rel.h"

/* the column of the primary key, or that the caller names; an error where it does not identify records */
extern AttrNumber key_of_primary_key(Relation rel);
extern AttrNumber key_by_name(Relation rel, const char *name);

/* raises unless such keys can be kept */
extern void key_check(Form_pg_attribute key);

#endif							/* TERRITORY_KEY_H */
