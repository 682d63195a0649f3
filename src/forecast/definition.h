/*
 * definition.h
 *		What a forecast is of: a row of territory.forecast_def, and the tables of
 *		deals that it reads.
 */
#ifndef TERRITORY_DEFINITION_H
#define TERRITORY_DEFINITION_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "base/session.h"
#include "rule/object.h"

/* the forecast that is there without a row */
#define MAIN_FORECAST "amount"

typedef enum ForecastMeasure
{
	MEASURE_AMOUNT,
	MEASURE_WEIGHTED,
	MEASURE_COUNT,
	MEASURE_QUANTITY
} ForecastMeasure;

/* An attached table of deals. */
typedef struct DealTable
{
	Oid			object;
	Oid			assignment;
	char	   *key;			/* name of the column, quoted */
	char	   *expressions[EXPRESSIONS];	/* NULL: not given */
} DealTable;

typedef struct ForecastDefinition
{
	char	   *name;
	ForecastMeasure measure;
	char	   *quantity;		/* expressions; NULL: none */
	char	   *filter;
	char	   *currency;		/* in which amounts are reported; NULL: none is known */
	List	   *tables;			/* of DealTable */
	PinnedSettings settings;
} ForecastDefinition;

/* Is money added up? */
static inline bool
definition_is_money(const ForecastDefinition *definition)
{
	return definition->measure == MEASURE_AMOUNT || definition->measure == MEASURE_WEIGHTED;
}

/* Reads the definition with this name; raises 42704 where there is none. palloc'd. Needs an SPI connection. */
extern ForecastDefinition *definition_load(const char *name);

/* id of a model, NULL: of the active one. Raises 42704 where there is none. */
extern int32 definition_model(const char *model);

/* int[]: its nodes */
extern Datum definition_nodes(int32 model);

#endif							/* TERRITORY_DEFINITION_H */
