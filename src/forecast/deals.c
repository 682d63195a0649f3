/*
 * deals.c
 *		The deals of a forecast, as SQL; and territory.forecast_deals().
 *
 * A deal counts by what its table's expressions say of it: its value is what the
 * forecast measures, money turned into the reporting currency by the rate of the
 * close date. Where that rate is missing the value is NULL, which no sum takes for a
 * zero without saying so. An open deal weighs as much as its probability, a closed
 * one all, an omitted one nothing.
 *
 * All of it reads as the caller, so that nobody sees more than what he may.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "base/catalog.h"
#include "base/select.h"
#include "forecast/deals.h"

PG_FUNCTION_INFO_V1(territory_forecast_deals);

/*
 * uses_currency tells whether amounts have to be converted.
 */
static bool
uses_currency(const ForecastDefinition *definition, const DealTable *table)
{
	return definition_is_money(definition) && table->expressions[EXPRESSION_CURRENCY] != NULL;
}

/*
 * append_columns appends the table's expressions under their own names.
 */
static void
append_columns(StringInfo sql, const ForecastDefinition *definition, const DealTable *table)
{
	appendStringInfo(sql, "SELECT t.%s AS key", table->key);
	for (int i = 0; i < EXPRESSIONS; i++)
		appendStringInfo(sql, ", (%s)::%s AS %s", table->expressions[i] ? table->expressions[i] : "NULL",
						 object_expression_types[i] == NUMERICOID ? "numeric" :
						 object_expression_types[i] == DATEOID ? "date" : "text",
						 object_expression_names[i]);
	appendStringInfo(sql, ", (%s)::numeric AS quantity FROM %s AS t",
					 definition->quantity ? definition->quantity : "NULL", catalog_qualified_name(table->object));
}

/*
 * append_conditions appends what the table's rows must satisfy.
 */
static void
append_conditions(StringInfo sql, const ForecastDefinition *definition, const DealTable *table, const DealQuery *query)
{
	appendStringInfo(sql, " WHERE %s", definition->filter ? psprintf("(%s)", definition->filter) : "true");
	if (query->bounded)
		appendStringInfo(sql, " AND (%s)::date >= $%d[1] AND (%s)::date < $%d[array_upper($%d, 1)]",
						 table->expressions[EXPRESSION_CLOSE_DATE], DEALS_BOUNDARIES,
						 table->expressions[EXPRESSION_CLOSE_DATE], DEALS_BOUNDARIES, DEALS_BOUNDARIES);
}

/*
 * append_pairs joins the pairs.
 */
static void
append_pairs(StringInfo sql, const DealTable *table, const DealQuery *query)
{
	if (query->as_of)
		appendStringInfo(sql, " LEFT JOIN territory.pairs_as_of(%s::regclass, $%d) p ON p.key = d.key::text",
						 quote_literal_cstr(catalog_qualified_name(table->object)), DEALS_AT);
	else
		appendStringInfo(sql, " LEFT JOIN %s p ON p.%s = d.key", catalog_qualified_name(table->assignment), table->key);
	if (query->of_nodes)
		appendStringInfo(sql, " AND p.node_id = ANY ($%d)", DEALS_NODES);
}

/*
 * append_rates joins the rates, those of a currency as two arrays, in which a date
 * is looked up.
 */
static void
append_rates(StringInfo sql, const ForecastDefinition *definition, const DealTable *table)
{
	if (!uses_currency(definition, table) || definition->currency == NULL)
		return;
	appendStringInfo(sql, " LEFT JOIN (SELECT currency, array_agg(starts ORDER BY starts) AS starts, array_agg(rate ORDER BY starts) AS rates"
					 " FROM territory.exchange_rate WHERE reporting = %s GROUP BY currency) x ON x.currency = d.currency",
					 quote_literal_cstr(definition->currency));
}

/*
 * append_credit joins the shares.
 */
static void
append_credit(StringInfo sql, const DealTable *table, DealCredit credit)
{
	if (credit != CREDIT_NONE)
		appendStringInfo(sql, " %s JOIN territory.deal_share h ON h.object = %s::regclass AND h.key = d.key::text AND h.kind = %s",
						 credit == CREDIT_REVENUE ? "LEFT" : "",
						 quote_literal_cstr(catalog_qualified_name(table->object)),
						 credit == CREDIT_REVENUE ? "'revenue'" : "'overlay'");
}

/*
 * rate returns the expression of a deal's exchange rate.
 */
static const char *
rate(const ForecastDefinition *definition, const DealTable *table)
{
	if (!uses_currency(definition, table))
		return "1::numeric";
	if (definition->currency == NULL)
		return "CASE WHEN d.currency IS NULL THEN 1::numeric END";
	return psprintf("CASE WHEN d.currency IS NULL OR d.currency = %s THEN 1::numeric ELSE x.rates[width_bucket(d.close_date, x.starts)] END",
					quote_literal_cstr(definition->currency));
}

/*
 * measured returns the expression of what is measured, before shares, from the columns
 * of the innermost query and the rate.
 */
static const char *
measured(const ForecastDefinition *definition, const DealTable *table)
{
	switch (definition->measure)
	{
		case MEASURE_COUNT:
			return "1::numeric";
		case MEASURE_QUANTITY:
			return "coalesce(d.quantity, 0)";
		default:
			return uses_currency(definition, table) ?
				psprintf("coalesce(d.amount, 0) * (%s)", rate(definition, table)) : "coalesce(d.amount, 0)";
	}
}

/*
 * weight returns the expression of how likely a deal is, from its code.
 */
static const char *
weight(const DealTable *table)
{
	if (table->expressions[EXPRESSION_PROBABILITY] == NULL)
		return "CASE code WHEN 0 THEN 1 ELSE 0 END";
	return "CASE WHEN code = 0 THEN 1 WHEN code < 4 AND probability BETWEEN 0 AND 1 THEN probability ELSE 0 END";
}

/*
 * deals_append appends the query.
 */
void
deals_append(StringInfo sql, const ForecastDefinition *definition, const DealTable *table, const DealQuery *query)
{
	const char *value = definition->measure == MEASURE_WEIGHTED ? psprintf("measured * %s", weight(table)) : "measured";

	appendStringInfo(sql, "(SELECT key, node_id, member, close_date, code, category, amount, currency, rate, stage, created, probability,"
					 " %s AS value, measured * %s AS weighted, %s AS bad_probability FROM (SELECT d.*, p.node_id,",
					 value, weight(table),
					 table->expressions[EXPRESSION_PROBABILITY] ? "coalesce(probability NOT BETWEEN 0 AND 1, false)" : "false");
	appendStringInfo(sql, " %s AS member, %s AS code, %s AS rate, %s%s AS measured FROM (",
					 query->credit == CREDIT_NONE ? "d.owner" : query->credit == CREDIT_REVENUE ? "coalesce(h.member, d.owner)" : "h.member",
					 table->expressions[EXPRESSION_CATEGORY] == NULL ? "3" :
					 "CASE d.category WHEN 'closed' THEN 0 WHEN 'pipeline' THEN 3 WHEN 'omitted' THEN 4 WHEN 'commit' THEN 1 WHEN 'best_case' THEN 2"
					 " ELSE CASE WHEN d.category IS NULL THEN 3 ELSE 5 END END",
					 rate(definition, table), measured(definition, table),
					 query->credit == CREDIT_NONE ? "" : query->credit == CREDIT_REVENUE ? " * coalesce(h.share, 1)" : " * h.share");
	append_columns(sql, definition, table);
	append_conditions(sql, definition, table, query);
	appendStringInfoString(sql, ") AS d");
	append_pairs(sql, table, query);
	append_rates(sql, definition, table);
	append_credit(sql, table, query->credit);
	appendStringInfoString(sql, ") AS m)");
}

/*
 * deals_send runs a query, with the settings of the active model.
 */
void
deals_send(const char *sql, const ForecastDefinition *definition, const DealQuery *query, DestReceiver *receiver)
{
	Oid			types[3] = {DATEARRAYOID, INT4ARRAYOID, TIMESTAMPTZOID};
	Datum		values[3] = {query->boundaries, query->nodes, query->at};
	char		nulls[3] = {query->bounded ? ' ' : 'n', query->of_nodes ? ' ' : 'n', query->as_of ? ' ' : 'n'};
	int			pin = session_pin(&definition->settings, PIN_TIME | PIN_PATH);

	select_send(sql, 3, types, values, nulls, true, receiver);
	session_unpin(pin);
}

/*
 * append_listing appends the query of one table's deals as forecast_deals gives them.
 */
static void
append_listing(StringInfo sql, const ForecastDefinition *definition, const DealTable *table, const DealQuery *query)
{
	appendStringInfo(sql, "SELECT %s::regclass, key::text, node_id, member, close_date,"
					 " CASE code WHEN 0 THEN 'closed' WHEN 1 THEN 'commit' WHEN 2 THEN 'best_case' WHEN 3 THEN 'pipeline' ELSE 'omitted' END,"
					 " value, weighted, amount, currency, rate, probability, stage, created,"
					 " nullif(concat_ws(', ', CASE WHEN node_id IS NULL THEN 'no territory' END, CASE WHEN close_date IS NULL THEN 'no close date' END,"
					 "  CASE WHEN value IS NULL AND close_date IS NOT NULL THEN 'no exchange rate of ' || currency END,"
					 "  CASE WHEN code = 5 THEN 'unknown category ' || category END, CASE WHEN bad_probability THEN 'probability ' || probability END), '')"
					 " FROM ", quote_literal_cstr(catalog_qualified_name(table->object)));
	deals_append(sql, definition, table, query);
	appendStringInfoString(sql, " AS s");
}

/*
 * territory_forecast_deals(forecast, at, model, credit) -> the deals, one row each; by
 * credit, one for each person who has a part.
 */
Datum
territory_forecast_deals(PG_FUNCTION_ARGS)
{
	DealQuery	query = {.of_nodes = true,.as_of = !PG_ARGISNULL(1)};
	ForecastDefinition *definition;
	StringInfoData sql;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	SPI_connect();
	definition = definition_load(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	query.credit = PG_ARGISNULL(3) ? CREDIT_NONE :
		strcmp(text_to_cstring(PG_GETARG_TEXT_PP(3)), "overlay") == 0 ? CREDIT_OVERLAY : CREDIT_REVENUE;
	query.at = query.as_of ? PG_GETARG_DATUM(1) : (Datum) 0;
	initStringInfo(&sql);
	foreach(cell, definition->tables)
	{
		appendStringInfoString(&sql, sql.len == 0 ? "" : " UNION ALL ");
		append_listing(&sql, definition, lfirst(cell), &query);
	}
	if (sql.len > 0)
	{
		query.nodes = definition_nodes(definition_model(PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2))));
		deals_send(sql.data, definition, &query, select_result(fcinfo));
	}
	SPI_finish();
	return (Datum) 0;
}
