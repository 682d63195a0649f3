/*
 * held.c
 *		Pairs of a record with their nodes, as people want to know of them.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/catalog.h"
#include "base/session.h"
#include "explain/held.h"

/*
 * find_pair returns the pair with a node.
 */
static const StoredPair *
find_pair(const StoredPair *pairs, int count, int32 node_id)
{
	for (int i = 0; i < count; i++)
	{
		if (pairs[i].node_id == node_id)
			return &pairs[i];
	}
	return NULL;
}

/*
 * read_nodes reads those of the active model among the nodes of pairs, in tree
 * order.
 */
static void
read_nodes(const StoredPair *pairs, int count)
{
	static KeptStatement find = {
		"SELECT n.id, n.path, n.priority FROM territory.node n"
		"  JOIN territory.model m ON m.id OPERATOR(pg_catalog.=) n.model_id AND m.state OPERATOR(pg_catalog.=) 'active'"
		" WHERE n.id OPERATOR(pg_catalog.=) ANY ($1) ORDER BY n.path",
		SPI_OK_SELECT, 1, {INT4ARRAYOID}
	};
	Datum	   *ids = palloc(Max(count, 1) * sizeof(Datum));
	Datum		values[1];
	SessionRole role;

	for (int i = 0; i < count; i++)
		ids[i] = Int32GetDatum(pairs[i].node_id);
	values[0] = PointerGetDatum(construct_array(ids, count, INT4OID, 4, true, TYPALIGN_INT));
	session_become(&role, catalog_owner());
	session_execute_kept(&find, values, NULL);
	session_restore_role(&role);
}

/*
 * held_list joins pairs with their nodes.
 */
HeldList
held_list(const StoredPair *pairs, int count)
{
	HeldList	list = {0};

	if (count == 0)
		return list;
	read_nodes(pairs, count);
	list.count = (int) SPI_processed;
	list.items = palloc0(Max(list.count, 1) * sizeof(Held));
	for (int i = 0; i < list.count; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		Held	   *held = &list.items[i];
		const StoredPair *pair;
		bool		isnull;

		held->node_id = DatumGetInt32(SPI_getbinval(row, desc, 1, &isnull));
		held->path = (Territory *) PG_DETOAST_DATUM_COPY(SPI_getbinval(row, desc, 2, &isnull));
		held->priority = DatumGetInt32(SPI_getbinval(row, desc, 3, &isnull));
		pair = find_pair(pairs, count, held->node_id);
		held->rule_id = pair->rule_id;
		held->manual = pair->manual;
		held->since = pair->since;
	}
	SPI_freetuptable(SPI_tuptable);
	return list;
}

/*
 * held_find finds the pair with a node.
 */
const Held *
held_find(const HeldList *list, int32 node_id)
{
	for (int i = 0; i < list->count; i++)
	{
		if (list->items[i].node_id == node_id)
			return &list->items[i];
	}
	return NULL;
}

/*
 * held_assigner looks in the history for who made a pair by hand: at the moment
 * of its beginning or, if it was a rule's before, at the last one at which it
 * was not by hand yet. What else that moment was about says nothing of that.
 */
char *
held_assigner(const ObjectInfo *object, const char *key, const Held *held)
{
	Oid			types[4] = {OIDOID, TEXTOID, INT4OID, TIMESTAMPTZOID};
	Datum		values[4] = {ObjectIdGetDatum(object->object), CStringGetTextDatum(key),
		Int32GetDatum(held->node_id), TimestampTzGetDatum(held->since)};
	SessionRole role;

	session_become(&role, catalog_owner());
	session_execute(psprintf("SELECT c.actor FROM territory.change c"
							 " WHERE c.object OPERATOR(pg_catalog.=) $1"
							 "   AND c.cause OPERATOR(pg_catalog.=) ANY (ARRAY['assigned by hand', 'node changed'])"
							 "   AND c.at OPERATOR(pg_catalog.=) coalesce((SELECT pg_catalog.max(p.until) FROM %s p"
							 "    WHERE p.%s OPERATOR(pg_catalog.=) $2::%s AND p.node_id OPERATOR(pg_catalog.=) $3"
							 "      AND p.since OPERATOR(pg_catalog.=) $4 AND p.held AND NOT p.manual), $4)",
							 catalog_qualified_name(object->past), quote_identifier(NameStr(object->key_column)),
							 format_type_be_qualified(object->key_type)),
					SPI_OK_SELECT, 4, types, values, NULL);
	session_restore_role(&role);
	return SPI_processed == 0 ? NULL : SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
}
