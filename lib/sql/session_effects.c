#include "sql/session_effects.h"

#include <ctype.h>
#include <string.h>

#include "sql/session_effects_internal.h"

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

/* Functions of PostgreSQL that scripts SELECT for what they do, or for what they say; none of them sets anything. */
static const char *const harmless[] = { "setval", "nextval", "currval", "lastval", "count", "sum", "min", "max", "avg",
	"now", "clock_timestamp", "version", "current_setting", "current_schema", "current_database", "coalesce", "nullif",
	"greatest", "least", "format", "concat", "lower", "upper", "length", "generate_series", "unnest", "array_agg",
	"string_agg", "to_regclass", "to_char", "cast", "extract", "random", "gen_random_uuid", "lo_create", "lo_unlink",
	"in", "exists", "any", "all", "some", "values", "and", "or", "not", "as", "on", "using", "over", "filter", "from",
	"where", "select", "case", "when", "then", "else", "array", "row", "by", "having", "limit", "union", "is",
	"numeric", "decimal", "varchar", "char", "character", "bit", "timestamp", "timestamptz", "time", "interval" };

/* ---- one statement ---- */

/* SELECT set_config('name', 'value', true|false) [, ...]: with texts as they stand, the same again is the same. */
static bool
is_plain_set_config(const char *text, const struct sql_statement *s, struct session_change *change)
{
	struct session_words w = session_words_of(text, s->start, s->end);
	bool local = true, first = true;

	for (session_next(&w);; session_next(&w)) {
		if (sql_is(text, w.token, "PG_CATALOG")) {
			session_next(&w);
			session_next(&w);
		}
		if (!sql_is(text, w.token, "SET_CONFIG"))
			return false;
		session_next(&w);
		if (!session_is_sign(&w, '('))
			return false;
		session_next(&w);
		if (w.token.kind != SQL_STRING)
			return false;
		if (first)
			change->name = w.token;
		first = false;
		session_next(&w);
		session_next(&w);
		if (w.token.kind != SQL_STRING)
			return false;
		session_next(&w);
		session_next(&w);
		if (!session_is_word(text, w.token, "true") && !session_is_word(text, w.token, "false"))
			return false;
		local = local && session_is_word(text, w.token, "true");
		session_next(&w);
		if (!session_is_sign(&w, ')'))
			return false;
		session_next(&w);
		if (sql_is(text, w.token, "AS")) {
			session_next(&w);
			session_next(&w);
		}
		if (!session_is_sign(&w, ','))
			break;
	}
	if (w.token.kind != SQL_END)
		return false;
	change->effect = local ? SESSION_LOCAL : SESSION_SET;
	change->what = "a setting";
	return true;
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
	struct session_words w = session_words_of(text, s->start, s->end);
	struct session_change change = { 0 };
	const char *function;
	char name[64];

	for (; w.token.kind != SQL_END; session_next(&w)) {
		if ((function = session_called(&w, name, sizeof name)) == NULL)
			continue;
		if (locks_session(function))
			return (struct session_change){ SESSION_OBJECT, "an advisory lock of its session", { .kind = SQL_END }, true };
		if (strcmp(function, "setseed") == 0)
			return (struct session_change){ SESSION_OBJECT, "a state of random()", { .kind = SQL_END }, true };
		if (strstr(function, "advisory_unlock") != NULL)
			change = (struct session_change){ .effect = SESSION_UNLOCK, .what = "an advisory lock that was released", .stays = true };
		else if (change.effect == SESSION_KEPT && (strcmp(function, "set_config") == 0 || (selects &&
		    strncmp(function, "pg_", 3) != 0 && !session_is_any(function, harmless, sizeof harmless / sizeof *harmless))))
			change = (struct session_change){ .effect = SESSION_CODE, .what = "a function" };
	}
	change.name.kind = SQL_END;
	return change;
}

/* SELECT ... INTO TEMP; CREATE TABLE pg_temp.x; DECLARE ... WITH HOLD. */
static bool
makes_object(const char *text, const struct sql_statement *s, struct session_change *change)
{
	struct session_words w = session_words_of(text, s->start, s->end);
	bool creates = sql_is(text, w.token, "CREATE"), declares = sql_is(text, w.token, "DECLARE");
	bool selects = sql_is(text, w.token, "SELECT") || sql_is(text, w.token, "WITH");
	size_t behind;

	if (!declares && !sql_mentions(text + s->start, s->end - s->start, "temp"))
		return false;
	for (; (creates || declares || selects) && w.token.kind != SQL_END; session_next(&w)) {
		if (declares && sql_match(text, s->end, w.token.start, "WITH HOLD") != 0) {
			w = session_words_of(text, s->start, s->end);
			session_next(&w);
			*change = (struct session_change){ SESSION_OBJECT, "a cursor WITH HOLD", w.token, false };
			return true;
		}
		behind = 0;
		if (creates && (session_is_word(text, w.token, "pg_temp") && w.token.kind != SQL_STRING))
			behind = w.token.start;
		else if (selects)
			behind = sql_match(text, s->end, w.token.start, "INTO [LOCAL|GLOBAL] TEMP|TEMPORARY [TABLE]");
		if (behind != 0) {
			w = session_words_of(text, behind, s->end);
			*change = (struct session_change){ SESSION_OBJECT, "a temporary object", session_last_part(w), false };
			return true;
		}
	}
	return false;
}

/* search_path = pg_temp, ...: what is made without a schema is temporary. */
static bool
puts_temp_first(const char *text, const struct sql_statement *s, size_t at)
{
	struct session_words w = session_words_of(text, at, s->end);

	for (session_next(&w); session_is_sign(&w, '=') || sql_is(text, w.token, "TO"); session_next(&w))
		;
	return session_is_word(text, w.token, "pg_temp");
}

static struct session_change
change_of_row(const char *text, const struct sql_statement *s, size_t row, size_t behind)
{
	struct session_change change = { rows[row].effect, rows[row].what, { .kind = SQL_END }, rows[row].stays };
	struct session_words w = session_words_of(text, behind, s->end);

	if (rows[row].naming == SETTING)
		change.name = w.token;
	else if (rows[row].naming == OBJECT)
		change.name = session_last_part(w);
	if (rows[row].naming == SETTING && puts_temp_first(text, s, behind))
		return (struct session_change){ SESSION_OBJECT, "a temporary object", { .kind = SQL_END }, false };
	/* CREATE TEMP TABLE ... ON COMMIT DROP */
	if (change.effect == SESSION_OBJECT && rows[row].naming == OBJECT && !change.stays)
		for (; w.token.kind != SQL_END; session_next(&w))
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
	struct session_words w;

	for (i = 0; i < sizeof words / sizeof *words; i++)
		if (sql_mentions(text + s->start, len, words[i]))
			return true;
	/* SET as a statement of the block, not as a part of UPDATE or ALTER */
	for (w = session_words_of(text, s->start, s->end); w.token.kind != SQL_STRING && w.token.kind != SQL_END; session_next(&w))
		;
	for (w = session_words_of(text, w.token.start + strcspn(text + w.token.start, "'$") + 1, w.token.end);
	     w.token.kind != SQL_END; session_next(&w)) {
		if (sql_is(text, w.token, "SET") &&
		    (previous[0] == ';' || session_is_any(previous, before, sizeof before / sizeof *before)))
			return true;
		(void)session_plain(text, w.token, previous, sizeof previous);
	}
	return false;
}

/* Whether a text may call one of the functions that reach their session from within INSERT, say. */
static bool
may_call(const char *text, size_t len)
{
	return sql_mentions(text, len, "advisory_") || sql_mentions(text, len, "set_config") || sql_mentions(text, len, "setseed");
}

/* As session_change_of(); calls: may_call() is true of a text that the statement is a part of, or was not asked. */
static struct session_change
change_of(const char *text, const struct sql_statement *s, bool calls)
{
	struct session_change change = { .effect = SESSION_KEPT, .name = { .kind = SQL_END } };
	struct sql_token first = sql_token(text, s->end, s->start);
	size_t i, behind;
	bool selects;

	if (s->keeps_session)
		return change;
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
	if (sql_is(text, first, "CREATE") && !session_has_word(text, s, "select"))
		return change;
	selects = sql_is(text, first, "SELECT") || sql_is(text, first, "WITH") || sql_is(text, first, "VALUES");
	if (!selects && (!calls || !may_call(text + s->start, s->end - s->start)))
		return change;
	return change_by_calls(text, s, selects);
}

struct session_change
session_change_of(const char *text, const struct sql_statement *s)
{
	return change_of(text, s, true);
}

/* ---- a script ---- */

bool
session_note(const char *text, struct sql_script *script)
{
	bool all = true, calls;
	size_t i;

	if (script->count == 0)
		return true;
	/* of the whole first: in 50,000 INSERTs there is mostly none */
	calls = may_call(text + script->statements[0].start, script->statements[script->count - 1].end - script->statements[0].start);
	for (i = 0; i < script->count; i++) {
		struct sql_statement *s = &script->statements[i];

		s->keeps_session = change_of(text, s, calls).effect == SESSION_KEPT &&
		    !(calls && sql_mentions(text + s->start, s->end - s->start, "set_config"));
		all &= s->keeps_session;
	}
	return all;
}

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

bool
session_makes_objects(const char *text, const struct sql_script *script)
{
	size_t i;

	for (i = 0; i < script->count; i++)
		if (session_change_of(text, &script->statements[i]).effect == SESSION_OBJECT)
			return true;
	return false;
}
