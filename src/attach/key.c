/*
 * key.c
 *		The column by which an attached table's records are known.
 */
#include "postgres.h"

#include "access/genam.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"

#include "attach/key.h"
#include "compat.h"

/*
 * index_columns lists an index's columns for a message.
 */
static char *
index_columns(Relation rel, Relation index)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < index->rd_index->indnkeyatts; i++)
		appendStringInfo(&names, "%s%s", i == 0 ? "" : ", ",
						 get_attname(RelationGetRelid(rel), index->rd_index->indkey.values[i], false));
	return names.data;
}

/*
 * has_deferrable_key tells whether the table has a primary key that is checked
 * too late to identify records.
 */
static bool
has_deferrable_key(Relation rel)
{
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);
		bool		deferrable = index->rd_index->indisprimary && !index->rd_index->indimmediate;

		index_close(index, NoLock);
		if (deferrable)
			return true;
	}
	return false;
}

/*
 * key_of_primary_key returns the column of a one-column primary key.
 */
AttrNumber
key_of_primary_key(Relation rel)
{
	Oid			oid = territory_primary_key(rel);
	Relation	index;
	AttrNumber	attno;

	if (!OidIsValid(oid))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 has_deferrable_key(rel) ?
				 errmsg("cannot attach \"%s\": its primary key is deferrable", RelationGetRelationName(rel)) :
				 errmsg("cannot attach \"%s\": it has no primary key", RelationGetRelationName(rel)),
				 errhint("Add one, or name a column that is NOT NULL and has a unique index of its own: territory.attach(..., key => 'column').")));
	index = index_open(oid, AccessShareLock);
	attno = index->rd_index->indkey.values[0];
	if (index->rd_index->indnkeyatts != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("cannot attach \"%s\": its primary key has several columns", RelationGetRelationName(rel)),
				 errdetail("The primary key is (%s).", index_columns(rel, index)),
				 errhint("Name the one that identifies a record: territory.attach(..., key => 'column').")));
	index_close(index, NoLock);
	return attno;
}

/*
 * is_unique_index tells whether an index makes one column unique. That of a
 * partitioned table must hold the partition key as well; there we take the
 * user's word that the key is unique across partitions.
 */
static bool
is_unique_index(Relation rel, Oid oid, AttrNumber attno)
{
	Relation	index = index_open(oid, AccessShareLock);
	Form_pg_index form = index->rd_index;
	bool		unique = form->indisunique && form->indisvalid && form->indimmediate &&
		RelationGetIndexPredicate(index) == NIL;

	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
	{
		bool		member = false;

		for (int i = 0; i < form->indnkeyatts; i++)
			member |= form->indkey.values[i] == attno;
		unique = unique && member;
	}
	else
		unique = unique && form->indnkeyatts == 1 && form->indkey.values[0] == attno;
	index_close(index, NoLock);
	return unique;
}

/*
 * key_by_name returns the column that the caller named, which must
 * identify records.
 */
AttrNumber
key_by_name(Relation rel, const char *name)
{
	AttrNumber	attno = get_attnum(RelationGetRelid(rel), name);
	List	   *indexes = RelationGetIndexList(rel);
	ListCell   *cell;

	if (attno == InvalidAttrNumber || attno < 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table \"%s\" has no column \"%s\"", RelationGetRelationName(rel), name)));
	foreach(cell, indexes)
	{
		if (is_unique_index(rel, lfirst_oid(cell), attno) &&
			TupleDescAttr(RelationGetDescr(rel), attno - 1)->attnotnull)
			return attno;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
			 errmsg("column \"%s\" does not identify the records of \"%s\"", name,
					RelationGetRelationName(rel)),
			 errhint("The key must be NOT NULL and have a unique index of its own.")));
	return InvalidAttrNumber;
}

/*
 * key_check raises unless keys of the column's type can be kept, and the
 * column's name is free in the assignment table.
 */
void
key_check(Form_pg_attribute key)
{
	static const char *const taken[] = {"node_id", "rule_id", "manual", "since", "until", "held"};

	switch (getBaseType(key->atttypid))
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case UUIDOID:
		case TEXTOID:
		case VARCHAROID:
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("key column \"%s\" has type %s", NameStr(key->attname),
							format_type_be(key->atttypid)),
					 errhint("Keys may be smallint, integer, bigint, uuid, text or varchar.")));
	}
	if (OidIsValid(key->attcollation) && !get_collation_isdeterministic(key->attcollation))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("key column \"%s\" has a nondeterministic collation", NameStr(key->attname)),
				 errhint("A key must be equal only to itself.")));
	for (int i = 0; i < lengthof(taken); i++)
	{
		if (strcmp(NameStr(key->attname), taken[i]) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("the key column cannot be called \"%s\"", taken[i]),
					 errdetail("The assignment table has a column of that name.")));
	}
}
