/*
 * cache.c
 *		Keeps the compiled rule sets of a backend, one an attached table.
 *
 * Story of an entry. It is built at the first use in a backend, from the newest
 * snapshot, while the caller holds the object's lock; it serves until the
 * attached table's relation cache entry is invalidated, which is how changes of
 * rules, nodes, objects and of the table itself announce themselves in every
 * backend, and how a rollback takes them back (base/inval.c). The callback only
 * clears the flag "valid". The next acquire brings the rule set up to date, where
 * few rules have changed, or builds a new one and frees the old one, or leaves that
 * to the last release when it is still in use.
 *
 * An invalidation may arrive while a rule set is being built: the entry's
 * generation then differs from the one noted before. The rule set serves the
 * caller, whose lock keeps other writers of rules out, and is built anew at the
 * next acquire.
 *
 * While a parallel query runs, the newest snapshot to be had is the query's
 * own. A rule set built from that serves the query only.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#include "base/catalog.h"
#include "base/inval.h"
#include "compat.h"
#include "rule/ruleset.h"

typedef struct CacheEntry
{
	Oid			object;			/* key */
	uint32		generation;		/* counts invalidations */
	Ruleset    *rules;			/* NULL: none built */
	LocalTransactionId query_only;	/* built from a query's snapshot in this transaction */
	SubTransactionId built_in;	/* of this transaction; 0: of an earlier one */
} CacheEntry;

static HTAB *cache = NULL;

/*
 * mark_stale is the invalidation listener.
 */
static void
mark_stale(Oid relid)
{
	HASH_SEQ_STATUS status;
	CacheEntry *entry;

	if (OidIsValid(relid))
	{
		entry = hash_search(cache, &relid, HASH_FIND, NULL);
		if (entry == NULL)
			return;
		entry->generation++;
		if (entry->rules)
			entry->rules->valid = false;
		return;
	}
	hash_seq_init(&status, cache);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		entry->generation++;
		if (entry->rules)
			entry->rules->valid = false;
	}
}

/*
 * end_transaction makes stale what was built in an aborted (sub)transaction,
 * whose children have greater ids.
 */
static void
end_transaction(bool commit, SubTransactionId id)
{
	HASH_SEQ_STATUS status;
	CacheEntry *entry;

	hash_seq_init(&status, cache);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (entry->rules && !commit && entry->built_in >= id)
		{
			entry->generation++;
			entry->rules->valid = false;
		}
		if (id == TopSubTransactionId)
			entry->built_in = InvalidSubTransactionId;
	}
}

/*
 * init_cache makes the hash at the backend's first use.
 */
static void
init_cache(void)
{
	HASHCTL		control = {.keysize = sizeof(Oid),.entrysize = sizeof(CacheEntry)};

	if (cache != NULL)
		return;
	control.hcxt = CacheMemoryContext;
	cache = hash_create("territory rule sets", 16, &control,
						HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	inval_listen(mark_stale, end_transaction);
}

/*
 * find_entry returns the entry of an object, a new one if need be.
 */
static CacheEntry *
find_entry(Oid object)
{
	bool		found;
	CacheEntry *entry = hash_search(cache, &object, HASH_ENTER, &found);

	if (!found)
	{
		entry->generation = 0;
		entry->rules = NULL;
		entry->built_in = InvalidSubTransactionId;
	}
	return entry;
}

/*
 * drop_rules takes a rule set out of the cache; the last user frees it.
 */
static void
drop_rules(CacheEntry *entry)
{
	Ruleset    *rules = entry->rules;

	entry->rules = NULL;
	if (rules == NULL)
		return;
	rules->valid = false;
	if (rules->users == 0)
		MemoryContextDelete(rules->context);
	else
		rules->orphaned = true;
}

/* a patch has cost about as much as compiling its rules anew after so many rows a rule */
#define PATCHED_ROWS 16

/*
 * is_worn tells whether it would have paid to compile a patched rule set anew.
 */
static bool
is_worn(const Ruleset *rules)
{
	return rules->patched_rows > (int64) PATCHED_ROWS * rules->index->rule_count;
}

/*
 * is_current tells whether the cached rule set may serve.
 */
static bool
is_current(const CacheEntry *entry, bool whole)
{
	const Ruleset *rules = entry->rules;

	return rules != NULL && rules->valid && (rules->whole || !whole) && !is_worn(rules) &&
		(entry->query_only == InvalidLocalTransactionId ||
		 (entry->query_only == territory_lxid() && IsInParallelMode()));
}

/*
 * update makes the cached rule set current, unless it is in use or has to be
 * compiled anew; NULL then. Meanwhile it is not in the cache, and is freed with
 * the current context if that fails.
 */
static Ruleset *
update(CacheEntry *entry, const ObjectInfo *info)
{
	Ruleset    *rules = entry->rules;

	if (rules == NULL || rules->users > 0 || is_worn(rules))
		return NULL;
	entry->rules = NULL;
	MemoryContextSetParent(rules->context, CurrentMemoryContext);
	if (!ruleset_update(rules, info))
	{
		MemoryContextDelete(rules->context);
		return NULL;
	}
	ereport(DEBUG1, (errmsg_internal("territory: compiled %d changed rules of %s",
									 rules->patch ? rules->patch->rule_count : 0,
									 catalog_qualified_name(info->object))));
	return rules;
}

/*
 * compile builds a rule set.
 */
static Ruleset *
compile(const ObjectInfo *info)
{
	Ruleset    *rules = ruleset_compile(info);

	ereport(DEBUG1, (errmsg_internal("territory: compiled %d rules of %s", rules->index->rule_count,
									 catalog_qualified_name(info->object))));
	return rules;
}

/*
 * make_current returns a rule set that is current, in a context under
 * CacheMemoryContext; NULL when the table is not attached.
 */
static Ruleset *
make_current(Oid object, bool whole)
{
	ObjectInfo	info;
	SessionRole role;
	Ruleset    *rules = NULL;

	SPI_connect();
	session_become(&role, catalog_owner());
	if (object_load(object, &info))
	{
		if (!whole)
			rules = update(find_entry(object), &info);
		if (rules == NULL)
			rules = compile(&info);
		MemoryContextSetParent(rules->context, CacheMemoryContext);
	}
	session_restore_role(&role);
	SPI_finish();
	return rules;
}

/*
 * build puts a current rule set into the object's entry; false when the table is
 * not attached.
 */
static bool
build(Oid object, bool whole)
{
	uint32		generation = find_entry(object)->generation;
	Ruleset    *rules = make_current(object, whole);
	CacheEntry *entry = find_entry(object);

	drop_rules(entry);
	if (rules == NULL)
		return false;
	rules->valid = entry->generation == generation;
	entry->rules = rules;
	entry->built_in = GetCurrentSubTransactionId();
	entry->query_only = IsInParallelMode() ? territory_lxid() : InvalidLocalTransactionId;
	return true;
}

/*
 * ruleset_generation counts what has made an object's rules stale so far.
 */
uint32
ruleset_generation(Oid object)
{
	init_cache();
	return find_entry(object)->generation;
}

/*
 * acquire returns the current rule set, pinned, or NULL.
 */
static Ruleset *
acquire(Oid object, bool whole)
{
	CacheEntry *entry;

	init_cache();
	entry = find_entry(object);
	if (!is_current(entry, whole))
	{
		if (!build(object, whole))
			return NULL;
		entry = find_entry(object);
	}
	entry->rules->users++;
	return entry->rules;
}

/*
 * ruleset_acquire_if_attached returns the current rule set, pinned, or NULL.
 */
Ruleset *
ruleset_acquire_if_attached(Oid object)
{
	return acquire(object, false);
}

/*
 * require returns the current rule set, pinned until ruleset_release. 55000 when
 * the table is not attached.
 */
static Ruleset *
require(Oid object, bool whole)
{
	Ruleset    *rules = acquire(object, whole);

	if (rules == NULL)
	{
		ObjectInfo	info;

		SPI_connect();
		object_require(object, &info);
		SPI_finish();
		elog(ERROR, "object %u was attached meanwhile", object);
	}
	return rules;
}

Ruleset *
ruleset_acquire(Oid object)
{
	return require(object, false);
}

Ruleset *
ruleset_acquire_whole(Oid object)
{
	return require(object, true);
}

/*
 * ruleset_release gives a pin back.
 */
void
ruleset_release(Ruleset *rules)
{
	Assert(rules->users > 0);
	if (--rules->users == 0 && rules->orphaned)
		MemoryContextDelete(rules->context);
}
