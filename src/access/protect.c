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
 * whoever reads one directly, and does not own it, sees nothing. Which policies are
 * ours is told by what they depend on, and not by their names alone.
 *
 * A table that had row-level security on before, keeps it: a policy that allows nothing
 * says so, which dumps and new names take along.
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

/* the policy of what keeps row-level security when it is no longer protected */
#define STAYS_POLICY "territory_stays"

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
 * refuse_foreign raises when a policy is not ours: ours ask for territories, and, of a
 * table of pairs, for the record in the attached table.
 */
static void
refuse_foreign(Oid object, Oid relid, const char *name)
{
	Oid			types[3] = {OIDOID, OIDOID, OIDOID};
	Datum		values[3] = {
		ObjectIdGetDatum(get_relation_policy_oid(relid, name, false)), ObjectIdGetDatum(object), ObjectIdGetDatum(relid)
	};

	session_execute("SELECT FROM pg_catalog.pg_depend d"
					" WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_policy'::pg_catalog.regclass AND d.objid OPERATOR(pg_catalog.=) $1"
					"   AND (d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass"
					"        AND d.refobjid IN (SELECT p.oid FROM pg_catalog.pg_proc p WHERE p.proname IN ('sees', 'edits', 'match')"
					"          AND p.pronamespace OPERATOR(pg_catalog.=) 'territory'::pg_catalog.regnamespace)"
					"     OR d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass"
					"        AND d.refobjid OPERATOR(pg_catalog.=) $2 AND $2 OPERATOR(pg_catalog.<>) $3)",
					SPI_OK_SELECT, 3, types, values, NULL);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("policy \"%s\" of table %s is not that of territory.protect()", name, catalog_qualified_name(relid)),
				 errhint("Give it another name: ALTER POLICY %s ON %s RENAME TO ...", name, catalog_qualified_name(relid))));
}

/*
 * drop_policies drops our policies of a table; object is the attached one.
 */
static void
drop_policies(Oid object, Oid relid)
{
	for (int i = 0; i < lengthof(policies); i++)
	{
		if (!has_policy(relid, policies[i]))
			continue;
		refuse_foreign(object, relid, policies[i]);
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
 * has_security tells whether row-level security of a table is on.
 */
static bool
has_security(Oid relid)
{
	Relation	rel = table_open(relid, AccessExclusiveLock);
	bool		result = rel->rd_rel->relrowsecurity;

	table_close(rel, NoLock);
	return result;
}

/*
 * close_to_all switches row-level security of a table on; at first, what has it already
 * is marked to keep it.
 */
static void
close_to_all(Oid relid, bool first)
{
	if (!has_security(relid))
		set_security(relid, true);
	else if (first && !has_policy(relid, STAYS_POLICY))
		utility(psprintf("CREATE POLICY %s ON %s USING (false)", STAYS_POLICY, catalog_qualified_name(relid)));
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
}

/*
 * protected_tables lists an attached table with its partitions, and its tables of
 * pairs; locked.
 */
static List *
protected_tables(const Protection *protection)
{
	List	   *tables = find_all_inheritors(protection->info.object, AccessExclusiveLock, NULL);

	return lappend_oid(lappend_oid(tables, protection->info.assignment), protection->info.past);
}

/*
 * protect_one protects one table, again if it is already.
 */
static void
protect_one(Oid object)
{
	bool		first = !has_policy(object, PROTECTION_POLICY);
	Protection	protection;
	SessionRole role;
	ListCell   *cell;

	read_protection(object, &protection);
	session_become(&role, protection.info.owner);
	foreach(cell, protected_tables(&protection))
	{
		drop_policies(object, lfirst_oid(cell));
		close_to_all(lfirst_oid(cell), first);
	}
	create_record_policies(&protection);
	create_pair_policy(&protection, protection.info.assignment);
	create_pair_policy(&protection, protection.info.past);
	session_restore_role(&role);
}

/*
 * open_to_all takes our policies off a table, and its protection if it had none before
 * and there are no others.
 */
static void
open_to_all(Oid object, Oid relid)
{
	drop_policies(object, relid);
	if (has_policy(relid, STAYS_POLICY))
		utility(psprintf("DROP POLICY %s ON %s", STAYS_POLICY, catalog_qualified_name(relid)));
	else if (!has_policies(relid))
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
	foreach(cell, protected_tables(&protection))
		open_to_all(object, lfirst_oid(cell));
	session_restore_role(&role);
}

/*
 * lock_table locks a table, which may not be there.
 */
static void
lock_table(Oid object)
{
	LockRelationOid(object, AccessExclusiveLock);
	if (get_rel_name(object) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", object)));
}

/*
 * refuse_below raises about a table of another owner that is attached below one which
 * is to be protected: its owner would see the territories of all records.
 */
static void
refuse_below(Oid above, Oid object)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("cannot protect table %s: table %s, which is attached below it, has another owner",
					catalog_qualified_name(above), catalog_qualified_name(object)),
			 errdetail("Its records have territories of those above, and its owner sees all of them."),
			 errhint("Detach it, or let the same role own both; a superuser protects both as they are.")));
}

/*
 * work_below does something to a table, and to those that are attached below it.
 */
static void
work_below(Oid above, Oid object, void (*work) (Oid object))
{
	ListCell   *cell;
	List	   *children;

	lock_table(object);
	if (!territory_owns_relation(object, GetUserId()))
	{
		if (!OidIsValid(above))
			aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(object));
		if (work == protect_one)
			refuse_below(above, object);
		ereport(NOTICE,
				(errmsg("table %s is left as it is: you do not own it", catalog_qualified_name(object))));
		return;
	}
	work(object);
	children = list_copy(kin_children(object));
	foreach(cell, children)
		work_below(object, lfirst_oid(cell), work);
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
	work_below(InvalidOid, PG_GETARG_OID(0), work);
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
