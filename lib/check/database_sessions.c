/* Judges the sessions of a database: connections, transactions, who is blocked. */
#include "check/database_internal.h"

#include <stddef.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/null.h"
#include "base/page.h"
#include "check/check.h"
#include "postgres/connection.h"

METRIC(transaction, "oldest_transaction_seconds", "oldest_transaction", "oldest_transaction_seconds", METRIC_SECONDS,
    "Age of the oldest open transaction.");
METRIC(prepared, "oldest_prepared_seconds", "oldest_prepared", "oldest_prepared_transaction_seconds", METRIC_SECONDS,
    "Age of the oldest prepared transaction.");
METRIC(blocked, "blocked_sessions", "blocked_sessions", "blocked_sessions", METRIC_COUNT,
    "Sessions that wait for a lock.");
METRIC(wait, "longest_wait_seconds", "longest_wait", "longest_wait_seconds", METRIC_SECONDS,
    "Longest time that a session has waited for a lock.");
METRIC(connections, "connections_percent", "connections", "connections_used_ratio", METRIC_PERCENT,
    "Connections in use, as a share of max_connections.");

/* The session in five columns from `pid` on; a prepared transaction has pid 0 in pg_blocking_pids(). */
static struct page_session
session_at(const struct answer *a, size_t row, int pid)
{
	return (struct page_session){ .pid = answer_number(a, row, pid),
		.user = answer_text(a, row, pid + 1),
		.client = answer_text(a, row, pid + 2),
		.application = answer_text(a, row, pid + 3),
		.state = answer_text(a, row, pid + 4),
		.age_ms = NUMBER_UNKNOWN };
}

void
database_judge_connections(const struct database_look *l, const struct answer *a)
{
	long long room = answer_count(a, 0, 2), used = answer_count(a, 0, 3), own = answer_count(a, 0, 4),
	    here = answer_count(a, 0, 5);
	long long percent = room > 0 ? used * 100 / room : 0;
	enum check_state state;

	/* a limit of the database's own may be nearer */
	if (own > 0 && here * 100 / own > percent) {
		percent = here * 100 / own;
		room = own;
		used = here;
	}
	state = database_measure(l, &connections_metric, percent, CONNECTIONS_WARN);
	if (state != CHECK_OK)
		check_say(l->outcome, state, "%lld of %lld connections are used", used, room);
}

/* Reports one long transaction: session, start, what it holds, whom it blocks, and how to end it. */
static void
detail_transaction(const struct database_look *l, const struct answer *a, size_t row)
{
	struct bytes text = { 0 };
	struct page_session session = session_at(a, row, 0);
	const char *holds = answer_text(a, row, 6);
	long long blocks = answer_number(a, row, 7);

	session.age_ms = answer_count(a, row, 5) * 1000;
	session.word = answer_text(a, row, 8);
	page_session(&text, &session);
	check_detail(l->outcome, "transaction", "%s", text.data);
	text.len = 0;
	if (holds != NULL)
		bytes_format(&text, "holds %s", holds);
	if (blocks > 0)
		bytes_format(&text, "%sblocks %lld session%s", text.len > 0 ? ", " : "", blocks, blocks == 1
		    ? "" : "s");
	if (text.len > 0)
		check_detail(l->outcome, "", "%s", text.data);
	check_detail(l->outcome, "", "select pg_terminate_backend(%lld);", answer_number(a, row, 0));
	bytes_free(&text);
}

void
database_judge_transactions(const struct database_look *l)
{
	const struct answer *a = database_answer(l, ASK_TRANSACTIONS, "transactions");
	long long oldest = 0;
	size_t long_ones = 0, i;
	enum check_state state;
	char age[CLOCK_SPAN];

	if (a == NULL)
		return;
	if (answer_rows(a) > 0)
		oldest = answer_count(a, 0, 5);
	state = database_measure(l, &transaction_metric, oldest, TRANSACTION_WARN);
	if (state == CHECK_OK)
		return;
	for (i = 0; i < answer_rows(a); i++) {
		if (answer_number(a, i, 5) <= database_limit(l, TRANSACTION_WARN) / 1000)
			continue;
		long_ones++;
		detail_transaction(l, a, i);
	}
	if (long_ones > 1)
		check_say(l->outcome, state, "%zu%s transactions open for up to %s", long_ones,
		    long_ones == SHOWN ? " and more" : "",
		    clock_age(oldest * 1000, age));
	else
		check_say(l->outcome, state, "transaction open for %s (pid %lld)",
		    clock_age(oldest * 1000, age), answer_number(a, 0, 0));
}

void
database_judge_prepared(const struct database_look *l)
{
	const struct answer *a = database_answer(l, ASK_PREPARED, "prepared transactions");
	enum check_state state;
	char age[CLOCK_SPAN];
	size_t i;

	if (a == NULL || answer_rows(a) == 0)
		return;
	state = database_measure(l, &prepared_metric, answer_number(a, 0, 2), TRANSACTION_WARN);
	if (state == CHECK_OK)
		return;
	check_say(l->outcome, state, "transaction prepared %s ago and not finished",
	    clock_age(answer_count(a, 0, 2) * 1000, age));
	for (i = 0; i < answer_rows(a); i++)
		check_detail(l->outcome, i == 0 ? "prepared" : "",
		    "by %s, %s ago: commit prepared %s; or rollback prepared %s;", answer_text(a, i, 1),
		    clock_age(answer_count(a, i, 2) * 1000, age), answer_text(a, i, 0),
		    answer_text(a, i, 0));
}

void
database_judge_blocked(const struct database_look *l)
{
	const struct answer *a = database_answer(l, ASK_BLOCKED, "blocked sessions");
	long long longest = 0, blocker;
	enum check_state state;
	struct bytes behind = { 0 };
	char age[CLOCK_SPAN];
	size_t count, i;

	if (a == NULL)
		return;
	count = database_count_of(a, 9);
	if (count > 0 && answer_number(a, 0, 1) != NUMBER_UNKNOWN)
		longest = answer_number(a, 0, 1);
	(void)check_measure(l->outcome, &blocked_metric, (long long)count, NUMBER_UNKNOWN, NUMBER_UNKNOWN);
	state = database_measure(l, &wait_metric, longest, BLOCKED_WARN);
	if (state == CHECK_OK)
		return;
	blocker = answer_number(a, 0, 3);
	if (blocker == 0)
		bytes_str(&behind, "a prepared transaction");
	else
		bytes_format(&behind, "pid %lld", blocker);
	check_say(l->outcome, state, "%zu session%s blocked for up to %s by %s", count, count == 1 ? "" : "s",
	    clock_age(longest * 1000, age), behind.data);
	for (i = 0; i < answer_rows(a); i++) {
		const char *relation = answer_text(a, i, 2);
		struct page_session session = session_at(a, i, 3);

		behind.len = 0;
		page_session(&behind, &session);
		check_detail(l->outcome, "blocked", "pid %lld has waited for %s for %s,", answer_number(a, i, 0),
		    relation != NULL ? relation : "a row or a transaction",
		    clock_age(answer_count(a, i, 1) == NUMBER_UNKNOWN ? 0 : answer_number(a, i, 1) * 1000,
		    age));
		check_detail(l->outcome, "", "blocked by %s", behind.data);
	}
	if (blocker == 0 && answer_text(a, 0, 10) != NULL)
		check_detail(l->outcome, "", "commit prepared %s; or rollback prepared %s;", answer_text(a, 0, 10),
		    answer_text(a, 0, 10));
	else if (blocker == 0)
		check_detail(l->outcome, "",
		    "select gid, owner, prepared from pg_prepared_xacts order by prepared;");
	else
		check_detail(l->outcome, "", "select pg_terminate_backend(%lld);", blocker);
	bytes_free(&behind);
}
