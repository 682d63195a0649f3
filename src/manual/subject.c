/*
 * subject.c
 *		The records that a caller names by their keys, to do something to them.
 *
 * The caller must be allowed to UPDATE the records, and they are locked as by an
 * UPDATE that leaves the key alone (FOR NO KEY UPDATE, in the order of the keys),
 * by a statement of the caller's own: privileges and row-level security hold as
 * they do there. So the record can neither go nor get another key, nor be
 * evaluated by another writer, until the transaction ends. The object's lock
 * comes after it, as with any writer, and keeps the rules as they are.
 *
 * Of many records all that is wrong is gathered before anything is written, so
 * that one error can name every one of them.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

#include "base/attempt.h"
#include "base/catalog.h"
#include "base/session.h"
#include "manual/subject.h"
#include "pair/keyset.h"
#include "parent/kin.h"

/* How a fault is told. */
static const struct
{
	int			code;
	const char *what;
	const char *hint;
}			faults[FAULTS] = {
	[FAULT_MISSING] = {
		ERRCODE_FOREIGN_KEY_VIOLATION, "No such record that the caller may update",
		"Give the value of the key column, as text."
	},
	[FAULT_EXCLUDED] = {
		ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "Excluded from the territory",
		"SELECT territory.include(...) takes an exclusion back."
	},
	[FAULT_BY_RULE] = {
		ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "Assigned by a rule",
		"SELECT territory.exclude(...) keeps a record out, whatever the rules say."
	}
};

/*
 * load reads the object's row as the owner of our tables.
 */
static void
load(Subject *subject, Oid object)
{
	SessionRole role;

	session_become(&role, catalog_owner());
	object_require(object, &subject->info);
	session_restore_role(&role);
}

/* What input_key works on. */
typedef struct KeyText
{
	Oid			type;
	char	   *text;
	Datum		key;
} KeyText;

static void
input_key(void *arg)
{
	KeyText    *key = arg;
	Oid			input;
	Oid			parameter;

	getTypeInputInfo(key->type, &input, &parameter);
	key->key = OidInputFunctionCall(input, key->text, parameter, -1);
}

/*
 * read_key reads a key as its type does; false when it is none.
 */
static bool
read_key(Oid type, char *text, Datum *key)
{
	KeyText		reading = {type, text};

	if (!attempt(input_key, &reading, NULL))
		return false;
	*key = reading.key;
	return true;
}

/*
 * read_keys reads the keys that the caller gave; what is no key is no record.
 */
static Datum *
read_keys(Subject *subject, List *texts, int *count)
{
	Datum	   *keys = palloc(Max(list_length(texts), 1) * sizeof(Datum));
	ListCell   *cell;

	*count = 0;
	foreach(cell, texts)
	{
		if (read_key(subject->info.key_type, lfirst(cell), &keys[*count]))
			(*count)++;
		else
			subject->faulty[FAULT_MISSING] = lappend(subject->faulty[FAULT_MISSING], lfirst(cell));
	}
	return keys;
}

/*
 * lock_records locks the records with these keys, and leaves their own keys in
 * the subject. The statement is the caller's.
 */
static void
lock_records(Subject *subject, Datum *keys, int count)
{
	const ObjectInfo *info = &subject->info;
	const char *key = quote_identifier(NameStr(info->key_column));
	Oid			array = get_array_type(info->key_type);
	int16		typlen;
	bool		byval;
	char		align;
	Datum		values[1];

	get_typlenbyvalalign(info->key_type, &typlen, &byval, &align);
	values[0] = PointerGetDatum(construct_array(keys, count, info->key_type, typlen, byval, align));
	if (SPI_execute_with_args(psprintf("SELECT o.%s FROM %s AS o WHERE o.%s OPERATOR(pg_catalog.=) ANY ($1)"
									   " ORDER BY 1 FOR NO KEY UPDATE",
									   key, catalog_qualified_name(info->object), key),
							  1, &array, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not lock records of %s", catalog_qualified_name(info->object));
	subject->keys = palloc(Max(SPI_processed, 1) * sizeof(Datum));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;

		subject->keys[subject->count++] =
			datumCopy(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull), byval, typlen);
	}
	SPI_freetuptable(SPI_tuptable);
}

/*
 * note_missing compares the keys that were given with those that were found,
 * both in the order of the keys, and leaves each of the latter there once.
 */
static void
note_missing(Subject *subject, Datum *keys, int count)
{
	const ObjectInfo *info = &subject->info;
	KeySet		given;
	int			found = 0;
	int			next = 0;

	keyset_init(&given, info->key_type, info->key_collation, keys, count);
	for (int i = 1; i < subject->count; i++)
	{
		if (keyset_compare(&given, subject->keys[found], subject->keys[i]) != 0)
			subject->keys[++found] = subject->keys[i];
	}
	subject->count = Min(subject->count, found + 1);
	for (int i = 0; i < count; i++)
	{
		while (next < subject->count && keyset_compare(&given, subject->keys[next], keyset_at(&given, i)) < 0)
			next++;
		if (next == subject->count || keyset_compare(&given, subject->keys[next], keyset_at(&given, i)) != 0)
			subject_fault(subject, FAULT_MISSING, keyset_at(&given, i));
	}
}

/*
 * subject_hold finds and locks the records, and locks the object. The table
 * cannot be detached once its records are locked, but may have been before.
 */
void
subject_hold(Subject *subject, Oid object, List *keys)
{
	Datum	   *given;
	int			count;

	memset(subject, 0, sizeof(Subject));
	load(subject, object);
	subject->named = list_length(keys);
	given = read_keys(subject, keys, &count);
	lock_records(subject, given, count);
	note_missing(subject, given, count);
	kin_lock_for_write(object);
	load(subject, object);
}

/*
 * subject_text returns a key as text.
 */
char *
subject_text(const Subject *subject, Datum key)
{
	Oid			output;
	bool		varlena;

	getTypeOutputInfo(subject->info.key_type, &output, &varlena);
	return OidOutputFunctionCall(output, key);
}

/*
 * subject_fault notes that something is wrong with a record.
 */
void
subject_fault(Subject *subject, Fault fault, Datum key)
{
	subject->faulty[fault] = lappend(subject->faulty[fault], subject_text(subject, key));
}

/*
 * describe_faults lists all that is wrong: a line a kind, with the records.
 */
static char *
describe_faults(const Subject *subject)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int fault = 0; fault < FAULTS; fault++)
	{
		ListCell   *cell;

		if (subject->faulty[fault] == NIL)
			continue;
		appendStringInfo(&text, "%s%s:", text.len == 0 ? "" : "\n", faults[fault].what);
		foreach(cell, subject->faulty[fault])
			appendStringInfo(&text, "%s%s", cell == list_head(subject->faulty[fault]) ? " " : ", ",
							 quote_literal_cstr(lfirst(cell)));
	}
	return text.data;
}

/*
 * subject_check raises when anything is wrong with any of the records.
 */
void
subject_check(const Subject *subject, const char *verb, const char *whereto)
{
	char	   *table = catalog_qualified_name(subject->info.object);
	int			count = 0;
	int			first = FAULTS;

	for (int fault = FAULTS - 1; fault >= 0; fault--)
	{
		count += list_length(subject->faulty[fault]);
		if (subject->faulty[fault] != NIL)
			first = fault;
	}
	if (count == 0)
		return;
	ereport(ERROR,
			(errcode(faults[first].code),
			 subject->named == 1 ?
			 errmsg("cannot %s a record of %s %s", verb, table, whereto) :
			 errmsg("cannot %s %d of %d records of %s %s", verb, count, subject->named, table, whereto),
			 errdetail("%s", describe_faults(subject)),
			 errhint("%s", faults[first].hint)));
}
