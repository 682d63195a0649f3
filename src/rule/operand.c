/*
 * operand.c
 *		Operands: numbers the constants that rules compare an attribute with, and
 *		a row's value among them.
 *
 * Constants of equalities and prefixes have their numbers from a hash table, as
 * in any dictionary encoding. Bounds of ranges are sorted, and a value's rank
 * tells for each of them at once on which side the value is: with n bounds there
 * are 2n + 1 ranks, one for each bound and one for each gap. Sorting and
 * searching use PostgreSQL's sort support, abbreviated keys included, so that a
 * rank is found by comparing integers mostly, whatever the type.
 */
#include "postgres.h"

#include "access/nbtree.h"
#include "catalog/pg_am.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "rule/build.h"
#include "rule/growth.h"

/* A constant as it is looked up. */
typedef struct DictionaryKey
{
	union
	{
		uint64		word;		/* an integer; the first bytes */
		Datum		value;		/* of its type */
	};
	const char *bytes;
	int			size;
} DictionaryKey;

typedef struct DictionaryEntry
{
	DictionaryKey key;
	uint32		hash;
	int			code;
	char		status;
} DictionaryEntry;

static inline uint32 hash_key(Operand *operand, const DictionaryKey *key);
static inline bool equal_keys(Operand *operand, const DictionaryKey *a, const DictionaryKey *b);

#define SH_PREFIX		dictionary
#define SH_ELEMENT_TYPE	DictionaryEntry
#define SH_KEY_TYPE		DictionaryKey
#define SH_KEY			key
#define SH_HASH_KEY(tb, key) hash_key((Operand *) (tb)->private_data, &(key))
#define SH_EQUAL(tb, a, b) equal_keys((Operand *) (tb)->private_data, &(a), &(b))
#define SH_STORE_HASH
#define SH_GET_HASH(tb, entry) (entry)->hash
#define SH_SCOPE		static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/*
 * mix_integer hashes an integer: multiplicative hashing, whose high bits are
 * good.
 */
static inline uint32
mix_integer(uint64 value)
{
	return (uint32) (((value ^ (value >> 32)) * UINT64CONST(0x9E3779B97F4A7C15)) >> 32);
}

/*
 * first_bytes returns the first bytes, eight at most, as one integer: of values of
 * the same size, those that differ there give different ones.
 */
static inline uint64
first_bytes(const char *bytes, int size)
{
	uint64		word;
	uint32		first;
	uint32		last;

	if (size >= 8)
	{
		memcpy(&word, bytes, 8);
		return word;
	}
	if (size >= 4)
	{
		memcpy(&first, bytes, 4);
		memcpy(&last, bytes + size - 4, 4);
		return (uint64) last << 32 | first;
	}
	if (size == 0)
		return 0;
	return (uint64) (unsigned char) bytes[0] << 16 | (uint64) (unsigned char) bytes[size / 2] << 8 |
		(unsigned char) bytes[size - 1];
}

static inline uint32
hash_key(Operand *operand, const DictionaryKey *key)
{
	switch (operand->class)
	{
		case VALUE_INTEGER:
			return mix_integer(key->word);
		case VALUE_BYTES:
			/* short values, which most are, differ in their first bytes */
			return key->size <= 8 ? mix_integer(key->word ^ key->size) :
				hash_bytes((const unsigned char *) key->bytes, key->size);
		case VALUE_OTHER:
			return DatumGetUInt32(FunctionCall1Coll(&operand->hash_function, operand->collation, key->value));
	}
	return 0;
}

static inline bool
equal_keys(Operand *operand, const DictionaryKey *a, const DictionaryKey *b)
{
	switch (operand->class)
	{
		case VALUE_INTEGER:
			return a->word == b->word;
		case VALUE_BYTES:
			return a->word == b->word && a->size == b->size &&
				(a->size <= 8 || memcmp(a->bytes, b->bytes, a->size) == 0);
		case VALUE_OTHER:
			return DatumGetBool(FunctionCall2Coll(&operand->equal_function, operand->collation,
												  a->value, b->value));
	}
	return false;
}

/*
 * integer_of reads a value of class INTEGER.
 */
static inline int64
integer_of(Oid type, Datum value)
{
	switch (type)
	{
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
		case DATEOID:
			return DatumGetInt32(value);
		case BOOLOID:
			return DatumGetBool(value);
		case CHAROID:
			return (unsigned char) DatumGetChar(value);
		case INT8OID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
		case TIMEOID:
			return DatumGetInt64(value);
		default:				/* OID and enums */
			return DatumGetObjectId(value);
	}
}

/*
 * equal_class tells how values are compared for equality.
 */
static ValueClass
equal_class(Oid equality, Oid collation)
{
	switch (get_opcode(equality))
	{
		case F_INT2EQ:
		case F_INT4EQ:
		case F_INT8EQ:
		case F_DATE_EQ:
		case F_TIMESTAMP_EQ:
		case F_TIMESTAMPTZ_EQ:
		case F_TIME_EQ:
		case F_OIDEQ:
		case F_ENUM_EQ:
		case F_BOOLEQ:
		case F_CHAREQ:
			return VALUE_INTEGER;
		case F_TEXTEQ:
			return get_collation_isdeterministic(collation) ? VALUE_BYTES : VALUE_OTHER;
		case F_BYTEAEQ:
			return VALUE_BYTES;
		default:
			return VALUE_OTHER;
	}
}

/*
 * order_class tells how values of a type are ordered in an operator family.
 */
static ValueClass
order_class(Oid family, Oid type)
{
	switch (get_opfamily_proc(family, type, type, BTORDER_PROC))
	{
		case F_BTINT2CMP:
		case F_BTINT4CMP:
		case F_BTINT8CMP:
		case F_DATE_CMP:
		case F_TIMESTAMP_CMP:
		case F_TIMESTAMPTZ_CMP:
		case F_TIME_CMP:
		case F_BTOIDCMP:
		case F_BTBOOLCMP:
		case F_BTCHARCMP:
			return VALUE_INTEGER;
		default:
			return VALUE_OTHER;
	}
}

/*
 * order_input returns the input type under which a type stands in an operator
 * family: itself, or a polymorphic one.
 */
static Oid
order_input(Oid family, Oid type)
{
	if (OidIsValid(get_opfamily_member(family, type, type, BTLessStrategyNumber)))
		return type;
	if (type_is_enum(type))
		return ANYENUMOID;
	if (type_is_range(type))
		return ANYRANGEOID;
	if (type_is_multirange(type))
		return ANYMULTIRANGEOID;
	return type_is_rowtype(type) ? RECORDOID : ANYARRAYOID;
}

/*
 * init_order readies the comparison of an operand's bounds.
 */
static void
init_order(Operand *operand, Oid family, Oid input)
{
	operand->class = order_class(family, input);
	if (operand->class == VALUE_INTEGER)
		return;
	operand->order = palloc0(sizeof(SortSupportData));
	operand->order->ssup_cxt = CurrentMemoryContext;
	operand->order->ssup_collation = operand->collation;
	operand->order->abbreviate = true;
	PrepareSortSupportFromOrderingOp(get_opfamily_member(family, input, input, BTLessStrategyNumber),
									 operand->order);
}

/*
 * init_equality readies the comparison of an operand's constants.
 */
static void
init_equality(Operand *operand, Oid equality)
{
	Oid			hash;

	operand->class = operand->kind == OPERAND_PREFIX ? VALUE_BYTES :
		equal_class(equality, operand->collation);
	if (operand->class == VALUE_OTHER)
	{
		(void) get_op_hash_functions(equality, &hash, NULL);
		fmgr_info(hash, &operand->hash_function);
		fmgr_info(get_opcode(equality), &operand->equal_function);
	}
	operand->dictionary = dictionary_create(CurrentMemoryContext, 16, NULL);
}

/*
 * operand_init allocates the growing parts.
 */
void
operand_init(Builder *builder)
{
	RuleIndex  *index = builder->index;
	int			columns = RelationGetDescr(builder->rel)->natts + 1;

	builder->attribute_room = builder->operand_room = 8;
	index->attributes = MemoryContextAlloc(index->context, builder->attribute_room * sizeof(Attribute));
	index->operands = MemoryContextAlloc(index->context, builder->operand_room * sizeof(Operand));
	builder->column_attribute = palloc(columns * sizeof(int));
	for (int i = 0; i < columns; i++)
		builder->column_attribute[i] = -1;
	intern_init(&builder->attribute_exprs);
	builder->interned_room = 8;
	builder->interned_attribute = palloc(builder->interned_room * sizeof(int));
}

/*
 * add_attribute adds an attribute.
 */
static int
add_attribute(Builder *builder, Expr *expr, AttrNumber attno)
{
	RuleIndex  *index = builder->index;
	Attribute  *attribute;

	if (index->attribute_count == builder->attribute_room)
	{
		builder->attribute_room *= 2;
		index->attributes = repalloc(index->attributes, builder->attribute_room * sizeof(Attribute));
	}
	attribute = &index->attributes[index->attribute_count];
	memset(attribute, 0, sizeof(Attribute));
	attribute->expr = expr;
	attribute->attno = attno;
	attribute->varlena = attno != 0 && TupleDescAttr(RelationGetDescr(builder->rel), attno - 1)->attlen == -1;
	attribute->rule = builder->rule;
	attribute->first_operand = -1;
	return index->attribute_count++;
}

/*
 * find_attribute returns the number of the attribute of an expression, a new
 * one if need be.
 */
static int
find_attribute(Builder *builder, Expr *expr)
{
	Expr	   *stripped = expr;
	int			number;
	bool		is_new;

	while (IsA(stripped, RelabelType))
		stripped = ((RelabelType *) stripped)->arg;
	if (IsA(stripped, Var))
	{
		AttrNumber	attno = ((Var *) stripped)->varattno;

		if (builder->column_attribute[attno] < 0)
			builder->column_attribute[attno] = add_attribute(builder, NULL, attno);
		return builder->column_attribute[attno];
	}
	number = intern(&builder->attribute_exprs, expr, &is_new);
	if (is_new)
	{
		MemoryContext old = MemoryContextSwitchTo(builder->index->context);

		builder->attribute_exprs.exprs[number] = copyObject(expr);
		MemoryContextSwitchTo(old);
		if (number == builder->interned_room)
		{
			builder->interned_room *= 2;
			builder->interned_attribute = repalloc(builder->interned_attribute,
												   builder->interned_room * sizeof(int));
		}
		builder->interned_attribute[number] =
			add_attribute(builder, builder->attribute_exprs.exprs[number], 0);
	}
	return builder->interned_attribute[number];
}

/*
 * init_operand fills a new operand in. The values' own type may differ from the
 * operator's input (varchar, text; an enum, anyenum).
 */
static void
init_operand(Operand *operand, Expr *expr, OperandKind kind, Oid by, Oid collation, int size)
{
	memset(operand, 0, sizeof(Operand));
	operand->kind = kind;
	operand->by = by;
	operand->collation = collation;
	operand->size = size;
	operand->type = getBaseType(exprType((Node *) expr));
	get_typlenbyval(operand->type, &operand->typlen, &operand->byval);
	if (kind == OPERAND_ORDER)
		init_order(operand, by, order_input(by, operand->type));
	else if (kind != OPERAND_NULLNESS)
		init_equality(operand, by);
}

/*
 * operand_find returns the number of an operand, a new one if need be.
 */
int
operand_find(Builder *builder, Expr *expr, OperandKind kind, Oid by, Oid collation, int size)
{
	RuleIndex  *index = builder->index;
	int			attribute = find_attribute(builder, expr);
	MemoryContext old;
	int			number;

	for (number = index->attributes[attribute].first_operand; number >= 0;
		 number = index->operands[number].next)
	{
		const Operand *operand = &index->operands[number];

		if (operand->kind == kind && operand->by == by && operand->collation == collation &&
			operand->size == size)
			return number;
	}
	if (index->operand_count == builder->operand_room)
	{
		builder->operand_room *= 2;
		index->operands = repalloc(index->operands, builder->operand_room * sizeof(Operand));
	}
	if (index->operand_count > STEP_MAX_INDEX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the rules compare too many expressions")));
	number = index->operand_count++;
	old = MemoryContextSwitchTo(index->context);
	init_operand(&index->operands[number], expr, kind, by, collation, size);
	MemoryContextSwitchTo(old);
	index->operands[number].attribute = attribute;
	index->operands[number].next = index->attributes[attribute].first_operand;
	index->attributes[attribute].first_operand = number;
	return number;
}

/*
 * bytes_of finds the bytes of a value, which is seldom compressed or elsewhere.
 */
static inline const char *
bytes_of(Datum value, int *size)
{
	struct varlena *bytes = (struct varlena *) DatumGetPointer(value);

	if (VARATT_IS_COMPRESSED(bytes) || VARATT_IS_EXTERNAL(bytes))
		bytes = PG_DETOAST_DATUM_PACKED(value);
	*size = VARSIZE_ANY_EXHDR(bytes);
	return VARDATA_ANY(bytes);
}

/*
 * make_key prepares a value for being looked up; false where it is shorter than
 * the prefix.
 */
static inline bool
make_key(const Operand *operand, Oid type, Datum value, DictionaryKey *key)
{
	key->size = 0;
	if (operand->class == VALUE_INTEGER)
		key->word = (uint64) integer_of(type, value);
	else if (operand->class == VALUE_OTHER)
		key->value = value;
	else
	{
		key->bytes = bytes_of(value, &key->size);
		if (operand->kind == OPERAND_PREFIX)
		{
			if (key->size < operand->size)
				return false;
			key->size = operand->size;
		}
		key->word = first_bytes(key->bytes, key->size);
	}
	return true;
}

/*
 * operand_enter returns the code of a constant, a new one if need be.
 */
int
operand_enter(Builder *builder, int number, Oid type, Datum value)
{
	Operand    *operand = &builder->index->operands[number];
	DictionaryKey key = {0};
	DictionaryEntry *entry;
	MemoryContext old;
	bool		found;

	(void) make_key(operand, type, value, &key);
	operand->dictionary->private_data = operand;	/* the array may have moved */
	entry = dictionary_insert(operand->dictionary, key, &found);
	if (found)
		return entry->code;
	old = MemoryContextSwitchTo(builder->index->context);
	if (operand->class == VALUE_BYTES)
		entry->key.bytes = memcpy(palloc(Max(key.size, 1)), key.bytes, key.size);
	else if (operand->class == VALUE_OTHER)
		entry->key.value = datumCopy(value, operand->byval, operand->typlen);
	MemoryContextSwitchTo(old);
	entry->code = operand->value_count++;
	return entry->code;
}

/*
 * operand_enter_bound returns the number of a bound.
 */
int
operand_enter_bound(Builder *builder, int number, Oid type, Datum value)
{
	Operand    *operand = &builder->index->operands[number];
	MemoryContext context = builder->index->context;
	MemoryContext old = MemoryContextSwitchTo(context);

	operand->bounds = growth_room(context, operand->bounds, operand->value_count, 1, sizeof(Datum));
	operand->bounds[operand->value_count] = operand->class == VALUE_INTEGER ?
		Int64GetDatum(integer_of(type, value)) :
		datumCopy(value, operand->byval, operand->typlen);
	MemoryContextSwitchTo(old);
	return operand->value_count++;
}

/*
 * compare_bounds compares two values, each with its abbreviated form where the
 * type has one.
 */
static inline int
compare_bounds(SortSupport order, Datum a, Datum a_short, Datum b, Datum b_short, bool abbreviated)
{
	int			result = abbreviated ? order->comparator(a_short, b_short, order) :
		order->comparator(a, b, order);

	if (result == 0 && abbreviated)
		result = order->abbrev_full_comparator(a, b, order);
	return result;
}

/* A bound being sorted. */
typedef struct Bound
{
	Datum		value;
	Datum		abbreviated;
	int			number;
} Bound;

static int
compare_for_sort(const void *a, const void *b, void *arg)
{
	const Operand *operand = arg;
	const Bound *x = a;
	const Bound *y = b;

	if (operand->class == VALUE_INTEGER)
		return (DatumGetInt64(x->value) > DatumGetInt64(y->value)) -
			(DatumGetInt64(x->value) < DatumGetInt64(y->value));
	return compare_bounds(operand->order, x->value, x->abbreviated, y->value, y->abbreviated,
						  operand->order->abbrev_converter != NULL);
}

/*
 * sort_bounds sorts the bounds of an operand and drops duplicates; returns the
 * position of each bound by its number.
 */
static int *
sort_bounds(RuleIndex *index, Operand *operand)
{
	int			count = operand->value_count;
	Bound	   *sorted = palloc_extended(Max(count, 1) * sizeof(Bound), MCXT_ALLOC_HUGE);
	int		   *place = palloc_extended(Max(count, 1) * sizeof(int), MCXT_ALLOC_HUGE);
	bool		abbreviate = operand->order && operand->order->abbrev_converter;
	int			last = 0;

	for (int i = 0; i < count; i++)
	{
		sorted[i].value = operand->bounds[i];
		sorted[i].number = i;
		sorted[i].abbreviated = abbreviate ?
			operand->order->abbrev_converter(operand->bounds[i], operand->order) : (Datum) 0;
	}
	qsort_arg(sorted, count, sizeof(Bound), compare_for_sort, operand);
	if (abbreviate)
		operand->abbreviated = MemoryContextAllocHuge(index->context, Max(count, 1) * sizeof(Datum));
	for (int i = 0; i < count; i++)
	{
		if (i > 0 && compare_for_sort(&sorted[i], &sorted[i - 1], operand) != 0)
			last++;
		place[sorted[i].number] = last;
		operand->bounds[last] = sorted[i].value;
		if (abbreviate)
			operand->abbreviated[last] = sorted[i].abbreviated;
	}
	operand->value_count = count == 0 ? 0 : last + 1;
	pfree(sorted);
	return place;
}

/*
 * operand_finish readies operands for looking values up; their array no longer
 * moves. Returns, by operand, the positions of bounds.
 */
int **
operand_finish(Builder *builder)
{
	RuleIndex  *index = builder->index;
	int		  **places = palloc0(Max(index->operand_count, 1) * sizeof(int *));

	for (int i = 0; i < index->operand_count; i++)
	{
		Operand    *operand = &index->operands[i];

		if (operand->kind == OPERAND_ORDER)
			places[i] = sort_bounds(index, operand);
		else if (operand->dictionary)
		{
			operand->dictionary->private_data = operand;
			/* a quarter full: the first look tells, mostly */
			dictionary_grow(operand->dictionary, Max(4 * (uint64) operand->value_count, 16));
		}
	}
	return places;
}

/*
 * integer_rank finds the rank of an integer. The search has no branch that
 * depends on the data: mispredicted ones cost more than all the rest.
 */
static int
integer_rank(const Operand *operand, int64 value)
{
	const Datum *base = operand->bounds;
	int			count = operand->value_count;

	if (count == 0)
		return 0;
	while (count > 1)
	{
		int			half = count / 2;

		base += half & -(int) (DatumGetInt64(base[half - 1]) < value);
		count -= half;
	}
	base += DatumGetInt64(*base) < value;
	count = base - operand->bounds;
	return 2 * count + (count < operand->value_count && DatumGetInt64(*base) == value);
}

/*
 * other_rank finds the rank of a value by the type's comparison.
 */
static int
other_rank(const Operand *operand, Datum value)
{
	SortSupport order = operand->order;
	bool		abbreviate = operand->abbreviated != NULL;
	Datum		abbreviated = abbreviate ? order->abbrev_converter(value, order) : (Datum) 0;
	int			low = 0;
	int			high = operand->value_count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;
		int			result = compare_bounds(order, value, abbreviated, operand->bounds[middle],
											abbreviate ? operand->abbreviated[middle] : (Datum) 0,
											abbreviate);

		if (result == 0)
			return 2 * middle + 1;
		if (result > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return 2 * low;
}

/*
 * operand_code_of returns the code of a row's value, which is not NULL. Memory
 * is the current context's.
 */
int
operand_code_of(Operand *operand, Datum value)
{
	DictionaryKey key;
	DictionaryEntry *entry;

	if (operand->kind == OPERAND_NULLNESS)
		return CODE_UNKNOWN;
	if (operand->kind == OPERAND_ORDER)
		return operand->class == VALUE_INTEGER ?
			integer_rank(operand, integer_of(operand->type, value)) : other_rank(operand, value);
	if (!make_key(operand, operand->type, value, &key))
		return CODE_UNKNOWN;
	entry = dictionary_lookup(operand->dictionary, key);
	return entry ? entry->code : CODE_UNKNOWN;
}
