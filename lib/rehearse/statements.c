#include "rehearse/statements.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/null.h"
#include "records/model.h"
#include "records/words.h"
#include "sql/literals.h"
#include "sql/sql.h"

enum { TRIED_TOGETHER = 500, SHOWN_BYTES = 2000 };

void
statements_free(struct statements *s)
{
	free(s->list);
	arena_free(&s->texts);
	*s = (struct statements){ 0 };
}

/* --- trying --- */

#define SAVEPOINT "mig_statements"

/*
 * Has some of them parsed in one round trip.  In a transaction that goes on, an error must not end it: each is tried behind the
 * same savepoint, which also gives back the locks that parsing takes.
 */
static enum db_outcome
parse(struct db *db, struct statement *const tried[], size_t count)
{
	bool inside = db_transaction(db) != DB_IDLE;
	struct db_ask *asks = xcalloc(2 * count + 2, sizeof *asks);
	size_t n = 0, i;
	enum db_outcome outcome;

	if (inside)
		asks[n++] = (struct db_ask){ .sql = "SAVEPOINT " SAVEPOINT, .ends_unit = true };
	for (i = 0; i < count; i++) {
		asks[n++] = (struct db_ask){ .sql = tried[i]->text, .parses = true, .ends_unit = true };
		if (inside)
			asks[n++] = (struct db_ask){ .sql = "ROLLBACK TO " SAVEPOINT, .ends_unit = true };
	}
	if (inside)
		asks[n++] = (struct db_ask){ .sql = "RELEASE " SAVEPOINT };
	outcome = db_query_batch(db, asks, n);
	for (i = 0; outcome == DB_OK && i < count; i++) {
		const struct db_ask *ask = inside ? &asks[1 + 2 * i] : &asks[i];

		tried[i]->breaks = ask->outcome != DB_OK;
		bytes_copy(tried[i]->sqlstate, sizeof tried[i]->sqlstate, ask->sqlstate);
	}
	for (i = 0; i < n; i++)
		answer_free(asks[i].answer);
	free(asks);
	return outcome;
}

static enum db_outcome
parse_all(struct db *db, struct statement *const tried[], size_t count)
{
	enum db_outcome outcome = DB_OK;
	size_t at, n;

	for (at = 0; outcome == DB_OK && at < count; at += n) {
		n = count - at < TRIED_TOGETHER ? count - at : TRIED_TOGETHER;
		outcome = parse(db, tried + at, n);
	}
	return outcome;
}

enum db_outcome
statements_begin(struct statements *s, struct db *scratch)
{
	struct statement **tried = xcalloc(s->count + 1, sizeof *tried);
	enum db_outcome outcome;
	size_t i;

	for (i = 0; i < s->count; i++)
		tried[i] = &s->list[i];
	outcome = parse_all(scratch, tried, s->count);
	for (i = 0; outcome == DB_OK && i < s->count; i++) {
		s->list[i].gone = s->list[i].breaks;
		s->list[i].breaks = false;
		s->untried += s->list[i].gone;
	}
	free(tried);
	return outcome;
}

/* --- within a script --- */

static bool
is_breaking(const struct effect *e)
{
	return e->effect == EFFECT_DROP || e->effect == EFFECT_RENAME || e->effect == EFFECT_RETYPE;
}

static bool
mentions(const char *text, const char *name)
{
	char *lower = xstrdup(name), *c;
	bool found;

	for (c = lower; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	found = sql_mentions(text, strlen(text), lower);
	free(lower);
	return found;
}

/* DROP FUNCTION, ALTER SCHEMA, ALTER TYPE, ...: not what the differences of relations tell, and nothing that is only inside. */
static bool
changes_other_names(const char *tag)
{
	static const char *const known[] = { "TABLE", "INDEX", "VIEW", "MATERIALIZED", "SEQUENCE", "TRIGGER", "POLICY", "RULE", "ROLE",
		"DEFAULT", "STATISTICS", "PUBLICATION" };
	const char *what = strncmp(tag, "DROP ", 5) == 0 ? tag + 5 : strncmp(tag, "ALTER ", 6) == 0 ? tag + 6 : NULL;
	size_t i;

	for (i = 0; what != NULL && i < sizeof known / sizeof *known; i++)
		if (strncmp(what, known[i], strlen(known[i])) == 0)
			return false;
	return what != NULL;
}

enum db_outcome
statements_note(struct statements *s, struct db *scratch, size_t at, const char *tag, const struct effects *now)
{
	struct statement **tried = xcalloc(s->count + 1, sizeof *tried);
	bool all = changes_other_names(tag);
	size_t count = 0, i, k;
	enum db_outcome outcome;

	for (i = 0; i < s->count; i++) {
		struct statement *one = &s->list[i];
		bool wanted = all;

		if (one->gone || one->breaks)
			continue;
		for (k = 0; !wanted && k < now->count; k++)
			wanted = now->list[k].statement == (long long)at && is_breaking(&now->list[k]) &&
			    mentions(one->text, now->list[k].relation);
		if (wanted)
			tried[count++] = one;
	}
	outcome = parse_all(scratch, tried, count);
	for (i = 0; outcome == DB_OK && i < count; i++)
		tried[i]->since = at;
	free(tried);
	return outcome;
}

void
statements_forget(struct statements *s, size_t first)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		s->list[i].breaks &= s->list[i].since < first;
}

/* --- behind it --- */

static void
add_effect(const struct statements *s, const struct statement *one, struct effects *effects, struct arena *arena)
{
	struct bytes shown = { 0 };

	literals_hide(&shown, one->text, SHOWN_BYTES);
	ARRAY_ROOM(effects->list, effects->count, effects->cap);
	effects->list[effects->count++] = (struct effect){ .effect = EFFECT_REFUSE,
		.statement = (long long)one->since,
		.detail = arena_format(arena, "%s %lld call%s: %s", one->sqlstate, one->calls, one->calls == 1 ? "" : "s", shown.data),
		.column = NUMBER_UNKNOWN,
		.calls = one->calls,
		.counted_ms = s->counted_ms };
	bytes_free(&shown);
}

enum db_outcome
statements_settle(struct statements *s, struct db *scratch, size_t last, struct effects *effects, struct arena *arena)
{
	struct statement **tried = xcalloc(s->count + 1, sizeof *tried);
	size_t count = 0, i;
	enum db_outcome outcome;

	for (i = 0; i < s->count; i++) {
		if (s->list[i].gone)
			continue;
		if (!s->list[i].breaks)
			s->list[i].since = last;
		tried[count++] = &s->list[i];
	}
	outcome = parse_all(scratch, tried, count);
	for (i = 0; outcome == DB_OK && i < count; i++)
		if (tried[i]->breaks) {
			add_effect(s, tried[i], effects, arena);
			tried[i]->breaks = false;
			tried[i]->gone = true;
		}
	free(tried);
	return outcome;
}
