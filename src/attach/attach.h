/*
 * attach.h
 *		What the rest of the module needs of attaching.
 */
#ifndef TERRITORY_ATTACH_H
#define TERRITORY_ATTACH_H

/* the trigger that is put on each partition by itself */
#define TRUNCATE_TRIGGER "00_territory_truncate"

/* the policy for SELECT of a table that row-level security protects by territories */
#define PROTECTION_POLICY "territory_select"

/* runs one statement of DDL; SPI must be connected */
extern void attach_utility(const char *sql);

/* gives partitions of an attached table what is not cloned: a trigger, and the protection of the table; SPI must be connected */
extern void attach_cover_partitions(Oid object);

/* writes an object's expressions (attach_links.h) anew; as the owner of our tables */
extern void attach_set_expressions(Oid object, char *const *expressions);

#endif							/* TERRITORY_ATTACH_H */
