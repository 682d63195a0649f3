/*
 * path_binary.c
 *		Fuzz target: paths as bytes, and all that is done with them.
 *
 * The input has up to three paths, each on a line: as the binary form, which
 * is the byte 1 and then the text, or else as the bare bytes of a payload.
 */
#include "oracle.h"

#define BINARY_VERSION 1

/* a path in both views */
typedef struct Path
{
	Bytes payload;
	OraclePath labels;
} Path;

/*
 * receive returns the path that a line is, or false.
 */
static bool
receive(Bytes line, Path *path)
{
	bool valid;

	if (line.size > 0 && line.data[0] == BINARY_VERSION)
	{
		valid = fuzz_parse_path(fuzz_copy(line.data + 1, line.size - 1), &path->payload);
		REQUIRE(!valid || oracle_is_payload(path->payload));
	}
	else
	{
		path->payload = line;
		valid = tpath_check(line.data, line.size, fuzz_char_size) == TPATH_OK;
		REQUIRE(valid == oracle_is_payload(line));
	}
	path->labels = oracle_path(path->payload);
	return valid;
}

/*
 * check_text checks that a path comes back from its text.
 */
static void
check_text(const Path *path)
{
	Bytes again;

	REQUIRE(fuzz_parse_path(fuzz_print_path(path->payload), &again));
	REQUIRE(fuzz_same(again, path->payload));
}

/*
 * check_slices checks the labels from some up to some, also beyond the end.
 */
static void
check_slices(const Path *path)
{
	long count = (long) path->labels.count;
	long step = 1 + count / 6;
	long first;
	long end;

	for (first = 0; first <= count + 1; first += step)
	{
		long from = first < count ? first : count;
		size_t offset = tpath_label_offset(path->payload.data, path->payload.size, first);

		REQUIRE(path->payload.data + offset == (from < count
													? path->labels.label[from].data
													: path->payload.data + path->payload.size));
		for (end = 0; end <= count + 1; end += step)
		{
			long to = end < from ? from : end < count ? end : count;
			size_t size;
			const char *slice =
				tpath_slice(path->payload.data, path->payload.size, first, end, &size);

			REQUIRE(slice == path->payload.data + offset);
			REQUIRE(size == oracle_joined_size(&path->labels, (size_t) from, (size_t) to));
		}
	}
}

/*
 * check_lineage checks the sum of the sizes of a path and what is above it.
 */
static void
check_lineage(const Path *path, size_t limit)
{
	size_t bytes = tpath_lineage_bytes(path->payload.data, path->payload.size, limit);
	size_t sum = 0;
	size_t n;

	for (n = 0; n <= path->labels.count; n++)
		sum += oracle_joined_size(&path->labels, 0, n);
	if (sum <= limit)
		REQUIRE(bytes == sum);
	else
		REQUIRE(bytes > limit && bytes <= sum);
}

/*
 * check_parts checks what there is to one path.
 */
static void
check_parts(const Path *path)
{
	const OraclePath *labels = &path->labels;
	size_t size = path->payload.size;

	REQUIRE(tpath_level_count(path->payload.data, size) == (long) labels->count);
	REQUIRE(tpath_label_size(path->payload.data, size) ==
			(labels->count > 0 ? labels->label[0].size : 0));
	REQUIRE(tpath_parent_size(path->payload.data, size) ==
			oracle_joined_size(labels, 0, labels->count > 0 ? labels->count - 1 : 0));
	check_slices(path);
	check_lineage(path, SIZE_MAX);
	check_lineage(path, size);
	check_lineage(path, 2 * size);
}

/*
 * compare returns the order of two paths.
 */
static int
compare(const Path *a, const Path *b)
{
	return tpath_compare(a->payload.data, a->payload.size, b->payload.data, b->payload.size);
}

/*
 * check_pair checks how two paths stand to each other.
 */
static void
check_pair(const Path *a, const Path *b)
{
	int order = compare(a, b);

	REQUIRE(order == oracle_compare(&a->labels, &b->labels));
	REQUIRE(order == -compare(b, a));
	REQUIRE((order == 0) == fuzz_same(a->payload, b->payload));
	REQUIRE(tpath_contains(a->payload.data, a->payload.size, b->payload.data, b->payload.size) ==
			oracle_contains(&a->labels, &b->labels));
	REQUIRE(tpath_common_size(a->payload.data, a->payload.size, b->payload.data, b->payload.size) ==
			oracle_joined_size(&a->labels, 0, oracle_common_labels(&a->labels, &b->labels)));
}

/*
 * check_order checks that the order of three paths leads from one to another.
 */
static void
check_order(const Path *a, const Path *b, const Path *c)
{
	if (compare(a, b) <= 0 && compare(b, c) <= 0)
		REQUIRE(compare(a, c) <= 0);
}

/*
 * check_paths checks the paths of an input.
 */
static void
check_paths(Bytes rest)
{
	Path path[3];
	size_t count = 0;
	size_t i;
	size_t j;
	size_t k;

	while (rest.size > 0 && count < 3)
		count += receive(fuzz_take_line(&rest), &path[count]);
	for (i = 0; i < count; i++)
	{
		check_text(&path[i]);
		check_parts(&path[i]);
		for (j = 0; j < count; j++)
		{
			check_pair(&path[i], &path[j]);
			for (k = 0; k < count; k++)
				check_order(&path[i], &path[j], &path[k]);
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Bytes input = { (const char *) data, size };

	check_paths(input);
	fuzz_release();
	return 0;
}
