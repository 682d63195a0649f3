/*
 * cause.c
 *		Why pairs change at this moment: what the engine is at.
 *
 * A stack, because a user's trigger on an assignment table may write records
 * while a changed rule re-assigns others. Errors leave brackets open; these
 * are closed with the (sub)transaction that opened them.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"

#include "history/cause.h"

typedef struct CauseEntry
{
	Cause		cause;
	char	   *detail;			/* in TopTransactionContext, or NULL */
	int			level;			/* transaction nest level */
} CauseEntry;

static CauseEntry *stack = NULL;
static int	depth = 0;
static int	room = 0;

/* as they stand in territory.change */
static const char *const names[] = {
	[CAUSE_OTHER] = "other",
	[CAUSE_INSERTED] = "record inserted",
	[CAUSE_UPDATED] = "record updated",
	[CAUSE_DELETED] = "record deleted",
	[CAUSE_WRITTEN] = "record inserted or updated",
	[CAUSE_TRUNCATED] = "table truncated",
	[CAUSE_RULE] = "rule changed",
	[CAUSE_NODE] = "node changed",
	[CAUSE_MODEL] = "model changed",
	[CAUSE_MODE] = "mode changed",
	[CAUSE_EXCLUSION] = "exclusion changed",
	[CAUSE_DDL] = "table altered",
	[CAUSE_RUN] = "run",
	[CAUSE_ASSIGNED] = "assigned by hand",
	[CAUSE_UNASSIGNED] = "unassigned by hand",
	[CAUSE_PARENT] = "record above changed",
	[CAUSE_MEMBER] = "member changed"
};

/*
 * cause_push opens a bracket.
 */
int
cause_push(Cause cause, const char *detail)
{
	if (depth == room)
	{
		int			more = Max(8, room * 2);

		stack = stack ? repalloc(stack, more * sizeof(CauseEntry)) :
			MemoryContextAlloc(TopMemoryContext, more * sizeof(CauseEntry));
		room = more;
	}
	stack[depth] = (CauseEntry)
	{
		cause, detail ? MemoryContextStrdup(TopTransactionContext, detail) : NULL,
			GetCurrentTransactionNestLevel()
	};
	return depth++;
}

/*
 * cause_pop closes a bracket, and those in it that an error left open.
 */
void
cause_pop(int outer)
{
	depth = outer;
}

/*
 * cause_is tells whether the innermost cause is this one.
 */
bool
cause_is(Cause cause)
{
	return cause == (depth > 0 ? stack[depth - 1].cause : CAUSE_OTHER);
}

/*
 * cause_name returns the name of the innermost cause.
 */
const char *
cause_name(void)
{
	return names[depth > 0 ? stack[depth - 1].cause : CAUSE_OTHER];
}

/*
 * cause_detail returns what more is known of it, or NULL.
 */
const char *
cause_detail(void)
{
	return depth > 0 ? stack[depth - 1].detail : NULL;
}

/*
 * forget_level closes the brackets of an aborted subtransaction.
 */
static void
forget_level(SubXactEvent event, SubTransactionId sub, SubTransactionId parent, void *arg)
{
	if (event != SUBXACT_EVENT_ABORT_SUB)
		return;
	while (depth > 0 && stack[depth - 1].level >= GetCurrentTransactionNestLevel())
		depth--;
}

/*
 * forget_all closes all brackets when a transaction has ended.
 */
static void
forget_all(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		depth = 0;
}

/*
 * cause_init registers for the end of transactions.
 */
void
cause_init(void)
{
	RegisterXactCallback(forget_all, NULL);
	RegisterSubXactCallback(forget_level, NULL);
}
