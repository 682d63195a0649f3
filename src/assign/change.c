/*
 * change.c
 *		Changes of rules, nodes, models, objects and exclusions re-assign the
 *		affected records in the same transaction.
 *
 * Affected are the records that satisfy a rule whose truth counts differently
 * now: the old and new criteria of a changed rule, and, where a node begins or
 * ceases to gate its subtree or moves, the criteria of all rules in the subtree.
 * No other record can gain or lose a node by the change. Those criteria make
 * the condition of one query; a statement that changes many rules is one
 * evaluation.
 *
 * The statement triggers work on transition tables; the lock of each object is
 * taken before anything is read (base/lock.c).
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "assign/advice.h"
#include "assign/change.h"
#include "assign/deal_change.h"
#include "assign/run.h"
#include "base/attempt.h"
#include "base/catalog.h"
#include "base/inval.h"
#include "base/session.h"
#include "base/triggers.h"
#include "check/check.h"
#include "history/cause.h"
#include "pair/exclusion.h"
#include "parent/kin.h"
#include "rule/criteria.h"
#include "rule/object.h"
#include "tree/node.h"

PG_FUNCTION_INFO_V1(territory_reassign_rules);
PG_FUNCTION_INFO_V1(territory_reassign_nodes);
PG_FUNCTION_INFO_V1(territory_reassign_models);
PG_FUNCTION_INFO_V1(territory_reassign_objects);
PG_FUNCTION_INFO_V1(territory_reassign_exclusions);
PG_FUNCTION_INFO_V1(territory_exclusion_check);
PG_FUNCTION_INFO_V1(territory_exclusion_changed);
PG_FUNCTION_INFO_V1(territory_node_guard_assignments);

/* more criteria than this are not worth a condition: the whole table is read */
#define CONDITION_CRITERIA 200

/* setting territory.defer_runs: leave re-assignment to a later run */
static bool defer_runs = false;

/*
 * change_init defines the setting.
 */
void
change_init(void)
{
	DefineCustomBoolVariable("territory.defer_runs",
							 "Changes of rules, nodes and exclusions do not re-assign records.",
							 "A later territory.run() does; until then assignments are as they were.",
							 &defer_runs, false, PGC_USERSET, 0, NULL, NULL, NULL);
}

/*
 * True while the engine itself writes exclusions: it has looked at what they
 * name, holds the records, and evaluates them afterwards.
 */
static bool by_hand = false;

/*
 * change_exclusions runs a statement on territory.exclusion for a caller who does
 * what its triggers would do.
 */
void
change_exclusions(KeptStatement *statement, Datum *values, const char *nulls)
{
	by_hand = true;
	PG_TRY();
	{
		session_execute_kept(statement, values, nulls);
	}
	PG_FINALLY();
	{
		by_hand = false;
	}
	PG_END_TRY();
}

/*
 * change_deferred tells whether re-assignment is left to a later run.
 */
bool
change_deferred(void)
{
	return defer_runs;
}

/*
 * change_is_silent tells whether a change of this table has no consequences now.
 */
bool
change_is_silent(const TriggerData *trigger)
{
	return defer_runs || session_restoring(RelationGetRelid(trigger->tg_relation));
}

/*
 * describe_rows tells which rows a statement changed, by its transition tables:
 * "rule 7" or "3 rules"; NULL where there are no such tables.
 */
static char *
describe_rows(const TriggerData *trigger)
{
	const Trigger *made = trigger->tg_trigger;
	const char *name = RelationGetRelationName(trigger->tg_relation);
	StringInfoData sql;

	if (made->tgoldtable == NULL && made->tgnewtable == NULL)
		return NULL;
	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT CASE pg_catalog.count(*) WHEN 1 THEN pg_catalog.concat('%s ', pg_catalog.min(id))"
					 " ELSE pg_catalog.concat(pg_catalog.count(*), ' %ss') END FROM (", name, name);
	if (made->tgoldtable)
		appendStringInfo(&sql, "SELECT id FROM %s", quote_identifier(made->tgoldtable));
	if (made->tgoldtable && made->tgnewtable)
		appendStringInfoString(&sql, " UNION ");
	if (made->tgnewtable)
		appendStringInfo(&sql, "SELECT id FROM %s", quote_identifier(made->tgnewtable));
	appendStringInfoString(&sql, ") AS changed");
	session_execute(sql.data, SPI_OK_SELECT, 0, NULL, NULL, NULL);
	return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
}

/*
 * change_begin and change_end bracket a trigger's work: as the owner of our tables, under an
 * empty search_path, with the transition tables in reach.
 */
void
change_begin(TriggerData *trigger, ChangeScope *scope)
{
	SPI_connect();
	session_become(&scope->role, catalog_owner());
	scope->pin = session_pin(NULL, PIN_PATH);
	if (SPI_register_trigger_data(trigger) != SPI_OK_TD_REGISTER)
		elog(ERROR, "could not register transition tables");
	scope->cause = -1;
}

/*
 * name_change says in an error's context what was changed.
 */
static void
name_change(void *arg)
{
	errcontext("evaluation of records after a change of %s", (const char *) arg);
}

/*
 * change_begin_for is change_begin, with the cause that the history of pairs gets.
 */
void
change_begin_for(TriggerData *trigger, ChangeScope *scope, Cause cause)
{
	const char *rows;

	change_begin(trigger, scope);
	rows = cause == CAUSE_MODE ? NULL : describe_rows(trigger);
	scope->cause = cause_push(cause, rows);
	scope->context.callback = name_change;
	scope->context.arg = (void *) (rows ? rows : RelationGetRelationName(trigger->tg_relation));
	scope->context.previous = error_context_stack;
	error_context_stack = &scope->context;
}

void
change_end(const ChangeScope *scope)
{
	if (scope->cause >= 0)
	{
		cause_pop(scope->cause);
		error_context_stack = scope->context.previous;
	}
	session_unpin(scope->pin);
	session_restore_role(&scope->role);
	SPI_finish();
}

/*
 * oid_column returns the OIDs in the first column of the last query's result.
 */
static List *
oid_column(void)
{
	List	   *oids = NIL;

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;

		oids = lappend_oid(oids, DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i],
																SPI_tuptable->tupdesc, 1, &isnull)));
	}
	return oids;
}

/*
 * is_attached tells whether a table is still attached: one that is being
 * detached takes its rules and exclusions along.
 */
static bool
is_attached(Oid object)
{
	ObjectInfo	info;

	return object_load(object, &info);
}

/* What read_criteria works on. */
typedef struct CriteriaText
{
	Relation	rel;
	const char *expression;
} CriteriaText;

static void
read_criteria(void *arg)
{
	const CriteriaText *text = arg;

	(void) criteria_parse(text->rel, text->expression);
}

/*
 * is_readable tells whether criteria still parse. Those of a rule that DDL has
 * broken do not, and it must be possible to delete or mend the rule.
 */
static bool
is_readable(Relation rel, const char *expression)
{
	CriteriaText text = {rel, expression};

	return attempt(read_criteria, &text, NULL);
}

/*
 * join_criteria makes one condition of several criteria; NULL where reading the
 * whole table is better, or the only way.
 */
static char *
join_criteria(Oid object, SPITupleTable *criteria, uint64 count)
{
	Relation	rel;
	StringInfoData condition;
	bool		readable = true;

	if (count > CONDITION_CRITERIA)
		return NULL;
	rel = table_open(object, AccessShareLock);
	initStringInfo(&condition);
	for (uint64 i = 0; i < count && readable; i++)
	{
		char	   *expression = SPI_getvalue(criteria->vals[i], criteria->tupdesc, 1);

		readable = is_readable(rel, expression);
		appendStringInfo(&condition, "%s(%s)", i == 0 ? "" : " OR ", expression);
	}
	table_close(rel, NoLock);
	return readable ? condition.data : NULL;
}

/*
 * run_criteria re-evaluates the records that satisfy one of the criteria in
 * the first column of the last query's result.
 */
static void
run_criteria(Oid object)
{
	if (SPI_processed > 0)
		(void) run_at_least(object, join_criteria(object, SPI_tuptable, SPI_processed));
}

/*
 * rows_of names the transition table, or an empty table where the event has
 * none.
 */
static const char *
rows_of(const TriggerData *trigger, bool new)
{
	if (new)
		return trigger->tg_newtable ? quote_identifier(trigger->tg_trigger->tgnewtable) :
			"(SELECT * FROM territory.rule WHERE false)";
	return trigger->tg_oldtable ? quote_identifier(trigger->tg_trigger->tgoldtable) :
		"(SELECT * FROM territory.rule WHERE false)";
}

/*
 * changed_rules is the common table expression "changed": the versions of rules
 * that count in one of the two states only.
 */
static char *
changed_rules(const TriggerData *trigger)
{
	return psprintf("WITH before_rule AS (SELECT * FROM %s AS o WHERE active),"
					" after_rule AS (SELECT * FROM %s AS n WHERE active),"
					" changed AS ("
					"  SELECT object, node_id, expression, -1 AS side FROM before_rule b"
					"   WHERE NOT EXISTS (SELECT FROM after_rule a"
					"     WHERE a.id OPERATOR(pg_catalog.=) b.id AND a.object OPERATOR(pg_catalog.=) b.object"
					"       AND a.node_id OPERATOR(pg_catalog.=) b.node_id"
					"       AND a.expression OPERATOR(pg_catalog.=) b.expression)"
					"  UNION ALL"
					"  SELECT object, node_id, expression, 1 FROM after_rule a"
					"   WHERE NOT EXISTS (SELECT FROM before_rule b"
					"     WHERE a.id OPERATOR(pg_catalog.=) b.id AND a.object OPERATOR(pg_catalog.=) b.object"
					"       AND a.node_id OPERATOR(pg_catalog.=) b.node_id"
					"       AND a.expression OPERATOR(pg_catalog.=) b.expression))",
					rows_of(trigger, false), rows_of(trigger, true));
}

/*
 * affected_by_rules is the query for the criteria that select the records of
 * object $1 which a change of rules can affect. Rules that went with their node do not,
 * for it held nothing, but among deals ($3): it may have been one of several that tied.
 */
static char *
affected_by_rules(const TriggerData *trigger)
{
	return psprintf("%s, counts AS ("
					"  SELECT c.node_id, c.change, r.now FROM"
					"   (SELECT node_id, sum(side) AS change FROM changed"
					"     WHERE object OPERATOR(pg_catalog.=) $1 GROUP BY node_id) c"
					"   CROSS JOIN LATERAL"
					"   (SELECT count(*) AS now FROM territory.rule r"
					"     WHERE r.node_id OPERATOR(pg_catalog.=) c.node_id"
					"       AND r.object OPERATOR(pg_catalog.=) $1 AND r.active) r),"
					" flipped AS (SELECT node_id FROM counts"
					"  WHERE (now OPERATOR(pg_catalog.=) 0) OPERATOR(pg_catalog.<>)"
					"        (now OPERATOR(pg_catalog.-) change OPERATOR(pg_catalog.=) 0))"
					" SELECT c.expression FROM changed c"
					"   LEFT JOIN territory.node n ON n.id OPERATOR(pg_catalog.=) c.node_id"
					"  WHERE c.object OPERATOR(pg_catalog.=) $1"
					"    AND CASE WHEN n.id IS NULL THEN $3 ELSE n.model_id OPERATOR(pg_catalog.=) $2 END"
					" UNION"
					" SELECT r.expression FROM flipped f"
					"   JOIN territory.node n ON n.id OPERATOR(pg_catalog.=) f.node_id AND n.cascade"
					"    AND n.model_id OPERATOR(pg_catalog.=) $2"
					"   JOIN territory.node d ON d.model_id OPERATOR(pg_catalog.=) n.model_id"
					"    AND d.path OPERATOR(territory.<@) n.path"
					"   JOIN territory.rule r ON r.node_id OPERATOR(pg_catalog.=) d.id"
					"    AND r.object OPERATOR(pg_catalog.=) $1 AND r.active",
					changed_rules(trigger));
}

/*
 * advise tells the writer of an object's rules which of them have to be tried for
 * every record.
 */
static void
advise(const TriggerData *trigger, Oid object)
{
	Oid			types[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(object)};

	if (trigger->tg_newtable == NULL)
		return;
	session_execute(psprintf("SELECT id FROM %s AS n WHERE active AND object OPERATOR(pg_catalog.=) $1 ORDER BY id",
							 rows_of(trigger, true)), SPI_OK_SELECT, 1, types, values, NULL);
	if (SPI_processed > 0)
		advice_on_rules(object, SPI_tuptable, SPI_processed);
}

/*
 * territory_reassign_rules: AFTER INSERT, UPDATE or DELETE on territory.rule,
 * each statement.
 */
Datum
territory_reassign_rules(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data_of(fcinfo, "reassign_rules",
										TRIGGER_EVENT_AFTER, TRIGGER_EVENT_STATEMENT, "rule");
	Oid			types[3] = {OIDOID, INT4OID, BOOLOID};
	ChangeScope scope;
	List	   *objects;
	ListCell   *cell;
	int32		model;

	if (change_is_silent(trigger))
		return PointerGetDatum(NULL);
	change_begin_for(trigger, &scope, CAUSE_RULE);
	session_execute(psprintf("%s SELECT DISTINCT object::pg_catalog.oid FROM changed ORDER BY 1",
							 changed_rules(trigger)), SPI_OK_SELECT, 0, NULL, NULL, NULL);
	objects = oid_column();
	kin_lock_list_for_change(objects);
	model = model_active();
	foreach(cell, objects)
	{
		Datum		values[3] = {ObjectIdGetDatum(lfirst_oid(cell)), Int32GetDatum(model), (Datum) 0};
		ObjectInfo	info;

		if (!object_load(lfirst_oid(cell), &info))
			continue;
		values[2] = BoolGetDatum(info.kind == KIND_DEAL);
		session_execute(affected_by_rules(trigger), SPI_OK_SELECT, 3, types, values, NULL);
		/* rules of other models affect nothing; compiling the active ones for them would be for nothing */
		if (SPI_processed == 0)
			continue;
		run_criteria(lfirst_oid(cell));
		advise(trigger, lfirst_oid(cell));
	}
	change_end(&scope);
	return PointerGetDatum(NULL);
}

/*
 * reassign_outranked re-evaluates the deals whose parents stand in a node that got
 * another priority.
 */
static void
reassign_outranked(const ObjectInfo *deal)
{
	bool		isnull;
	Datum		ids;

	session_execute("SELECT pg_catalog.array_agg(n.id)"
					"  FROM old_node o JOIN new_node n ON n.id OPERATOR(pg_catalog.=) o.id"
					" WHERE o.priority OPERATOR(pg_catalog.<>) n.priority",
					SPI_OK_SELECT, 0, NULL, NULL, NULL);
	ids = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (!isnull)
		deal_reassign_below(deal, ids);
}

/*
 * change_reassign_below re-evaluates the records that satisfy a rule of a
 * subtree. Rules of a model that is not active concern none.
 */
void
change_reassign_below(List *objects, int32 node_id)
{
	static const char *query =
		"SELECT DISTINCT r.expression"
		"  FROM territory.node n"
		"  JOIN territory.node d ON d.model_id OPERATOR(pg_catalog.=) n.model_id AND d.path OPERATOR(territory.<@) n.path"
		"  JOIN territory.rule r ON r.node_id OPERATOR(pg_catalog.=) d.id"
		"   AND r.object OPERATOR(pg_catalog.=) $1 AND r.active"
		" WHERE n.id OPERATOR(pg_catalog.=) $2 AND n.model_id OPERATOR(pg_catalog.=) $3";
	Oid			types[3] = {OIDOID, INT4OID, INT4OID};
	SessionRole role;
	ListCell   *cell;
	int			pin;

	session_become(&role, catalog_owner());
	pin = session_pin(NULL, PIN_PATH);
	foreach(cell, objects)
	{
		Datum		values[3] = {ObjectIdGetDatum(lfirst_oid(cell)), Int32GetDatum(node_id), Int32GetDatum(model_active())};

		if (!is_attached(lfirst_oid(cell)))
			continue;
		session_execute(query, SPI_OK_SELECT, 3, types, values, NULL);
		run_criteria(lfirst_oid(cell));
	}
	session_unpin(pin);
	session_restore_role(&role);
}

/*
 * territory_reassign_nodes: AFTER UPDATE on territory.node, each statement. A
 * move or a new cascade flag affects the subtree; a rename or a priority only
 * where the order of nodes decides (mode first).
 */
Datum
territory_reassign_nodes(PG_FUNCTION_ARGS)
{
	static const char *query =
		"SELECT DISTINCT r.expression"
		"  FROM old_node o JOIN new_node n ON n.id OPERATOR(pg_catalog.=) o.id"
		"  JOIN territory.node c ON c.id OPERATOR(pg_catalog.=) n.id"
		"   AND c.model_id OPERATOR(pg_catalog.=) $2"
		"  JOIN territory.node d ON d.model_id OPERATOR(pg_catalog.=) c.model_id"
		"   AND d.path OPERATOR(territory.<@) c.path"
		"  JOIN territory.rule r ON r.node_id OPERATOR(pg_catalog.=) d.id"
		"   AND r.object OPERATOR(pg_catalog.=) $1 AND r.active"
		" WHERE o.parent_id IS DISTINCT FROM n.parent_id"
		"    OR o.cascade OPERATOR(pg_catalog.<>) n.cascade"
		"    OR ($3 AND (o.path OPERATOR(territory.<>) n.path"
		"                OR o.priority OPERATOR(pg_catalog.<>) n.priority))";
	TriggerData *trigger = trigger_data_of(fcinfo, "reassign_nodes",
										TRIGGER_EVENT_AFTER, TRIGGER_EVENT_STATEMENT, "node");
	Oid			types[3] = {OIDOID, INT4OID, BOOLOID};
	ChangeScope scope;
	List	   *objects;
	ListCell   *cell;

	if (node_moving() || session_restoring(RelationGetRelid(trigger->tg_relation)))
		return PointerGetDatum(NULL);
	change_begin_for(trigger, &scope, CAUSE_NODE);
	objects = kin_lock_all_for_change();
	/* re-assigning can be left to a later run, but pairs that stand have moved already */
	foreach(cell, defer_runs ? NIL : objects)
	{
		Oid			object = lfirst_oid(cell);
		ObjectInfo	info;
		Datum		values[3] = {ObjectIdGetDatum(object), Int32GetDatum(model_active()), (Datum) 0};

		if (!object_load(object, &info))
			continue;
		values[2] = BoolGetDatum(info.mode == MODE_FIRST || info.kind == KIND_DEAL);
		session_execute(query, SPI_OK_SELECT, 3, types, values, NULL);
		run_criteria(object);
		if (info.kind == KIND_DEAL)
			reassign_outranked(&info);
	}
	check_subtrees(objects);
	change_end(&scope);
	return PointerGetDatum(NULL);
}

/*
 * territory_reassign_models: AFTER UPDATE on territory.model, each statement.
 * Another model may be active, or its settings others: all is evaluated.
 */
Datum
territory_reassign_models(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data_of(fcinfo, "reassign_models",
										TRIGGER_EVENT_AFTER, TRIGGER_EVENT_STATEMENT, "model");
	ChangeScope scope;
	ListCell   *cell;

	if (change_is_silent(trigger))
		return PointerGetDatum(NULL);
	change_begin_for(trigger, &scope, CAUSE_MODEL);
	foreach(cell, kin_lock_all_for_change())
	{
		if (!is_attached(lfirst_oid(cell)))
			continue;
		(void) run_where(lfirst_oid(cell), NULL);
		/* pairs that stand by hand count no longer, or again, without having changed */
		check_everything(lfirst_oid(cell));
	}
	change_end(&scope);
	return PointerGetDatum(NULL);
}

/*
 * territory_reassign_objects: AFTER UPDATE on territory.object, each statement.
 */
Datum
territory_reassign_objects(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data_of(fcinfo, "reassign_objects",
										TRIGGER_EVENT_AFTER, TRIGGER_EVENT_STATEMENT, "object");
	ChangeScope scope;
	List	   *objects;
	ListCell   *cell;

	if (change_is_silent(trigger))
		return PointerGetDatum(NULL);
	change_begin_for(trigger, &scope, CAUSE_MODE);
	session_execute("SELECT n.object::pg_catalog.oid"
					"  FROM old_object o JOIN new_object n ON n.object OPERATOR(pg_catalog.=) o.object"
					" WHERE (o.mode, o.kind, o.closed, o.family_mode) IS DISTINCT FROM (n.mode, n.kind, n.closed, n.family_mode)"
					" ORDER BY 1",
					SPI_OK_SELECT, 0, NULL, NULL, NULL);
	objects = oid_column();
	kin_lock_list_for_change(objects);
	foreach(cell, objects)
		(void) run_where(lfirst_oid(cell), NULL);
	change_end(&scope);
	return PointerGetDatum(NULL);
}

/*
 * run_column re-evaluates the records whose keys, as text, stand in the first
 * column of the last query's result.
 */
static void
run_column(Oid object)
{
	ObjectInfo	info;
	SPITupleTable *table = SPI_tuptable;
	uint64		count = SPI_processed;
	List	   *keys = NIL;

	object_require(object, &info);
	for (uint64 i = 0; i < count; i++)
		keys = lappend(keys, SPI_getvalue(table->vals[i], table->tupdesc, 1));
	run_keys(&info, keys);
}

/*
 * territory_reassign_exclusions: AFTER INSERT, UPDATE or DELETE on
 * territory.exclusion, each statement.
 */
Datum
territory_reassign_exclusions(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data_of(fcinfo, "reassign_exclusions",
										TRIGGER_EVENT_AFTER, TRIGGER_EVENT_STATEMENT, "exclusion");
	Oid			types[1] = {OIDOID};
	StringInfoData rows;
	ChangeScope scope;
	List	   *objects;
	ListCell   *cell;

	if (by_hand || change_is_silent(trigger))
		return PointerGetDatum(NULL);
	change_begin_for(trigger, &scope, CAUSE_EXCLUSION);
	initStringInfo(&rows);
	appendStringInfoString(&rows, "(");
	if (trigger->tg_oldtable)
		appendStringInfo(&rows, "SELECT object, key FROM %s", quote_identifier(trigger->tg_trigger->tgoldtable));
	if (trigger->tg_oldtable && trigger->tg_newtable)
		appendStringInfoString(&rows, " UNION ");
	if (trigger->tg_newtable)
		appendStringInfo(&rows, "SELECT object, key FROM %s", quote_identifier(trigger->tg_trigger->tgnewtable));
	appendStringInfoString(&rows, ")");

	session_execute(psprintf("SELECT DISTINCT c.object::pg_catalog.oid FROM %s AS c ORDER BY 1",
							 rows.data), SPI_OK_SELECT, 0, NULL, NULL, NULL);
	objects = oid_column();
	kin_lock_list_for_change(objects);
	foreach(cell, objects)
	{
		Datum		values[1] = {ObjectIdGetDatum(lfirst_oid(cell))};

		if (!is_attached(lfirst_oid(cell)))
			continue;
		session_execute(psprintf("SELECT DISTINCT key FROM %s AS c WHERE object OPERATOR(pg_catalog.=) $1",
								 rows.data), SPI_OK_SELECT, 1, types, values, NULL);
		run_column(lfirst_oid(cell));
	}
	change_end(&scope);
	return PointerGetDatum(NULL);
}

/*
 * territory_exclusion_changed: AFTER INSERT, UPDATE or DELETE on
 * territory.exclusion, each row. Whether an object has exclusions is to be
 * looked up again, by every backend.
 */
Datum
territory_exclusion_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data_of(fcinfo, "exclusion_changed",
										TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW, "exclusion");

	inval_send(RelationGetRelid(trigger->tg_relation));
	return PointerGetDatum(NULL);
}

/*
 * canonical_key reads a key as the key's type does, and returns its text form.
 */
static char *
canonical_key(Oid type, const char *key)
{
	Oid			input;
	Oid			parameter;
	Oid			output;
	bool		varlena;

	getTypeInputInfo(type, &input, &parameter);
	getTypeOutputInfo(type, &output, &varlena);
	return OidOutputFunctionCall(output, OidInputFunctionCall(input, (char *) key, parameter, -1));
}

/*
 * is_same_exclusion tells whether an update left record and node alone.
 */
static bool
is_same_exclusion(HeapTuple old, HeapTuple new, TupleDesc desc)
{
	for (int column = Anum_exclusion_object; column <= Anum_exclusion_node_id; column++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, column - 1);
		bool		old_null;
		bool		new_null;
		Datum		old_value = heap_getattr(old, column, desc, &old_null);
		Datum		new_value = heap_getattr(new, column, desc, &new_null);

		if (old_null != new_null ||
			(!old_null && !datum_image_eq(old_value, new_value, attribute->attbyval, attribute->attlen)))
			return false;
	}
	return true;
}

/*
 * stamp_exclusion completes an exclusion that was written: its key in the type's
 * own form, and who excluded the record when, which an update keeps unless it
 * names another record or node.
 */
static HeapTuple
stamp_exclusion(const TriggerData *trigger, HeapTuple tuple, Datum key)
{
	int			columns[] = {Anum_exclusion_key, Anum_exclusion_created_by, Anum_exclusion_created_at};
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	bool		nulls[lengthof(columns)] = {false};
	Datum		values[lengthof(columns)] = {key,
		CStringGetTextDatum(GetUserNameFromId(GetOuterUserId(), false)),
	TimestampTzGetDatum(GetCurrentTransactionStartTimestamp())};

	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) && is_same_exclusion(trigger->tg_trigtuple, tuple, desc))
	{
		for (int i = 1; i < lengthof(columns); i++)
			values[i] = heap_getattr(trigger->tg_trigtuple, columns[i], desc, &nulls[i]);
	}
	return heap_modify_tuple_by_cols(tuple, desc, lengthof(columns), columns, values, nulls);
}

/*
 * territory_exclusion_check: BEFORE INSERT OR UPDATE on territory.exclusion,
 * each row. The table must be attached, the key be one of its type.
 */
Datum
territory_exclusion_check(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data_of(fcinfo, "exclusion_check",
										TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_ROW, "exclusion");
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	HeapTuple	tuple = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ?
		trigger->tg_newtuple : trigger->tg_trigtuple;
	bool		object_null;
	bool		key_null;
	bool		node_null;
	Datum		node = heap_getattr(tuple, Anum_exclusion_node_id, desc, &node_null);
	Datum		object = heap_getattr(tuple, Anum_exclusion_object, desc, &object_null);
	Datum		key = heap_getattr(tuple, Anum_exclusion_key, desc, &key_null);
	ObjectInfo	info;
	ChangeScope scope;

	/* a NULL fails its constraint */
	if (session_restoring(RelationGetRelid(trigger->tg_relation)) || object_null || key_null)
		return PointerGetDatum(tuple);
	if (by_hand)
		return PointerGetDatum(stamp_exclusion(trigger, tuple, key));
	change_begin(trigger, &scope);
	object_hold(DatumGetObjectId(object));
	object_require(DatumGetObjectId(object), &info);
	if (!node_null)
		node_hold(DatumGetInt32(node));
	change_end(&scope);
	key = CStringGetTextDatum(canonical_key(info.key_type, TextDatumGetCString(key)));
	return PointerGetDatum(stamp_exclusion(trigger, tuple, key));
}

/*
 * territory_node_guard_assignments: AFTER DELETE on territory.node, each row. A
 * node that records still hold stays.
 */
Datum
territory_node_guard_assignments(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data_of(fcinfo, "node_guard_assignments",
										TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW, "node");
	ChangeScope scope;
	NodeRow		node;
	ListCell   *cell;

	change_begin(trigger, &scope);
	node_read(trigger->tg_trigtuple, RelationGetDescr(trigger->tg_relation), &node);
	foreach(cell, kin_lock_all_for_change())
	{
		Oid			types[1] = {INT4OID};
		Datum		values[1] = {Int32GetDatum(node.id)};
		ObjectInfo	info;
		char	   *count;

		if (!object_load(lfirst_oid(cell), &info))
			continue;
		session_execute(psprintf("SELECT count(*) FROM %s WHERE node_id OPERATOR(pg_catalog.=) $1",
								 catalog_qualified_name(info.assignment)),
						SPI_OK_SELECT, 1, types, values, NULL);
		count = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
		if (strcmp(count, "0") != 0)
			ereport(ERROR,
					(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
					 errmsg("cannot delete territory \"%s\": it holds records of %s",
							territory_to_cstring(node.path), catalog_qualified_name(info.object)),
					 errdetail("Number of records: %s.", count),
					 errhint("SELECT * FROM territory.drop_node(%s, transfer_to => 'another territory'%s) moves on what it has; without transfer_to it deletes the subtree with its rules, unless records stand there by hand or as closed deals.",
							 quote_literal_cstr(territory_to_cstring(node.path)), model_argument(node.model_id))));
	}
	change_end(&scope);
	return PointerGetDatum(NULL);
}
