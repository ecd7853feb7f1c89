#include "check.h"

#include <string.h>

#include "mig.h"

const char *
check_word(enum check_state state)
{
	static const char *const words[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };

	return words[state];
}

const char *
check_status(enum check_state state)
{
	static const char *const words[] = { "ok", "warning", "critical", "unknown" };

	return words[state];
}

enum check_state
check_worse(enum check_state a, enum check_state b)
{
	static const int weight[] = { 0, 1, 3, 2 };

	return weight[a] >= weight[b] ? a : b;
}

void
check_raise(struct check_outcome *outcome, enum check_state state)
{
	outcome->state = check_worse(outcome->state, state);
}

void
check_failed_upstream(struct check_outcome *outcome, const struct failure *failure)
{
	switch (failure->exit_code) {
	case MIG_FAILED:
	case MIG_UNREACHABLE:
	case MIG_BUSY:
	case MIG_DENIED:
		check_raise(outcome, CHECK_CRITICAL);
		break;
	default:
		check_raise(outcome, CHECK_UNKNOWN);
	}
	outcome->message.len = 0;
	bytes_str(&outcome->message, failure->message);
}

void
check_free(struct check_outcome *outcome)
{
	bytes_free(&outcome->message);
	bytes_free(&outcome->details);
}
