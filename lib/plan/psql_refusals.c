/* Scripts that cannot go through psql. */
#include "plan/psql_script_internal.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mig.h"
#include "base/refusal.h"
#include "base/shell_quote.h"
#include "migrations/folder.h"
#include "migrations/script_path.h"
#include "sql/sql.h"

int
psql_refuse(const struct psql *p, const struct step *step, size_t at, const char *why)
{
	struct sql_place place = sql_place(step->sql, strlen(step->sql), at);
	struct shell_words words = { 0 };
	struct bytes text = { 0 };
	char *line;

	script_path_of(&text, p->planned->folder, step->migration, step_file(step));
	(void)refusal_make(p->refusal, MIG_DATA, "%s:%lu:%lu: %s", text.data, place.line, place.column, why);
	shell_append(&words, p->command);
	plan_apply_words(&words, p->command);
	line = shell_sentence("  mig-apply sends it unchanged", &words, "pipe the same commands into mig-apply");
	refusal_line(p->refusal, "%s", line);
	free(line);
	bytes_free(&text);
	return MIG_DATA;
}

/* ALTER TYPE ... ADD VALUE 'x', and 'x' again later: 55P04 where both are in one transaction. */
static bool
uses_new_value(const struct step *step, const struct sql_script *script, size_t at)
{
	const struct sql_statement *s = &script->statements[at];
	struct sql_token token = { .end = s->start };
	struct bytes value = { 0 };
	bool used = false;

	if (!sql_is(step->sql, sql_token(step->sql, s->end, s->start), "ALTER") ||
	    !sql_mentions(step->sql + s->start, s->end - s->start, "value"))
		return false;
	do
		token = sql_token(step->sql, s->end, token.end);
	while (token.kind != SQL_STRING && token.kind != SQL_END);
	if (token.kind == SQL_STRING) {
		bytes_add(&value, step->sql + token.start, token.end - token.start);
		used = strstr(step->sql + s->end, value.data) != NULL;
	}
	bytes_free(&value);
	return used;
}

int
psql_check_script(const struct psql *p, const struct step *step, const struct sql_script *script)
{
	size_t len = strlen(step->sql), at = sql_psql_would_alter(step->sql, len), i;

	if (at < len)
		return psql_refuse(p, step, at, "psql would change this before it reaches the server");
	if (script->count > 0 && script->statements[script->count - 1].broken)
		return psql_refuse(p, step, script->statements[script->count - 1].start,
		    "the file ends inside this statement: psql would read the text after it as part of it");
	for (i = 0; i < script->count; i++) {
		const struct sql_statement *s = &script->statements[i];
		struct sql_token first = sql_token(step->sql, s->end, s->start);
		bool calls = sql_is(step->sql, first, "CALL");
		bool does = sql_is(step->sql, first, "DO");

		if (calls || (does && (sql_mentions(step->sql + s->start, s->end - s->start, "commit") ||
		                          sql_mentions(step->sql + s->start, s->end - s->start, "rollback"))))
			return psql_refuse(p, step, s->start, "it may commit by itself, which only the server can tell");
		if (uses_new_value(step, script, i))
			return psql_refuse(p, step, s->start, "the new value is used in the same script, which one transaction does not allow");
	}
	return 0;
}
