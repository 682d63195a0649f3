/*
 * ddl.c
 *		Event triggers: DDL on attached tables and on what their rules name.
 *
 * A rule never stops matching in silence. Renaming a column rewrites the rules
 * that read it; what would break a rule (dropping a column that it reads, or
 * renaming a function or a value of an enum) is refused and the rule named; a
 * changed type makes all records be evaluated, and so do partitions that come
 * or go. Dropping an attached table is refused until it is detached.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "assign/follow.h"
#include "assign/run.h"
#include "attach/attach.h"
#include "attach/attach_links.h"
#include "base/catalog.h"
#include "base/session.h"
#include "check/check.h"
#include "compat.h"
#include "history/cause.h"
#include "pair/forget.h"
#include "parent/kin.h"
#include "rule/criteria.h"
#include "rule/link.h"
#include "rule/object.h"

PG_FUNCTION_INFO_V1(territory_ddl_end);
PG_FUNCTION_INFO_V1(territory_ddl_drop);

/* What a command means for an attached table. */
typedef struct TableChange
{
	const char *old_name;		/* of a renamed column, else NULL */
	const char *new_name;
	RangeVar   *detached;		/* a partition that leaves, else NULL */
	bool		evaluate;		/* records may match differently */
} TableChange;

/*
 * event_data is the protocol check of event triggers.
 */
static EventTriggerData *
event_data(FunctionCallInfo fcinfo, const char *name)
{
	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function territory.%s was not called as an event trigger", name)));
	return (EventTriggerData *) fcinfo->context;
}

/*
 * read_change tells what a command means.
 */
static TableChange
read_change(Node *command)
{
	TableChange change = {NULL};

	if (IsA(command, RenameStmt) && ((RenameStmt *) command)->renameType == OBJECT_COLUMN)
	{
		change.old_name = ((RenameStmt *) command)->subname;
		change.new_name = ((RenameStmt *) command)->newname;
	}
	else if (IsA(command, AlterTableStmt))
	{
		ListCell   *cell;

		foreach(cell, ((AlterTableStmt *) command)->cmds)
		{
			AlterTableCmd *part = lfirst_node(AlterTableCmd, cell);
			AlterTableType type = part->subtype;

			if (type == AT_DetachPartition)
				change.detached = castNode(PartitionCmd, part->def)->name;
			change.evaluate |= type == AT_AlterColumnType || type == AT_AttachPartition ||
				type == AT_DetachPartition || type == AT_DetachPartitionFinalize;
		}
	}
	return change;
}

/*
 * touched_tables returns the tables that the command touched, with those that
 * they inherit from or are partitions of.
 */
static List *
touched_tables(void)
{
	List	   *touched = NIL;

	session_execute("WITH touched AS ("
					"  SELECT objid FROM pg_catalog.pg_event_trigger_ddl_commands()"
					"   WHERE classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass)"
					" SELECT objid FROM touched"
					" UNION SELECT inhparent FROM pg_catalog.pg_inherits JOIN touched"
					"   ON inhrelid OPERATOR(pg_catalog.=) objid",
					SPI_OK_SELECT, 0, NULL, NULL, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Oid			relid = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i],
														   SPI_tuptable->tupdesc, 1, &isnull));

		touched = list_append_unique_oid(touched, relid);
		if (get_rel_relispartition(relid))
			touched = list_concat_unique_oid(touched, get_partition_ancestors(relid));
	}
	return touched;
}

/*
 * refuse_heirs raises when an attached table has become what attach refuses.
 */
static void
refuse_heirs(Oid object)
{
	if (get_rel_relispartition(object))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot make attached table %s a partition", catalog_qualified_name(object)),
				 errhint("Detach it first, and attach the partitioned table.")));
	if (get_rel_relkind(object) == RELKIND_RELATION &&
		find_inheritance_children(object, NoLock) != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("no table can inherit from attached table %s", catalog_qualified_name(object)),
				 errhint("Use partitioning instead of inheritance.")));
}

/*
 * refuse_lost_key raises when an attached table has lost its key column, or the one
 * that holds the key of the record above.
 */
static void
refuse_lost_key(Oid object)
{
	static const char *const what[] = {"key", "parent key", "family"};
	Oid			types[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(object)};

	session_execute("SELECT key_column, parent_key, family FROM territory.object WHERE object OPERATOR(pg_catalog.=) $1",
					SPI_OK_SELECT, 1, types, values, NULL);
	if (SPI_processed == 0)
		return;
	for (int i = 0; i < lengthof(what); i++)
	{
		char	   *column = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1);

		if (column != NULL && get_attnum(object, column) == InvalidAttrNumber)
			ereport(ERROR,
					(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
					 errmsg("cannot rename or drop %s column \"%s\" of attached table %s", what[i], column,
							catalog_qualified_name(object)),
					 errhint("SELECT territory.detach(%s) first.",
							 quote_literal_cstr(catalog_qualified_name(object)))));
	}
}

/*
 * check_column raises unless a table of pairs has a column of this type.
 */
static void
check_column(const ObjectInfo *info, Oid relid, const char *name, Oid type)
{
	AttrNumber	attno = get_attnum(relid, name);

	if (attno == InvalidAttrNumber || getBaseType(get_atttype(relid, attno)) != type)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot change column \"%s\" of %s: the engine writes it", name,
						catalog_qualified_name(relid)),
				 errhint("Columns may be added. SELECT territory.detach(%s) drops the table.",
						 quote_literal_cstr(catalog_qualified_name(info->object)))));
}

/*
 * check_columns checks the columns that both tables of pairs have.
 */
static void
check_columns(const ObjectInfo *info, Oid relid)
{
	check_column(info, relid, NameStr(info->key_column), info->key_type);
	check_column(info, relid, "node_id", INT4OID);
	check_column(info, relid, "rule_id", INT4OID);
	check_column(info, relid, "manual", BOOLOID);
	check_column(info, relid, "since", TIMESTAMPTZOID);
}

/*
 * check_past raises when a table of pairs that ended is no longer what the engine
 * can write.
 */
static void
check_past(const ObjectInfo *info)
{
	check_columns(info, info->past);
	check_column(info, info->past, "until", TIMESTAMPTZOID);
	check_column(info, info->past, "held", BOOLOID);
}

/*
 * check_assignment raises when an assignment table is no longer what the engine
 * can write.
 */
static void
check_assignment(const ObjectInfo *info)
{
	Relation	rel = table_open(info->assignment, AccessShareLock);
	bool		keyed = OidIsValid(territory_primary_key(rel));

	table_close(rel, NoLock);
	check_columns(info, info->assignment);
	if (!keyed)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot drop the primary key of %s: the engine needs it",
						catalog_qualified_name(info->assignment))));
}

/*
 * attached_objects returns the attached tables that the command touched, and
 * checks what it may have done to those and to their assignment tables.
 */
static List *
attached_objects(void)
{
	List	   *touched = touched_tables();
	List	   *objects = NIL;
	ListCell   *cell;

	foreach(cell, object_list())
	{
		ObjectInfo	info;

		refuse_heirs(lfirst_oid(cell));
		refuse_lost_key(lfirst_oid(cell));
		if (object_load(lfirst_oid(cell), &info))
		{
			if (list_member_oid(touched, info.assignment))
				check_assignment(&info);
			if (list_member_oid(touched, info.past))
				check_past(&info);
		}
		if (list_member_oid(touched, lfirst_oid(cell)))
			objects = lappend_oid(objects, lfirst_oid(cell));
	}
	return objects;
}

/*
 * parse_or_refuse reads a rule, or another expression, against the changed table.
 * Where that fails, the command is refused, and the parser's message is the reason.
 */
static Expr *
parse_or_refuse(Relation rel, const char *expression, Oid type, const char *what, const char *hint, const TableChange *change)
{
	MemoryContext context = CurrentMemoryContext;
	Expr	   *volatile expr = NULL;

	PG_TRY();
	{
		expr = criteria_parse_renamed(rel, expression, type, change->old_name, change->new_name);
	}
	PG_CATCH();
	{
		ErrorData  *reason;

		MemoryContextSwitchTo(context);
		reason = CopyErrorData();
		FlushErrorState();
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("this would break %s of table %s", what,
						catalog_qualified_name(RelationGetRelid(rel))),
				 type == BOOLOID ?
				 errdetail("Its criteria would no longer hold: %s.", reason->message) :
				 errdetail("The expression would no longer hold: %s.", reason->message),
				 errhint("%s", hint)));
	}
	PG_END_TRY();
	return expr;
}

/* Rules whose criteria are to be written anew. */
typedef struct Rewritten
{
	int			count;
	Datum	   *ids;
	Datum	   *criteria;
} Rewritten;

/*
 * rewrite_rules stores criteria after a column was renamed: all in one
 * statement, because half of them would not compile. They mean what they meant,
 * so no record is evaluated.
 */
static void
rewrite_rules(const Rewritten *rewritten)
{
	Oid			types[2] = {INT4ARRAYOID, TEXTARRAYOID};
	Datum		values[2];
	int			nest_level;

	if (rewritten->count == 0)
		return;
	values[0] = PointerGetDatum(construct_array(rewritten->ids, rewritten->count,
												INT4OID, 4, true, TYPALIGN_INT));
	values[1] = PointerGetDatum(construct_array(rewritten->criteria, rewritten->count,
												TEXTOID, -1, false, TYPALIGN_INT));
	nest_level = NewGUCNestLevel();
	(void) set_config_option("territory.defer_runs", "on", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	session_execute("UPDATE territory.rule r SET criteria = p.criteria"
					"  FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS p (id, criteria)"
					" WHERE r.id OPERATOR(pg_catalog.=) p.id",
					SPI_OK_UPDATE, 2, types, values, NULL);
	AtEOXact_GUC(true, nest_level);
}

/*
 * check_rule reads one rule against the changed table, and notes its criteria
 * if they have to be written anew.
 */
static void
check_rule(Relation rel, HeapTuple row, TupleDesc desc, const TableChange *change, Rewritten *rewritten)
{
	bool		isnull;
	Datum		id = SPI_getbinval(row, desc, 1, &isnull);
	char	   *expression = SPI_getvalue(row, desc, 2);
	Expr	   *expr = parse_or_refuse(rel, expression, BOOLOID,
										 psprintf("rule %s", SPI_getvalue(row, desc, 3)),
										 "Change or delete the rule first, or detach the table.", change);
	char	   *renamed;

	if (change->old_name == NULL)
		return;
	renamed = criteria_deparse(rel, expr);
	if (strcmp(renamed, expression) == 0)
		return;
	rewritten->ids[rewritten->count] = id;
	rewritten->criteria[rewritten->count++] = CStringGetTextDatum(renamed);
}

/*
 * check_rules reads every rule of an object against the changed table.
 */
static void
check_rules(Oid object, const TableChange *change)
{
	Oid			types[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(object)};
	Relation	rel = table_open(object, AccessShareLock);
	Rewritten	rewritten = {0};
	SPITupleTable *rules;
	uint64		count;

	session_execute("SELECT r.id, r.expression,"
					"  pg_catalog.concat(r.id, ' (' OPERATOR(pg_catalog.||) r.name OPERATOR(pg_catalog.||) ')', ' of territory \"', n.path, '\"')"
					"  FROM territory.rule r JOIN territory.node n ON n.id OPERATOR(pg_catalog.=) r.node_id"
					" WHERE r.object OPERATOR(pg_catalog.=) $1 ORDER BY r.id",
					SPI_OK_SELECT, 1, types, values, NULL);
	rules = SPI_tuptable;
	count = SPI_processed;
	rewritten.ids = palloc(Max(count, 1) * sizeof(Datum));
	rewritten.criteria = palloc(Max(count, 1) * sizeof(Datum));
	for (uint64 i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		check_rule(rel, rules->vals[i], rules->tupdesc, change, &rewritten);
	}
	rewrite_rules(&rewritten);
	table_close(rel, NoLock);
}

/*
 * check_object_expressions reads the other expressions of an object against the changed
 * table, and writes them anew after a column was renamed.
 */
static void
check_object_expressions(Oid object, const TableChange *change)
{
	Oid			types[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(object)};
	char	   *expressions[EXPRESSIONS];
	bool		rewritten = false;
	Relation	rel;

	session_execute(psprintf("SELECT %s FROM territory.object WHERE object OPERATOR(pg_catalog.=) $1",
							 object_expression_columns()), SPI_OK_SELECT, 1, types, values, NULL);
	if (SPI_processed == 0)
		return;
	for (int i = 0; i < EXPRESSIONS; i++)
		expressions[i] = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1);
	rel = table_open(object, AccessShareLock);
	for (int i = 0; i < EXPRESSIONS; i++)
	{
		char	   *text = expressions[i];
		Expr	   *expr;

		if (text == NULL)
			continue;
		expr = parse_or_refuse(rel, text, object_expression_types[i], psprintf("expression %s", object_expression_names[i]),
							   "Detach the table first.", change);
		if (change->old_name == NULL)
			continue;
		expressions[i] = criteria_deparse(rel, expr);
		rewritten |= strcmp(text, expressions[i]) != 0;
	}
	table_close(rel, NoLock);
	if (rewritten)
		attach_set_expressions(object, expressions);
}

/*
 * check_forecast reads one expression of a forecast against the changed table, and
 * writes it anew after a column was renamed.
 */
static void
check_forecast(Relation rel, const char *column, const char *text, Oid type, Datum id, const char *name, const TableChange *change)
{
	Oid			types[2] = {INT4OID, TEXTOID};
	Datum		values[2];
	Expr	   *expr;
	char	   *renamed;

	if (text == NULL)
		return;
	expr = parse_or_refuse(rel, text, type, psprintf("%s of forecast \"%s\"", column, name),
						   "Change or delete the forecast first, or detach the table.", change);
	if (change->old_name == NULL)
		return;
	renamed = criteria_deparse(rel, expr);
	if (strcmp(renamed, text) == 0)
		return;
	values[0] = id;
	values[1] = CStringGetTextDatum(renamed);
	session_execute(psprintf("UPDATE territory.forecast_def SET %s = $2 WHERE id OPERATOR(pg_catalog.=) $1", column),
					SPI_OK_UPDATE, 2, types, values, NULL);
}

/*
 * check_forecasts reads the expressions of an object's forecasts against the changed
 * table.
 */
static void
check_forecasts(Oid object, const TableChange *change)
{
	Oid			types[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(object)};
	SPITupleTable *forecasts;
	uint64		count;
	Relation	rel;

	session_execute("SELECT id, name, quantity_expression, filter_expression FROM territory.forecast_def"
					" WHERE object OPERATOR(pg_catalog.=) $1 ORDER BY id", SPI_OK_SELECT, 1, types, values, NULL);
	forecasts = SPI_tuptable;
	count = SPI_processed;
	rel = table_open(object, AccessShareLock);
	for (uint64 i = 0; i < count; i++)
	{
		HeapTuple	row = forecasts->vals[i];
		bool		isnull;
		Datum		id = SPI_getbinval(row, forecasts->tupdesc, 1, &isnull);
		char	   *name = SPI_getvalue(row, forecasts->tupdesc, 2);

		check_forecast(rel, "quantity", SPI_getvalue(row, forecasts->tupdesc, 3), NUMERICOID, id, name, change);
		check_forecast(rel, "filter", SPI_getvalue(row, forecasts->tupdesc, 4), BOOLOID, id, name, change);
	}
	table_close(rel, NoLock);
}

/*
 * check_link refuses a type of the linking column that no longer fits the keys of
 * the records above.
 */
static void
check_link(const ObjectInfo *info)
{
	ObjectInfo	above;

	if (!OidIsValid(info->above) || !object_load(info->above, &above) ||
		link_types_fit(info->link_type, above.key_type))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 errmsg("cannot change the type of column \"%s\" of attached table %s: it holds keys of %s",
					get_attname(info->object, info->link_attno, false), catalog_qualified_name(info->object),
					catalog_qualified_name(info->above)),
			 errhint("SELECT territory.detach(%s) first.",
					 quote_literal_cstr(catalog_qualified_name(info->object)))));
}

/*
 * check_key refuses what would part the keys of the table from those of its
 * assignments.
 */
static void
check_key(const ObjectInfo *info)
{
	AttrNumber	attno = get_attnum(info->assignment, NameStr(info->key_column));

	if (getBaseType(get_atttype(info->assignment, attno)) != info->key_type)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot change the type of key column \"%s\" of attached table %s",
						NameStr(info->key_column), catalog_qualified_name(info->object)),
				 errhint("SELECT territory.detach(%s) first.",
						 quote_literal_cstr(catalog_qualified_name(info->object)))));
}

/*
 * follow_owner gives a table of pairs to the owner of the attached table.
 */
static void
follow_owner(const ObjectInfo *info, Oid relid)
{
	if (catalog_relation_owner(relid) == info->owner)
		return;
	session_execute(psprintf("ALTER TABLE %s OWNER TO %s", catalog_qualified_name(relid),
							 quote_identifier(GetUserNameFromId(info->owner, false))),
					SPI_OK_UTILITY, 0, NULL, NULL, NULL);
}

/*
 * drop_partition_trigger takes our trigger off a partition that has left.
 */
static void
drop_partition_trigger(const RangeVar *partition)
{
	Oid			relid = RangeVarGetRelid(partition, NoLock, true);

	if (OidIsValid(relid) && !get_rel_relispartition(relid) &&
		OidIsValid(get_trigger_oid(relid, TRUNCATE_TRIGGER, true)))
		session_execute(psprintf("DROP TRIGGER %s ON %s", quote_identifier(TRUNCATE_TRIGGER),
								 catalog_qualified_name(relid)),
						SPI_OK_UTILITY, 0, NULL, NULL, NULL);
}

/*
 * follow does what a command means for one attached table.
 */
static void
follow(Oid object, const TableChange *change)
{
	int			pin;
	ObjectInfo	info;
	SessionRole role;

	if (change->detached)
		drop_partition_trigger(change->detached);
	if (!object_load(object, &info))
		return;
	pin = session_pin(NULL, PIN_PATH);
	check_key(&info);
	check_link(&info);
	check_rules(object, change);
	check_object_expressions(object, change);
	check_forecasts(object, change);
	check_expressions(object);
	follow_owner(&info, info.assignment);
	follow_owner(&info, info.past);
	session_become(&role, info.owner);
	attach_cover_partitions(object);
	session_restore_role(&role);
	if (change->evaluate)
	{
		int			cause = cause_push(CAUSE_DDL, NULL);

		kin_lock_for_change(object);
		(void) run_where(object, NULL);
		cause_pop(cause);
		/* records that came or went without a pair differ in nothing from what stood */
		check_everything(object);
	}
	session_unpin(pin);
}

/*
 * is_table_command tells whether a command is about tables; the others in our
 * list may change what names in criteria stand for.
 */
static bool
is_table_command(Node *command)
{
	if (IsA(command, RenameStmt))
		return ((RenameStmt *) command)->renameType == OBJECT_COLUMN ||
			((RenameStmt *) command)->renameType == OBJECT_TABLE;
	return IsA(command, AlterTableStmt) || IsA(command, CreateStmt);
}

/*
 * check_all_rules reads the rules of every attached table.
 */
static void
check_all_rules(void)
{
	TableChange nothing = {NULL};
	int			pin = session_pin(NULL, PIN_PATH);
	ListCell   *cell;

	foreach(cell, object_list())
	{
		check_rules(lfirst_oid(cell), &nothing);
		check_object_expressions(lfirst_oid(cell), &nothing);
		check_forecasts(lfirst_oid(cell), &nothing);
	}
	session_unpin(pin);
}

/*
 * territory_ddl_end: event trigger ddl_command_end.
 */
Datum
territory_ddl_end(PG_FUNCTION_ARGS)
{
	EventTriggerData *event = event_data(fcinfo, "ddl_end");
	TableChange change = read_change(event->parsetree);
	SessionRole role;
	ListCell   *cell;

	if (session_restoring(catalog_table("object")))
		PG_RETURN_NULL();
	SPI_connect();
	session_become(&role, catalog_owner());
	foreach(cell, attached_objects())
		follow(lfirst_oid(cell), &change);
	if (!is_table_command(event->parsetree))
		check_all_rules();
	session_restore_role(&role);
	SPI_finish();
	PG_RETURN_NULL();
}

/*
 * refuse_drop raises the error about a dropped table, which is attached itself
 * or holds the territories of one that is.
 */
static void
refuse_drop(const char *name, bool attached, const char *object)
{
	if (attached)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot drop table %s: it is attached", name),
				 errhint("SELECT territory.detach(%s) first.", quote_literal_cstr(name))));
	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 errmsg("cannot drop table %s: it holds the territories of %s", name, object),
			 errhint("SELECT territory.detach(%s) drops it.", quote_literal_cstr(object))));
}

/*
 * lost_partition tells whether a partition of an attached table was dropped: our
 * trigger went with it.
 */
static bool
lost_partition(void)
{
	session_execute("SELECT FROM pg_catalog.pg_event_trigger_dropped_objects() d"
					" WHERE d.object_type OPERATOR(pg_catalog.=) 'trigger'"
					"   AND d.address_names[3] OPERATOR(pg_catalog.=) '" TRUNCATE_TRIGGER "'",
					SPI_OK_SELECT, 0, NULL, NULL, NULL);
	return SPI_processed > 0;
}

/*
 * forget_orphans removes the pairs of records that went with a partition.
 */
static void
forget_orphans(void)
{
	int			cause = cause_push(CAUSE_DDL, "a partition was dropped");
	ListCell   *cell;

	foreach(cell, object_list())
	{
		ObjectInfo	info;

		if (get_rel_relkind(lfirst_oid(cell)) == RELKIND_PARTITIONED_TABLE &&
			object_load(lfirst_oid(cell), &info))
		{
			kin_lock_for_write(info.object);
			if (pairs_forget_orphans(&info) > 0)
				follow_all(info.object);
		}
	}
	cause_pop(cause);
}

/*
 * lost_other_object tells whether something else than tables was dropped, which
 * criteria may name.
 */
static bool
lost_other_object(void)
{
	session_execute("SELECT FROM pg_catalog.pg_event_trigger_dropped_objects() d"
					" WHERE d.object_type OPERATOR(pg_catalog.=)"
					" ANY (ARRAY['function', 'operator', 'type', 'domain', 'collation', 'cast', 'operator class', 'operator family'])"
					"   AND NOT d.is_temporary",
					SPI_OK_SELECT, 0, NULL, NULL, NULL);
	return SPI_processed > 0;
}

/*
 * territory_ddl_drop: event trigger sql_drop.
 */
Datum
territory_ddl_drop(PG_FUNCTION_ARGS)
{
	SessionRole role;

	(void) event_data(fcinfo, "ddl_drop");
	/* pg_restore --clean drops the tables before it drops the extension */
	if (session_restoring(catalog_table("object")))
		PG_RETURN_NULL();
	SPI_connect();
	session_become(&role, catalog_owner());
	session_execute("SELECT d.object_identity, o.object OPERATOR(pg_catalog.=) d.objid, o.object::pg_catalog.text"
					"  FROM pg_catalog.pg_event_trigger_dropped_objects() d"
					"  JOIN territory.object o ON d.objid OPERATOR(pg_catalog.=) o.object"
					"    OR d.objid OPERATOR(pg_catalog.=) o.assignment"
					"    OR d.objid OPERATOR(pg_catalog.=) o.past"
					" WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass"
					"   AND d.objsubid OPERATOR(pg_catalog.=) 0"
					" ORDER BY 2 DESC",
					SPI_OK_SELECT, 0, NULL, NULL, NULL);
	if (SPI_processed > 0)
		refuse_drop(SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1),
					strcmp(SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2), "t") == 0,
					SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3));
	if (lost_partition())
		forget_orphans();
	if (lost_other_object())
		check_all_rules();
	session_restore_role(&role);
	SPI_finish();
	PG_RETURN_NULL();
}
