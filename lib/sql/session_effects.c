#include "sql/session_effects.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sql/segments.h"

/* ---- the table ---- */

enum naming { UNNAMED, SETTING, OBJECT }; /* what the token behind the synopsis is */

static const struct {
	const char *synopsis;
	enum session_effect effect;
	const char *what;
	enum naming naming;
	bool stays;
} rows[] = {
	{ "SET LOCAL", SESSION_LOCAL, "a setting of its transaction", SETTING, false },
	{ "SET CONSTRAINTS", SESSION_LOCAL, "a setting of its transaction", UNNAMED, false },
	{ "SET TRANSACTION", SESSION_LOCAL, "a setting of its transaction", UNNAMED, false },
	{ "SET SEED", SESSION_OBJECT, "a state of random()", UNNAMED, true },
	{ "SET [SESSION]", SESSION_SET, "a setting", SETTING, false },
	{ "RESET", SESSION_SET, "a setting", SETTING, false },
	{ "DISCARD ALL", SESSION_DISCARD, "DISCARD ALL", UNNAMED, true },
	{ "CREATE [OR REPLACE] [GLOBAL|LOCAL] TEMP|TEMPORARY [RECURSIVE] TABLE|VIEW|SEQUENCE [IF NOT EXISTS]", SESSION_OBJECT,
	    "a temporary object", OBJECT, false },
	{ "PREPARE TRANSACTION", SESSION_KEPT, NULL, UNNAMED, false },
	{ "PREPARE", SESSION_OBJECT, "a prepared statement", OBJECT, true },
	{ "LISTEN", SESSION_OBJECT, "a LISTEN", OBJECT, false },
	{ "LOAD", SESSION_OBJECT, "a loaded library", UNNAMED, true },
	{ "CALL", SESSION_CODE, "a procedure", UNNAMED, false },
};

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

/* Other spellings of settings. */
static const struct {
	const char *synopsis;
	const char *setting;
} spellings[] = {
	{ "TIME ZONE", "timezone" },
	{ "NAMES", "client_encoding" },
	{ "SCHEMA", "search_path" },
	{ "AUTHORIZATION", "session_authorization" },
	{ "SESSION AUTHORIZATION", "session_authorization" },
	{ "XML OPTION", "xmloption" },
	{ "CHARACTERISTICS AS TRANSACTION ISOLATION", "default_transaction_isolation" },
	{ "CHARACTERISTICS AS TRANSACTION READ", "default_transaction_read_only" },
	{ "CHARACTERISTICS AS TRANSACTION", "default_transaction_deferrable" },
};

/* Functions of PostgreSQL that scripts SELECT for what they do, or for what they say; none of them sets anything. */
static const char *const harmless[] = { "setval", "nextval", "currval", "lastval", "count", "sum", "min", "max", "avg",
	"now", "clock_timestamp", "version", "current_setting", "current_schema", "current_database", "coalesce", "nullif",
	"greatest", "least", "format", "concat", "lower", "upper", "length", "generate_series", "unnest", "array_agg",
	"string_agg", "to_regclass", "to_char", "cast", "extract", "random", "gen_random_uuid", "lo_create", "lo_unlink",
	"in", "exists", "any", "all", "some", "values", "and", "or", "not", "as", "on", "using", "over", "filter", "from",
	"where", "select", "case", "when", "then", "else", "array", "row", "by", "having", "limit", "union", "is",
	"numeric", "decimal", "varchar", "char", "character", "bit", "timestamp", "timestamptz", "time", "interval" };

/* ---- words ---- */

struct words {
	const char *text;
	size_t end;
	struct sql_token token;
};

static struct words
words_of(const char *text, size_t start, size_t end)
{
	return (struct words){ text, end, sql_token(text, end, start) };
}

static void
next(struct words *w)
{
	w->token = sql_token(w->text, w->end, w->token.end);
}

static bool
is_sign(const struct words *w, char sign)
{
	return w->token.kind == SQL_SIGN && w->text[w->token.start] == sign;
}

/* A word, name or string without its quotes, in lower case; at most size - 1 bytes. */
static const char *
plain(const char *text, struct sql_token token, char *out, size_t size)
{
	bool quoted = token.kind == SQL_NAME || token.kind == SQL_STRING;
	size_t i = token.start + quoted, end = token.end - quoted, n = 0;

	for (; i < end && n + 1 < size; i++)
		out[n++] = (char)tolower((unsigned char)text[i]);
	out[n] = '\0';
	return out;
}

static bool
is_word(const char *text, struct sql_token token, const char *word)
{
	char have[64];

	return (token.kind == SQL_WORD || token.kind == SQL_NAME || token.kind == SQL_STRING) &&
	    strcmp(plain(text, token, have, sizeof have), word) == 0;
}

static bool
same(const char *text, struct sql_token a, struct sql_token b)
{
	char one[64];

	return a.kind != SQL_END && b.kind != SQL_END && is_word(text, b, plain(text, a, one, sizeof one));
}

static bool
is_any(const char *word, const char *const list[], size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(word, list[i]) == 0)
			return true;
	return false;
}

/* The last part of a name with its schemas. */
static struct sql_token
last_part(struct words w)
{
	struct sql_token name = w.token;

	for (next(&w); is_sign(&w, '.'); next(&w)) {
		next(&w);
		name = w.token;
	}
	return name.kind == SQL_WORD || name.kind == SQL_NAME || name.kind == SQL_STRING ? name : (struct sql_token){ .kind = SQL_END };
}

static bool
has_word(const char *text, const struct sql_statement *s, const char *word)
{
	struct words w = words_of(text, s->start, s->end);

	for (; w.token.kind != SQL_END; next(&w))
		if (sql_is(text, w.token, word))
			return true;
	return false;
}

/* ---- one statement ---- */

/* SELECT set_config('name', 'value', true|false) [, ...]: with texts as they stand, the same again is the same. */
static bool
is_plain_set_config(const char *text, const struct sql_statement *s, struct session_change *change)
{
	struct words w = words_of(text, s->start, s->end);
	bool local = true, first = true;

	for (next(&w);; next(&w)) {
		if (sql_is(text, w.token, "PG_CATALOG")) {
			next(&w);
			next(&w);
		}
		if (!sql_is(text, w.token, "SET_CONFIG"))
			return false;
		next(&w);
		if (!is_sign(&w, '('))
			return false;
		next(&w);
		if (w.token.kind != SQL_STRING)
			return false;
		if (first)
			change->name = w.token;
		first = false;
		next(&w);
		next(&w);
		if (w.token.kind != SQL_STRING)
			return false;
		next(&w);
		next(&w);
		if (!is_word(text, w.token, "true") && !is_word(text, w.token, "false"))
			return false;
		local = local && is_word(text, w.token, "true");
		next(&w);
		if (!is_sign(&w, ')'))
			return false;
		next(&w);
		if (sql_is(text, w.token, "AS")) {
			next(&w);
			next(&w);
		}
		if (!is_sign(&w, ','))
			break;
	}
	if (w.token.kind != SQL_END)
		return false;
	change->effect = local ? SESSION_LOCAL : SESSION_SET;
	change->what = "a setting";
	return true;
}

/* A call: what is called, in lower case; or NULL. */
static const char *
called(const struct words *w, char *name, size_t size)
{
	struct sql_token behind = sql_token(w->text, w->end, w->token.end);

	if ((w->token.kind != SQL_WORD && w->token.kind != SQL_NAME) || behind.kind != SQL_SIGN || w->text[behind.start] != '(')
		return NULL;
	return plain(w->text, w->token, name, size);
}

static bool
locks_session(const char *function)
{
	return strstr(function, "advisory_lock") != NULL;
}

/* What the functions that a statement calls do.  `selects`: it is there for what they do. */
static struct session_change
change_by_calls(const char *text, const struct sql_statement *s, bool selects)
{
	struct words w = words_of(text, s->start, s->end);
	struct session_change change = { 0 };
	const char *function;
	char name[64];

	for (; w.token.kind != SQL_END; next(&w)) {
		if ((function = called(&w, name, sizeof name)) == NULL)
			continue;
		if (locks_session(function))
			return (struct session_change){ SESSION_OBJECT, "an advisory lock of its session", { .kind = SQL_END }, true };
		if (strcmp(function, "setseed") == 0)
			return (struct session_change){ SESSION_OBJECT, "a state of random()", { .kind = SQL_END }, true };
		if (strstr(function, "advisory_unlock") != NULL)
			change = (struct session_change){ .effect = SESSION_UNLOCK, .what = "an advisory lock given away", .stays = true };
		else if (change.effect == SESSION_KEPT && (strcmp(function, "set_config") == 0 || (selects &&
		    strncmp(function, "pg_", 3) != 0 && !is_any(function, harmless, sizeof harmless / sizeof *harmless))))
			change = (struct session_change){ .effect = SESSION_CODE, .what = "a function" };
	}
	change.name.kind = SQL_END;
	return change;
}

/* SELECT ... INTO TEMP; CREATE TABLE pg_temp.x; DECLARE ... WITH HOLD. */
static bool
makes_object(const char *text, const struct sql_statement *s, struct session_change *change)
{
	struct words w = words_of(text, s->start, s->end);
	bool creates = sql_is(text, w.token, "CREATE"), declares = sql_is(text, w.token, "DECLARE");
	bool selects = sql_is(text, w.token, "SELECT") || sql_is(text, w.token, "WITH");
	size_t behind;

	for (; (creates || declares || selects) && w.token.kind != SQL_END; next(&w)) {
		if (declares && sql_match(text, s->end, w.token.start, "WITH HOLD") != 0) {
			w = words_of(text, s->start, s->end);
			next(&w);
			*change = (struct session_change){ SESSION_OBJECT, "a cursor WITH HOLD", w.token, false };
			return true;
		}
		behind = 0;
		if (creates && (is_word(text, w.token, "pg_temp") && w.token.kind != SQL_STRING))
			behind = w.token.start;
		else if (selects)
			behind = sql_match(text, s->end, w.token.start, "INTO [LOCAL|GLOBAL] TEMP|TEMPORARY [TABLE]");
		if (behind != 0) {
			w = words_of(text, behind, s->end);
			*change = (struct session_change){ SESSION_OBJECT, "a temporary object", last_part(w), false };
			return true;
		}
	}
	return false;
}

/* search_path = pg_temp, ...: what is made without a schema is temporary. */
static bool
puts_temp_first(const char *text, const struct sql_statement *s, size_t at)
{
	struct words w = words_of(text, at, s->end);

	for (next(&w); is_sign(&w, '=') || sql_is(text, w.token, "TO"); next(&w))
		;
	return is_word(text, w.token, "pg_temp");
}

static struct session_change
change_of_row(const char *text, const struct sql_statement *s, size_t row, size_t behind)
{
	struct session_change change = { rows[row].effect, rows[row].what, { .kind = SQL_END }, rows[row].stays };
	struct words w = words_of(text, behind, s->end);

	if (rows[row].naming == SETTING)
		change.name = w.token;
	else if (rows[row].naming == OBJECT)
		change.name = last_part(w);
	if (rows[row].naming == SETTING && puts_temp_first(text, s, behind))
		return (struct session_change){ SESSION_OBJECT, "a temporary object", { .kind = SQL_END }, false };
	/* CREATE TEMP TABLE ... ON COMMIT DROP */
	if (change.effect == SESSION_OBJECT && rows[row].naming == OBJECT && !change.stays)
		for (; w.token.kind != SQL_END; next(&w))
			if (sql_match(text, s->end, w.token.start, "ON COMMIT DROP") != 0)
				change.effect = SESSION_LOCAL;
	return change;
}

/* Whether the body of a DO has words in it that reach its session. */
static bool
block_may_set(const char *text, const struct sql_statement *s)
{
	static const char *const words[] = { "set_config", "execute", "perform", "call", "advisory", "discard", "reset", "temp",
		"session", "setseed", "load" };
	static const char *const before[] = { "begin", "then", "else", "loop" };
	size_t i, len = s->end - s->start;
	char previous[64] = "";
	struct words w;

	for (i = 0; i < sizeof words / sizeof *words; i++)
		if (sql_mentions(text + s->start, len, words[i]))
			return true;
	/* SET as a statement of the block, not as a part of UPDATE or ALTER */
	for (w = words_of(text, s->start, s->end); w.token.kind != SQL_STRING && w.token.kind != SQL_END; next(&w))
		;
	for (w = words_of(text, w.token.start + strcspn(text + w.token.start, "'$") + 1, w.token.end);
	     w.token.kind != SQL_END; next(&w)) {
		if (sql_is(text, w.token, "SET") &&
		    (previous[0] == ';' || is_any(previous, before, sizeof before / sizeof *before)))
			return true;
		(void)plain(text, w.token, previous, sizeof previous);
	}
	return false;
}

struct session_change
session_change_of(const char *text, const struct sql_statement *s)
{
	struct session_change change = { .effect = SESSION_KEPT, .name = { .kind = SQL_END } };
	struct sql_token first = sql_token(text, s->end, s->start);
	size_t i, behind, len = s->end - s->start;
	bool selects;

	for (i = 0; i < sizeof rows / sizeof *rows; i++)
		if (*rows[i].synopsis == (char)toupper((unsigned char)text[s->start]) &&
		    (behind = sql_match(text, s->end, s->start, rows[i].synopsis)) != 0)
			return change_of_row(text, s, i, behind);
	if (sql_is(text, first, "DO")) {
		if (block_may_set(text, s)) {
			change.effect = SESSION_CODE;
			change.what = "a DO block";
		}
		return change;
	}
	if (sql_is(text, first, "SELECT") && is_plain_set_config(text, s, &change))
		return change;
	change = (struct session_change){ .effect = SESSION_KEPT, .name = { .kind = SQL_END } };
	if (makes_object(text, s, &change))
		return change;
	if (sql_is(text, first, "CREATE") && !has_word(text, s, "SELECT"))
		return change;
	selects = sql_is(text, first, "SELECT") || sql_is(text, first, "WITH") || sql_is(text, first, "VALUES");
	if (!selects && !sql_mentions(text + s->start, len, "advisory_") && !sql_mentions(text + s->start, len, "set_config") &&
	    !sql_mentions(text + s->start, len, "setseed"))
		return change;
	return change_by_calls(text, s, selects);
}

/* ---- a script ---- */

bool
session_changes(const char *text, const struct sql_script *script)
{
	size_t i;

	for (i = 0; i < script->count; i++)
		if (session_change_of(text, &script->statements[i]).effect > SESSION_LOCAL)
			return true;
	return false;
}

bool
session_may_unlock(const char *text, const struct sql_script *script)
{
	size_t i;

	for (i = 0; i < script->count; i++) {
		enum session_effect effect = session_change_of(text, &script->statements[i]).effect;

		if (effect == SESSION_UNLOCK || effect == SESSION_DISCARD || effect == SESSION_CODE)
			return true;
	}
	return false;
}

/* The setting that a SET or RESET names, under the name that pg_settings has; "all" for RESET ALL. */
static const char *
setting_of(const char *text, const struct sql_statement *s, struct sql_token name, char *out, size_t size)
{
	size_t i;

	for (i = 0; name.kind == SQL_WORD && i < sizeof spellings / sizeof *spellings; i++)
		if (sql_match(text, s->end, name.start, spellings[i].synopsis) != 0)
			return spellings[i].setting;
	return plain(text, name, out, size);
}

/* Each set_config() of a statement, or the one name of a SET. */
static bool
next_setting(const char *text, const struct sql_statement *s, struct words *w, bool *begun, struct sql_token *name)
{
	struct session_change change;
	char function[64];
	const char *call;

	if (!*begun) {
		*begun = true;
		change = session_change_of(text, s);
		*w = words_of(text, s->start, s->end);
		if ((change.effect == SESSION_SET || change.effect == SESSION_LOCAL) && !sql_is(text, w->token, "SELECT")) {
			*w = words_of(text, s->end, s->end);
			*name = change.name;
			return change.name.kind != SQL_END;
		}
	}
	for (; w->token.kind != SQL_END; next(w)) {
		if ((call = called(w, function, sizeof function)) == NULL || strcmp(call, "set_config") != 0)
			continue;
		next(w);
		next(w);
		*name = w->token;
		return true;
	}
	return false;
}

bool
session_sets(const char *text, const struct sql_statement *s, const char *setting)
{
	struct sql_token name;
	struct words w;
	bool begun = false;
	char have[64];

	while (next_setting(text, s, &w, &begun, &name)) {
		const char *found = setting_of(text, s, name, have, sizeof have);

		if (strcmp(found, setting) == 0 || (strcmp(found, "all") == 0 && name.kind == SQL_WORD))
			return true;
	}
	return false;
}

bool
session_may_set(const char *text, const struct sql_script *script, const char *setting)
{
	size_t i;

	for (i = 0; i < script->count; i++) {
		enum session_effect effect = session_change_of(text, &script->statements[i]).effect;

		if (effect == SESSION_CODE || effect == SESSION_DISCARD || session_sets(text, &script->statements[i], setting))
			return true;
	}
	return false;
}

bool
session_sets_other(const char *text, const struct sql_statement *s, const char *setting, const char *value)
{
	struct words w;

	if (!session_sets(text, s, setting))
		return false;
	/* the last word is the value, of all statements that have one; what has more to it is another */
	for (w = words_of(text, s->start, s->end); sql_token(text, s->end, w.token.end).kind != SQL_END; next(&w))
		if (is_sign(&w, '(') || is_sign(&w, ','))
			return true;
	return !is_word(text, w.token, value);
}

void
session_names_sql(struct bytes *out, const char *text, const struct sql_script *script)
{
	size_t i;

	for (i = 0; i < script->count; i++) {
		struct sql_token name;
		struct words w;
		bool begun = false;
		char have[64];

		while (next_setting(text, &script->statements[i], &w, &begun, &name)) {
			bytes_str(out, ", ");
			bytes_sql_text(out, setting_of(text, &script->statements[i], name, have, sizeof have));
		}
	}
}

/* ---- the session behind some statements ---- */

struct entry {
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
	struct entry *entries;
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
	struct words w;

	for (i = 0; i < sizeof ends / sizeof *ends; i++)
		if (*ends[i].synopsis == (char)toupper((unsigned char)t->text[s->start]) &&
		    (behind = sql_match(t->text, s->end, s->start, ends[i].synopsis)) != 0)
			break;
	if (behind == 0)
		return;
	w = words_of(t->text, behind, s->end);
	for (j = t->count; j-- > 0;) {
		const struct session_change *c = &t->entries[j].change;
		struct words names = w;
		bool ended = w.token.kind == SQL_END || sql_is(t->text, w.token, "ALL") || is_sign(&w, '*');

		if (c->effect != SESSION_OBJECT || strcmp(c->what, ends[i].what) != 0)
			continue;
		for (; !ended && names.token.kind != SQL_END; next(&names))
			ended = same(t->text, names.token, c->name);
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
		if (same(t->text, sql_token(t->text, s->end, behind), t->savepoints[i].name)) {
			roll_back(t, t->savepoints[i].mark);
			return;
		}
}

static void
track(struct tracker *t, size_t at)
{
	const struct sql_statement *s = &t->script->statements[at];
	struct entry entry = { at, session_change_of(t->text, s) };

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

/* Whether a later statement sets the same again: a role may be gone by now that was set only for a while. */
static bool
is_overtaken(const struct tracker *t, size_t at)
{
	const struct entry *e = &t->entries[at];
	char one[64], other[64];
	const char *name = setting_of(t->text, &t->script->statements[e->statement], e->change.name, one, sizeof one);
	size_t i;

	for (i = at + 1; i < t->count; i++) {
		const struct entry *later = &t->entries[i];

		if (later->change.effect == SESSION_SET && later->change.name.kind != SQL_END && e->change.name.kind != SQL_END &&
		    strcmp(name, setting_of(t->text, &t->script->statements[later->statement], later->change.name, other,
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
		const struct entry *e = &t->entries[i];

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
		if (!has_word(text, &script->statements[i], "CURRVAL") && !has_word(text, &script->statements[i], "LASTVAL"))
			continue;
		behind->lost = "what currval() or lastval() says";
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

void
session_behind_free(struct session_behind *behind)
{
	bytes_free(&behind->settings);
	bytes_free(&behind->locals);
	*behind = (struct session_behind){ 0 };
}
