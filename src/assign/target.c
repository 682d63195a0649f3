/*
 * target.c
 *		To which attached table a relation belongs: itself, or the partitioned
 *		table above a partition.
 *
 * The triggers of a partitioned table are cloned to its partitions, whose
 * columns may stand in another order. The answer, with the map of columns, is
 * kept by relation until the relation's cache entry is invalidated, which
 * attaching, detaching and every DDL do.
 */
#include "postgres.h"

#include "access/attmap.h"
#include "access/table.h"
#include "catalog/partition.h"
#include "executor/spi.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "assign/target.h"
#include "base/catalog.h"
#include "base/inval.h"
#include "base/session.h"
#include "compat.h"
#include "rule/object.h"

static HTAB *targets = NULL;

/*
 * mark_stale is the invalidation listener.
 */
static void
mark_stale(Oid relid)
{
	HASH_SEQ_STATUS status;
	Target	   *target;

	if (OidIsValid(relid))
	{
		target = hash_search(targets, &relid, HASH_FIND, NULL);
		if (target != NULL)
		{
			target->valid = false;
			target->generation++;
		}
		return;
	}
	hash_seq_init(&status, targets);
	while ((target = hash_seq_search(&status)) != NULL)
	{
		target->valid = false;
		target->generation++;
	}
}

/*
 * end_transaction lets all be looked up again after an abort.
 */
static void
end_transaction(bool commit, SubTransactionId id)
{
	if (!commit)
		mark_stale(InvalidOid);
}

/*
 * init_targets makes the hash at the backend's first use.
 */
static void
init_targets(void)
{
	HASHCTL		control = {.keysize = sizeof(Oid),.entrysize = sizeof(Target),
	.hcxt = CacheMemoryContext};

	if (targets != NULL)
		return;
	targets = hash_create("territory targets", 64, &control,
						  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	inval_listen(mark_stale, end_transaction);
}

/*
 * find_object returns the attached table among a relation and its ancestors.
 */
static Oid
find_object(Relation rel)
{
	List	   *candidates = list_make1_oid(RelationGetRelid(rel));
	Oid			object = InvalidOid;
	SessionRole role;
	ListCell   *cell;

	if (rel->rd_rel->relispartition)
		candidates = list_concat(candidates, get_partition_ancestors(RelationGetRelid(rel)));
	SPI_connect();
	session_become(&role, catalog_owner());
	foreach(cell, candidates)
	{
		ObjectInfo	info;

		if (object_load(lfirst_oid(cell), &info))
		{
			object = lfirst_oid(cell);
			break;
		}
	}
	session_restore_role(&role);
	SPI_finish();
	return object;
}

/*
 * make_map returns the map of columns, in CacheMemoryContext, or NULL where the
 * columns are the same.
 */
static AttrMap *
make_map(Relation rel, Oid object)
{
	MemoryContext old;
	Relation	root;
	AttrMap    *map;

	if (!OidIsValid(object) || object == RelationGetRelid(rel))
		return NULL;
	root = table_open(object, AccessShareLock);
	old = MemoryContextSwitchTo(CacheMemoryContext);
	map = territory_build_attrmap(RelationGetDescr(rel), RelationGetDescr(root));
	MemoryContextSwitchTo(old);
	table_close(root, NoLock);
	return map;
}

/*
 * target_find tells to which attached table a relation belongs.
 */
const Target *
target_find(Relation rel)
{
	Oid			relid = RelationGetRelid(rel);
	Target	   *target;
	uint32		generation;
	Oid			object;
	AttrMap    *map;
	bool		found;

	init_targets();
	target = hash_search(targets, &relid, HASH_ENTER, &found);
	if (!found)
		memset((char *) target + sizeof(Oid), 0, sizeof(Target) - sizeof(Oid));
	if (target->valid)
		return target;

	generation = target->generation;
	object = find_object(rel);
	map = make_map(rel, object);
	target = hash_search(targets, &relid, HASH_FIND, NULL);
	if (target->map)
		free_attrmap(target->map);
	target->object = object;
	target->map = map;
	/* after an invalidation on the way it serves this call only */
	target->valid = target->generation == generation;
	return target;
}

/*
 * target_column returns the relation's number of a column of the object.
 */
AttrNumber
target_column(const Target *target, AttrNumber attno)
{
	return target->map ? target->map->attnums[attno - 1] : attno;
}
