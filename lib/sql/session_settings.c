/* Which settings a statement or a script sets, by their names in pg_settings. */
#include "sql/session_effects.h"

#include <string.h>

#include "base/bytes.h"
#include "sql/session_effects_internal.h"

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

const char *
session_setting_of(const char *text, const struct sql_statement *s, struct sql_token name, char *out, size_t size)
{
	struct session_words w = { text, s->end, name };
	size_t i, len;

	for (i = 0; name.kind == SQL_WORD && i < sizeof spellings / sizeof *spellings; i++)
		if (sql_match(text, s->end, name.start, spellings[i].synopsis) != 0)
			return spellings[i].setting;
	len = strlen(session_plain(text, name, out, size));
	/* one of the application's own has a name of two parts or more */
	for (session_next(&w); name.kind != SQL_STRING && session_is_sign(&w, '.') && len + 2 < size; session_next(&w)) {
		out[len++] = '.';
		session_next(&w);
		len += strlen(session_plain(text, w.token, out + len, size - len));
	}
	return out;
}

/* The name in SET [SESSION|LOCAL] NAME, whatever it is set to: a path with pg_temp in front is also an object that stays. */
static bool
set_name(const char *text, const struct sql_statement *s, struct sql_token *name)
{
	struct session_words w = session_words_of(text, s->start, s->end);

	if (!sql_is(text, w.token, "SET"))
		return false;
	session_next(&w);
	if (sql_is(text, w.token, "SESSION") || sql_is(text, w.token, "LOCAL"))
		session_next(&w);
	*name = w.token;
	return w.token.kind != SQL_END;
}

/* Each set_config() of a statement, or the one name of a SET. */
static bool
next_setting(const char *text, const struct sql_statement *s, struct session_words *w, bool *begun, struct sql_token *name)
{
	struct session_change change;
	char function[64];
	const char *call;

	if (s->keeps_session)
		return false;
	if (!*begun) {
		*begun = true;
		change = session_change_of(text, s);
		*w = session_words_of(text, s->start, s->end);
		if ((change.effect == SESSION_SET || change.effect == SESSION_LOCAL) && !sql_is(text, w->token, "SELECT")) {
			*w = session_words_of(text, s->end, s->end);
			*name = change.name;
			return change.name.kind != SQL_END;
		}
		if (change.effect == SESSION_OBJECT && set_name(text, s, name)) {
			*w = session_words_of(text, s->end, s->end);
			return true;
		}
	}
	for (; w->token.kind != SQL_END; session_next(w)) {
		if ((call = session_called(w, function, sizeof function)) == NULL || strcmp(call, "set_config") != 0)
			continue;
		session_next(w);
		session_next(w);
		*name = w->token;
		return true;
	}
	return false;
}

bool
session_sets(const char *text, const struct sql_statement *s, const char *setting)
{
	struct sql_token name;
	struct session_words w;
	bool begun = false;
	char have[SESSION_SETTING];

	while (next_setting(text, s, &w, &begun, &name)) {
		const char *found = session_setting_of(text, s, name, have, sizeof have);

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
	struct session_words w;

	if (!session_sets(text, s, setting))
		return false;
	/* the last word is the value, of all statements that have one; what has more to it is another */
	for (w = session_words_of(text, s->start, s->end); sql_token(text, s->end, w.token.end).kind != SQL_END; session_next(&w))
		if (session_is_sign(&w, '(') || session_is_sign(&w, ','))
			return true;
	return !session_is_word(text, w.token, value);
}

/* Appends what a statement sets, as session_names_sql() does, but for what `others` has already. */
static void
add_names(struct bytes *out, const char *text, const struct sql_statement *s, const struct bytes *others)
{
	struct sql_token name;
	struct session_words w;
	bool begun = false;
	char have[SESSION_SETTING];

	while (next_setting(text, s, &w, &begun, &name)) {
		struct bytes one = { 0 };

		bytes_str(&one, ", ");
		bytes_sql_text(&one, session_setting_of(text, s, name, have, sizeof have));
		if (others == NULL || others->len == 0 || strstr(others->data, one.data) == NULL)
			bytes_add(out, one.data, one.len);
		bytes_free(&one);
	}
}

void
session_names_sql(struct bytes *out, const char *text, const struct sql_script *script)
{
	struct bytes by_code = { 0 };
	size_t i;

	for (i = 0; i < script->count; i++)
		if (session_change_of(text, &script->statements[i]).effect > SESSION_DISCARD)
			add_names(&by_code, text, &script->statements[i], NULL);
	for (i = 0; i < script->count; i++) {
		enum session_effect effect = session_change_of(text, &script->statements[i]).effect;

		if (effect == SESSION_SET || effect == SESSION_LOCAL)
			add_names(out, text, &script->statements[i], &by_code);
	}
	bytes_free(&by_code);
}
