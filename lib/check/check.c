#include "check/check.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/null.h"
#include "secret/conninfo.h"

enum check_state
check_weigh(const struct measure *m)
{
	long long sign = m->metric->lower_is_worse ? -1 : 1;

	if (m->value == NUMBER_UNKNOWN)
		return CHECK_OK;
	if (m->critical != NUMBER_UNKNOWN && sign * m->value > sign * m->critical)
		return CHECK_CRITICAL;
	if (m->warning != NUMBER_UNKNOWN && sign * m->value > sign * m->warning)
		return CHECK_WARNING;
	return CHECK_OK;
}

void
check_value(struct bytes *out, const struct metric *metric, long long value)
{
	char span[CLOCK_SPAN];

	switch (metric->unit) {
	case METRIC_MS:
		if (value < 1000)
			bytes_format(out, "%lld ms", value);
		else
			bytes_str(out, clock_span(value, span));
		break;
	case METRIC_SECONDS:
		bytes_str(out, clock_age(value * 1000, span));
		break;
	case METRIC_DAYS:
		bytes_format(out, "%lld day%s", value, value == 1 ? "" : "s");
		break;
	case METRIC_PERCENT:
		bytes_format(out, "%lld %%", value);
		break;
	case METRIC_COUNT:
		bytes_format(out, "%lld", value);
		break;
	}
}

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

static void
add(struct bytes *out, const char *format, va_list args)
{
	if (out->len > 0)
		bytes_str(out, ", ");
	bytes_vformat(out, format, args);
}

void
check_say(struct check_outcome *outcome, enum check_state state, const char *format, ...)
{
	va_list args;

	check_raise(outcome, state);
	va_start(args, format);
	add(&outcome->message, format, args);
	va_end(args);
}

void
check_aside(struct check_outcome *outcome, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(&outcome->aside, format, args);
	va_end(args);
}

void
check_unseen(struct check_outcome *outcome, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(&outcome->unseen, format, args);
	va_end(args);
}

void
check_detail(struct check_outcome *outcome, const char *word, const char *format, ...)
{
	va_list args;

	bytes_format(&outcome->details, "%-11s ", word);
	va_start(args, format);
	bytes_vformat(&outcome->details, format, args);
	va_end(args);
	bytes_char(&outcome->details, '\n');
}

enum check_state
check_measure(struct check_outcome *outcome, const struct metric *metric, long long value, long long warning,
    long long critical)
{
	struct measure measure = { metric, value, warning, critical };

	if (outcome->measure_count < CHECK_MEASURES)
		outcome->measures[outcome->measure_count++] = measure;
	return check_weigh(&measure);
}

void
check_count(struct check_outcome *outcome, const struct metric *metric, size_t count, enum check_state means)
{
	(void)check_measure(outcome, metric, (long long)count, means == CHECK_WARNING ? 0 : NUMBER_UNKNOWN,
	    means == CHECK_CRITICAL ? 0 : NUMBER_UNKNOWN);
}

enum check_state
check_state_of_code(long long exit_code)
{
	switch (exit_code) {
	case MIG_FAILED:
	case MIG_UNREACHABLE:
	case MIG_BUSY:
	case MIG_DENIED:
		return CHECK_CRITICAL;
	default:
		return CHECK_UNKNOWN;
	}
}

void
check_cannot(struct check_outcome *outcome, bool first)
{
	check_outcome_clear(outcome);
	check_say(outcome, CHECK_UNKNOWN, "%s",
	    first && message_cause() != NULL ? message_cause()
	    : "cannot be checked; the reason is on standard error");
	outcome->final = true;
}

void
check_failed_upstream(struct check_outcome *outcome, const struct failure *failure)
{
	outcome->message.len = 0;
	outcome->final = true;
	check_say(outcome, check_state_of_code(failure->exit_code), "%s", failure->message);
}

void
check_take_target(struct check_job *job, const char *host, long long port, const char *database)
{
	struct check_target *t = &job->target;

	t->place.len = t->label.len = t->server.len = 0;
	bytes_format(&t->place, "%s at %s", database, host != NULL ? host : "the local socket");
	bytes_format(&t->label, "%s/%s", host != NULL ? host : "localhost", database);
	bytes_str(&t->server, host != NULL ? host : "localhost");
	if (host != NULL && *host != '/' && port != NUMBER_UNKNOWN)
		bytes_format(&t->server, ":%lld", port);
}

void
check_no_answer(struct check_job *job)
{
	const struct poller *session = job->session;
	const struct conninfo *target = &session->source.target;
	struct check_target *t = &job->target;

	if (t->place.len == 0 && target->database != NULL) {
		check_take_target(job, target->host, target->port != NULL ? strtoll(target->port, NULL, 10) : NUMBER_UNKNOWN, target->database);
		conninfo_cut_values(target, &t->place);
		conninfo_cut_values(target, &t->label);
		conninfo_cut_values(target, &t->server);
	}
	check_say(&job->outcome, check_state_of_code(session->code), "%s", session->why.data);
	if (session->grant.len > 0)
		check_detail(&job->outcome, "next", "%s", session->grant.data);
}

void
check_outcome_clear(struct check_outcome *outcome)
{
	struct bytes *const texts[] = { &outcome->message, &outcome->aside, &outcome->unseen,
	    &outcome->details };
	size_t i;

	for (i = 0; i < sizeof texts / sizeof *texts; i++) {
		texts[i]->len = 0;
		bytes_str(texts[i], "");
	}
	outcome->state = CHECK_OK;
	outcome->measure_count = 0;
	outcome->final = false;
	outcome->conclusive = false;
}

void
check_free(struct check_outcome *outcome)
{
	bytes_free(&outcome->message);
	bytes_free(&outcome->aside);
	bytes_free(&outcome->unseen);
	bytes_free(&outcome->details);
}
