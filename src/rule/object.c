/*
 * object.c
 *		Attached tables: rows of territory.object with what follows from them.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/catalog.h"
#include "base/session.h"
#include "rule/object.h"

const char *const object_expression_names[EXPRESSIONS] = {
	"owner", "amount", "close_date", "category", "probability", "currency", "stage", "created"
};
const Oid	object_expression_types[EXPRESSIONS] = {
	TEXTOID, NUMERICOID, DATEOID, TEXTOID, NUMERICOID, TEXTOID, TEXTOID, DATEOID
};

/*
 * object_expression_columns lists the columns of the expressions.
 */
char *
object_expression_columns(void)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < EXPRESSIONS; i++)
		appendStringInfo(&list, "%s%s", i == 0 ? "" : ", ", object_expression_names[i]);
	return list.data;
}

/*
 * object_expression_elements lists the elements of an array parameter, one for each
 * of these columns.
 */
char *
object_expression_elements(int parameter)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < EXPRESSIONS; i++)
		appendStringInfo(&list, "%s$%d[%d]", i == 0 ? "" : ", ", parameter, i + 1);
	return list.data;
}

/*
 * mode_of reads the column mode, whose values a check constraint limits.
 */
static MatchMode
mode_of(const char *mode)
{
	if (strcmp(mode, "all") == 0)
		return MODE_ALL;
	return strcmp(mode, "first") == 0 ? MODE_FIRST : MODE_DEEPEST;
}

/*
 * kind_of reads the column kind.
 */
static ObjectKind
kind_of(const char *kind)
{
	static const char *const names[] = {"account", "lead", "contact", "deal"};

	for (int i = 0; i < lengthof(names); i++)
	{
		if (strcmp(kind, names[i]) == 0)
			return (ObjectKind) i;
	}
	elog(ERROR, "unknown kind \"%s\"", kind);
	return KIND_ACCOUNT;
}

/*
 * family_mode_of reads the column family_mode.
 */
static FamilyMode
family_mode_of(const char *mode)
{
	if (strcmp(mode, "none") == 0)
		return FAMILY_NONE;
	return strcmp(mode, "all") == 0 ? FAMILY_ALL : FAMILY_UNMATCHED;
}

/*
 * find_column returns a column that the object was attached by, with its type.
 */
static AttrNumber
find_column(const ObjectInfo *info, const char *what, const char *name, Oid *base_type, Oid *collation)
{
	AttrNumber	attno = get_attnum(info->object, name);
	Oid			type;
	int32		typmod;

	if (attno == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("%s column \"%s\" of attached table %s does not exist",
						what, name, catalog_qualified_name(info->object))));
	get_atttypetypmodcoll(info->object, attno, &type, &typmod, collation);
	*base_type = getBaseType(type);
	return attno;
}

/*
 * complete_info fills in what follows from the catalogs.
 */
static void
complete_info(ObjectInfo *info, const char *link)
{
	Oid			collation;

	info->owner = catalog_relation_owner(info->object);
	info->key_attno = find_column(info, "key", NameStr(info->key_column), &info->key_type, &info->key_collation);
	info->link_attno = InvalidAttrNumber;
	info->link_type = InvalidOid;
	if (OidIsValid(info->above))
		info->link_attno = find_column(info, "parent key", link, &info->link_type, &collation);
}

/*
 * read_above reads what the records depend on beside themselves; returns the
 * name of the column that holds the key of the record above.
 */
static char *
read_above(ObjectInfo *info, HeapTuple row, TupleDesc desc)
{
	char	   *family = SPI_getvalue(row, desc, 9);
	bool		isnull;
	Datum		parent = SPI_getbinval(row, desc, 7, &isnull);

	info->kind = kind_of(SPI_getvalue(row, desc, 6));
	info->family_mode = family ? family_mode_of(SPI_getvalue(row, desc, 10)) : FAMILY_NONE;
	info->freeze = info->kind == KIND_DEAL && strcmp(SPI_getvalue(row, desc, 11), "freeze") == 0;
	info->above = InvalidOid;
	if (info->family_mode != FAMILY_NONE)
		info->above = info->object;
	else if (!isnull)
		info->above = DatumGetObjectId(parent);
	return info->family_mode != FAMILY_NONE ? family : SPI_getvalue(row, desc, 8);
}

/*
 * object_load reads the row of an attached table.
 */
bool
object_load(Oid relid, ObjectInfo *info)
{
	static KeptStatement find = {
		"SELECT key_column, mode, assignment, history, past, kind, parent, parent_key, family, family_mode, closed"
		"  FROM territory.object WHERE object OPERATOR(pg_catalog.=) $1",
		SPI_OK_SELECT, 1, {OIDOID}
	};
	Datum		values[1] = {ObjectIdGetDatum(relid)};
	HeapTuple	row;
	TupleDesc	desc;
	bool		isnull;

	session_execute_kept(&find, values, NULL);
	if (SPI_processed == 0)
		return false;
	row = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	info->object = relid;
	info->key_column = *DatumGetName(SPI_getbinval(row, desc, 1, &isnull));
	info->mode = mode_of(SPI_getvalue(row, desc, 2));
	info->assignment = DatumGetObjectId(SPI_getbinval(row, desc, 3, &isnull));
	info->history = DatumGetBool(SPI_getbinval(row, desc, 4, &isnull));
	info->past = DatumGetObjectId(SPI_getbinval(row, desc, 5, &isnull));
	complete_info(info, read_above(info, row, desc));
	return true;
}

/*
 * object_require is object_load for a table that must be attached.
 */
void
object_require(Oid relid, ObjectInfo *info)
{
	char	   *name;

	if (object_load(relid, info))
		return;
	name = catalog_qualified_name(relid);
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table %s is not attached", name),
			 errhint("SELECT territory.attach(%s) attaches it.", quote_literal_cstr(name))));
}

/*
 * object_hold keeps a table's row, if there is one, from being deleted by
 * others until the transaction ends.
 */
void
object_hold(Oid relid)
{
	static KeptStatement lock = {
		"SELECT FROM territory.object WHERE object OPERATOR(pg_catalog.=) $1 FOR KEY SHARE",
		SPI_OK_SELECT, 1, {OIDOID}
	};
	Datum		values[1] = {ObjectIdGetDatum(relid)};

	session_execute_kept(&lock, values, NULL);
}

/*
 * object_list returns the OIDs of all attached tables, ascending: the order in
 * which their locks are taken. A row whose table is gone (pg_restore --clean)
 * does not count.
 */
List *
object_list(void)
{
	static KeptStatement find = {
		"SELECT o.object FROM territory.object o"
		"  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) o.object::pg_catalog.oid"
		" ORDER BY c.oid",
		SPI_OK_SELECT, 0
	};
	List	   *objects = NIL;

	session_execute_kept(&find, NULL, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;

		objects = lappend_oid(objects,
							  DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i],
															 SPI_tuptable->tupdesc, 1, &isnull)));
	}
	return objects;
}
