/*
 * slots.c
 *		The periods of the calendar, and the slots that their borders divide it
 *		into.
 *
 * Between two neighbouring dates on which periods begin or end, nothing begins or
 * ends: that is a slot. All deals of a slot are in the same periods, one of each kind
 * at most, and the dates are a sorted array, in which width_bucket() finds the slot of
 * a date.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"

#include "base/select.h"
#include "forecast/numbers.h"
#include "forecast/slots.h"

/*
 * load_boundaries reads the dates on which periods begin or end.
 */
static void
load_boundaries(Calendar *calendar)
{
	ArrayType  *boundaries;

	select_rows("SELECT ARRAY(SELECT starts FROM territory.period UNION SELECT ends FROM territory.period ORDER BY 1)",
				0, NULL, NULL, NULL);
	boundaries = DatumGetArrayTypePCopy(select_value(0, 1));
	calendar->boundaries = PointerGetDatum(boundaries);
	calendar->slot_count = Max(ArrayGetNItems(ARR_NDIM(boundaries), ARR_DIMS(boundaries)) - 1, 0);
	SPI_freetuptable(SPI_tuptable);
}

/*
 * read_period reads a row of the calendar as the period of this number.
 */
static void
read_period(Calendar *calendar, int number)
{
	CalendarPeriod *period = &calendar->periods[number];
	int			first_slot = DatumGetInt32(select_value(number, PERIOD_COLUMNS + 1));
	int			end_slot = DatumGetInt32(select_value(number, PERIOD_COLUMNS + 2));

	for (int c = 0; c < PERIOD_COLUMNS; c++)
	{
		Datum		value = select_value(number, c + 1);

		period->columns[c] = TupleDescAttr(SPI_tuptable->tupdesc, c)->attbyval ? value :
			PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
	}
	numbers_note(calendar->period_numbers, DatumGetInt32(period->columns[0]), number);
	for (int slot = first_slot; slot < end_slot; slot++)
		calendar->slot_periods[slot] = lappend_int(calendar->slot_periods[slot], number);
}

/*
 * slots_load reads the calendar.
 */
void
slots_load(Calendar *calendar)
{
	Oid			types[1] = {DATEARRAYOID};

	load_boundaries(calendar);
	select_rows("SELECT id, name, kind, starts, ends, pg_catalog.width_bucket(starts, $1), pg_catalog.width_bucket(ends, $1)"
				"  FROM territory.period ORDER BY starts, ends DESC, id", 1, types, &calendar->boundaries, NULL);
	calendar->period_count = (int) SPI_processed;
	calendar->periods = palloc((calendar->period_count + 1) * sizeof(CalendarPeriod));
	calendar->period_numbers = numbers_create(CurrentMemoryContext, calendar->period_count, NULL);
	calendar->slot_periods = palloc0((calendar->slot_count + 1) * sizeof(List *));
	for (int i = 0; i < calendar->period_count; i++)
		read_period(calendar, i);
	SPI_freetuptable(SPI_tuptable);
}

/*
 * slots_find_period returns the number of a period, or -1.
 */
int
slots_find_period(const Calendar *calendar, int32 id)
{
	return numbers_find(calendar->period_numbers, id);
}
