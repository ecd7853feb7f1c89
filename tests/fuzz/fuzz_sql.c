/*
 * libFuzzer (make fuzzers): build/fuzz/fuzz_sql -max_total_time=300 -max_len=4096 CORPUS
 *
 * The splitter, lib/sql/sql.c: whatever the text, what is said of it holds together.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "sql/sql.h"
#include "fuzz.h"

#define HOLDS(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #what); \
			abort(); \
		} \
	} while (0)

static void
check_tokens(const char *text, size_t len)
{
	size_t at = 0;
	struct sql_token t;

	while ((t = sql_token(text, len, at)).kind != SQL_END) {
		struct sql_token again = sql_token(text, len, t.start);

		HOLDS(t.start >= at && t.end > t.start && t.end <= len);
		HOLDS(again.start == t.start && again.end == t.end && again.kind == t.kind);
		HOLDS(t.kind != SQL_SIGN || t.end == t.start + 1);
		HOLDS(t.kind != SQL_BROKEN || t.end == len);
		at = t.end;
	}
	HOLDS(t.start == len && t.end == len);
}

/* A statement by itself is one statement, and the same. */
static void
check_alone(const char *text, const struct sql_statement *s)
{
	size_t len = s->end - s->start;
	char *piece = malloc(len); /* exactly this long, so that no byte behind it is read */
	struct sql_script script;

	HOLDS(piece != NULL);
	memcpy(piece, text + s->start, len);
	script = sql_split(piece, len);
	HOLDS(script.count == 1);
	HOLDS(script.statements[0].start == 0 && script.statements[0].end == len);
	HOLDS(script.statements[0].kind == s->kind);
	HOLDS(script.statements[0].chain == s->chain);
	HOLDS(script.statements[0].broken == s->broken);
	sql_script_free(&script);
	free(piece);
}

static void
check_words(const char *text, const struct sql_statement *s)
{
	char words[24];
	size_t i, len;

	memset(words, '?', sizeof words);
	sql_words(text, s, words, sizeof words);
	len = strlen(words);
	HOLDS(len > 0 && len < sizeof words);
	for (i = 0; i < len; i++)
		HOLDS(words[i] == ' ' || words[i] == '_' || (words[i] >= 'A' && words[i] <= 'Z'));
}

static void
check_script(const char *text, size_t len)
{
	struct sql_script script = sql_split(text, len);
	struct sql_losses losses = sql_losses(text, &script);
	size_t at = 0, i;

	for (i = 0; i < script.count; i++) {
		const struct sql_statement *s = &script.statements[i];

		HOLDS(s->start >= at && s->end > s->start && s->next >= s->end && s->next <= len);
		HOLDS(s->next == len || text[s->next - 1] == ';');
		HOLDS(!s->broken || i + 1 == script.count);
		HOLDS(!s->chain || s->kind == SQL_COMMIT || s->kind == SQL_ROLLBACK);
		check_alone(text, s);
		check_words(text, s);
		at = s->next;
	}
	for (at = 0, i = 0; i < losses.count; i++) {
		HOLDS(losses.losses[i].at >= at && losses.losses[i].at < len);
		HOLDS(losses.losses[i].object != NULL && losses.losses[i].object[0] != '\0');
		at = losses.losses[i].at;
	}
	sql_transaction(&script);
	sql_losses_free(&losses);
	sql_script_free(&script);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	size_t alter = sql_psql_would_alter(text, size);
	struct sql_place end = sql_place(text, size, size);

	HOLDS(alter == size || text[alter] == ':' || text[alter] == '\\');
	HOLDS(end.line >= 1 && end.line <= size + 1 && end.column >= 1 && end.column <= size + 1);
	check_tokens(text, size);
	check_script(text, size);
	return 0;
}
