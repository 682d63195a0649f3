/*
 * calendar.c
 *		territory.period: the calendar that targets and forecasts are kept by.
 *
 * Periods of one kind follow each other without gaps and overlaps, and months lie
 * within quarters, and these within years; after each statement that is looked at as
 * a whole, by one writer at a time. make_periods() adds those that cover a span:
 * of calendar months, or of weeks in a pattern such as 4-4-5, whose year begins on
 * the given weekday nearest to the first of the month, so that it has 52 weeks or 53.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/catalog.h"
#include "base/select.h"
#include "base/session.h"
#include "base/triggers.h"
#include "compat.h"

PG_FUNCTION_INFO_V1(territory_period_lock);
PG_FUNCTION_INFO_V1(territory_period_check);
PG_FUNCTION_INFO_V1(territory_make_periods);

/* weeks of a quarter */
#define QUARTER_WEEKS 13

/*
 * lock_calendar waits until no other transaction is changing the calendar.
 */
static void
lock_calendar(void)
{
	LockDatabaseObject(catalog_table("period"), InvalidOid, 0, ShareRowExclusiveLock);
}

/*
 * require_right raises unless the caller may add periods: before anybody has to wait
 * for him.
 */
static void
require_right(void)
{
	Oid			table = catalog_table("period");
	AclResult	right = pg_class_aclcheck(table, GetUserId(), ACL_INSERT);

	if (right != ACLCHECK_OK)
		aclcheck_error(right, OBJECT_TABLE, get_rel_name(table));
}

/*
 * territory_period_lock: BEFORE INSERT, UPDATE OR DELETE on territory.period, each
 * statement. One writer at a time.
 */
Datum
territory_period_lock(PG_FUNCTION_ARGS)
{
	(void) trigger_data_of(fcinfo, "period_lock",
						   TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_STATEMENT, "period");
	lock_calendar();
	return PointerGetDatum(NULL);
}

/*
 * refuse_breaks raises where two periods of a kind do not follow each other.
 */
static void
refuse_breaks(void)
{
	session_execute("SELECT p.name, p.next_name, p.kind, p.ends::pg_catalog.text, p.next_starts::pg_catalog.text,"
					"       p.next_starts OPERATOR(pg_catalog.<) p.ends"
					"  FROM (SELECT name, kind, ends, pg_catalog.lead(name) OVER w AS next_name,"
					"               pg_catalog.lead(starts) OVER w AS next_starts"
					"          FROM territory.period WINDOW w AS (PARTITION BY kind ORDER BY starts, ends)) AS p"
					" WHERE p.next_starts OPERATOR(pg_catalog.<>) p.ends ORDER BY p.kind, p.ends LIMIT 1",
					SPI_OK_SELECT, 0, NULL, NULL, NULL);
	if (SPI_processed > 0)
	{
		HeapTuple	row = SPI_tuptable->vals[0];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		overlap = strcmp(SPI_getvalue(row, desc, 6), "t") == 0;

		ereport(ERROR,
				(errcode(ERRCODE_EXCLUSION_VIOLATION),
				 overlap ?
				 errmsg("periods \"%s\" and \"%s\" overlap", SPI_getvalue(row, desc, 1), SPI_getvalue(row, desc, 2)) :
				 errmsg("there is a gap between periods \"%s\" and \"%s\"", SPI_getvalue(row, desc, 1), SPI_getvalue(row, desc, 2)),
				 errdetail("The former ends before %s, the latter starts on %s; periods of kind '%s' must follow each other.",
						   SPI_getvalue(row, desc, 4), SPI_getvalue(row, desc, 5), SPI_getvalue(row, desc, 3)),
				 errhint("territory.make_periods() adds all that cover a span. A calendar of another shape needs a kind of its own.")));
	}
}

/*
 * refuse_crossing raises where a period crosses the border of a longer one.
 */
static void
refuse_crossing(void)
{
	session_execute("SELECT s.name, s.kind, l.name, l.kind FROM territory.period s JOIN territory.period l"
					"  ON (s.kind OPERATOR(pg_catalog.=) 'month' AND l.kind OPERATOR(pg_catalog.=) ANY (ARRAY['quarter', 'year'])"
					"      OR s.kind OPERATOR(pg_catalog.=) 'quarter' AND l.kind OPERATOR(pg_catalog.=) 'year')"
					" AND s.starts OPERATOR(pg_catalog.<) l.ends AND s.ends OPERATOR(pg_catalog.>) l.starts"
					" AND (s.starts OPERATOR(pg_catalog.<) l.starts OR s.ends OPERATOR(pg_catalog.>) l.ends)"
					" ORDER BY s.starts LIMIT 1",
					SPI_OK_SELECT, 0, NULL, NULL, NULL);
	if (SPI_processed > 0)
	{
		HeapTuple	row = SPI_tuptable->vals[0];
		TupleDesc	desc = SPI_tuptable->tupdesc;

		ereport(ERROR,
				(errcode(ERRCODE_EXCLUSION_VIOLATION),
				 errmsg("%s \"%s\" lies only partly within %s \"%s\"", SPI_getvalue(row, desc, 2),
						SPI_getvalue(row, desc, 1), SPI_getvalue(row, desc, 4), SPI_getvalue(row, desc, 3)),
				 errhint("Months, quarters and years must have the same borders. A calendar of another shape needs kinds of its own.")));
	}
}

/*
 * refuse_loss raises where a period is gone for which there is a target or else.
 */
static void
refuse_loss(void)
{
	session_execute("SELECT t.what, t.period_id FROM ("
					"  SELECT 'target' AS what, period_id FROM territory.target UNION ALL"
					"  SELECT 'adjustment', period_id FROM territory.adjustment) AS t"
					" WHERE NOT EXISTS (SELECT FROM territory.period p WHERE p.id OPERATOR(pg_catalog.=) t.period_id) LIMIT 1",
					SPI_OK_SELECT, 0, NULL, NULL, NULL);
	if (SPI_processed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("cannot delete a period for which there is a %s",
						SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1)),
				 errdetail("The period's id is %s.", SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2))));
}

/*
 * territory_period_check: AFTER INSERT, UPDATE OR DELETE on territory.period, each
 * statement.
 */
Datum
territory_period_check(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_data_of(fcinfo, "period_check",
										   TRIGGER_EVENT_AFTER, TRIGGER_EVENT_STATEMENT, "period");
	SessionRole role;

	if (session_restoring(RelationGetRelid(trigger->tg_relation)))
		return PointerGetDatum(NULL);
	SPI_connect();
	session_become(&role, catalog_owner());
	refuse_breaks();
	refuse_crossing();
	if (!TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		refuse_loss();
	session_restore_role(&role);
	SPI_finish();
	return PointerGetDatum(NULL);
}

/*
 * The years around a span ($2, $3) whose first month is $4, or (of weeks: $6 is not
 * NULL) that begin on weekday $7 next to the first of it; their parts of kind $1; of
 * these, those that cover the span. $5: a year is named by its end.
 */
static const char *const make_periods_sql =
"WITH base AS ("
"  SELECT y, make_date(y, $4, 1) AS first_day FROM generate_series(extract(year FROM $2)::int - 2, extract(year FROM $3)::int + 2) AS y),"
" year AS ("
"  SELECT y + CASE WHEN $5 AND $4 > 1 THEN 1 ELSE 0 END AS label,"
"         CASE WHEN $6 IS NULL THEN first_day"
"              ELSE first_day + 3 - (extract(isodow FROM first_day)::int - $7 + 10) % 7 END AS starts"
"    FROM base),"
" part AS ("
"  SELECT label, starts, 1 AS number FROM year WHERE $1 = 'year'"
"  UNION ALL"
"  SELECT label, CASE WHEN $6 IS NULL THEN (starts + q * interval '3 months')::date ELSE starts + q * 91 END, q + 1"
"    FROM year, generate_series(0, 3) AS q WHERE $1 = 'quarter'"
"  UNION ALL"
"  SELECT label, CASE WHEN $6 IS NULL THEN (starts + m * interval '1 month')::date"
"                     ELSE starts + m / 3 * 91 + 7 * coalesce((SELECT sum(w)::int FROM unnest($6[1:m % 3]) AS w), 0) END, m + 1"
"    FROM year, generate_series(0, 11) AS m WHERE $1 = 'month'),"
" span AS (SELECT *, lead(starts) OVER (ORDER BY starts) AS ends FROM part),"
" wanted AS ("
"  SELECT starts, ends,"
"         CASE WHEN $1 = 'year' THEN to_char(label, 'FM0000')"
"              WHEN $1 = 'quarter' THEN to_char(label, 'FM0000') || '-Q' || number"
"              WHEN $6 IS NULL THEN to_char(starts, 'YYYY-MM')"
"              ELSE to_char(label, 'FM0000') || '-P' || to_char(number, 'FM00') END AS name"
"    FROM span WHERE starts <= $3 AND ends > $2),"
" fresh AS ("
"  INSERT INTO territory.period (name, kind, starts, ends)"
"  SELECT name, $1, starts, ends FROM wanted w"
"   WHERE NOT EXISTS (SELECT FROM territory.period p WHERE p.kind = $1 AND p.name = w.name AND p.starts = w.starts AND p.ends = w.ends)"
"   ORDER BY starts RETURNING id, name, kind, starts, ends)"
" SELECT * FROM (SELECT * FROM fresh UNION ALL"
"  SELECT p.id, p.name, p.kind, p.starts, p.ends FROM territory.period p JOIN wanted w"
"    ON p.kind = $1 AND p.name = w.name AND p.starts = w.starts AND p.ends = w.ends) AS a ORDER BY starts";

/*
 * refuse_argument raises the error about an argument.
 */
static void
refuse_argument(const char *message, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s", message),
			 errhint("%s", hint)));
}

/*
 * read_weeks reads a pattern of three months of a quarter, such as 4-4-5, as an
 * array.
 */
static Datum
read_weeks(const char *pattern)
{
	int			weeks[3];
	char		end;
	Datum		elements[3];

	if (sscanf(pattern, "%d-%d-%d%c", &weeks[0], &weeks[1], &weeks[2], &end) != 3 ||
		weeks[0] < 1 || weeks[1] < 1 || weeks[2] < 1 || weeks[0] > QUARTER_WEEKS || weeks[1] > QUARTER_WEEKS ||
		weeks[0] + weeks[1] + weeks[2] != QUARTER_WEEKS)
		refuse_argument("weeks must be three numbers that add up to 13",
						"Write for example '4-4-5': the weeks of the three months of a quarter.");
	for (int i = 0; i < 3; i++)
		elements[i] = Int32GetDatum(weeks[i]);
	return PointerGetDatum(construct_array(elements, 3, INT4OID, 4, true, TYPALIGN_INT));
}

/*
 * check_arguments raises where an argument of make_periods makes no sense.
 */
static void
check_arguments(FunctionCallInfo fcinfo, const char *kind, const char *named_by)
{
	DateADT		first = PG_GETARG_DATEADT(1);
	DateADT		last = PG_GETARG_DATEADT(2);
	int			month = PG_GETARG_INT32(3);
	int			weekday = PG_GETARG_INT32(6);

	if (strcmp(kind, "month") != 0 && strcmp(kind, "quarter") != 0 && strcmp(kind, "year") != 0)
		refuse_argument("kind must be 'month', 'quarter' or 'year'", "Insert periods of other kinds into territory.period.");
	if (DATE_NOT_FINITE(first) || DATE_NOT_FINITE(last) || first > last)
		refuse_argument("the first date must not be after the last one", "Both must be finite; both are covered.");
	if (date2j(9000, 1, 1) - POSTGRES_EPOCH_JDATE < last || date2j(1000, 1, 1) - POSTGRES_EPOCH_JDATE > first)
		refuse_argument("the years must be between 1000 and 8999", "Periods are named by years of four digits.");
	if (month < 1 || month > 12)
		refuse_argument("fiscal_start_month must be between 1 and 12", "1 is January.");
	if (strcmp(named_by, "start") != 0 && strcmp(named_by, "end") != 0)
		refuse_argument("named_by must be 'start' or 'end'", "A year is named by the calendar year that it starts in, or that it ends in.");
	if (weekday < 1 || weekday > 7)
		refuse_argument("week_start must be between 1 and 7", "1 is Monday.");
}

/*
 * territory_make_periods(kind, first, last, fiscal_start_month, named_by, weeks,
 * week_start) -> the periods that cover first to last. Writes as its caller.
 */
Datum
territory_make_periods(PG_FUNCTION_ARGS)
{
	Oid			types[7] = {TEXTOID, DATEOID, DATEOID, INT4OID, BOOLOID, INT4ARRAYOID, INT4OID};
	Datum		values[7];
	char		nulls[7] = {' ', ' ', ' ', ' ', ' ', PG_ARGISNULL(5) ? 'n' : ' ', ' '};
	char	   *named_by;
	int			pin;

	for (int i = 0; i < 7; i++)
	{
		if (i != 5 && PG_ARGISNULL(i))
			refuse_argument("no argument but weeks may be null", "Leave arguments out to have their defaults.");
		values[i] = PG_GETARG_DATUM(i);
	}
	named_by = text_to_cstring(PG_GETARG_TEXT_PP(4));
	check_arguments(fcinfo, text_to_cstring(PG_GETARG_TEXT_PP(0)), named_by);
	values[4] = BoolGetDatum(strcmp(named_by, "end") == 0);
	if (!PG_ARGISNULL(5))
		values[5] = read_weeks(text_to_cstring(PG_GETARG_TEXT_PP(5)));
	InitMaterializedSRF(fcinfo, 0);
	require_right();
	lock_calendar();			/* what others have made by then is seen */
	SPI_connect();
	pin = session_pin(NULL, PIN_PATH);
	select_send(make_periods_sql, lengthof(types), types, values, nulls, false, select_result(fcinfo));
	session_unpin(pin);
	SPI_finish();
	return (Datum) 0;
}
