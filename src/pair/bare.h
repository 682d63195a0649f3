/*
 * bare.h
 *		Is a table of pairs as attach made it?
 */
#ifndef TERRITORY_BARE_H
#define TERRITORY_BARE_H

#include "postgres.h"

#include "nodes/execnodes.h"
#include "nodes/nodes.h"
#include "utils/rel.h"

#include "rule/object.h"

/* a plain table of the object's owner with so many columns, and no constraint or rule */
extern bool bare_table(Relation rel, const ObjectInfo *object, int columns);

/* a column as it was made: it is plain, and has these properties */
extern bool bare_column(Relation rel, int number, const char *name, Oid type, Oid collation, bool notnull);

/* Would no trigger but ours look at a command (INSERT, UPDATE, DELETE)? */
extern bool bare_of_triggers(Relation rel, CmdType command);

/* Can an index be given its entries by the columns of rows alone? */
extern bool bare_index(Relation index, const IndexInfo *info);

#endif							/* TERRITORY_BARE_H */
