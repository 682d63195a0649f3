/*
 * sets.c
 *		The functions that take or return several paths or labels.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "path/path.h"
#include "type/territory.h"
#include "type/value.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(territory_sql_ancestors);
PG_FUNCTION_INFO_V1(territory_sql_lineage);
PG_FUNCTION_INFO_V1(territory_sql_levels);
PG_FUNCTION_INFO_V1(territory_sql_from_levels);
PG_FUNCTION_INFO_V1(territory_sql_lca);
PG_FUNCTION_INFO_V1(territory_sql_lca_array);

/* bytes that lineage() may return */
#define TERRITORY_MAX_LINEAGE_BYTES (64 * 1024 * 1024)

/* ancestors(): what remains to be returned */
typedef struct TerritoryAncestors
{
	Territory *path;
	Size at; /* where the next label begins */
} TerritoryAncestors;

/*
 * territory_begin_ancestors prepares the first call of ancestors().
 */
static void
territory_begin_ancestors(FunctionCallInfo fcinfo)
{
	FuncCallContext *funcctx = SRF_FIRSTCALL_INIT();
	MemoryContext caller = MemoryContextSwitchTo(funcctx->multi_call_memory_ctx);
	TerritoryAncestors *state = palloc(sizeof(TerritoryAncestors));

	state->path = (Territory *) PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0));
	state->at = 0;
	funcctx->user_fctx = state;
	MemoryContextSwitchTo(caller);
}

/*
 * ancestors(territory) returns the path of every label, the top one first and
 * the path itself last.
 */
Datum
territory_sql_ancestors(PG_FUNCTION_ARGS)
{
	FuncCallContext *funcctx;
	TerritoryAncestors *state;
	const char *payload;
	Size size;
	Size end;

	if (SRF_IS_FIRSTCALL())
		territory_begin_ancestors(fcinfo);
	funcctx = SRF_PERCALL_SETUP();
	state = funcctx->user_fctx;
	payload = TERRITORY_DATA(state->path);
	size = TERRITORY_SIZE(state->path);
	if (state->at >= size)
		SRF_RETURN_DONE(funcctx);

	end = state->at + tpath_label_size(payload + state->at, size - state->at);
	state->at = end + 1;
	SRF_RETURN_NEXT(funcctx, TerritoryGetDatum(territory_from_payload(payload, end)));
}

/*
 * territory_array_of makes an array of the elements' type.
 */
static ArrayType *
territory_array_of(Datum *elements, int count, Oid type)
{
	int16 typlen;
	bool typbyval;
	char typalign;

	get_typlenbyvalalign(type, &typlen, &typbyval, &typalign);
	return construct_array(elements, count, type, typlen, typbyval, typalign);
}

/*
 * territory_lineage_fits tells whether a path and all its ancestors are few
 * and short enough to be in one array.
 */
bool
territory_lineage_fits(const Territory *t)
{
	return tpath_lineage_bytes(TERRITORY_DATA(t), TERRITORY_SIZE(t), TERRITORY_MAX_LINEAGE_BYTES) <=
		   TERRITORY_MAX_LINEAGE_BYTES;
}

/*
 * territory_check_lineage raises an error unless the lineage fits.
 */
static void
territory_check_lineage(const Territory *t)
{
	if (!territory_lineage_fits(t))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("territory has too many ancestors"),
						errdetail("The path and its ancestors together are longer than %d bytes.",
								  TERRITORY_MAX_LINEAGE_BYTES)));
}

/*
 * territory_lineage_elements makes all paths that contain this one, the root
 * first and itself last, and returns how many; there is room for one more
 * than it has labels.
 */
int
territory_lineage_elements(const Territory *t, Datum *elements)
{
	const char *payload = TERRITORY_DATA(t);
	Size size = TERRITORY_SIZE(t);
	int count = 0;
	Size at = 0;

	elements[count++] = TerritoryGetDatum(territory_from_payload(payload, 0));
	while (at < size)
	{
		Size end = at + tpath_label_size(payload + at, size - at);

		elements[count++] = TerritoryGetDatum(territory_from_payload(payload, end));
		at = end + 1;
	}
	return count;
}

/*
 * territory_lineage returns the array, of elements of our type, of all paths
 * that contain this one: the root, the ancestors, itself. It raises an error
 * if they do not fit: their size grows with the square of the levels.
 */
ArrayType *
territory_lineage(const Territory *t, Oid type)
{
	Datum *elements;
	int count;

	territory_check_lineage(t);
	elements = palloc(sizeof(Datum) * (territory_nlevel(t) + 1));
	count = territory_lineage_elements(t, elements);
	return territory_array_of(elements, count, type);
}

/*
 * lineage(territory) is the same for SQL.
 */
Datum
territory_sql_lineage(PG_FUNCTION_ARGS)
{
	Oid type = get_element_type(get_fn_expr_rettype(fcinfo->flinfo));

	PG_RETURN_ARRAYTYPE_P(territory_lineage(PG_GETARG_TERRITORY_PP(0), type));
}

/*
 * levels(territory) returns the array of all labels as raw text.
 */
Datum
territory_sql_levels(PG_FUNCTION_ARGS)
{
	Territory *t = PG_GETARG_TERRITORY_PP(0);
	const char *payload = TERRITORY_DATA(t);
	Size size = TERRITORY_SIZE(t);
	Datum *elements = palloc(sizeof(Datum) * (territory_nlevel(t) + 1));
	int count = 0;
	Size at = 0;

	while (at < size)
	{
		Size label_size = tpath_label_size(payload + at, size - at);

		elements[count++] = PointerGetDatum(cstring_to_text_with_len(payload + at, label_size));
		at += label_size + 1;
	}
	PG_RETURN_ARRAYTYPE_P(territory_array_of(elements, count, TEXTOID));
}

/*
 * from_levels(text[]) returns the path of these labels, each of them raw text.
 * It raises an error if one of them is NULL or cannot be a label.
 */
Datum
territory_sql_from_levels(PG_FUNCTION_ARGS)
{
	ArrayIterator iterator = array_create_iterator(PG_GETARG_ARRAYTYPE_P(0), 0, NULL);
	StringInfoData payload;
	long levels = 0;
	Datum label;
	text *raw;
	bool isnull;

	initStringInfo(&payload);
	while (array_iterate(iterator, &label, &isnull))
	{
		if (isnull)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("label must not be null"),
					 errdetail("Label %ld of the path is.", levels + 1)));
		raw = DatumGetTextPP(label);
		territory_check_new_label(VARDATA_ANY(raw), VARSIZE_ANY_EXHDR(raw));
		territory_check_level_count(++levels);
		if (levels > 1)
			appendStringInfoChar(&payload, '\0');
		appendBinaryStringInfo(&payload, VARDATA_ANY(raw), VARSIZE_ANY_EXHDR(raw));
	}
	PG_RETURN_TERRITORY_P(territory_from_payload(payload.data, payload.len));
}

/* lca(): the first path and how much of it all of them begin with */
typedef struct TerritoryCommon
{
	Territory *first;
	Size size;
} TerritoryCommon;

/*
 * territory_narrow_common takes one more path into account, of which only a
 * proper ancestor will do. It returns false if there is no common ancestor,
 * since the path is the root, which has none.
 */
static bool
territory_narrow_common(TerritoryCommon *common, Territory *t)
{
	const char *payload = TERRITORY_DATA(t);
	Size parent_size = tpath_parent_size(payload, TERRITORY_SIZE(t));

	if (TERRITORY_SIZE(t) == 0)
		return false;
	if (common->first == NULL)
	{
		common->first = t;
		common->size = parent_size;
	}
	else
		common->size =
			tpath_common_size(TERRITORY_DATA(common->first), common->size, payload, parent_size);
	return true;
}

/*
 * territory_narrow_common_array does the same for all elements of an array;
 * it also returns false if one of them is NULL.
 */
static bool
territory_narrow_common_array(TerritoryCommon *common, ArrayType *array)
{
	ArrayIterator iterator = array_create_iterator(array, 0, NULL);
	Datum element;
	bool isnull;

	while (array_iterate(iterator, &element, &isnull))
	{
		if (isnull || !territory_narrow_common(common, DatumGetTerritoryPP(element)))
			return false;
	}
	return true;
}

/*
 * territory_return_common ends both kinds of lca().
 */
static Datum
territory_return_common(FunctionCallInfo fcinfo, TerritoryCommon *common, bool found)
{
	if (!found || common->first == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TERRITORY_P(territory_from_payload(TERRITORY_DATA(common->first), common->size));
}

/*
 * lca(territory[]) returns the longest path that is a proper ancestor of all
 * elements; NULL if there is none.
 */
Datum
territory_sql_lca_array(PG_FUNCTION_ARGS)
{
	TerritoryCommon common = { NULL, 0 };
	bool found = territory_narrow_common_array(&common, PG_GETARG_ARRAYTYPE_P(0));

	return territory_return_common(fcinfo, &common, found);
}

/*
 * lca(territory, VARIADIC territory[]) does the same for its arguments.
 */
Datum
territory_sql_lca(PG_FUNCTION_ARGS)
{
	TerritoryCommon common = { NULL, 0 };
	bool found = territory_narrow_common(&common, PG_GETARG_TERRITORY_PP(0)) &&
				 territory_narrow_common_array(&common, PG_GETARG_ARRAYTYPE_P(1));

	return territory_return_common(fcinfo, &common, found);
}
