/*
 * Check "relation": does a table, view, sequence or column exist?  Names are case-sensitive, as Prisma makes them;
 * a name that differs only in case is suggested.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/own_sql.h"
#include "base/suggest.h"
#include "check/check.h"
#include "check/relation_name.h"
#include "database/rights.h"
#include "postgres/connection.h"
#include "postgres/poller.h"

/*
 * NAME, NAME.COLUMN, SCHEMA.NAME or SCHEMA.NAME.COLUMN: tries every interpretation.  $1 has the parts, separated
 * by a unit separator.  An unqualified name is resolved by the search path.
 */
const char relation_find_sql[] =
    "WITH p AS (SELECT string_to_array($1, E'\\x1f') AS p), "
    "r AS (SELECT c.oid, n.nspname, c.relname, " OWN_SQL_AS_SESSION("pg_table_is_visible(c.oid)") " AS visible "
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'i', 'I')), "
    "a AS (SELECT r.*, a.attname FROM r JOIN pg_catalog.pg_attribute a "
    "ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped), "
    "found AS (SELECT 1 FROM r, p WHERE (cardinality(p) = 1 AND visible AND relname = p[1]) "
    "OR (cardinality(p) = 2 AND nspname = p[1] AND relname = p[2]) "
    "UNION ALL SELECT 1 FROM a, p WHERE (cardinality(p) = 2 AND visible AND relname = p[1] AND attname = p[2]) "
    "OR (cardinality(p) = 3 AND nspname = p[1] AND relname = p[2] AND attname = p[3])) "
    "SELECT EXISTS (SELECT FROM found), "
    "(SELECT quote_ident(relname) FROM r, p WHERE visible AND lower(relname) = lower(p[1]) LIMIT 1), "
    "(SELECT quote_ident(relname) || '.' || quote_ident(attname) FROM a, p WHERE visible "
    "AND cardinality(p) = 2 AND lower(relname) = lower(p[1]) AND lower(attname) = lower(p[2]) LIMIT 1), "
    /* where it is not seen */
    "(SELECT quote_ident(h.nspname) FROM " RIGHTS_HIDDEN_PATH " h, r, p WHERE r.nspname = h.nspname AND relname = p[1] AND cardinality(p) < 3 "
    "ORDER BY 1 LIMIT 1), quote_ident(current_user), "
    /* what else there is, for a suggestion */
    "CASE WHEN NOT EXISTS (SELECT FROM found) THEN (SELECT string_agg(name, E'\\x1f' ORDER BY name) FROM ("
    "SELECT relname AS name FROM r WHERE visible AND nspname <> 'pg_catalog' "
    "AND NOT EXISTS (SELECT FROM p, r AS o WHERE cardinality(p) = 2 AND o.visible AND o.relname = p[1]) "
    "UNION SELECT attname FROM a, p WHERE visible AND cardinality(p) = 2 AND relname = p[1]) AS names) END";

enum { FOUND, TABLE, COLUMN, HIDDEN_SCHEMA, ROLE, LIST };

struct relation_job {
	struct bytes parts;     /* with unit separators between */
	const char *parameter;
	size_t count;
};

size_t
relation_parts(struct bytes *parts, const char *text)
{
	bool quoted = false;
	size_t count = 1;

	for (; *text != '\0'; text++) {
		if (*text == '"' && quoted && text[1] == '"')
			bytes_char(parts, *text++);
		else if (*text == '"')
			quoted = !quoted;
		else if (*text == '.' && !quoted)
			bytes_char(parts, '\x1f'), count++;
		else
			bytes_char(parts, *text);
	}
	return count;
}

static int
begin(struct check_job *job)
{
	struct relation_job *r = xcalloc(1, sizeof *r);

	job->data = r;
	r->count = relation_parts(&r->parts, job->value);
	r->parameter = bytes_text(&r->parts);
	return 0;
}

static size_t
ask(struct check_job *job, struct db_ask *asks)
{
	struct relation_job *r = job->data;

	asks[0] = (struct db_ask){ .sql = relation_find_sql, .ours = true, .parameter = &r->parameter, .ends_unit = true };
	return 1;
}

/* What was probably meant by `typed`, of names with unit separators between, in `found`; NULL: none is near. */
static const char *
nearest(const char *typed, const char *list, struct bytes *found)
{
	const char **names = xcalloc(strlen(list) + 1, sizeof *names), *name;
	char *copy = xstrdup(list), *at = copy;
	size_t count = 0;

	for (names[count++] = at; (at = strchr(at, '\x1f')) != NULL; names[count++] = ++at)
		*at = '\0';
	if ((name = suggest_nearest(typed, strlen(typed), names, count)) != NULL)
		bytes_sql_name(found, name);
	free(names);
	free(copy);
	return name != NULL ? bytes_text(found) : NULL;
}

/* The relation, or where only its column does not exist, that; list: what there is, or NULL. */
static void
say_missing(struct check_job *job, const char *parts, size_t count, bool column, const char *list)
{
	const char *last = strrchr(parts, '\x1f'), *name = NULL;
	char *first = xstrndup(parts, strcspn(parts, "\x1f"));
	struct bytes found = { 0 };

	if (list == NULL)
		name = NULL;
	else if (column && last != NULL)
		name = nearest(last + 1, list, &found);
	else if (count <= 2)
		name = nearest(first, list, &found);
	check_say(&job->outcome, CHECK_CRITICAL, "%s does not exist%s%s%s", job->value, name != NULL ? "; did you mean " : "",
	    name != NULL ? name : "", name != NULL ? "?" : "");
	free(first);
	bytes_free(&found);
}

void
relation_say_missing(struct check_job *job, const char *parts, size_t count, const struct answer *a)
{
	const char *table = answer_text(a, 0, TABLE), *column = answer_text(a, 0, COLUMN), *hidden = answer_text(a, 0, HIDDEN_SCHEMA);

	if (hidden != NULL) {
		check_say(&job->outcome, CHECK_UNKNOWN, "%s cannot be seen: the role lacks USAGE on schema %s", job->value, hidden);
		check_detail(&job->outcome, "next", "GRANT USAGE ON SCHEMA %s TO %s;", hidden, answer_text(a, 0, ROLE));
		return;
	}
	/* a name in other letters is told below */
	say_missing(job, parts, count, table != NULL, column != NULL || (table != NULL && count == 1) ? NULL : answer_text(a, 0, LIST));
	if (column != NULL)
		check_detail(&job->outcome, "exists", "%s: names are case-sensitive", column);
	else if (table != NULL && count == 1)
		check_detail(&job->outcome, "exists", "%s: names are case-sensitive", table);
	else if (table != NULL)
		check_detail(&job->outcome, "exists", "%s, but without such a column", table);
}

static void
answered(struct check_job *job, struct db_ask *asks, struct poller *session)
{
	const struct relation_job *r = job->data;
	const struct answer *a = asks[0].answer;

	if (session->code != 0) {
		check_no_answer(job);
		return;
	}
	check_take_target(job, db_host(session->db), db_port(session->db), db_database(session->db));
	if (a == NULL)
		check_say(&job->outcome, CHECK_UNKNOWN, "the catalog cannot be read [%s]", asks[0].sqlstate);
	else if (answer_flag(a, 0, FOUND))
		check_say(&job->outcome, CHECK_OK, "%s exists", job->value);
	else
		relation_say_missing(job, r->parameter, r->count, a);
}

static void
end(struct check_job *job)
{
	struct relation_job *r = job->data;

	bytes_free(&r->parts);
	free(r);
}

const struct check_kind check_relation_kind = {
	.name = "relation",
	.value = "NAME[.COLUMN]",
	.value_names = true,
	.help = "a table, view, sequence, index or column exists\n"
	        "To verify a deploy; also SCHEMA.NAME.",
	.begin = begin,
	.ask = ask,
	.answered = answered,
	.end = end,
};
