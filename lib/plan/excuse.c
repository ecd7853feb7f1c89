#include "plan/excuse.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/suggest.h"
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

/* "destructve", which is no rule (destructive?) */
static char *
no_rule(const char *at, size_t len)
{
	enum { RULES = 64 };
	const char *names[RULES], *meant;
	size_t count;

	for (count = 0; count < RULES && plan_rules[count].name != NULL; count++)
		names[count] = plan_rules[count].name;
	meant = suggest_nearest(at, len, names, count);
	return xformat("the script allows \"%.*s\", which is no rule%s%s%s", (int)len, at, meant != NULL ? " (" : "",
	    meant != NULL ? meant : "", meant != NULL ? "?)" : "");
}

/* What stands behind the words, up to `end`: rules, as far as they are some, and then the reason. */
static struct excuse
line_read(const char *at, const char *end, const char *rule)
{
	static const char no_reason[] = "the script allows it without a reason, which does not count";
	bool allowed = false, first = true;

	while (end > at && strchr(" \t\r", end[-1]) != NULL)
		end--;
	for (; at < end; first = false) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		size_t len = comma != NULL ? (size_t)(comma - at) : (size_t)(end - at);

		while (len > 0 && strchr(" \t", at[len - 1]) != NULL)
			len--;
		if (!is_rule(at, len))
			break;
		allowed |= strlen(rule) == len && strncmp(rule, at, len) == 0;
		at = comma != NULL ? comma + 1 + strspn(comma + 1, " \t") : end;
	}
	if (first && at < end)
		return (struct excuse){ .flaw = no_rule(at, strcspn(at, " \t\r\n,")) };
	if (!allowed)
		return (struct excuse){ NULL, NULL };
	return at < end ? (struct excuse){ .reason = xstrndup(at, (size_t)(end - at)) } : (struct excuse){ .flaw = xstrdup(no_reason) };
}

/* Where the words of a line end that allows something; NULL: it is another one. */
static const char *
behind_words(const char *line, const char *end)
{
	line += strspn(line, " \t");
	if (strncmp(line, "--", 2) != 0)
		return NULL;
	line += 2 + strspn(line + 2, " \t");
	return strncmp(line, WORDS, strlen(WORDS)) == 0 && line < end ? line + strlen(WORDS) : NULL;
}

struct excuse
excuse_of(const char *text, const struct sql_script *script, size_t at, const char *rule)
{
	const char *line = text + (at > 0 ? script->statements[at - 1].next : 0), *to = text + script->statements[at].start;
	struct excuse found = { NULL, NULL };

	while (found.reason == NULL && line < to) {
		const char *end = memchr(line, '\n', (size_t)(to - line)), *words;
		struct excuse said = { NULL, NULL };

		end = end != NULL ? end : to;
		if ((words = behind_words(line, end)) != NULL)
			said = line_read(words, end, rule);
		if (said.reason != NULL || said.flaw != NULL) {
			free(found.flaw);
			found = said;
		}
		line = end + 1;
	}
	return found;
}
