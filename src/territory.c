/*
 * territory.c
 *		Module magic and start-up: one call per module that needs one.
 */
#include "postgres.h"

#include "fmgr.h"

#include "access/administer.h"
#include "access/identity.h"
#include "assign/change.h"
#include "assign/frame.h"
#include "assign/progress.h"
#include "history/cause.h"
#include "history/moment.h"
#include "pair/history.h"
#include "rule/shape.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

/*
 * _PG_init runs once a backend, when the library is loaded.
 */
void
_PG_init(void)
{
	administer_init();
	cause_init();
	change_init();
	frame_init();
	history_init();
	identity_init();
	moment_init();
	progress_init();
	shape_init();
}
