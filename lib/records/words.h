/*
 * Closed sets of words in records, as enums.  The tables have the texts of mig-records(5) in the order of the
 * enums, for FIELD_WORD (records/record.h) and for pages.
 */
#ifndef MIG_RECORDS_WORDS_H
#define MIG_RECORDS_WORDS_H

enum flaw {
	FLAW_NONE,
	FLAW_NO_SCRIPT,   /* there is no migration.sql: path, checksum, sql are null */
	FLAW_NUL,         /* the script has a NUL byte, which no server accepts: sql is null */
	FLAW_NOT_UTF8     /* bytes that are not UTF-8 were replaced, like Prisma does */
};
enum severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR };
enum step_action { ACTION_APPLY, ACTION_MARK_APPLIED, ACTION_MARK_ROLLED_BACK };
enum step_transaction {
	TRANSACTION_NULL,    /* marks, which run no script */
	TRANSACTION_MIG,     /* one of ours around the script */
	TRANSACTION_SCRIPT,  /* it has BEGIN, COMMIT or ROLLBACK of its own */
	TRANSACTION_NONE     /* a statement in it is non-transactional */
};
enum result_status {
	STATUS_APPLIED,
	STATUS_MARKED,
	STATUS_SKIPPED,      /* another deployer did it */
	STATUS_FAILED,
	STATUS_DEFERRED,     /* not now: busy */
	STATUS_NOT_STARTED
};
extern const char *const flaw_words[], *const severity_words[], *const step_action_words[], *const step_transaction_words[],
    *const result_status_words[];

#endif
