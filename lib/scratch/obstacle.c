#include "scratch/obstacle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "postgres/sqlstate.h"
#include "scratch/packages.h"

/* --- what leaves the database --- */

static const struct {
	const char *synopsis;
	const char *what;
	bool roles;     /* a matter of roles: a server of our own can do it, or do without */
} forbidden[] = {
	{ "ALTER SYSTEM", "ALTER SYSTEM is refused: it changes the server, not the database", false },
	{ "CREATE|DROP DATABASE", "CREATE and DROP DATABASE are refused: they leave the scratch database", false },
	{ "CREATE|DROP|ALTER TABLESPACE", "a tablespace is refused: it is a folder on the server", false },
	{ "CREATE|ALTER|DROP SUBSCRIPTION", "a subscription is refused: it connects to another server", false },
	{ "COPY [BINARY] name [(...)] FROM|TO PROGRAM", "COPY with PROGRAM is refused: it runs a program on the server", false },
	{ "COPY (...) TO PROGRAM", "COPY with PROGRAM is refused: it runs a program on the server", false },
	{ "COPY [BINARY] name [(...)] FROM|TO text", "COPY with a file is refused: the file is on the server", false },
	{ "COPY (...) TO text", "COPY with a file is refused: the file is on the server", false },
	{ "CREATE|ALTER|DROP ROLE|GROUP", "a role is refused: it belongs to the whole server and would remain", true },
	{ "CREATE|ALTER|DROP USER", "a role is refused: it belongs to the whole server and would remain", true }
};

static bool
matches(const char *sql, const struct sql_statement *s, const char *synopsis)
{
	return sql_match(sql, s->end, s->start, synopsis) != 0;
}

static bool
is_user_mapping(const char *sql, const struct sql_statement *s)
{
	return matches(sql, s, "CREATE|ALTER|DROP USER MAPPING");
}

const char *
obstacle_forbidden(const struct obstacles *o, const char *sql, const struct sql_script *script, size_t *at)
{
	bool own = scratch_is_own(o->scratch);
	size_t i, k;

	for (i = 0; i < script->count; i++) {
		const struct sql_statement *s = &script->statements[i];

		*at = i;
		if (s->kind == SQL_COPY_CLIENT)
			return "COPY from or to the client cannot run in a migration";
		for (k = 0; k < sizeof forbidden / sizeof *forbidden; k++)
			if (matches(sql, s, forbidden[k].synopsis) && !(forbidden[k].roles && (own || is_user_mapping(sql, s))))
				return forbidden[k].what;
	}
	return NULL;
}

/* --- names in statements --- */

/* The name behind a synopsis, as written, or NULL: so it is one name in whatever statement it is put. */
static char *
name_behind(const char *sql, const struct sql_statement *s, const char *synopsis)
{
	size_t behind = sql_match(sql, s->end, s->start, synopsis);
	struct sql_token token = { SQL_END, 0, 0 };

	if (behind != 0)
		token = sql_token(sql, s->end, behind);
	if ((token.kind != SQL_WORD && token.kind != SQL_NAME) || (token.kind == SQL_NAME && sql[token.start] != '"'))
		return NULL;
	return xstrndup(sql + token.start, token.end - token.start);
}

static char *
extension_of(const char *sql, const struct sql_statement *s)
{
	return name_behind(sql, s, "CREATE EXTENSION [IF NOT EXISTS]");
}

/* A name as it is in the catalog: without quotes, or in lower case. */
static char *
plain_name(const char *written)
{
	char *name = xstrdup(written), *to = name;
	bool quoted = *written == '"';

	for (; *written != '\0'; written++) {
		if (quoted && *written == '"' && written[1] != '"')
			continue;
		*to++ = !quoted && *written >= 'A' && *written <= 'Z' ? (char)(*written - 'A' + 'a') : *written;
		if (quoted && *written == '"')
			written++;
	}
	*to = '\0';
	return name;
}

/* --- roles --- */

static bool
was_made(const struct obstacles *o, const char *role)
{
	size_t i;

	for (i = 0; i < o->count; i++)
		if (strcmp(o->roles[i], role) == 0)
			return true;
	return false;
}

/* Makes a role without login and rights, of which the scripts' role is a member: so it may give things to it. */
static bool
make_role(struct obstacles *o, const char *role, const struct step *step)
{
	struct db *admin = scratch_admin(o->scratch);
	struct bytes sql = { 0 };
	enum db_outcome outcome = DB_LOST;
	size_t done;

	if (admin != NULL && !was_made(o, role)) {
		bytes_str(&sql, "CREATE ROLE ");
		bytes_sql_name(&sql, role);
		bytes_str(&sql, "; GRANT ");
		bytes_sql_name(&sql, role);
		bytes_format(&sql, " TO %s", db_user(scratch_db(o->scratch)));
		outcome = db_run(admin, sql.data, &done);
		bytes_free(&sql);
	}
	if (outcome != DB_OK)
		return false;
	ARRAY_ROOM(o->roles, o->count, o->cap);
	o->roles[o->count++] = xstrdup(role);
	message_info("%s needs the role %s; it is created here, without login and rights", step->migration, role);
	return true;
}

/* A server of our own speaks English, and mostly others do: role "reader" does not exist. */
static char *
missing_role(const struct db_error *error)
{
	static const char before[] = "role \"", behind[] = "\" does not exist";
	size_t len = strlen(error->message);

	if (strcmp(error->sqlstate, SQLSTATE_UNDEFINED_OBJECT) != 0 || len <= sizeof before + sizeof behind - 2 ||
	    strncmp(error->message, before, sizeof before - 1) != 0 ||
	    strcmp(error->message + len - (sizeof behind - 1), behind) != 0)
		return NULL;
	return xstrndup(error->message + sizeof before - 1, len - (sizeof before - 1) - (sizeof behind - 1));
}

/* CREATE, ALTER, DROP and the like of roles, which the scripts' role may not. */
static bool
is_of_roles(const char *sql, const struct sql_statement *s)
{
	return (matches(sql, s, "CREATE|ALTER|DROP ROLE|USER|GROUP") && !is_user_mapping(sql, s)) ||
	    (matches(sql, s, "GRANT|REVOKE name TO|FROM") || matches(sql, s, "REASSIGN OWNED"));
}

/* --- errors --- */

enum obstacle
obstacle_look(struct obstacles *o, const struct db_error *error, const struct step *step, const struct sql_script *script,
    size_t at)
{
	const struct sql_statement *s = at < script->count ? &script->statements[at] : NULL;
	char *role, *extension;
	enum obstacle found = OBSTACLE_NONE;

	if (!scratch_is_own(o->scratch))
		return OBSTACLE_NONE;
	if ((role = missing_role(error)) != NULL) {
		found = make_role(o, role, step) ? OBSTACLE_AGAIN : OBSTACLE_NONE;
		free(role);
		return found;
	}
	if (s == NULL || strcmp(error->sqlstate, SQLSTATE_INSUFFICIENT_PRIVILEGE) != 0)
		return OBSTACLE_NONE;
	extension = extension_of(step->sql, s);
	if (extension != NULL || is_of_roles(step->sql, s))
		found = OBSTACLE_AROUND;
	free(extension);
	return found;
}

/* As the statement has it: into its schema, or where the scripts' unqualified names go. */
static bool
create_extension(struct obstacles *o, const char *sql, const struct sql_statement *s, const char *written)
{
	struct db *admin = scratch_admin(o->scratch);
	char *schema = name_behind(sql, s, "CREATE EXTENSION [IF NOT EXISTS] name [WITH] SCHEMA");
	struct bytes text = { 0 };
	enum db_outcome outcome = DB_LOST;
	size_t done;

	if (admin != NULL) {
		bytes_str(&text, "SET search_path = ");
		bytes_sql_name(&text, scratch_schema(o->scratch));
		bytes_format(&text, "; CREATE EXTENSION %s%s%s CASCADE", written, schema != NULL ? " SCHEMA " : "", schema != NULL ? schema : "");
		outcome = db_run(admin, text.data, &done);
	}
	bytes_free(&text);
	free(schema);
	return outcome == DB_OK;
}

bool
obstacle_take(struct obstacles *o, const struct step *step, const struct sql_script *script, size_t at)
{
	const struct sql_statement *s = &script->statements[at];
	char *written = extension_of(step->sql, s), *name;
	bool taken;

	if (written != NULL) {
		taken = create_extension(o, step->sql, s, written);
		free(written);
		return taken;
	}
	written = name_behind(step->sql, s, "CREATE ROLE|USER|GROUP");
	if (written != NULL) {
		name = plain_name(written);
		taken = was_made(o, name) || make_role(o, name, step);
		free(name);
		free(written);
		return taken;
	}
	message_info("%s: line %lu is skipped: roles belong to the server and have no rights here", step->migration,
	    sql_place(step->sql, strlen(step->sql), s->start).line);
	return true;
}

/* An extension of which the server has no files. */
static char *
advice_on_extension(const struct obstacles *o, const char *written)
{
	static const char available[] = "SELECT count(*) FROM pg_available_extensions WHERE name = $1";
	struct db *db = scratch_db(o->scratch);
	char *name = plain_name(written), *advice = NULL;
	const char *const parameters[] = { name };
	struct answer *answer;
	struct bytes package = { 0 };

	if (db_query_ours(db, &answer, available, 1, parameters) == DB_OK) {
		if (answer_count(answer, 0, 0) == 0) {
			packages_extension(&package, name, db_server_version_num(db) / 10000);
			advice = xformat("the scratch server lacks the extension %s: install %s there, or name a server that has it "
			                 "with --scratch", name, bytes_text(&package));
		}
		answer_free(answer);
	}
	bytes_free(&package);
	free(name);
	return advice;
}

char *
obstacle_advice(const struct obstacles *o, const struct db_error *error, const struct step *step,
    const struct sql_script *script, size_t at)
{
	char *written = at < script->count ? extension_of(step->sql, &script->statements[at]) : NULL, *advice = NULL;

	if (written != NULL)
		advice = advice_on_extension(o, written);
	free(written);
	if (advice != NULL)
		return advice;
	if (strcmp(error->sqlstate, SQLSTATE_INSUFFICIENT_PRIVILEGE) == 0 && scratch_is_own(o->scratch))
		return xstrdup("scripts run as an owner who is not a superuser, as on hosted platforms; use --scratch SOURCE for a "
		               "server and a role that may do it");
	written = missing_role(error);
	if (written != NULL && !scratch_is_own(o->scratch))
		advice = xformat("the scratch server lacks the role: CREATE ROLE \"%s\"; there, or omit --scratch: mig's own server creates it", written);
	free(written);
	return advice;
}

void
obstacles_free(struct obstacles *o)
{
	size_t i;

	for (i = 0; i < o->count; i++)
		free(o->roles[i]);
	free(o->roles);
	*o = (struct obstacles){ 0 };
}
