/*
 * io.c
 *		Input, output, binary exchange and casts of the type.
 *
 * The binary form is one byte, the version, and then the text form.
 */
#include "postgres.h"

#include "compat.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "type/territory.h"
#include "path/path.h"

#define TERRITORY_BINARY_VERSION 1

PG_FUNCTION_INFO_V1(territory_sql_in);
PG_FUNCTION_INFO_V1(territory_sql_out);
PG_FUNCTION_INFO_V1(territory_sql_recv);
PG_FUNCTION_INFO_V1(territory_sql_send);
PG_FUNCTION_INFO_V1(territory_sql_from_text);
PG_FUNCTION_INFO_V1(territory_sql_to_text);

/*
 * territory_in(cstring) reads the text form; its errors are soft.
 */
Datum
territory_sql_in(PG_FUNCTION_ARGS)
{
	Territory *result = territory_from_cstring(PG_GETARG_CSTRING(0), fcinfo->context);

	if (result == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TERRITORY_P(result);
}

/*
 * territory_out(territory) writes the text form.
 */
Datum
territory_sql_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(territory_to_cstring(PG_GETARG_TERRITORY_PP(0)));
}

/*
 * territory_recv(internal) reads the binary form, and accepts no more than
 * territory_in does.
 */
Datum
territory_sql_recv(PG_FUNCTION_ARGS)
{
	StringInfo buf = (StringInfo) PG_GETARG_POINTER(0);
	int version = pq_getmsgbyte(buf);
	char *text;
	int size;

	if (version != TERRITORY_BINARY_VERSION)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("unsupported version %d of the binary form of type %s", version,
							   "territory"),
						errdetail("This server knows version %d.", TERRITORY_BINARY_VERSION)));
	text = pq_getmsgtext(buf, buf->len - buf->cursor, &size);
	PG_RETURN_TERRITORY_P(territory_parse(text, size, NULL));
}

/*
 * territory_send(territory) writes the binary form.
 */
Datum
territory_sql_send(PG_FUNCTION_ARGS)
{
	char *text = territory_to_cstring(PG_GETARG_TERRITORY_PP(0));
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, TERRITORY_BINARY_VERSION);
	pq_sendtext(&buf, text, strlen(text));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/*
 * territory_from_text(text) reads the text form without a copy of it.
 */
Datum
territory_sql_from_text(PG_FUNCTION_ARGS)
{
	text *source = PG_GETARG_TEXT_PP(0);

	PG_RETURN_TERRITORY_P(territory_parse(VARDATA_ANY(source), VARSIZE_ANY_EXHDR(source), NULL));
}

/*
 * territory_to_text(territory) writes the text form into a text.
 */
Datum
territory_sql_to_text(PG_FUNCTION_ARGS)
{
	Territory *t = PG_GETARG_TERRITORY_PP(0);
	Size text_size = tpath_text_size(TERRITORY_DATA(t), TERRITORY_SIZE(t));
	text *result = palloc(VARHDRSZ + text_size);

	SET_VARSIZE(result, VARHDRSZ + text_size);
	tpath_print(TERRITORY_DATA(t), TERRITORY_SIZE(t), VARDATA(result), text_size);
	PG_RETURN_TEXT_P(result);
}
