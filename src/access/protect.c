/*
 * protect.c
 *		territory.protect() and territory.unprotect(): row-level security on an
 *		attached table, its assignment table and its history.
 *
 * A record is seen by its owner and by who sees a territory that it stands in; edited
 * by its owner and by who may write there. A new record has no territories before the
 * statement ends, so those count that its rules give (territory.match()): it may be
 * inserted by who will edit it, and be returned to who will see it. Pairs, and those
 * that ended, are seen with their record.
 *
 * The policies are the table owner's, as attach's triggers are. They name the
 * assignment table, so that this one cannot go before them. Partitions get none:
 * whoever reads one directly, and does not own it, sees nothing.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/policy.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "attach/attach.h"
#include "base/catalog.h"
#include "base/session.h"
#include "compat.h"
#include "parent/kin.h"
#include "rule/object.h"

PG_FUNCTION_INFO_V1(territory_protect);
PG_FUNCTION_INFO_V1(territory_unprotect);

/* the policies of a protected table; its tables of pairs have the first of them */
static const char *const policies[] = {PROTECTION_POLICY, "territory_insert", "territory_update", "territory_delete"};

/* What the policies of a table are made of, as SQL. */
typedef struct Protection
{
	ObjectInfo	info;
	char	   *object;			/* names */
	char	   *assignment;
	char	   *past;
	char	   *key;
	char	   *owner;			/* whether the record is that of whoever is asking; empty where it has no owner */
} Protection;

/*
 * utility runs one statement of DDL.
 */
static void
utility(const char *sql)
{
	if (SPI_execute(sql, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "not a utility statement: %s", sql);
}

/*
 * read_protection reads what the policies of a table are made of.
 */
static void
read_protection(Oid object, Protection *protection)
{
	Oid			types[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(object)};
	SessionRole role;
	char	   *owner;

	session_become(&role, catalog_owner());
	object_require(object, &protection->info);
	session_execute("SELECT owner FROM territory.object WHERE object OPERATOR(pg_catalog.=) $1",
					SPI_OK_SELECT, 1, types, values, NULL);
	owner = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	session_restore_role(&role);
	protection->object = catalog_qualified_name(object);
	protection->assignment = catalog_qualified_name(protection->info.assignment);
	protection->past = catalog_qualified_name(protection->info.past);
	protection->key = pstrdup(quote_identifier(NameStr(protection->info.key_column)));
	protection->owner = owner ? psprintf("(%s) OPERATOR(pg_catalog.=) (SELECT territory.member()) OR ", owner) : "";
}

/*
 * has_policy tells whether a table has a policy of this name.
 */
static bool
has_policy(Oid relid, const char *name)
{
	return OidIsValid(get_relation_policy_oid(relid, name, true));
}

/*
 * has_policies tells whether a table has any policy.
 */
static bool
has_policies(Oid relid)
{
	Oid			types[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(relid)};

	session_execute("SELECT FROM pg_catalog.pg_policy WHERE polrelid OPERATOR(pg_catalog.=) $1",
					SPI_OK_SELECT, 1, types, values, NULL);
	return SPI_processed > 0;
}

/*
 * drop_policies drops our policies of a table.
 */
static void
drop_policies(Oid relid)
{
	for (int i = 0; i < lengthof(policies); i++)
	{
		if (has_policy(relid, policies[i]))
			utility(psprintf("DROP POLICY %s ON %s", policies[i], catalog_qualified_name(relid)));
	}
}

/*
 * set_security switches row-level security of a table on or off.
 */
static void
set_security(Oid relid, bool on)
{
	utility(psprintf("ALTER TABLE %s %s ROW LEVEL SECURITY", catalog_qualified_name(relid), on ? "ENABLE" : "DISABLE"));
}

/*
 * after_insert is the condition that the rules will give a new record a territory in
 * which whoever is asking has a right.
 */
static char *
after_insert(const Protection *protection, const char *right)
{
	return psprintf("EXISTS (SELECT FROM territory.match(%s::pg_catalog.regclass, %s.*) AS territory_match"
					" WHERE territory.%s(territory_match.node_id))",
					quote_literal_cstr(protection->object),
					quote_identifier(get_rel_name(protection->info.object)), right);
}

/*
 * create_record_policies makes the policies of the table itself.
 */
static void
create_record_policies(const Protection *protection)
{
	const char *pair = psprintf("(%s::pg_catalog.regclass, %s)", quote_literal_cstr(protection->assignment), protection->key);

	utility(psprintf("CREATE POLICY %s ON %s FOR SELECT USING (%sterritory.sees%s OR (territory.inserting%s AND %s))",
					 policies[0], protection->object, protection->owner, pair, pair, after_insert(protection, "sees_node")));
	utility(psprintf("CREATE POLICY %s ON %s FOR INSERT WITH CHECK (%s%s)",
					 policies[1], protection->object, protection->owner, after_insert(protection, "edits_node")));
	utility(psprintf("CREATE POLICY %s ON %s FOR UPDATE USING (%sterritory.edits%s)",
					 policies[2], protection->object, protection->owner, pair));
	utility(psprintf("CREATE POLICY %s ON %s FOR DELETE USING (%sterritory.edits%s)",
					 policies[3], protection->object, protection->owner, pair));
}

/*
 * create_pair_policy makes the policy of a table of pairs.
 */
static void
create_pair_policy(const Protection *protection, Oid relid)
{
	utility(psprintf("CREATE POLICY %s ON %s FOR SELECT USING (EXISTS (SELECT FROM %s AS territory_record"
					 " WHERE territory_record.%s OPERATOR(pg_catalog.=) %s.%s))",
					 policies[0], catalog_qualified_name(relid), protection->object,
					 protection->key, quote_identifier(get_rel_name(relid)), protection->key));
	set_security(relid, true);
}

/*
 * protect_one protects one table, again if it is already.
 */
static void
protect_one(Oid object)
{
	Protection	protection;
	SessionRole role;
	ListCell   *cell;

	read_protection(object, &protection);
	session_become(&role, protection.info.owner);
	drop_policies(object);
	drop_policies(protection.info.assignment);
	drop_policies(protection.info.past);
	create_record_policies(&protection);
	create_pair_policy(&protection, protection.info.assignment);
	create_pair_policy(&protection, protection.info.past);
	foreach(cell, find_all_inheritors(object, AccessExclusiveLock, NULL))
		set_security(lfirst_oid(cell), true);
	session_restore_role(&role);
}

/*
 * open_to_all takes our policies off a table, and its protection if there are no
 * others.
 */
static void
open_to_all(Oid relid)
{
	drop_policies(relid);
	if (!has_policies(relid))
		set_security(relid, false);
}

/*
 * unprotect_one undoes protect_one.
 */
static void
unprotect_one(Oid object)
{
	Protection	protection;
	SessionRole role;
	ListCell   *cell;

	if (!has_policy(object, PROTECTION_POLICY))
		return;
	read_protection(object, &protection);
	session_become(&role, protection.info.owner);
	foreach(cell, find_all_inheritors(object, AccessExclusiveLock, NULL))
		open_to_all(lfirst_oid(cell));
	open_to_all(protection.info.assignment);
	open_to_all(protection.info.past);
	session_restore_role(&role);
}

/*
 * lock_owned locks a table of the caller's; with below, one that is attached below it
 * and may be another's, which false tells.
 */
static bool
lock_owned(Oid object, bool below)
{
	LockRelationOid(object, AccessExclusiveLock);
	if (get_rel_name(object) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", object)));
	if (territory_owns_relation(object, GetUserId()))
		return true;
	if (!below)
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(object));
	ereport(NOTICE,
			(errmsg("table %s is left as it is: you do not own it", catalog_qualified_name(object)),
			 errdetail("Its records have territories of those of a table that is attached above it.")));
	return false;
}

/*
 * for_all does something to a table, and to those that are attached below it.
 */
static void
for_all(Oid object, bool below, void (*work) (Oid object))
{
	ListCell   *cell;
	List	   *children;

	if (!lock_owned(object, below))
		return;
	work(object);
	children = list_copy(kin_children(object));
	foreach(cell, children)
		for_all(lfirst_oid(cell), true, work);
}

/*
 * run does the work of protect and unprotect.
 */
static Datum
run(FunctionCallInfo fcinfo, void (*work) (Oid object))
{
	int			pin;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("object must not be null")));
	SPI_connect();
	pin = session_pin(NULL, PIN_PATH);
	for_all(PG_GETARG_OID(0), false, work);
	session_unpin(pin);
	SPI_finish();
	PG_RETURN_VOID();
}

Datum
territory_protect(PG_FUNCTION_ARGS)
{
	return run(fcinfo, protect_one);
}

Datum
territory_unprotect(PG_FUNCTION_ARGS)
{
	return run(fcinfo, unprotect_one);
}
