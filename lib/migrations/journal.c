#include "migrations/journal.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "sql/interrupted.h"

#define REVERTS "mig: down.sql: statement "
static const char journal_words[] = "%s%zu of %zu is next%s; digest of the text before it: ";

void
journal_write(struct bytes *out, const struct journal *j)
{
	bytes_format(out, journal_words, j->reverts ? REVERTS : "mig: statement ", j->next, j->count, j->begun ? ", and had begun" : "");
	bytes_str(out, j->before);
}

bool
journal_read(const char *logs, struct journal *j)
{
	struct bytes again = { 0 };
	const char *digest;
	bool same;

	if (logs == NULL)
		return false;
	j->reverts = strncmp(logs, REVERTS, strlen(REVERTS)) == 0;
	if (sscanf(logs, j->reverts ? REVERTS "%zu of %zu is next" : "mig: statement %zu of %zu is next", &j->next, &j->count) != 2)
		return false;
	digest = strstr(logs, "before it: ");
	if (digest == NULL || sscanf(digest, "before it: %32[0-9a-f]", j->before) != 1)
		return false;
	j->begun = strstr(logs, " is next, and had begun;") != NULL && strstr(logs, " is next, and had begun;") < digest;
	j->moved = strstr(logs, JOURNAL_MOVED) != NULL;
	/* whatever wrote it, it must equal what we would write */
	journal_write(&again, j);
	same = strncmp(again.data, logs, again.len) == 0 && j->next >= 1 && j->next <= j->count + 1;
	bytes_free(&again);
	return same;
}

char *
journal_error(const char *logs)
{
	static const char prisma[] = "Database error:\n";
	struct journal journal;
	const char *said;

	if (logs == NULL)
		return NULL;
	if (journal_read(logs, &journal)) {
		logs += strcspn(logs, "\n");
		if (strncmp(logs, "\n" JOURNAL_MOVED, strlen("\n" JOURNAL_MOVED)) == 0)
			logs += strlen("\n" JOURNAL_MOVED);
	} else if ((said = strstr(logs, prisma)) != NULL) {
		logs = said + strlen(prisma);
	}
	logs += strspn(logs, " \t\r\n");
	return *logs != '\0' ? xstrndup(logs, strcspn(logs, "\r\n")) : NULL;
}

void
journal_before(const char *text, size_t len, char hex[JOURNAL_BEFORE])
{
	unsigned char digest[crypto_generichash_BYTES_MIN];

	crypto_generichash(digest, sizeof digest, (const unsigned char *)text, len, NULL, 0);
	sodium_bin2hex(hex, JOURNAL_BEFORE, digest, sizeof digest);
}

/* Whether the text before the statement that comes next, which is one of the script or behind its last, is unchanged. */
static bool
holds_before(const struct journal *j, const char *text, const struct sql_script *script)
{
	char before[JOURNAL_BEFORE];

	journal_before(text, j->next > 1 ? script->statements[j->next - 2].end : 0, before);
	return strcmp(before, j->before) == 0;
}

const struct sql_statement *
journal_begun(const struct journal *j, const char *text, const struct sql_script *script)
{
	if (!j->begun || j->next > script->count)
		return NULL;
	return holds_before(j, text, script) ? &script->statements[j->next - 1] : NULL;
}

enum journal_fit
journal_fits(const struct journal *j, const char *text, const struct sql_script *script)
{
	struct interrupted left;

	if (j->next > script->count + 1)
		return JOURNAL_TOO_FAR;
	if (!holds_before(j, text, script))
		return JOURNAL_CHANGED;
	if (!j->begun || j->next > script->count)
		return JOURNAL_FITS;
	left = interrupted_of(text, &script->statements[j->next - 1]);
	interrupted_free(&left);
	return left.act == INTERRUPTED_NONE ? JOURNAL_IN_DOUBT : JOURNAL_FITS;
}
