/* Judges replication: how far a standby, or the standbys of a primary, are behind. */
#include "check/database_internal.h"

#include <stddef.h>

#include "base/bytes.h"
#include "base/null.h"
#include "check/check.h"
#include "postgres/connection.h"

METRIC(lag, "lag_ms", "lag", "replication_lag_seconds", METRIC_MS,
    "Replication lag of the standby, or of the slowest of several.");

static void
say_lag(const struct database_look *l, enum check_state state, const char *standby, long long ms, long long bytes)
{
	struct bytes lag = { 0 };

	check_value(&lag, &lag_metric, ms);
	check_say(l->outcome, state, "%s is %s behind", standby, lag.data);
	if (bytes != NUMBER_UNKNOWN)
		check_detail(l->outcome, "replication", "%lld kB of changes are not replayed yet",
		    bytes / 1024);
	else
		check_detail(l->outcome, "replication", "the last commit that was replayed is that old");
	bytes_free(&lag);
}

void
database_judge_standby(const struct database_look *l)
{
	const struct answer *a = database_answer(l, ASK_STANDBY, "replication lag");
	enum check_state state;

	if (a == NULL || answer_rows(a) == 0)
		return;
	state = database_measure(l, &lag_metric, answer_number(a, 0, 0), LAG_WARN);
	if (state != CHECK_OK)
		say_lag(l, state, "the standby", answer_number(a, 0, 0), answer_number(a, 0, 1));
	if (answer_flag(a, 0, 3))
		check_say(l->outcome, CHECK_WARNING, "its replay is paused");
	if (!answer_flag(a, 0, 2)) {
		check_say(l->outcome, CHECK_WARNING, "it receives nothing from its primary");
		check_detail(l->outcome, "replication",
		    "there is no WAL receiver: is the primary reachable? See the server's log");
	}
}

/* The standbys as the primary sees them. */
void
database_judge_standbys(const struct database_look *l)
{
	const struct answer *a = database_answer(l, ASK_STANDBYS, "replication lag");
	struct bytes name = { 0 };
	enum check_state state;

	if (a == NULL || answer_rows(a) == 0)
		return;
	if (answer_text(a, 0, 2) == NULL) {
		check_unseen(l->outcome, "replication lag: role %s lacks pg_monitor", l->role);
		return;
	}
	/* NULL: it was up to date when it last said so */
	state = database_measure(l, &lag_metric, answer_number(a, 0, 3) == NUMBER_UNKNOWN ? 0 : answer_number(a, 0, 3),
	    LAG_WARN);
	bytes_format(&name, "standby %s", answer_text(a, 0, 0));
	if (answer_text(a, 0, 1) != NULL)
		bytes_format(&name, " at %s", answer_text(a, 0, 1));
	if (state != CHECK_OK)
		say_lag(l, state, name.data, answer_number(a, 0, 3), answer_number(a, 0, 4));
	bytes_free(&name);
}
