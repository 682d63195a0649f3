/*
 * catalog.h
 *		Names and identities of the extension's own tables.
 */
#ifndef TERRITORY_CATALOG_H
#define TERRITORY_CATALOG_H

#include "postgres.h"

#define TERRITORY_SCHEMA "territory"

/* OID of a table of schema territory; raises when the extension is not installed */
extern Oid	catalog_table(const char *name);

/* role that owns the extension's tables: internal statements on them run as it */
extern Oid	catalog_owner(void);

/* role that owns a relation */
extern Oid	catalog_relation_owner(Oid relid);

/* "schema"."table", quoted where needed, palloc'd */
extern char *catalog_qualified_name(Oid relid);

#endif							/* TERRITORY_CATALOG_H */
