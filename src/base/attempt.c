/*
 * attempt.c
 *		Work that may fail without the statement failing.
 *
 * What explains criteria evaluates conditions that the engine would not come to,
 * since another one stands in front of them (n <> 0 AND 100 / n > 5). An error of
 * theirs is part of the answer. Only a subtransaction puts everything back.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/resowner.h"

#include "base/attempt.h"

/*
 * is_for_all tells whether an error is not about the work but about the backend.
 */
static bool
is_for_all(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_QUERY_CANCELED ||
		ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_INSUFFICIENT_RESOURCES ||
		ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_INTERNAL_ERROR;
}

/*
 * attempt does some work; false where it raised an error.
 */
bool
attempt(void (*work) (void *), void *arg, char **message)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		work(arg);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (error == NULL)
		return true;
	if (is_for_all(error))
		ReThrowError(error);
	if (message != NULL)
		*message = pstrdup(error->message ? error->message : "");
	FreeErrorData(error);
	return false;
}
