#include "sql/hints.h"

#include <stdbool.h>
#include <stddef.h>

enum { WORDS = 4 };

/* The first that fits: its first word begins the statement, and the others follow in this order, anywhere. */
static const struct {
	const char *words[WORDS];
	const char *remedy;
} remedies[] = {
	{ { "CREATE", "INDEX" }, "build it with CREATE INDEX CONCURRENTLY, the only statement of its migration" },
	{ { "ALTER", "SET", "NOT", "NULL" },
	    "add CHECK (column IS NOT NULL) NOT VALID, then in a migration of its own VALIDATE CONSTRAINT, then "
	    "SET NOT NULL, which then reads no rows" },
	{ { "ALTER", "FOREIGN", "KEY" },
	    "add it NOT VALID, then in a migration of its own VALIDATE CONSTRAINT, which blocks no reads or writes" },
	{ { "ALTER", "REFERENCES" }, "add the column, then the constraint NOT VALID, then in a migration of its own VALIDATE CONSTRAINT" },
	{ { "ALTER", "PRIMARY", "KEY" }, "first CREATE UNIQUE INDEX CONCURRENTLY in a migration of its own, then ADD CONSTRAINT ... PRIMARY KEY USING INDEX" },
	{ { "ALTER", "ADD", "UNIQUE" }, "first CREATE UNIQUE INDEX CONCURRENTLY in a migration of its own, then ADD CONSTRAINT ... UNIQUE USING INDEX" },
	{ { "ALTER", "ADD", "CHECK" },
	    "add it NOT VALID, then in a migration of its own VALIDATE CONSTRAINT, which blocks no reads or writes" },
	{ { "ALTER", "TYPE" }, "this rewrites the whole table: add a new column, backfill it in batches (one migration each), then swap the two" },
	{ { "ALTER", "ADD" }, "add the column without a default, SET DEFAULT, then backfill it in batches" },
	{ { "UPDATE" }, "use batches, each committed separately, so that no row stays locked for long" },
	{ { "DELETE" }, "use batches, each committed separately, so that no row stays locked for long" },
	{ { "REINDEX" }, "use REINDEX ... CONCURRENTLY, which blocks no reads or writes" },
	{ { "REFRESH" }, "use REFRESH MATERIALIZED VIEW CONCURRENTLY, which does not block reads" },
	{ { "VACUUM" }, "use pg_repack or pg_squeeze, which rewrite a table without blocking it for long" },
	{ { "CLUSTER" }, "use pg_repack or pg_squeeze, which rewrite a table without blocking it for long" },
};

static bool
fits(const char *text, const struct sql_statement *statement, const char *const words[WORDS])
{
	struct sql_token token = sql_token(text, statement->end, statement->start);
	size_t i = 0;

	if (!sql_is(text, token, words[0]))
		return false;
	while (++i < WORDS && words[i] != NULL) {
		do
			token = sql_token(text, statement->end, token.end);
		while (token.kind != SQL_END && !sql_is(text, token, words[i]));
		if (token.kind == SQL_END)
			return false;
	}
	return true;
}

const char *
hint_of(const char *text, const struct sql_statement *statement)
{
	size_t i;

	for (i = 0; statement != NULL && i < sizeof remedies / sizeof *remedies; i++)
		if (fits(text, statement, remedies[i].words))
			return remedies[i].remedy;
	return "split it into smaller parts, each in its own migration";
}
