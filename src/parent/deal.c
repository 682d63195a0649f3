/*
 * deal.c
 *		Which one node a deal has.
 *
 * The candidates are the deepest nodes with true deal rules that are nodes of the
 * parent or stand below one; where there is none, the parent's own nodes. Of several
 * the highest priority decides, then that the deal's owner is a member of the node
 * today. Where that leaves more than one, the deal has none. Only nodes of the
 * active model count.
 *
 * A node given by hand is the deal's, whatever the rules say. A closed deal keeps
 * the node that it has, while that belongs to the active model; only what happens to
 * the deal itself (it is opened again, or belongs to another parent) makes it be
 * chosen anew, and the caller says so.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "base/catalog.h"
#include "base/session.h"
#include "parent/deal.h"

/* A node of the active model, or (path NULL) one that is not. */
typedef struct DealNode
{
	int32		id;
	Territory  *path;
	int			priority;
	char		status;
} DealNode;

#define SH_PREFIX		deal_nodes
#define SH_ELEMENT_TYPE	DealNode
#define SH_KEY_TYPE		int32
#define SH_KEY			id
#define SH_HASH_KEY(tb, key) murmurhash32(key)
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE		static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* A person with the nodes that it is a member of. */
typedef struct Person
{
	const char *name;
	int			count;
	int32	   *nodes;			/* ascending */
	char		status;
} Person;

#define SH_PREFIX		people
#define SH_ELEMENT_TYPE	Person
#define SH_KEY_TYPE		const char *
#define SH_KEY			name
#define SH_HASH_KEY(tb, key) hash_bytes((const unsigned char *) (key), strlen(key))
#define SH_EQUAL(tb, a, b) (strcmp(a, b) == 0)
#define SH_SCOPE		static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct DealChoice
{
	MemoryContext context;		/* of all of it */
	deal_nodes_hash *nodes;
	people_hash *people;
};

/*
 * unknown_nodes lists nodes that are not known yet, and notes them as not there.
 */
static int
unknown_nodes(struct DealChoice *deals, const StoredPair *pairs, int count, Datum *ids)
{
	int			unknown = 0;

	for (int i = 0; i < count; i++)
	{
		bool		known;
		DealNode   *node = deal_nodes_insert(deals->nodes, pairs[i].node_id, &known);

		if (known)
			continue;
		node->path = NULL;
		ids[unknown++] = Int32GetDatum(pairs[i].node_id);
	}
	return unknown;
}

/*
 * deal_know_nodes reads the nodes of pairs.
 */
void
deal_know_nodes(Inheritance *inheritance, const StoredPair *pairs, int count)
{
	static KeptStatement find = {
		"SELECT n.id, n.path, n.priority FROM territory.node n"
		"  JOIN territory.model m ON m.id OPERATOR(pg_catalog.=) n.model_id AND m.state OPERATOR(pg_catalog.=) 'active'"
		" WHERE n.id OPERATOR(pg_catalog.=) ANY ($1)",
		SPI_OK_SELECT, 1, {INT4ARRAYOID},
		.looks_up = true
	};
	struct DealChoice *deals = inheritance->deals;
	Datum	   *ids = palloc(Max(count, 1) * sizeof(Datum));
	Datum		values[1];
	SessionRole role;
	int			unknown;

	if (deals == NULL)
	{
		deals = inheritance->deals = palloc0(sizeof(struct DealChoice));
		deals->context = CurrentMemoryContext;
		deals->nodes = deal_nodes_create(CurrentMemoryContext, 16, NULL);
		deals->people = people_create(CurrentMemoryContext, 16, NULL);
	}
	unknown = unknown_nodes(deals, pairs, count, ids);
	if (unknown == 0)
		return;
	values[0] = PointerGetDatum(construct_array(ids, unknown, INT4OID, 4, true, TYPALIGN_INT));
	session_become(&role, catalog_owner());
	session_execute_kept(&find, values, NULL);
	session_restore_role(&role);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		bool		isnull;
		DealNode   *node = deal_nodes_lookup(deals->nodes,
											 DatumGetInt32(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull)));

		node->path = (Territory *) PG_DETOAST_DATUM_COPY(SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &isnull));
		node->priority = DatumGetInt32(SPI_getbinval(row, SPI_tuptable->tupdesc, 3, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
}

/*
 * find_node returns a node of the active model, or NULL.
 */
static const DealNode *
find_node(const Inheritance *inheritance, int32 id)
{
	DealNode   *node = deal_nodes_lookup(inheritance->deals->nodes, id);

	return node != NULL && node->path != NULL ? node : NULL;
}

/*
 * deal_is_below_parent tells whether a path is one of the parent's nodes or below
 * one.
 */
bool
deal_is_below_parent(const Inheritance *inheritance, int record, const Territory *path)
{
	int			group = inheritance->group[record];

	for (int i = inheritance->begin[group]; i < inheritance->begin[group + 1]; i++)
	{
		const DealNode *node = find_node(inheritance, inheritance->pairs[i].node_id);

		if (node != NULL && territory_contains(node->path, path))
			return true;
	}
	return false;
}

/*
 * by_rules lists the deepest nodes below the parent's whose rules are true.
 */
static int
by_rules(const Inheritance *inheritance, int record, Match *matches, int count, DealCandidate *candidates)
{
	Ruleset    *rules = inheritance->rules;
	int			found = 0;

	for (int i = 0; i < count; i++)
	{
		if (deal_is_below_parent(inheritance, record, rules->nodes[matches[i].node].path))
			matches[found++] = matches[i];
	}
	found = match_select(rules, matches, found);
	for (int i = 0; i < found; i++)
	{
		const RuleNode *node = &rules->nodes[matches[i].node];

		candidates[i] = (DealCandidate) {node->id, matches[i].rule_id, node->priority, .by_rule = true};
	}
	return found;
}

/*
 * by_parent lists the parent's own nodes.
 */
static int
by_parent(const Inheritance *inheritance, int record, const Slice *excluded, DealCandidate *candidates)
{
	int			group = inheritance->group[record];
	int			found = 0;

	for (int i = inheritance->begin[group]; i < inheritance->begin[group + 1]; i++)
	{
		const StoredPair *pair = &inheritance->pairs[i];
		const DealNode *node = find_node(inheritance, pair->node_id);

		if (node != NULL && !exclusion_covers(excluded->exclusions, excluded->count, pair->node_id))
			candidates[found++] = (DealCandidate) {pair->node_id, pair->rule_id, node->priority};
	}
	return found;
}

/*
 * judge_priorities lets only the candidates of the highest priority go on; returns
 * their number.
 */
static int
judge_priorities(DealCandidate *candidates, int count)
{
	int			left = 0;
	int			highest = PG_INT32_MIN;

	for (int i = 0; i < count; i++)
		highest = Max(highest, candidates[i].priority);
	for (int i = 0; i < count; i++)
	{
		candidates[i].fate = candidates[i].priority == highest ? DEAL_TIED : DEAL_LOWER_PRIORITY;
		left += candidates[i].fate == DEAL_TIED;
	}
	return left;
}

/*
 * read_person reads the nodes of which somebody is a member today, by the model's
 * time zone.
 */
static void
read_person(const Inheritance *inheritance, Person *person)
{
	static KeptStatement find = {
		"SELECT DISTINCT node_id FROM territory.member WHERE member OPERATOR(pg_catalog.=) $1"
		"   AND coalesce(starts OPERATOR(pg_catalog.<=) current_date, true)"
		"   AND coalesce(ends OPERATOR(pg_catalog.>) current_date, true) ORDER BY 1",
		SPI_OK_SELECT, 1, {TEXTOID},
		.looks_up = true
	};
	Datum		values[1] = {CStringGetTextDatum(person->name)};
	int			pin = session_pin(&inheritance->rules->settings, PIN_TIME);
	SessionRole role;

	session_become(&role, catalog_owner());
	session_execute_kept(&find, values, NULL);
	session_restore_role(&role);
	session_unpin(pin);
	person->count = (int) SPI_processed;
	person->nodes = MemoryContextAlloc(inheritance->deals->context, Max(person->count, 1) * sizeof(int32));
	for (int i = 0; i < person->count; i++)
	{
		bool		isnull;

		person->nodes[i] = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
}

/*
 * find_person returns a person of this name.
 */
static const Person *
find_person(const Inheritance *inheritance, const char *name)
{
	bool		known;
	Person	   *person = people_insert(inheritance->deals->people, name, &known);

	if (known)
		return person;
	person->name = MemoryContextStrdup(inheritance->deals->context, name);
	read_person(inheritance, person);
	return person;
}

static int
compare_ids(const void *a, const void *b)
{
	int32		x = *(const int32 *) a;
	int32		y = *(const int32 *) b;

	return (x > y) - (x < y);
}

/*
 * judge_members lets, of those, only the candidates go on of which the deal's owner
 * is a member, unless there is none; returns their number.
 */
static int
judge_members(const Inheritance *inheritance, const char *owner, DealCandidate *candidates, int count, int left)
{
	const Person *person;
	int			own = 0;

	if (owner == NULL)
		return left;
	person = find_person(inheritance, owner);
	for (int i = 0; i < count; i++)
	{
		candidates[i].is_owners = bsearch(&candidates[i].node_id, person->nodes, person->count,
										  sizeof(int32), compare_ids) != NULL;
		own += candidates[i].fate == DEAL_TIED && candidates[i].is_owners;
	}
	if (own == 0)
		return left;
	for (int i = 0; i < count; i++)
	{
		if (candidates[i].fate == DEAL_TIED && !candidates[i].is_owners)
			candidates[i].fate = DEAL_NOT_OWNERS;
	}
	return own;
}

/*
 * deal_judge lists the candidates and says what becomes of each.
 */
int
deal_judge(Inheritance *inheritance, int record, Match *matches, int count,
		   const Slice *excluded, DealCandidate **candidates)
{
	int			group = inheritance->group[record];
	int			found;
	int			left;

	*candidates = NULL;
	if (group < 0)
		return 0;
	*candidates = palloc0((count + inheritance->begin[group + 1] - inheritance->begin[group] + 1) * sizeof(DealCandidate));
	found = by_rules(inheritance, record, matches, count, *candidates);
	if (found == 0)
		found = by_parent(inheritance, record, excluded, *candidates);
	left = judge_priorities(*candidates, found);
	if (left > 1)
		left = judge_members(inheritance, inheritance->links[record].owner, *candidates, found, left);
	for (int i = 0; left == 1 && i < found; i++)
	{
		if ((*candidates)[i].fate == DEAL_TIED)
			(*candidates)[i].fate = DEAL_CHOSEN;
	}
	return found;
}

/*
 * deal_wanted appends the candidate that is chosen.
 */
int
deal_wanted(Inheritance *inheritance, int record, Datum key, Match *matches, int count,
			const Slice *excluded, PairList *wanted)
{
	DealCandidate *candidates;
	int			before = wanted->count;

	count = deal_judge(inheritance, record, matches, count, excluded, &candidates);
	for (int i = 0; i < count; i++)
	{
		if (candidates[i].fate == DEAL_CHOSEN)
			pair_append(wanted, key, candidates[i].node_id, candidates[i].rule_id, NULL);
	}
	if (candidates)
		pfree(candidates);
	return wanted->count - before;
}

/*
 * find_stored returns a stored pair of the active model that is not excluded: the
 * first, or the first by hand.
 */
static const StoredPair *
find_stored(const Inheritance *inheritance, const StoredPair *stored, int count, const Slice *excluded, bool manual)
{
	for (int i = 0; i < count; i++)
	{
		if ((stored[i].manual || !manual) && find_node(inheritance, stored[i].node_id) != NULL &&
			!exclusion_covers(excluded->exclusions, excluded->count, stored[i].node_id))
			return &stored[i];
	}
	return NULL;
}

/*
 * is_by_hand tells whether a node is the deal's by hand.
 */
static bool
is_by_hand(const StoredPair *stored, int count, int32 node_id)
{
	for (int i = 0; i < count; i++)
	{
		if (stored[i].node_id == node_id)
			return stored[i].manual;
	}
	return false;
}

/*
 * deal_settle lets stored pairs count.
 */
DealSettlement
deal_settle(Inheritance *inheritance, int record, Datum key, bool keeps, const StoredPair *stored,
			int stored_count, const Slice *excluded, PairList *wanted)
{
	const StoredPair *kept;

	if (find_stored(inheritance, stored, stored_count, excluded, true) != NULL)
	{
		if (wanted->count > 0 && !is_by_hand(stored, stored_count, wanted->pairs[0].node_id))
			wanted->count = 0;
		return DEAL_BY_HAND;
	}
	if (!keeps || !inheritance->links[record].closed || !inheritance->rules->object.freeze)
		return DEAL_OPEN;
	kept = find_stored(inheritance, stored, stored_count, excluded, false);
	if (kept == NULL)
		return DEAL_OPEN;
	wanted->count = 0;
	pair_append(wanted, key, kept->node_id, kept->rule_id, NULL);
	return DEAL_KEPT;
}
