/* What the answers about a database mean: one function a subject. */
#include "check/database_internal.h"

#include <stddef.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/null.h"
#include "check/check.h"
#include "postgres/connection.h"

METRIC(answer, "answer_ms", "answer", "answer_seconds", METRIC_MS,
    "Time until the database had connected and answered.");
METRIC(rollbacks, "rollbacks", "rollbacks", "watch_rollbacks", METRIC_COUNT,
    "Transactions rolled back during --watch.");
METRIC(deadlocks, "deadlocks", "deadlocks", "watch_deadlocks", METRIC_COUNT, "Deadlocks during --watch.");

long long
database_limit(const struct database_look *l, int setting)
{
	return l->job->settings[setting].number;
}

enum check_state
database_measure(const struct database_look *l, const struct metric *metric, long long value, int warning)
{
	long long unit = metric->unit == METRIC_SECONDS ? 1000 : 1;

	return check_measure(l->outcome, metric, value, database_limit(l, warning) / unit,
	    database_limit(l, warning + 1) / unit);
}

const struct answer *
database_answer(const struct database_look *l, int ask, const char *what)
{
	const struct db_ask *a = &l->asks[ask];

	if (a->outcome == DB_OK && a->answer != NULL)
		return a->answer;
	check_unseen(l->outcome, "%s [%s]", what, a->sqlstate[0] != '\0' ? a->sqlstate : "no answer");
	return NULL;
}

size_t
database_count_of(const struct answer *a, int column)
{
	return (size_t)answer_count(a, 0, column);
}

static void
judge_answer(const struct database_look *l)
{
	char span[CLOCK_SPAN];
	enum check_state state = database_measure(l, &answer_metric, l->session->took_ms, WARN);
	struct bytes time = { 0 };

	check_value(&time, &answer_metric, l->session->took_ms);
	if (state != CHECK_OK)
		check_say(l->outcome, state, "answers in %s, more than %s", time.data,
		    clock_span(database_limit(l, state == CHECK_CRITICAL ? CRIT : WARN), span));
	else
		check_aside(l->outcome, "answers in %s", time.data);
	bytes_free(&time);
}

static void
judge_role(struct database_look *l, const struct answer *a)
{
	static const char *const words[] = { "primary", "standby" };
	long long expect = database_limit(l, EXPECT);

	l->standby = answer_flag(a, 0, 0);
	l->role = answer_word(a, 0, 1);
	if (expect != 2 && (expect == 1) != l->standby)
		check_say(l->outcome, CHECK_CRITICAL, "expected a %s, got a %s", words[expect],
		    words[l->standby]);
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

	if (tls == NULL && !is_near(db_host(l->session->db)) && database_limit(l, TLS) != CHECK_OK) {
		check_say(l->outcome, (enum check_state)database_limit(l, TLS), "no TLS over the network");
		check_detail(l->outcome, "tls",
		    "password and rows are sent unencrypted: add sslmode=require, or verify-full");
	} else {
		check_aside(l->outcome, "%s", tls != NULL ? tls : "no TLS");
	}
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
	const struct answer *a = database_answer(l, ASK_COUNTERS, "rollbacks and deadlocks");

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
	const struct answer *who_we_are = database_answer(l, ASK_WHO, "the server itself");

	if (who_we_are == NULL) {
		check_raise(l->outcome, CHECK_UNKNOWN);
		return;
	}
	judge_answer(l);
	judge_role(l, who_we_are);
	judge_tls(l);
	database_judge_indexes(l);
	database_judge_constraints(l);
	database_judge_transactions(l);
	database_judge_prepared(l);
	database_judge_blocked(l);
	if (l->standby)
		database_judge_standby(l);
	else
		database_judge_standbys(l);
	database_judge_connections(l, who_we_are);
	database_judge_sequences(l);
	database_judge_ids(l);
	if (!l->standby)
		database_judge_published(l);
	database_judge_slots(l);
	judge_changes(l);
	if (answer_number(who_we_are, 0, 6) > 0)
		check_unseen(l->outcome, "transactions of %lld session%s: role %s lacks pg_monitor",
		    answer_number(who_we_are, 0, 6),
		    answer_number(who_we_are, 0, 6) == 1 ? "" : "s", l->role);
}
