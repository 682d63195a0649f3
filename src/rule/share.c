/*
 * share.c
 *		Estimates which share of the rows passes a comparison, from the statistics
 *		that ANALYZE keeps of the table's columns.
 *
 * The most common values and the bounds of the histogram are looked up as rows
 * are: each is a sample of a known share of the rows, whose code or rank says
 * which comparisons it passes. Where there are no statistics, the constants
 * themselves are taken for the values that occur.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_statistic.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"

#include "rule/build.h"

/* Samples of a column. */
typedef struct Samples
{
	bool		known;
	double		distinct;		/* values; 0: not known */
	double		null_share;
	AttStatsSlot common;		/* most common values and their shares */
	double		common_share;
	AttStatsSlot histogram;
} Samples;

/*
 * read_samples reads a column's statistics.
 */
static void
read_samples(const Builder *builder, AttrNumber attno, Samples *samples, HeapTuple *tuple)
{
	Relation	rel = builder->rel;
	Form_pg_statistic form;

	memset(samples, 0, sizeof(Samples));
	*tuple = attno == 0 ? NULL :
		SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(RelationGetRelid(rel)), Int16GetDatum(attno),
						BoolGetDatum(rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE));
	if (!HeapTupleIsValid(*tuple))
		return;
	form = (Form_pg_statistic) GETSTRUCT(*tuple);
	samples->known = true;
	samples->null_share = form->stanullfrac;
	samples->distinct = form->stadistinct >= 0 ? form->stadistinct :
		-form->stadistinct * Max(rel->rd_rel->reltuples, 1);
	(void) get_attstatsslot(&samples->common, *tuple, STATISTIC_KIND_MCV, InvalidOid,
							ATTSTATSSLOT_VALUES | ATTSTATSSLOT_NUMBERS);
	(void) get_attstatsslot(&samples->histogram, *tuple, STATISTIC_KIND_HISTOGRAM, InvalidOid,
							ATTSTATSSLOT_VALUES);
	for (int i = 0; i < samples->common.nnumbers; i++)
		samples->common_share += samples->common.numbers[i];
}

static void
free_samples(Samples *samples, HeapTuple tuple)
{
	if (!HeapTupleIsValid(tuple))
		return;
	free_attstatsslot(&samples->common);
	free_attstatsslot(&samples->histogram);
	ReleaseSysCache(tuple);
}

/*
 * add_sample adds a sample's share of the rows to its code. Samples of another
 * type than the operand compares (a cast) say nothing.
 */
static void
add_sample(Operand *operand, Oid type, Datum value, double share)
{
	int			code;

	if (getBaseType(type) != operand->type)
	{
		Oid			base = getBaseType(type);

		/* binary-compatible types of text */
		if (get_typlen(base) != operand->typlen || get_typbyval(base) != operand->byval || operand->byval)
			return;
	}
	code = operand_code_of(operand, value);
	if (code >= 0)
		operand->shares[code] += share;
}

/*
 * share_of_codes estimates the share of each code.
 */
static void
share_of_codes(Operand *operand, const Samples *samples)
{
	double		rest = Max(1.0 - samples->null_share - samples->common_share, 0);
	double		others = Max(samples->distinct - samples->common.nvalues, 1);

	for (int i = 0; i < samples->common.nvalues; i++)
		add_sample(operand, samples->common.valuetype, samples->common.values[i], samples->common.numbers[i]);
	if (operand->kind == OPERAND_PREFIX)
	{
		for (int i = 0; i < samples->histogram.nvalues; i++)
			add_sample(operand, samples->histogram.valuetype, samples->histogram.values[i],
					   rest / samples->histogram.nvalues);
		operand->other_share = 1.0 / Max(operand->value_count, 100);
	}
	else
		operand->other_share = samples->known && samples->distinct > 0 ? rest / others :
			1.0 / Max(operand->value_count, 1);
}

/*
 * share_of_ranks estimates the share of the rows up to each rank.
 */
static void
share_of_ranks(Operand *operand, const Samples *samples)
{
	int			ranks = 2 * operand->value_count + 1;
	double		rest = Max(1.0 - samples->null_share - samples->common_share, 0);
	double		sum = 0;

	if (samples->common.nvalues + samples->histogram.nvalues == 0)
	{
		for (int i = 0; i < ranks; i++)
			operand->shares[i] = (double) (i + 1) / ranks;
		return;
	}
	for (int i = 0; i < samples->common.nvalues; i++)
		add_sample(operand, samples->common.valuetype, samples->common.values[i], samples->common.numbers[i]);
	for (int i = 0; i < samples->histogram.nvalues; i++)
		add_sample(operand, samples->histogram.valuetype, samples->histogram.values[i],
				   rest / samples->histogram.nvalues);
	for (int i = 0; i < ranks; i++)
		operand->shares[i] = sum += operand->shares[i];
}

/*
 * share_init estimates the shares of all operands, in the current context.
 */
void
share_init(Builder *builder)
{
	RuleIndex  *index = builder->index;

	for (int i = 0; i < index->operand_count; i++)
	{
		Operand    *operand = &index->operands[i];
		Samples		samples;
		HeapTuple	tuple;

		read_samples(builder, index->attributes[operand->attribute].attno, &samples, &tuple);
		operand->shares = palloc_extended((2 * operand->value_count + 1) * sizeof(float),
										  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
		operand->null_share = samples.known ? samples.null_share : DEFAULT_UNK_SEL;
		if (operand->kind == OPERAND_ORDER)
			share_of_ranks(operand, &samples);
		else
			share_of_codes(operand, &samples);
		free_samples(&samples, tuple);
	}
}

/*
 * share_of estimates the share of the rows that pass a comparison.
 */
double
share_of(const Builder *builder, const Condition *condition)
{
	const Operand *operand = &builder->index->operands[condition->index];
	double		share = condition->if_null ? operand->null_share : 0;

	if (condition->kind == CONDITION_RANGE)
		share = operand->shares[condition->high] - (condition->low > 0 ? operand->shares[condition->low - 1] : 0);
	else
	{
		for (int i = 0; i < condition->count; i++)
		{
			double		code = operand->shares[condition->codes[i]];

			share += code > 0 ? code : operand->other_share;
		}
	}
	return condition->negated ? 1 - share : share;
}
