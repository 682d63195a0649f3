/*
 * value.c
 *		The value of the type as C code sees it: what territory.h declares.
 *
 * The bytes are dealt with in src/path; this file adds memory, errors and the
 * encoding of the database.
 */
#include "postgres.h"

#include "compat.h"
#include "mb/pg_wchar.h"
#include "path/path.h"
#include "type/territory.h"
#include "type/text_type.h"
#include "type/value.h"
#include "utils/typcache.h"

/*
 * territory_allocate returns a value with room for "size" bytes of payload.
 */
Territory *
territory_allocate(Size size)
{
	Territory *result = palloc(VARHDRSZ + size);

	SET_VARSIZE(result, VARHDRSZ + size);
	return result;
}

/*
 * territory_from_payload copies a payload into a new value.
 */
Territory *
territory_from_payload(const char *payload, Size size)
{
	Territory *result = territory_allocate(size);

	Assert(tpath_check(payload, size, territory_mblen) == TPATH_OK);
	memcpy(VARDATA(result), payload, size);
	return result;
}

/*
 * territory_to_cstring returns the text form with a zero byte behind it.
 */
char *
territory_to_cstring(const Territory *t)
{
	return text_type_print(&territory_path_type, t);
}

/*
 * territory_parse returns the value of a text form. What is wrong with the
 * text is raised, or else saved in the error context and NULL returned.
 */
Territory *
territory_parse(const char *text, Size size, struct Node *escontext)
{
	return text_type_parse(&territory_path_type, text, size, escontext);
}

/*
 * territory_from_cstring is territory_parse for a text with a zero byte
 * behind it.
 */
Territory *
territory_from_cstring(const char *text, struct Node *escontext)
{
	return territory_parse(text, strlen(text), escontext);
}

/*
 * territory_check_level_count raises an error if a path that is about to be
 * made would have too many labels.
 */
void
territory_check_level_count(long levels)
{
	if (levels > TPATH_MAX_LEVELS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("territory has too many labels"),
				 errdetail("The result would have %ld labels; the limit is %d.", levels,
						   TPATH_MAX_LEVELS)));
}

/*
 * territory_append returns the labels of a followed by "size" bytes of
 * payload, which has "levels" labels.
 */
static Territory *
territory_append(const Territory *a, const char *payload, Size size, long levels)
{
	Size a_size = TERRITORY_SIZE(a);
	Size separator = a_size > 0 && size > 0;
	Territory *result;
	char *out;

	territory_check_level_count(levels + territory_nlevel(a));
	result = territory_allocate(a_size + separator + size);
	out = VARDATA(result);
	memcpy(out, TERRITORY_DATA(a), a_size);
	if (separator)
		out[a_size] = '\0';
	memcpy(out + a_size + separator, payload, size);
	return result;
}

/*
 * territory_concat returns the labels of a followed by those of b.
 */
Territory *
territory_concat(const Territory *a, const Territory *b)
{
	return territory_append(a, TERRITORY_DATA(b), TERRITORY_SIZE(b), territory_nlevel(b));
}

/*
 * territory_check_new_label raises an error unless raw text can be a label.
 */
void
territory_check_new_label(const char *label, Size size)
{
	TPathError error = tpath_check_label(label, size, territory_mblen);

	if (error == TPATH_LABEL_TOO_LONG)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("label of territory is too long"),
				 errdetail("A label has at most %d characters.", TPATH_MAX_LABEL_CHARS)));
	if (error != TPATH_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid label of territory"),
				 errdetail("%s.", error == TPATH_EMPTY_LABEL ? "A label has at least one character"
															 : "A label contains no zero byte")));
}

/*
 * territory_child returns the parent, or the root if there is none, extended
 * by one label of raw text. It raises an error if the text cannot be a label.
 */
Territory *
territory_child(const Territory *parent, const char *label, Size size)
{
	territory_check_new_label(label, size);
	if (parent == NULL)
		return territory_from_payload(label, size);
	return territory_append(parent, label, size, 1);
}

/*
 * territory_after_all returns a value behind every path: behind the subtree
 * of the last label there can be.
 */
static Territory *
territory_after_all(void)
{
	const char *greatest = GetDatabaseEncoding() == PG_UTF8 ? "\xF4\x8F\xBF\xBF" : "\xFF";
	Size width = strlen(greatest);
	Size size = TPATH_MAX_LABEL_CHARS * width;
	Territory *result = territory_allocate(size + 1);
	Size at;

	for (at = 0; at < size; at += width)
		memcpy(VARDATA(result) + at, greatest, width);
	VARDATA(result)[size] = TPATH_SUBTREE_END;
	return result;
}

/*
 * territory_subtree_end returns the first value behind a subtree: the byte
 * after the separator ends all that the separator begins.
 */
Territory *
territory_subtree_end(const Territory *t)
{
	Size size = TERRITORY_SIZE(t);
	Territory *result;

	if (size == 0)
		return territory_after_all();
	result = territory_allocate(size + 1);
	memcpy(VARDATA(result), TERRITORY_DATA(t), size);
	VARDATA(result)[size] = TPATH_SUBTREE_END;
	return result;
}

/*
 * territory_compare returns -1, 0 or 1 in tree order.
 */
int
territory_compare(const Territory *a, const Territory *b)
{
	return tpath_compare(TERRITORY_DATA(a), TERRITORY_SIZE(a), TERRITORY_DATA(b),
						 TERRITORY_SIZE(b));
}

/*
 * territory_contains tells whether a is b or an ancestor of b.
 */
bool
territory_contains(const Territory *a, const Territory *b)
{
	return tpath_contains(TERRITORY_DATA(a), TERRITORY_SIZE(a), TERRITORY_DATA(b),
						  TERRITORY_SIZE(b));
}

/*
 * territory_nlevel returns the number of labels.
 */
int
territory_nlevel(const Territory *t)
{
	return (int) tpath_level_count(TERRITORY_DATA(t), TERRITORY_SIZE(t));
}

/*
 * territory_is_type tells whether a type is the one of this module, whatever
 * its name: the one whose default order is ours. Planner functions ask, since
 * they may have been attached to anything.
 */
bool
territory_is_type(Oid type)
{
	TypeCacheEntry *entry;

	if (!OidIsValid(type))
		return false;
	entry = lookup_type_cache(type, TYPECACHE_CMP_PROC_FINFO);
	return entry->cmp_proc_finfo.fn_addr == territory_sql_cmp;
}
