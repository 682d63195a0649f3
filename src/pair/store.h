/*
 * store.h
 *		Direct access to an assignment table, without SQL.
 */
#ifndef TERRITORY_STORE_H
#define TERRITORY_STORE_H

#include "postgres.h"

#include "nodes/nodes.h"

#include "pair/keyset.h"
#include "pair/pair.h"
#include "pair/past.h"
#include "rule/object.h"

typedef struct Store Store;

/*
 * Opens the assignment table of an object; NULL where it is not as attach made
 * it, so that only SQL statements do what its owner wants.
 */
extern Store *store_open(const ObjectInfo *object);
extern void store_close(Store *store);

/* May the table be written directly by this kind of command (INSERT, UPDATE, DELETE)? */
extern bool store_may(const Store *store, CmdType command);

/* stored pairs of some records, each of which is there once, by record and node; palloc'd */
extern int	store_fetch(Store *store, const KeySet *keys, StoredPair **stored);

/* adds pairs of which none is there */
extern void store_insert(Store *store, const PairList *list, TimestampTz since);

/* Of pairs that were fetched. Those that somebody changed since are left in rest; what the others were comes to past. */
extern void store_delete(Store *store, const PairList *list, PairList *rest, PastList *past);
extern void store_set_rule(Store *store, const PairList *list, PairList *rest, PastList *past);

#endif							/* TERRITORY_STORE_H */
