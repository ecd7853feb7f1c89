#include "records/words.h"

#include <stddef.h>

const char *const severity_words[] = { "note", "warning", "error", NULL };
const char *const flaw_words[] = { "", "no_script", "nul", "not_utf8", NULL };
const char *const step_action_words[] = { "apply", "mark_applied", "mark_rolled_back", NULL };
const char *const step_transaction_words[] = { "", "mig", "script", "none", NULL };
const char *const result_status_words[] = { "applied", "marked", "skipped", "failed", "deferred", "not_started", NULL };
const char *const effect_words[] = { "lock", "scan", "rewrite", "build", "move", "empty", "rows", "drop", "rename", "retype",
	"require", "restrict", "refuse", "error", NULL };
const char *const lock_mode_words[] = { "", "AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock",
	"ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock", NULL };
