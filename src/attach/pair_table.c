/*
 * pair_table.c
 *		Making the tables beside an attached one: of its pairs, and of those that ended.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

#include "attach/attach.h"
#include "attach/pair_table.h"
#include "base/catalog.h"

/* suffixes of their names */
#define ASSIGNMENT_SUFFIX "_territory"
#define PAST_SUFFIX "_territory_history"

/*
 * pair_table_name returns the name of a table of pairs, cut so that it fits.
 */
static char *
pair_table_name(Relation rel, const char *suffix)
{
	const char *name = RelationGetRelationName(rel);
	int			room = NAMEDATALEN - 1 - strlen(suffix);
	int			length = pg_mbcliplen(name, strlen(name), room);
	char	   *result = psprintf("%.*s%s", length, name, suffix);

	if (OidIsValid(get_relname_relid(result, RelationGetNamespace(rel))))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("relation \"%s\" already exists", result),
				 errdetail("It is the name of the table that would hold the territories of \"%s\".", name),
				 errhint("Rename or drop it.")));
	return result;
}

/*
 * create_pair_table makes a table of pairs with the columns that both have, further
 * definitions, and the guard; returns its OID.
 */
static Oid
create_pair_table(Relation rel, Form_pg_attribute key, const char *suffix, const char *further, const char *comment)
{
	char	   *schema = get_namespace_name(RelationGetNamespace(rel));
	char	   *name = pair_table_name(rel, suffix);
	char	   *table = quote_qualified_identifier(schema, name);
	char	   *collation = "";

	if (OidIsValid(key->attcollation))
		collation = psprintf(" COLLATE %s", generate_collation_name(key->attcollation));
	attach_utility(psprintf("CREATE %sTABLE %s (%s %s%s NOT NULL, node_id int NOT NULL, rule_id int,"
					 " manual bool NOT NULL DEFAULT false, %s)",
					 rel->rd_rel->relpersistence == RELPERSISTENCE_UNLOGGED ? "UNLOGGED " : "",
					 table, quote_identifier(NameStr(key->attname)),
					 format_type_extended(getBaseType(key->atttypid), -1, FORMAT_TYPE_FORCE_QUALIFY),
					 collation, further));
	attach_utility(psprintf("COMMENT ON TABLE %s IS %s", table,
					 quote_literal_cstr(psprintf("%s %s, written by the engine", comment, RelationGetRelationName(rel)))));
	attach_utility(psprintf("CREATE TRIGGER \"00_territory_guard\" BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s"
					 " FOR EACH STATEMENT EXECUTE FUNCTION territory.assignment_guard()", table));
	return get_relname_relid(name, RelationGetNamespace(rel));
}

/*
 * pair_table_create makes the assignment table and returns its OID.
 */
Oid
pair_table_create(Relation rel, Form_pg_attribute key)
{
	Oid			relid = create_pair_table(rel, key, ASSIGNMENT_SUFFIX,
										  psprintf("since timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (%s, node_id)",
												   quote_identifier(NameStr(key->attname))),
										  "territories of the records of");

	attach_utility(psprintf("CREATE INDEX ON %s (node_id)", catalog_qualified_name(relid)));
	attach_utility(psprintf("CREATE TRIGGER \"00_territory_ended\" AFTER DELETE ON %s REFERENCING OLD TABLE AS territory_ended"
					 " FOR EACH STATEMENT EXECUTE FUNCTION territory.assignment_ended()", catalog_qualified_name(relid)));
	return relid;
}

/*
 * pair_table_create_past makes the table of pairs that ended and returns its OID.
 */
Oid
pair_table_create_past(Relation rel, Form_pg_attribute key)
{
	Oid			relid = create_pair_table(rel, key, PAST_SUFFIX,
										  "held bool NOT NULL, since timestamptz NOT NULL, until timestamptz NOT NULL",
										  "former territories of the records of");

	attach_utility(psprintf("CREATE INDEX ON %s (%s)", catalog_qualified_name(relid),
					 quote_identifier(NameStr(key->attname))));
	return relid;
}
