/*
 * decimal.c
 *		Exact running sums of numeric values, cheap while the values are short.
 *
 * This is the one file that looks inside a numeric. It relies on the stored
 * form of the type, which pg_upgrade holds fixed: a 16-bit header, for a long
 * value a 16-bit weight, and the digits in base 10000, most significant first.
 */
#include "postgres.h"

#include "common/int.h"
#include "compat.h"
#include "forecast/decimal.h"

/* the header of a stored numeric */
#define DIGIT_FORM_MASK			0xC000
#define DIGIT_FORM_NEGATIVE		0x4000
#define DIGIT_FORM_SHORT		0x8000
#define DIGIT_FORM_SPECIAL		0xC000
#define SHORT_NEGATIVE			0x2000
#define SHORT_SCALE_MASK		0x1F80
#define SHORT_SCALE_SHIFT		7
#define SHORT_WEIGHT_SIGN		0x0040
#define SHORT_WEIGHT_MASK		0x003F
#define LONG_SCALE_MASK			0x3FFF

/* four digits of base 10000 are below 10^16, which leaves room in an int64 */
#define MAX_SMALL_DIGITS		4
#define MAX_SMALL_SCALE			18

/* a stored numeric, taken apart */
typedef struct DecimalParts
{
	bool		special;		/* NaN or an infinity; nothing else is set */
	bool		negative;
	int			scale;			/* digits shown after the decimal point */
	int			weight;			/* of the first digit, a power of 10000 */
	int			ndigits;
	const char *digits;			/* int16 each, not aligned */
} DecimalParts;

static const int64 power_of_10[MAX_SMALL_SCALE + 1] = {
	INT64CONST(1),
	INT64CONST(10),
	INT64CONST(100),
	INT64CONST(1000),
	INT64CONST(10000),
	INT64CONST(100000),
	INT64CONST(1000000),
	INT64CONST(10000000),
	INT64CONST(100000000),
	INT64CONST(1000000000),
	INT64CONST(10000000000),
	INT64CONST(100000000000),
	INT64CONST(1000000000000),
	INT64CONST(10000000000000),
	INT64CONST(100000000000000),
	INT64CONST(1000000000000000),
	INT64CONST(10000000000000000),
	INT64CONST(100000000000000000),
	INT64CONST(1000000000000000000)
};

/*
 * read_int16 returns the 16 bits at a place that may not be aligned.
 */
static inline uint16
read_int16(const char *place)
{
	uint16		value;

	memcpy(&value, place, sizeof(value));
	return value;
}

/*
 * take_apart reads a numeric that is neither compressed nor out of line, with
 * either kind of varlena header, and copies nothing.
 */
static inline DecimalParts
take_apart(const struct varlena *value)
{
	const char *data = VARDATA_ANY(value);
	const char *end = data + VARSIZE_ANY_EXHDR(value);
	uint16		header = read_int16(data);
	DecimalParts parts = {0};

	parts.special = (header & DIGIT_FORM_MASK) == DIGIT_FORM_SPECIAL;
	if (parts.special)
		return parts;

	data += sizeof(uint16);
	if ((header & DIGIT_FORM_MASK) == DIGIT_FORM_SHORT)
	{
		parts.negative = (header & SHORT_NEGATIVE) != 0;
		parts.scale = (header & SHORT_SCALE_MASK) >> SHORT_SCALE_SHIFT;
		parts.weight = header & SHORT_WEIGHT_MASK;
		if (header & SHORT_WEIGHT_SIGN)
			parts.weight -= SHORT_WEIGHT_SIGN;
	}
	else
	{
		parts.negative = (header & DIGIT_FORM_MASK) == DIGIT_FORM_NEGATIVE;
		parts.scale = header & LONG_SCALE_MASK;
		parts.weight = (int16) read_int16(data);
		data += sizeof(int16);
	}

	parts.ndigits = (end - data) / sizeof(int16);
	parts.digits = data;
	return parts;
}

/*
 * parts_to_small gives the value as an integer of 10^-scale, or returns false
 * if it is special or too long for that.
 */
static inline bool
parts_to_small(const DecimalParts *parts, int64 *value)
{
	int64		result = 0;
	int			exponent;

	if (parts->special || parts->ndigits > MAX_SMALL_DIGITS || parts->scale > MAX_SMALL_SCALE)
		return false;

	for (int i = 0; i < parts->ndigits; i++)
		result = result * 10000 + read_int16(parts->digits + i * sizeof(int16));

	/* the power of ten of the last digit, counted from the end of the scale */
	exponent = 4 * (parts->weight - parts->ndigits + 1) + parts->scale;
	if (result == 0)
		exponent = 0;
	if (exponent < -3 || exponent > MAX_SMALL_SCALE)
		return false;
	if (exponent < 0)
		result /= power_of_10[-exponent];	/* these are zeroes that pad the last digit */
	else if (pg_mul_s64_overflow(result, power_of_10[exponent], &result))
		return false;

	*value = parts->negative ? -result : result;
	return true;
}

/*
 * replace_rest makes a copy of total, in the given context, the sum's rest.
 */
static void
replace_rest(DecimalSum *sum, Numeric total, MemoryContext context)
{
	Size		size = VARSIZE_ANY(total);
	Numeric		copy = (Numeric) MemoryContextAlloc(context, size);

	memcpy(copy, total, size);
	if (sum->rest != NULL)
		pfree(sum->rest);
	sum->rest = copy;
}

/*
 * add_small adds value / 10^scale and returns true, or returns false, the sum
 * having kept its value, if that number does not fit at the sum's scale.
 */
static inline bool
add_small(DecimalSum *sum, int64 value, int scale, MemoryContext context)
{
	int64		total;

	if (scale < sum->scale)
	{
		if (pg_mul_s64_overflow(value, power_of_10[sum->scale - scale], &value))
			return false;
	}
	else if (scale > sum->scale)
	{
		if (pg_mul_s64_overflow(sum->small, power_of_10[scale - sum->scale], &total))
		{
			decimal_sum_settle(sum, context);
			total = 0;
		}
		sum->small = total;
		sum->scale = scale;
	}

	if (pg_add_s64_overflow(sum->small, value, &total))
	{
		int			kept_scale = sum->scale;

		decimal_sum_settle(sum, context);
		sum->scale = kept_scale;
		total = value;
	}
	sum->small = total;
	return true;
}

/*
 * decimal_sum_add adds a numeric in any form, and leaves the sum as it was if
 * that raises an error. What the sum has to keep is allocated in context,
 * which must be the same in every call for this sum.
 */
void
decimal_sum_add(DecimalSum *sum, Datum amount, MemoryContext context)
{
	struct varlena *packed = PG_DETOAST_DATUM_PACKED(amount);
	DecimalParts parts = take_apart(packed);
	Numeric		rest;
	int64		value;

	if (parts_to_small(&parts, &value) && add_small(sum, value, parts.scale, context))
		return;

	rest = sum->rest != NULL ? sum->rest : int64_to_numeric(0);
	replace_rest(sum,
				 numeric_add_opt_error(rest, DatumGetNumeric(PointerGetDatum(packed)), NULL),
				 context);
}

/*
 * decimal_sum_settle moves everything into rest and returns that: the result
 * so far, owned by the sum, valid until the sum is next changed.
 */
Numeric
decimal_sum_settle(DecimalSum *sum, MemoryContext context)
{
	Numeric		total;

	if (sum->rest != NULL && sum->small == 0 && sum->scale == 0)
		return sum->rest;

	total = int64_div_fast_to_numeric(sum->small, sum->scale);
	if (sum->rest != NULL)
		total = numeric_add_opt_error(sum->rest, total, NULL);
	replace_rest(sum, total, context);
	sum->small = 0;
	sum->scale = 0;
	return sum->rest;
}

/*
 * decimal_sum_value returns the result so far, in the current context or owned by the
 * sum, which stays as it is.
 */
Numeric
decimal_sum_value(const DecimalSum *sum)
{
	Numeric		total;

	if (sum->rest != NULL && sum->small == 0 && sum->scale == 0)
		return sum->rest;
	total = int64_div_fast_to_numeric(sum->small, sum->scale);
	return sum->rest != NULL ? numeric_add_opt_error(sum->rest, total, NULL) : total;
}

/*
 * decimal_sum_merge adds another sum, which stays as it is.
 */
void
decimal_sum_merge(DecimalSum *sum, const DecimalSum *other, MemoryContext context)
{
	if (other->rest == NULL && add_small(sum, other->small, other->scale, context))
		return;
	decimal_sum_add(sum, NumericGetDatum(decimal_sum_value(other)), context);
}

/*
 * decimal_is_zero tells whether a plain (not toasted) numeric is 0, at any
 * scale.
 */
bool
decimal_is_zero(Numeric value)
{
	DecimalParts parts = take_apart((struct varlena *) value);

	return !parts.special && parts.ndigits == 0;
}
