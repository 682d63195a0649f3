/*
 * advice.c
 *		Tells who writes rules what makes them slow.
 *
 * A rule that nothing in a record leads to is tried for every record. Some such
 * rules cost little; many make every write slow, and nobody would see why.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "assign/advice.h"
#include "base/catalog.h"
#include "rule/ruleset.h"

/* so many rules that are tried for every record are worth a word */
#define MANY_SCANNED 100

/*
 * is_listed tells whether an id is in the first column of a sorted result.
 */
static bool
is_listed(int32 id, const SPITupleTable *ids, uint64 count)
{
	uint64		low = 0;
	uint64		high = count;

	while (low < high)
	{
		uint64		middle = low + (high - low) / 2;
		bool		isnull;
		int32		found = DatumGetInt32(SPI_getbinval(ids->vals[middle], ids->tupdesc, 1, &isnull));

		if (found == id)
			return true;
		if (found < id)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/*
 * count_scanned counts the rules of an index that are tried for every record, and
 * finds one that is listed.
 */
static int
count_scanned(const RuleIndex *index, const SPITupleTable *ids, uint64 count, int32 *listed)
{
	int			scanned = 0;

	for (int i = 0; index != NULL && i < index->rule_count; i++)
	{
		if (!index->infos[i].scanned || index->rules[i].node < 0)
			continue;
		scanned++;
		if (*listed == 0 && is_listed(index->rules[i].id, ids, count))
			*listed = index->rules[i].id;
	}
	return scanned;
}

/*
 * advice_on_rules speaks of one of the rules, and how many there are like it.
 */
void
advice_on_rules(Oid object, const SPITupleTable *ids, uint64 count)
{
	Ruleset    *rules = ruleset_acquire(object);
	int32		listed = 0;
	int			scanned = count_scanned(rules->index, ids, count, &listed) +
		count_scanned(rules->patch, ids, count, &listed);
	int			rule_count = ruleset_size(rules);

	ruleset_release(rules);
	if (scanned >= MANY_SCANNED && listed != 0)
		ereport(NOTICE,
				(errmsg("rule %d has to be tried for every record of %s", listed, catalog_qualified_name(object)),
				 errdetail("So have %d of its %d rules in all, which makes every write slower.", scanned, rule_count),
				 errhint("A rule is found by a comparison of a column with constants: =, IN, <, BETWEEN, LIKE 'x%%', <@, IS NULL. territory.rule_stats() shows what each rule is found by, and what it costs.")));
}
