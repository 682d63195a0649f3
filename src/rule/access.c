/*
 * access.c
 *		Decides on which comparisons rules hang, and builds the access tree.
 *
 * Comparisons of which a row must pass one for a rule to be true are a cover of
 * the rule. AND has the covers of all its arguments, OR one that joins a cover of
 * each; nothing is expanded to a normal form. A rule hangs on its cheapest cover
 * ("access predicates": Fabret et al., SIGMOD 2001): each of its codes leads to a
 * child of the tree's root, a range stands in an interval tree. Where many rules
 * hang on the same code, they are divided again by a cover that has not served
 * yet (the idea of BE-Tree: Sadoghi and Jacobsen, SIGMOD 2011; of compound keys:
 * PSTHash, Ji and Jacobsen, PVLDB 2018), so that a row meets few rules which it
 * does not match. A rule without a cover is tried for every row.
 *
 * The alternatives of a rule whose criteria are an OR hang each by itself.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/lsyscache.h"

#include "rule/build.h"
#include "rule/growth.h"
#include "rule/interval.h"

/* so few rules are tried one by one; fewer that share an operand are not worth a partition */
#define LEAF_RULES		4
#define PARTITION_RULES 2

/* covers of a rule that are looked at */
#define MAX_COVERS		4

/* a cover of more codes divides no further: the rule would be there once for each */
#define MAX_FANOUT		16

/* a cover that a greater share of the rows passes does not divide */
#define MAX_SHARE		0.5

/* places at which rules may hang in all: bounds memory where many have long lists */
#define MAX_PLACES		(8 * 1024 * 1024)

/* Comparisons of which a row must pass one. */
typedef struct Cover
{
	double		share;			/* of the rows that pass one */
	const Condition *single;	/* most have just one */
	List	   *several;
} Cover;

/* A rule, or an alternative of one, in the course of being hung. */
typedef struct Entry
{
	Candidate	candidate;
	const Condition *condition; /* NULL: its program is made */
	int			cover_count;
	Cover		covers[MAX_COVERS]; /* codes before ranges, each by their share */
} Entry;

typedef struct Hanging
{
	Entry	   *entry;
	uint32		used;			/* covers that lead here, as bits */
	int			cover;			/* that leads on, or -1 */
} Hanging;

/* A code that leads from a node to an entry. */
typedef struct Lead
{
	int			operand;
	int			code;
	Hanging		hanging;
} Lead;

/* What is needed while the tree is built. */
typedef struct Access
{
	Builder    *builder;
	RuleIndex  *index;
	List	   *entries;
	int		   *group;			/* scratch: rules by operand */
	Size		places;
} Access;

static bool find_cover(const Condition *condition, Cover *cover);

/*
 * cheapest_cover takes the cheapest of the arguments' covers, for AND.
 */
static bool
cheapest_cover(const Condition *condition, Cover *cover)
{
	bool		found = false;

	for (int i = 0; i < condition->count; i++)
	{
		Cover		offer;

		if (find_cover(condition->args[i], &offer) && (!found || offer.share < cover->share))
		{
			*cover = offer;
			found = true;
		}
	}
	return found;
}

/*
 * joint_cover takes all of the arguments' covers, for OR.
 */
static bool
joint_cover(const Condition *condition, Cover *cover)
{
	cover->share = 0;
	cover->single = NULL;
	cover->several = NIL;
	for (int i = 0; i < condition->count; i++)
	{
		Cover		offer;

		if (!find_cover(condition->args[i], &offer))
			return false;
		cover->share += offer.share;
		cover->several = offer.single ? lappend(cover->several, (void *) offer.single) :
			list_concat(cover->several, offer.several);
	}
	return true;
}

/*
 * find_cover finds the cheapest cover of a condition; false when it has none.
 */
static bool
find_cover(const Condition *condition, Cover *cover)
{
	switch (condition->kind)
	{
		case CONDITION_CODES:
		case CONDITION_RANGE:
			cover->share = condition->share;
			cover->single = condition;
			cover->several = NIL;
			return condition->safe && !condition->negated;
		case CONDITION_AND:
			return cheapest_cover(condition, cover);
		case CONDITION_OR:
			return joint_cover(condition, cover);
		default:
			return false;
	}
}

/*
 * is_range tells whether a cover is one range.
 */
static bool
is_range(const Cover *cover)
{
	return cover->single != NULL && cover->single->kind == CONDITION_RANGE;
}

/*
 * precedes tells whether one cover is to serve before another. A code can be
 * divided again and a range cannot, so a range comes last unless it is much better.
 */
static bool
precedes(const Cover *a, const Cover *b)
{
	double		x = is_range(a) ? a->share * MAX_FANOUT : Min(a->share, 1);
	double		y = is_range(b) ? b->share * MAX_FANOUT : Min(b->share, 1);

	return x < y;
}

/*
 * add_cover keeps a cover of an entry in its place, unless better ones fill it.
 */
static void
add_cover(Entry *entry, Cover cover)
{
	int			at = entry->cover_count;

	if (at == MAX_COVERS)
	{
		if (!precedes(&cover, &entry->covers[at - 1]))
			return;
		at--;
	}
	else
		entry->cover_count++;
	while (at > 0 && precedes(&cover, &entry->covers[at - 1]))
	{
		entry->covers[at] = entry->covers[at - 1];
		at--;
	}
	entry->covers[at] = cover;
}

/*
 * comparison_places counts the places at which a comparison hangs an entry.
 */
static Size
comparison_places(const Condition *comparison)
{
	return comparison->kind == CONDITION_RANGE ? 1 : comparison->count + comparison->if_null;
}

/*
 * cover_places counts the places at which a cover hangs an entry.
 */
static Size
cover_places(const Cover *cover)
{
	Size		places = cover->single ? comparison_places(cover->single) : 0;
	ListCell   *cell;

	foreach(cell, cover->several)
		places += comparison_places(lfirst(cell));
	return places;
}

/*
 * take_root_cover puts the cover that leads from the root first: the first that
 * there is room for.
 */
static void
take_root_cover(Access *access, Entry *entry)
{
	while (entry->cover_count > 0 &&
		   access->places + cover_places(&entry->covers[0]) > MAX_PLACES)
		memmove(entry->covers, entry->covers + 1, --entry->cover_count * sizeof(Cover));
	if (entry->cover_count > 0)
		access->places += cover_places(&entry->covers[0]);
}

/*
 * add_entry readies a rule, or an alternative of one, for being hung.
 */
static Entry *
add_entry(Access *access, int rule, const Condition *condition)
{
	Entry	   *entry = palloc0(sizeof(Entry));
	Cover		cover;

	if (condition->kind == CONDITION_AND)
	{
		for (int i = 0; i < condition->count; i++)
		{
			if (find_cover(condition->args[i], &cover))
				add_cover(entry, cover);
		}
	}
	else if (find_cover(condition, &cover))
		add_cover(entry, cover);
	take_root_cover(access, entry);
	entry->candidate.rule = rule;
	access->entries = lappend(access->entries, entry);
	return entry;
}

/*
 * add_alone adds an entry whose program checks just its own condition. A single
 * comparison that leads to it from the root need not be checked again.
 */
static void
add_alone(Access *access, int rule, const Condition *condition)
{
	Entry	   *entry;

	if (condition->kind == CONDITION_CONST && !condition->truth)
		return;
	entry = add_entry(access, rule, condition);
	entry->condition = condition;
	if (entry->cover_count > 0 && entry->covers[0].single)
		((Condition *) entry->covers[0].single)->implied = true;
}

/*
 * entry_candidate returns what is tried of an entry. Its program is made at the
 * first place where it hangs, so that the programs of neighbours are neighbours.
 */
static Candidate
entry_candidate(Access *access, Entry *entry)
{
	if (entry->condition != NULL)
		entry->candidate.program = program_build(access->builder, entry->condition);
	entry->condition = NULL;
	return entry->candidate;
}

/*
 * divides tells whether a cover may lead from a node below the root.
 */
static bool
divides(const Cover *cover)
{
	return cover->single != NULL && cover->share <= MAX_SHARE &&
		(cover->single->kind == CONDITION_RANGE || cover->single->count <= MAX_FANOUT);
}

/*
 * choose_cover chooses the cover by which an entry hangs on a node.
 */
static int
choose_cover(const Hanging *hanging, bool root)
{
	const Entry *entry = hanging->entry;

	if (root)
		return entry->cover_count > 0 ? 0 : -1;
	for (int i = 0; i < entry->cover_count; i++)
	{
		if ((hanging->used & (UINT32_C(1) << i)) == 0 && divides(&entry->covers[i]))
			return i;
	}
	return -1;
}

/*
 * cover_operand is the operand of a cover that divides.
 */
static int
cover_operand(const Hanging *hanging)
{
	return hanging->entry->covers[hanging->cover].single->index;
}

/*
 * choose_covers chooses for all entries of a node. Below the root, few entries
 * are not divided.
 */
static void
choose_covers(Access *access, Hanging *hangings, int count, bool root)
{
	for (int i = 0; i < count; i++)
		hangings[i].cover = !root && count <= LEAF_RULES ? -1 : choose_cover(&hangings[i], root);
	if (root)
		return;
	for (int i = 0; i < count; i++)
	{
		if (hangings[i].cover >= 0)
			access->group[cover_operand(&hangings[i])] = 0;
	}
	for (int i = 0; i < count; i++)
	{
		if (hangings[i].cover >= 0)
			access->group[cover_operand(&hangings[i])]++;
	}
	for (int i = 0; i < count; i++)
	{
		if (hangings[i].cover >= 0 && access->group[cover_operand(&hangings[i])] < PARTITION_RULES)
			hangings[i].cover = -1;
	}
}

/*
 * note_access notes for people by which operand a rule is found.
 */
static void
note_access(RuleInfo *rule, int operand)
{
	for (int i = 0; i < ACCESS_OPERANDS; i++)
	{
		if (rule->access[i] == operand)
			return;
		if (rule->access[i] < 0)
		{
			rule->access[i] = operand;
			return;
		}
	}
}

/*
 * reserve takes room in the block of the tree and returns its place.
 */
static int
reserve(Access *access, Size size)
{
	RuleIndex  *index = access->index;
	int			place = index->access_size;
	int			words = size / sizeof(int32);

	if (place > PG_INT32_MAX / 2 - words)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the rules of table %s are too many", RelationGetRelationName(access->builder->rel))));
	index->access = growth_room(index->context, index->access, place, words, sizeof(int32));
	index->access_size += words;
	return place;
}

static AccessNode *
node_at(const RuleIndex *index, int place)
{
	return (AccessNode *) (index->access + place);
}

/*
 * set_candidates fills the entries of a node in that are tried as they are.
 */
static void
set_candidates(Access *access, int place, const Hanging *hangings, int count, bool root)
{
	RuleIndex  *index = access->index;
	int			filled = 0;

	for (int i = 0; i < count; i++)
	{
		if (hangings[i].cover >= 0)
			continue;
		access_candidates(node_at(index, place))[filled++] = entry_candidate(access, hangings[i].entry);
		index->infos[hangings[i].entry->candidate.rule].scanned |= root;
	}
}

/* What leads on from a node. */
typedef struct Leads
{
	Lead	   *codes;
	int			code_count;
	Lead	   *ranges;			/* code: index of the interval */
	RankRange  *intervals;
	int			range_count;
	int			candidate_count;	/* entries that nothing leads on to */
} Leads;

/*
 * make_leads makes room for all that leads on from a node.
 */
static void
make_leads(Leads *leads, const Hanging *hangings, int count)
{
	Size		places = 0;

	memset(leads, 0, sizeof(Leads));
	for (int i = 0; i < count; i++)
	{
		if (hangings[i].cover >= 0)
			places += cover_places(&hangings[i].entry->covers[hangings[i].cover]);
		else
			leads->candidate_count++;
	}
	if (places == 0)
		return;
	leads->codes = palloc_extended(places * sizeof(Lead), MCXT_ALLOC_HUGE);
}

/*
 * add_comparison adds the places to which a comparison leads.
 */
static void
add_comparison(Access *access, Leads *leads, const Hanging *hanging, const Condition *comparison)
{
	const RuleIndex *index = access->index;
	RuleInfo   *info = &index->infos[hanging->entry->candidate.rule];

	note_access(info, comparison->index);
	info->computes |= index->attributes[index->operands[comparison->index].attribute].attno == 0;
	if (comparison->kind == CONDITION_RANGE)
	{
		leads->ranges = growth_room(CurrentMemoryContext, leads->ranges, leads->range_count, 1, sizeof(Lead));
		leads->intervals = growth_room(CurrentMemoryContext, leads->intervals, leads->range_count, 1, sizeof(RankRange));
		leads->ranges[leads->range_count] = (Lead) {comparison->index, leads->range_count, *hanging};
		leads->intervals[leads->range_count++] =
			(RankRange) {comparison->low, comparison->high, entry_candidate(access, hanging->entry)};
		return;
	}
	for (int i = 0; i < comparison->count; i++)
		leads->codes[leads->code_count++] = (Lead) {comparison->index, comparison->codes[i], *hanging};
	if (comparison->if_null)
		leads->codes[leads->code_count++] = (Lead) {comparison->index, CODE_NULL, *hanging};
}

/*
 * add_leads adds all that leads from a node to an entry.
 */
static void
add_leads(Access *access, Leads *leads, Hanging *hanging)
{
	const Cover *cover = &hanging->entry->covers[hanging->cover];
	ListCell   *cell;

	hanging->used |= UINT32_C(1) << hanging->cover;
	if (cover->single)
		add_comparison(access, leads, hanging, cover->single);
	foreach(cell, cover->several)
		add_comparison(access, leads, hanging, lfirst(cell));
}

/*
 * lead_order is the place of a lead among others: by operand, then code.
 */
static inline uint64
lead_order(const Lead *lead)
{
	/* the codes of NULL and unknown come first */
	return (uint64) lead->operand << 32 | (uint32) (lead->code - CODE_UNKNOWN);
}

/* sort_leads: inline, for most of the time of building a tree is spent here */
#define ST_SORT sort_leads
#define ST_ELEMENT_TYPE Lead
#define ST_COMPARE(a, b) ((lead_order(a) > lead_order(b)) - (lead_order(a) < lead_order(b)))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * end_of_run returns the end of the leads that share operand, or operand and
 * code, with the first one.
 */
static int
end_of_run(const Lead *leads, int first, int count, bool code)
{
	int			end = first + 1;

	while (end < count && leads[end].operand == leads[first].operand &&
		   (!code || leads[end].code == leads[first].code))
		end++;
	return end;
}

/*
 * count_runs counts the runs of leads that share an operand, or operand and code.
 */
static int
count_runs(const Lead *leads, int count, bool code)
{
	int			runs = 0;

	for (int i = 0; i < count; i = end_of_run(leads, i, count, code))
		runs++;
	return runs;
}

static int	build_node(Access *access, Hanging *hangings, int count, bool root);

/*
 * build_child builds the node that a code leads to; returns its place.
 */
static int
build_child(Access *access, const Lead *leads, int count)
{
	Hanging    *hangings = palloc_extended(count * sizeof(Hanging), MCXT_ALLOC_HUGE);
	int			child;

	for (int i = 0; i < count; i++)
		hangings[i] = leads[i].hanging;
	child = build_node(access, hangings, count, false);
	pfree(hangings);
	return child;
}

/*
 * build_array builds the children of a partition whose codes are close together.
 */
static Partition
build_array(Access *access, const Lead *leads, int count)
{
	RuleIndex  *index = access->index;
	int			size = leads[count - 1].code - leads[0].code + 1;
	int			place = reserve(access, size * sizeof(int32));
	int			end;

	for (int i = 0; i < size; i++)
		index->access[place + i] = NO_CHILD;
	for (int i = 0; i < count; i = end)
	{
		int			child;

		end = end_of_run(leads, i, count, true);
		child = build_child(access, leads + i, end - i);
		index->access[place + leads[i].code - leads[0].code] = child;
	}
	return (Partition) {leads[0].operand, PARTITION_CODES, place, leads[0].code, size - 1};
}

/*
 * build_slots builds the children of a partition by code, and the hash table that
 * leads to them: at most half full, so that looking up ends.
 */
static Partition
build_slots(Access *access, const Lead *leads, int count)
{
	RuleIndex  *index = access->index;
	int			children = count_runs(leads, count, true);
	uint32		size = 2;
	int			place;
	int			end;

	if (leads[count - 1].code - leads[0].code < children * 4 + 8)
		return build_array(access, leads, count);
	while (size < 2 * (uint32) children)
		size *= 2;
	place = reserve(access, size * sizeof(Slot));
	for (uint32 i = 0; i < size; i++)
		((Slot *) (index->access + place))[i].child = NO_CHILD;
	for (int i = 0; i < count; i = end)
	{
		uint32		at = access_slot(leads[i].code, size - 1);
		int			child;
		Slot	   *slots;

		end = end_of_run(leads, i, count, true);
		child = build_child(access, leads + i, end - i);
		slots = (Slot *) (index->access + place);
		while (slots[at].child != NO_CHILD)
			at = (at + 1) & (size - 1);
		slots[at] = (Slot) {leads[i].code, child};
	}
	return (Partition) {leads[0].operand, PARTITION_SLOTS, place, 0, size - 1};
}

/*
 * build_ranges builds the interval tree of a partition by range.
 */
static Partition
build_ranges(Access *access, const Lead *leads, int count, const RankRange *intervals)
{
	RankRange  *own = palloc_extended(count * sizeof(RankRange), MCXT_ALLOC_HUGE);
	int			root;

	for (int i = 0; i < count; i++)
		own[i] = intervals[leads[i].code];
	root = interval_build(access->index, own, count);
	pfree(own);
	return (Partition) {leads[0].operand, PARTITION_RANGES, root, 0, 0};
}

/*
 * build_partitions builds what leads on from a node.
 */
static void
build_partitions(Access *access, int place, const Leads *leads)
{
	RuleIndex  *index = access->index;
	int			filled = 0;
	int			end;

	for (int i = 0; i < leads->code_count; i = end)
	{
		Partition	partition;

		end = end_of_run(leads->codes, i, leads->code_count, false);
		partition = build_slots(access, leads->codes + i, end - i);
		access_partitions(node_at(index, place))[filled++] = partition;
	}
	for (int i = 0; i < leads->range_count; i = end)
	{
		Partition	partition;

		end = end_of_run(leads->ranges, i, leads->range_count, false);
		partition = build_ranges(access, leads->ranges + i, end - i, leads->intervals);
		access_partitions(node_at(index, place))[filled++] = partition;
	}
}

/*
 * collect_leads finds all that leads on from a node, by operand.
 */
static void
collect_leads(Access *access, Hanging *hangings, int count, Leads *leads)
{
	make_leads(leads, hangings, count);
	for (int i = 0; i < count; i++)
	{
		if (hangings[i].cover >= 0)
			add_leads(access, leads, &hangings[i]);
	}
	sort_leads(leads->codes, leads->code_count);
	sort_leads(leads->ranges, leads->range_count);
}

static void
free_leads(Leads *leads)
{
	if (leads->codes)
		pfree(leads->codes);
	if (leads->ranges)
	{
		pfree(leads->ranges);
		pfree(leads->intervals);
	}
}

/*
 * build_node builds a node of the tree and all below it; returns its place.
 */
static int
build_node(Access *access, Hanging *hangings, int count, bool root)
{
	AccessNode	node;
	Leads		leads;
	int			place;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	choose_covers(access, hangings, count, root);
	collect_leads(access, hangings, count, &leads);
	node.candidate_count = leads.candidate_count;
	node.partition_count = count_runs(leads.codes, leads.code_count, false) +
		count_runs(leads.ranges, leads.range_count, false);
	place = reserve(access, sizeof(AccessNode) + node.candidate_count * sizeof(Candidate) +
					node.partition_count * sizeof(Partition));
	*node_at(access->index, place) = node;
	set_candidates(access, place, hangings, count, root);
	build_partitions(access, place, &leads);
	free_leads(&leads);
	return place;
}

/*
 * is_safe tells whether all of a condition may be looked at before its turn.
 */
static bool
is_safe(const Condition *condition)
{
	if (condition->kind != CONDITION_AND && condition->kind != CONDITION_OR)
		return condition->safe || condition->kind == CONDITION_CONST;
	for (int i = 0; i < condition->count; i++)
	{
		if (!is_safe(condition->args[i]))
			return false;
	}
	return true;
}

/*
 * add_alternatives readies each alternative of a rule by itself. If one of them
 * may raise an error from which one before it protects it, all of the rule is
 * checked, in its order, whichever alternative leads to it.
 */
static void
add_alternatives(Access *access, int rule, const Condition *condition)
{
	bool		safe = is_safe(condition);
	int			program = safe ? 0 : program_build(access->builder, condition);

	for (int i = 0; i < condition->count; i++)
	{
		if (safe)
			add_alone(access, rule, condition->args[i]);
		else
			add_entry(access, rule, condition->args[i])->candidate.program = program;
	}
}

/*
 * add_rule readies a rule. Alternatives are of use only if each can be found.
 */
static void
add_rule(Access *access, int rule, const Condition *condition)
{
	Cover		cover;

	for (int i = 0; i < ACCESS_OPERANDS; i++)
		access->index->infos[rule].access[i] = -1;
	if (condition->kind == CONDITION_OR && find_cover(condition, &cover))
		add_alternatives(access, rule, condition);
	else
		add_alone(access, rule, condition);
}

/*
 * access_build hangs every rule on its cheapest cover, or on the root itself.
 */
void
access_build(Builder *builder)
{
	RuleIndex  *index = builder->index;
	Access		access = {.builder = builder,.index = index};
	Hanging    *hangings;
	ListCell   *cell;

	access.group = palloc0(Max(index->operand_count, 1) * sizeof(int));
	for (int i = 0; i < index->rule_count; i++)
		add_rule(&access, i, builder->conditions[i]);
	hangings = palloc_extended(Max(list_length(access.entries), 1) * sizeof(Hanging), MCXT_ALLOC_HUGE);
	foreach(cell, access.entries)
		hangings[foreach_current_index(cell)] = (Hanging) {lfirst(cell), 0, -1};
	(void) build_node(&access, hangings, list_length(access.entries), true);
}
