/*
 * administer.c
 *		What managers may change: the part of the configuration below their own
 *		territories.
 *
 * Who has INSERT on a table of the configuration changes all of it, as ever. Who has
 * INSERT on columns of it only, as grant_rights(role, 'manager') gives, is held to what
 * is strictly below the territories that he manages. Triggers see to that, not
 * policies: with row-level security on these tables nobody but a superuser could dump
 * them.
 *
 * Decisions by hand on protected tables are for those who may write rules, and for
 * managers below their territories.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_authid.h"
#include "commands/policy.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/rls.h"

#include "access/administer.h"
#include "access/visible.h"
#include "attach/attach.h"
#include "base/catalog.h"
#include "base/session.h"
#include "base/triggers.h"
#include "manual/manual.h"
#include "tree/node.h"

PG_FUNCTION_INFO_V1(territory_node_subtree);
PG_FUNCTION_INFO_V1(territory_item_subtree);
PG_FUNCTION_INFO_V1(territory_grant_rights);
PG_FUNCTION_INFO_V1(territory_revoke_rights);

/* column of territory.rule and territory.member */
#define Anum_item_node_id 2

/*
 * is_limited tells whether a role may write only columns of a table, and so only what
 * is below the territories that it manages.
 */
static bool
is_limited(Oid relid, Oid role)
{
	return pg_class_aclcheck(relid, role, ACL_INSERT) != ACLCHECK_OK &&
		pg_attribute_aclcheck_all(relid, role, ACL_INSERT, ACLMASK_ANY) == ACLCHECK_OK;
}

/*
 * refuse raises the error about something outside the caller's territories.
 */
static void
refuse(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for %s", what),
			 errdetail("It is not below a territory that you manage."),
			 errhint("SELECT * FROM territory.my_nodes() shows your territories.")));
}

/*
 * acquire_manager returns the rights of whoever is asking, for the time of a statement.
 */
static Viewer *
acquire_manager(void)
{
	Viewer	   *viewer = viewer_acquire();

	if (viewer)
		viewer_release_with(viewer, CurrentMemoryContext);
	return viewer;
}

/*
 * administers tells whether a node is below a territory of the caller's.
 */
static bool
administers(int32 node_id)
{
	Viewer	   *viewer = acquire_manager();

	return viewer != NULL && (viewer_rights(viewer, node_id) & RIGHT_ADMINISTER) != 0;
}

/*
 * check_node raises unless a node, by its path, is below a territory of the caller's.
 */
static void
check_node(HeapTuple tuple, TupleDesc desc)
{
	Viewer	   *viewer = acquire_manager();
	NodeRow		node;

	node_read(tuple, desc, &node);
	if (viewer == NULL || !viewer_manages_below(viewer, node.model_id, node.path))
		refuse(psprintf("territory \"%s\"", territory_to_cstring(node.path)));
}

/*
 * check_item raises unless a row's node is below a territory of the caller's.
 */
static void
check_item(HeapTuple tuple, TupleDesc desc)
{
	bool		isnull;
	Datum		node_id = heap_getattr(tuple, Anum_item_node_id, desc, &isnull);

	if (isnull)
		return;					/* the column refuses it */
	if (!administers(DatumGetInt32(node_id)))
		refuse(psprintf("the territory with id %d", DatumGetInt32(node_id)));
}

/*
 * check_rows checks what a trigger's row was and what it becomes, and returns the row
 * to go on with.
 */
static Datum
check_rows(TriggerData *trigger, void (*check) (HeapTuple tuple, TupleDesc desc))
{
	Relation	rel = trigger->tg_relation;
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	HeapTuple	result = update ? trigger->tg_newtuple : trigger->tg_trigtuple;

	if (GetUserId() == rel->rd_rel->relowner || !is_limited(RelationGetRelid(rel), GetUserId()))
		return PointerGetDatum(result);
	check(trigger->tg_trigtuple, RelationGetDescr(rel));
	if (update)
		check(trigger->tg_newtuple, RelationGetDescr(rel));
	return PointerGetDatum(result);
}

/*
 * territory_node_subtree: BEFORE INSERT, UPDATE OR DELETE on territory.node, each row,
 * when its path is known.
 */
Datum
territory_node_subtree(PG_FUNCTION_ARGS)
{
	return check_rows(trigger_data_of(fcinfo, "node_subtree", TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_ROW, "node"), check_node);
}

/*
 * territory_item_subtree: likewise on territory.rule and territory.member.
 */
Datum
territory_item_subtree(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data(fcinfo, "item_subtree", TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_ROW);

	if (RelationGetRelid(trigger->tg_relation) != catalog_table("member"))
		trigger = trigger_data_of(fcinfo, "item_subtree", TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_ROW, "rule");
	return check_rows(trigger, check_item);
}

/*
 * check_decision raises unless the caller may decide by hand about a node (0: about
 * all of them) and records of a table.
 */
static void
check_decision(Oid object, int32 node_id)
{
	if (check_enable_rls(object, InvalidOid, true) != RLS_ENABLED ||
		!OidIsValid(get_relation_policy_oid(object, PROTECTION_POLICY, true)) ||
		pg_class_aclcheck(catalog_table("rule"), GetUserId(), ACL_INSERT) == ACLCHECK_OK)
		return;
	if (node_id == 0 || !administers(node_id))
		refuse("decisions by hand about this territory");
}

/*
 * check_transfer raises unless the caller may hand over to a node what another one has:
 * a manager, to those below his territories.
 */
static void
check_transfer(int32 node_id)
{
	if (is_limited(catalog_table("node"), GetUserId()) && !administers(node_id))
		refuse("handing over to this territory");
}

/*
 * administer_init has decisions by hand, and what drop_node hands over, checked.
 */
void
administer_init(void)
{
	manual_permission = check_decision;
	transfer_permission = check_transfer;
}

/* what each kind of rights consists of; an empty line ends it */
static const struct
{
	const char *kind;
	const char *const grants[8];
}			kinds[] = {
	{"admin", {
		"SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA territory",
		"USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA territory"
	}},
	{"editor", {
		"SELECT ON ALL TABLES IN SCHEMA territory",
		"INSERT, UPDATE, DELETE ON territory.node, territory.rule, territory.member, territory.exclusion, territory.pair_check, territory.distribution",
		"USAGE ON SEQUENCE territory.node_id_seq, territory.rule_id_seq, territory.member_id_seq, territory.exclusion_id_seq, territory.pair_check_id_seq, territory.distribution_id_seq"
	}},
	{"manager", {
		"SELECT ON territory.model, territory.node, territory.rule, territory.member, territory.object, territory.tree",
		"INSERT (parent_id, name, path, priority, description, cascade), UPDATE (parent_id, name, path, priority, description, cascade), DELETE ON territory.node",
		"INSERT (node_id, object, name, criteria, active), UPDATE (node_id, object, name, criteria, active), DELETE ON territory.rule",
		"INSERT (node_id, member, role, access, weight, capacity, starts, ends), UPDATE (node_id, member, role, access, weight, capacity, starts, ends), DELETE ON territory.member",
		"USAGE ON SEQUENCE territory.node_id_seq, territory.rule_id_seq, territory.member_id_seq"
	}},
	{"reader", {
		"SELECT ON territory.model, territory.node, territory.object, territory.tree, territory.coverage, territory.assignment, territory.history, territory.change, territory.former_node",
		"SELECT (id, node_id, object, name, active) ON territory.rule",
		"SELECT ON territory.forecast, territory.forecast_all, territory.forecast_member, territory.forecast_member_all, territory.forecast_total, territory.forecast_unassigned, territory.leaderboard",
		"SELECT ON territory.report_territory, territory.report_member, territory.report_performer, territory.report_pipeline, territory.report_issue",
		"SELECT ON territory.period, territory.target, territory.forecast_def, territory.exchange_rate, territory.deal_share",
		"SELECT (id, node_id, period_id, member, metric, amount) ON territory.adjustment",
		"SELECT (node_id, member) ON territory.member"
	}}
};

/*
 * utility runs one statement of DDL as the caller.
 */
static void
utility(const char *sql)
{
	if (SPI_execute(sql, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "not a utility statement: %s", sql);
}

/*
 * grants_of finds the grants of a kind of rights.
 */
static const char *const *
grants_of(const char *kind)
{
	for (int i = 0; i < lengthof(kinds); i++)
	{
		if (strcmp(kind, kinds[i].kind) == 0)
			return kinds[i].grants;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown rights \"%s\"", kind),
			 errhint("They may be 'admin', 'editor', 'manager' or 'reader'.")));
	return NULL;
}

/*
 * role_argument returns the name of the role, quoted.
 */
static const char *
role_argument(FunctionCallInfo fcinfo)
{
	return quote_identifier(GetUserNameFromId(PG_GETARG_OID(0), false));
}

/*
 * territory_grant_rights(role, rights): the statements that a DBA would write, with the
 * caller's own rights.
 */
Datum
territory_grant_rights(PG_FUNCTION_ARGS)
{
	const char *role = role_argument(fcinfo);
	const char *const *grants = grants_of(text_to_cstring(PG_GETARG_TEXT_PP(1)));

	SPI_connect();
	for (; *grants != NULL; grants++)
		utility(psprintf("GRANT %s TO %s", *grants, role));
	SPI_finish();
	PG_RETURN_VOID();
}

/*
 * territory_revoke_rights(role): takes all of them back.
 */
Datum
territory_revoke_rights(PG_FUNCTION_ARGS)
{
	const char *role = role_argument(fcinfo);

	SPI_connect();
	utility(psprintf("REVOKE ALL ON ALL TABLES IN SCHEMA territory FROM %s", role));
	utility(psprintf("REVOKE ALL ON ALL SEQUENCES IN SCHEMA territory FROM %s", role));
	SPI_finish();
	PG_RETURN_VOID();
}
