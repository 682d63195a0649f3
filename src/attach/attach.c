/*
 * attach.c
 *		territory.attach() and territory.detach().
 *
 * Attaching makes the assignment table beside the user's table, as its owner
 * would, puts our triggers on both, and registers the pair in territory.object.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_inherits.h"
#include "commands/policy.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "assign/run.h"
#include "attach/attach.h"
#include "attach/attach_links.h"
#include "attach/key.h"
#include "attach/pair_table.h"
#include "base/catalog.h"
#include "base/lock.h"
#include "base/session.h"
#include "base/triggers.h"
#include "history/cause.h"
#include "history/guard.h"
#include "parent/kin.h"
#include "rule/object.h"

PG_FUNCTION_INFO_V1(territory_attach);
PG_FUNCTION_INFO_V1(territory_detach);
PG_FUNCTION_INFO_V1(territory_object_guard);

/* True while attach or detach itself writes territory.object. */
static bool registering = false;

/*
 * check_kind raises unless the relation is a table that can be attached.
 */
static void
check_kind(Relation rel)
{
	const char *name = RelationGetRelationName(rel);
	char		kind = rel->rd_rel->relkind;

	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot attach \"%s\": it is not a table", name),
				 errdetail_relkind_not_supported(kind),
				 errhint("Attach the table that holds the records.")));
	if (rel->rd_rel->relispartition)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot attach \"%s\": it is a partition", name),
				 errhint("Attach the partitioned table %s.",
						 catalog_qualified_name(llast_oid(get_partition_ancestors(RelationGetRelid(rel)))))));
	if (kind == RELKIND_RELATION && has_subclass(RelationGetRelid(rel)))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot attach \"%s\": other tables inherit from it", name),
				 errhint("Use partitioning instead of inheritance, or attach the children.")));
	if (rel->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot attach \"%s\": it is a temporary table", name)));
	if (IsCatalogRelation(rel) || RelationGetNamespace(rel) == get_namespace_oid(TERRITORY_SCHEMA, false))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot attach \"%s\": it belongs to the system", name)));
}

/*
 * check_owner raises unless the caller owns the table.
 */
static void
check_owner(Relation rel)
{
	if (!territory_owns_relation(RelationGetRelid(rel), GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(rel->rd_rel->relkind),
					   RelationGetRelationName(rel));
}

/*
 * attach_utility runs one statement of DDL.
 */
void
attach_utility(const char *sql)
{
	if (SPI_execute(sql, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "not a utility statement: %s", sql);
}

/*
 * create_triggers puts the triggers on the attached table.
 */
static void
create_triggers(const char *table)
{
	attach_utility(psprintf("CREATE TRIGGER \"00_territory_begin\" BEFORE INSERT OR UPDATE OR DELETE ON %s"
					 " FOR EACH STATEMENT EXECUTE FUNCTION territory.statement_begin()", table));
	attach_utility(psprintf("CREATE TRIGGER \"00_territory_record\" AFTER INSERT OR UPDATE OR DELETE ON %s"
					 " FOR EACH ROW EXECUTE FUNCTION territory.record_changed()", table));
	attach_utility(psprintf("CREATE TRIGGER \"00_territory_end\" AFTER INSERT OR UPDATE OR DELETE ON %s"
					 " FOR EACH STATEMENT EXECUTE FUNCTION territory.statement_end()", table));
	attach_utility(psprintf("CREATE TRIGGER \"00_territory_truncate\" AFTER TRUNCATE ON %s"
					 " FOR EACH STATEMENT EXECUTE FUNCTION territory.records_truncated()", table));
}

/*
 * has_truncate_trigger tells whether a partition has its trigger already.
 */
static bool
has_truncate_trigger(Oid relid)
{
	return OidIsValid(get_trigger_oid(relid, TRUNCATE_TRIGGER, true));
}

/*
 * is_protected tells whether row-level security protects a table by territories.
 */
static bool
is_protected(Oid object)
{
	return OidIsValid(get_relation_policy_oid(object, PROTECTION_POLICY, true));
}

/*
 * close_partition keeps a partition of a protected table from being read directly.
 */
static void
close_partition(Oid relid)
{
	Relation	rel = relation_open(relid, AccessShareLock);
	bool		closed = rel->rd_rel->relrowsecurity;

	relation_close(rel, NoLock);
	if (!closed)
		attach_utility(psprintf("ALTER TABLE %s ENABLE ROW LEVEL SECURITY", catalog_qualified_name(relid)));
}

/*
 * attach_cover_partitions puts the TRUNCATE trigger, which is not cloned, on
 * every partition that lacks it, and closes those of a protected table. Runs as the
 * table's owner.
 */
void
attach_cover_partitions(Oid object)
{
	ListCell   *cell;

	foreach(cell, find_all_inheritors(object, AccessShareLock, NULL))
	{
		Oid			relid = lfirst_oid(cell);
		char		kind = get_rel_relkind(relid);

		if (relid != object && (kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE) &&
			!has_truncate_trigger(relid))
			attach_utility(psprintf("CREATE TRIGGER \"00_territory_truncate\" AFTER TRUNCATE ON %s"
							 " FOR EACH STATEMENT EXECUTE FUNCTION territory.records_truncated()",
							 catalog_qualified_name(relid)));
		if (relid != object && kind == RELKIND_RELATION && is_protected(object))
			close_partition(relid);
	}
}

/*
 * execute_registering runs a statement on territory.object.
 */
static void
execute_registering(const char *sql, int expected, int nargs, Oid *types, Datum *values)
{
	registering = true;
	PG_TRY();
	{
		session_execute(sql, expected, nargs, types, values, NULL);
	}
	PG_FINALLY();
	{
		registering = false;
	}
	PG_END_TRY();
}

/*
 * text_array makes an array of texts, some of them NULL.
 */
static Datum
text_array(char *const *texts, int count)
{
	Datum	   *values = palloc0(count * sizeof(Datum));
	bool	   *nulls = palloc0(count * sizeof(bool));
	int			bounds[1] = {1};

	for (int i = 0; i < count; i++)
	{
		nulls[i] = texts[i] == NULL;
		if (texts[i])
			values[i] = CStringGetTextDatum(texts[i]);
	}
	return PointerGetDatum(construct_md_array(values, nulls, 1, &count, bounds, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * register_object adds the row of territory.object.
 */
static void
register_object(Oid object, char *kind, char *key, char *mode, Oid assignment, Oid past, const AttachLinks *links)
{
	char	   *texts[] = {kind, key, mode, links->parent_key, links->family, links->closed, links->family_mode};
	Oid			types[6] = {OIDOID, OIDOID, OIDOID, OIDOID, TEXTARRAYOID, TEXTARRAYOID};
	Datum		values[6] = {
		ObjectIdGetDatum(object), ObjectIdGetDatum(assignment), ObjectIdGetDatum(past),
		ObjectIdGetDatum(links->parent),
		text_array(texts, lengthof(texts)), text_array(links->expressions, EXPRESSIONS)
	};
	SessionRole role;

	session_become(&role, catalog_owner());
	execute_registering(psprintf("INSERT INTO territory.object (object, assignment, past, parent, kind, key_column, mode,"
								 "  parent_key, family, closed, family_mode, %s)"
								 " VALUES ($1, $2, $3, nullif($4, 0), $5[1], $5[2], $5[3], $5[4], $5[5], $5[6], $5[7], %s)",
								 object_expression_columns(), object_expression_elements(6)),
						SPI_OK_INSERT, 6, types, values);
	session_restore_role(&role);
}

/*
 * attach_set_expressions writes an object's expressions anew, all of them.
 */
void
attach_set_expressions(Oid object, char *const *expressions)
{
	Oid			types[2] = {OIDOID, TEXTARRAYOID};
	Datum		values[2] = {ObjectIdGetDatum(object), text_array(expressions, EXPRESSIONS)};

	execute_registering(psprintf("UPDATE territory.object SET (%s) = (%s) WHERE object OPERATOR(pg_catalog.=) $1",
								 object_expression_columns(), object_expression_elements(2)),
						SPI_OK_UPDATE, 2, types, values);
}

/*
 * refuse_attached raises when the table is attached already, or holds the
 * territories of one that is.
 */
static void
refuse_attached(Relation rel)
{
	ObjectInfo	info;
	SessionRole role;
	Oid			types[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(RelationGetRelid(rel))};
	bool		attached;

	session_become(&role, catalog_owner());
	attached = object_load(RelationGetRelid(rel), &info);
	if (!attached)
	{
		session_execute("SELECT FROM territory.object WHERE assignment OPERATOR(pg_catalog.=) $1 OR past OPERATOR(pg_catalog.=) $1",
						SPI_OK_SELECT, 1, types, values, NULL);
		if (SPI_processed > 0)
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("cannot attach \"%s\": it holds the territories of another table",
							RelationGetRelationName(rel))));
	}
	session_restore_role(&role);
	if (attached)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("table \"%s\" is attached already", RelationGetRelationName(rel)),
				 errhint("SELECT territory.detach(%s) undoes it.",
						 quote_literal_cstr(catalog_qualified_name(RelationGetRelid(rel))))));
}

/*
 * check_word raises unless a word is one of those allowed.
 */
static void
check_word(const char *parameter, const char *word, const char *const *words, int count)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < count; i++)
	{
		if (strcmp(word, words[i]) == 0)
			return;
		appendStringInfo(&list, "%s'%s'", i == 0 ? "" : i == count - 1 ? " or " : ", ", words[i]);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown %s \"%s\"", parameter, word),
			 errhint("It may be %s.", list.data)));
}

/*
 * require_argument raises when an argument that must be given is NULL.
 */
static void
require_argument(FunctionCallInfo fcinfo, int index, const char *name)
{
	if (PG_ARGISNULL(index))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
}

/*
 * open_table opens and locks a relation that may not be there.
 */
static Relation
open_table(Oid relid, LOCKMODE lock)
{
	Relation	rel = try_relation_open(relid, lock);

	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	return rel;
}

/*
 * attach_table does the work of attach, as the table's owner.
 */
static Oid
attach_table(Relation rel, AttrNumber attno, char *kind, char *mode, const AttachLinks *links)
{
	Form_pg_attribute key = TupleDescAttr(RelationGetDescr(rel), attno - 1);
	char	   *key_name = pstrdup(NameStr(key->attname));
	Oid			object = RelationGetRelid(rel);
	SessionRole role;
	Oid			assignment;
	Oid			past;
	int			pin;

	key_check(key);
	pin = session_pin(NULL, PIN_PATH);
	session_become(&role, rel->rd_rel->relowner);
	assignment = pair_table_create(rel, key);
	past = pair_table_create_past(rel, key);
	create_triggers(catalog_qualified_name(object));
	attach_cover_partitions(object);
	session_restore_role(&role);
	register_object(object, kind, key_name, mode, assignment, past, links);
	if (OidIsValid(links->parent))
	{
		int			cause = cause_push(CAUSE_DDL, "attached");

		(void) run_where(object, NULL);
		cause_pop(cause);
	}
	session_unpin(pin);
	return assignment;
}

/* arguments of attach */
enum
{
	ARGUMENT_OBJECT,
	ARGUMENT_KIND,
	ARGUMENT_KEY,
	ARGUMENT_MODE,
	ARGUMENT_PARENT,
	ARGUMENT_PARENT_KEY,
	ARGUMENT_OWNER,
	ARGUMENT_AMOUNT,
	ARGUMENT_CLOSE_DATE,
	ARGUMENT_CATEGORY,
	ARGUMENT_CLOSED,
	ARGUMENT_FAMILY,
	ARGUMENT_FAMILY_MODE,
	ARGUMENT_PROBABILITY,
	ARGUMENT_CURRENCY,
	ARGUMENT_STAGE,
	ARGUMENT_CREATED
};

/*
 * text_argument returns an argument, or NULL.
 */
static char *
text_argument(FunctionCallInfo fcinfo, int index)
{
	return PG_ARGISNULL(index) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(index));
}

/*
 * word_argument returns an argument that must be one of some words.
 */
static char *
word_argument(FunctionCallInfo fcinfo, int index, const char *name, const char *const *words, int count)
{
	char	   *word;

	require_argument(fcinfo, index, name);
	word = text_argument(fcinfo, index);
	check_word(name, word, words, count);
	return word;
}

/*
 * links_arguments takes the arguments about what records depend on.
 */
static AttachLinks
links_arguments(FunctionCallInfo fcinfo)
{
	static const char *const closed[] = {"freeze", "follow"};
	static const char *const family_modes[] = {"unmatched", "all", "none"};
	static const int expressions[EXPRESSIONS] = {
		ARGUMENT_OWNER, ARGUMENT_AMOUNT, ARGUMENT_CLOSE_DATE, ARGUMENT_CATEGORY,
		ARGUMENT_PROBABILITY, ARGUMENT_CURRENCY, ARGUMENT_STAGE, ARGUMENT_CREATED
	};
	AttachLinks links = {InvalidOid};

	if (!PG_ARGISNULL(ARGUMENT_PARENT))
		links.parent = PG_GETARG_OID(ARGUMENT_PARENT);
	links.parent_key = text_argument(fcinfo, ARGUMENT_PARENT_KEY);
	for (int i = 0; i < EXPRESSIONS; i++)
		links.expressions[i] = text_argument(fcinfo, expressions[i]);
	links.closed = word_argument(fcinfo, ARGUMENT_CLOSED, "closed", closed, lengthof(closed));
	links.family = text_argument(fcinfo, ARGUMENT_FAMILY);
	links.family_mode = word_argument(fcinfo, ARGUMENT_FAMILY_MODE, "family_mode", family_modes, lengthof(family_modes));
	return links;
}

/*
 * territory_attach(object, kind, key, mode, parent, parent_key, owner, amount,
 * close_date, category, closed, family, family_mode, probability, currency, stage,
 * created) -> the assignment table.
 */
Datum
territory_attach(PG_FUNCTION_ARGS)
{
	static const char *const kinds[] = {"account", "lead", "contact", "deal"};
	static const char *const modes[] = {"deepest", "all", "first"};
	char	   *kind;
	char	   *mode;
	AttachLinks links;
	Relation	rel;
	AttrNumber	attno;
	Oid			assignment;

	require_argument(fcinfo, ARGUMENT_OBJECT, "object");
	kind = word_argument(fcinfo, ARGUMENT_KIND, "kind", kinds, lengthof(kinds));
	mode = word_argument(fcinfo, ARGUMENT_MODE, "mode", modes, lengthof(modes));
	links = links_arguments(fcinfo);

	rel = open_table(PG_GETARG_OID(ARGUMENT_OBJECT), ShareRowExclusiveLock);
	check_kind(rel);
	check_owner(rel);
	lock_tree();				/* whoever edits a tree must know all attached tables */
	kin_lock_list_for_change(lcons_oid(RelationGetRelid(rel), OidIsValid(links.parent) ? kin_line(links.parent) : NIL));
	SPI_connect();
	refuse_attached(rel);
	attno = PG_ARGISNULL(ARGUMENT_KEY) ? key_of_primary_key(rel) :
		key_by_name(rel, text_argument(fcinfo, ARGUMENT_KEY));
	attach_check_links(rel, attno, kind, mode, &links);
	assignment = attach_table(rel, attno, kind, mode, &links);
	attach_advise_index(rel, &links);
	SPI_finish();
	relation_close(rel, NoLock);
	PG_RETURN_OID(assignment);
}

/*
 * count_rows counts what detaching takes along.
 */
static int64
count_rows(const char *table, Oid object)
{
	Oid			types[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(object)};
	bool		isnull;

	session_execute(psprintf("SELECT pg_catalog.count(*) FROM territory.%s WHERE object OPERATOR(pg_catalog.=) $1", table),
					SPI_OK_SELECT, 1, types, values, NULL);
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

/*
 * unregister_object deletes the row of territory.object, which takes rules,
 * exclusions and the log along, and says so.
 */
static void
unregister_object(Oid object)
{
	Oid			types[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(object)};
	static const char *const dependent[] = {"rule", "exclusion", "pair_check", "distribution", "distribution_log", "run_log",
		"deal_share", "forecast_def"};
	int64		rules = count_rows("rule", object);
	int64		exclusions = count_rows("exclusion", object);

	execute_registering("DELETE FROM territory.object WHERE object OPERATOR(pg_catalog.=) $1",
						SPI_OK_DELETE, 1, types, values);
	for (int i = 0; i < lengthof(dependent); i++)
		session_execute(psprintf("DELETE FROM territory.%s WHERE object OPERATOR(pg_catalog.=) $1", dependent[i]),
						SPI_OK_DELETE, 1, types, values, NULL);
	guard_execute("DELETE FROM territory.change WHERE object OPERATOR(pg_catalog.=) $1",
				  SPI_OK_DELETE, 1, types, values, NULL);
	if (rules > 0 || exclusions > 0)
		ereport(NOTICE,
				(errmsg("detached; removed with it: rules " INT64_FORMAT ", exclusions " INT64_FORMAT,
						rules, exclusions)));
}

/*
 * drop_triggers takes our triggers off a table and its partitions.
 */
static void
drop_triggers(Oid object)
{
	static const char *const names[] = {"begin", "record", "end", "truncate"};
	ListCell   *cell;

	for (int i = 0; i < lengthof(names); i++)
		attach_utility(psprintf("DROP TRIGGER IF EXISTS \"00_territory_%s\" ON %s", names[i],
						 catalog_qualified_name(object)));
	foreach(cell, find_all_inheritors(object, AccessShareLock, NULL))
	{
		if (has_truncate_trigger(lfirst_oid(cell)))
			attach_utility(psprintf("DROP TRIGGER \"00_territory_truncate\" ON %s",
							 catalog_qualified_name(lfirst_oid(cell))));
	}
}

/*
 * refuse_protected raises when the table is protected: without territories nobody would
 * see its records any more.
 */
static void
refuse_protected(Relation rel)
{
	if (is_protected(RelationGetRelid(rel)))
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot detach \"%s\": it is protected", RelationGetRelationName(rel)),
				 errdetail("Its policies ask for the territories of its records."),
				 errhint("SELECT territory.unprotect(%s) first.",
						 quote_literal_cstr(catalog_qualified_name(RelationGetRelid(rel))))));
}

/*
 * territory_detach(object): undoes attach.
 */
Datum
territory_detach(PG_FUNCTION_ARGS)
{
	Relation	rel;
	ObjectInfo	info;
	SessionRole role;
	int			pin;

	require_argument(fcinfo, 0, "object");
	/* dropping the triggers will need this lock */
	rel = open_table(PG_GETARG_OID(0), AccessExclusiveLock);
	check_owner(rel);
	refuse_protected(rel);
	kin_lock_list_for_change(kin_line(RelationGetRelid(rel)));
	attach_refuse_children(RelationGetRelid(rel));
	SPI_connect();
	pin = session_pin(NULL, PIN_PATH);
	session_become(&role, catalog_owner());
	object_require(RelationGetRelid(rel), &info);
	unregister_object(info.object);
	session_restore_role(&role);
	session_become(&role, rel->rd_rel->relowner);
	drop_triggers(info.object);
	attach_utility(psprintf("DROP TABLE %s, %s", catalog_qualified_name(info.assignment), catalog_qualified_name(info.past)));
	session_restore_role(&role);
	session_unpin(pin);
	SPI_finish();
	relation_close(rel, NoLock);
	PG_RETURN_VOID();
}

/*
 * territory_object_guard: BEFORE INSERT OR DELETE on territory.object, and
 * UPDATE of what attach decided, each statement. Only attach and detach do that,
 * and a dump that is being restored.
 */
Datum
territory_object_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data_of(fcinfo, "object_guard",
										TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_STATEMENT, "object");

	if (!registering && !session_restoring(RelationGetRelid(trigger->tg_relation)))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table territory.object is written by territory.attach() and territory.detach() only"),
				 errdetail("Of its columns, mode, kind, closed, family_mode, history and keep_history may be updated."),
				 errhint("SELECT territory.attach('table') attaches a table.")));
	return PointerGetDatum(NULL);
}
