/*
 * query_io.c
 *		Input, output and binary exchange of patterns and label queries.
 *
 * As of the paths, the binary form is one byte, the version, and then the
 * text form.
 */
#include "postgres.h"

#include "compat.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "type/input_error.h"
#include "type/query.h"

#define TERRITORY_QUERY_BINARY_VERSION 1

/* longest text of a query, in bytes; compiled, it must fit into memory chunks */
#define TERRITORY_MAX_QUERY_TEXT (16 * 1024 * 1024)

PG_FUNCTION_INFO_V1(territory_sql_pattern_in);
PG_FUNCTION_INFO_V1(territory_sql_pattern_out);
PG_FUNCTION_INFO_V1(territory_sql_pattern_recv);
PG_FUNCTION_INFO_V1(territory_sql_pattern_send);
PG_FUNCTION_INFO_V1(territory_sql_label_query_in);
PG_FUNCTION_INFO_V1(territory_sql_label_query_out);
PG_FUNCTION_INFO_V1(territory_sql_label_query_recv);
PG_FUNCTION_INFO_V1(territory_sql_label_query_send);

/* what differs between the two types */
typedef struct TerritoryQueryLanguage
{
	const char *type;
	TPathError (*parse)(const char *text, size_t text_size, TPathCharSize char_size,
						char *compiled, size_t *size, size_t *error_at);
	size_t (*text_size)(const char *compiled, size_t size);
	size_t (*print)(const char *compiled, size_t size, char *text);
} TerritoryQueryLanguage;

static const TerritoryQueryLanguage territory_patterns = {
	"pattern", tpath_parse_pattern, tpath_pattern_text_size, tpath_print_pattern
};

static const TerritoryQueryLanguage territory_label_queries = {
	"label_query", tpath_parse_query, tpath_query_text_size, tpath_print_query
};

/*
 * territory_compile returns the value of a text. What is wrong with the text
 * is raised, or else saved in the error context and NULL returned.
 */
static struct varlena *
territory_compile(const TerritoryQueryLanguage *language, const char *text, Size text_size,
				  struct Node *escontext)
{
	struct varlena *result;
	TPathError error;
	Size size;
	Size error_at;

	if (text_size > TERRITORY_MAX_QUERY_TEXT)
		ereturn(escontext, NULL,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("%s is too long", language->type),
				 errdetail("A %s has at most %d bytes.", language->type, TERRITORY_MAX_QUERY_TEXT)));
	result = palloc(VARHDRSZ + TPATH_COMPILED_BOUND(text_size));
	error =
		language->parse(text, text_size, territory_mblen, VARDATA(result), &size, &error_at);
	if (error != TPATH_OK)
	{
		territory_save_input_error(language->type, error, text, text_size, error_at, escontext);
		return NULL;
	}
	SET_VARSIZE(result, VARHDRSZ + size);
	return result;
}

/*
 * territory_decompile returns the text form, palloc'd.
 */
static char *
territory_decompile(const TerritoryQueryLanguage *language, const struct varlena *value)
{
	const char *compiled = VARDATA_ANY(value);
	Size size = VARSIZE_ANY_EXHDR(value);
	char *text = palloc(language->text_size(compiled, size) + 1);

	text[language->print(compiled, size, text)] = '\0';
	return text;
}

/*
 * territory_query_in is the input function of a language; its errors are soft.
 */
static Datum
territory_query_in(FunctionCallInfo fcinfo, const TerritoryQueryLanguage *language)
{
	const char *text = PG_GETARG_CSTRING(0);
	struct varlena *result = territory_compile(language, text, strlen(text), fcinfo->context);

	if (result == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(result);
}

/*
 * territory_query_out is the output function of a language.
 */
static Datum
territory_query_out(FunctionCallInfo fcinfo, const TerritoryQueryLanguage *language)
{
	PG_RETURN_CSTRING(territory_decompile(language, PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0))));
}

/*
 * territory_query_recv reads the binary form, and accepts no more than the
 * input function does.
 */
static Datum
territory_query_recv(FunctionCallInfo fcinfo, const TerritoryQueryLanguage *language)
{
	StringInfo buf = (StringInfo) PG_GETARG_POINTER(0);
	int version = pq_getmsgbyte(buf);
	char *text;
	int size;

	if (version != TERRITORY_QUERY_BINARY_VERSION)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("unsupported version %d of the binary form of type %s", version,
							   language->type),
						errdetail("This server knows version %d.", TERRITORY_QUERY_BINARY_VERSION)));
	text = pq_getmsgtext(buf, buf->len - buf->cursor, &size);
	PG_RETURN_POINTER(territory_compile(language, text, size, NULL));
}

/*
 * territory_query_send writes the binary form.
 */
static Datum
territory_query_send(FunctionCallInfo fcinfo, const TerritoryQueryLanguage *language)
{
	char *text = territory_decompile(language, PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0)));
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, TERRITORY_QUERY_BINARY_VERSION);
	pq_sendtext(&buf, text, strlen(text));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/*
 * pattern_in(cstring)
 */
Datum
territory_sql_pattern_in(PG_FUNCTION_ARGS)
{
	return territory_query_in(fcinfo, &territory_patterns);
}

/*
 * pattern_out(pattern)
 */
Datum
territory_sql_pattern_out(PG_FUNCTION_ARGS)
{
	return territory_query_out(fcinfo, &territory_patterns);
}

/*
 * pattern_recv(internal)
 */
Datum
territory_sql_pattern_recv(PG_FUNCTION_ARGS)
{
	return territory_query_recv(fcinfo, &territory_patterns);
}

/*
 * pattern_send(pattern)
 */
Datum
territory_sql_pattern_send(PG_FUNCTION_ARGS)
{
	return territory_query_send(fcinfo, &territory_patterns);
}

/*
 * label_query_in(cstring)
 */
Datum
territory_sql_label_query_in(PG_FUNCTION_ARGS)
{
	return territory_query_in(fcinfo, &territory_label_queries);
}

/*
 * label_query_out(label_query)
 */
Datum
territory_sql_label_query_out(PG_FUNCTION_ARGS)
{
	return territory_query_out(fcinfo, &territory_label_queries);
}

/*
 * label_query_recv(internal)
 */
Datum
territory_sql_label_query_recv(PG_FUNCTION_ARGS)
{
	return territory_query_recv(fcinfo, &territory_label_queries);
}

/*
 * label_query_send(label_query)
 */
Datum
territory_sql_label_query_send(PG_FUNCTION_ARGS)
{
	return territory_query_send(fcinfo, &territory_label_queries);
}
