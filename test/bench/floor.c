/*
 * floor.c
 *		The least that matching rows with rules costs: the same rules and rows in plain C, with no server around them.
 *
 * Usage: floor RULES ROWS REPEATS CHECKED. RULES has a line for each criterion, those of a rule together: rule, column,
 * operator, operands. ROWS has a line with the columns' names and one for each row, as COPY writes them. Printed are the
 * least microseconds a row of all repeats, the number of rules tried a row, and, for the first CHECKED rows, the number
 * of matches and the sum of row number times rule: what they have to agree with.
 *
 * A rule hangs on the values of its two most selective equalities ("access predicates": Fabret et al., SIGMOD 2001), on
 * each pair of them where they are lists; one with a single equality hangs on that. A row's texts are looked up in
 * dictionaries that hold the rules' constants only, its codes are looked up in a hash of pairs, and what is found there is
 * checked to the end: by codes, and by bounds of numbers. Reading the files is not timed: a row's texts lie in memory,
 * its numbers are numbers.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_COLUMNS 16
#define MAX_ATTRIBUTES 24
#define MAX_CHECKS 8			/* criteria of a rule */
#define SAMPLE 10000			/* rows that selectivity is estimated from */

/* codes of a text: of a constant of the rules they count from FIRST on */
enum {CODE_NULL, CODE_OTHER, CODE_FIRST};

typedef struct Text
{
	const char *bytes;			/* NULL: a null value */
	uint32_t	length;
} Text;

/* The constants that rules compare with: open addressing, empty where code is 0. */
typedef struct Dictionary
{
	struct Constant
	{
		Text		text;
		uint32_t	code;
	}		   *slots;
	uint32_t	mask;
	uint32_t	count;
} Dictionary;

/* What rules compare: a column, or its first bytes. */
typedef struct Attribute
{
	int			column;
	uint32_t	prefix;			/* 0: the whole text */
	Dictionary	dictionary;
	uint32_t   *frequency;		/* of each code in the sample */
} Attribute;

typedef enum CheckKind {IS_IN, IS_NOT, IS_BETWEEN} CheckKind;

typedef struct Check
{
	CheckKind	kind;
	int			source;			/* attribute of codes, column of numbers */
	uint32_t	first;			/* the codes' place in all_codes */
	uint32_t	count;
	double		low;			/* both included */
	double		high;
} Check;

typedef struct Rule
{
	int			id;
	int			check_count;
	Check		checks[MAX_CHECKS];
	int			access[2];		/* the checks that it hangs on; the second may be -1 */
} Rule;

/* A rule as it hangs on a value: with the checks that are left to do. */
typedef struct Posting
{
	int			rule;
	uint32_t	first;			/* in all_checks */
	uint32_t	count;
} Posting;

/* The rules of one pair of values. */
typedef struct Bucket
{
	uint64_t	key;			/* 0: empty */
	uint32_t	start;			/* in all_postings */
	uint32_t	end;
} Bucket;

/* Two attributes that some rule hangs on; the second is -1 where a rule has one equality only. */
typedef struct Pair
{
	int			first;
	int			second;
} Pair;

static int	column_count;
static char *column_names[MAX_COLUMNS];
static int	attribute_count;
static Attribute attributes[MAX_ATTRIBUTES];
static int	rule_count;
static Rule *rules;
static uint32_t *all_codes;
static uint32_t code_count;
static Check *all_checks;
static Posting *all_postings;
static Bucket *buckets;
static uint64_t bucket_mask;
static int	pair_count;
static Pair pairs[MAX_ATTRIBUTES * MAX_ATTRIBUTES];

/* the rows, by columns within a row: each as text, and as a number where a rule compares it so */
static size_t row_count;
static Text *texts;
static double *numbers;

static void
die(const char *message, const char *what)
{
	fprintf(stderr, "floor: %s %s\n", message, what);
	exit(1);
}

static void *
allocate(size_t count, size_t size)
{
	void	   *memory = calloc(count ? count : 1, size);

	if (memory == NULL)
		die("out of memory", "");
	return memory;
}

/* grown makes room for one more element: arrays double whenever their length is a power of two. */
static void *
grown(void *array, size_t count, size_t size)
{
	if (count & (count - 1))
		return array;
	array = realloc(array, (count ? count * 2 : 1) * size);
	if (array == NULL)
		die("out of memory", "");
	return array;
}

static inline uint64_t
mix(uint64_t x)
{
	x *= UINT64_C(0x9E3779B97F4A7C15);
	return x ^ (x >> 29);
}

static inline uint64_t
hash_text(Text text)
{
	uint64_t	hash = text.length;
	uint64_t	word = 0;

	for (; text.length >= 8; text.bytes += 8, text.length -= 8)
	{
		memcpy(&word, text.bytes, 8);
		hash = mix(hash ^ word);
	}
	word = 0;
	memcpy(&word, text.bytes, text.length);
	hash = mix(hash ^ word);
	return hash ^ (hash >> 32);
}

/* slot_of finds a text's place in a dictionary: its own, or an empty one. */
static inline uint32_t
slot_of(const Dictionary *dictionary, Text text)
{
	uint32_t	slot = hash_text(text) & dictionary->mask;

	for (;; slot = (slot + 1) & dictionary->mask)
	{
		const struct Constant *constant = &dictionary->slots[slot];

		if (constant->code == 0 ||
			(constant->text.length == text.length && memcmp(constant->text.bytes, text.bytes, text.length) == 0))
			return slot;
	}
}

/* code_of looks a row's text up. */
static inline uint32_t
code_of(const Attribute *attribute, Text text)
{
	uint32_t	code;

	if (text.bytes == NULL)
		return CODE_NULL;
	if (attribute->prefix && text.length > attribute->prefix)
		text.length = attribute->prefix;
	code = attribute->dictionary.slots[slot_of(&attribute->dictionary, text)].code;
	return code ? code : CODE_OTHER;
}

/* enlarge makes a dictionary for twice as many constants. */
static void
enlarge(Dictionary *dictionary)
{
	Dictionary	larger = {.mask = dictionary->mask ? dictionary->mask * 2 + 1 : 63,.count = dictionary->count};

	larger.slots = allocate(larger.mask + 1, sizeof(*larger.slots));
	for (uint32_t i = 0; dictionary->slots && i <= dictionary->mask; i++)
		if (dictionary->slots[i].code)
			larger.slots[slot_of(&larger, dictionary->slots[i].text)] = dictionary->slots[i];
	free(dictionary->slots);
	*dictionary = larger;
}

/* add_constant gives the code of a rule's constant, a new one at its first occurrence. */
static uint32_t
add_constant(Dictionary *dictionary, const char *bytes)
{
	Text		text = {bytes, strlen(bytes)};
	uint32_t	slot;

	if (dictionary->count >= dictionary->mask / 4)
		enlarge(dictionary);
	slot = slot_of(dictionary, text);
	if (dictionary->slots[slot].code == 0)
	{
		dictionary->slots[slot].text = (Text) {strdup(bytes), text.length};
		dictionary->slots[slot].code = CODE_FIRST + dictionary->count++;
	}
	return dictionary->slots[slot].code;
}

/* ---------- reading ---------- */

static int
column_of(const char *name)
{
	for (int i = 0; i < column_count; i++)
		if (strcmp(column_names[i], name) == 0)
			return i;
	die("rows have no column", name);
	return -1;
}

static int
attribute_of(int column, uint32_t prefix)
{
	for (int i = 0; i < attribute_count; i++)
		if (attributes[i].column == column && attributes[i].prefix == prefix)
			return i;
	if (attribute_count == MAX_ATTRIBUTES)
		die("too many attributes", "");
	attributes[attribute_count] = (Attribute) {.column = column,.prefix = prefix};
	enlarge(&attributes[attribute_count].dictionary);
	return attribute_count++;
}

/* read_line reads a line without its end; false at the file's. */
static int
read_line(FILE *file, char **line, size_t *size)
{
	if (getline(line, size, file) <= 0)
		return 0;
	(*line)[strcspn(*line, "\n")] = '\0';
	return 1;
}

/* read_codes adds the rest of a criterion's operands to a check. */
static void
read_codes(Check *check, char *rest)
{
	char	   *operand;

	check->first = code_count;
	while ((operand = strsep(&rest, "\t")) != NULL)
	{
		uint32_t	code = add_constant(&attributes[check->source].dictionary, operand);
		uint32_t	i = check->first;

		while (i < code_count && all_codes[i] != code)
			i++;
		if (i < code_count)
			continue;
		all_codes = grown(all_codes, code_count, sizeof(*all_codes));
		all_codes[code_count++] = code;
	}
	check->count = code_count - check->first;
}

/* read_check reads a criterion from its column's name on. */
static Check
read_check(char *rest)
{
	Check		check = {.low = -INFINITY,.high = INFINITY};
	int			column = column_of(strsep(&rest, "\t"));
	const char *operator = strsep(&rest, "\t");

	check.kind = IS_BETWEEN;
	check.source = column;
	if (strcmp(operator, "BETWEEN") == 0)
	{
		check.low = atof(strsep(&rest, "\t"));
		check.high = atof(rest);
	}
	else if (strcmp(operator, ">=") == 0)
		check.low = atof(rest);
	else if (strcmp(operator, "<") == 0)
		check.high = nextafter(atof(rest), -INFINITY);
	else
	{
		check.kind = strcmp(operator, "<>") == 0 ? IS_NOT : IS_IN;
		check.source = attribute_of(column, strcmp(operator, "LIKE") == 0 ? strlen(rest) : 0);
		read_codes(&check, rest);
	}
	return check;
}

static void
read_rules(const char *name)
{
	FILE	   *file = fopen(name, "r");
	char	   *line = NULL;
	size_t		size = 0;

	if (file == NULL)
		die("cannot read", name);
	while (read_line(file, &line, &size))
	{
		char	   *rest = line;
		int			id = atoi(strsep(&rest, "\t"));
		Rule	   *rule;

		if (rule_count == 0 || rules[rule_count - 1].id != id)
		{
			rules = grown(rules, rule_count, sizeof(*rules));
			rules[rule_count++] = (Rule) {.id = id};
		}
		rule = &rules[rule_count - 1];
		if (rule->check_count == MAX_CHECKS)
			die("a rule has too many criteria:", line);
		rule->checks[rule->check_count++] = read_check(rest);
	}
	fclose(file);
}

/* read_columns reads the names of the rows' columns. */
static void
read_columns(char *line)
{
	char	   *name;

	while ((name = strsep(&line, "\t")) != NULL)
	{
		if (column_count == MAX_COLUMNS)
			die("too many columns", "");
		column_names[column_count++] = strdup(name);
	}
}

/* read_row splits a line, which stays in memory. */
static void
read_row(char *line)
{
	for (int i = 0; i < column_count; i++)
	{
		char	   *value = strsep(&line, "\t");

		if (value == NULL)
			die("a row has too few columns", "");
		texts = grown(texts, row_count * column_count + i, sizeof(*texts));
		numbers = grown(numbers, row_count * column_count + i, sizeof(*numbers));
		if (strcmp(value, "\\N") == 0)
		{
			texts[row_count * column_count + i] = (Text) {NULL, 0};
			numbers[row_count * column_count + i] = NAN;
		}
		else
		{
			texts[row_count * column_count + i] = (Text) {value, strlen(value)};
			numbers[row_count * column_count + i] = atof(value);
		}
	}
	row_count++;
}

/* read_rows reads the columns' names, or what comes behind them. */
static void
read_rows(const char *name, int names_only)
{
	FILE	   *file = fopen(name, "r");
	char	   *line = NULL;
	size_t		size = 0;

	if (file == NULL || !read_line(file, &line, &size))
		die("cannot read", name);
	if (names_only)
		read_columns(line);
	while (!names_only && read_line(file, &line, &size))
		read_row(strdup(line));
	fclose(file);
}

/* ---------- hanging the rules ---------- */

static void
count_sample(void)
{
	for (int a = 0; a < attribute_count; a++)
	{
		Attribute  *attribute = &attributes[a];

		attribute->frequency = allocate(attribute->dictionary.count + CODE_FIRST, sizeof(uint32_t));
		for (size_t i = 0; i < row_count && i < SAMPLE; i++)
			attribute->frequency[code_of(attribute, texts[i * column_count + attribute->column])]++;
	}
}

/* expected counts the sample's rows that pass an equality. */
static double
expected(const Check *check)
{
	double		sum = 0;

	for (uint32_t i = 0; i < check->count; i++)
		sum += attributes[check->source].frequency[all_codes[check->first + i]];
	return sum;
}

/* choose_access finds a rule's two most selective equalities. */
static void
choose_access(Rule *rule)
{
	double		least[2] = {INFINITY, INFINITY};

	rule->access[0] = rule->access[1] = -1;
	for (int i = 0; i < rule->check_count; i++)
	{
		double		rows = rule->checks[i].kind == IS_IN ? expected(&rule->checks[i]) : INFINITY;

		if (rows < least[0])
		{
			least[1] = least[0];
			rule->access[1] = rule->access[0];
			least[0] = rows;
			rule->access[0] = i;
		}
		else if (rows < least[1])
		{
			least[1] = rows;
			rule->access[1] = i;
		}
	}
	if (rule->access[0] < 0)
		die("a rule has no equality", "");
	/* by attribute, so that a pair has one order */
	if (rule->access[1] >= 0 && rule->checks[rule->access[1]].source < rule->checks[rule->access[0]].source)
	{
		int			swap = rule->access[0];

		rule->access[0] = rule->access[1];
		rule->access[1] = swap;
	}
}

/* key_of makes one number of a pair's number and its codes. */
static inline uint64_t
key_of(int pair, uint32_t first, uint32_t second)
{
	return (uint64_t) (pair + 1) << 56 | (uint64_t) first << 28 | second;
}

static int
pair_of(int first, int second)
{
	for (int i = 0; i < pair_count; i++)
		if (pairs[i].first == first && pairs[i].second == second)
			return i;
	pairs[pair_count] = (Pair) {first, second};
	return pair_count++;
}

static inline Bucket *
bucket_of(uint64_t key)
{
	uint64_t	slot = (mix(key) >> 20) & bucket_mask;

	while (buckets[slot].key != 0 && buckets[slot].key != key)
		slot = (slot + 1) & bucket_mask;
	return &buckets[slot];
}

/* for_each_key calls a function with the bucket of each pair of values that a rule hangs on. */
static void
for_each_key(const Rule *rule, void (*act) (Bucket *bucket, const Posting *posting), const Posting *posting)
{
	const Check *first = &rule->checks[rule->access[0]];
	const Check *second = rule->access[1] < 0 ? NULL : &rule->checks[rule->access[1]];
	int			pair = pair_of(first->source, second ? second->source : -1);

	for (uint32_t i = 0; i < first->count; i++)
		for (uint32_t k = 0; k < (second ? second->count : 1); k++)
		{
			uint64_t	key = key_of(pair, all_codes[first->first + i], second ? all_codes[second->first + k] : 0);
			Bucket	   *bucket = bucket_of(key);

			bucket->key = key;
			act(bucket, posting);
		}
}

static void
count_posting(Bucket *bucket, const Posting *posting)
{
	bucket->end++;
}

static void
add_posting(Bucket *bucket, const Posting *posting)
{
	all_postings[bucket->end++] = *posting;
}

/* hang_rules lays the postings of each pair of values side by side, and each rule's remaining checks. */
static void
hang_rules(void)
{
	uint64_t	keys = 0;
	uint32_t	start = 0;
	uint32_t	checks = 0;

	for (int i = 0; i < rule_count; i++)
	{
		choose_access(&rules[i]);
		keys += rules[i].checks[rules[i].access[0]].count *
			(rules[i].access[1] < 0 ? 1 : rules[i].checks[rules[i].access[1]].count);
	}
	for (bucket_mask = 63; bucket_mask < keys * 2;)
		bucket_mask = bucket_mask * 2 + 1;
	buckets = allocate(bucket_mask + 1, sizeof(*buckets));
	all_postings = allocate(keys, sizeof(*all_postings));
	all_checks = allocate((size_t) rule_count * MAX_CHECKS, sizeof(*all_checks));

	for (int i = 0; i < rule_count; i++)
		for_each_key(&rules[i], count_posting, NULL);
	for (uint64_t i = 0; i <= bucket_mask; i++)
	{
		buckets[i].start = start;
		start += buckets[i].end;
		buckets[i].end = buckets[i].start;
	}
	for (int i = 0; i < rule_count; i++)
	{
		Posting		posting = {rules[i].id, checks, 0};

		for (int k = 0; k < rules[i].check_count; k++)
			if (k != rules[i].access[0] && k != rules[i].access[1])
				all_checks[checks++] = rules[i].checks[k];
		posting.count = checks - posting.first;
		for_each_key(&rules[i], add_posting, &posting);
	}
}

/* ---------- matching ---------- */

static inline int
passes(const Check *check, const uint32_t *codes, const double *row_numbers)
{
	uint32_t	code;

	if (check->kind == IS_BETWEEN)
		return row_numbers[check->source] >= check->low && row_numbers[check->source] <= check->high;
	code = codes[check->source];
	if (check->kind == IS_NOT)
		return code != CODE_NULL && code != all_codes[check->first];
	for (uint32_t i = 0; i < check->count; i++)
		if (all_codes[check->first + i] == code)
			return 1;
	return 0;
}

static inline int
passes_all(const Posting *posting, const uint32_t *codes, const double *row_numbers)
{
	for (uint32_t i = 0; i < posting->count; i++)
		if (!passes(&all_checks[posting->first + i], codes, row_numbers))
			return 0;
	return 1;
}

/* What matching rows has found. */
typedef struct Found
{
	uint64_t	tried;
	uint64_t	matches;
	uint64_t	sum;			/* of row number times rule */
} Found;

static void
match_row(size_t row, Found *found)
{
	const Text *row_texts = &texts[row * column_count];
	const double *row_numbers = &numbers[row * column_count];
	uint32_t	codes[MAX_ATTRIBUTES];

	for (int i = 0; i < attribute_count; i++)
		codes[i] = code_of(&attributes[i], row_texts[attributes[i].column]);
	for (int i = 0; i < pair_count; i++)
	{
		uint32_t	first = codes[pairs[i].first];
		uint32_t	second = pairs[i].second < 0 ? 0 : codes[pairs[i].second];
		const Bucket *bucket;

		if (first < CODE_FIRST || (pairs[i].second >= 0 && second < CODE_FIRST))
			continue;
		bucket = bucket_of(key_of(i, first, second));
		found->tried += bucket->end - bucket->start;
		for (uint32_t k = bucket->start; k < bucket->end; k++)
			if (passes_all(&all_postings[k], codes, row_numbers))
			{
				found->matches++;
				found->sum += (row + 1) * all_postings[k].rule;
			}
	}
}

/* match_rows matches the first rows and returns the seconds that it took. */
static double
match_rows(size_t count, Found *found)
{
	struct timespec begin,
				end;

	*found = (Found) {0};
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (size_t i = 0; i < count; i++)
		match_row(i, found);
	clock_gettime(CLOCK_MONOTONIC, &end);
	return (end.tv_sec - begin.tv_sec) + (end.tv_nsec - begin.tv_nsec) / 1e9;
}

int
main(int argc, char **argv)
{
	double		least = INFINITY;
	size_t		checked;
	Found		all,
				found;

	if (argc != 5)
		die("usage:", "floor RULES ROWS REPEATS CHECKED");
	read_rows(argv[2], 1);
	read_rules(argv[1]);
	read_rows(argv[2], 0);
	if (row_count == 0 || rule_count == 0)
		die("nothing to match", "");
	count_sample();
	hang_rules();
	for (int i = 0; i < atoi(argv[3]); i++)
	{
		double		seconds = match_rows(row_count, &all);

		least = seconds < least ? seconds : least;
	}
	checked = strtoull(argv[4], NULL, 10);
	match_rows(checked < row_count ? checked : row_count, &found);
	printf("%.4f %.2f %llu %llu\n", least * 1e6 / row_count, (double) all.tried / row_count,
		   (unsigned long long) found.matches, (unsigned long long) found.sum);
	return 0;
}
