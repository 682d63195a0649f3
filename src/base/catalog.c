/*
 * catalog.c
 *		Names and identities of the extension's own tables.
 *
 * OIDs are looked up by name each time (a syscache hit), never kept: DROP and
 * CREATE EXTENSION in one session would leave a kept one behind.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/catalog.h"

/*
 * catalog_table returns the OID of the table of schema territory with this
 * name. ERRCODE_UNDEFINED_TABLE when there is none.
 */
Oid
catalog_table(const char *name)
{
	Oid			schema = get_namespace_oid(TERRITORY_SCHEMA, true);
	Oid			relid = InvalidOid;

	if (OidIsValid(schema))
		relid = get_relname_relid(name, schema);
	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table %s.%s does not exist", TERRITORY_SCHEMA, name),
				 errhint("Use CREATE EXTENSION territory to install it.")));
	return relid;
}

/*
 * catalog_relation_owner returns the role that owns a relation.
 */
Oid
catalog_relation_owner(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/*
 * catalog_owner returns the role that owns the extension's tables.
 */
Oid
catalog_owner(void)
{
	return catalog_relation_owner(catalog_table("object"));
}

/*
 * catalog_qualified_name returns the quoted, schema-qualified name of a
 * relation, palloc'd, for SQL text and for messages.
 */
char *
catalog_qualified_name(Oid relid)
{
	char	   *name = get_rel_name(relid);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), name);
}
