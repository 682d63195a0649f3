/*
 * answer.c
 *		What would have to change for a record to come to a node, here and in the
 *		records above it.
 *
 * Exclusions and decisions by hand that stand in the way count as undone. Then a
 * change of the record's own columns is looked for (remedy.c): by which its rules
 * give it the node, or let it have the one of the record above. If there is none, the
 * record above is asked the same, and what it would then have is taken for what it
 * has: so the engine proves each step of a chain. A deal with rules of its own may
 * do with a node above the one asked for, so all of these are tried.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"

#include "base/catalog.h"
#include "base/session.h"
#include "explain/advice.h"
#include "explain/answer.h"
#include "explain/remedy.h"

/* What is asked. */
typedef struct Question
{
	Oid			object;
	const char *key;
	const Territory *path;
	int32		node_id;
	int			node;			/* its index, or -1 */
	Answer	   *answer;
} Question;

/* A way to reach it. */
typedef struct Way
{
	bool		tried;
	bool		proven;
	int			columns;
	Remedy		remedy;			/* of the record itself; needed: it is part of the way */
	bool		needed;
	List	   *obstacles;		/* not found: Advice on what stands in the way */
	const Territory *above_path;	/* NULL: the record above has what is needed */
	Answer	   *above;
	PairList	pairs;			/* proven: what the record has then by rules */
} Way;

/*
 * keep_better keeps the better one of two ways: one that is proven, the one with
 * fewer columns; of others one with conditions to be met.
 */
static void
keep_better(Way *best, const Way *way)
{
	if (!best->tried ||
		(way->proven && (!best->proven || way->columns < best->columns)) ||
		(!best->proven && way->remedy.found && !best->remedy.found))
		*best = *way;
	best->tried = true;
}

/*
 * priority_of is the node's, by the rules or by the record above.
 */
static int
priority_of(const Inquiry *inquiry, const Question *question)
{
	const Held *held = held_find(&inquiry->above.held, question->node_id);

	if (question->node >= 0)
		return inquiry->rules->nodes[question->node].priority;
	return held ? held->priority : 0;
}

/*
 * may_aim tells whether the node can be had in a way, as far as what is above the
 * record says.
 */
static bool
may_aim(const Inquiry *inquiry, const Question *question, Aim aim)
{
	const ObjectInfo *object = &inquiry->rules->object;
	bool		has = above_counts(&inquiry->above) && held_find(&inquiry->above.held, question->node_id) != NULL;

	if (object->kind == KIND_CONTACT)
		return false;
	if (object->kind == KIND_DEAL && aim == AIM_RULES)
		return question->node >= 0 && deal_is_below_parent(inquiry->above.inheritance, 0, question->path);
	if (object->kind != KIND_DEAL && inquiry->above.named && object->family_mode == FAMILY_ALL)
		return false;
	return aim == AIM_RULES ? question->node >= 0 : has;
}

/* What search works on. */
typedef struct SearchWork
{
	Objective	objective;
	Remedy		remedy;
} SearchWork;

static void
search(Inquiry *inquiry, void *arg)
{
	SearchWork *work = arg;

	work->remedy = remedy_find(&work->objective);
}

/*
 * try_aims looks for changes of the record itself, beside what a way has already.
 */
static void
try_aims(Inquiry *inquiry, const Question *question, const Way *begun, Way *best)
{
	for (Aim aim = AIM_RULES; aim <= AIM_ABOVE; aim++)
	{
		SearchWork	work = {{inquiry, aim, question->node_id, question->node, priority_of(inquiry, question)}};
		Way			way = *begun;

		if (!may_aim(inquiry, question, aim))
			continue;
		inquiry_match(inquiry, search, &work);
		way.tried = way.needed = true;
		way.remedy = work.remedy;
		way.proven = work.remedy.proven;
		way.columns += bms_num_members(work.remedy.columns);
		way.pairs = work.remedy.pairs;
		if (!work.remedy.found && work.remedy.dead < 0)
			way.obstacles = advice_obstacles(NIL, inquiry, question->node_id, work.objective.priority);
		keep_better(best, &way);
	}
}

/*
 * try_above asks the record above for a node, and goes on with what it would have.
 */
static void
try_above(Inquiry *inquiry, const Question *question, const Territory *path, int32 node_id, Way *best)
{
	Way			way = {.tried = true,.above_path = path};

	way.above = answer_find(inquiry->rules->object.above, inquiry->above.key, path, node_id);
	way.columns = way.above->columns;
	if (!way.above->reached)
	{
		keep_better(best, &way);
		return;
	}
	above_suppose(&inquiry->above, way.above->pairs, way.above->pair_count);
	inquiry_match(inquiry, inquiry_decide, NULL);
	if (outcome_find(&inquiry->outcome, question->node_id) != NULL)
	{
		way.proven = true;
		way.pairs = inquiry->outcome.pairs;
		keep_better(best, &way);
	}
	else
		try_aims(inquiry, question, &way, best);
}

/* A node that the record above might have. */
typedef struct Wish
{
	int32		node_id;
	Territory  *path;
} Wish;

/*
 * list_wishes lists the node and, if they do too, those above it, the deepest first.
 */
static List *
list_wishes(const Inquiry *inquiry, const Question *question)
{
	Oid			types[2] = {INT4OID, BOOLOID};
	Datum		values[2] = {Int32GetDatum(question->node_id),
		BoolGetDatum(inquiry->rules->object.kind == KIND_DEAL && question->node >= 0)};
	List	   *wishes = NIL;
	SessionRole role;

	session_become(&role, catalog_owner());
	session_execute("SELECT a.id, a.path FROM territory.node n"
					"  JOIN territory.node a ON a.model_id OPERATOR(pg_catalog.=) n.model_id"
					"   AND a.path OPERATOR(territory.@>) n.path"
					" WHERE n.id OPERATOR(pg_catalog.=) $1 AND (a.id OPERATOR(pg_catalog.=) n.id OR $2) ORDER BY a.path DESC",
					SPI_OK_SELECT, 2, types, values, NULL);
	session_restore_role(&role);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Wish	   *wish = palloc(sizeof(Wish));
		bool		isnull;

		wish->node_id = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull));
		wish->path = (Territory *) PG_DETOAST_DATUM_COPY(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2, &isnull));
		wishes = lappend(wishes, wish);
	}
	SPI_freetuptable(SPI_tuptable);
	return wishes;
}

/*
 * try_wishes asks the record above for all nodes that would do. What is known of
 * it is put back.
 */
static void
try_wishes(Inquiry *inquiry, const Question *question, Way *best)
{
	HeldList	held = inquiry->above.held;
	ListCell   *cell;

	foreach(cell, list_wishes(inquiry, question))
	{
		const Wish *wish = lfirst(cell);

		if (held_find(&held, wish->node_id) == NULL)
			try_above(inquiry, question, wish->path, wish->node_id, best);
	}
	above_restore(&inquiry->above);
	inquiry_match(inquiry, inquiry_decide, NULL);
}

/*
 * lift_exclusions lets the exclusions from the node count no longer, and says so;
 * returns whether there were any.
 */
static bool
lift_exclusions(Inquiry *inquiry, const Question *question)
{
	Premise    *premise = &inquiry->premise;
	Exclusion  *left = palloc(Max(premise->excluded.count, 1) * sizeof(Exclusion));
	int			count = 0;

	for (int i = 0; i < inquiry->ban_count; i++)
	{
		const Ban  *ban = &inquiry->bans[i];

		if (ban->node_id == EVERY_NODE || ban->node_id == question->node_id)
			question->answer->points = advice_lift(question->answer->points, inquiry, question->path, ban);
	}
	for (int i = 0; i < premise->excluded.count; i++)
	{
		if (!exclusion_covers(&premise->excluded.exclusions[i], 1, question->node_id))
			left[count++] = premise->excluded.exclusions[i];
	}
	premise->excluded = (Slice) {left, count};
	return question->answer->points != NIL;
}

/*
 * release_deal lets a deal's pairs by hand with other nodes be as if they were not,
 * and says so.
 */
static void
release_deal(Inquiry *inquiry, const Question *question)
{
	Premise    *premise = &inquiry->premise;
	StoredPair *left = palloc(Max(premise->stored_count, 1) * sizeof(StoredPair));
	int			count = 0;

	for (int i = 0; i < premise->stored_count; i++)
	{
		const StoredPair *pair = &premise->stored[i];
		const Held *held = held_find(&inquiry->held, pair->node_id);

		if (pair->manual)
			question->answer->points = advice_release(question->answer->points, inquiry, question->path, held);
		if (pair->manual && pair->rule_id == 0)
			continue;
		left[count] = *pair;
		left[count++].manual = false;
	}
	premise->stored = left;
	premise->stored_count = count;
}

/*
 * reach notes that the node is reached, and what the record then has: by rules, and
 * by hand.
 */
static void
reach(const Inquiry *inquiry, const PairList *pairs, int columns, Answer *answer)
{
	const Premise *premise = &inquiry->premise;

	answer->reached = true;
	answer->columns = columns;
	answer->pairs = palloc0((pairs->count + premise->stored_count + 1) * sizeof(StoredPair));
	for (int i = 0; i < pairs->count; i++)
		answer->pairs[answer->pair_count++] = (StoredPair) {.node_id = pairs->pairs[i].node_id,.rule_id = pairs->pairs[i].rule_id};
	for (int i = 0; i < premise->stored_count; i++)
	{
		const StoredPair *stored = &premise->stored[i];
		bool		listed = false;

		for (int k = 0; k < pairs->count; k++)
			listed |= pairs->pairs[k].node_id == stored->node_id;
		if (stored->manual && !listed)
			answer->pairs[answer->pair_count++] = (StoredPair) {.node_id = stored->node_id,.manual = true};
	}
	qsort(answer->pairs, answer->pair_count, sizeof(StoredPair), pair_compare_stored);
}

/*
 * say_way adds the points of the best way, or what there is to say where none
 * leads there.
 */
static void
say_way(const Inquiry *inquiry, const Question *question, const Way *best)
{
	Answer	   *answer = question->answer;

	if (best->above_path != NULL)
	{
		answer->points = advice_above(answer->points, inquiry, best->above_path, best->proven);
		answer->points = list_concat(answer->points, best->above ? best->above->points : NIL);
	}
	if (best->needed && best->obstacles == NIL)
		answer->points = advice_remedy(answer->points, inquiry, question->path, &best->remedy);
	answer->points = list_concat(answer->points, best->obstacles);
	if (best->proven)
		reach(inquiry, &best->pairs, best->columns, answer);
}

/*
 * lacks_rules tells whether a rule of the node's own would do, if it had one.
 */
static bool
lacks_rules(const Inquiry *inquiry, const Question *question)
{
	const Above *above = &inquiry->above;
	ObjectKind	kind = inquiry->rules->object.kind;

	if (question->node >= 0 || kind == KIND_CONTACT)
		return false;
	return kind == KIND_DEAL ? deal_is_below_parent(above->inheritance, 0, question->path) : !above->named;
}

/*
 * find_way looks for the best way from the record as it is.
 */
static void
find_way(Inquiry *inquiry, const Question *question)
{
	Answer	   *answer = question->answer;
	Way			best = {0};
	Way			none = {0};

	try_aims(inquiry, question, &none, &best);
	if (!best.proven && above_counts(&inquiry->above))
	{
		if (inquiry->above.readable)
			try_wishes(inquiry, question, &best);
		else if (!best.tried)
			best.above_path = question->path;
	}
	if (!best.proven && !best.needed && lacks_rules(inquiry, question))
		answer->points = advice_rules(answer->points, inquiry, question->path, question->node_id);
	say_way(inquiry, question, &best);
}

/*
 * answer_record answers the question for a record.
 */
static void
answer_record(Inquiry *inquiry, void *arg)
{
	Question   *question = arg;
	ObjectKind	kind = inquiry->rules->object.kind;
	const Held *held = held_find(&inquiry->held, question->node_id);
	bool		banned = lift_exclusions(inquiry, question);

	question->node = inquiry_node_index(inquiry, question->node_id);
	if (kind == KIND_DEAL && (banned || held == NULL || !held->manual))
		release_deal(inquiry, question);
	inquiry_match(inquiry, inquiry_decide, NULL);
	if ((!banned && held != NULL && held->manual) || outcome_find(&inquiry->outcome, question->node_id) != NULL)
		reach(inquiry, &inquiry->outcome.pairs, 0, question->answer);
	else if ((kind == KIND_CONTACT || kind == KIND_DEAL) && !above_counts(&inquiry->above))
		question->answer->points = advice_no_parent(question->answer->points, inquiry, question->path, question->node >= 0);
	else
		find_way(inquiry, question);
}

/*
 * answer_find answers a question.
 */
Answer *
answer_find(Oid object, const char *key, const Territory *path, int32 node_id)
{
	Question	question = {object, key, path, node_id};

	check_stack_depth();
	question.answer = palloc0(sizeof(Answer));
	inquiry_visit(object, key, answer_record, &question);
	return question.answer;
}
