/*
 * progress.h
 *		Says from time to time how far a long evaluation has come.
 */
#ifndef TERRITORY_PROGRESS_H
#define TERRITORY_PROGRESS_H

#include "postgres.h"

#include "datatype/timestamp.h"

#include "assign/batch.h"

typedef struct Progress
{
	Oid			object;
	TimestampTz next;			/* when to say something */
	uint32		calls;
} Progress;

/* defines the setting territory.progress; called once, from _PG_init */
extern void progress_init(void);

extern void progress_begin(Progress *progress, Oid object);

/* done of about total rows; what says what is done with what kind of rows */
extern void progress_say(Progress *progress, const char *what, int64 done, double total,
						 const BatchCounts *counts);

/* rows between two looks at the clock, less 1 */
#define PROGRESS_ROWS 15

/*
 * progress_row is called for every row.
 */
static inline void
progress_row(Progress *progress, const char *what, int64 done, double total,
			 const BatchCounts *counts)
{
	if ((++progress->calls & PROGRESS_ROWS) == 0)
		progress_say(progress, what, done, total, counts);
}

#endif							/* TERRITORY_PROGRESS_H */
