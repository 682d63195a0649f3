/*
 * match.c
 *		Does a path match a pattern?
 *
 * Item by item, the set of levels is kept up to which the items so far can
 * have matched; the path matches if its end is in the set after the last
 * item. One item takes at most one pass over the levels, whatever its
 * numbers are, so that the work is bounded by items times levels, and no
 * pattern makes it explode. (This is the simulation of a nondeterministic
 * automaton by sets of states, after Thompson 1968, with counted items as one
 * state each.)
 */
#include "path/term.h"

/* so many terms are worth a look whether work was cancelled */
#define TPATH_MANY_ALTERNATIVES 64

/*
 * The levels of the path at work: level n stands before label n, the last one
 * behind the last label. "reached" tells of each level from first to last
 * whether it is in the set; the other ones are not.
 */
typedef struct TPathMatch
{
	const char *path;
	long levels;
	const uint32_t *offset; /* where label n begins */
	unsigned char *reached;
	unsigned char *next; /* the set after the item at work */
	long first;
	long last;
	const TPathCallbacks *callbacks;
} TPathMatch;

/*
 * tpath_match_workspace returns the bytes that tpath_matches needs for a path.
 */
size_t
tpath_match_workspace(long levels)
{
	return (levels + 1) * (sizeof(uint32_t) + 2);
}

/*
 * tpath_label_matches tells whether label n of the path matches an item.
 */
static bool
tpath_label_matches(const TPathMatch *match, const TPathItem *item, long n)
{
	const char *label = match->path + match->offset[n];
	size_t size = match->offset[n + 1] - match->offset[n] - 1;
	const char *at = item->terms;
	long alternative;

	if (item->alternatives == 0)
		return true;
	/* an item may have as many alternatives as a path has labels */
	if (item->alternatives >= TPATH_MANY_ALTERNATIVES)
		match->callbacks->check_for_interrupts();
	for (alternative = 0; alternative < item->alternatives; alternative++)
	{
		TPathTerm term;

		at = tpath_read_term(at, &term);
		if (term.modifiers == TPATH_NO_MODIFIER
				? tpath_is_term(&term, label, size)
				: tpath_term_matches(&term, label, size, match->callbacks))
			return !item->negated;
	}
	return item->negated;
}

/*
 * tpath_step_one makes the step of an item that is one label.
 */
static void
tpath_step_one(TPathMatch *match, const TPathItem *item)
{
	long first = -1;
	long last = -1;
	long level;

	for (level = match->first; level <= match->last && level < match->levels; level++)
	{
		bool matches = match->reached[level] && tpath_label_matches(match, item, level);

		match->next[level + 1] = matches;
		if (matches)
		{
			last = level + 1;
			if (first < 0)
				first = last;
		}
	}
	match->first = first;
	match->last = last;
}

/*
 * tpath_step_any makes the step of an item that is any labels, from "least"
 * on.
 */
static void
tpath_step_any(TPathMatch *match, const TPathItem *item)
{
	match->first += item->least;
	match->last = match->levels;
	if (match->first <= match->levels)
		memset(match->next + match->first, true, match->levels - match->first + 1);
	else
		match->first = -1;
}

/*
 * tpath_step_counted makes the step of an item that is from "least" to "most"
 * labels. A level is reached if one of the set is that far before it and all
 * labels between them match; of those that are far enough away, only the
 * nearest one has to be tried.
 */
static void
tpath_step_counted(TPathMatch *match, const TPathItem *item)
{
	long begin = match->first;	 /* labels from here up to "level" match */
	long nearest = -1;			 /* the last of the set not after level - least */
	long tried = match->first;	 /* levels before this one were looked at for that */
	long first = -1;
	long last = -1;
	long level;

	for (level = match->first; level <= match->levels; level++)
	{
		if (level > match->first && !tpath_label_matches(match, item, level - 1))
			begin = level;
		for (; tried <= match->last && tried <= level - item->least; tried++)
		{
			if (match->reached[tried])
				nearest = tried;
		}
		if (begin > match->last)
			break;
		match->next[level] = nearest >= begin && level - nearest <= item->most;
		if (match->next[level])
		{
			last = level;
			if (first < 0)
				first = level;
		}
	}
	match->first = first;
	match->last = last;
}

/*
 * tpath_step makes the step of one item and returns false if no level is
 * reached any more.
 */
static bool
tpath_step(TPathMatch *match, const TPathItem *item)
{
	unsigned char *before = match->reached;

	match->callbacks->check_for_interrupts();
	if (item->least == 1 && item->most == 1)
		tpath_step_one(match, item);
	else if (item->alternatives == 0 && item->most == TPATH_MAX_LEVELS)
		tpath_step_any(match, item);
	else
		tpath_step_counted(match, item);
	match->reached = match->next;
	match->next = before;
	return match->first >= 0;
}

/*
 * tpath_find_labels writes where each label begins, and where one behind the
 * last would, and returns the number of labels.
 */
static long
tpath_find_labels(const char *path, size_t size, uint32_t *offset)
{
	long levels = 0;
	size_t at;

	if (size == 0)
		return 0;
	/* without a branch, for where labels end cannot be foreseen */
	offset[levels++] = 0;
	for (at = 0; at < size; at++)
	{
		offset[levels] = (uint32_t) at + 1;
		levels += path[at] == '\0';
	}
	offset[levels] = (uint32_t) size + 1;
	return levels;
}

/*
 * tpath_skip_beginning passes over the labels that a pattern begins with and
 * that are one label of the path each, which settles most paths. It returns
 * false if they differ.
 */
static bool
tpath_skip_beginning(const char **path, size_t *path_size, const char **pattern, const char *end)
{
	const char *next;
	TPathItem item;
	TPathTerm term;

	while ((next = tpath_next_item(*pattern, end, &item)) != NULL &&
		   tpath_only_term(&item, &term) && term.modifiers == TPATH_NO_MODIFIER)
	{
		size_t size = tpath_label_size(*path, *path_size);

		if (!tpath_is_term(&term, *path, size))
			return false;
		size += size < *path_size;
		*path += size;
		*path_size -= size;
		*pattern = next;
	}
	return true;
}

/*
 * tpath_matches tells whether a path matches a pattern. The workspace has to
 * be aligned for integers.
 */
bool
tpath_matches(const char *path, size_t path_size, const char *pattern, size_t size,
			  const TPathCallbacks *callbacks, void *workspace)
{
	uint32_t *offset = workspace;
	const char *end = pattern + size;
	TPathMatch match = { NULL, 0, offset, NULL, NULL, 0, 0, callbacks };
	TPathItem item;

	if (!tpath_skip_beginning(&path, &path_size, &pattern, end))
		return false;
	match.path = path;
	match.levels = tpath_find_labels(path, path_size, offset);
	match.reached = (unsigned char *) (offset + match.levels + 1);
	match.next = match.reached + match.levels + 1;
	match.reached[0] = true;
	while ((pattern = tpath_next_item(pattern, end, &item)) != NULL)
	{
		if (!tpath_step(&match, &item))
			return false;
	}
	return match.last == match.levels;
}
