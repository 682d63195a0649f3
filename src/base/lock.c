/*
 * lock.c
 *		The two locks of the engine, both held to the end of the transaction.
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
 * Order: tree lock, then by ascending OID the attached table itself (writers
 * hold it anyway; changes take the weakest lock, which only DDL minds) and its
 * object lock. Readers take neither.
 * Both are heavyweight locks on an object (pg_locks shows locktype 'object'
 * with classid territory.node or territory.object), not advisory ones, whose
 * keys any program may hold. They cost VACUUM and plain readers nothing.
 */
#include "postgres.h"

#include "storage/lmgr.h"

#include "base/catalog.h"
#include "base/lock.h"

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
