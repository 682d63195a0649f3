/*
 * deals.h
 *		The deals of a forecast, as SQL.
 */
#ifndef TERRITORY_DEALS_H
#define TERRITORY_DEALS_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "tcop/dest.h"

#include "forecast/definition.h"

/* Numbers of the categories, in SQL and in C. */
typedef enum DealCategory
{
	CATEGORY_CLOSED,
	CATEGORY_COMMIT,
	CATEGORY_BEST_CASE,
	CATEGORY_PIPELINE,
	CATEGORY_OMITTED,
	CATEGORY_UNKNOWN
} DealCategory;

/* Whose deals they are said to be. */
typedef enum DealCredit
{
	CREDIT_NONE,				/* nobody's: each deal is there once */
	CREDIT_REVENUE,				/* the owner's, or in shares those of territory.deal_share */
	CREDIT_OVERLAY				/* overlay shares only */
} DealCredit;

/* parameters of these queries */
#define DEALS_BOUNDARIES	1	/* date[]: of the slots; deals outside are left out */
#define DEALS_NODES			2	/* int[]: the nodes that count */
#define DEALS_AT			3	/* timestamptz: when the pairs stood so */

/* What of the deals is asked for, with the parameters. */
typedef struct DealQuery
{
	DealCredit	credit;
	bool		bounded;
	bool		of_nodes;
	bool		as_of;
	Datum		boundaries;		/* where bounded */
	Datum		nodes;			/* where of_nodes */
	Datum		at;				/* where as_of */
} DealQuery;

/*
 * Appends a query in parentheses with the columns key, node_id, member, close_date, code, category,
 * amount, currency, rate, value, weighted, probability, bad_probability, stage and created.
 */
extern void deals_append(StringInfo sql, const ForecastDefinition *definition, const DealTable *table, const DealQuery *query);

/* Runs SQL made of such queries. Needs an SPI connection. */
extern void deals_send(const char *sql, const ForecastDefinition *definition, const DealQuery *query, DestReceiver *receiver);

#endif							/* TERRITORY_DEALS_H */
