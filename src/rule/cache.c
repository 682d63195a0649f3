/*
 * cache.c
 *		Keeps the compiled rule sets of a backend, one an attached table.
 *
 * Story of an entry. It is built at the first use in a backend, from the newest
 * snapshot, while the caller holds the object's lock; it serves until the
 * attached table's relation cache entry is invalidated, which is how changes of
 * rules, nodes, objects and of the table itself announce themselves in every
 * backend, and how a rollback takes them back (base/inval.c). The callback only
 * clears the flag "valid". The next acquire builds a new rule set and frees the
 * old one, or leaves that to the last release when it is still in use.
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
#include "rule/ruleset.h"
#include "compat.h"

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

/*
 * is_current tells whether the cached rule set may serve.
 */
static bool
is_current(const CacheEntry *entry)
{
	return entry->rules != NULL && entry->rules->valid &&
		(entry->query_only == InvalidLocalTransactionId ||
		 (entry->query_only == territory_lxid() && IsInParallelMode()));
}

/*
 * compile builds the rule set, in a context under CacheMemoryContext; NULL when
 * the table is not attached.
 */
static Ruleset *
compile(Oid object)
{
	ObjectInfo	info;
	SessionRole role;
	Ruleset    *rules = NULL;

	SPI_connect();
	session_become(&role, catalog_owner());
	if (object_load(object, &info))
	{
		rules = ruleset_compile(&info);
		MemoryContextSetParent(rules->context, CacheMemoryContext);
		ereport(DEBUG1, (errmsg_internal("territory: compiled %d rules of %s", rules->rule_count,
										 catalog_qualified_name(object))));
	}
	session_restore_role(&role);
	SPI_finish();
	return rules;
}

/*
 * build puts a new rule set into the object's entry; false when the table is
 * not attached.
 */
static bool
build(Oid object)
{
	CacheEntry *entry = find_entry(object);
	uint32		generation = entry->generation;
	Ruleset    *rules = compile(object);

	entry = find_entry(object);
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
 * ruleset_acquire_if_attached returns the current rule set, pinned, or NULL.
 */
Ruleset *
ruleset_acquire_if_attached(Oid object)
{
	CacheEntry *entry;

	init_cache();
	entry = find_entry(object);
	if (!is_current(entry))
	{
		if (!build(object))
			return NULL;
		entry = find_entry(object);
	}
	entry->rules->users++;
	return entry->rules;
}

/*
 * ruleset_acquire returns the current rule set, pinned until ruleset_release.
 * 55000 when the table is not attached.
 */
Ruleset *
ruleset_acquire(Oid object)
{
	Ruleset    *rules = ruleset_acquire_if_attached(object);

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
