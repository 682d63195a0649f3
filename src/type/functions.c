/*
 * functions.c
 *		The functions on paths that return a number, a label or a path.
 *
 * Functions that ltree has too mean the same here.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "path/path.h"
#include "type/territory.h"
#include "type/value.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(territory_sql_nlevel);
PG_FUNCTION_INFO_V1(territory_sql_subltree);
PG_FUNCTION_INFO_V1(territory_sql_subpath);
PG_FUNCTION_INFO_V1(territory_sql_subpath_to_end);
PG_FUNCTION_INFO_V1(territory_sql_index);
PG_FUNCTION_INFO_V1(territory_sql_index_from);
PG_FUNCTION_INFO_V1(territory_sql_parent);
PG_FUNCTION_INFO_V1(territory_sql_label);
PG_FUNCTION_INFO_V1(territory_sql_level);
PG_FUNCTION_INFO_V1(territory_sql_child);
PG_FUNCTION_INFO_V1(territory_sql_subtree_end);

/*
 * nlevel(territory) is the number of labels.
 */
Datum
territory_sql_nlevel(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(territory_nlevel(PG_GETARG_TERRITORY_PP(0)));
}

/*
 * territory_cut returns the labels from "first" up to but not including
 * "end", counted from 0, as a path. It raises an error if there is no label
 * "first" or "end" comes before it; an "end" beyond the last label is fine.
 */
static Territory *
territory_cut(const Territory *t, int64 first, int64 end)
{
	int levels = territory_nlevel(t);
	const char *slice;
	Size size;

	if (first < 0 || first >= levels || end < first)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid positions"),
						errdetail("Labels from " INT64_FORMAT " to before " INT64_FORMAT
								  " were asked for, of a path with %d labels.",
								  first, end, levels)));
	slice = tpath_slice(TERRITORY_DATA(t), TERRITORY_SIZE(t), first, Min(end, levels), &size);
	return territory_from_payload(slice, size);
}

/*
 * subltree(territory, start, end) returns the labels from start to end - 1,
 * counted from 0.
 */
Datum
territory_sql_subltree(PG_FUNCTION_ARGS)
{
	PG_RETURN_TERRITORY_P(
		territory_cut(PG_GETARG_TERRITORY_PP(0), PG_GETARG_INT32(1), PG_GETARG_INT32(2)));
}

/*
 * territory_subpath_start turns the offset of subpath() into one that counts
 * from the beginning. A negative offset counts from the end, and once more
 * from the end if it would be before the first label: ltree does so, and its
 * queries are to return the same here.
 */
static int64
territory_subpath_start(int64 offset, int levels)
{
	if (offset < 0)
		offset += levels;
	if (offset < 0)
		offset += levels;
	return offset;
}

/*
 * subpath(territory, offset, len) returns len labels from offset on. A
 * negative offset counts from the end; a negative len leaves out that many
 * labels at the end.
 */
Datum
territory_sql_subpath(PG_FUNCTION_ARGS)
{
	Territory *t = PG_GETARG_TERRITORY_PP(0);
	int64 len = PG_GETARG_INT32(2);
	int levels = territory_nlevel(t);
	int64 first = territory_subpath_start(PG_GETARG_INT32(1), levels);

	PG_RETURN_TERRITORY_P(territory_cut(t, first, len < 0 ? levels + len : first + len));
}

/*
 * subpath(territory, offset) returns the labels from offset to the end.
 */
Datum
territory_sql_subpath_to_end(PG_FUNCTION_ARGS)
{
	Territory *t = PG_GETARG_TERRITORY_PP(0);
	int levels = territory_nlevel(t);
	int64 first = territory_subpath_start(PG_GETARG_INT32(1), levels);

	PG_RETURN_TERRITORY_P(territory_cut(t, first, Max(first, levels)));
}

/*
 * territory_index returns the first level of a, counted from 0 and not before
 * "from", at which all labels of b follow each other, or -1. A path without
 * labels is found nowhere.
 */
static int
territory_index(const Territory *a, const Territory *b, int from)
{
	const char *payload = TERRITORY_DATA(a);
	Size size = TERRITORY_SIZE(a);
	Size at = tpath_label_offset(payload, size, from);

	if (TERRITORY_SIZE(b) == 0)
		return -1;
	for (; at < size; from++)
	{
		CHECK_FOR_INTERRUPTS();
		if (tpath_contains(TERRITORY_DATA(b), TERRITORY_SIZE(b), payload + at, size - at))
			return from;
		at += tpath_label_size(payload + at, size - at) + 1;
	}
	return -1;
}

/*
 * index(territory, territory) returns where the second occurs in the first.
 */
Datum
territory_sql_index(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(territory_index(PG_GETARG_TERRITORY_PP(0), PG_GETARG_TERRITORY_PP(1), 0));
}

/*
 * index(territory, territory, offset) does the same from a level on, which
 * counts from the end if it is negative.
 */
Datum
territory_sql_index_from(PG_FUNCTION_ARGS)
{
	Territory *a = PG_GETARG_TERRITORY_PP(0);
	int64 from = PG_GETARG_INT32(2);

	if (from < 0)
		from += territory_nlevel(a);
	PG_RETURN_INT32(territory_index(a, PG_GETARG_TERRITORY_PP(1), Max(from, 0)));
}

/*
 * parent(territory) returns the path without its last label; the root has no
 * parent.
 */
Datum
territory_sql_parent(PG_FUNCTION_ARGS)
{
	Territory *t = PG_GETARG_TERRITORY_PP(0);
	Size size = TERRITORY_SIZE(t);

	if (size == 0)
		PG_RETURN_NULL();
	PG_RETURN_TERRITORY_P(
		territory_from_payload(TERRITORY_DATA(t), tpath_parent_size(TERRITORY_DATA(t), size)));
}

/*
 * label(territory) returns the last label as raw text; the root has none.
 */
Datum
territory_sql_label(PG_FUNCTION_ARGS)
{
	Territory *t = PG_GETARG_TERRITORY_PP(0);
	Size size = TERRITORY_SIZE(t);
	Size from;

	if (size == 0)
		PG_RETURN_NULL();
	from = tpath_parent_size(TERRITORY_DATA(t), size);
	if (from > 0)
		from++;
	PG_RETURN_TEXT_P(cstring_to_text_with_len(TERRITORY_DATA(t) + from, size - from));
}

/*
 * level(territory, n) returns label n, counted from 1, as raw text, or NULL
 * if there is no such label.
 */
Datum
territory_sql_level(PG_FUNCTION_ARGS)
{
	Territory *t = PG_GETARG_TERRITORY_PP(0);
	int64 n = PG_GETARG_INT32(1);
	const char *label;
	Size size;

	if (n < 1)
		PG_RETURN_NULL();
	label = tpath_slice(TERRITORY_DATA(t), TERRITORY_SIZE(t), n - 1, n, &size);
	if (size == 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(label, size));
}

/*
 * child(territory, text) returns the path extended by one label of raw text,
 * in which dots and quotes mean themselves.
 */
Datum
territory_sql_child(PG_FUNCTION_ARGS)
{
	text *label = PG_GETARG_TEXT_PP(1);

	PG_RETURN_TERRITORY_P(
		territory_child(PG_GETARG_TERRITORY_PP(0), VARDATA_ANY(label), VARSIZE_ANY_EXHDR(label)));
}

/*
 * subtree_end(territory) is the same for SQL.
 */
Datum
territory_sql_subtree_end(PG_FUNCTION_ARGS)
{
	PG_RETURN_TERRITORY_P(territory_subtree_end(PG_GETARG_TERRITORY_PP(0)));
}
