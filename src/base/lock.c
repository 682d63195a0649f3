/*
 * lock.c
 *		The locks of the engine, all held to the end of the transaction.
 *
 * Object lock, one an attached table. Whoever writes records takes it shared
 * before the rules are looked at; whoever changes rules, nodes or exclusions
 * takes it exclusively before the records are looked at. Each then reads by a
 * snapshot taken after the lock (session.c). So of a rule change and a record
 * write that overlap, the later holder sees the whole of what the earlier one
 * did, at every isolation level, and no record keeps what old rules gave it.
 *
 * Tree lock. Whoever changes nodes holds it from before the statement on, so
 * that two moves cannot close a cycle between them.
 *
 * Records of one table may take their territories from those of another
 * (parent/kin.c). Who writes an object takes the lock of its relatives, those above
 * and those below, shared as well; who changes what it is evaluated by, of those
 * below. So the pairs of both stand still, but for other writers of rows, and
 * against those there are row locks: who writes a record locks the one above FOR
 * KEY SHARE, as foreign keys do, before its pairs are read; who has changed a
 * record's pairs locks the record FOR UPDATE before those below are looked for.
 * Plain updates of a record do not mind the former.
 *
 * Newcomer lock, one an attached table: instead of the lock on a row that is not
 * there. Who writes a record whose parent is not there takes it one way, and looks
 * again; who adds records that others may belong to takes it the other way. Each
 * way many may hold it.
 *
 * Order: tree lock, then object by object, those that depend on others first, else
 * by ascending OID, the attached table itself (writers hold it anyway; others take
 * the weakest lock, which only DDL minds) and its object lock; then rows, those of
 * a batch by key; then the newcomer lock. Readers take none.
 * All but those on rows are heavyweight locks on an object (pg_locks shows locktype 'object'
 * with classid territory.node or territory.object; objsubid is 1 for the newcomer
 * lock), not advisory ones, whose keys any program may hold. They cost VACUUM and plain readers nothing.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/lmgr.h"

#include "base/catalog.h"
#include "base/lock.h"
#include "compat.h"

/* objsubid of the newcomer lock */
#define NEWCOMERS 1

/*
 * lock_tree waits until no other transaction is editing a tree.
 */
void
lock_tree(void)
{
	LockDatabaseObject(catalog_table("node"), InvalidOid, 0, ShareRowExclusiveLock);
}

/*
 * lock_object_for_write waits until no other transaction is changing what
 * records of this object are evaluated by.
 */
void
lock_object_for_write(Oid object)
{
	LockDatabaseObject(catalog_table("object"), object, 0, RowExclusiveLock);
}

/*
 * lock_object_for_change waits until no other transaction is writing records
 * of this object, nor changing what they are evaluated by.
 */
void
lock_object_for_change(Oid object)
{
	LockRelationOid(object, AccessShareLock);
	LockDatabaseObject(catalog_table("object"), object, 0, ShareRowExclusiveLock);
}

/*
 * lock_object_of_relative takes the lock of a relative as its writers do, and keeps DDL
 * off the table.
 */
void
lock_object_of_relative(Oid object)
{
	LockRelationOid(object, AccessShareLock);
	lock_object_for_write(object);
}

/*
 * lock_object_is_mine tells whether this transaction keeps all writers out.
 */
bool
lock_object_is_mine(Oid object)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, catalog_table("object"), object, 0);
	return territory_lock_held(&tag, ShareRowExclusiveLock);
}

/*
 * lock_newcomers_for_insert waits for whoever misses a record of this object.
 */
void
lock_newcomers_for_insert(Oid object)
{
	LockDatabaseObject(catalog_table("object"), object, NEWCOMERS, RowExclusiveLock);
}

/*
 * lock_newcomers_for_search waits for whoever adds records of this object.
 */
void
lock_newcomers_for_search(Oid object)
{
	LockDatabaseObject(catalog_table("object"), object, NEWCOMERS, ShareLock);
}
