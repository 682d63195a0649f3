/*
 * identity.c
 *		Who is asking: territory.member() and the setting territory.identity.
 *
 * By default the database role that acts (current_user), as with row-level security
 * itself. Where many people share one role, as behind a pool of connections, a
 * superuser has territory.identity name the setting that the application fills for
 * each request:
 *
 *		app.user_id						the value of that setting
 *		request.jwt.claims ->> sub		the value is JSON: what is found there
 *		request.jwt.claims -> user ->> id
 *
 * Nobody is asking, and nothing is seen, where the setting is not set or empty, or
 * the JSON has no such key or null there. Whoever may run any SQL may also fill that
 * setting; it tells apart people whom the application lets speak, not roles.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"

#include "access/identity.h"

PG_FUNCTION_INFO_V1(territory_member);

/* setting territory.identity; empty: the database role */
static char *identity = NULL;

/*
 * take_name cuts one name off a list that is parted by -> or ->>; NULL at its end.
 */
static char *
take_name(const char **rest)
{
	const char *start = *rest;
	const char *arrow;
	const char *end;

	if (start == NULL)
		return NULL;
	arrow = strstr(start, "->");
	end = arrow ? arrow : start + strlen(start);
	*rest = arrow == NULL ? NULL : arrow + (arrow[2] == '>' ? 3 : 2);
	while (start < end && *start == ' ')
		start++;
	while (end > start && end[-1] == ' ')
		end--;
	return pnstrdup(start, end - start);
}

/*
 * check_identity refuses a list with an empty name.
 */
static bool
check_identity(char **value, void **extra, GucSource source)
{
	const char *rest = *value;
	char	   *name;

	if ((*value)[0] == '\0')
		return true;
	while ((name = take_name(&rest)) != NULL)
	{
		if (name[0] != '\0')
			continue;
		GUC_check_errdetail("A name is missing.");
		GUC_check_errhint("Give the name of a setting, such as app.user_id, or of one that holds JSON, and a key: request.jwt.claims ->> sub.");
		return false;
	}
	return true;
}

/*
 * identity_init defines the setting. Only superusers set it: who is asking must not
 * be for the asker to say.
 */
void
identity_init(void)
{
	DefineCustomStringVariable("territory.identity",
							   "Setting that the application fills with who is asking.",
							   "Or one that holds JSON, and a key: request.jwt.claims ->> sub. Empty: the database role.",
							   &identity, "", PGC_SUSET, 0, check_identity, NULL, NULL);
}

/*
 * identity_is_setting tells whether the application says who is asking.
 */
bool
identity_is_setting(void)
{
	return identity[0] != '\0';
}

/*
 * json_value returns what is found in JSON under some keys, as text; NULL: nothing.
 */
static char *
json_value(const char *json, const char *keys)
{
	Datum	   *path = palloc(strlen(keys) * sizeof(Datum));
	int			count = 0;
	char	   *key;
	Datum		document = DirectFunctionCall1(jsonb_in, CStringGetDatum(json));
	LOCAL_FCINFO(call, 2);
	Datum		found;

	while ((key = take_name(&keys)) != NULL)
		path[count++] = CStringGetTextDatum(key);
	InitFunctionCallInfoData(*call, NULL, 2, InvalidOid, NULL, NULL);
	call->args[0].value = document;
	call->args[0].isnull = false;
	call->args[1].value = PointerGetDatum(construct_array(path, count, TEXTOID, -1, false, TYPALIGN_INT));
	call->args[1].isnull = false;
	found = jsonb_extract_path_text(call);
	return call->isnull ? NULL : TextDatumGetCString(found);
}

/*
 * identity_setting returns what the setting that territory.identity names is at this
 * moment.
 */
const char *
identity_setting(void)
{
	const char *keys = identity;

	return identity_is_setting() ? GetConfigOption(take_name(&keys), true, false) : NULL;
}

/*
 * identity_member returns who is asking.
 */
char *
identity_member(void)
{
	const char *keys = identity;
	const char *value;
	char	   *member;

	if (!identity_is_setting())
		return GetUserNameFromId(GetUserId(), false);
	value = identity_setting();
	if (value == NULL || value[0] == '\0')
		return NULL;
	(void) take_name(&keys);
	member = keys ? json_value(value, keys) : pstrdup(value);
	return member && member[0] != '\0' ? member : NULL;
}

/*
 * territory_member() -> who is asking.
 */
Datum
territory_member(PG_FUNCTION_ARGS)
{
	char	   *member = identity_member();

	if (member == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(member));
}
