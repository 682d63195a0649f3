/*
 * figures.c
 *		territory.forecast_figures(): what of a forecast belongs to each node, or to
 *		each person in it, and period, with what lies below it.
 *
 * What belongs to a place by itself is gathered first (gather.c). Then, from the last
 * node of the tree to the first, each place's total is added to its parent's: parents
 * come before their children in tree order. So a deal is added once to its own node
 * and once to each node above.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "forecast/figures.h"

PG_FUNCTION_INFO_V1(territory_forecast_figures);

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
			place->total = palloc0(figures->calendar.period_count * sizeof(Cell *));
		if (place->total[period] == NULL)
			place->total[period] = own;	/* which nothing is added to any more */
		else
			add_cell(figures, place->total[period], own);
	}
	if (above != NULL && place->total != NULL && place->total[period] != NULL)
		add_cell(figures, place_cell(figures, &above->total, period), place->total[period]);
	if (goal == NULL)
		return;
	add_sum(figures, &goal->adjustment, &goal->own_adjustment);
	if (above != NULL && (goal->adjustment.small != 0 || goal->adjustment.rest != NULL))
		add_sum(figures, &place_goal(figures, place->parent, period)->adjustment, &goal->adjustment);
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
		for (int p = 0; p < figures->calendar.period_count; p++)
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
	RESULT_PERIOD,				/* several columns */
	RESULT_TARGET = RESULT_PERIOD + PERIOD_COLUMNS,
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
	for (int p = 0; p < figures->calendar.period_count; p++)
	{
		Cell	   *own = place->own && place->own[p] ? place->own[p] : &nothing;
		Cell	   *total = place->total && place->total[p] ? place->total[p] : &nothing;

		memcpy(&values[RESULT_PERIOD], figures->calendar.periods[p].columns, sizeof(figures->calendar.periods[p].columns));
		put_figures(values, own, total, zero);
		put_goal(values, nulls, place->goals ? place->goals[p] : NULL, zero);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/*
 * put_places writes the rows of all places, in order.
 */
static void
put_places(const Figures *figures, const int *order, ReturnSetInfo *result)
{
	Datum		zero = NumericGetDatum(int64_to_numeric(0));
	MemoryContext values = AllocSetContextCreate(CurrentMemoryContext, "territory forecast rows", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(values);

	for (int i = 0; i < figures->place_count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_place(figures, result, &figures->places[order[i]], zero);
		MemoryContextReset(values);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(values);
}

/*
 * territory_forecast_figures(forecast, by_member, at, model) -> the figures.
 */
Datum
territory_forecast_figures(PG_FUNCTION_ARGS)
{
	Figures		figures = {0};
	int32		model;
	int		   *order;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	SPI_connect();
	figures.context = CurrentMemoryContext;
	figures.by_member = PG_GETARG_BOOL(1);
	model = definition_model(PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3)));
	figures.definition = definition_load(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	slots_load(&figures.calendar);
	place_load_tree(&figures, model);
	gather_deals(&figures, model, !PG_ARGISNULL(2), PG_ARGISNULL(2) ? (Datum) 0 : PG_GETARG_DATUM(2));
	gather_goals(&figures);
	if (figures.by_member)
		gather_members(&figures);
	order = sort_places(&figures);
	roll_up(&figures, order);
	put_places(&figures, order, (ReturnSetInfo *) fcinfo->resultinfo);
	SPI_finish();
	return (Datum) 0;
}
