/* The words and places of a statement, for people. */
#include "sql/sql_internal.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *const beginnings[] = {
	"CREATE [OR REPLACE] [GLOBAL|LOCAL] [TEMP|TEMPORARY|UNLOGGED|UNIQUE|CONSTRAINT|DEFAULT]",
	"ALTER", "DROP", "COMMENT ON", "IMPORT", "LOCK", "REFRESH", "REINDEX", "SECURITY LABEL ON",
};

static const char *const objects[] = {
	"ACCESS METHOD", "AGGREGATE", "CAST", "COLLATION", "COLUMN", "CONSTRAINT", "CONVERSION",
	"DATABASE", "DEFAULT PRIVILEGES", "DOMAIN", "EVENT TRIGGER", "EXTENSION",
	"FOREIGN DATA WRAPPER", "FOREIGN SCHEMA", "FOREIGN TABLE", "FUNCTION", "GROUP",
	"INDEX [CONCURRENTLY]", "[TRUSTED] [PROCEDURAL] LANGUAGE", "LARGE OBJECT",
	"MATERIALIZED VIEW [CONCURRENTLY]", "OPERATOR [CLASS|FAMILY]", "OWNED", "POLICY",
	"PROCEDURE", "PUBLICATION", "ROLE", "ROUTINE", "RULE", "SCHEMA", "SEQUENCE", "SERVER",
	"STATISTICS", "SUBSCRIPTION", "SYSTEM", "TABLE [CONCURRENTLY]", "TABLESPACE",
	"TEXT SEARCH CONFIGURATION|DICTIONARY|PARSER|TEMPLATE", "TRANSFORM", "TRIGGER", "TYPE",
	"USER [MAPPING]", "[RECURSIVE] VIEW",
};

static const char *const others[] = {
	"START TRANSACTION", "PREPARE TRANSACTION text", "COMMIT PREPARED", "ROLLBACK PREPARED",
	"ROLLBACK [WORK|TRANSACTION] TO", "DISCARD ALL", "REASSIGN OWNED",
	"ABORT|ANALYSE|ANALYZE|BEGIN|CALL|CHECKPOINT|CLOSE|CLUSTER|COMMIT|COPY|DEALLOCATE|DECLARE",
	"DELETE|DISCARD|DO|END|EXECUTE|EXPLAIN|FETCH|GRANT|INSERT|LISTEN|LOAD|MERGE|MOVE|NOTIFY",
	"PREPARE|RELEASE|RESET|REVOKE|ROLLBACK|SAVEPOINT|SELECT|SET|SHOW|TABLE|TRUNCATE|UNLISTEN",
	"UPDATE|VACUUM|VALUES|WITH",
};

#define MATCH_ANY(r, table) sql_reader_match_any((r), (table), sizeof (table) / sizeof *(table))

void
sql_words(const char *text, const struct sql_statement *statement, char *out, size_t size)
{
	struct sql_reader from = sql_reader_at(text, statement->start, statement->end), to;
	size_t len = 0, i;

	if (size == 0)
		return;
	while (sql_accept_sign(&from, '(')) /* (SELECT ...) UNION ... */
		;
	to = from;
	if (MATCH_ANY(&to, beginnings))
		MATCH_ANY(&to, objects);
	else
		MATCH_ANY(&to, others);

	for (; from.token.start < to.token.start && from.token.kind == SQL_WORD; sql_reader_advance(&from)) {
		if (len > 0 && len + 1 < size)
			out[len++] = ' ';
		for (i = from.token.start; i < from.token.end && len + 1 < size; i++)
			out[len++] = sql_upper(text[i]);
	}
	out[len] = '\0';
	if (len == 0)
		snprintf(out, size, "SQL");
}

struct sql_place
sql_place(const char *text, size_t len, size_t at)
{
	struct sql_place place = { 1, 1 };
	size_t line = 0, next;

	if (at > len)
		at = len;
	while ((next = sql_behind(text, at, line, '\n')) <= at) {
		line = next;
		place.line++;
	}
	for (; line < at; line++)
		place.column += ((unsigned char)text[line] & 0xC0) != 0x80;
	return place;
}

static bool
is_there(const char *text, const char *word, size_t n)
{
	size_t j;

	for (j = 0; j < n && tolower((unsigned char)text[j]) == word[j]; j++)
		;
	return j == n;
}

bool
sql_mentions(const char *text, size_t len, const char *word)
{
	size_t n = strlen(word), i;
	const char *rare = strchr(word, '_'), *at = text, *end = text + len;

	if (n > len)
		return false;
	if (rare != NULL) { /* looked for many bytes at a time */
		size_t before = (size_t)(rare - word);

		for (; at < end && (at = memchr(at, '_', (size_t)(end - at))) != NULL; at++)
			if ((size_t)(at - text) >= before && (size_t)(end - at) >= n - before && is_there(at - before, word, n))
				return true;
		return false;
	}
	for (i = 0; i + n <= len; i++)
		if ((text[i] | 0x20) == word[0] /* sorts out nearly all, and costs next to nothing */ && is_there(text + i, word, n))
			return true;
	return false;
}
