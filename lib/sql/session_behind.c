/* The session that some statements of a script leave behind. */
#include "sql/session_effects_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sql/segments.h"

/* What takes a session's objects away again; `what` as above, NULL: each that a name fits. */
static const struct {
	const char *synopsis;
	const char *what;
} ends[] = {
	{ "DROP TABLE|VIEW|SEQUENCE [IF EXISTS]", "a temporary object" },
	{ "DISCARD TEMP|TEMPORARY", "a temporary object" },
	{ "DEALLOCATE [PREPARE]", "a prepared statement" },
	{ "UNLISTEN", "a LISTEN" },
	{ "CLOSE", "a cursor WITH HOLD" },
};

struct session_entry {
	size_t statement;
	struct session_change change;
};

struct savepoint {
	struct sql_token name;
	size_t mark;          /* entries that were there before it */
};

struct tracker {
	const char *text;
	const struct sql_script *script;
	struct session_entry *entries;
	size_t count, cap;
	struct savepoint *savepoints;
	size_t savepoint_count, savepoint_cap;
};

/* What came after `mark` was rolled back. */
static void
roll_back(struct tracker *t, size_t mark)
{
	size_t i, n = mark;

	for (i = mark; i < t->count; i++)
		if (t->entries[i].change.stays)
			t->entries[n++] = t->entries[i];
	t->count = n;
}

static void
remove_entry(struct tracker *t, size_t at)
{
	size_t i;

	memmove(&t->entries[at], &t->entries[at + 1], (t->count - at - 1) * sizeof *t->entries);
	t->count--;
	for (i = 0; i < t->savepoint_count; i++)
		t->savepoints[i].mark -= t->savepoints[i].mark > at;
}

/* DROP TABLE, DEALLOCATE, ...: takes what it names, or all of its kind. */
static void
end_objects(struct tracker *t, const struct sql_statement *s)
{
	size_t i, j, behind = 0;
	struct session_words w;

	for (i = 0; i < sizeof ends / sizeof *ends; i++)
		if (*ends[i].synopsis == (char)toupper((unsigned char)t->text[s->start]) &&
		    (behind = sql_match(t->text, s->end, s->start, ends[i].synopsis)) != 0)
			break;
	if (behind == 0)
		return;
	w = session_words_of(t->text, behind, s->end);
	for (j = t->count; j-- > 0;) {
		const struct session_change *c = &t->entries[j].change;
		struct session_words names = w;
		bool ended = w.token.kind == SQL_END || sql_is(t->text, w.token, "ALL") || session_is_sign(&w, '*');

		if (c->effect != SESSION_OBJECT || strcmp(c->what, ends[i].what) != 0)
			continue;
		for (; !ended && names.token.kind != SQL_END; session_next(&names))
			ended = session_same(t->text, names.token, c->name);
		if (ended)
			remove_entry(t, j);
	}
}

static void
savepoint(struct tracker *t, const struct sql_statement *s)
{
	size_t behind = sql_match(t->text, s->end, s->start, "ROLLBACK|ABORT [WORK|TRANSACTION] TO [SAVEPOINT]"), i;

	if (behind == 0) {
		if ((behind = sql_match(t->text, s->end, s->start, "SAVEPOINT")) == 0)
			return;
		ARRAY_ROOM(t->savepoints, t->savepoint_count, t->savepoint_cap);
		t->savepoints[t->savepoint_count++] = (struct savepoint){ sql_token(t->text, s->end, behind), t->count };
		return;
	}
	for (i = t->savepoint_count; i-- > 0;)
		if (session_same(t->text, sql_token(t->text, s->end, behind), t->savepoints[i].name)) {
			roll_back(t, t->savepoints[i].mark);
			return;
		}
}

static void
track(struct tracker *t, size_t at)
{
	const struct sql_statement *s = &t->script->statements[at];
	struct session_entry entry = { at, session_change_of(t->text, s) };

	if (s->kind == SQL_SAVEPOINT) {
		savepoint(t, s);
		return;
	}
	end_objects(t, s);
	if (entry.change.effect == SESSION_DISCARD)
		t->count = 0;
	if (entry.change.effect == SESSION_KEPT || entry.change.effect == SESSION_UNLOCK ||
	    entry.change.effect == SESSION_CODE)
		return;
	ARRAY_ROOM(t->entries, t->count, t->cap);
	t->entries[t->count++] = entry;
}

/* Whether a later statement overrides this one: a role that was set only temporarily may not exist any more. */
static bool
is_overtaken(const struct tracker *t, size_t at)
{
	const struct session_entry *e = &t->entries[at];
	char one[SESSION_SETTING], other[SESSION_SETTING];
	const char *name = session_setting_of(t->text, &t->script->statements[e->statement], e->change.name, one, sizeof one);
	size_t i;

	for (i = at + 1; i < t->count; i++) {
		const struct session_entry *later = &t->entries[i];

		if (later->change.effect == SESSION_SET && later->change.name.kind != SQL_END && e->change.name.kind != SQL_END &&
		    strcmp(name, session_setting_of(t->text, &t->script->statements[later->statement], later->change.name, other,
		                     sizeof other)) == 0 &&
		    !sql_is(t->text, sql_token(t->text, t->script->statements[e->statement].end,
		                         t->script->statements[e->statement].start), "SELECT"))
			return true;
	}
	return false;
}

static void
add_statement(struct bytes *out, const struct tracker *t, size_t at)
{
	const struct sql_statement *s = &t->script->statements[at];

	bytes_add(out, t->text + s->start, s->end - s->start);
	bytes_str(out, ";\n");
}

static void
collect(struct session_behind *behind, const struct tracker *t)
{
	size_t i;

	for (i = 0; i < t->count; i++) {
		const struct session_entry *e = &t->entries[i];

		if (e->change.effect == SESSION_DISCARD)
			bytes_str(&behind->settings, "SET SESSION AUTHORIZATION DEFAULT;\nRESET ALL;\n");
		else if (e->change.effect == SESSION_SET && !is_overtaken(t, i))
			add_statement(&behind->settings, t, e->statement);
		else if (e->change.effect == SESSION_LOCAL && e->change.name.kind != SQL_END)
			add_statement(&behind->locals, t, e->statement);
		else if (e->change.effect == SESSION_OBJECT && behind->lost == NULL) {
			behind->lost = e->change.what;
			behind->lost_at = e->statement;
		}
	}
}

/* What ended with its transaction. */
static void
forget_locals(struct tracker *t, size_t mark)
{
	size_t i;

	for (i = t->count; i-- > mark;)
		if (t->entries[i].change.effect == SESSION_LOCAL)
			remove_entry(t, i);
}

/* currval() and lastval() say what this session drew. */
static void
find_needs(struct session_behind *behind, const char *text, const struct sql_script *script, size_t done)
{
	size_t i;

	for (i = done; done > 0 && behind->lost == NULL && i < script->count; i++) {
		if (!session_has_word(text, &script->statements[i], "currval") && !session_has_word(text, &script->statements[i], "lastval"))
			continue;
		behind->lost = "the value of currval() or lastval()";
		behind->lost_at = i;
	}
}

struct session_behind
session_behind(const char *text, const struct sql_script *script, size_t done)
{
	struct tracker t = { .text = text, .script = script };
	struct session_behind behind = { 0 };
	struct segments segments = segments_of(text, script);
	size_t i, j;

	for (i = 0; i < segments.count && segments.list[i].first < done; i++) {
		const struct segment *s = &segments.list[i];
		size_t mark = t.count, end = s->first + s->count;

		t.savepoint_count = 0;
		for (j = s->first; j < end && j < done; j++)
			track(&t, j);
		if (mark > t.count)
			mark = t.count;
		if (end <= done && s->kind == SEGMENT_ROLLBACK)
			roll_back(&t, mark);
		if (end <= done)
			forget_locals(&t, mark);
	}
	collect(&behind, &t);
	find_needs(&behind, text, script, done);
	segments_free(&segments);
	free(t.entries);
	free(t.savepoints);
	return behind;
}

bool
session_lost_before(const struct session_behind *behind, size_t done)
{
	return behind->lost != NULL && behind->lost_at < done;
}

void
session_behind_free(struct session_behind *behind)
{
	bytes_free(&behind->settings);
	bytes_free(&behind->locals);
	*behind = (struct session_behind){ 0 };
}
