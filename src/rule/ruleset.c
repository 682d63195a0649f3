/*
 * ruleset.c
 *		Puts the rule set of an attached table together: reads its active rules and
 *		the nodes that have them, has the rules indexed, and keeps both current.
 *
 * A change of one among many rules costs by the change. The rows of rules and
 * nodes are read again, but taken apart only where they are other versions than
 * those that were read before (rows.c). In the index of all rules the ones that
 * are gone are marked; the new ones are compiled into a patch, a small index
 * beside it. As in a log-structured merge tree, what has grown beside the large
 * structure is merged into it, that is, all is compiled anew, when that has become
 * a part of it that matters.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/catalog.h"
#include "rule/link.h"
#include "rule/ruleset.h"

/* a patch is to have no more rules, gone ones included, than one in so many, and a few */
#define PATCH_PART 8
#define PATCH_LEAST 16

/* What a rule set is read from. */
typedef struct Reading
{
	Relation	rel;
	Snapshot	snapshot;
	int32		model;
	PinnedSettings settings;
} Reading;

/*
 * read_model reads which model is active, and what it pins.
 */
static void
read_model(Reading *reading)
{
	static KeptStatement find = {
		"SELECT id, time_zone, date_style FROM territory.model WHERE state OPERATOR(pg_catalog.=) 'active'",
		SPI_OK_SELECT, 0
	};
	HeapTuple	row;
	bool		isnull;

	session_execute_kept(&find, NULL, NULL);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no model is active")));
	row = SPI_tuptable->vals[0];
	reading->model = DatumGetInt32(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull));
	reading->settings.time_zone = SPI_getvalue(row, SPI_tuptable->tupdesc, 2);
	reading->settings.date_style = SPI_getvalue(row, SPI_tuptable->tupdesc, 3);
}

/*
 * reading_begin and reading_end bracket the reading, as the owner of our tables,
 * by one snapshot, the newest.
 */
static void
reading_begin(Reading *reading, Oid object)
{
	SessionRole role;

	session_become(&role, catalog_owner());
	read_model(reading);
	session_restore_role(&role);
	reading->rel = table_open(object, AccessShareLock);
	reading->snapshot = RegisterSnapshot(session_latest_snapshot());
}

static void
reading_end(Reading *reading)
{
	UnregisterSnapshot(reading->snapshot);
	table_close(reading->rel, NoLock);
}

/*
 * mark_used notes which nodes have rules; true where these are others than before.
 * Of the known rules those count that are alive.
 */
static bool
mark_used(StoredNodes *nodes, const StoredRules *known, const RulesFound *found)
{
	bool		changed = false;

	for (int i = 0; i < nodes->count; i++)
		nodes->nodes[i].used = false;
	for (int i = 0; found->alive && i < known->count; i++)
	{
		StoredNode *node = found->alive[i] ? node_of(nodes, known->rules[i].node_id) : NULL;

		if (node != NULL)
			node->used = true;
	}
	for (int i = 0; i < found->count; i++)
		node_of(nodes, found->texts[i].node_id)->used = true;
	for (int i = 0; i < nodes->count; i++)
		changed |= nodes->nodes[i].used != (nodes->nodes[i].index >= 0);
	return changed;
}

/*
 * link_nodes finds, for nodes in tree order, the nearest gate above each and
 * the end of the subtree of each.
 */
static void
link_nodes(Ruleset *rules)
{
	int		   *above = palloc_extended(Max(rules->node_count, 1) * sizeof(int), MCXT_ALLOC_HUGE);
	int			depth = 0;

	for (int i = 0; i < rules->node_count; i++)
	{
		RuleNode   *node = &rules->nodes[i];

		while (depth > 0 && !territory_contains(rules->nodes[above[depth - 1]].path, node->path))
			rules->nodes[above[--depth]].subtree_end = i;
		node->gate = -1;
		if (depth > 0)
		{
			int			parent = above[depth - 1];

			node->gate = rules->nodes[parent].cascade ? parent : rules->nodes[parent].gate;
		}
		above[depth++] = i;
	}
	while (depth > 0)
		rules->nodes[above[--depth]].subtree_end = rules->node_count;
	pfree(above);
}

static int
compare_nodes(const void *a, const void *b)
{
	return territory_compare(((const RuleNode *) a)->path, ((const RuleNode *) b)->path);
}

/*
 * take_nodes puts the nodes that have rules into the rule set.
 */
static void
take_nodes(Ruleset *rules)
{
	StoredNodes *stored = rules->stored_nodes;
	int			count = 0;

	if (rules->nodes)
	{
		pfree(rules->nodes);
		pfree(rules->matches);
	}
	rules->node_count = 0;
	for (int i = 0; i < stored->count; i++)
		count += stored->nodes[i].used;
	rules->nodes = MemoryContextAllocHuge(stored->context, Max(count, 1) * sizeof(RuleNode));
	rules->matches = MemoryContextAllocHuge(stored->context, Max(count, 1) * sizeof(Match));
	for (int i = 0; i < stored->count; i++)
	{
		const StoredNode *node = &stored->nodes[i];

		if (node->used)
			rules->nodes[rules->node_count++] = (RuleNode) {
				.id = node->id,.path = node->path,.depth = territory_nlevel(node->path),
				.priority = node->priority,.cascade = node->cascade
			};
	}
	qsort(rules->nodes, rules->node_count, sizeof(RuleNode), compare_nodes);
	for (int i = 0; i < stored->count; i++)
		stored->nodes[i].index = -1;
	for (int i = 0; i < rules->node_count; i++)
		node_of(stored, rules->nodes[i].id)->index = i;
	link_nodes(rules);
}

/*
 * place_texts finds the nodes of rules that are to be compiled.
 */
static void
place_texts(const Ruleset *rules, RulesFound *found)
{
	for (int i = 0; i < found->count; i++)
		found->texts[i].node = node_of(rules->stored_nodes, found->texts[i].node_id)->index;
}

static int
compare_texts(const void *a, const void *b)
{
	const RuleText *x = a;
	const RuleText *y = b;

	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

/*
 * number_rules notes in the stored rules what became of them, and returns them.
 */
static StoredRules *
number_rules(const Ruleset *rules, StoredRules *stored, const RulesFound *found)
{
	StoredRules *kept = MemoryContextAlloc(rules->context, sizeof(StoredRules));

	*kept = *stored;
	for (int i = 0; i < found->count; i++)
		kept->rules[found->texts[i].row].number = i;
	return kept;
}

/*
 * link_index hands an index what it shares with the rule set.
 */
static void
link_index(Ruleset *rules, RuleIndex *index)
{
	MemoryContext old = MemoryContextSwitchTo(rules->context);

	MemoryContextSetParent(index->context, rules->context);
	index->econtext = rules->econtext;
	index->hits = &rules->hits;
	index->current = -1;
	rules->columns = bms_add_members(rules->columns, index->columns);
	rules->max_attno = Max(rules->max_attno, index->max_attno);
	rules->pins |= index->pins;
	rules->parallel_safe &= index->parallel_safe;
	MemoryContextSwitchTo(old);
}

/*
 * table_rows is the server's estimate of the rows of a table; 0 where it has none.
 */
static double
table_rows(Relation rel)
{
	return Max(rel->rd_rel->reltuples, 0);
}

/*
 * init_rules fills in what does not depend on the rules.
 */
static void
init_rules(Ruleset *rules, const ObjectInfo *object, const Reading *reading)
{
	MemoryContext old = MemoryContextSwitchTo(rules->context);

	MemoryContextSetIdentifier(rules->context, pstrdup(RelationGetRelationName(reading->rel)));
	rules->object = *object;
	rules->model = reading->model;
	rules->settings.time_zone = pstrdup(reading->settings.time_zone);
	rules->settings.date_style = pstrdup(reading->settings.date_style);
	rules->desc = CreateTupleDescCopyConstr(RelationGetDescr(reading->rel));
	rules->table_rows = table_rows(reading->rel);
	rules->columns = bms_make_singleton(object->key_attno);
	rules->max_attno = object->key_attno;
	rules->parallel_safe = true;
	rules->econtext = CreateStandaloneExprContext();
	hits_init(&rules->hits);
	MemoryContextSwitchTo(old);
}

/*
 * compile reads and compiles all rules.
 */
static void
compile(Ruleset *rules, const Reading *reading)
{
	StoredRules stored = {.context = rules->context};
	RulesFound	found = {0};

	rules->stored_nodes = nodes_read(reading->model, reading->snapshot);
	MemoryContextSetParent(rules->stored_nodes->context, rules->context);
	rules_read(rules->object.object, rules->stored_nodes, reading->snapshot, &stored, &found);
	(void) mark_used(rules->stored_nodes, &stored, &found);
	take_nodes(rules);
	place_texts(rules, &found);
	qsort(found.texts, found.count, sizeof(RuleText), compare_texts);
	rules->stored_rules = number_rules(rules, &stored, &found);
	rules->index = index_compile(reading->rel, rules->object.owner, &rules->settings,
								 found.texts, found.count);
	link_index(rules, rules->index);
}

/*
 * ruleset_compile builds the rule set of an object in a context of its own, a
 * child of the current one. Needs an SPI connection.
 */
Ruleset *
ruleset_compile(const ObjectInfo *object)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "territory rule set",
												  ALLOCSET_DEFAULT_SIZES);
	Ruleset    *rules = MemoryContextAllocZero(context, sizeof(Ruleset));
	Reading		reading;

	rules->context = context;
	reading_begin(&reading, object->object);
	init_rules(rules, object, &reading);
	compile(rules, &reading);
	link_compile(rules, reading.rel);
	reading_end(&reading);
	rules->whole = true;
	rules->valid = true;
	return rules;
}

/*
 * is_comparable tells whether nothing but rules and nodes may have changed. Where
 * a table has grown so much that its statistics are others, its rules may be found
 * in other ways.
 */
static bool
is_comparable(const Ruleset *rules, const ObjectInfo *object, const Reading *reading)
{
	double		rows = table_rows(reading->rel);

	return rules->object.owner == object->owner && rules->object.key_attno == object->key_attno &&
		rules->model == reading->model && link_is_current(rules, object) &&
		strcmp(rules->settings.time_zone, reading->settings.time_zone) == 0 &&
		strcmp(rules->settings.date_style, reading->settings.date_style) == 0 &&
		equalTupleDescs(rules->desc, RelationGetDescr(reading->rel)) &&
		rows <= 2 * rules->table_rows && rules->table_rows <= 2 * rows;
}

/*
 * may_patch tells whether a patch does for what is new and what is gone: not too
 * much, and no rule for whose sake rows are evaluated that are an error perhaps.
 */
static bool
may_patch(const Ruleset *rules, const RulesFound *found)
{
	const StoredRules *stored = rules->stored_rules;
	int			room = PATCH_LEAST + rules->index->rule_count / PATCH_PART - found->count;

	for (int i = 0; i < stored->count; i++)
	{
		if (stored->rules[i].number < 0 || found->alive[i])
			continue;
		if (--room < 0 || rules->index->infos[stored->rules[i].number].computes)
			return false;
	}
	return room >= 0;
}

/*
 * place_rules tells the rules of the index their nodes: none, if they are gone.
 */
static void
place_rules(const Ruleset *rules, const RulesFound *found)
{
	const StoredRules *stored = rules->stored_rules;

	for (int i = 0; i < stored->count; i++)
	{
		StoredNode *node = found->alive[i] ? node_of(rules->stored_nodes, stored->rules[i].node_id) : NULL;

		if (stored->rules[i].number >= 0)
			rules->index->rules[stored->rules[i].number].node = node ? node->index : -1;
	}
}

/*
 * set_patch replaces the patch by an index of what was found.
 */
static void
set_patch(Ruleset *rules, RuleIndex *patch)
{
	RuleIndex  *former = rules->patch;

	rules->patch = patch;
	if (patch)
		link_index(rules, patch);
	if (former)
		MemoryContextDelete(former->context);
}

/*
 * set_nodes replaces the nodes.
 */
static void
set_nodes(Ruleset *rules, StoredNodes *nodes)
{
	StoredNodes *former = rules->stored_nodes;

	if (nodes == former)
		return;
	MemoryContextSetParent(nodes->context, rules->context);
	rules->stored_nodes = nodes;
	rules->nodes = NULL;
	rules->node_count = 0;
	MemoryContextDelete(former->context);
}

/*
 * patch brings a rule set up to date; false where too much is new.
 */
static bool
patch(Ruleset *rules, const Reading *reading)
{
	StoredNodes *nodes = rules->stored_nodes;
	RulesFound	found = {0};
	RuleIndex  *index = NULL;

	if (!nodes_are_current(nodes, reading->model, reading->snapshot))
		nodes = nodes_read(reading->model, reading->snapshot);
	if (!rules_read_again(rules->object.object, nodes, reading->snapshot, rules->stored_rules, &found) ||
		!may_patch(rules, &found))
		return false;
	if (found.count > 0)
		index = index_compile(reading->rel, rules->object.owner, &rules->settings, found.texts, found.count);
	rules->whole = false;
	set_nodes(rules, nodes);
	if (mark_used(nodes, rules->stored_rules, &found))
		take_nodes(rules);
	place_texts(rules, &found);
	for (int i = 0; i < found.count; i++)
		index->rules[i].node = found.texts[i].node;
	place_rules(rules, &found);
	set_patch(rules, index);
	return true;
}

/*
 * ruleset_update makes a rule set current again. False where it has to be compiled
 * anew; an error leaves it unfit for use. Needs an SPI connection.
 */
bool
ruleset_update(Ruleset *rules, const ObjectInfo *object)
{
	Reading		reading;
	bool		updated;

	reading_begin(&reading, object->object);
	updated = is_comparable(rules, object, &reading) && patch(rules, &reading);
	reading_end(&reading);
	if (!updated)
		return false;
	rules->object = *object;
	rules->valid = true;
	return true;
}

/*
 * ruleset_size counts the rules.
 */
int
ruleset_size(const Ruleset *rules)
{
	int			count = rules->patch ? rules->patch->rule_count : 0;

	for (int i = 0; i < rules->index->rule_count; i++)
		count += rules->index->rules[i].node >= 0;
	return count;
}
