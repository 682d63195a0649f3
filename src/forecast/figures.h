/*
 * figures.h
 *		What territory.forecast_figures() works on: places, and their figures by
 *		period.
 */
#ifndef TERRITORY_FIGURES_H
#define TERRITORY_FIGURES_H

#include "postgres.h"

#include "forecast/deals.h"
#include "forecast/decimal.h"
#include "forecast/definition.h"
#include "forecast/slots.h"

/* what is summed beside the categories: credit of overlays, of closed and of open deals */
#define OVERLAY_CLOSED	(CATEGORY_UNKNOWN + 1)
#define OVERLAY_OPEN	(CATEGORY_UNKNOWN + 2)
#define SUMS			(CATEGORY_UNKNOWN + 3)

/* What comes from deals. */
typedef struct Cell
{
	int64		deals[SUMS];
	DecimalSum	value[SUMS];
	DecimalSum	weighted;
	int64		no_rate;		/* deals whose value is not known */
	int64		unknown_category;
	int64		bad_probability;
} Cell;

/* What comes from targets and adjustments. */
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
	int			parent;			/* number; -1: none */
	Datum		path;
	int			depth;
} TreeNode;

/* A node, or a person in one, who has a total of his own up the tree. */
typedef struct Place
{
	int			node;			/* number; that behind the last: deals without a territory */
	int			member;			/* number; of no person in particular: 0 */
	int			parent;			/* number; -1: none */
	Cell	  **own;			/* by period, NULL where there is nothing; the whole NULL: nothing yet */
	Cell	  **total;			/* likewise, with what is below */
	Goal	  **goals;
} Place;

/* One call. Nodes, persons, places and periods are known by their numbers in these lists. */
typedef struct Figures
{
	MemoryContext context;
	ForecastDefinition *definition;
	Calendar	calendar;
	bool		by_member;
	int			node_count;
	TreeNode   *nodes;			/* in tree order */
	struct numbers_hash *node_numbers;	/* by id */
	int			member_count;
	int			member_room;
	const char **members;		/* names; that of 0 is NULL */
	struct member_numbers_hash *member_numbers;
	int			place_count;
	int			place_room;
	Place	   *places;
	struct place_numbers_hash *place_numbers;
} Figures;

/* place.c */
extern void place_load_tree(Figures *figures, int32 model);
extern int	place_find_node(const Figures *figures, int32 id);
extern int	place_find(Figures *figures, int node, const char *member);
extern Cell *place_cell(const Figures *figures, Cell ***cells, int period);
extern Goal *place_goal(const Figures *figures, int place, int period);

/* gather.c */
extern void gather_deals(Figures *figures, int32 model, bool as_of, Datum at);
extern void gather_goals(Figures *figures);
extern void gather_members(Figures *figures);

#endif							/* TERRITORY_FIGURES_H */
