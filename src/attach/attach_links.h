/*
 * attach_links.h
 *		What the records of a table that is being attached depend on.
 */
#ifndef TERRITORY_ATTACH_LINKS_H
#define TERRITORY_ATTACH_LINKS_H

#include "postgres.h"

#include "utils/rel.h"

#include "rule/object.h"

/* Arguments of attach; NULL: not given. */
typedef struct AttachLinks
{
	Oid			parent;			/* InvalidOid: none */
	char	   *parent_key;
	char	   *expressions[EXPRESSIONS];
	char	   *closed;
	char	   *family;
	char	   *family_mode;
} AttachLinks;

/*
 * Raises unless the arguments fit a kind, the table and each other; resolves the
 * expressions. Needs an SPI connection.
 */
extern void attach_check_links(Relation rel, AttrNumber key, const char *kind, const char *mode, AttachLinks *links);

/* raises where tables are attached below this one */
extern void attach_refuse_children(Oid object);

/* a notice where finding the records that belong to others takes reading the whole table */
extern void attach_advise_index(Relation rel, const AttachLinks *links);

#endif							/* TERRITORY_ATTACH_LINKS_H */
