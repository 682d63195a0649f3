/*
 * attach_links.c
 *		What the records of a table that is being attached depend on: checks of the
 *		arguments of territory.attach() about parents, families and deals.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"

#include "attach/attach_links.h"
#include "base/catalog.h"
#include "base/session.h"
#include "compat.h"
#include "parent/kin.h"
#include "rule/criteria.h"
#include "rule/link.h"
#include "rule/object.h"
#include "tree/node.h"

/*
 * check_parent_given raises unless a parent is given where the kind needs one,
 * and only there.
 */
static void
check_parent_given(const char *kind, const AttachLinks *links)
{
	bool		needed = strcmp(kind, "contact") == 0 || strcmp(kind, "deal") == 0;
	bool		given = OidIsValid(links->parent) && links->parent_key != NULL;

	if (needed && !given)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a table of kind '%s' needs a parent", kind),
				 errhint("Name the attached table that its records belong to, and the column that holds the key: territory.attach(..., parent => 'account', parent_key => 'account_id').")));
	if (!needed && (OidIsValid(links->parent) || links->parent_key != NULL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a table of kind '%s' has no parent", kind),
				 errhint("Attach it as 'contact' or 'deal', or leave parent and parent_key out.")));
	if (needed && links->family != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("records of kind '%s' have no families", kind),
				 errhint("Attach the table of their parents with family => ....")));
}

/*
 * check_mode raises where a mode would have no effect.
 */
static void
check_mode(const char *kind, const char *mode, const AttachLinks *links)
{
	if (OidIsValid(links->parent) && strcmp(mode, "deepest") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("records of kind '%s' have no mode", kind),
				 errdetail("Which territories they have follows from their parents'.")));
}

/*
 * check_parent_access raises unless the caller may make records of the parent
 * table decide about others: as for a foreign key, and the territories of all of them
 * can be seen.
 */
static void
check_parent_access(Oid parent)
{
	if (territory_owns_relation(parent, GetUserId()))
		return;
	if (pg_class_aclmask(parent, GetUserId(), ACL_REFERENCES | ACL_SELECT, ACLMASK_ALL) != (ACL_REFERENCES | ACL_SELECT))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for table %s", get_rel_name(parent)),
				 errhint("Attaching a table below it needs REFERENCES and SELECT on it.")));
	if (check_enable_rls(parent, InvalidOid, true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to attach a table below %s: row-level security protects it", get_rel_name(parent)),
				 errdetail("The owner of a table sees the territories of all its records, and so of those above."),
				 errhint("Let the owner of %s own the table as well and attach it, or have somebody do it whom row-level security does not concern.",
						 get_rel_name(parent))));
}

/*
 * check_link raises unless a column can hold keys of a table's records.
 */
static void
check_link(Relation rel, const char *parameter, const char *column, Oid key_type, const char *target)
{
	AttrNumber	attno = get_attnum(RelationGetRelid(rel), column);
	Oid			type;

	if (attno == InvalidAttrNumber || attno < 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table \"%s\" has no column \"%s\"", RelationGetRelationName(rel), column),
				 errhint("%s names the column that holds the key of a record of %s.", parameter, target)));
	if (territory_is_virtual(TupleDescAttr(RelationGetDescr(rel), attno - 1)))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("column \"%s\" is a virtual generated column", column),
				 errhint("Declare the column STORED.")));
	type = get_atttype(RelationGetRelid(rel), attno);
	if (!link_types_fit(getBaseType(type), key_type))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" has type %s, but the keys of %s have type %s", column,
						format_type_be(type), target, format_type_be(key_type))));
}

/*
 * check_parent raises unless the parent is an attached table that fits.
 */
static void
check_parent(Relation rel, const AttachLinks *links)
{
	ObjectInfo	parent;
	SessionRole role;

	if (!OidIsValid(links->parent))
		return;
	if (links->parent == RelationGetRelid(rel))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("table \"%s\" cannot be its own parent", RelationGetRelationName(rel)),
				 errhint("Records that stand below one another are a family: territory.attach(..., family => 'parent_id').")));
	session_become(&role, catalog_owner());
	object_require(links->parent, &parent);
	session_restore_role(&role);
	check_parent_access(links->parent);
	check_link(rel, "parent_key", links->parent_key, parent.key_type, catalog_qualified_name(links->parent));
}

/*
 * name_parameter says which argument is wrong.
 */
static void
name_parameter(void *name)
{
	errcontext("parameter %s of territory.attach()", (const char *) name);
}

/*
 * resolve checks an expression, or the name of a column as it is, and returns it
 * with every name qualified.
 */
static char *
resolve(Relation rel, const char *name, const char *text, Oid type, const PinnedSettings *settings)
{
	ErrorContextCallback callback = {error_context_stack, name_parameter, (void *) name};
	const char *expression = text;
	char	   *result;
	int			pin;

	if (get_attnum(RelationGetRelid(rel), text) > 0)
		expression = quote_identifier(text);
	error_context_stack = &callback;
	pin = session_pin(settings, PIN_TIME);
	result = criteria_resolve(rel, expression, type);
	session_unpin(pin);
	error_context_stack = callback.previous;
	return result;
}

/*
 * attach_check_links checks the arguments and resolves the expressions.
 */
void
attach_check_links(Relation rel, AttrNumber key, const char *kind, const char *mode, AttachLinks *links)
{
	PinnedSettings settings = {NULL};

	check_parent_given(kind, links);
	check_mode(kind, mode, links);
	check_parent(rel, links);
	if (links->family)
		check_link(rel, "family", links->family,
				   getBaseType(TupleDescAttr(RelationGetDescr(rel), key - 1)->atttypid),
				   catalog_qualified_name(RelationGetRelid(rel)));
	for (int i = 0; i < EXPRESSIONS; i++)
	{
		if (links->expressions[i] == NULL)
			continue;
		if (settings.time_zone == NULL)
			settings = model_active_settings();
		links->expressions[i] = resolve(rel, object_expression_names[i], links->expressions[i], object_expression_types[i], &settings);
	}
}

/*
 * attach_refuse_children raises where tables are attached below this one.
 */
void
attach_refuse_children(Oid object)
{
	const List *children = kin_children(object);
	StringInfoData names;
	ListCell   *cell;

	if (children == NIL)
		return;
	initStringInfo(&names);
	foreach(cell, children)
		appendStringInfo(&names, "%s%s", names.len == 0 ? "" : ", ", catalog_qualified_name(lfirst_oid(cell)));
	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 errmsg("cannot detach %s: other tables are attached below it", catalog_qualified_name(object)),
			 errdetail("They are: %s.", names.data),
			 errhint("Detach them first.")));
}

/*
 * begins_index tells whether a column is the first one of an index that can find
 * rows by it.
 */
static bool
begins_index(Relation rel, AttrNumber attno)
{
	ListCell   *cell;
	bool		found = false;

	foreach(cell, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		found |= index->rd_index->indisvalid && index->rd_index->indkey.values[0] == attno;
		index_close(index, NoLock);
	}
	return found;
}

/*
 * attach_advise_index tells of an index that is missing.
 */
void
attach_advise_index(Relation rel, const AttachLinks *links)
{
	const char *column = links->family ? links->family : links->parent_key;

	if (column == NULL || begins_index(rel, get_attnum(RelationGetRelid(rel), column)))
		return;
	ereport(NOTICE,
			(errmsg("table %s has no index that begins with column \"%s\"", RelationGetRelationName(rel), column),
			 errdetail("Whenever a record above changes its territories, the whole table is read for those that follow."),
			 errhint("CREATE INDEX ON %s (%s);", catalog_qualified_name(RelationGetRelid(rel)), quote_identifier(column))));
}
