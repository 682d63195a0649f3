/*
 * bare.c
 *		Is a table of pairs as attach made it?
 *
 * Where it is, rows can be written past the executor: there is nothing to pass
 * by. That is asked of the relation cache each time, which knows.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

#include "base/catalog.h"
#include "pair/bare.h"

/* the owner's rights, who may have taken some from himself */
#define RIGHTS (ACL_SELECT | ACL_INSERT | ACL_UPDATE | ACL_DELETE)

/*
 * bare_table tells whether a table is a plain one.
 */
bool
bare_table(Relation rel, const ObjectInfo *object, int columns)
{
	Form_pg_class form = rel->rd_rel;
	TupleDesc	desc = RelationGetDescr(rel);

	return form->relkind == RELKIND_RELATION && form->relowner == object->owner &&
		!form->relispartition && !form->relhassubclass && rel->rd_rules == NULL &&
		desc->natts == columns && (desc->constr == NULL || desc->constr->num_check == 0) &&
		pg_class_aclmask(RelationGetRelid(rel), object->owner, RIGHTS, ACLMASK_ALL) == RIGHTS;
}

/*
 * bare_column tells whether a column is as attach made it.
 */
bool
bare_column(Relation rel, int number, const char *name, Oid type, Oid collation, bool notnull)
{
	Form_pg_attribute column = TupleDescAttr(RelationGetDescr(rel), number - 1);

	return !column->attisdropped && strcmp(NameStr(column->attname), name) == 0 &&
		column->atttypid == type && column->atttypmod == -1 && column->attcollation == collation &&
		column->attnotnull == notnull && column->attgenerated == '\0' && column->attidentity == '\0';
}

/*
 * is_guard tells whether a trigger is ours, which lets the engine pass.
 */
static bool
is_guard(const Trigger *trigger)
{
	char	   *function;

	if (TRIGGER_FOR_ROW(trigger->tgtype) || strncmp(trigger->tgname, "00_territory_", 13) != 0)
		return false;
	function = get_func_name(trigger->tgfoid);
	return function != NULL && strncmp(function, "assignment_", 11) == 0 &&
		get_func_namespace(trigger->tgfoid) == get_rel_namespace(catalog_table("object"));
}

/*
 * bare_of_triggers tells whether a command would fire no trigger but ours. Foreign
 * keys and deferrable constraints are triggers too.
 */
bool
bare_of_triggers(Relation rel, CmdType command)
{
	const TriggerDesc *triggers = rel->trigdesc;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if ((command == CMD_INSERT ? TRIGGER_FOR_INSERT(trigger->tgtype) :
			 command == CMD_UPDATE ? TRIGGER_FOR_UPDATE(trigger->tgtype) :
			 TRIGGER_FOR_DELETE(trigger->tgtype)) && !is_guard(trigger))
			return false;
	}
	return true;
}

/*
 * bare_index tells whether an index is of columns, for all rows, and checked at
 * once.
 */
bool
bare_index(Relation index, const IndexInfo *info)
{
	return info->ii_Expressions == NIL && info->ii_Predicate == NIL &&
		info->ii_ExclusionOps == NULL && index->rd_index->indimmediate;
}
