#include "plan/excuse.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "plan/plan.h"

#define WORDS "mig: allow "

static bool
is_rule(const char *word, size_t len)
{
	const struct plan_rule *rule;

	for (rule = plan_rules; rule->name != NULL; rule++)
		if (strlen(rule->name) == len && strncmp(rule->name, word, len) == 0)
			return true;
	return false;
}

/* What stands behind the words, up to `end`: rules, as far as they are some, and then the reason. */
static char *
reason(const char *at, const char *end, const char *rule)
{
	bool allowed = false;

	for (;;) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		size_t len = comma != NULL ? (size_t)(comma - at) : (size_t)(end - at);

		if (!is_rule(at, len))
			break;
		allowed |= strlen(rule) == len && strncmp(rule, at, len) == 0;
		if (comma == NULL)
			return NULL;
		at = comma + 1 + strspn(comma + 1, " \t");
		if (at > end)
			return NULL;
	}
	while (end > at && strchr(" \t\r", end[-1]) != NULL)
		end--;
	return allowed && end > at ? xstrndup(at, (size_t)(end - at)) : NULL;
}

char *
excuse_of(const char *text, const struct sql_script *script, size_t at, const char *rule)
{
	const char *line = text + (at > 0 ? script->statements[at - 1].next : 0), *to = text + script->statements[at].start;
	char *found = NULL;

	while (found == NULL && line < to) {
		const char *end = memchr(line, '\n', (size_t)(to - line)), *from = line + strspn(line, " \t");

		end = end != NULL ? end : to;
		if (strncmp(from, "--", 2) == 0) {
			from += 2 + strspn(from + 2, " \t");
			if (strncmp(from, WORDS, strlen(WORDS)) == 0 && from < end)
				found = reason(from + strlen(WORDS), end, rule);
		}
		line = end + 1;
	}
	return found;
}
