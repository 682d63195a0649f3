/*
 * figures.c
 *		territory.forecast_figures(): what of a forecast belongs to each node, or to
 *		each person in it, and period, with what lies below it.
 *
 * The dates between which nothing begins or ends are slots; each deal is in one slot,
 * and each slot in one period of a kind at most. SQL groups the deals by node, slot
 * and category, which is one hash aggregate over them; what comes out is added to the
 * periods of the slot, and then, from the last node of the tree to the first, each
 * node's total to its parent's: parents come before their children in tree order. So
 * a deal is added once to its own node and once to each node above.
 *
 * A place is a node, or a node and a person, who has a total of his own up the tree.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/memutils.h"

#include "forecast/deals.h"
#include "forecast/decimal.h"
#include "forecast/definition.h"
#include "type/territory.h"

PG_FUNCTION_INFO_V1(territory_forecast_figures);

/* what is summed beside the categories: credit of overlays, of closed and of open deals */
#define OVERLAY_CLOSED	(CATEGORY_UNKNOWN + 1)
#define OVERLAY_OPEN	(CATEGORY_UNKNOWN + 2)
#define SUMS			(CATEGORY_UNKNOWN + 3)

/* The figures of a place and period. */
typedef struct Cell
{
	int64		deals[SUMS];
	DecimalSum	value[SUMS];
	DecimalSum	weighted;
	int64		no_rate;		/* deals whose value is not known */
	int64		unknown_category;
	int64		bad_probability;
} Cell;

/* What is said of a place and period. */
typedef struct Goal
{
	Numeric		target;			/* NULL: none */
	DecimalSum	sub_targets;	/* of the children */
	DecimalSum	member_targets;
	DecimalSum	own_adjustment;
	DecimalSum	adjustment;		/* with those below */
	bool		has_sub_targets;
	bool		has_member_targets;
} Goal;

typedef struct TreeNode
{
	int32		id;
	int			parent;			/* number in the list; -1: none */
	Datum		path;
	int			depth;
} TreeNode;

typedef struct CalendarPeriod
{
	Datum		columns[5];		/* id, name, kind, starts, ends */
	int			first_slot;
	int			last_slot;
} CalendarPeriod;

/* A node, or a person in one. */
typedef struct Place
{
	int			node;			/* number; that behind the last: deals without a territory */
	int			member;			/* number; of no person in particular: 0 */
	int			parent;			/* number; -1: none */
	Cell	  **own;			/* by period; NULL: nothing yet */
	Cell	  **total;
	Goal	  **goals;
} Place;

/* The number of a node by its id. */
typedef struct NodeNumber
{
	int32		id;
	int			number;
	char		status;
} NodeNumber;

#define SH_PREFIX		node_numbers
#define SH_ELEMENT_TYPE	NodeNumber
#define SH_KEY_TYPE		int32
#define SH_KEY			id
#define SH_HASH_KEY(tb, key) murmurhash32(key)
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE		static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* The number of a person by name. */
typedef struct MemberNumber
{
	const char *name;
	int			number;
	char		status;
} MemberNumber;

#define SH_PREFIX		member_numbers
#define SH_ELEMENT_TYPE	MemberNumber
#define SH_KEY_TYPE		const char *
#define SH_KEY			name
#define SH_HASH_KEY(tb, key) hash_bytes((const unsigned char *) (key), strlen(key))
#define SH_EQUAL(tb, a, b) (strcmp(a, b) == 0)
#define SH_SCOPE		static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* The number of a place by node and person. */
typedef struct PlaceNumber
{
	uint64		key;
	int			number;
	char		status;
} PlaceNumber;

#define SH_PREFIX		place_numbers
#define SH_ELEMENT_TYPE	PlaceNumber
#define SH_KEY_TYPE		uint64
#define SH_KEY			key
#define SH_HASH_KEY(tb, key) hash_bytes((const unsigned char *) &(key), sizeof(uint64))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE		static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* One call. */
typedef struct Figures
{
	MemoryContext context;
	ForecastDefinition *definition;
	bool		by_member;
	int			node_count;
	TreeNode   *nodes;
	node_numbers_hash *node_numbers;
	int			period_count;
	CalendarPeriod *periods;
	int			slot_count;
	Datum		boundaries;		/* date[] */
	int			member_count;
	int			member_room;
	const char **members;		/* names; that of 0 is NULL */
	member_numbers_hash *member_numbers;
	int			place_count;
	int			place_room;
	Place	   *places;
	place_numbers_hash *place_numbers;
} Figures;

/*
 * row_value returns a column of a row of the last query, copied if it is no number.
 */
static Datum
row_value(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

/*
 * load_nodes reads a model's tree.
 */
static void
load_nodes(Figures *figures, int32 model)
{
	Oid			types[1] = {INT4OID};
	Datum		values[1] = {Int32GetDatum(model)};

	definition_query("SELECT id, parent_id, path FROM territory.node WHERE model_id OPERATOR(pg_catalog.=) $1 ORDER BY path",
					 1, types, values, NULL);
	figures->node_count = (int) SPI_processed;
	figures->nodes = palloc((figures->node_count + 1) * sizeof(TreeNode));
	figures->node_numbers = node_numbers_create(CurrentMemoryContext, figures->node_count + 1, NULL);
	for (int i = 0; i < figures->node_count; i++)
	{
		TreeNode   *node = &figures->nodes[i];
		bool		isnull;
		bool		found;
		Datum		parent = row_value(i, 2, &isnull);
		NodeNumber *above = isnull ? NULL : node_numbers_lookup(figures->node_numbers, DatumGetInt32(parent));

		node->id = DatumGetInt32(row_value(i, 1, &isnull));
		node->parent = above ? above->number : -1;
		node->path = PointerGetDatum(PG_DETOAST_DATUM_COPY(row_value(i, 3, &isnull)));
		node->depth = territory_nlevel((Territory *) DatumGetPointer(node->path));
		node_numbers_insert(figures->node_numbers, node->id, &found)->number = i;
	}
	SPI_freetuptable(SPI_tuptable);
}

/*
 * slot_of returns the number of the slot that begins on a date.
 */
static int
slot_of(const DateADT *boundaries, int count, DateADT date)
{
	int			low = 0;

	while (count > 1)
	{
		int			half = count / 2;

		if (boundaries[low + half] <= date)
		{
			low += half;
			count -= half;
		}
		else
			count = half;
	}
	return low + 1;
}

/*
 * load_boundaries reads the dates on which periods begin or end.
 */
static DateADT *
load_boundaries(Figures *figures, int *count)
{
	DateADT    *dates;
	Datum	   *elements;
	bool		isnull;

	definition_query("SELECT starts AS day FROM territory.period UNION SELECT ends FROM territory.period ORDER BY day", 0, NULL, NULL, NULL);
	*count = (int) SPI_processed;
	dates = palloc((*count + 1) * sizeof(DateADT));
	elements = palloc((*count + 1) * sizeof(Datum));
	for (int i = 0; i < *count; i++)
	{
		elements[i] = row_value(i, 1, &isnull);
		dates[i] = DatumGetDateADT(elements[i]);
	}
	figures->boundaries = PointerGetDatum(construct_array(elements, *count, DATEOID, sizeof(DateADT), true, TYPALIGN_INT));
	figures->slot_count = Max(*count - 1, 0);
	SPI_freetuptable(SPI_tuptable);
	return dates;
}

/*
 * load_periods reads the calendar.
 */
static void
load_periods(Figures *figures)
{
	int			boundary_count;
	DateADT    *boundaries = load_boundaries(figures, &boundary_count);
	bool		isnull;

	definition_query("SELECT id, name, kind, starts, ends FROM territory.period ORDER BY starts, ends DESC, id", 0, NULL, NULL, NULL);
	figures->period_count = (int) SPI_processed;
	figures->periods = palloc((figures->period_count + 1) * sizeof(CalendarPeriod));
	for (int i = 0; i < figures->period_count; i++)
	{
		CalendarPeriod *period = &figures->periods[i];

		for (int c = 0; c < 5; c++)
		{
			period->columns[c] = row_value(i, 1 + c, &isnull);
			if (c == 1 || c == 2)
				period->columns[c] = PointerGetDatum(PG_DETOAST_DATUM_COPY(period->columns[c]));
		}
		period->first_slot = slot_of(boundaries, boundary_count, DatumGetDateADT(period->columns[3]));
		period->last_slot = slot_of(boundaries, boundary_count, DatumGetDateADT(period->columns[4])) - 1;
	}
	SPI_freetuptable(SPI_tuptable);
}

/*
 * find_member returns the number of a person; NULL: 0.
 */
static int
find_member(Figures *figures, const char *name)
{
	MemberNumber *member;
	bool		found;

	if (name == NULL || !figures->by_member)
		return 0;
	member = member_numbers_lookup(figures->member_numbers, name);
	if (member != NULL)
		return member->number;
	if (figures->member_count == figures->member_room)
	{
		figures->member_room *= 2;
		figures->members = repalloc(figures->members, figures->member_room * sizeof(char *));
	}
	name = MemoryContextStrdup(figures->context, name);
	figures->members[figures->member_count] = name;
	member_numbers_insert(figures->member_numbers, name, &found)->number = figures->member_count;
	return figures->member_count++;
}

/*
 * find_place returns the number of a place, which is made if it is not there, and with
 * it those above.
 */
static int
find_place(Figures *figures, int node, int member)
{
	int			number = -1;
	int			above = -1;

	/* from the node up to the first that is there; each new one becomes the parent's of the one before */
	while (node >= 0)
	{
		bool		found;
		PlaceNumber *place = place_numbers_insert(figures->place_numbers, ((uint64) node << 32) | (uint32) member, &found);

		if (!found)
		{
			if (figures->place_count == figures->place_room)
			{
				figures->place_room *= 2;
				figures->places = repalloc_huge(figures->places, figures->place_room * sizeof(Place));
			}
			place->number = figures->place_count;
			figures->places[figures->place_count++] = (Place) {.node = node,.member = member,.parent = -1};
		}
		if (number < 0)
			number = place->number;
		if (above >= 0)
			figures->places[above].parent = place->number;
		if (found)
			break;
		above = place->number;
		node = node < figures->node_count ? figures->nodes[node].parent : -1;
	}
	return number;
}

/*
 * find_node returns the number of a node; one that is none of the tree's, and none at
 * all, is the place of what has no territory.
 */
static int
find_node(const Figures *figures, Datum id, bool isnull)
{
	NodeNumber *node = isnull ? NULL : node_numbers_lookup(figures->node_numbers, DatumGetInt32(id));

	return node ? node->number : figures->node_count;
}

/*
 * get_cell returns the cell of a period, a new one if there was none.
 */
static Cell *
get_cell(const Figures *figures, Cell ***cells, int period)
{
	if (*cells == NULL)
		*cells = palloc0(figures->period_count * sizeof(Cell *));
	if ((*cells)[period] == NULL)
		(*cells)[period] = palloc0(sizeof(Cell));
	return (*cells)[period];
}

/*
 * get_goal returns what is said of a period.
 */
static Goal *
get_goal(const Figures *figures, int place, int period)
{
	Goal	 ***goals = &figures->places[place].goals;

	if (*goals == NULL)
		*goals = palloc0(figures->period_count * sizeof(Goal *));
	if ((*goals)[period] == NULL)
		(*goals)[period] = palloc0(sizeof(Goal));
	return (*goals)[period];
}

/* ---------- what comes from the deals ---------- */

/* A receiver of groups of deals. */
typedef struct GroupReceiver
{
	DestReceiver receiver;
	Figures    *figures;
} GroupReceiver;

/* columns of a group */
enum
{
	GROUP_NODE,
	GROUP_SLOT,
	GROUP_SUM,					/* which sum it belongs to */
	GROUP_MEMBER,
	GROUP_DEALS,
	GROUP_VALUE,
	GROUP_WEIGHTED,
	GROUP_NO_RATE,
	GROUP_BAD_PROBABILITY,
	GROUP_COLUMNS
};

/*
 * add_group adds a group of deals to a cell.
 */
static void
add_group(const Figures *figures, Cell *cell, const Datum *values, const bool *nulls)
{
	int			sum = DatumGetInt32(values[GROUP_SUM]);

	if (sum == CATEGORY_UNKNOWN)
	{
		/* it counts as omitted */
		cell->unknown_category += DatumGetInt64(values[GROUP_DEALS]);
		sum = CATEGORY_OMITTED;
	}
	cell->deals[sum] += DatumGetInt64(values[GROUP_DEALS]);
	if (!nulls[GROUP_VALUE])
		decimal_sum_add(&cell->value[sum], values[GROUP_VALUE], figures->context);
	if (sum >= OVERLAY_CLOSED)
		return;
	if (!nulls[GROUP_WEIGHTED])
		decimal_sum_add(&cell->weighted, values[GROUP_WEIGHTED], figures->context);
	cell->no_rate += DatumGetInt64(values[GROUP_NO_RATE]);
	cell->bad_probability += DatumGetInt64(values[GROUP_BAD_PROBABILITY]);
}

/*
 * receive_group takes one group.
 */
static bool
receive_group(TupleTableSlot *slot, DestReceiver *self)
{
	Figures    *figures = ((GroupReceiver *) self)->figures;
	MemoryContext old = MemoryContextSwitchTo(figures->context);
	int			number;
	int			date_slot;

	slot_getallattrs(slot);
	number = find_place(figures, find_node(figures, slot->tts_values[GROUP_NODE], slot->tts_isnull[GROUP_NODE]),
						find_member(figures, figures->by_member && !slot->tts_isnull[GROUP_MEMBER] ?
									TextDatumGetCString(slot->tts_values[GROUP_MEMBER]) : NULL));
	date_slot = DatumGetInt32(slot->tts_values[GROUP_SLOT]);
	for (int p = 0; p < figures->period_count; p++)
	{
		if (figures->periods[p].first_slot <= date_slot && date_slot <= figures->periods[p].last_slot)
			add_group(figures, get_cell(figures, &figures->places[number].own, p), slot->tts_values, slot->tts_isnull);
	}
	MemoryContextSwitchTo(old);
	return true;
}

static void
receive_startup(DestReceiver *self, int operation, TupleDesc desc)
{
}

static void
receive_end(DestReceiver *self)
{
}

/*
 * run_groups runs a query for groups.
 */
static void
run_groups(Figures *figures, const char *sql, Datum nodes, Datum at, bool as_of)
{
	Oid			types[3] = {DATEARRAYOID, INT4ARRAYOID, TIMESTAMPTZOID};
	Datum		values[3] = {figures->boundaries, nodes, at};
	SPIExecuteOptions options = {.read_only = true};
	/* SPI takes a destination that is none for rows that nobody wants */
	GroupReceiver receiver = {
		{receive_group, receive_startup, receive_end, receive_end, DestTuplestore}, figures
	};
	int			pin = session_pin(&figures->definition->settings, PIN_TIME | PIN_PATH);
	SPIPlanPtr	plan = SPI_prepare(sql, lengthof(types), types);

	options.params = makeParamList(lengthof(types));
	for (int i = 0; i < lengthof(types); i++)
		options.params->params[i] = (ParamExternData) {
		.value = values[i],.isnull = i == 2 && !as_of,.pflags = PARAM_FLAG_CONST,.ptype = types[i]
	};
	options.dest = &receiver.receiver;
	if (plan == NULL || SPI_execute_plan_extended(plan, &options) != SPI_OK_SELECT)
		elog(ERROR, "could not run \"%s\"", sql);
	SPI_freeplan(plan);
	session_unpin(pin);
}

/*
 * group_deals makes the query that groups the deals of a table.
 */
static char *
group_deals(const Figures *figures, const DealTable *table, const DealQuery *query)
{
	bool		overlay = query->credit == CREDIT_OVERLAY;
	const char *member = figures->by_member ? "member" : "NULL::text";
	const char *sum = overlay ? psprintf("CASE WHEN code = 0 THEN %d WHEN code < 4 THEN %d ELSE 4 END", OVERLAY_CLOSED, OVERLAY_OPEN) : "code";
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT node_id, width_bucket(close_date, $%d), %s, %s, count(*), sum(value), sum(weighted),"
					 " count(*) - count(value), %s FROM ",
					 DEALS_BOUNDARIES, sum, member,
					 table->expressions[EXPRESSION_PROBABILITY] ? "count(*) FILTER (WHERE bad_probability)" : "0::bigint");
	deals_append(&sql, figures->definition, table, query);
	appendStringInfo(&sql, " AS s%s GROUP BY 1, 2, 3%s",
					 overlay ? " WHERE code < 4" : "", figures->by_member ? ", 4" : "");
	return sql.data;
}

/*
 * has_other_trees tells whether pairs may name nodes of another model.
 */
static bool
has_other_trees(int32 model)
{
	Oid			types[1] = {INT4OID};
	Datum		values[1] = {Int32GetDatum(model)};

	definition_query("SELECT FROM territory.node WHERE model_id OPERATOR(pg_catalog.<>) $1 LIMIT 1", 1, types, values, NULL);
	return SPI_processed > 0;
}

/*
 * load_deals reads the deals of all tables.
 */
static void
load_deals(Figures *figures, const char *model_name, int32 model, Datum at, bool as_of)
{
	DealQuery	query = {.bounded = true,.as_of = as_of,.of_nodes = as_of || has_other_trees(model)};
	Datum		nodes = definition_nodes(model_name);
	ListCell   *cell;

	if (figures->slot_count == 0)
		return;
	foreach(cell, figures->definition->tables)
	{
		query.credit = figures->by_member ? CREDIT_REVENUE : CREDIT_NONE;
		run_groups(figures, group_deals(figures, lfirst(cell), &query), nodes, at, as_of);
		if (!figures->by_member)
			continue;
		query.credit = CREDIT_OVERLAY;
		run_groups(figures, group_deals(figures, lfirst(cell), &query), nodes, at, as_of);
	}
}

/* ---------- what is said of them ---------- */

/*
 * find_period returns the number of a period, or -1.
 */
static int
find_period(const Figures *figures, int32 id)
{
	for (int i = 0; i < figures->period_count; i++)
	{
		if (DatumGetInt32(figures->periods[i].columns[0]) == id)
			return i;
	}
	return -1;
}

/*
 * add_target notes a target for its own place and for the one above.
 */
static void
add_target(Figures *figures, int node, const char *member, int period, Datum amount)
{
	int			place;
	Goal	   *goal;

	if (member != NULL && !figures->by_member)
	{
		goal = get_goal(figures, find_place(figures, node, 0), period);
		decimal_sum_add(&goal->member_targets, amount, figures->context);
		goal->has_member_targets = true;
		return;
	}
	if (member == NULL && figures->by_member)
		return;
	place = find_place(figures, node, find_member(figures, member));
	get_goal(figures, place, period)->target = DatumGetNumericCopy(amount);
	if (figures->places[place].parent < 0)
		return;
	goal = get_goal(figures, figures->places[place].parent, period);
	decimal_sum_add(&goal->sub_targets, amount, figures->context);
	goal->has_sub_targets = true;
}

/*
 * load_goals reads targets and adjustments.
 */
static void
load_goals(Figures *figures)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {CStringGetTextDatum(figures->definition->name)};

	definition_query("SELECT node_id, period_id, member, amount, true FROM territory.target WHERE metric OPERATOR(pg_catalog.=) $1"
					 " UNION ALL SELECT node_id, period_id, member, amount, false FROM territory.adjustment WHERE metric OPERATOR(pg_catalog.=) $1",
					 1, types, values, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		NodeNumber *node = node_numbers_lookup(figures->node_numbers, DatumGetInt32(row_value(i, 1, &isnull)));
		int			period = find_period(figures, DatumGetInt32(row_value(i, 2, &isnull)));
		char	   *member = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 3);
		Datum		amount = row_value(i, 4, &isnull);

		if (node == NULL || period < 0)
			continue;
		if (DatumGetBool(row_value(i, 5, &isnull)))
			add_target(figures, node->number, member, period, amount);
		else if (!figures->by_member || member != NULL)
			decimal_sum_add(&get_goal(figures, find_place(figures, node->number, find_member(figures, member)), period)->own_adjustment,
							amount, figures->context);
	}
	SPI_freetuptable(SPI_tuptable);
}

/*
 * load_members makes a place for each person in a node of the tree.
 */
static void
load_members(Figures *figures)
{
	definition_query("SELECT node_id, member FROM territory.member", 0, NULL, NULL, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		NodeNumber *node = node_numbers_lookup(figures->node_numbers, DatumGetInt32(row_value(i, 1, &isnull)));

		if (node != NULL)
			(void) find_place(figures, node->number,
							  find_member(figures, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2)));
	}
	SPI_freetuptable(SPI_tuptable);
}

/* ---------- rolling up ---------- */

/*
 * add_sum adds one sum to another.
 */
static void
add_sum(const Figures *figures, DecimalSum *to, const DecimalSum *from)
{
	if (from->small != 0 || from->rest != NULL)
		decimal_sum_merge(to, from, figures->context);
}

/*
 * add_cell adds a cell to another.
 */
static void
add_cell(const Figures *figures, Cell *to, const Cell *from)
{
	for (int i = 0; i < SUMS; i++)
	{
		to->deals[i] += from->deals[i];
		add_sum(figures, &to->value[i], &from->value[i]);
	}
	add_sum(figures, &to->weighted, &from->weighted);
	to->no_rate += from->no_rate;
	to->unknown_category += from->unknown_category;
	to->bad_probability += from->bad_probability;
}

/*
 * finish_place adds a place's own figures to what came from below, and all of that to
 * the place above.
 */
static void
finish_place(Figures *figures, Place *place, int period)
{
	Place	   *above = place->parent < 0 ? NULL : &figures->places[place->parent];
	Cell	   *own = place->own ? place->own[period] : NULL;
	Goal	   *goal = place->goals ? place->goals[period] : NULL;

	if (own != NULL)
	{
		if (place->total == NULL)
			place->total = palloc0(figures->period_count * sizeof(Cell *));
		if (place->total[period] == NULL)
			place->total[period] = own;	/* which nothing is added to any more */
		else
			add_cell(figures, place->total[period], own);
	}
	if (above != NULL && place->total != NULL && place->total[period] != NULL)
		add_cell(figures, get_cell(figures, &above->total, period), place->total[period]);
	if (goal == NULL)
		return;
	add_sum(figures, &goal->adjustment, &goal->own_adjustment);
	if (above != NULL && (goal->adjustment.small != 0 || goal->adjustment.rest != NULL))
		add_sum(figures, &get_goal(figures, place->parent, period)->adjustment, &goal->adjustment);
}

/*
 * compare_places orders places by the tree, and within a node by the persons' names,
 * for qsort_arg of their numbers.
 */
static int
compare_places(const void *a, const void *b, void *arg)
{
	const Figures *figures = arg;
	const Place *x = &figures->places[*(const int *) a];
	const Place *y = &figures->places[*(const int *) b];

	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	if (x->member == 0 || y->member == 0)
		return (x->member != 0) - (y->member != 0);
	return strcmp(figures->members[x->member], figures->members[y->member]);
}

/*
 * sort_places returns the numbers of the places in order.
 */
static int *
sort_places(const Figures *figures)
{
	int		   *order = palloc((figures->place_count + 1) * sizeof(int));

	for (int i = 0; i < figures->place_count; i++)
		order[i] = i;
	qsort_arg(order, figures->place_count, sizeof(int), compare_places, (void *) figures);
	return order;
}

/*
 * roll_up completes the totals, the last places of the tree first.
 */
static void
roll_up(Figures *figures, const int *order)
{
	for (int i = figures->place_count - 1; i >= 0; i--)
	{
		CHECK_FOR_INTERRUPTS();
		for (int p = 0; p < figures->period_count; p++)
			finish_place(figures, &figures->places[order[i]], p);
	}
}

/* ---------- the result ---------- */

/* columns of the result */
enum
{
	RESULT_NODE_ID,
	RESULT_PATH,
	RESULT_DEPTH,
	RESULT_MEMBER,
	RESULT_PERIOD,				/* five columns */
	RESULT_TARGET = RESULT_PERIOD + 5,
	RESULT_SUB_TARGETS,
	RESULT_MEMBER_TARGETS,
	RESULT_OWN,					/* closed, commit, best case, pipeline */
	RESULT_TOTAL = RESULT_OWN + 4,	/* the same, omitted */
	RESULT_WEIGHTED = RESULT_TOTAL + 5,
	RESULT_OWN_DEALS,
	RESULT_DEALS,
	RESULT_CLOSED_DEALS,
	RESULT_OMITTED_DEALS,
	RESULT_OWN_ADJUSTMENT,
	RESULT_ADJUSTMENT,
	RESULT_OVERLAY_CLOSED,
	RESULT_OVERLAY_OPEN,
	RESULT_NO_RATE,
	RESULT_UNKNOWN_CATEGORY,
	RESULT_BAD_PROBABILITY,
	RESULT_COLUMNS
};

/*
 * sum_value returns a sum as a numeric.
 */
static inline Datum
sum_value(const DecimalSum *sum, Datum zero)
{
	if (sum->small == 0 && sum->rest == NULL)
		return zero;
	return NumericGetDatum(decimal_sum_value(sum));
}

/*
 * open_and_closed counts the deals that count for something.
 */
static int64
open_and_closed(const Cell *cell)
{
	return cell->deals[CATEGORY_CLOSED] + cell->deals[CATEGORY_COMMIT] + cell->deals[CATEGORY_BEST_CASE] + cell->deals[CATEGORY_PIPELINE];
}

/*
 * put_figures fills in what comes from the deals.
 */
static void
put_figures(Datum *values, const Cell *own, const Cell *total, Datum zero)
{
	for (int i = 0; i < 4; i++)
	{
		values[RESULT_OWN + i] = sum_value(&own->value[i], zero);
		values[RESULT_TOTAL + i] = sum_value(&total->value[i], zero);
	}
	values[RESULT_TOTAL + CATEGORY_OMITTED] = sum_value(&total->value[CATEGORY_OMITTED], zero);
	values[RESULT_WEIGHTED] = sum_value(&total->weighted, zero);
	values[RESULT_OWN_DEALS] = Int64GetDatum(open_and_closed(own));
	values[RESULT_DEALS] = Int64GetDatum(open_and_closed(total));
	values[RESULT_CLOSED_DEALS] = Int64GetDatum(total->deals[CATEGORY_CLOSED]);
	values[RESULT_OMITTED_DEALS] = Int64GetDatum(total->deals[CATEGORY_OMITTED]);
	values[RESULT_OVERLAY_CLOSED] = sum_value(&total->value[OVERLAY_CLOSED], zero);
	values[RESULT_OVERLAY_OPEN] = sum_value(&total->value[OVERLAY_OPEN], zero);
	values[RESULT_NO_RATE] = Int64GetDatum(total->no_rate);
	values[RESULT_UNKNOWN_CATEGORY] = Int64GetDatum(total->unknown_category);
	values[RESULT_BAD_PROBABILITY] = Int64GetDatum(total->bad_probability);
}

/*
 * put_goal fills in what is said of them; NULL goal: nothing.
 */
static void
put_goal(Datum *values, bool *nulls, const Goal *goal, Datum zero)
{
	nulls[RESULT_TARGET] = goal == NULL || goal->target == NULL;
	nulls[RESULT_SUB_TARGETS] = goal == NULL || !goal->has_sub_targets;
	nulls[RESULT_MEMBER_TARGETS] = goal == NULL || !goal->has_member_targets;
	values[RESULT_OWN_ADJUSTMENT] = values[RESULT_ADJUSTMENT] = zero;
	if (goal == NULL)
		return;
	values[RESULT_TARGET] = NumericGetDatum(goal->target);
	values[RESULT_SUB_TARGETS] = sum_value(&goal->sub_targets, zero);
	values[RESULT_MEMBER_TARGETS] = sum_value(&goal->member_targets, zero);
	values[RESULT_OWN_ADJUSTMENT] = sum_value(&goal->own_adjustment, zero);
	values[RESULT_ADJUSTMENT] = sum_value(&goal->adjustment, zero);
}

/*
 * put_place writes the rows of a place.
 */
static void
put_place(const Figures *figures, ReturnSetInfo *result, Place *place, Datum zero)
{
	Cell		nothing = {{0}};
	Datum		values[RESULT_COLUMNS] = {0};
	bool		nulls[RESULT_COLUMNS] = {false};

	nulls[RESULT_NODE_ID] = nulls[RESULT_PATH] = nulls[RESULT_DEPTH] = place->node == figures->node_count;
	if (place->node < figures->node_count)
	{
		values[RESULT_NODE_ID] = Int32GetDatum(figures->nodes[place->node].id);
		values[RESULT_PATH] = figures->nodes[place->node].path;
		values[RESULT_DEPTH] = Int32GetDatum(figures->nodes[place->node].depth);
	}
	nulls[RESULT_MEMBER] = place->member == 0;
	if (place->member != 0)
		values[RESULT_MEMBER] = CStringGetTextDatum(figures->members[place->member]);
	for (int p = 0; p < figures->period_count; p++)
	{
		Cell	   *own = place->own && place->own[p] ? place->own[p] : &nothing;
		Cell	   *total = place->total && place->total[p] ? place->total[p] : &nothing;

		memcpy(&values[RESULT_PERIOD], figures->periods[p].columns, sizeof(figures->periods[p].columns));
		put_figures(values, own, total, zero);
		put_goal(values, nulls, place->goals ? place->goals[p] : NULL, zero);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/*
 * begin makes the empty figures of a forecast.
 */
static void
begin(Figures *figures, const char *name, bool by_member, int32 model)
{
	figures->context = CurrentMemoryContext;
	figures->by_member = by_member;
	figures->definition = definition_load(name);
	load_nodes(figures, model);
	load_periods(figures);
	figures->member_room = 16;
	figures->members = palloc0(figures->member_room * sizeof(char *));
	figures->member_count = 1;
	figures->member_numbers = member_numbers_create(CurrentMemoryContext, 64, NULL);
	figures->place_room = figures->node_count + 2;
	figures->places = palloc_extended(figures->place_room * sizeof(Place), MCXT_ALLOC_HUGE);
	figures->place_numbers = place_numbers_create(CurrentMemoryContext, figures->place_room, NULL);
	if (!by_member)
	{
		for (int i = 0; i <= figures->node_count; i++)
			(void) find_place(figures, i, 0);
	}
}

/*
 * territory_forecast_figures(forecast, by_member, at, model) -> the figures.
 */
Datum
territory_forecast_figures(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	char	   *model_name = PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3));
	Figures		figures = {0};
	Datum		zero = NumericGetDatum(int64_to_numeric(0));
	int32		model;
	int		   *order;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	SPI_connect();
	model = definition_model(model_name);
	begin(&figures, text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_BOOL(1), model);
	load_deals(&figures, model_name, model, PG_ARGISNULL(2) ? (Datum) 0 : PG_GETARG_DATUM(2), !PG_ARGISNULL(2));
	load_goals(&figures);
	if (figures.by_member)
		load_members(&figures);
	order = sort_places(&figures);
	roll_up(&figures, order);
	for (int i = 0; i < figures.place_count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_place(&figures, result, &figures.places[order[i]], zero);
	}
	SPI_finish();
	return (Datum) 0;
}
