/*
 * select.h
 *		Queries of functions that read: with the rights of the current user, by the
 *		snapshot of the calling query. An SPI connection must be open.
 */
#ifndef TERRITORY_SELECT_H
#define TERRITORY_SELECT_H

#include "postgres.h"

#include "fmgr.h"
#include "tcop/dest.h"

/* The result is in SPI_processed and SPI_tuptable. nulls: as of SPI; NULL: no value is null. */
extern void select_rows(const char *sql, int count, Oid *types, Datum *values, const char *nulls);

/* a column of a row of that result, from 1 and from 0; null: 0. As it is, and as text, palloc'd. */
extern Datum select_value(uint64 row, int column);
extern char *select_text(uint64 row, int column);

/* Sends the rows to a receiver, whose mydest is another than DestNone. read_only: false where something in WITH writes. */
extern void select_send(const char *sql, int count, Oid *types, Datum *values, const char *nulls,
						bool read_only, DestReceiver *receiver);

/* A receiver whose rows are the result of a set-returning function, after InitMaterializedSRF. */
extern DestReceiver *select_result(FunctionCallInfo fcinfo);

#endif							/* TERRITORY_SELECT_H */
