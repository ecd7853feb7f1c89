/*
 * The journal of a migration that cannot be one transaction: the first line of `logs` while its row is
 * unfinished.  It is written with each commit, so it says what is in the database.
 *
 * Pure: makes and reads text.
 */
#ifndef MIG_MIGRATIONS_JOURNAL_H
#define MIG_MIGRATIONS_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "sql/sql.h"

#define JOURNAL_BEFORE 33
struct journal {
	size_t next;                  /* the statement that comes next, from 1; count + 1: only the row is to be finished */
	size_t count;
	bool begun;                   /* it stands alone and had begun: whether it ended is not known */
	bool moved;                   /* read only: its session had settings that its own statements do not explain */
	char before[JOURNAL_BEFORE];  /* digest of the text before that statement, so that the rest may be mended */
};

/* The line behind the journal that says `moved`. */
#define JOURNAL_MOVED "mig: its session has settings that its own statements do not make"

void journal_write(struct bytes *out, const struct journal *journal);

/* False: `logs`, which may be NULL, begins with none of ours. */
bool journal_read(const char *logs, struct journal *journal);

/* The digest of text[0..len). */
void journal_before(const char *text, size_t len, char hex[JOURNAL_BEFORE]);

/* The statement that had begun, where the text before it is still the one that the journal was written for; or NULL. */
const struct sql_statement *journal_begun(const struct journal *journal, const char *text,
    const struct sql_script *script);

/* Whether a run may resume where the journal says, in the text as it is now. */
enum journal_fit {
	JOURNAL_FITS,
	JOURNAL_TOO_FAR,  /* the script has fewer statements than are done */
	JOURNAL_CHANGED,  /* the part that is done was changed */
	JOURNAL_IN_DOUBT  /* the statement that comes next had begun, and what it leaves does not tell whether it ended */
};
enum journal_fit journal_fits(const struct journal *journal, const char *text, const struct sql_script *script);

#endif
