/*
 * text_type.c
 *		Text form and binary form of paths, patterns and label queries.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "path/query.h"
#include "type/text_type.h"
#include "utils/memutils.h"

#define TEXT_TYPE_BINARY_VERSION 1

/* longest text of a query, in bytes; compiled, it must fit into a chunk of memory */
#define TEXT_TYPE_MAX_QUERY (16 * 1024 * 1024)

StaticAssertDecl(TPATH_COMPILED_BOUND(TEXT_TYPE_MAX_QUERY) < MaxAllocSize - VARHDRSZ,
				 "a compiled query fits into memory");

/*
 * text_type_path_room: a path is no longer than its text.
 */
static Size
text_type_path_room(Size text_size)
{
	return text_size;
}

/*
 * text_type_query_room: a compiled query is longer.
 */
static Size
text_type_query_room(Size text_size)
{
	return TPATH_COMPILED_BOUND(text_size);
}

const TextType territory_path_type = { "territory",		MaxAllocSize - VARHDRSZ - 1,
									   text_type_path_room, tpath_parse,
									   tpath_text_size, tpath_print,
									   text_type_path_advice };

const TextType territory_pattern_type = { "pattern",			TEXT_TYPE_MAX_QUERY,
										  text_type_query_room, tpath_parse_pattern,
										  tpath_pattern_text_size, tpath_print_pattern,
										  text_type_query_advice };

const TextType territory_label_query_type = { "label_query",		 TEXT_TYPE_MAX_QUERY,
											  text_type_query_room, tpath_parse_query,
											  tpath_query_text_size, tpath_print_query,
											  text_type_query_advice };

/*
 * text_type_parse returns the value of a text.
 */
struct varlena *
text_type_parse(const TextType *type, const char *text, Size size, struct Node *escontext)
{
	struct varlena *result;
	TPathError error;
	Size payload_size;
	Size error_at;

	if (size > type->max_text)
		ereturn(escontext, NULL,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("%s is too long", type->name),
				 errdetail("The text has %zu bytes; the limit is %zu.", size, type->max_text)));
	result = palloc(VARHDRSZ + type->room(size));
	error = type->parse(text, size, territory_mblen, VARDATA(result), &payload_size, &error_at);
	if (error != TPATH_OK)
	{
		text_type_save_error(type, error, text, size, error_at, escontext);
		return NULL;
	}
	SET_VARSIZE(result, VARHDRSZ + payload_size);
	return result;
}

/*
 * text_type_print returns the text form of a value.
 */
char *
text_type_print(const TextType *type, const struct varlena *value)
{
	const char *payload = VARDATA_ANY(value);
	Size size = VARSIZE_ANY_EXHDR(value);
	Size text_size = type->text_size(payload, size);
	char *text = palloc(text_size + 1);

	text[type->print(payload, size, text, text_size)] = '\0';
	return text;
}

/*
 * text_type_in is the input function of a type; its errors are soft.
 */
Datum
text_type_in(FunctionCallInfo fcinfo, const TextType *type)
{
	const char *text = PG_GETARG_CSTRING(0);
	struct varlena *result = text_type_parse(type, text, strlen(text), fcinfo->context);

	if (result == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(result);
}

/*
 * text_type_out is the output function of a type.
 */
Datum
text_type_out(FunctionCallInfo fcinfo, const TextType *type)
{
	PG_RETURN_CSTRING(text_type_print(type, PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0))));
}

/*
 * text_type_recv reads the binary form, and accepts no more than the input
 * function does.
 */
Datum
text_type_recv(FunctionCallInfo fcinfo, const TextType *type)
{
	StringInfo buf = (StringInfo) PG_GETARG_POINTER(0);
	int version = pq_getmsgbyte(buf);
	char *text;
	int size;

	if (version != TEXT_TYPE_BINARY_VERSION)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("unsupported version %d of the binary form of type %s", version,
							   type->name),
						errdetail("This server knows version %d.", TEXT_TYPE_BINARY_VERSION)));
	text = pq_getmsgtext(buf, buf->len - buf->cursor, &size);
	PG_RETURN_POINTER(text_type_parse(type, text, size, NULL));
}

/*
 * text_type_send writes the binary form.
 */
Datum
text_type_send(FunctionCallInfo fcinfo, const TextType *type)
{
	char *text = text_type_print(type, PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0)));
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, TEXT_TYPE_BINARY_VERSION);
	pq_sendtext(&buf, text, strlen(text));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
