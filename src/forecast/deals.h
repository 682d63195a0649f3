/*
 * deals.h
 *		The deals of a forecast, as SQL.
 */
#ifndef TERRITORY_DEALS_H
#define TERRITORY_DEALS_H

#include "postgres.h"

#include "lib/stringinfo.h"

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
#define DEALS_BOUNDARIES	1	/* date[]: of the periods, ascending; deals outside are left out. NULL: none are */
#define DEALS_NODES			2	/* int[]: the nodes that count. NULL: all */
#define DEALS_AT			3	/* timestamptz: when the pairs stood so. NULL: now */

/* What of the deals is asked for. */
typedef struct DealQuery
{
	DealCredit	credit;
	bool		bounded;		/* by DEALS_BOUNDARIES */
	bool		of_nodes;		/* by DEALS_NODES */
	bool		as_of;			/* by DEALS_AT */
	const char *condition;		/* over the table's columns; NULL: none */
} DealQuery;

/*
 * Appends a query in parentheses with the columns key, node_id, member, close_date, code, category,
 * amount, currency, rate, value, weighted, probability, bad_probability, stage and created.
 */
extern void deals_append(StringInfo sql, const ForecastDefinition *definition, const DealTable *table, const DealQuery *query);

#endif							/* TERRITORY_DEALS_H */
