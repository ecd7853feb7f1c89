/*
 * Closed sets of words in records, as enums.  The tables have the texts of mig-records(5) in the order of the
 * enums, for FIELD_WORD (records/record.h) and for pages.
 */
#ifndef MIG_RECORDS_WORDS_H
#define MIG_RECORDS_WORDS_H

#include <stdbool.h>

enum flaw {
	FLAW_NONE,
	FLAW_NO_SCRIPT,   /* there is no migration.sql: path, checksum, sql are null */
	FLAW_NUL,         /* the script has a NUL byte, which no server accepts: sql is null */
	FLAW_NOT_UTF8     /* bytes that are not UTF-8 were replaced, like Prisma does */
};
enum severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR };
enum step_action {
	ACTION_APPLY,
	ACTION_MARK_APPLIED,
	ACTION_MARK_ROLLED_BACK,
	ACTION_REVERT        /* runs down.sql, and sets the row's rolled_back_at */
};
enum step_transaction {
	TRANSACTION_NULL,    /* marks, which run no script */
	TRANSACTION_MIG,     /* one of ours around the script */
	TRANSACTION_SCRIPT,  /* it has BEGIN, COMMIT or ROLLBACK of its own */
	TRANSACTION_NONE     /* a statement in it is non-transactional */
};
/* How a deploy ended, by its results. */
enum deployed_status {
	DEPLOYED_APPLIED,
	DEPLOYED_MARKED,
	DEPLOYED_REVERTED,
	DEPLOYED_FAILED,
	DEPLOYED_DEFERRED,
	DEPLOYED_UNFINISHED, /* killed, or still running */
	DEPLOYED_NOTHING,    /* not in records, as DEPLOYED_DRY: nothing was begun */
	DEPLOYED_DRY
};
enum result_status {
	STATUS_APPLIED,
	STATUS_MARKED,
	STATUS_REVERTED,
	STATUS_SKIPPED,      /* another deployer did it */
	STATUS_FAILED,
	STATUS_DEFERRED,     /* not now: busy */
	STATUS_NOT_STARTED
};
enum effect_kind {
	EFFECT_LOCK,
	EFFECT_SCAN,
	EFFECT_REWRITE,
	EFFECT_BUILD,
	EFFECT_MOVE,
	EFFECT_EMPTY,
	EFFECT_ROWS,
	EFFECT_DROP,
	EFFECT_RENAME,
	EFFECT_RETYPE,
	EFFECT_REQUIRE,      /* a column must be given from now on: INSERTs that leave it out fail */
	EFFECT_RESTRICT,     /* a new rule for what is written */
	EFFECT_REFUSE,       /* a statement that production runs does not parse any more */
	EFFECT_ERROR,
	EFFECT_DOWN          /* whether its down.sql takes it back */
};

/* What identifies the rows of a published table, for UPDATE and DELETE on subscribers. */
enum replica_identity {
	IDENTITY_NULL,       /* of a partitioned table, whose partitions have it */
	IDENTITY_KEY,        /* an index */
	IDENTITY_FULL,       /* the whole row */
	IDENTITY_NONE        /* UPDATE and DELETE fail where they are published (55000) */
};

/* Of a release in two parts: what the running one does not notice, and the rest. */
enum phase { PHASE_NULL, PHASE_EXPAND, PHASE_CONTRACT };

/* Which script takes something away for good. */
enum loss_by { LOSS_BY_UP, LOSS_BY_DOWN };

enum lock_mode {
	LOCK_NULL,           /* no lock, or none that is held */
	LOCK_ACCESS_SHARE,
	LOCK_ROW_SHARE,
	LOCK_ROW_EXCLUSIVE,
	LOCK_SHARE_UPDATE_EXCLUSIVE,
	LOCK_SHARE,
	LOCK_SHARE_ROW_EXCLUSIVE,
	LOCK_EXCLUSIVE,
	LOCK_ACCESS_EXCLUSIVE
};

/* Whether two sessions cannot have these on one relation at the same time. */
bool lock_modes_conflict(enum lock_mode a, enum lock_mode b);

/* The mode of pg_locks' word; LOCK_NULL: none of them. */
enum lock_mode lock_mode_of(const char *word);

/* What goes on in a database while it is looked at. */
enum activity_kind {
	ACTIVITY_TRANSACTION,
	ACTIVITY_PREPARED,   /* a prepared transaction: without a session */
	ACTIVITY_AUTOVACUUM,
	ACTIVITY_BACKUP,
	ACTIVITY_STANDBY
};
extern const char *const flaw_words[], *const severity_words[], *const step_action_words[], *const step_transaction_words[],
    *const deployed_status_words[], *const result_status_words[], *const effect_words[], *const loss_words[], *const phase_words[], *const lock_mode_words[], *const activity_words[],
    *const identity_words[];

#endif
