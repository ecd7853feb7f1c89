/*
 * Check "relation": does a table, view, sequence or column exist?  Names are case-sensitive, as Prisma makes them;
 * a name that differs only in case is suggested.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/own_sql.h"
#include "check/check.h"
#include "postgres/connection.h"
#include "postgres/poller.h"

/*
 * NAME, NAME.COLUMN, SCHEMA.NAME or SCHEMA.NAME.COLUMN: tries every interpretation.  $1 has the parts, separated
 * by a unit separator.  An unqualified name is resolved by the search path.
 */
static const char find_sql[] =
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
    "AND cardinality(p) = 2 AND lower(relname) = lower(p[1]) AND lower(attname) = lower(p[2]) LIMIT 1)";

struct relation_job {
	struct bytes parts;     /* with unit separators between */
	const char *parameter;
	size_t count;
};

/* Splits at dots outside of double quotes, of which two are one. */
static int
begin(struct check_job *job)
{
	struct relation_job *r = xcalloc(1, sizeof *r);
	const char *c;
	bool quoted = false;

	job->data = r;
	r->count = 1;
	for (c = job->value; *c != '\0'; c++) {
		if (*c == '"' && quoted && c[1] == '"')
			bytes_char(&r->parts, *c++);
		else if (*c == '"')
			quoted = !quoted;
		else if (*c == '.' && !quoted)
			bytes_char(&r->parts, '\x1f'), r->count++;
		else
			bytes_char(&r->parts, *c);
	}
	r->parameter = bytes_text(&r->parts);
	return 0;
}

static size_t
ask(struct check_job *job, struct db_ask *asks)
{
	struct relation_job *r = job->data;

	asks[0] = (struct db_ask){ .sql = find_sql, .ours = true, .parameter = &r->parameter, .ends_unit = true };
	return 1;
}

static void
answered(struct check_job *job, struct db_ask *asks, struct poller *session)
{
	const struct relation_job *r = job->data;
	const struct answer *a = asks[0].answer;
	const char *table, *column;

	if (session->code != 0) {
		check_no_answer(job);
		return;
	}
	check_take_target(job, db_host(session->db), db_port(session->db), db_database(session->db));
	if (a == NULL) {
		check_say(&job->outcome, CHECK_UNKNOWN, "the catalog cannot be read [%s]", asks[0].sqlstate);
		return;
	}
	table = answer_text(a, 0, 1);
	column = answer_text(a, 0, 2);
	if (answer_flag(a, 0, 0)) {
		check_say(&job->outcome, CHECK_OK, "%s exists", job->value);
	} else {
		check_say(&job->outcome, CHECK_CRITICAL, "%s does not exist", job->value);
		if (column != NULL)
			check_detail(&job->outcome, "exists", "%s: names are case-sensitive",
			    column);
		else if (table != NULL && r->count == 1)
			check_detail(&job->outcome, "exists", "%s: names are case-sensitive",
			    table);
		else if (table != NULL)
			check_detail(&job->outcome, "exists", "%s, but without such a column", table);
	}
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
	.help = "a table, view, sequence, index or column exists, to verify a deploy;\n"
	        "also SCHEMA.NAME",
	.begin = begin,
	.ask = ask,
	.answered = answered,
	.end = end,
};
