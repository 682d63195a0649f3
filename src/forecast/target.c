/*
 * target.c
 *		territory.target and territory.adjustment: checks, splitting and summing.
 *
 * Targets outlive the nodes that they were set for. So that a node is there is
 * checked when a target is written, not when the node goes.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "base/catalog.h"
#include "base/session.h"
#include "base/triggers.h"
#include "compat.h"
#include "tree/node.h"
#include "type/territory.h"

PG_FUNCTION_INFO_V1(territory_target_check);
PG_FUNCTION_INFO_V1(territory_split_target);
PG_FUNCTION_INFO_V1(territory_sum_targets);

/* columns of territory.target and of territory.adjustment; an upgrade only appends */
#define Anum_target_node_id		2
#define Anum_target_period_id	3
#define Anum_target_member		4

/*
 * hold_period raises unless there is a period with this id, and keeps it.
 */
static void
hold_period(Datum id)
{
	static KeptStatement hold = {
		"SELECT FROM territory.period WHERE id OPERATOR(pg_catalog.=) $1 FOR KEY SHARE",
		SPI_OK_SELECT, 1, {INT4OID},
		.looks_up = true
	};

	session_execute_kept(&hold, &id, NULL);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("period_id names no period"),
				 errdetail("There is no period with id %d.", DatumGetInt32(id)),
				 errhint("territory.make_periods() makes periods.")));
}

/*
 * refuse_writer raises unless a person may set what a row says. The owner of our
 * tables may set anything.
 */
static void
refuse_writer(Datum node_id, Datum member, bool member_null, Oid writer)
{
	static KeptStatement ask = {
		"SELECT territory.may_set_target($1, $2, $3)",
		SPI_OK_SELECT, 3, {INT4OID, TEXTOID, TEXTOID}
	};
	char	   *name = GetUserNameFromId(writer, false);
	Datum		values[3] = {node_id, member, CStringGetTextDatum(name)};
	char		nulls[3] = {' ', member_null ? 'n' : ' ', ' '};
	bool		isnull;

	if (territory_owns_relation(catalog_table("target"), writer))
		return;
	session_execute_kept(&ask, values, nulls);
	if (!DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("\"%s\" may not set this target", name),
				 errdetail("Who is in a territory may, as its manager, set the targets of those below and of others in it, not his own.")));
}

/*
 * check_row checks one version of a row; fresh: it names a node and a period that
 * were not looked at yet.
 */
static void
check_row(HeapTuple tuple, TupleDesc desc, bool fresh, Oid writer)
{
	bool		isnull;
	bool		member_null;
	Datum		node_id = heap_getattr(tuple, Anum_target_node_id, desc, &isnull);
	Datum		period_id = heap_getattr(tuple, Anum_target_period_id, desc, &isnull);
	Datum		member = heap_getattr(tuple, Anum_target_member, desc, &member_null);

	if (fresh)
	{
		node_hold(DatumGetInt32(node_id));
		hold_period(period_id);
	}
	refuse_writer(node_id, member, member_null, writer);
}

/*
 * same_place tells whether two versions of a row are for the same node and period.
 */
static bool
same_place(HeapTuple old, HeapTuple new, TupleDesc desc)
{
	bool		isnull;

	return DatumGetInt32(heap_getattr(old, Anum_target_node_id, desc, &isnull)) ==
		DatumGetInt32(heap_getattr(new, Anum_target_node_id, desc, &isnull)) &&
		DatumGetInt32(heap_getattr(old, Anum_target_period_id, desc, &isnull)) ==
		DatumGetInt32(heap_getattr(new, Anum_target_period_id, desc, &isnull));
}

/*
 * territory_target_check: AFTER INSERT, UPDATE OR DELETE on territory.target and
 * territory.adjustment, each row.
 */
Datum
territory_target_check(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data(fcinfo, "target_check", TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW);
	Oid			relid = RelationGetRelid(trigger->tg_relation);
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	Oid			writer = GetUserId();
	SessionRole role;

	if (relid != catalog_table("target"))
		trigger = trigger_data_of(fcinfo, "target_check", TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW, "adjustment");
	if (session_restoring(relid))
		return PointerGetDatum(NULL);
	SPI_connect();
	session_become(&role, catalog_owner());
	check_row(trigger->tg_trigtuple, desc, TRIGGER_FIRED_BY_INSERT(trigger->tg_event), writer);
	if (update)
		check_row(trigger->tg_newtuple, desc, !same_place(trigger->tg_trigtuple, trigger->tg_newtuple, desc), writer);
	session_restore_role(&role);
	SPI_finish();
	return PointerGetDatum(NULL);
}

/* What split_target and sum_targets are about. */
typedef struct Subject
{
	char	   *path;
	Datum		node_id;
	char	   *period;
	Datum		period_id;
	Datum		metric;
} Subject;

/*
 * read_subject looks up node and period, as the caller.
 */
static void
read_subject(FunctionCallInfo fcinfo, Subject *subject, int metric, int model)
{
	Oid			types[3] = {TEXTOID, TEXTOID, TEXTOID};
	Datum		values[3];
	char		nulls[3] = {' ', ' ', PG_ARGISNULL(model) ? 'n' : ' '};
	bool		isnull;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(metric))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("node, period and metric must not be null")));
	subject->path = territory_to_cstring(PG_GETARG_TERRITORY_PP(0));
	subject->period = text_to_cstring(PG_GETARG_TEXT_PP(1));
	subject->metric = PG_GETARG_DATUM(metric);
	values[0] = CStringGetTextDatum(subject->path);
	values[1] = PG_GETARG_DATUM(1);
	values[2] = PG_ARGISNULL(model) ? (Datum) 0 : PG_GETARG_DATUM(model);
	if (SPI_execute_with_args("SELECT territory.node_id($1::territory.territory, $3),"
							  "  (SELECT id FROM territory.period WHERE name OPERATOR(pg_catalog.=) $2)",
							  3, types, values, nulls, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not look up a node");
	subject->node_id = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	subject->period_id = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull);
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no period \"%s\"", subject->period),
				 errhint("territory.make_periods() makes periods; territory.period lists them.")));
}

/*
 * The parts that $4 names, of node $1, period $2 and metric $3, by the weights $5;
 * each gets its share cut off at $6 digits, and what that leaves goes by the largest
 * remainders.
 */
static const char *const split_sql =
"WITH whole AS (SELECT t.amount FROM territory.target t WHERE t.node_id = $1 AND t.period_id = $2 AND t.metric = $3 AND t.member IS NULL),"
" part AS ("
"  SELECT n.id AS node_id, $2 AS period_id, NULL AS member, n.name AS label, 1 AS weight, n.id::bigint AS place"
"    FROM territory.node n WHERE $4 = 'children' AND n.parent_id = $1"
"  UNION ALL"
"  SELECT $1, $2, m.member, m.member, m.weight, m.id FROM territory.member m"
"   WHERE $4 = 'members' AND m.node_id = $1 AND coalesce(m.starts <= current_date, true) AND coalesce(m.ends > current_date, true)"
"  UNION ALL"
"  SELECT $1, p.id, NULL, p.name, 1, p.starts - date '2000-01-01' FROM territory.period p JOIN territory.period w ON w.id = $2"
"   WHERE $4 NOT IN ('children', 'members') AND p.kind = $4 AND p.starts >= w.starts AND p.ends <= w.ends AND p.id <> w.id),"
" weighed AS ("
"  SELECT p.*, CASE WHEN $5 IS NULL THEN p.weight ELSE coalesce(($5 ->> p.label)::numeric, 0) END AS share FROM part p),"
" exact AS ("
"  SELECT w.*, whole.amount * w.share / nullif(sum(w.share) OVER (), 0) AS amount, whole.amount AS total FROM weighed w, whole),"
" ranked AS ("
"  SELECT e.*, trunc(e.amount, $6) AS cut, e.total - sum(trunc(e.amount, $6)) OVER () AS rest,"
"         row_number() OVER (ORDER BY e.amount - trunc(e.amount, $6) DESC, e.place) AS number FROM exact e),"
" settled AS ("
"  SELECT r.*, trunc(r.rest * power(10::numeric, $6)) AS units FROM ranked r)"
" INSERT INTO territory.target AS t (node_id, period_id, member, metric, amount)"
" SELECT s.node_id, s.period_id, s.member, $3,"
"        round(s.cut + CASE WHEN s.number <= s.units THEN power(10::numeric, -$6) ELSE 0 END"
"                    + CASE WHEN s.number = 1 THEN s.rest - s.units * power(10::numeric, -$6) ELSE 0 END,"
"              greatest($6, scale(s.total)))"
"   FROM settled s WHERE s.amount IS NOT NULL"
" ON CONFLICT ON CONSTRAINT target_once DO UPDATE SET amount = EXCLUDED.amount";

/*
 * execute runs a statement of the caller's that writes targets; returns how many.
 */
static int32
execute(const char *sql, int count, Oid *types, Datum *values, const char *nulls)
{
	int			pin = session_pin(NULL, PIN_PATH);

	if (SPI_execute_with_args(sql, count, types, values, nulls, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not set targets");
	session_unpin(pin);
	return (int32) SPI_processed;
}

/*
 * territory_split_target(node, period, by, weights, metric, scale, model) -> number
 * of targets set.
 */
Datum
territory_split_target(PG_FUNCTION_ARGS)
{
	Oid			types[6] = {INT4OID, INT4OID, TEXTOID, TEXTOID, JSONBOID, INT4OID};
	char		nulls[6] = {' ', ' ', ' ', ' ', PG_ARGISNULL(3) ? 'n' : ' ', ' '};
	Datum		values[6];
	Subject		subject;
	int32		count;

	if (PG_ARGISNULL(2) || PG_ARGISNULL(5) || PG_GETARG_INT32(5) < 0 || PG_GETARG_INT32(5) > 100)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("by must not be null, and scale be between 0 and 100")));
	SPI_connect();
	read_subject(fcinfo, &subject, 4, 6);
	values[0] = subject.node_id;
	values[1] = subject.period_id;
	values[2] = subject.metric;
	values[3] = PG_GETARG_DATUM(2);
	values[4] = PG_ARGISNULL(3) ? (Datum) 0 : PG_GETARG_DATUM(3);
	values[5] = PG_GETARG_DATUM(5);
	count = execute(split_sql, lengthof(types), types, values, nulls);
	if (count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("there is nothing to split: territory \"%s\" has no target for \"%s\", or no %s with a weight",
						subject.path, subject.period, text_to_cstring(PG_GETARG_TEXT_PP(2)))));
	SPI_finish();
	PG_RETURN_INT32(count);
}

/*
 * What nodes below $1 have for period $2 and metric $3. A target that is made of no
 * others, and those of members, add to all nodes above them.
 */
static const char *const sum_sql =
"WITH top AS (SELECT model_id, path FROM territory.node WHERE id = $1),"
" below AS (SELECT n.id, n.path FROM territory.node n, top WHERE n.model_id = top.model_id AND n.path OPERATOR(territory.<@) top.path),"
" given AS (SELECT b.id, b.path, t.member, t.amount FROM territory.target t JOIN below b ON b.id = t.node_id WHERE t.period_id = $2 AND t.metric = $3),"
" part AS ("
"  SELECT g.* FROM given g WHERE g.member IS NOT NULL OR NOT EXISTS ("
"    SELECT FROM given o WHERE o.path OPERATOR(territory.<@) g.path AND (o.id <> g.id OR o.member IS NOT NULL))),"
" total AS ("
"  SELECT b.id, sum(p.amount) AS amount FROM below b JOIN part p"
"    ON p.path OPERATOR(territory.<@) b.path AND (p.id <> b.id OR p.member IS NOT NULL) GROUP BY b.id)"
" INSERT INTO territory.target AS t (node_id, period_id, member, metric, amount)"
" SELECT id, $2, NULL, $3, amount FROM total"
" ON CONFLICT ON CONSTRAINT target_once DO UPDATE SET amount = EXCLUDED.amount";

/*
 * territory_sum_targets(node, period, metric, model) -> number of targets set.
 */
Datum
territory_sum_targets(PG_FUNCTION_ARGS)
{
	Oid			types[3] = {INT4OID, INT4OID, TEXTOID};
	Datum		values[3];
	Subject		subject;
	int32		count;

	SPI_connect();
	read_subject(fcinfo, &subject, 2, 3);
	values[0] = subject.node_id;
	values[1] = subject.period_id;
	values[2] = subject.metric;
	count = execute(sum_sql, lengthof(types), types, values, NULL);
	SPI_finish();
	PG_RETURN_INT32(count);
}
