/*
 * progress.c
 *		Says from time to time how far a long evaluation has come.
 *
 * A client sees notices while a statement runs; there is no other place to say
 * it to whom it concerns without shared memory, which an extension gets by
 * shared_preload_libraries only.
 */
#include "postgres.h"

#include <math.h>

#include "utils/guc.h"
#include "utils/timestamp.h"

#include "assign/progress.h"
#include "base/catalog.h"

/* setting territory.progress: seconds between two notices, 0: none */
static int	progress_seconds = 10;

/*
 * progress_init defines the setting.
 */
void
progress_init(void)
{
	DefineCustomIntVariable("territory.progress",
							"Seconds between notices about the progress of a run.",
							"0 turns them off.",
							&progress_seconds, 10, 0, 86400, PGC_USERSET, GUC_UNIT_S,
							NULL, NULL, NULL);
}

/*
 * progress_begin notes when work on an object began.
 */
void
progress_begin(Progress *progress, Oid object)
{
	progress->object = object;
	progress->calls = 0;
	progress->next = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), progress_seconds * INT64CONST(1000));
}

/*
 * progress_say says how far the work is, if it is time.
 */
void
progress_say(Progress *progress, const char *what, int64 done, double total,
			 const BatchCounts *counts)
{
	TimestampTz now;

	if (progress_seconds == 0)
		return;
	now = GetCurrentTimestamp();
	if (now < progress->next)
		return;
	progress->next = TimestampTzPlusMilliseconds(now, progress_seconds * INT64CONST(1000));
	ereport(NOTICE,
			(errmsg("%s: " INT64_FORMAT " of about %.0f %s, " INT64_FORMAT " pairs added, " INT64_FORMAT " removed",
					catalog_qualified_name(progress->object), done, Max(rint(total), (double) done), what,
					counts->added, counts->removed)));
}
