/*
 * decimal.h
 *		Exact running sums of numeric values, cheap while the values are short.
 *
 * A sum is small / 10^scale, plus rest. An amount of up to 16 digits or so is
 * added to the 64-bit integer; what does not fit there is added to rest by
 * PostgreSQL's own numeric arithmetic, and so are NaN and the infinities.
 * Either way the result equals what sum(numeric) gives, display scale included.
 *
 * An all-zero struct is the sum of nothing, which is 0.
 */
#ifndef TERRITORY_DECIMAL_H
#define TERRITORY_DECIMAL_H

#include "postgres.h"

#include "utils/numeric.h"

typedef struct DecimalSum
{
	int64		small;
	int			scale;			/* of small, 0 to 18 */
	Numeric		rest;			/* NULL for none */
} DecimalSum;

extern void decimal_sum_add(DecimalSum *sum, Datum amount, MemoryContext context);
extern void decimal_sum_merge(DecimalSum *sum, const DecimalSum *other, MemoryContext context);
extern Numeric decimal_sum_settle(DecimalSum *sum, MemoryContext context);
extern Numeric decimal_sum_value(const DecimalSum *sum);
extern bool decimal_is_zero(Numeric value);

#endif							/* TERRITORY_DECIMAL_H */
