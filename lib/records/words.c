#include "records/words.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

const char *const severity_words[] = { "note", "warning", "error", NULL };
const char *const flaw_words[] = { "", "no_script", "nul", "not_utf8", NULL };
const char *const step_action_words[] = { "apply", "mark_applied", "mark_rolled_back", "revert", NULL };
const char *const step_transaction_words[] = { "", "mig", "script", "none", NULL };
const char *const deployed_status_words[] = { "applied", "marked", "reverted", "failed", "deferred", "unfinished", NULL };
const char *const result_status_words[] = { "applied", "marked", "reverted", "skipped", "failed", "deferred", "not_started", NULL };
const char *const effect_words[] = { "lock", "scan", "rewrite", "build", "move", "empty", "rows", "drop", "rename", "retype",
	"require", "restrict", "refuse", "error", "down", NULL };
const char *const phase_words[] = { "", "expand", "contract", NULL };
const char *const loss_words[] = { "up", "down", NULL };
const char *const lock_mode_words[] = { "", "AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock",
	"ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock", NULL };
const char *const identity_words[] = { "", "key", "full", "none", NULL };
const char *const activity_words[] = { "transaction", "prepared", "autovacuum", "backup", "standby", NULL };

enum lock_mode
lock_mode_of(const char *word)
{
	int i;

	for (i = LOCK_ACCESS_SHARE; lock_mode_words[i] != NULL; i++)
		if (strcmp(lock_mode_words[i], word) == 0)
			return (enum lock_mode)i;
	return LOCK_NULL;
}

/* PostgreSQL's table "Conflicting Lock Modes": the weakest mode that each conflicts with, and all stronger ones; but for SHARE. */
bool
lock_modes_conflict(enum lock_mode a, enum lock_mode b)
{
	static const enum lock_mode from[] = { [LOCK_ACCESS_SHARE] = LOCK_ACCESS_EXCLUSIVE,
		[LOCK_ROW_SHARE] = LOCK_EXCLUSIVE,
		[LOCK_ROW_EXCLUSIVE] = LOCK_SHARE,
		[LOCK_SHARE_UPDATE_EXCLUSIVE] = LOCK_SHARE_UPDATE_EXCLUSIVE,
		[LOCK_SHARE] = LOCK_ROW_EXCLUSIVE,
		[LOCK_SHARE_ROW_EXCLUSIVE] = LOCK_ROW_EXCLUSIVE,
		[LOCK_EXCLUSIVE] = LOCK_ROW_SHARE,
		[LOCK_ACCESS_EXCLUSIVE] = LOCK_ACCESS_SHARE };

	return a != LOCK_NULL && b != LOCK_NULL && b >= from[a] && !(a == LOCK_SHARE && b == LOCK_SHARE);
}
