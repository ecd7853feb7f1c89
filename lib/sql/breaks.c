#include "sql/breaks.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "sql/sql_internal.h"
#include "sql/targets.h"

struct finder {
	struct sql_reader r;
	struct sql_made *made;
	struct sql_break *found;
};

/* --- names --- */

/* The name that comes next, without blanks, behind what `name` has. */
static bool
read_name(struct sql_reader *r, struct bytes *name)
{
	struct sql_reader at = *r;

	if (!sql_accept_name(r))
		return false;
	if (name->len > 0)
		bytes_char(name, '.');
	for (; at.token.start < r->token.start && at.token.kind != SQL_END; sql_reader_advance(&at))
		bytes_add(name, at.text + at.token.start, at.token.end - at.token.start);
	return true;
}

static bool
is_made(const struct sql_made *made, const char *name)
{
	char *schema, *last = sql_name_parts(name, &schema);
	size_t i;

	for (i = 0; i < made->count && strcmp(made->names[i], last) != 0; i++)
		;
	free(last);
	free(schema);
	return i < made->count;
}

static void
note_made(struct finder *f)
{
	static const char *const makes[] = { "CREATE [UNLOGGED] TABLE [IF NOT EXISTS]", "CREATE [OR REPLACE] VIEW",
		"CREATE MATERIALIZED VIEW [IF NOT EXISTS]", "CREATE TYPE", "CREATE DOMAIN", "CREATE SEQUENCE [IF NOT EXISTS]",
		"CREATE FUNCTION", "CREATE SCHEMA [IF NOT EXISTS]" };
	struct bytes name = { 0 };
	char *schema;

	if (sql_reader_match_any(&f->r, makes, sizeof makes / sizeof *makes) && read_name(&f->r, &name)) {
		ARRAY_ROOM(f->made->names, f->made->count, f->made->cap);
		f->made->names[f->made->count++] = sql_name_parts(name.data, &schema);
		free(schema);
	}
	bytes_free(&name);
}

void
sql_made_free(struct sql_made *made)
{
	size_t i;

	for (i = 0; i < made->count; i++)
		free(made->names[i]);
	free(made->names);
	*made = (struct sql_made){ 0 };
}

/* --- statements --- */

/* Takes the name over, unless a pending script made its relation. */
static bool
breaks(struct finder *f, const char *what, const char *relation, struct bytes *object)
{
	if (is_made(f->made, relation)) {
		object->len = 0;
		return false;
	}
	*f->found = (struct sql_break){ 0, what, xstrdup(bytes_text(object)) };
	return true;
}

static bool
drops(struct finder *f)
{
	static const char *const kinds[] = { "DROP TABLE|VIEW|TYPE|DOMAIN|SCHEMA|FUNCTION|PROCEDURE|ROUTINE|SEQUENCE|EXTENSION [IF EXISTS]",
		"DROP MATERIALIZED VIEW [IF EXISTS]", "DROP FOREIGN TABLE [IF EXISTS]" };
	struct bytes name = { 0 };
	bool found = false;

	if (sql_reader_match_any(&f->r, kinds, sizeof kinds / sizeof *kinds))
		do
			found = (name.len = 0, read_name(&f->r, &name)) && breaks(f, "drops", name.data, &name);
		while (!found && (sql_skip_to_comma(&f->r), sql_accept_sign(&f->r, ',')));
	bytes_free(&name);
	return found;
}

/* ADD COLUMN c type NOT NULL, without something that gives a value. */
static bool
requires_value(struct sql_reader r)
{
	static const char *const gives[] = { "DEFAULT", "GENERATED", "SERIAL", "BIGSERIAL", "SMALLSERIAL" };
	bool needs = false;
	size_t depth = 0;

	for (; r.token.kind != SQL_END && !(depth == 0 && sql_is_sign(r.text, r.token, ',')); sql_reader_advance(&r)) {
		struct sql_reader at = r;
		size_t i;

		depth += sql_is_sign(r.text, r.token, '(');
		depth -= depth > 0 && sql_is_sign(r.text, r.token, ')');
		for (i = 0; i < sizeof gives / sizeof *gives; i++)
			if (sql_is(r.text, r.token, gives[i]))
				return false;
		needs |= depth == 0 && (sql_reader_match(&at, "NOT NULL") || sql_reader_match(&at, "PRIMARY KEY"));
	}
	return needs;
}

/* What one action of ALTER TABLE does to statements that are sent to it. */
static const char *
action(struct sql_reader *r, struct bytes *object)
{
	if (sql_reader_match(r, "DROP CONSTRAINT|EXPRESSION") || sql_reader_match(r, "ADD CONSTRAINT") || sql_reader_match(r, "RENAME CONSTRAINT"))
		return NULL;
	if (sql_reader_match(r, "DROP [COLUMN] [IF EXISTS]"))
		return read_name(r, object) ? "drops" : NULL;
	if (sql_reader_match(r, "RENAME TO") || sql_reader_match(r, "SET SCHEMA"))
		return "renames";
	if (sql_reader_match(r, "RENAME [COLUMN]"))
		return read_name(r, object) ? "renames" : NULL;
	if (sql_reader_match(r, "ALTER [COLUMN]") && read_name(r, object)) {
		if (sql_reader_match(r, "TYPE") || sql_reader_match(r, "SET DATA TYPE"))
			return "retypes";
		return sql_reader_match(r, "SET NOT NULL") || sql_reader_match(r, "DROP DEFAULT") ? "requires" : NULL;
	}
	if (sql_reader_match(r, "ADD [COLUMN] [IF NOT EXISTS]") && read_name(r, object))
		return requires_value(*r) ? "requires" : NULL;
	return NULL;
}

static bool
alters(struct finder *f)
{
	static const char *const kinds[] = { "ALTER TABLE|VIEW [IF EXISTS] [ONLY]", "ALTER MATERIALIZED VIEW [IF EXISTS]", "ALTER FOREIGN TABLE [IF EXISTS]",
		"ALTER SEQUENCE|SCHEMA [IF EXISTS]" };
	struct bytes relation = { 0 }, object = { 0 };
	bool found = false;

	if (sql_reader_match_any(&f->r, kinds, sizeof kinds / sizeof *kinds) && read_name(&f->r, &relation)) {
		(void)sql_reader_match(&f->r, "[*]");
		do {
			const char *what;

			object.len = 0;
			bytes_add(&object, relation.data, relation.len);
			what = action(&f->r, &object);
			found = what != NULL && breaks(f, what, relation.data, &object);
		} while (!found && (sql_skip_to_comma(&f->r), sql_accept_sign(&f->r, ',')));
	}
	bytes_free(&relation);
	bytes_free(&object);
	return found;
}

static bool
alters_type(struct finder *f)
{
	struct bytes name = { 0 };
	bool found = sql_reader_match(&f->r, "ALTER TYPE|DOMAIN") && read_name(&f->r, &name) &&
	    (sql_reader_match(&f->r, "RENAME|SET") || sql_reader_match(&f->r, "DROP ATTRIBUTE") || sql_reader_match(&f->r, "ALTER ATTRIBUTE")) &&
	    breaks(f, "renames", name.data, &name);

	bytes_free(&name);
	return found;
}

bool
sql_breaks(const char *text, const struct sql_script *script, struct sql_made *made, struct sql_break *found)
{
	bool any = false;
	size_t i;

	for (i = 0; i < script->count; i++) {
		const struct sql_statement *s = &script->statements[i];
		struct sql_reader r = sql_reader_at(text, s->start, s->end);
		struct finder f = { r, made, found };

		if (!sql_begins_with(&r, "CDA")) /* CREATE, DROP, ALTER */
			continue;
		note_made(&f);
		f.r = r;
		if (any)
			continue;
		any = drops(&f) || (f.r = r, alters(&f)) || (f.r = r, alters_type(&f));
		if (any)
			found->statement = i;
	}
	return any;
}
