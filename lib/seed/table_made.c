/* Values that Prisma's client makes and the database does not. */
#include "seed/table_internal.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "seed/members.h"

/*
 * As the client has it: in UTC, which is the session's time zone, and to the millisecond.  The type's own precision does
 * the rest.
 */
#define NOW "pg_catalog.date_trunc('milliseconds', pg_catalog.now())"

/* Whether each row of the file has the column. */
static bool
is_whole(const struct seed_table *t, const struct upsert_column *c)
{
	if (!t->sql.json)
		return c->in_file;
	return members_all(t->file, c->name) && t->file->rows > 0;
}

/* What the settings say of a column, else the datamodel; false: nothing. */
static bool
find_value(const struct seed_table *t, const char *column, const struct client_model *client, struct client_value *value, bool *set)
{
	const struct seed_settings *settings = &t->file->settings;
	const struct client_value *found;
	size_t i;

	*set = true;
	for (i = 0; i < settings->default_count; i++) {
		if (strcmp(settings->defaults[i].column, column) != 0)
			continue;
		*value = (struct client_value){ .function = settings->defaults[i].function, .length = settings->defaults[i].length };
		return true;
	}
	if (seed_names_have(&settings->updated_at, column)) {
		*value = (struct client_value){ .function = CLIENT_UPDATED_AT };
		return true;
	}
	*set = false;
	found = client != NULL ? client_model_value(client, t->sql.schema, t->sql.table, column) : NULL;
	if (found != NULL)
		*value = *found;
	return found != NULL;
}

/* Ids are letters; only a UUID is also a type of its own. */
static int
check_type(const struct seed_table *t, const struct upsert_column *c, const struct client_value *value, const char *text)
{
	bool uuid = value->function == CLIENT_UUID4 || value->function == CLIENT_UUID7;

	if (c->text || (uuid && c->uuid))
		return 0;
	return seed_refuse(t->file, 0, "column \"%s\" of table \"%s\" cannot contain a value of %s", c->name, t->sql.table, text);
}

static int
take(struct seed_table *t, struct upsert_column *c, const struct client_value *value)
{
	struct bytes text = { 0 };
	int code;

	client_function_write(&text, value->function, value->length);
	code = check_type(t, c, value, text.data);
	if (code != 0) {
		bytes_free(&text);
		return code;
	}
	t->made = xrealloc(t->made, (t->made_count + 1) * sizeof *t->made);
	t->made[t->made_count++] = (struct seed_made){ value->function, value->length, text.data };
	c->made = text.data;
	c->given = t->sql.json && members_any(t->file, c->name);
	c->in_file = c->insert_only = true;
	t->sql.derived = true;
	return 0;
}

int
table_take_made(struct seed_table *t, const struct client_model *client)
{
	struct client_value value;
	size_t i;
	int code = 0;

	for (i = 0; code == 0 && i < t->sql.count; i++) {
		struct upsert_column *c = &t->sql.columns[i];
		bool no_default = strcmp(c->absent, "NULL") == 0, set;

		if (is_whole(t, c) || !find_value(t, c->name, client, &value, &set))
			continue;
		if (value.function == CLIENT_UPDATED_AT || (value.function == CLIENT_NOW && (set || no_default))) {
			c->absent = NOW;
			c->filled = true;
			c->touched = value.function == CLIENT_UPDATED_AT;
		} else if (value.function != CLIENT_NOW && (set || no_default)) {
			code = take(t, c, &value);
		}
	}
	return code;
}
