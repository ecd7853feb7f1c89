#include "sql/hints.h"

#include <stdbool.h>
#include <stddef.h>

enum { WORDS = 4 };

/* The first that fits: its first word begins the statement, and the others follow in this order, anywhere. */
static const struct {
	const char *words[WORDS];
	const char *remedy;
} remedies[] = {
	{ { "CREATE", "INDEX" }, "CREATE INDEX CONCURRENTLY stops nobody" },
	{ { "ALTER", "SET", "NOT", "NULL" },
	    "ADD CONSTRAINT ... CHECK (column IS NOT NULL) NOT VALID, then in a migration of its own VALIDATE CONSTRAINT, then "
	    "SET NOT NULL, which then reads nothing" },
	{ { "ALTER", "FOREIGN", "KEY" },
	    "add it NOT VALID, then in a migration of its own VALIDATE CONSTRAINT, which stops nobody" },
	{ { "ALTER", "REFERENCES" }, "add the column, then the constraint NOT VALID, then in a migration of its own VALIDATE CONSTRAINT" },
	{ { "ALTER", "PRIMARY", "KEY" }, "CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT ... PRIMARY KEY USING INDEX" },
	{ { "ALTER", "ADD", "UNIQUE" }, "CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT ... UNIQUE USING INDEX" },
	{ { "ALTER", "ADD", "CHECK" },
	    "add it NOT VALID, then in a migration of its own VALIDATE CONSTRAINT, which stops nobody" },
	{ { "ALTER", "TYPE" }, "a new column, filled in batches by migrations of their own, and then the two swapped" },
	{ { "ALTER", "ADD" }, "add the column without default, SET DEFAULT, and fill it in batches" },
	{ { "UPDATE" }, "batches, each committed by itself, so that no row is locked for long" },
	{ { "DELETE" }, "batches, each committed by itself, so that no row is locked for long" },
	{ { "REINDEX" }, "REINDEX ... CONCURRENTLY stops nobody" },
	{ { "REFRESH" }, "REFRESH MATERIALIZED VIEW CONCURRENTLY lets others read" },
	{ { "VACUUM" }, "pg_repack or pg_squeeze, which rewrite a table beside its traffic" },
	{ { "CLUSTER" }, "pg_repack or pg_squeeze, which rewrite a table beside its traffic" },
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
	return "smaller parts, each in a migration of its own";
}
