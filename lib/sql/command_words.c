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

/* Where in a word the character is that scripts have least: most of a text is passed over by looking for it. */
static size_t
rarest_of(const char *word)
{
	static const char order[] = "etaoisrnldhcmupgfbywvkzxqj_";
	size_t best = 0, place = 0, at;

	for (at = 0; word[at] != '\0'; at++) {
		const char *found = strchr(order, word[at]);
		size_t rank = found != NULL ? (size_t)(found - order) : sizeof order;

		if (rank > best) {
			best = rank;
			place = at;
		}
	}
	return place;
}

static const char *
find(const char *at, const char *end, char c)
{
	const char *found = at < end ? memchr(at, c, (size_t)(end - at)) : NULL;

	return found != NULL ? found : end;
}

bool
sql_mentions(const char *text, size_t len, const char *word)
{
	size_t n = strlen(word), before = rarest_of(word);
	char small = word[before], large = (char)toupper((unsigned char)small);
	const char *end, *at, *one, *other;

	if (n == 0 || n > len)
		return false;
	end = text + (len - n) + before + 1; /* of the places where it may stand */
	one = find(text + before, end, small);
	other = large != small ? find(text + before, end, large) : end;
	while ((at = one < other ? one : other) < end) {
		if (is_there(at - before, word, n))
			return true;
		if (at == one)
			one = find(at + 1, end, small);
		else
			other = find(at + 1, end, large);
	}
	return false;
}
