#include "sql/targets.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "sql/words.h"

/* A statement being read. */
struct finder {
	struct words words;
	struct sql_targets *out;
	size_t at;
};

static void
add(struct finder *f, enum target_kind kind, const char *right, const char *name)
{
	struct sql_targets *t = f->out;

	ARRAY_ROOM(t->list, t->count, t->cap);
	t->list[t->count++] = (struct sql_target){ kind, right, name != NULL ? xstrdup(name) : NULL, f->at };
}

/* The name that comes next, with what it needs. */
static bool
add_name(struct finder *f, enum target_kind kind, const char *right)
{
	struct bytes name = { 0 };
	bool found = words_take_name(&f->words, &name);

	if (found)
		add(f, kind, right, name.data);
	bytes_free(&name);
	return found;
}

static bool
if_exists(struct finder *f)
{
	return words_take_phrase(&f->words, "IF EXISTS") || words_take_phrase(&f->words, "IF NOT EXISTS");
}

/* [ONLY] name [*], ... */
static bool
add_names(struct finder *f, enum target_kind kind, const char *right)
{
	do {
		(void)words_take(&f->words, "ONLY");
		if (!add_name(f, kind, right))
			return false;
		(void)words_take_sign(&f->words, '*');
	} while (words_take_sign(&f->words, ','));
	return true;
}

/* What is in front of the last point of a name; NULL: it has none. */
static char *
qualifier(const char *name)
{
	const char *point = NULL, *c;
	bool quoted = false;

	for (c = name; *c != '\0'; c++) {
		if (*c == '"')
			quoted = !quoted;
		else if (*c == '.' && !quoted)
			point = c;
	}
	return point != NULL ? xformat("%.*s", (int)(point - name), name) : NULL;
}

/* Something new of this name: its schema needs CREATE. */
static bool
add_made(struct finder *f)
{
	struct bytes name = { 0 };
	char *schema;
	bool found = words_take_name(&f->words, &name);

	if (found) {
		schema = qualifier(name.data);
		add(f, TARGET_SCHEMA, "CREATE", schema);
		add(f, TARGET_MADE, NULL, name.data);
		free(schema);
	}
	bytes_free(&name);
	return found;
}

/*
 * What else a CREATE or ALTER names, wherever it stands in the rest: REFERENCES table, PARTITION OF and INHERITS (table, ...).
 * False where it takes what only the server can judge: OWNER TO a role, a foreign server.
 */
static bool
add_rest(struct finder *f)
{
	struct sql_token token;
	bool known = true;

	do {
		token = words_next(&f->words);
		if (sql_is(f->words.text, token, "REFERENCES"))
			known &= add_name(f, TARGET_RELATION, "REFERENCES");
		else if (sql_is(f->words.text, token, "PARTITION") && words_take(&f->words, "OF"))
			known &= add_name(f, TARGET_RELATION, TARGET_OWNER);
		else if (sql_is(f->words.text, token, "INHERITS") && words_take_sign(&f->words, '('))
			known &= add_names(f, TARGET_RELATION, TARGET_OWNER);
		else if (sql_is(f->words.text, token, "SERVER") || (sql_is(f->words.text, token, "OWNER") && words_take(&f->words, "TO")))
			known = false;
	} while (token.kind != SQL_END);
	return known;
}

/* Goes behind the word ON, to the table that a trigger, policy, rule or constraint belongs to. */
static bool
to_on(struct finder *f)
{
	struct sql_token token;

	do
		token = words_next(&f->words);
	while (token.kind != SQL_END && !sql_is(f->words.text, token, "ON"));
	return token.kind != SQL_END;
}

static bool
on_table(struct finder *f, const char *right)
{
	return to_on(f) && (words_take(&f->words, "ONLY"), add_name(f, TARGET_RELATION, right));
}

static const char *const relations[] = { "TABLE", "INDEX", "VIEW", "SEQUENCE", "MATERIALIZED VIEW", "FOREIGN TABLE" };
static const char *const types[] = { "TYPE", "DOMAIN" };
static const char *const of_tables[] = { "POLICY", "RULE", "TRIGGER" };

static bool
take_any(struct finder *f, const char *const phrases[], size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (words_take_phrase(&f->words, phrases[i]))
			return true;
	return false;
}

#define TAKE_ANY(f, phrases) take_any((f), (phrases), sizeof (phrases) / sizeof *(phrases))

static bool
create_relation(struct finder *f)
{
	bool temporary = words_take(&f->words, "TEMP") || words_take(&f->words, "TEMPORARY");

	(void)words_take(&f->words, "UNLOGGED");
	(void)words_take(&f->words, "RECURSIVE");
	if (!TAKE_ANY(f, relations) && !TAKE_ANY(f, types))
		return false;
	(void)if_exists(f);
	if (temporary)
		return add_name(f, TARGET_MADE, NULL);
	return add_made(f) && add_rest(f);
}

static bool
create_index(struct finder *f)
{
	struct bytes name = { 0 };

	(void)words_take(&f->words, "CONCURRENTLY");
	(void)if_exists(f);
	if (!words_take(&f->words, "ON")) {
		if (words_take_name(&f->words, &name))
			add(f, TARGET_MADE, NULL, name.data);
		bytes_free(&name);
		if (!words_take(&f->words, "ON"))
			return false;
	}
	(void)words_take(&f->words, "ONLY");
	return add_name(f, TARGET_RELATION, TARGET_OWNER);
}

static bool
create(struct finder *f)
{
	bool replace = words_take_phrase(&f->words, "OR REPLACE");

	if (words_take_phrase(&f->words, "UNIQUE INDEX") || words_take(&f->words, "INDEX"))
		return create_index(f);
	if (words_take_phrase(&f->words, "CONSTRAINT TRIGGER") || words_take(&f->words, "TRIGGER"))
		return on_table(f, "TRIGGER");
	if (words_take(&f->words, "POLICY"))
		return on_table(f, TARGET_OWNER);
	return !replace && create_relation(f);
}

/* ALTER ... RENAME TO name: what is called so afterwards. */
static void
add_renamed(struct finder *f)
{
	struct words rest = f->words;

	if (words_take_phrase(&rest, "RENAME TO")) {
		f->words = rest;
		(void)add_name(f, TARGET_MADE, NULL);
	}
}

static bool
alter(struct finder *f)
{
	if (TAKE_ANY(f, of_tables))
		return on_table(f, TARGET_OWNER);
	if (words_take(&f->words, "SCHEMA"))
		return add_name(f, TARGET_SCHEMA, TARGET_OWNER) && add_rest(f);
	if (TAKE_ANY(f, types))
		return add_name(f, TARGET_TYPE, TARGET_OWNER) && add_rest(f);
	if (!TAKE_ANY(f, relations) || words_take_phrase(&f->words, "ALL IN TABLESPACE"))
		return false;
	(void)if_exists(f);
	(void)words_take(&f->words, "ONLY");
	if (!add_name(f, TARGET_RELATION, TARGET_OWNER))
		return false;
	(void)words_take_sign(&f->words, '*');
	add_renamed(f);
	if (words_take_phrase(&f->words, "ATTACH PARTITION") || words_take_phrase(&f->words, "DETACH PARTITION"))
		return add_name(f, TARGET_RELATION, TARGET_OWNER);
	if (words_take_phrase(&f->words, "SET SCHEMA"))
		return add_name(f, TARGET_SCHEMA, "CREATE");
	return add_rest(f);
}

static bool
drop(struct finder *f)
{
	if (TAKE_ANY(f, of_tables))
		return on_table(f, TARGET_OWNER);
	if (words_take(&f->words, "SCHEMA"))
		return (void)if_exists(f), add_names(f, TARGET_SCHEMA, TARGET_OWNER);
	if (TAKE_ANY(f, types))
		return (void)if_exists(f), add_names(f, TARGET_TYPE, TARGET_DROP);
	if (!TAKE_ANY(f, relations))
		return false;
	(void)words_take(&f->words, "CONCURRENTLY");
	(void)if_exists(f);
	return add_names(f, TARGET_RELATION, TARGET_DROP);
}

/* COMMENT ON COLUMN table.column */
static bool
comment_on_column(struct finder *f)
{
	struct bytes name = { 0 };
	char *table = words_take_name(&f->words, &name) ? qualifier(name.data) : NULL;

	if (table != NULL)
		add(f, TARGET_RELATION, TARGET_OWNER, table);
	bytes_free(&name);
	free(table);
	return table != NULL;
}

static bool
comment(struct finder *f)
{
	if (!words_take(&f->words, "ON"))
		return false;
	if (words_take(&f->words, "COLUMN"))
		return comment_on_column(f);
	if (words_take(&f->words, "SCHEMA"))
		return add_name(f, TARGET_SCHEMA, TARGET_OWNER);
	if (TAKE_ANY(f, types))
		return add_name(f, TARGET_TYPE, TARGET_OWNER);
	if (words_take(&f->words, "CONSTRAINT"))
		return to_on(f) && !words_take(&f->words, "DOMAIN") && add_name(f, TARGET_RELATION, TARGET_OWNER);
	if (TAKE_ANY(f, of_tables))
		return on_table(f, TARGET_OWNER);
	return TAKE_ANY(f, relations) && add_name(f, TARGET_RELATION, TARGET_OWNER);
}

/* ROLE, SESSION AUTHORIZATION, behind SET and its `local`, "LOCAL" or NULL; true where the statement is one of these. */
static bool
set_role(struct finder *f, const char *local)
{
	struct sql_token token;
	char *name = NULL;

	if (!words_take(&f->words, "ROLE") && !words_take_phrase(&f->words, "SESSION AUTHORIZATION"))
		return false;
	(void)(words_take_sign(&f->words, '=') || words_take(&f->words, "TO"));
	token = words_next(&f->words);
	if (token.kind == SQL_STRING && f->words.text[token.start] == '\'')
		name = xformat("\"%.*s\"", (int)(token.end - token.start - 2), f->words.text + token.start + 1);
	else if (!sql_is(f->words.text, token, "NONE") && !sql_is(f->words.text, token, "DEFAULT"))
		name = xformat("%.*s", (int)(token.end - token.start), f->words.text + token.start);
	add(f, TARGET_ROLE, local, name);
	free(name);
	return true;
}

/* Whether the role may be taken, or the setting is for superusers, the server judges. */
static bool
set(struct finder *f)
{
	const char *local = NULL;
	bool role = set_role(f, NULL);

	if (!role) {
		local = words_take(&f->words, "LOCAL") ? "LOCAL" : NULL;
		(void)words_take(&f->words, "SESSION");
		role = set_role(f, local);
	}
	if (role)
		return f->out->list[f->out->count - 1].name == NULL;
	if (words_take(&f->words, "SEARCH_PATH") || words_take(&f->words, "SCHEMA"))
		add(f, TARGET_PATH, NULL, NULL);
	return !words_take(&f->words, "SESSION_REPLICATION_ROLE");
}

static bool
reset(struct finder *f)
{
	if (words_take(&f->words, "ROLE") || words_take_phrase(&f->words, "SESSION AUTHORIZATION"))
		add(f, TARGET_ROLE, NULL, NULL);
	else if (words_take(&f->words, "SEARCH_PATH") || words_take(&f->words, "ALL"))
		add(f, TARGET_PATH, NULL, NULL);
	return true;
}

/* Rows written; what is called in the statement, or read, is not looked at. */
static bool
write_rows(struct finder *f)
{
	if (words_take_phrase(&f->words, "INSERT INTO"))
		return add_name(f, TARGET_RELATION, "INSERT");
	if (words_take_phrase(&f->words, "DELETE FROM"))
		return (void)words_take(&f->words, "ONLY"), add_name(f, TARGET_RELATION, "DELETE");
	if (words_take(&f->words, "UPDATE"))
		return (void)words_take(&f->words, "ONLY"), add_name(f, TARGET_RELATION, "UPDATE");
	return false;
}

bool
sql_targets_add(struct sql_targets *targets, const char *text, const struct sql_statement *s)
{
	struct finder f = { .words = words_of(text, s), .out = targets, .at = s->start };

	if (s->kind == SQL_BEGIN || s->kind == SQL_COMMIT || s->kind == SQL_ROLLBACK || s->kind == SQL_SAVEPOINT)
		return true;
	if (words_take(&f.words, "CREATE"))
		return create(&f);
	if (words_take(&f.words, "ALTER"))
		return alter(&f);
	if (words_take(&f.words, "DROP"))
		return drop(&f);
	if (words_take(&f.words, "COMMENT"))
		return comment(&f);
	if (words_take(&f.words, "TRUNCATE"))
		return (void)words_take(&f.words, "TABLE"), add_names(&f, TARGET_RELATION, "TRUNCATE");
	if (words_take(&f.words, "SET"))
		return set(&f);
	if (words_take(&f.words, "RESET"))
		return reset(&f);
	return write_rows(&f);
}

void
sql_targets_free(struct sql_targets *targets)
{
	size_t i;

	for (i = 0; i < targets->count; i++)
		free(targets->list[i].name);
	free(targets->list);
	*targets = (struct sql_targets){ 0 };
}

char *
sql_name_parts(const char *name, char **schema)
{
	struct bytes part = { 0 };
	bool quoted = false;
	const char *c;
	char *last;

	*schema = NULL;
	for (c = name; *c != '\0'; c++) {
		if (*c == '"' && quoted && c[1] == '"') {
			bytes_char(&part, *c++);
		} else if (*c == '"') {
			quoted = !quoted;
		} else if (*c == '.' && !quoted) {
			free(*schema);
			*schema = xstrndup(bytes_text(&part), part.len);
			part.len = 0;
		} else {
			bytes_char(&part, quoted ? *c : (char)tolower((unsigned char)*c));
		}
	}
	last = xstrndup(bytes_text(&part), part.len);
	bytes_free(&part);
	return last;
}
