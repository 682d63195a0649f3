/*
 * wire.c
 *		The binary form of territory.rollup: its send and receive functions.
 *
 * A version byte and a 32-bit number of entries, in tree order; each entry is
 * the path's text and the sum's own binary form, both after their 32-bit
 * lengths, and the 64-bit count, in the order path, count, sum. Nothing is
 * accepted that the send function would not have written: each value has one
 * binary form.
 */
#include "postgres.h"

#include "forecast/rollup.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "type/territory.h"
#include "utils/builtins.h"

#define WIRE_VERSION	1

PG_FUNCTION_INFO_V1(rollup_send);
PG_FUNCTION_INFO_V1(rollup_recv);

/*
 * send_numeric returns the binary form of a numeric.
 */
static bytea *
send_numeric(Numeric value)
{
	return DatumGetByteaPP(DirectFunctionCall1(numeric_send, NumericGetDatum(value)));
}

/*
 * send_item adds one entry to the message.
 */
static void
send_item(StringInfo message, const RollupItem *item)
{
	Territory  *path = territory_from_payload(item->path, item->path_size);
	char	   *path_text = territory_to_cstring(path);
	bytea	   *sum = send_numeric(item->sum);

	territory_sendcountedtext(message, path_text, strlen(path_text));
	pq_sendint64(message, item->count);
	pq_sendint32(message, VARSIZE_ANY_EXHDR(sum));
	pq_sendbytes(message, VARDATA_ANY(sum), VARSIZE_ANY_EXHDR(sum));
	pfree(sum);
	pfree(path_text);
	pfree(path);
}

/*
 * rollup_send is the send function: the binary form of a value.
 */
Datum
rollup_send(PG_FUNCTION_ARGS)
{
	const Rollup *rollup = PG_GETARG_ROLLUP_P(0);
	RollupCursor cursor = rollup_first(rollup);
	RollupItem	item;
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendbyte(&message, WIRE_VERSION);
	pq_sendint32(&message, rollup->nentries);
	while (rollup_next(&cursor, &item))
	{
		CHECK_FOR_INTERRUPTS();
		send_item(&message, &item);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

/*
 * bad_message reports what is wrong with a message.
 */
static void
bad_message(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid binary form of type %s", "territory.rollup"),
			 errdetail("%s", detail)));
}

/*
 * receive_length reads a length and checks that so many bytes follow.
 */
static int
receive_length(StringInfo message)
{
	int32		length = (int32) pq_getmsgint(message, sizeof(int32));

	if (length < 0 || length > message->len - message->cursor)
		bad_message("A length goes beyond the end of the message.");
	return length;
}

/*
 * receive_path reads a path, which must be written as the type writes it.
 */
static Territory *
receive_path(StringInfo message)
{
	int			length = receive_length(message);
	int			text_length;
	char	   *text = pq_getmsgtext(message, length, &text_length);
	Territory  *path = territory_from_cstring(text, NULL);
	char	   *canonical = territory_to_cstring(path);

	if (strcmp(text, canonical) != 0)
		bad_message("A path is not in its canonical form.");
	pfree(canonical);
	pfree(text);
	return path;
}

/*
 * receive_sum reads a sum, which must be written as the type numeric does.
 */
static Numeric
receive_sum(StringInfo message)
{
	int			length = receive_length(message);
	const char *bytes = pq_getmsgbytes(message, length);
	StringInfoData part;
	Numeric		sum;
	bytea	   *canonical;

	initStringInfo(&part);
	appendBinaryStringInfo(&part, bytes, length);
	sum = DatumGetNumeric(DirectFunctionCall3(numeric_recv, PointerGetDatum(&part),
											  ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	canonical = send_numeric(sum);
	if (VARSIZE_ANY_EXHDR(canonical) != length ||
		memcmp(VARDATA_ANY(canonical), bytes, length) != 0)
		bad_message("A sum is not in its canonical form.");
	pfree(canonical);
	pfree(part.data);
	return sum;
}

/*
 * receive_entry reads one entry into the rollup and returns its path, which
 * must come after the previous one, if any.
 */
static Territory *
receive_entry(StringInfo message, ExpandedRollup *rollup, const Territory *previous)
{
	Territory  *path = receive_path(message);
	RollupItem	item;

	if (previous != NULL && territory_compare(previous, path) >= 0)
		bad_message("The paths are not in tree order.");

	item.path = TERRITORY_DATA(path);
	item.path_size = TERRITORY_SIZE(path);
	item.count = pq_getmsgint64(message);
	item.sum = receive_sum(message);
	if (rollup_item_is_empty(&item))
		bad_message("An entry has neither a count nor a sum.");

	expanded_rollup_insert(rollup, &item);
	pfree(item.sum);
	return path;
}

/*
 * rollup_recv is the receive function: the value of a binary form. What it
 * allocates grows with the entries that it finds, not with what they claim.
 */
Datum
rollup_recv(PG_FUNCTION_ARGS)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	ExpandedRollup *rollup = expanded_rollup_create(CurrentMemoryContext);
	Territory  *previous = NULL;
	uint32		nentries;

	if (pq_getmsgbyte(message) != WIRE_VERSION)
		bad_message("The version is unknown.");

	nentries = pq_getmsgint(message, sizeof(uint32));
	for (uint32 i = 0; i < nentries; i++)
	{
		Territory  *path;

		CHECK_FOR_INTERRUPTS();
		path = receive_entry(message, rollup, previous);
		if (previous != NULL)
			pfree(previous);
		previous = path;
	}
	PG_RETURN_POINTER(expanded_rollup_flatten(rollup));
}
