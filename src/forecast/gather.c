/*
 * gather.c
 *		What belongs to each place of a forecast by itself: figures of its deals, its
 *		targets and adjustments.
 *
 * SQL groups the deals by node, slot and category, which is one hash aggregate over
 * them; what comes out is added to the periods of the slot.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "utils/builtins.h"

#include "base/select.h"
#include "forecast/figures.h"

/* ---------- deals ---------- */

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
 * group_place returns the place of a group. A node that is none of the tree's, and none
 * at all, is what has no territory.
 */
static int
group_place(Figures *figures, const Datum *values, const bool *nulls)
{
	int			node = nulls[GROUP_NODE] ? -1 : place_find_node(figures, DatumGetInt32(values[GROUP_NODE]));
	char	   *member = nulls[GROUP_MEMBER] ? NULL : TextDatumGetCString(values[GROUP_MEMBER]);
	int			place = place_find(figures, node < 0 ? figures->node_count : node, member);

	if (member != NULL)
		pfree(member);
	return place;
}

/*
 * receive_group takes one group.
 */
static bool
receive_group(TupleTableSlot *slot, DestReceiver *self)
{
	Figures    *figures = ((GroupReceiver *) self)->figures;
	MemoryContext old = MemoryContextSwitchTo(figures->context);
	int			place;
	ListCell   *cell;

	slot_getallattrs(slot);
	place = group_place(figures, slot->tts_values, slot->tts_isnull);
	foreach(cell, figures->calendar.slot_periods[DatumGetInt32(slot->tts_values[GROUP_SLOT])])
		add_group(figures, place_cell(figures, &figures->places[place].own, lfirst_int(cell)),
				  slot->tts_values, slot->tts_isnull);
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
 * run_groups gathers the deals of a table.
 */
static void
run_groups(Figures *figures, const DealTable *table, const DealQuery *query)
{
	/* SPI takes a destination that is none for rows that nobody wants */
	GroupReceiver receiver = {{receive_group, receive_startup, receive_end, receive_end, DestTuplestore}, figures};

	deals_send(group_deals(figures, table, query), figures->definition, query, &receiver.receiver);
}

/*
 * has_other_trees tells whether pairs may name nodes of another model.
 */
static bool
has_other_trees(int32 model)
{
	Oid			types[1] = {INT4OID};
	Datum		values[1] = {Int32GetDatum(model)};

	select_rows("SELECT FROM territory.node WHERE model_id OPERATOR(pg_catalog.<>) $1 LIMIT 1", 1, types, values, NULL);
	return SPI_processed > 0;
}

/*
 * gather_deals reads the deals of all tables.
 */
void
gather_deals(Figures *figures, int32 model, bool as_of, Datum at)
{
	DealQuery	query = {.bounded = true,.boundaries = figures->calendar.boundaries,.as_of = as_of,.at = at};
	ListCell   *cell;

	if (figures->calendar.slot_count == 0)
		return;
	query.of_nodes = as_of || has_other_trees(model);
	if (query.of_nodes)
		query.nodes = definition_nodes(model);
	foreach(cell, figures->definition->tables)
	{
		query.credit = figures->by_member ? CREDIT_REVENUE : CREDIT_NONE;
		run_groups(figures, lfirst(cell), &query);
		if (!figures->by_member)
			continue;
		query.credit = CREDIT_OVERLAY;
		run_groups(figures, lfirst(cell), &query);
	}
}

/* ---------- targets, adjustments, persons ---------- */

/*
 * add_sub_target adds a target to what those below the place above have.
 */
static void
add_sub_target(const Figures *figures, int above, int period, Datum amount)
{
	Goal	   *goal = place_goal(figures, above, period);

	decimal_sum_add(&goal->sub_targets, amount, figures->context);
	goal->has_sub_targets = true;
}

/*
 * add_target notes a target for its own place and for the one above. Of persons'
 * targets a forecast that is not by persons has the sum.
 */
static void
add_target(Figures *figures, int node, const char *member, int period, Datum amount)
{
	Goal	   *goal;
	int			place;

	if (member == NULL && figures->by_member)
		return;
	place = place_find(figures, node, figures->by_member ? member : NULL);
	goal = place_goal(figures, place, period);
	if (member != NULL && !figures->by_member)
	{
		decimal_sum_add(&goal->member_targets, amount, figures->context);
		goal->has_member_targets = true;
		return;
	}
	goal->target = DatumGetNumericCopy(amount);
	if (figures->places[place].parent >= 0)
		add_sub_target(figures, figures->places[place].parent, period, amount);
}

/*
 * add_adjustment notes an adjustment. A person's is one of the node too.
 */
static void
add_adjustment(Figures *figures, int node, const char *member, int period, Datum amount)
{
	int			place;

	if (member == NULL && figures->by_member)
		return;
	place = place_find(figures, node, figures->by_member ? member : NULL);
	decimal_sum_add(&place_goal(figures, place, period)->own_adjustment, amount, figures->context);
}

/*
 * gather_goals reads targets and adjustments.
 */
void
gather_goals(Figures *figures)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {CStringGetTextDatum(figures->definition->name)};

	select_rows("SELECT node_id, period_id, member, amount, true FROM territory.target WHERE metric OPERATOR(pg_catalog.=) $1"
				" UNION ALL SELECT node_id, period_id, member, amount, false FROM territory.adjustment WHERE metric OPERATOR(pg_catalog.=) $1",
				1, types, values, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		int			node = place_find_node(figures, DatumGetInt32(select_value(i, 1)));
		int			period = slots_find_period(&figures->calendar, DatumGetInt32(select_value(i, 2)));

		if (node < 0 || period < 0)
			continue;
		if (DatumGetBool(select_value(i, 5)))
			add_target(figures, node, select_text(i, 3), period, select_value(i, 4));
		else
			add_adjustment(figures, node, select_text(i, 3), period, select_value(i, 4));
	}
	SPI_freetuptable(SPI_tuptable);
}

/*
 * gather_members makes a place for each person in a node of the tree.
 */
void
gather_members(Figures *figures)
{
	select_rows("SELECT node_id, member FROM territory.member", 0, NULL, NULL, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		int			node = place_find_node(figures, DatumGetInt32(select_value(i, 1)));

		if (node >= 0)
			(void) place_find(figures, node, select_text(i, 2));
	}
	SPI_freetuptable(SPI_tuptable);
}
