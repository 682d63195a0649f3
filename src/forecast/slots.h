/*
 * slots.h
 *		The periods of the calendar, and the slots that their borders divide it
 *		into.
 */
#ifndef TERRITORY_SLOTS_H
#define TERRITORY_SLOTS_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* columns of a period: id, name, kind, starts, ends */
#define PERIOD_COLUMNS	5

typedef struct CalendarPeriod
{
	Datum		columns[PERIOD_COLUMNS];
} CalendarPeriod;

/* The calendar. Periods are numbered from 0, slots from 1. */
typedef struct Calendar
{
	int			period_count;
	CalendarPeriod *periods;	/* in order of time */
	struct numbers_hash *period_numbers;	/* by id */
	int			slot_count;
	List	  **slot_periods;	/* by slot: the numbers of its periods */
	Datum		boundaries;		/* date[]: on which slots begin, and the last one ends */
} Calendar;

/* Reads the calendar. Needs an SPI connection; palloc'd in it. */
extern void slots_load(Calendar *calendar);

/* number of the period with an id; -1: there is none */
extern int	slots_find_period(const Calendar *calendar, int32 id);

#endif							/* TERRITORY_SLOTS_H */
