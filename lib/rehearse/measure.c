#include "rehearse/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/null.h"
#include "postgres/connection.h"
#include "postgres/sqlstate.h"
#include "records/model.h"
#include "records/words.h"
#include "sql/sql.h"
#include "sql/targets.h"

/* Statements that write rows, many of them in a row, are looked at together. */
enum { GROUP_FROM = 50, GROUP_MOST = 500 };

/* --- the session --- */

/* A script may catch the cancellation, and go on: then its session is ended. */
void
measure_tick(struct measure *m, long long ms)
{
	enum { CANCELLED_MS = 2000 };
	char number[16];
	const char *const parameters[] = { number };

	if (ms >= m->limit_ms && !m->too_long) {
		m->too_long = true;
		db_cancel(m->runs);
	} else if (m->too_long && !m->ended && ms >= m->limit_ms + CANCELLED_MS) {
		m->ended = true;
		snprintf(number, sizeof number, "%d", db_backend_pid(m->runs));
		(void)db_query_ours(m->observes, NULL, "SELECT pg_terminate_backend($1::int4)", 1, parameters);
	}
}

static void
tick(void *context, long long ms)
{
	measure_tick(context, ms);
}

enum db_outcome
measure_flush(struct measure *m)
{
	enum { FLUSHED_MS = 1200 }; /* before 15 a session gives them away when it has rested for a second */

	if (db_server_version_num(m->runs) < 150000)
		clock_sleep_ms(FLUSHED_MS);
	else
		(void)db_run_best_effort(m->runs, "SELECT pg_catalog.pg_stat_force_next_flush()");
	return db_run(m->runs, "SELECT 1", NULL);
}

/* --- looks --- */

static const struct look *
last_look(const struct measure *m)
{
	return m->last.relations != NULL ? &m->last : &m->start;
}

/* A new look for a new transaction. */
static enum db_outcome
look_anew(struct measure *m)
{
	look_free(&m->last);
	look_free(&m->start);
	arena_free(&m->last_texts);
	return look_all(m->observes, LOOK_TRANSACTION, &m->last_texts, &m->start);
}

/* Which relations the transaction may have changed: those of before that it has locked, and new indexes of them. */
static void
add_changed(struct measure *m)
{
	size_t i;

	for (i = 0; i < m->held.count; i++) {
		long long id = m->held.list[i].relation;

		if (look_relation(&m->before, id) != NULL || !look_ids_has(&m->passed, id))
			look_ids_add(&m->changed, id);
	}
}

/* What is new and no index of a relation of before is not asked for again. */
static void
pass_new(struct measure *m)
{
	size_t i, kept = 0;

	for (i = 0; i < m->changed.count; i++) {
		long long id = m->changed.list[i];
		const struct look_relation *r = look_relation(last_look(m), id);

		if (look_relation(&m->before, id) == NULL && (r == NULL || look_relation(&m->before, r->table) == NULL))
			look_ids_add(&m->passed, id);
		else
			m->changed.list[kept++] = id;
	}
	m->changed.count = kept;
}

/* Sets the word it begins with, too. */
static bool
writes_rows(const struct measure *m, size_t at, char word[16])
{
	sql_words(m->step->sql, &m->script->statements[at], word, 16);
	return strcmp(word, "INSERT") == 0 || strcmp(word, "UPDATE") == 0 || strcmp(word, "DELETE") == 0;
}

static const struct look_relation *
named(const struct look *look, const char *schema, const char *name)
{
	size_t i;

	for (i = 0; i < look->relation_count; i++)
		if (look_is_told(&look->relations[i]) && strcmp(look->relations[i].name, name) == 0 &&
		    strcmp(look->relations[i].schema, schema) == 0)
			return &look->relations[i];
	return NULL;
}

/* Whether it is in the midst of a long run of statements like it, of which the first group has told all that there is to tell. */
static bool
goes_on(const struct measure *m, size_t at, const char *word)
{
	char before[16];
	size_t i;

	for (i = 1; i <= GROUP_FROM; i++)
		if (i > at || !writes_rows(m, at - i, before) || strcmp(before, word) != 0)
			return false;
	return true;
}

/* No lock tells the second statement that writes rows of a table; its words do. */
static const struct look_relation *
target_of(const struct measure *m, size_t at)
{
	const struct sql_statement *s = &m->script->statements[at];
	const struct look_relation *found = NULL;
	struct sql_targets targets = { 0 };
	char word[16], *schema, *name;
	size_t i;

	if (!writes_rows(m, at, word) || goes_on(m, at, word))
		return NULL;
	(void)sql_targets_add(&targets, m->step->sql, s);
	for (i = 0; found == NULL && i < targets.count; i++) {
		if (targets.list[i].kind != TARGET_RELATION || targets.list[i].right == NULL || strcmp(targets.list[i].right, word) != 0)
			continue;
		name = sql_name_parts(targets.list[i].name, &schema);
		found = named(&m->before, schema != NULL ? schema : scratch_schema(m->scratch), name);
		free(schema);
		free(name);
	}
	sql_targets_free(&targets);
	return found;
}

void
measure_note(struct measure *m, size_t at, const struct held *had, const struct held *has, const struct look *old,
    const struct look *new)
{
	struct effects_of of = { &m->before, old, new, had, has, m->tag, target_of(m, at), &m->made, &m->script_texts };
	struct effects now = { 0 };
	struct arena texts = { 0 };

	effects_of_statement(&of, &m->seen[at].effects);
	of.arena = &texts;
	effects_differences(&of, &now);
	effects_since(&now, &m->differences, at, &m->script_texts);
	effects_free(&m->differences);
	m->differences = now;
	arena_free(&texts);
}

/* Behind these no question may be asked, which would make a SET TRANSACTION that follows fail; and they change nothing. */
static bool
is_quiet(const char *tag)
{
	static const char *const tags[] = { "SET", "RESET", "SAVEPOINT", "RELEASE", "LOCK TABLE", "BEGIN", "START TRANSACTION" };
	size_t i;

	for (i = 0; i < sizeof tags / sizeof *tags; i++)
		if (strcmp(tags[i], tag) == 0)
			return true;
	return false;
}

static enum db_outcome
look_behind(struct measure *m, size_t at)
{
	bool went_back = strcmp(m->tag, "ROLLBACK") == 0; /* to a savepoint */
	struct held had = m->held;
	struct look new;
	enum db_outcome outcome;

	m->held = (struct held){ 0 };
	if (!went_back)
		held_copy(&m->held, &had);
	outcome = held_add(m->observes, db_backend_pid(m->runs), &m->held, NULL);
	add_changed(m);
	if (outcome == DB_OK && is_quiet(m->tag)) {
		struct effects_of of = { &m->before, last_look(m), last_look(m), &had, &m->held, "", NULL, &m->made, &m->script_texts };

		effects_of_locks(&of, &m->seen[at].effects);
	} else if (outcome == DB_OK && (outcome = look_again(m->runs, went_back ? &m->start : last_look(m), &m->before,
	                                  &m->changed, went_back, &m->last_texts, &new)) == DB_OK) {
		measure_note(m, at, &had, &m->held, last_look(m), &new);
		look_free(&m->last);
		m->last = new;
		pass_new(m);
		if (m->statements != NULL)
			outcome = statements_note(m->statements, m->runs, at, m->tag, &m->differences);
	}
	held_free(&had);
	return outcome;
}

/* --- statements --- */

static char *
text_of(const struct measure *m, size_t first, size_t count)
{
	size_t start = m->script->statements[first].start, end = m->script->statements[first + count - 1].end;

	return xstrndup(m->step->sql + start, end - start);
}

static enum db_outcome
run(struct measure *m, const char *text, size_t *done)
{
	struct db_hooks hooks = { tick, NULL, m };
	enum db_outcome outcome;

	m->too_long = m->ended = false;
	db_hooks(m->runs, &hooks);
	outcome = db_run(m->runs, text, done);
	db_hooks(m->runs, NULL);
	bytes_copy(m->tag, sizeof m->tag, db_tag(m->runs));
	return outcome;
}

/* How many statements are looked at together from here on: 1, or more where a long run of them does the same. */
static size_t
group(const struct measure *m, size_t at, size_t end)
{
	char first[16], next[16];
	size_t n = 1;

	if (!writes_rows(m, at, first))
		return 1;
	while (at + n < end && n < GROUP_MOST && writes_rows(m, at + n, next) && strcmp(first, next) == 0)
		n++;
	return n >= GROUP_FROM ? n : 1;
}

static bool
ends_transaction(const struct measure *m, size_t at)
{
	enum sql_kind kind = m->script->statements[at].kind;

	return kind == SQL_COMMIT || kind == SQL_ROLLBACK;
}

static enum db_outcome
run_together(struct measure *m, size_t first, size_t count, size_t *done)
{
	size_t at = first, n, ran;
	enum db_outcome outcome = DB_OK;

	for (; outcome == DB_OK && at < first + count; at += n) {
		char *text;

		n = group(m, at, first + count);
		text = text_of(m, at, n);
		outcome = run(m, text, &ran);
		free(text);
		if (outcome == DB_OK && !ends_transaction(m, at))
			outcome = look_behind(m, at);
		*done += outcome == DB_OK ? n : ran < n ? ran : n - 1;
	}
	return outcome;
}

static enum db_outcome
begin(struct measure *m, const char *locals)
{
	struct bytes text = { 0 };
	enum db_outcome outcome = measure_flush(m);

	held_free(&m->held);
	m->changed.count = m->passed.count = 0;
	if (outcome == DB_OK)
		outcome = look_anew(m);
	bytes_str(&text, "BEGIN;");
	bytes_str(&text, locals);
	if (outcome == DB_OK)
		outcome = db_run(m->runs, text.data, NULL);
	bytes_free(&text);
	return outcome;
}

/* --- replay's hooks --- */

/* The statements from `first` on are sent, perhaps again: what was seen of them does not count. */
static void
forget(struct measure *m, size_t first)
{
	size_t i;

	if (first <= m->kept_from)
		effects_copy(&m->differences, &m->kept);
	else
		effects_copy(&m->kept, &m->differences);
	m->kept_from = first;
	for (i = first; i < m->seen_count; i++)
		m->seen[i].effects.count = 0;
	if (m->statements != NULL)
		statements_forget(m->statements, first);
}

static enum db_outcome
hook_send(void *context, size_t first, size_t count, enum replay_wrap wrap, const char *locals, size_t *done)
{
	struct measure *m = context;
	enum db_outcome outcome;

	forget(m, first);
	if (wrap == REPLAY_NONE && count == 1) {
		outcome = phases_run(m, first);
		*done = outcome == DB_OK;
		return outcome;
	}
	outcome = begin(m, locals);
	if (outcome == DB_OK)
		outcome = run_together(m, first, count, done);
	if (outcome == DB_OK && wrap == REPLAY_BOTH)
		outcome = run(m, "COMMIT", NULL);
	return outcome;
}

/* The line of each statement. */
static void
count_lines(struct measure *m)
{
	size_t at = 0, i;
	long long line = 1;

	for (i = 0; i < m->seen_count; i++) {
		for (; at < m->script->statements[i].start; at++)
			line += m->step->sql[at] == '\n';
		m->seen[i].line = line;
	}
}

static void
hook_begins(void *context, const struct step *step, const struct sql_script *script)
{
	struct measure *m = context;

	if (m->step != NULL)
		(void)measure_settle(m, true); /* without it, the next look fails as well */
	m->step = step;
	m->script = script;
	m->seen_count = script->count;
	m->seen = xcalloc(script->count + 1, sizeof *m->seen);
	m->differences.count = m->kept.count = m->kept_from = 0;
	count_lines(m);
}

static void
hook_fails(void *context, size_t at, size_t offset, const char *sqlstate, const char *message)
{
	struct measure *m = context;
	size_t len = strlen(m->step->sql), last;
	struct sql_place place;
	struct effects *e;
	char limit[CLOCK_SPAN];

	if (m->seen_count == 0)
		return;
	last = at < m->seen_count ? at : m->seen_count - 1;
	e = &m->seen[last].effects;
	place = sql_place(m->step->sql, len, offset < len ? offset : m->script->statements[last].start);
	ARRAY_ROOM(e->list, e->count, e->cap);
	e->list[e->count++] = (struct effect){ .effect = EFFECT_ERROR,
		.line = (long long)place.line,
		.column = (long long)place.column,
		.calls = NUMBER_UNKNOWN,
		.counted_ms = NUMBER_UNKNOWN,
		.detail = m->too_long
		    ? arena_format(&m->script_texts, SQLSTATE_QUERY_CANCELED " it had not ended after %s, and was cancelled", clock_age(m->limit_ms, limit))
		    : arena_format(&m->script_texts, "%s %s", sqlstate, message) };
	(void)measure_settle(m, false);
	m->step = NULL;
}

struct replay_watcher
measure_watcher(struct measure *m)
{
	return (struct replay_watcher){ m, hook_begins, hook_send, hook_fails };
}

enum db_outcome
measure_begin(struct measure *m, struct scratch *scratch, long long limit_ms, struct statements *statements, struct effects *out,
    struct arena *texts)
{
	enum db_outcome outcome;

	*m = (struct measure){ .scratch = scratch,
		.runs = scratch_db(scratch),
		.observes = scratch_watcher(scratch, 0),
		.freezes = { scratch_watcher(scratch, 1), scratch_watcher(scratch, 2) },
		.limit_ms = limit_ms,
		.statements = statements,
		.out = out,
		.texts = texts };
	if (statements != NULL && (outcome = statements_begin(statements, m->runs)) != DB_OK)
		return outcome;
	return look_all(m->observes, LOOK_TRANSACTION, &m->before_texts, &m->before);
}

enum db_outcome
measure_end(struct measure *m)
{
	enum db_outcome outcome = m->step != NULL ? measure_settle(m, true) : DB_OK;

	measure_free_seen(m);
	look_free(&m->before);
	look_free(&m->last);
	look_free(&m->start);
	held_free(&m->held);
	held_free(&m->stepped);
	effects_free(&m->differences);
	effects_free(&m->kept);
	free(m->changed.list);
	free(m->passed.list);
	arena_free(&m->before_texts);
	arena_free(&m->last_texts);
	arena_free(&m->script_texts);
	made_free(&m->made);
	return outcome;
}
