/* What the answers about a database mean: one function a subject. */
#include "check/database_internal.h"

#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/null.h"
#include "base/page.h"
#include "check/check.h"
#include "postgres/connection.h"

#define METRIC(name, key, plugin, family, unit, help) \
	static const struct metric name##_metric = { key, plugin, "mig_database_" family, NULL, help, unit, \
		false }

METRIC(answer, "answer_ms", "answer", "answer_seconds", METRIC_MS,
    "Time until the database had connected and answered.");
METRIC(indexes, "invalid_indexes", "invalid_indexes", "invalid_indexes", METRIC_COUNT,
    "Indexes that are not valid and not being built.");
METRIC(constraints, "constraints_not_validated", "constraints_not_validated", "constraints_not_validated", METRIC_COUNT,
    "Constraints that existing rows were not checked against.");
METRIC(transaction, "oldest_transaction_seconds", "oldest_transaction", "oldest_transaction_seconds", METRIC_SECONDS,
    "Age of the oldest open transaction.");
METRIC(prepared, "oldest_prepared_seconds", "oldest_prepared", "oldest_prepared_transaction_seconds", METRIC_SECONDS,
    "Age of the oldest prepared transaction.");
METRIC(blocked, "blocked_sessions", "blocked_sessions", "blocked_sessions", METRIC_COUNT,
    "Sessions that wait for a lock.");
METRIC(wait, "longest_wait_seconds", "longest_wait", "longest_wait_seconds", METRIC_SECONDS,
    "How long the session has waited that waits longest for a lock.");
METRIC(lag, "lag_ms", "lag", "replication_lag_seconds", METRIC_MS,
    "How far the standby, or of several the last one, is behind.");
METRIC(connections, "connections_percent", "connections", "connections_used_ratio", METRIC_PERCENT,
    "Connections used, of those there are.");
METRIC(sequence, "sequence_percent", "sequence", "sequence_used_ratio", METRIC_PERCENT,
    "Numbers used of the sequence that is nearest to its end.");
METRIC(ids, "transaction_ids_percent", "transaction_ids", "transaction_ids_used_ratio", METRIC_PERCENT,
    "Transaction ids used since the oldest that is not frozen, of two thousand million.");
METRIC(rollbacks, "rollbacks", "rollbacks", "watch_rollbacks", METRIC_COUNT,
    "Transactions that were rolled back while it was watched.");
METRIC(deadlocks, "deadlocks", "deadlocks", "watch_deadlocks", METRIC_COUNT, "Deadlocks while it was watched.");

static long long
limit(const struct database_look *l, int setting)
{
	return l->job->settings[setting].number;
}

static enum check_state
measure(const struct database_look *l, const struct metric *metric, long long value, int warning)
{
	long long unit = metric->unit == METRIC_SECONDS ? 1000 : 1;

	return check_measure(l->outcome, metric, value, limit(l, warning) / unit,
	    limit(l, warning + 1) / unit);
}

/* The answer to a question; NULL where there is none, which is said. */
static const struct answer *
answer(const struct database_look *l, int ask, const char *what)
{
	const struct db_ask *a = &l->asks[ask];

	if (a->outcome == DB_OK && a->answer != NULL)
		return a->answer;
	check_unseen(l->outcome, "%s [%s]", what, a->sqlstate[0] != '\0' ? a->sqlstate : "no answer");
	return NULL;
}

static size_t
count_of(const struct answer *a, int column)
{
	return (size_t)answer_count(a, 0, column);
}

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

/* --- judging, a subject a function --- */

static void
judge_answer(const struct database_look *l)
{
	char span[CLOCK_SPAN];
	enum check_state state = measure(l, &answer_metric, l->session->took_ms, WARN);
	struct bytes time = { 0 };

	check_value(&time, &answer_metric, l->session->took_ms);
	if (state != CHECK_OK)
		check_say(l->outcome, state, "answers in %s, more than %s", time.data,
		    clock_span(limit(l, state == CHECK_CRITICAL ? CRIT : WARN), span));
	else
		check_aside(l->outcome, "answers in %s", time.data);
	bytes_free(&time);
}

static void
judge_role(struct database_look *l, const struct answer *a)
{
	static const char *const words[] = { "primary", "standby" };
	long long expect = limit(l, EXPECT);

	l->standby = answer_flag(a, 0, 0);
	l->role = answer_word(a, 0, 1);
	if (expect != 2 && (expect == 1) != l->standby)
		check_say(l->outcome, CHECK_CRITICAL, "it is a %s, expected was a %s", words[l->standby],
		    words[expect]);
	else
		check_aside(l->outcome, "%s", words[l->standby]);
}

static bool
is_near(const char *host)
{
	return host == NULL || *host == '/' || strcmp(host, "localhost") == 0 ||
	    strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}

static void
judge_tls(const struct database_look *l)
{
	const char *tls = db_tls(l->session->db);

	if (tls == NULL && !is_near(db_host(l->session->db)) && limit(l, TLS) != CHECK_OK) {
		check_say(l->outcome, (enum check_state)limit(l, TLS), "no TLS over the network");
		check_detail(l->outcome, "tls",
		    "password and rows cross the network readable: add sslmode=require, or verify-full");
	} else {
		check_aside(l->outcome, "%s", tls != NULL ? tls : "no TLS");
	}
}

static void
judge_connections(const struct database_look *l, const struct answer *a)
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
	state = measure(l, &connections_metric, percent, CONNECTIONS_WARN);
	if (state != CHECK_OK)
		check_say(l->outcome, state, "%lld of %lld connections are used", used, room);
}

static void
judge_indexes(const struct database_look *l)
{
	const struct answer *a = answer(l, ASK_INDEXES, "indexes");
	enum check_state means = (enum check_state)limit(l, INDEXES);
	size_t count, i;

	if (a == NULL)
		return;
	count = count_of(a, 2);
	check_count(l->outcome, &indexes_metric, count, means);
	if (count == 1)
		check_say(l->outcome, means, "index %s is invalid", answer_text(a, 0, 0));
	else if (count > 1)
		check_say(l->outcome, means, "%zu invalid indexes", count);
	for (i = 0; i < answer_rows(a); i++) {
		check_detail(l->outcome, "index", "%s on %s is invalid: a build that did not finish",
		    answer_text(a, i, 0), answer_text(a, i, 1));
		check_detail(l->outcome, "", "drop index concurrently %s;", answer_text(a, i, 0));
	}
}

static void
judge_constraints(const struct database_look *l)
{
	const struct answer *a = answer(l, ASK_CONSTRAINTS, "constraints");
	enum check_state means = (enum check_state)limit(l, CONSTRAINTS);
	size_t count, i;

	if (a == NULL)
		return;
	count = count_of(a, 2);
	check_count(l->outcome, &constraints_metric, count, means);
	if (count == 1)
		check_say(l->outcome, means, "constraint %s is not validated", answer_text(a, 0, 0));
	else if (count > 1)
		check_say(l->outcome, means, "%zu constraints not validated", count);
	for (i = 0; i < answer_rows(a); i++)
		check_detail(l->outcome, "constraint", "alter table %s validate constraint %s;",
		    answer_text(a, i, 1), answer_text(a, i, 0));
}

/* One long transaction: who, since when, what it holds, whom it blocks, and how to end it. */
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

static void
judge_transactions(const struct database_look *l)
{
	const struct answer *a = answer(l, ASK_TRANSACTIONS, "transactions");
	long long oldest = 0;
	size_t long_ones = 0, i;
	enum check_state state;
	char age[CLOCK_SPAN];

	if (a == NULL)
		return;
	if (answer_rows(a) > 0)
		oldest = answer_count(a, 0, 5);
	state = measure(l, &transaction_metric, oldest, TRANSACTION_WARN);
	if (state == CHECK_OK)
		return;
	for (i = 0; i < answer_rows(a); i++) {
		if (answer_number(a, i, 5) <= limit(l, TRANSACTION_WARN) / 1000)
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

static void
judge_prepared(const struct database_look *l)
{
	const struct answer *a = answer(l, ASK_PREPARED, "prepared transactions");
	enum check_state state;
	char age[CLOCK_SPAN];
	size_t i;

	if (a == NULL || answer_rows(a) == 0)
		return;
	state = measure(l, &prepared_metric, answer_number(a, 0, 2), TRANSACTION_WARN);
	if (state == CHECK_OK)
		return;
	check_say(l->outcome, state, "transaction prepared %s ago and never ended",
	    clock_age(answer_count(a, 0, 2) * 1000, age));
	for (i = 0; i < answer_rows(a); i++)
		check_detail(l->outcome, i == 0 ? "prepared" : "",
		    "by %s, %s ago: commit prepared %s; or rollback prepared %s;", answer_text(a, i, 1),
		    clock_age(answer_count(a, i, 2) * 1000, age), answer_text(a, i, 0),
		    answer_text(a, i, 0));
}

static void
judge_blocked(const struct database_look *l)
{
	const struct answer *a = answer(l, ASK_BLOCKED, "who waits for whom");
	long long longest = 0, blocker;
	enum check_state state;
	struct bytes behind = { 0 };
	char age[CLOCK_SPAN];
	size_t count, i;

	if (a == NULL)
		return;
	count = count_of(a, 9);
	if (count > 0 && answer_number(a, 0, 1) != NUMBER_UNKNOWN)
		longest = answer_number(a, 0, 1);
	(void)check_measure(l->outcome, &blocked_metric, (long long)count, NUMBER_UNKNOWN, NUMBER_UNKNOWN);
	state = measure(l, &wait_metric, longest, BLOCKED_WARN);
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
		check_detail(l->outcome, "blocked", "pid %lld waits for %s %s,", answer_number(a, i, 0),
		    relation != NULL ? relation : "a row or a transaction",
		    clock_age(answer_count(a, i, 1) == NUMBER_UNKNOWN ? 0 : answer_number(a, i, 1) * 1000,
		    age));
		check_detail(l->outcome, "", "behind %s", behind.data);
	}
	if (blocker == 0)
		check_detail(l->outcome, "",
		    "select gid, owner, prepared from pg_prepared_xacts order by prepared;");
	else
		check_detail(l->outcome, "", "select pg_terminate_backend(%lld);", blocker);
	bytes_free(&behind);
}

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
		check_detail(l->outcome, "replication", "so old is the last commit that it has replayed");
	bytes_free(&lag);
}

static void
judge_standby(const struct database_look *l)
{
	const struct answer *a = answer(l, ASK_STANDBY, "replication lag");
	enum check_state state;

	if (a == NULL || answer_rows(a) == 0)
		return;
	state = measure(l, &lag_metric, answer_number(a, 0, 0), LAG_WARN);
	if (state != CHECK_OK)
		say_lag(l, state, "the standby", answer_number(a, 0, 0), answer_number(a, 0, 1));
	if (answer_flag(a, 0, 3))
		check_say(l->outcome, CHECK_WARNING, "its replay is paused");
	if (!answer_flag(a, 0, 2)) {
		check_say(l->outcome, CHECK_WARNING, "it receives nothing from its primary");
		check_detail(l->outcome, "replication",
		    "there is no WAL receiver: is the primary reachable? The server's log says why");
	}
}

/* The standbys as the primary sees them. */
static void
judge_standbys(const struct database_look *l)
{
	const struct answer *a = answer(l, ASK_STANDBYS, "replication lag");
	struct bytes name = { 0 };
	enum check_state state;

	if (a == NULL || answer_rows(a) == 0)
		return;
	if (answer_text(a, 0, 2) == NULL) {
		check_unseen(l->outcome, "replication lag: role %s lacks pg_monitor", l->role);
		return;
	}
	/* NULL: it was up to date when it last said so */
	state = measure(l, &lag_metric, answer_number(a, 0, 3) == NUMBER_UNKNOWN ? 0 : answer_number(a, 0, 3),
	    LAG_WARN);
	bytes_format(&name, "standby %s", answer_text(a, 0, 0));
	if (answer_text(a, 0, 1) != NULL)
		bytes_format(&name, " at %s", answer_text(a, 0, 1));
	if (state != CHECK_OK)
		say_lag(l, state, name.data, answer_number(a, 0, 3), answer_number(a, 0, 4));
	bytes_free(&name);
}

static void
judge_sequences(const struct database_look *l)
{
	const struct answer *a = answer(l, ASK_SEQUENCES, "sequences");
	enum check_state state;
	size_t i;

	if (a == NULL || answer_rows(a) == 0)
		return;
	if (answer_number(a, 0, 2) > 0)
		check_unseen(l->outcome, "%lld sequence%s (no right to read)", answer_number(a, 0, 2),
		    answer_number(a, 0, 2) == 1 ? "" : "s");
	state = measure(l, &sequence_metric, answer_number(a, 0, 1), SEQUENCE_WARN);
	if (state == CHECK_OK)
		return;
	check_say(l->outcome, state, "sequence %s is used up to %lld %%", answer_text(a, 0, 0),
	    answer_number(a, 0, 1));
	for (i = 0; i < answer_rows(a) && answer_number(a, i, 1) != NUMBER_UNKNOWN &&
	    answer_number(a, i, 1) > limit(l, SEQUENCE_WARN); i++)
		check_detail(l->outcome, "sequence",
		    "%s: %lld %%; at the end inserts fail: make sequence and column "
		    "bigint", answer_text(a, i, 0),
		    answer_number(a, i, 1));
}

static void
judge_ids(const struct database_look *l)
{
	const struct answer *a = answer(l, ASK_IDS, "transaction ids");
	enum check_state state;

	if (a == NULL || answer_rows(a) == 0)
		return;
	state = measure(l, &ids_metric, answer_number(a, 0, 1), IDS_WARN);
	if (state == CHECK_OK)
		return;
	check_say(l->outcome, state, "transaction ids are used up to %lld %%", answer_number(a, 0, 1));
	check_detail(l->outcome, "ids",
	    "in database %s; vacuum (freeze) does not keep up: what holds it back?", answer_text(a, 0, 0));
}

/* How much more often than before; the rate before is that of this run, else of all that the server counted.
 * */
static void
judge_change(const struct database_look *l, const struct metric *metric, const char *what, long long least,
    const long long count[3],
    const struct database_job *d)
{
	double seconds = (double)(d->last.at_ms - d->begun.at_ms) / 1000, before = 0, rate;
	long long now = count[2] - count[1];

	(void)check_measure(l->outcome, metric, now, NUMBER_UNKNOWN, NUMBER_UNKNOWN);
	if (seconds < 0.5 || now < least)
		return;
	if (d->begun.at_ms - d->first.at_ms >= 10000)
		before = (double)(count[1] - count[0]) * 1000 / (double)(d->begun.at_ms - d->first.at_ms);
	else if (d->begun.since_s != NUMBER_UNKNOWN && d->begun.since_s > 60)
		before = (double)count[1] / (double)d->begun.since_s;
	rate = (double)now / seconds;
	if (rate <= 3 * before)
		return;
	check_say(l->outcome, CHECK_WARNING, "%lld %s%s in %.0f s", now, what, now == 1 ? "" : "s",
	    seconds < 1 ? 1 : seconds);
	check_detail(l->outcome, "change",
	    "%ss: %.2f a second now, %.2f before; the server's log has their errors", what, rate, before);
}

static void
judge_changes(const struct database_look *l)
{
	struct database_job *d = l->job->data;
	const struct answer *a = answer(l, ASK_COUNTERS, "rollbacks and deadlocks");

	if (a == NULL || answer_rows(a) == 0)
		return;
	d->last = (struct database_counters){ clock_now_ms(), answer_count(a, 0, 0), answer_count(a, 0, 1),
	    answer_count(a, 0, 2) };
	if (d->first.at_ms == 0)
		d->first = d->last;
	if (!d->watching)
		return;
	judge_change(l, &rollbacks_metric, "rollback", 10,
	    (long long[]){ d->first.rollbacks, d->begun.rollbacks, d->last.rollbacks }, d);
	judge_change(l, &deadlocks_metric, "deadlock", 1,
	    (long long[]){ d->first.deadlocks, d->begun.deadlocks, d->last.deadlocks }, d);
}

void
database_judge(struct database_look *l)
{
	const struct answer *who_we_are = answer(l, ASK_WHO, "the server itself");

	if (who_we_are == NULL) {
		check_raise(l->outcome, CHECK_UNKNOWN);
		return;
	}
	judge_answer(l);
	judge_role(l, who_we_are);
	judge_tls(l);
	judge_indexes(l);
	judge_constraints(l);
	judge_transactions(l);
	judge_prepared(l);
	judge_blocked(l);
	if (l->standby)
		judge_standby(l);
	else
		judge_standbys(l);
	judge_connections(l, who_we_are);
	judge_sequences(l);
	judge_ids(l);
	judge_changes(l);
	if (answer_number(who_we_are, 0, 6) > 0)
		check_unseen(l->outcome, "transactions of %lld session%s: role %s lacks pg_monitor",
		    answer_number(who_we_are, 0, 6),
		    answer_number(who_we_are, 0, 6) == 1 ? "" : "s", l->role);
}
