#include "check/page.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/page.h"
#include "base/width.h"
#include "check/page_internal.h"

enum check_state
check_page_worst(const struct check_jobs *jobs)
{
	enum check_state worst = CHECK_OK;
	size_t i;

	for (i = 0; i < jobs->count; i++)
		worst = check_worse(worst, jobs->jobs[i].outcome.state);
	return worst;
}

static const char *
colour_of(enum check_state state)
{
	return state == CHECK_OK ? PAGE_GREEN : state == CHECK_WARNING ? PAGE_YELLOW : PAGE_RED;
}

void
check_page_one_line(struct bytes *out, const char *text)
{
	for (; *text != '\0'; text++)
		bytes_char(out, *text == '\n' ? ' ' : *text);
}

void
check_page_message(struct bytes *out, const struct check_outcome *o)
{
	check_page_one_line(out, bytes_text(&o->message));
	if (o->aside.len > 0)
		bytes_format(out, "%s%s", o->message.len > 0 ? "; " : "", o->aside.data);
	if (o->unseen.len > 0)
		bytes_format(out, "; not seen: %s", o->unseen.data);
}

/* Checks of one database that have one cause in common say it once. */
static bool
same_cause(const struct check_job *a, const struct check_job *b)
{
	const struct check_outcome *x = &a->outcome, *y = &b->outcome;

	return x->state != CHECK_OK && x->state == y->state && x->message.len > 0 &&
	    strcmp(bytes_text(&a->target.place), bytes_text(&b->target.place)) == 0 &&
	    strcmp(x->message.data, bytes_text(&y->message)) == 0 &&
	    strcmp(bytes_text(&x->aside), bytes_text(&y->aside)) == 0 &&
	    strcmp(bytes_text(&x->unseen), bytes_text(&y->unseen)) == 0 &&
	    strcmp(bytes_text(&x->details), bytes_text(&y->details)) == 0;
}

static bool
said_before(const struct check_jobs *jobs, size_t at)
{
	size_t i;

	for (i = 0; i < at; i++)
		if (same_cause(&jobs->jobs[i], &jobs->jobs[at]))
			return true;
	return false;
}

/* "history", or of several with one cause "history, database". */
static void
names_of(struct bytes *out, const struct check_jobs *jobs, size_t at)
{
	size_t i;

	bytes_str(out, jobs->jobs[at].outcome.name);
	for (i = at + 1; i < jobs->count; i++)
		if (same_cause(&jobs->jobs[at], &jobs->jobs[i]))
			bytes_format(out, ", %s", jobs->jobs[i].outcome.name);
}

/*
 * A line about a single check names its database or host: before the first, and before one of another database.
 */
static void
name_target(struct bytes *out, const struct check_job *job, const char **last)
{
	const char *place = job->target.place.len > 0 ? job->target.place.data : NULL;

	if (place == NULL || (*last != NULL && (job->target.label.len == 0 || strcmp(*last, place) == 0)))
		return;
	check_page_one_line(out, place);
	bytes_str(out, ": ");
	*last = place;
}

static void
summary_ok(struct bytes *out, const struct check_jobs *jobs)
{
	size_t i;

	for (i = 0; i < jobs->count; i++) {
		const struct check_outcome *o = &jobs->jobs[i].outcome;

		bytes_format(out, "%s%s", i == 0 ? "" : ", ", o->name);
		if (jobs->count == 1) {
			bytes_str(out, ": ");
			check_page_message(out, o);
		} else if (o->unseen.len > 0) {
			bytes_format(out, " (not seen: %s)", o->unseen.data);
		}
	}
}

void
check_page_summary(struct bytes *out, const struct check_jobs *jobs)
{
	const char *last = NULL;
	size_t i, told = 0;

	if (check_page_worst(jobs) == CHECK_OK) {
		summary_ok(out, jobs);
		return;
	}
	for (i = 0; i < jobs->count; i++) {
		const struct check_outcome *o = &jobs->jobs[i].outcome;

		if (o->state == CHECK_OK || said_before(jobs, i))
			continue;
		bytes_str(out, told++ == 0 ? "" : "; ");
		name_target(out, &jobs->jobs[i], &last);
		names_of(out, jobs, i);
		bytes_str(out, ": ");
		check_page_one_line(out, bytes_text(&o->message));
	}
}

static void
detail_lines(struct bytes *out, const struct check_outcome *o)
{
	const char *line = bytes_text(&o->details);
	size_t len;

	for (; *line != '\0'; line += len + 1) {
		len = strcspn(line, "\n");
		bytes_format(out, "             %.*s\n", (int)len, line);
	}
}

/* Below a single result: also the text that a section has after its message. */
static void
facts(struct bytes *out, const struct check_outcome *o)
{
	if (o->aside.len > 0)
		bytes_format(out, "             %s\n", o->aside.data);
	if (o->unseen.len > 0)
		bytes_format(out, "             not seen    %s\n", o->unseen.data);
	detail_lines(out, o);
}

static void
section(struct bytes *out, const struct check_jobs *jobs, size_t at, size_t width)
{
	const struct check_outcome *o = &jobs->jobs[at].outcome;
	struct bytes names = { 0 }, message = { 0 };

	names_of(&names, jobs, at);
	check_page_message(&message, o);
	bytes_str(out, colour_of(o->state));
	page_pad(out, check_word(o->state), 11);
	bytes_str(out, PAGE_PLAIN);
	page_pad(out, names.data, width);
	bytes_format(out, "%s\n", bytes_text(&message));
	detail_lines(out, o);
	bytes_free(&names);
	bytes_free(&message);
}

static void
sections(struct bytes *out, const struct check_jobs *jobs)
{
	struct bytes names = { 0 };
	size_t width = 9, i;

	for (i = 0; i < jobs->count; i++) {
		names.len = 0;
		names_of(&names, jobs, i);
		if (!said_before(jobs, i) && width_columns(names.data, names.len) > width)
			width = width_columns(names.data, names.len);
	}
	bytes_free(&names);
	for (i = 0; i < jobs->count; i++)
		if (!said_before(jobs, i))
			section(out, jobs, i, width + 2);
	bytes_char(out, '\n');
}

void
check_page_text(struct bytes *out, const struct check_jobs *jobs, bool unfold)
{
	enum check_state worst = check_page_worst(jobs);
	bool one = jobs->count == 1 && worst != CHECK_OK;

	if (!one && (worst != CHECK_OK || unfold))
		sections(out, jobs);
	bytes_str(out, one || worst == CHECK_OK ? colour_of(worst) : "");
	bytes_str(out, check_word(worst));
	bytes_str(out, one || worst == CHECK_OK ? PAGE_PLAIN : "");
	bytes_str(out, ": ");
	check_page_summary(out, jobs);
	bytes_char(out, '\n');
	if (one)
		facts(out, &jobs->jobs[0].outcome);
}

void
check_page_number(struct bytes *out, const struct metric *metric, long long value)
{
	if (metric->unit == METRIC_MS && value < 0)
		bytes_char(out, '-');
	if (metric->unit != METRIC_MS)
		bytes_format(out, "%lld", value);
	else
		bytes_format(out, "%lld.%03lld", value < 0 ? -value / 1000 : value / 1000, value < 0
		    ? -value % 1000 : value % 1000);
}
