/*
 * why.c
 *		territory.why_visible(): every way in which a person sees or edits a record.
 *
 * Who sees the record may ask about himself; about others, who may read
 * territory.member, or owns the table. A record that the caller does not see is as
 * one that is not there.
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/policy.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "access/answer.h"
#include "access/identity.h"
#include "access/visible.h"
#include "attach/attach.h"
#include "base/catalog.h"
#include "base/session.h"
#include "compat.h"
#include "rule/object.h"

PG_FUNCTION_INFO_V1(territory_why_visible);

/* columns of the result */
enum
{
	WHY_VIA,
	WHY_PATH,
	WHY_MEMBER_PATH,
	WHY_ROLE,
	WHY_ACCESS,
	WHY_SEES,
	WHY_EDITS,
	WHY_NOTE,
	WHY_COLUMNS
};

/* A question. */
typedef struct Why
{
	ReturnSetInfo *result;
	ObjectInfo	info;
	Datum		key;			/* text */
	char	   *member;			/* NULL: nobody */
	Oid			role;			/* InvalidOid: the member is no database role */
	bool		may_see;		/* has he the privileges on the table that it takes? */
	bool		may_edit;
	int			rows;
} Why;

/*
 * put adds a row to the answer.
 */
static void
put(Why *why, const char *via, bool edits, const char *note)
{
	Datum		values[WHY_COLUMNS] = {0};
	bool		nulls[WHY_COLUMNS];

	memset(nulls, true, sizeof(nulls));
	values[WHY_VIA] = CStringGetTextDatum(via);
	values[WHY_SEES] = BoolGetDatum(why->may_see);
	values[WHY_EDITS] = BoolGetDatum(edits && why->may_edit);
	if (note)
		values[WHY_NOTE] = CStringGetTextDatum(note);
	nulls[WHY_VIA] = nulls[WHY_SEES] = nulls[WHY_EDITS] = false;
	nulls[WHY_NOTE] = note == NULL;
	tuplestore_putvalues(why->result->setResult, why->result->setDesc, values, nulls);
	why->rows++;
}

/*
 * may tells whether a role has a privilege on the table, or on any of its columns.
 */
static bool
may(const Why *why, AclMode mode)
{
	return pg_class_aclcheck(why->info.object, why->role, mode) == ACLCHECK_OK ||
		pg_attribute_aclcheck_all(why->info.object, why->role, mode, ACLMASK_ANY) == ACLCHECK_OK;
}

/*
 * read_person finds out who the person is to the database.
 */
static void
read_person(Why *why, char *member)
{
	why->member = member;
	why->role = identity_is_setting() || member == NULL ? InvalidOid : get_role_oid(member, true);
	why->may_see = !OidIsValid(why->role) || may(why, ACL_SELECT);
	why->may_edit = !OidIsValid(why->role) || may(why, ACL_UPDATE) ||
		pg_class_aclcheck(why->info.object, why->role, ACL_DELETE) == ACLCHECK_OK;
}

/*
 * check_caller raises unless the caller may ask about the person.
 */
static void
check_caller(const Why *why)
{
	char	   *own = identity_member();

	if (why->member == NULL || (own != NULL && strcmp(own, why->member) == 0) ||
		territory_owns_relation(why->info.object, GetUserId()) ||
		pg_class_aclcheck(catalog_table("member"), GetUserId(), ACL_SELECT) == ACLCHECK_OK)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to ask what \"%s\" sees", why->member),
			 errhint("It takes SELECT on territory.member, or owning the table.")));
}

/*
 * read_owner reads the expression that says whose record it is; NULL: there is none.
 */
static char *
read_owner(const Why *why)
{
	Oid			types[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(why->info.object)};
	SessionRole role;

	session_become(&role, catalog_owner());
	session_execute("SELECT owner FROM territory.object WHERE object OPERATOR(pg_catalog.=) $1",
					SPI_OK_SELECT, 1, types, values, NULL);
	session_restore_role(&role);
	return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
}

/*
 * find_record reads the record as the caller, and whose it is; false: he sees none.
 */
static bool
find_record(const Why *why, char **owner)
{
	char	   *expression = read_owner(why);
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {why->key};
	const char *key = quote_identifier(NameStr(why->info.key_column));

	if (SPI_execute_with_args(psprintf("SELECT (%s)::pg_catalog.text FROM %s AS %s WHERE %s OPERATOR(pg_catalog.=) $1::%s",
									   expression ? expression : "NULL", catalog_qualified_name(why->info.object),
									   quote_identifier(get_rel_name(why->info.object)), key,
									   format_type_be_qualified(why->info.key_type)),
							  1, types, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read %s", catalog_qualified_name(why->info.object));
	*owner = SPI_processed > 0 ? SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1) : NULL;
	return SPI_processed > 0;
}

/*
 * bypasses_security tells whether a role passes all policies by an attribute.
 */
static bool
bypasses_security(Oid role)
{
	HeapTuple	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	result = ((Form_pg_authid) GETSTRUCT(tuple))->rolbypassrls;
	ReleaseSysCache(tuple);
	return result;
}

/*
 * read_security tells whether row-level security is on for the table, and whether its
 * owner is subject to its policies too.
 */
static void
read_security(Oid relid, bool *enabled, bool *forced)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));

	*enabled = *forced = false;
	if (!HeapTupleIsValid(tuple))
		return;
	*enabled = ((Form_pg_class) GETSTRUCT(tuple))->relrowsecurity;
	*forced = ((Form_pg_class) GETSTRUCT(tuple))->relforcerowsecurity;
	ReleaseSysCache(tuple);
}

/*
 * is_protected tells whether the table's policies are there and count.
 */
static bool
is_protected(Oid relid)
{
	bool		enabled;
	bool		forced;

	read_security(relid, &enabled, &forced);
	return enabled && OidIsValid(get_relation_policy_oid(relid, PROTECTION_POLICY, true));
}

/*
 * put_administrator answers that row-level security does not concern the person.
 */
static void
put_administrator(Why *why)
{
	bool		enabled;
	bool		forced;

	if (!OidIsValid(why->role))
		return;
	read_security(why->info.object, &enabled, &forced);
	if (superuser_arg(why->role))
		put(why, "administrator", true, "superuser");
	else if (bypasses_security(why->role))
		put(why, "administrator", true, "BYPASSRLS");
	else if (has_privs_of_role(why->role, why->info.owner) && !forced)
		put(why, "administrator", true, "owner of the table");
}

/*
 * put_memberships answers by which of his territories the person sees the record.
 */
static void
put_memberships(Why *why, FunctionCallInfo fcinfo)
{
	Oid			types[4] = {TEXTOID, TEXTOID, BOOLOID, BOOLOID};
	Datum		values[4] = {
		CStringGetTextDatum(why->member), why->key, BoolGetDatum(why->may_see), BoolGetDatum(why->may_edit)
	};
	int64		before = tuplestore_tuple_count(why->result->setResult);
	int			pin = visible_pin();

	answer_query(fcinfo,
				 psprintf("SELECT CASE WHEN m.id = n.id THEN 'member' ELSE 'above' END, n.path, m.path, m.role, m.access, $3, m.write AND $4, NULL::text"
						  "  FROM (" MEMBERSHIPS ") m"
						  "  JOIN territory.node n ON n.model_id = m.model_id AND n.path OPERATOR(territory.<@) m.path"
						  "  JOIN %s a ON a.node_id = n.id WHERE a.%s = $2::%s ORDER BY n.path, m.path",
						  catalog_qualified_name(why->info.assignment), quote_identifier(NameStr(why->info.key_column)),
						  format_type_be_qualified(why->info.key_type)),
				 4, types, values, NULL, true);
	session_unpin(pin);
	why->rows += (int) (tuplestore_tuple_count(why->result->setResult) - before);
}

/*
 * put_other_policies names the policies that are not ours: what they allow is not known.
 */
static void
put_other_policies(Why *why)
{
	Oid			types[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(why->info.object)};
	char	   *names;

	session_execute("SELECT pg_catalog.string_agg(polname::pg_catalog.text, ', ' ORDER BY polname) FROM pg_catalog.pg_policy"
					" WHERE polrelid OPERATOR(pg_catalog.=) $1"
					"   AND polname OPERATOR(pg_catalog.<>) ALL (ARRAY['territory_select', 'territory_insert', 'territory_update', 'territory_delete', 'territory_stays'])",
					SPI_OK_SELECT, 1, types, values, NULL);
	names = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	if (names != NULL)
	{
		why->may_see = false;
		put(why, "other policies", false, psprintf("not looked into: %s", names));
	}
}

/*
 * answer_all answers about a record that the caller sees.
 */
static void
answer_all(Why *why, FunctionCallInfo fcinfo, const char *owner)
{
	put_administrator(why);
	if (owner != NULL && strcmp(owner, why->member) == 0)
		put(why, "owner", true, NULL);
	put_memberships(why, fcinfo);
	if (why->rows > 0 && !why->may_see)
		put(why, "none", false, "no SELECT on the table");
	put_other_policies(why);
}

/*
 * territory_why_visible(object, key, member) -> (via, path, member_path, role, access,
 * sees, edits, note).
 */
Datum
territory_why_visible(PG_FUNCTION_ARGS)
{
	Why			why = {(ReturnSetInfo *) fcinfo->resultinfo};
	SessionRole role;
	char	   *owner = NULL;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	SPI_connect();
	session_become(&role, catalog_owner());
	object_require(PG_GETARG_OID(0), &why.info);
	session_restore_role(&role);
	why.key = PG_GETARG_DATUM(1);
	read_person(&why, PG_ARGISNULL(2) ? identity_member() : text_to_cstring(PG_GETARG_TEXT_PP(2)));
	check_caller(&why);
	if (!is_protected(why.info.object))
		put(&why, "not protected", true, "SELECT territory.protect(...) protects the table");
	else if (why.member != NULL && find_record(&why, &owner))
		answer_all(&why, fcinfo, owner);
	if (why.rows == 0)
	{
		why.may_see = false;
		put(&why, "none", false, NULL);
	}
	SPI_finish();
	return (Datum) 0;
}
