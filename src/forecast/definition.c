/*
 * definition.c
 *		What a forecast is of: a row of territory.forecast_def, and the tables of
 *		deals that it reads.
 *
 * The forecast called "amount" is there without a row: of the amounts of all deals.
 * A table counts that is attached as kind deal, for a deal has one node at most, and
 * with what the measure needs: close_date, and amount.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"

#include "base/select.h"
#include "forecast/definition.h"
#include "tree/node.h"

/*
 * definition_model finds a model, NULL: the active one.
 */
int32
definition_model(const char *model)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {model ? CStringGetTextDatum(model) : (Datum) 0};

	select_rows("SELECT id FROM territory.model"
				" WHERE CASE WHEN $1 IS NULL THEN state OPERATOR(pg_catalog.=) 'active' ELSE name OPERATOR(pg_catalog.=) $1 END",
				1, types, values, model ? NULL : "n");
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 model ? errmsg("there is no model \"%s\"", model) : errmsg("no model is active")));
	return DatumGetInt32(select_value(0, 1));
}

/*
 * definition_nodes lists the nodes of a model.
 */
Datum
definition_nodes(int32 model)
{
	Oid			types[1] = {INT4OID};
	Datum		values[1] = {Int32GetDatum(model)};

	select_rows("SELECT ARRAY(SELECT id FROM territory.node WHERE model_id OPERATOR(pg_catalog.=) $1)", 1, types, values, NULL);
	return PointerGetDatum(PG_DETOAST_DATUM_COPY(select_value(0, 1)));
}

/*
 * measure_of reads the column measure.
 */
static ForecastMeasure
measure_of(const char *measure)
{
	static const char *const names[] = {"amount", "weighted", "count", "quantity"};

	for (int i = 0; i < lengthof(names); i++)
	{
		if (strcmp(measure, names[i]) == 0)
			return (ForecastMeasure) i;
	}
	elog(ERROR, "unknown measure \"%s\"", measure);
	return MEASURE_AMOUNT;
}

/*
 * read_row fills in what the row says; false: there is none. object: of the row.
 */
static bool
read_row(ForecastDefinition *definition, const char *name, Oid *object)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {CStringGetTextDatum(name)};

	*object = InvalidOid;
	select_rows("SELECT object, measure, quantity_expression, filter_expression, currency"
				"  FROM territory.forecast_def WHERE name OPERATOR(pg_catalog.=) $1", 1, types, values, NULL);
	if (SPI_processed == 0)
		return false;
	*object = DatumGetObjectId(select_value(0, 1));
	definition->measure = measure_of(select_text(0, 2));
	definition->quantity = select_text(0, 3);
	definition->filter = select_text(0, 4);
	definition->currency = select_text(0, 5);
	return true;
}

/*
 * read_tables lists the tables of deals, of which a definition may name one.
 */
static void
read_tables(ForecastDefinition *definition, Oid object)
{
	Oid			types[2] = {OIDOID, BOOLOID};
	Datum		values[2] = {ObjectIdGetDatum(object), BoolGetDatum(definition_is_money(definition))};

	select_rows(psprintf("SELECT o.object, o.assignment, pg_catalog.quote_ident(o.key_column), %s"
						 "  FROM territory.object o JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) o.object::pg_catalog.oid"
						 " WHERE o.kind OPERATOR(pg_catalog.=) 'deal' AND o.close_date IS NOT NULL AND (o.amount IS NOT NULL OR NOT $2)"
						 "   AND ($1 OPERATOR(pg_catalog.=) 0 OR o.object OPERATOR(pg_catalog.=) $1) ORDER BY c.oid",
						 object_expression_columns()), 2, types, values, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		DealTable  *table = palloc(sizeof(DealTable));

		table->object = DatumGetObjectId(select_value(i, 1));
		table->assignment = DatumGetObjectId(select_value(i, 2));
		table->key = select_text(i, 3);
		for (int e = 0; e < EXPRESSIONS; e++)
			table->expressions[e] = select_text(i, 4 + e);
		definition->tables = lappend(definition->tables, table);
	}
}

/*
 * read_currency finds the currency to report in where the row names none: the one
 * for which there are rates, if it is one.
 */
static void
read_currency(ForecastDefinition *definition)
{
	if (definition->currency != NULL)
		return;
	select_rows("SELECT DISTINCT reporting FROM territory.exchange_rate", 0, NULL, NULL, NULL);
	if (SPI_processed == 1)
		definition->currency = select_text(0, 1);
}

/*
 * definition_load reads a definition.
 */
ForecastDefinition *
definition_load(const char *name)
{
	ForecastDefinition *definition = palloc0(sizeof(ForecastDefinition));
	Oid			object;

	definition->name = pstrdup(name);
	if (!read_row(definition, name, &object) && strcmp(name, MAIN_FORECAST) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no forecast \"%s\"", name),
				 errhint("territory.forecast_def lists them; \"%s\" is always there.", MAIN_FORECAST)));
	read_tables(definition, object);
	read_currency(definition);
	definition->settings = model_active_settings();
	return definition;
}
