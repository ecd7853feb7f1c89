#include "migrations/phase.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "sql/sql.h"

#define MARK "mig: phase "

static bool
has_word(const char *at, const char *word)
{
	size_t len = strlen(word);

	return strncmp(at, word, len) == 0 && (at[len] == '\0' || strchr(" \t\r\n,", at[len]) != NULL);
}

enum phase
phase_marked(const char *script)
{
	const char *line = script;

	while (line != NULL && *line != '\0') {
		const char *at = line + strspn(line, " \t");

		if (strncmp(at, "--", 2) == 0) {
			at += 2 + strspn(at + 2, " \t");
			if (strncmp(at, MARK, strlen(MARK)) == 0) {
				at += strlen(MARK);
				if (has_word(at, "contract"))
					return PHASE_CONTRACT;
				if (has_word(at, "expand"))
					return PHASE_EXPAND;
			}
		}
		line = strchr(line, '\n');
		line += line != NULL;
	}
	return PHASE_NULL;
}

/* "drops the column name of User", of an effect that the running release notices. */
static bool
effect_breaks(const struct effect *e, struct bytes *why)
{
	const char *verb;

	switch (e->effect) {
	case EFFECT_DROP:
		verb = "drops";
		break;
	case EFFECT_RENAME:
		verb = "renames";
		break;
	case EFFECT_RETYPE:
		verb = "retypes";
		break;
	case EFFECT_REQUIRE:
		verb = "requires";
		break;
	case EFFECT_REFUSE:
		bytes_str(why, "breaks a statement that production runs");
		return true;
	default:
		return false;
	}
	if (e->made_by != NULL)
		return false;
	if (strncmp(e->detail, "column ", 7) == 0)
		bytes_format(why, "%s the %s of %s", verb, e->detail, e->relation);
	else if (e->effect == EFFECT_DROP)
		bytes_format(why, "drops the %s %s", e->detail, e->relation);
	else
		bytes_format(why, "%s %s %s", verb, e->relation, e->detail);
	return true;
}

static bool
words_break(const char *sql, struct sql_made *made, struct bytes *why)
{
	struct sql_script split = sql_split(sql, strlen(sql));
	struct sql_break found = { 0 };
	bool breaks = sql_breaks(sql, &split, made, &found);

	if (breaks)
		bytes_format(why, "%s %s", found.what, found.object);
	free(found.object);
	sql_script_free(&split);
	return breaks;
}

bool
phase_contracts(const struct rehearsal_records *rehearsed, const struct migration *script, struct sql_made *made, struct bytes *why)
{
	enum phase marked = script->sql != NULL ? phase_marked(script->sql) : PHASE_NULL;
	struct bytes words = { 0 };
	bool breaks = script->sql != NULL && words_break(script->sql, made, &words);
	size_t i;

	if (marked != PHASE_NULL) {
		if (marked == PHASE_CONTRACT)
			bytes_str(why, "it says so itself");
		breaks = marked == PHASE_CONTRACT;
	} else if (rehearsed->known) {
		for (breaks = false, i = 0; i < rehearsed->count && !breaks; i++)
			breaks = strcmp(rehearsed->effects[i].migration, script->migration) == 0 && effect_breaks(&rehearsed->effects[i], why);
	} else if (breaks) {
		bytes_add(why, words.data, words.len);
	}
	bytes_free(&words);
	return breaks;
}
