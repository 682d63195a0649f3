/*
 * place.c
 *		The places of a forecast: a model's tree, the persons in it, and what has
 *		figures.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"

#include "base/select.h"
#include "forecast/figures.h"
#include "forecast/numbers.h"
#include "type/territory.h"

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

/*
 * read_tree reads the nodes in tree order, in which parents come before their
 * children.
 */
static void
read_tree(Figures *figures, int32 model)
{
	Oid			types[1] = {INT4OID};
	Datum		values[1] = {Int32GetDatum(model)};

	select_rows("SELECT id, parent_id, path FROM territory.node WHERE model_id OPERATOR(pg_catalog.=) $1 ORDER BY path",
				1, types, values, NULL);
	figures->node_count = (int) SPI_processed;
	figures->nodes = palloc((figures->node_count + 1) * sizeof(TreeNode));
	figures->node_numbers = numbers_create(CurrentMemoryContext, figures->node_count + 1, NULL);
	for (int i = 0; i < figures->node_count; i++)
	{
		TreeNode   *node = &figures->nodes[i];

		node->id = DatumGetInt32(select_value(i, 1));
		node->parent = numbers_find(figures->node_numbers, DatumGetInt32(select_value(i, 2)));
		node->path = PointerGetDatum(PG_DETOAST_DATUM_COPY(select_value(i, 3)));
		node->depth = territory_nlevel((Territory *) DatumGetPointer(node->path));
		numbers_note(figures->node_numbers, node->id, i);
	}
	SPI_freetuptable(SPI_tuptable);
}

/*
 * place_load_tree reads a model's tree. Of each node there is a place, and one of what
 * has no territory; by persons, there is none yet.
 */
void
place_load_tree(Figures *figures, int32 model)
{
	read_tree(figures, model);
	figures->member_room = 16;
	figures->members = palloc0(figures->member_room * sizeof(char *));
	figures->member_count = 1;
	figures->member_numbers = member_numbers_create(CurrentMemoryContext, 64, NULL);
	figures->place_room = figures->node_count + 2;
	figures->places = palloc_extended(figures->place_room * sizeof(Place), MCXT_ALLOC_HUGE);
	figures->place_numbers = place_numbers_create(CurrentMemoryContext, figures->place_room, NULL);
	if (figures->by_member)
		return;
	for (int i = 0; i <= figures->node_count; i++)
		(void) place_find(figures, i, NULL);
}

/*
 * place_find_node returns the number of a node; -1: it is none of the tree's.
 */
int
place_find_node(const Figures *figures, int32 id)
{
	return numbers_find(figures->node_numbers, id);
}

/*
 * find_member returns the number of a person; NULL: 0.
 */
static int
find_member(Figures *figures, const char *name)
{
	MemberNumber *member;
	bool		found;

	if (name == NULL)
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
 * add_place makes a place that has no parent yet, and returns its number.
 */
static int
add_place(Figures *figures, int node, int member)
{
	if (figures->place_count == figures->place_room)
	{
		figures->place_room *= 2;
		figures->places = repalloc_huge(figures->places, figures->place_room * sizeof(Place));
	}
	figures->places[figures->place_count] = (Place) {.node = node,.member = member,.parent = -1};
	return figures->place_count++;
}

/*
 * place_find returns the number of a place, which is made if it is not there, and with
 * it those above. member: NULL, or by persons a name.
 */
int
place_find(Figures *figures, int node, const char *member)
{
	int			member_number = find_member(figures, member);
	int			number = -1;
	int			below = -1;
	bool		found = false;

	/* up to the first that is there; each is the parent of the one before */
	while (node >= 0 && !found)
	{
		PlaceNumber *place = place_numbers_insert(figures->place_numbers, ((uint64) node << 32) | (uint32) member_number, &found);

		if (!found)
			place->number = add_place(figures, node, member_number);
		if (below >= 0)
			figures->places[below].parent = place->number;
		else
			number = place->number;
		below = place->number;
		node = node < figures->node_count ? figures->nodes[node].parent : -1;
	}
	return number;
}

/*
 * place_cell returns the cell of a period, a new one if there was none.
 */
Cell *
place_cell(const Figures *figures, Cell ***cells, int period)
{
	if (*cells == NULL)
		*cells = palloc0(figures->calendar.period_count * sizeof(Cell *));
	if ((*cells)[period] == NULL)
		(*cells)[period] = palloc0(sizeof(Cell));
	return (*cells)[period];
}

/*
 * place_goal returns the goal of a place and period, a new one if there was none.
 */
Goal *
place_goal(const Figures *figures, int place, int period)
{
	Goal	 ***goals = &figures->places[place].goals;

	if (*goals == NULL)
		*goals = palloc0(figures->calendar.period_count * sizeof(Goal *));
	if ((*goals)[period] == NULL)
		(*goals)[period] = palloc0(sizeof(Goal));
	return (*goals)[period];
}
