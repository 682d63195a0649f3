/*
 * pair_table.h
 *		Making the tables beside an attached one: of its pairs, and of those that ended.
 */
#ifndef TERRITORY_PAIR_TABLE_H
#define TERRITORY_PAIR_TABLE_H

#include "postgres.h"

#include "utils/rel.h"

/* Both return the table's OID; as the owner of the attached table, with SPI connected. */
extern Oid	pair_table_create(Relation rel, Form_pg_attribute key);
extern Oid	pair_table_create_past(Relation rel, Form_pg_attribute key);

#endif							/* TERRITORY_PAIR_TABLE_H */
