/* The statements that production runs, read from its statistics. */
#include "rehearse/statements.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/null.h"
#include "postgres/connection.h"
#include "postgres/sqlstate.h"
#include "sql/literals.h"

#define EXTENSION "pg_stat_statements"

/* Where the extension is, what its version has, and whether the role sees others' statements, which pg_stat_statements itself hides. */
static const char extension_sql[] =
    "SELECT n.nspname, EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'toplevel'), "
    "EXISTS (SELECT FROM pg_class i WHERE i.relnamespace = n.oid AND i.relname = '" EXTENSION "_info'), "
    "pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'), quote_ident(current_user), quote_ident(current_database()) "
    "FROM (SELECT) one LEFT JOIN pg_extension e ON e.extname = '" EXTENSION "' LEFT JOIN pg_namespace n ON n.oid = e.extnamespace "
    "LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = '" EXTENSION "'";
enum { SCHEMA, HAS_TOPLEVEL, HAS_INFO, SEES_ALL, ROLE, DATABASE };

/* Longer ones are lists of values, mostly; and what is called less often than so many others is not read. */
#define LONGEST "65536"
#define MOST "10000"

static void
say_without(void)
{
	message_line("  Nothing was rehearsed. Without the statements of production: the same command with --load");
}

static int
say_no_extension(const char *database)
{
	int code = message_error(MIG_CONFIG, "cannot read the statements of production: the database %s has no extension " EXTENSION, database);

	message_line("  As a superuser, in this database:  CREATE EXTENSION " EXTENSION ";");
	message_line("  It counts only where the server's shared_preload_libraries has it, which takes a restart.");
	say_without();
	return code;
}

static int
say_no_right(const char *role)
{
	int code = message_error(MIG_DENIED, "cannot read the statements of production: the role %s sees only its own", role);

	message_line("  As a superuser:  GRANT pg_read_all_stats TO %s;", role);
	say_without();
	return code;
}

/* The library is not loaded, or something else. */
static int
say_not_read(struct db *production, enum db_outcome outcome)
{
	int code;

	if (outcome != DB_ERROR || strcmp(db_error(production)->sqlstate, SQLSTATE_OBJECT_NOT_IN_PREREQUISITE_STATE) != 0)
		return db_say(production, outcome, "read the statements of production");
	code = message_error(MIG_CONFIG, "cannot read the statements of production: the server has not loaded " EXTENSION);
	message_line("  As a superuser:  ALTER SYSTEM SET shared_preload_libraries = '" EXTENSION "';  with those that are in it already, then restart");
	say_without();
	return code;
}

static void
make_question(struct bytes *sql, const struct answer *extension)
{
	struct bytes schema = { 0 };

	bytes_sql_name(&schema, answer_word(extension, 0, SCHEMA));
	bytes_format(sql, "SELECT s.query, sum(s.calls)::int8, ");
	if (answer_flag(extension, 0, HAS_INFO))
		bytes_format(sql, "(SELECT (extract(epoch FROM clock_timestamp() - stats_reset) * 1000)::int8 FROM %s." EXTENSION "_info) ", schema.data);
	else
		bytes_str(sql, "NULL::int8 ");
	bytes_format(sql, "FROM %s." EXTENSION " s WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) "
	                  "AND octet_length(s.query) <= " LONGEST "%s GROUP BY s.query ORDER BY 2 DESC, s.query COLLATE \"C\" LIMIT " MOST,
	    schema.data, answer_flag(extension, 0, HAS_TOPLEVEL) ? " AND s.toplevel" : "");
	bytes_free(&schema);
}

static void
take(const struct answer *texts, struct statements *out)
{
	size_t i;

	out->list = xcalloc(answer_rows(texts) + 1, sizeof *out->list);
	out->counted_ms = answer_rows(texts) > 0 ? answer_number(texts, 0, 2) : NUMBER_UNKNOWN;
	for (i = 0; i < answer_rows(texts); i++) {
		struct bytes text = { 0 };

		if (literals_replace(&text, answer_word(texts, i, 0)))
			out->list[out->count++] = (struct statement){ .text = arena_text(&out->texts, text.data, text.len),
				.calls = answer_count(texts, i, 1) };
		bytes_free(&text);
	}
}

int
statements_take(struct db *production, struct statements *out)
{
	struct answer *extension = NULL, *texts = NULL;
	struct bytes sql = { 0 };
	enum db_outcome outcome = db_query_ours(production, &extension, extension_sql, 0, NULL);
	int code = 0;

	if (outcome != DB_OK) {
		code = db_say(production, outcome, "look for the extension " EXTENSION);
	} else if (answer_text(extension, 0, SCHEMA) == NULL) {
		code = say_no_extension(answer_word(extension, 0, DATABASE));
	} else if (!answer_flag(extension, 0, SEES_ALL)) {
		code = say_no_right(answer_word(extension, 0, ROLE));
	} else {
		make_question(&sql, extension);
		outcome = db_query_ours(production, &texts, sql.data, 0, NULL);
		if (outcome == DB_OK)
			take(texts, out);
		else
			code = say_not_read(production, outcome);
	}
	answer_free(texts);
	answer_free(extension);
	bytes_free(&sql);
	return code;
}
