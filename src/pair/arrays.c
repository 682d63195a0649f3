/*
 * arrays.c
 *		Arguments of statements: arrays, one a column, of keys, pairs and what pairs were.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "pair/arrays.h"

/*
 * key_array makes an array of keys.
 */
Datum
key_array(const ObjectInfo *object, const Datum *keys, int count)
{
	int16		typlen;
	bool		byval;
	char		align;

	get_typlenbyvalalign(object->key_type, &typlen, &byval, &align);
	return PointerGetDatum(construct_array((Datum *) keys, count, object->key_type,
										   typlen, byval, align));
}

/*
 * pair_arrays makes the arrays of a list of pairs, one a column.
 */
void
pair_arrays(const ObjectInfo *object, const PairList *list, Datum *arrays)
{
	Datum	   *column = palloc(list->count * sizeof(Datum));
	bool	   *nulls = palloc(list->count * sizeof(bool));
	int			bounds[1] = {1};
	int			count[1] = {list->count};

	for (int i = 0; i < list->count; i++)
		column[i] = list->pairs[i].key;
	arrays[0] = key_array(object, column, list->count);
	for (int i = 0; i < list->count; i++)
		column[i] = Int32GetDatum(list->pairs[i].node_id);
	arrays[1] = PointerGetDatum(construct_array(column, list->count, INT4OID, 4, true, TYPALIGN_INT));
	for (int i = 0; i < list->count; i++)
	{
		column[i] = Int32GetDatum(list->pairs[i].rule_id);
		nulls[i] = list->pairs[i].rule_id == 0;
	}
	arrays[2] = PointerGetDatum(construct_md_array(column, nulls, 1, count, bounds,
												   INT4OID, 4, true, TYPALIGN_INT));
	for (int i = 0; i < list->count; i++)
		column[i] = BoolGetDatum(list->pairs[i].manual);
	arrays[3] = PointerGetDatum(construct_array(column, list->count, BOOLOID, 1, true, TYPALIGN_CHAR));
	pfree(column);
	pfree(nulls);
}

/*
 * past_arrays makes the arrays of a list of pairs that ended.
 */
void
past_arrays(const ObjectInfo *object, const PastList *list, Datum *arrays)
{
	Oid			types[PAST_ARRAYS] = {object->key_type, INT4OID, INT4OID, BOOLOID, TIMESTAMPTZOID, BOOLOID};
	Datum	   *columns[PAST_ARRAYS];
	bool	   *nulls = palloc0(list->count * sizeof(bool));
	bool	   *no_rule = palloc(list->count * sizeof(bool));
	int			bounds[1] = {1};
	int			count[1] = {list->count};

	for (int i = 0; i < PAST_ARRAYS; i++)
		columns[i] = palloc(list->count * sizeof(Datum));
	for (int i = 0; i < list->count; i++)
	{
		const PastPair *pair = &list->pairs[i];

		columns[0][i] = pair->key;
		columns[1][i] = Int32GetDatum(pair->node_id);
		columns[2][i] = Int32GetDatum(pair->rule_id);
		columns[3][i] = BoolGetDatum(pair->manual);
		columns[4][i] = TimestampTzGetDatum(pair->since);
		columns[5][i] = BoolGetDatum(pair->held);
		no_rule[i] = pair->rule_id == 0;
	}
	for (int i = 0; i < PAST_ARRAYS; i++)
	{
		int16		typlen;
		bool		byval;
		char		align;

		get_typlenbyvalalign(types[i], &typlen, &byval, &align);
		arrays[i] = PointerGetDatum(construct_md_array(columns[i], i == 2 ? no_rule : nulls, 1, count, bounds,
													   types[i], typlen, byval, align));
	}
}
