/*
 * path.c
 *		Paths as plain bytes: validity, order, ancestry and parts.
 *
 * Everything here follows from one choice: the separator is the zero byte,
 * which is below every byte of a label. Bytewise order is then depth-first
 * tree order, and "is an ancestor of" is a prefix test.
 */
#include "path/path.h"


/*
 * tpath_label_size returns the bytes of the label that begins at "label" and
 * goes on to the next separator or for "limit" bytes.
 */
size_t
tpath_label_size(const char *label, size_t limit)
{
	const char *separator = limit > 0 ? memchr(label, '\0', limit) : NULL;

	return separator ? (size_t) (separator - label) : limit;
}

/*
 * tpath_label_too_long tells whether a label has more characters than
 * allowed. Only a label that has more bytes than that needs to be counted.
 * The byte 0x01 that ends a subtree may stand behind the longest label.
 */
static bool
tpath_label_too_long(const char *label, size_t size, TPathCharSize char_size)
{
	size_t at = 0;
	size_t chars = 0;

	if (size > 0 && label[size - 1] == TPATH_SUBTREE_END)
		size--;
	if (size <= TPATH_MAX_LABEL_CHARS)
		return false;
	for (; at < size && chars <= TPATH_MAX_LABEL_CHARS; chars++)
		at += char_size(label + at, size - at);
	return chars > TPATH_MAX_LABEL_CHARS;
}

/*
 * tpath_check_label tells whether raw text can be a label.
 */
TPathError
tpath_check_label(const char *label, size_t size, TPathCharSize char_size)
{
	if (size == 0)
		return TPATH_EMPTY_LABEL;
	if (memchr(label, '\0', size) != NULL)
		return TPATH_ZERO_BYTE;
	if (tpath_label_too_long(label, size, char_size))
		return TPATH_LABEL_TOO_LONG;
	return TPATH_OK;
}

/*
 * tpath_check tells whether bytes of any origin are a payload.
 */
TPathError
tpath_check(const char *payload, size_t size, TPathCharSize char_size)
{
	size_t at = 0;
	long levels = 0;

	if (size == 0)
		return TPATH_OK;
	for (;;)
	{
		size_t label_size = tpath_label_size(payload + at, size - at);
		TPathError error = tpath_check_label(payload + at, label_size, char_size);

		if (error != TPATH_OK)
			return error;
		if (++levels > TPATH_MAX_LEVELS)
			return TPATH_TOO_MANY_LEVELS;
		at += label_size;
		if (at == size)
			return TPATH_OK;
		at++;
	}
}

/*
 * tpath_contains tells whether a is b or an ancestor of b.
 */
bool
tpath_contains(const char *a, size_t a_size, const char *b, size_t b_size)
{
	if (a_size == 0)
		return true;
	if (a_size > b_size || memcmp(a, b, a_size) != 0)
		return false;
	return a_size == b_size || b[a_size] == '\0';
}

/*
 * tpath_common_size returns the bytes of the longest path that contains both.
 */
size_t
tpath_common_size(const char *a, size_t a_size, const char *b, size_t b_size)
{
	size_t shorter = a_size < b_size ? a_size : b_size;
	size_t boundary = 0;
	size_t at = 0;

	for (; at < shorter && a[at] == b[at]; at++)
	{
		if (a[at] == '\0')
			boundary = at;
	}
	if ((at == a_size || a[at] == '\0') && (at == b_size || b[at] == '\0'))
		return at;
	return boundary;
}

/*
 * tpath_level_count returns the number of labels.
 */
long
tpath_level_count(const char *payload, size_t size)
{
	long separators = 0;
	size_t at;

	for (at = 0; at < size; at++)
		separators += payload[at] == '\0';
	return size == 0 ? 0 : separators + 1;
}

/*
 * tpath_lineage_bytes returns the bytes of the path and all its ancestors
 * together, but no more than it takes to be above "limit".
 */
size_t
tpath_lineage_bytes(const char *payload, size_t size, size_t limit)
{
	size_t total = size;
	size_t at;

	for (at = 0; at < size && total <= limit; at++)
	{
		if (payload[at] == '\0')
			total += at;
	}
	return total;
}

/*
 * tpath_parent_size returns the bytes of the path without its last label.
 */
size_t
tpath_parent_size(const char *payload, size_t size)
{
	while (size > 0 && payload[size - 1] != '\0')
		size--;
	return size > 0 ? size - 1 : 0;
}

/*
 * tpath_label_offset returns where label n begins, counted from 0, or "size"
 * if there are no more than n labels.
 */
size_t
tpath_label_offset(const char *payload, size_t size, long n)
{
	size_t at = 0;

	for (; n > 0 && at < size; n--)
		at += tpath_label_size(payload + at, size - at) + 1;
	return at < size ? at : size;
}

/*
 * tpath_slice returns the labels from "first" up to but not including "end",
 * counted from 0. Both are cut to the labels that there are.
 */
const char *
tpath_slice(const char *payload, size_t size, long first, long end, size_t *slice_size)
{
	size_t from = tpath_label_offset(payload, size, first);
	size_t to = from + tpath_label_offset(payload + from, size - from, end - first);

	/* the separator before the next label is not a part of the slice */
	if (to > from && to < size)
		to--;
	*slice_size = to - from;
	return payload + from;
}
