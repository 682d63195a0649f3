/*
 * exclusion.c
 *		Records that are kept out of nodes: rows of territory.exclusion.
 *
 * Most objects have none, and a single-row INSERT should not pay for a look at
 * an empty table. So each backend remembers, by object, whether there are any,
 * until the exclusion table announces a change (base/inval.c).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "base/catalog.h"
#include "base/inval.h"
#include "base/session.h"
#include "pair/exclusion.h"

typedef struct PresenceEntry
{
	Oid			object;			/* key */
	bool		any;
	uint32		generation;		/* of the answer */
} PresenceEntry;

static HTAB *presence = NULL;

/*
 * init_presence makes the hash at the backend's first use.
 */
static void
init_presence(void)
{
	HASHCTL		control = {.keysize = sizeof(Oid),.entrysize = sizeof(PresenceEntry),
	.hcxt = CacheMemoryContext};

	if (presence == NULL)
		presence = hash_create("territory exclusions", 16, &control,
							   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/*
 * exclusion_any tells whether the object has any exclusions.
 */
bool
exclusion_any(Oid object)
{
	static KeptStatement find = {
		"SELECT FROM territory.exclusion WHERE object OPERATOR(pg_catalog.=) $1 LIMIT 1",
		SPI_OK_SELECT, 1, {OIDOID}
	};
	Datum		values[1] = {ObjectIdGetDatum(object)};
	PresenceEntry *entry;
	uint32		asked;
	SessionRole role;
	bool		found;
	bool		any;

	init_presence();
	asked = inval_generation(catalog_table("exclusion"));
	entry = hash_search(presence, &object, HASH_FIND, NULL);
	if (entry != NULL && entry->generation == asked)
		return entry->any;

	session_become(&role, catalog_owner());
	session_execute_kept(&find, values, NULL);
	session_restore_role(&role);
	any = SPI_processed > 0;
	entry = hash_search(presence, &object, HASH_ENTER, &found);
	entry->any = any;
	entry->generation = asked;
	return any;
}

/*
 * text_keys makes an array of the keys' text forms.
 */
static Datum
text_keys(const ObjectInfo *object, const Datum *keys, int count)
{
	Datum	   *texts = palloc(count * sizeof(Datum));
	Oid			output;
	bool		varlena;

	getTypeOutputInfo(object->key_type, &output, &varlena);
	for (int i = 0; i < count; i++)
		texts[i] = CStringGetTextDatum(OidOutputFunctionCall(output, keys[i]));
	return PointerGetDatum(construct_array(texts, count, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * exclusion_fetch reads the exclusions of some records.
 */
int
exclusion_fetch(const ObjectInfo *object, const Datum *keys, int count, Exclusion **exclusions)
{
	static KeptStatement find = {
		"SELECT p.record::pg_catalog.int4, e.node_id"
		"  FROM pg_catalog.unnest($2) WITH ORDINALITY AS p (key, record)"
		"  JOIN territory.exclusion e ON e.key OPERATOR(pg_catalog.=) p.key"
		" WHERE e.object OPERATOR(pg_catalog.=) $1"
		" ORDER BY p.record",
		SPI_OK_SELECT, 2, {OIDOID, TEXTARRAYOID}
	};
	Datum		values[2] = {ObjectIdGetDatum(object->object), text_keys(object, keys, count)};
	SessionRole role;
	SPITupleTable *table;
	int			found;

	session_become(&role, catalog_owner());
	session_execute_kept(&find, values, NULL);
	session_restore_role(&role);
	table = SPI_tuptable;
	found = (int) SPI_processed;
	*exclusions = palloc(Max(found, 1) * sizeof(Exclusion));
	for (int i = 0; i < found; i++)
	{
		bool		isnull;
		Datum		node_id;

		(*exclusions)[i].record =
			DatumGetInt32(SPI_getbinval(table->vals[i], table->tupdesc, 1, &isnull)) - 1;
		node_id = SPI_getbinval(table->vals[i], table->tupdesc, 2, &isnull);
		(*exclusions)[i].node_id = isnull ? EVERY_NODE : DatumGetInt32(node_id);
	}
	SPI_freetuptable(table);
	return found;
}

/* exclusions that are read at a time */
#define FETCHED_EXCLUSIONS 1000

/*
 * exclusion_each_key calls back with all keys that are excluded from anything.
 * There may be many, so a cursor fetches them.
 */
void
exclusion_each_key(const ObjectInfo *object, void (*callback) (Datum key, void *arg), void *arg)
{
	Oid			types[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(object->object)};
	Oid			input;
	Oid			parameter;
	SessionRole role;
	Portal		portal;

	getTypeInputInfo(object->key_type, &input, &parameter);
	session_become(&role, catalog_owner());
	portal = SPI_cursor_open_with_args(NULL,
									   "SELECT key FROM territory.exclusion WHERE object OPERATOR(pg_catalog.=) $1",
									   1, types, values, NULL, true, 0);
	for (;;)
	{
		SPI_cursor_fetch(portal, true, FETCHED_EXCLUSIONS);
		if (SPI_processed == 0)
			break;
		for (uint64 i = 0; i < SPI_processed; i++)
			callback(OidInputFunctionCall(input, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1),
										  parameter, -1), arg);
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_freetuptable(SPI_tuptable);
	SPI_cursor_close(portal);
	session_restore_role(&role);
}

/*
 * exclusion_covers tells whether a node is among a record's exclusions.
 */
bool
exclusion_covers(const Exclusion *exclusions, int count, int32 node_id)
{
	for (int i = 0; i < count; i++)
	{
		if (exclusions[i].node_id == EVERY_NODE || exclusions[i].node_id == node_id)
			return true;
	}
	return false;
}

/*
 * exclusion_apply takes excluded nodes out of a record's matches.
 */
int
exclusion_apply(const Ruleset *rules, Match *matches, int count,
				const Exclusion *exclusions, int exclusion_count)
{
	int			left = 0;

	for (int i = 0; i < count; i++)
	{
		if (!exclusion_covers(exclusions, exclusion_count, rules->nodes[matches[i].node].id))
			matches[left++] = matches[i];
	}
	return left;
}
