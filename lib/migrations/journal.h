/*
 * The journal of a migration that is not a single transaction: the first line of `logs` while its row is
 * unfinished.  It is written with each commit, so it always matches the database.
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
	size_t next;                  /* the next statement, from 1; count + 1: only the row remains to be finished */
	size_t count;
	bool begun;                   /* the statement is non-transactional and had started; it may or may not
	                               * have completed */
	bool reverts;                 /* of down.sql: the migration was applied, and is being taken back */
	bool moved;                   /* only read: the session had settings that the script's own statements do
	                               * not explain */
	char before[JOURNAL_BEFORE];  /* digest of the text before that statement, so that the rest may be
	                               * corrected */
};

/* The line after the journal that stands for `moved`. */
#define JOURNAL_MOVED "mig: its session has settings that its own statements do not make"

/* The line of one that takes back: when the migration had been applied, in the format of records. */
#define JOURNAL_FINISHED "mig: it had been finished at "

void journal_write(struct bytes *out, const struct journal *journal);

/* Returns false if `logs` (may be NULL) does not begin with a journal. */
bool journal_read(const char *logs, struct journal *journal);

/*
 * The first line of the error that logs (may be NULL) keep, as the server worded it: behind a journal, or of Prisma; else their first
 * line that has text.  NULL: there is none.  The caller frees it.
 */
char *journal_error(const char *logs);

/* The digest of text[0..len). */
void journal_before(const char *text, size_t len, char hex[JOURNAL_BEFORE]);

/*
 * The non-transactional statement that had started, if the text before it is still the one in the journal; or
 * NULL.
 */
const struct sql_statement *journal_begun(const struct journal *journal, const char *text,
    const struct sql_script *script);

/* Whether a run may resume where the journal says, given the current text. */
enum journal_fit {
	JOURNAL_FITS,
	JOURNAL_TOO_FAR,  /* the script has fewer statements than were done */
	JOURNAL_CHANGED,  /* the part that was done has changed */
	JOURNAL_IN_DOUBT  /* the next statement had started, and what it left does not tell whether it completed */
};
enum journal_fit journal_fits(const struct journal *journal, const char *text, const struct sql_script *script);

#endif
