/*
 * io.c
 *		Input, output, binary exchange and casts, as SQL calls them.
 */
#include "postgres.h"

#include "type/matching.h"
#include "type/text_type.h"

PG_FUNCTION_INFO_V1(territory_sql_in);
PG_FUNCTION_INFO_V1(territory_sql_out);
PG_FUNCTION_INFO_V1(territory_sql_recv);
PG_FUNCTION_INFO_V1(territory_sql_send);
PG_FUNCTION_INFO_V1(territory_sql_from_text);
PG_FUNCTION_INFO_V1(territory_sql_to_text);
PG_FUNCTION_INFO_V1(territory_sql_pattern_in);
PG_FUNCTION_INFO_V1(territory_sql_pattern_out);
PG_FUNCTION_INFO_V1(territory_sql_pattern_recv);
PG_FUNCTION_INFO_V1(territory_sql_pattern_send);
PG_FUNCTION_INFO_V1(territory_sql_label_query_in);
PG_FUNCTION_INFO_V1(territory_sql_label_query_out);
PG_FUNCTION_INFO_V1(territory_sql_label_query_recv);
PG_FUNCTION_INFO_V1(territory_sql_label_query_send);

/*
 * territory_in(cstring)
 */
Datum
territory_sql_in(PG_FUNCTION_ARGS)
{
	return text_type_in(fcinfo, &territory_path_type);
}

/*
 * territory_out(territory)
 */
Datum
territory_sql_out(PG_FUNCTION_ARGS)
{
	return text_type_out(fcinfo, &territory_path_type);
}

/*
 * territory_recv(internal)
 */
Datum
territory_sql_recv(PG_FUNCTION_ARGS)
{
	return text_type_recv(fcinfo, &territory_path_type);
}

/*
 * territory_send(territory)
 */
Datum
territory_sql_send(PG_FUNCTION_ARGS)
{
	return text_type_send(fcinfo, &territory_path_type);
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

/*
 * pattern_in(cstring)
 */
Datum
territory_sql_pattern_in(PG_FUNCTION_ARGS)
{
	return text_type_in(fcinfo, &territory_pattern_type);
}

/*
 * pattern_out(pattern)
 */
Datum
territory_sql_pattern_out(PG_FUNCTION_ARGS)
{
	return text_type_out(fcinfo, &territory_pattern_type);
}

/*
 * pattern_recv(internal)
 */
Datum
territory_sql_pattern_recv(PG_FUNCTION_ARGS)
{
	return text_type_recv(fcinfo, &territory_pattern_type);
}

/*
 * pattern_send(pattern)
 */
Datum
territory_sql_pattern_send(PG_FUNCTION_ARGS)
{
	return text_type_send(fcinfo, &territory_pattern_type);
}

/*
 * label_query_in(cstring)
 */
Datum
territory_sql_label_query_in(PG_FUNCTION_ARGS)
{
	return text_type_in(fcinfo, &territory_label_query_type);
}

/*
 * label_query_out(label_query)
 */
Datum
territory_sql_label_query_out(PG_FUNCTION_ARGS)
{
	return text_type_out(fcinfo, &territory_label_query_type);
}

/*
 * label_query_recv(internal)
 */
Datum
territory_sql_label_query_recv(PG_FUNCTION_ARGS)
{
	return text_type_recv(fcinfo, &territory_label_query_type);
}

/*
 * label_query_send(label_query)
 */
Datum
territory_sql_label_query_send(PG_FUNCTION_ARGS)
{
	return text_type_send(fcinfo, &territory_label_query_type);
}
