/*
 * audit.c
 *		territory.audit: who changed which rule, node, or other row of the
 *		configuration, when, from what to what; and territory.former_node, where
 *		the last path of a deleted node is kept.
 *
 * Each statement is one INSERT, from its transition tables. Not audited are what
 * a dump brings, and what follows from an audited change by itself: the paths
 * below a moved node.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "base/catalog.h"
#include "base/session.h"
#include "base/triggers.h"
#include "history/guard.h"
#include "history/moment.h"
#include "tree/node.h"

PG_FUNCTION_INFO_V1(territory_audit_rows);
PG_FUNCTION_INFO_V1(territory_node_forgotten);

/*
 * The audited tables: what tells a row from others, and its model. r.row is the
 * row, as jsonb.
 */
#define MODEL_OF_NODE \
	"coalesce((SELECT n.model_id FROM territory.node n" \
	"           WHERE n.id OPERATOR(pg_catalog.=) (r.row OPERATOR(pg_catalog.->>) 'node_id')::pg_catalog.int4)," \
	" (SELECT n.model_id FROM territory.former_node n" \
	"   WHERE n.id OPERATOR(pg_catalog.=) (r.row OPERATOR(pg_catalog.->>) 'node_id')::pg_catalog.int4))"

static const struct
{
	const char *table;
	const char *id;
	const char *model;
}			audited[] = {
	{"model", "id", "(r.row OPERATOR(pg_catalog.->>) 'id')::pg_catalog.int4"},
	{"node", "id", "(r.row OPERATOR(pg_catalog.->>) 'model_id')::pg_catalog.int4"},
	{"rule", "id", MODEL_OF_NODE},
	{"object", "object", "NULL"},
	{"exclusion", "id", MODEL_OF_NODE},
	{"member", "id", MODEL_OF_NODE},
	{"pair_check", "id", MODEL_OF_NODE},
	{"distribution", "id", MODEL_OF_NODE},
	{"period", "id", "NULL"},
	{"target", "id", MODEL_OF_NODE},
	{"adjustment", "id", MODEL_OF_NODE},
	{"forecast_def", "id", "NULL"},
	{"exchange_rate", "id", "NULL"},
	{"deal_share", "id", "NULL"}
};

/*
 * find_table returns the number of an audited table.
 */
static int
find_table(Relation rel)
{
	for (int i = 0; i < lengthof(audited); i++)
	{
		if (strcmp(RelationGetRelationName(rel), audited[i].table) == 0 &&
			RelationGetRelid(rel) == catalog_table(audited[i].table))
			return i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("table %s is not audited", catalog_qualified_name(RelationGetRelid(rel)))));
	return -1;
}

/*
 * changed_rows is the part of a statement that pairs old and new versions of rows.
 */
static char *
changed_rows(const Trigger *trigger, const char *id)
{
	if (trigger->tgoldtable == NULL)
		return psprintf("(SELECT NULL::pg_catalog.jsonb AS old, pg_catalog.to_jsonb(n) AS new FROM %s AS n)",
						quote_identifier(trigger->tgnewtable));
	if (trigger->tgnewtable == NULL)
		return psprintf("(SELECT pg_catalog.to_jsonb(o) AS old, NULL::pg_catalog.jsonb AS new FROM %s AS o)",
						quote_identifier(trigger->tgoldtable));
	return psprintf("(SELECT pg_catalog.to_jsonb(o) AS old, pg_catalog.to_jsonb(n) AS new"
					" FROM %s AS o FULL JOIN %s AS n ON n.%s OPERATOR(pg_catalog.=) o.%s)",
					quote_identifier(trigger->tgoldtable), quote_identifier(trigger->tgnewtable), id, id);
}

/*
 * insertion makes the statement that writes the audit of a statement.
 */
static char *
insertion(const TriggerData *trigger)
{
	int			table = find_table(trigger->tg_relation);

	return psprintf("INSERT INTO territory.audit (at, actor, login, xid, table_name, row_id, model_id, operation, old, new)"
					" SELECT pg_catalog.clock_timestamp(), $1, $2, pg_catalog.pg_current_xact_id(), '%s',"
					"   r.row OPERATOR(pg_catalog.->>) '%s', %s,"
					"   CASE WHEN c.old IS NULL THEN 'INSERT' WHEN c.new IS NULL THEN 'DELETE' ELSE 'UPDATE' END, c.old, c.new"
					"  FROM %s AS c CROSS JOIN LATERAL (SELECT coalesce(c.new, c.old) AS row) AS r"
					" WHERE c.old IS NULL OR c.new IS NULL OR c.old OPERATOR(pg_catalog.<>) c.new",
					audited[table].table, audited[table].id, audited[table].model,
					changed_rows(trigger->tg_trigger, audited[table].id));
}

/*
 * territory_audit_rows: AFTER INSERT, UPDATE or DELETE, each statement, with
 * transition tables.
 */
Datum
territory_audit_rows(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data(fcinfo, "audit_rows",
										TRIGGER_EVENT_AFTER, TRIGGER_EVENT_STATEMENT);
	Oid			types[2] = {TEXTOID, TEXTOID};
	Datum		values[2];
	char		nulls[2] = {' ', ' '};
	char	   *login = moment_login();
	SessionRole role;
	int			pin;

	if (node_moving() || session_restoring(RelationGetRelid(trigger->tg_relation)))
		return PointerGetDatum(NULL);
	values[0] = CStringGetTextDatum(moment_actor());
	values[1] = login ? CStringGetTextDatum(login) : (Datum) 0;
	nulls[1] = login ? ' ' : 'n';
	SPI_connect();
	session_become(&role, catalog_owner());
	pin = session_pin(NULL, PIN_PATH);
	if (SPI_register_trigger_data(trigger) != SPI_OK_TD_REGISTER)
		elog(ERROR, "could not register transition tables");
	guard_execute(insertion(trigger), SPI_OK_INSERT, 2, types, values, nulls);
	session_unpin(pin);
	session_restore_role(&role);
	SPI_finish();
	return PointerGetDatum(NULL);
}

/*
 * territory_node_forgotten: AFTER DELETE on territory.node, each row. History still
 * tells of a node that is gone, by its last path.
 */
Datum
territory_node_forgotten(PG_FUNCTION_ARGS)
{
	static KeptStatement insert = {
		"INSERT INTO territory.former_node (id, model_id, path, deleted)"
		" VALUES ($1, $2, $3::territory.territory, pg_catalog.clock_timestamp())"
		" ON CONFLICT (id) DO UPDATE SET model_id = EXCLUDED.model_id, path = EXCLUDED.path, deleted = EXCLUDED.deleted",
		SPI_OK_INSERT, 3, {INT4OID, INT4OID, TEXTOID}
	};
	TriggerData *trigger = trigger_data_of(fcinfo, "node_forgotten",
										   TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW, "node");
	Datum		values[3];
	SessionRole role;
	NodeRow		node;

	if (session_restoring(RelationGetRelid(trigger->tg_relation)))
		return PointerGetDatum(NULL);
	SPI_connect();
	session_become(&role, catalog_owner());
	node_read(trigger->tg_trigtuple, RelationGetDescr(trigger->tg_relation), &node);
	values[0] = Int32GetDatum(node.id);
	values[1] = Int32GetDatum(node.model_id);
	values[2] = CStringGetTextDatum(territory_to_cstring(node.path));
	guard_execute_kept(&insert, values);
	session_restore_role(&role);
	SPI_finish();
	return PointerGetDatum(NULL);
}
