#include "check/page.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/null.h"
#include "base/page.h"
#include "base/width.h"

static enum check_state
worst_of(const struct check_jobs *jobs)
{
	enum check_state worst = CHECK_OK;
	size_t i;

	for (i = 0; i < jobs->count; i++)
		worst = check_worse(worst, jobs->jobs[i].outcome.state);
	return worst;
}

/* --- for people --- */

static const char *
colour_of(enum check_state state)
{
	return state == CHECK_OK ? PAGE_GREEN : state == CHECK_WARNING ? PAGE_YELLOW : PAGE_RED;
}

/* A line break in what a server said must not make a line of the page. */
static void
one_line(struct bytes *out, const char *text)
{
	for (; *text != '\0'; text++)
		bytes_char(out, *text == '\n' ? ' ' : *text);
}

void
check_face_message(struct bytes *out, const struct check_outcome *o)
{
	one_line(out, bytes_text(&o->message));
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

/* A line that stands alone says of what it speaks: before the first, and before one of another database. */
static void
name_target(struct bytes *out, const struct check_job *job, const char **last)
{
	const char *place = job->target.place.len > 0 ? job->target.place.data : NULL;

	if (place == NULL || (*last != NULL && (job->target.label.len == 0 || strcmp(*last, place) == 0)))
		return;
	one_line(out, place);
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
			check_face_message(out, o);
		} else if (o->unseen.len > 0) {
			bytes_format(out, " (not seen: %s)", o->unseen.data);
		}
	}
}

/* What is not OK, each with its message; where all is well the names. */
static void
summary(struct bytes *out, const struct check_jobs *jobs)
{
	const char *last = NULL;
	size_t i, told = 0;

	if (worst_of(jobs) == CHECK_OK) {
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
		one_line(out, bytes_text(&o->message));
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

/* Below a verdict that stands alone: also what a section has behind its message. */
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
	check_face_message(&message, o);
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
check_face_text(struct bytes *out, const struct check_jobs *jobs, bool unfold)
{
	enum check_state worst = worst_of(jobs);
	bool one = jobs->count == 1 && worst != CHECK_OK;

	if (!one && (worst != CHECK_OK || unfold))
		sections(out, jobs);
	bytes_str(out, one || worst == CHECK_OK ? colour_of(worst) : "");
	bytes_str(out, check_word(worst));
	bytes_str(out, one || worst == CHECK_OK ? PAGE_PLAIN : "");
	bytes_str(out, ": ");
	summary(out, jobs);
	bytes_char(out, '\n');
	if (one)
		facts(out, &jobs->jobs[0].outcome);
}

/* --- for monitoring plugins --- */

/* Monitoring systems strip or misread these. */
static void
plugin_text(struct bytes *out, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\'' || c == '`' || c == '$' || c == '<' || c == '>')
			continue;
		bytes_char(out, c < 0x20 || c == 0x7F ? ' ' : c == '|' ? '/' : *text);
	}
}

/* A number in the unit that plugins and Prometheus want: seconds for milliseconds. */
static void
base_number(struct bytes *out, const struct metric *metric, long long value)
{
	if (metric->unit == METRIC_MS && value < 0)
		bytes_char(out, '-');
	if (metric->unit != METRIC_MS)
		bytes_format(out, "%lld", value);
	else
		bytes_format(out, "%lld.%03lld", value < 0 ? -value / 1000 : value / 1000, value < 0
		    ? -value % 1000 : value % 1000);
}

static const char *
plugin_unit(const struct metric *metric)
{
	switch (metric->unit) {
	case METRIC_MS:
	case METRIC_SECONDS:
		return "s";
	case METRIC_PERCENT:
		return "%";
	case METRIC_COUNT:
	case METRIC_DAYS:
		break;
	}
	return "";
}

static void
plugin_limit(struct bytes *out, const struct metric *metric, long long limit)
{
	bytes_char(out, ';');
	if (limit == NUMBER_UNKNOWN)
		return;
	base_number(out, metric, limit);
	if (metric->lower_is_worse)
		bytes_char(out, ':');
}

static void
plugin_data(struct bytes *out, const struct check_outcome *o, const struct measure *m)
{
	const char *c;

	bytes_char(out, ' ');
	for (c = o->name; *c != '\0'; c++)
		bytes_char(out, isalnum((unsigned char)*c) ? *c : '_');
	bytes_format(out, "_%s=", m->metric->plugin);
	base_number(out, m->metric, m->value);
	bytes_str(out, plugin_unit(m->metric));
	plugin_limit(out, m->metric, m->warning);
	plugin_limit(out, m->metric, m->critical);
	bytes_str(out, m->metric->lower_is_worse ? ";" : ";0");
}

void
check_face_nagios(struct bytes *out, const struct check_jobs *jobs)
{
	struct bytes text = { 0 };
	bool any = false;
	size_t i, k;

	summary(&text, jobs);
	bytes_format(out, "MIG %s - ", check_word(worst_of(jobs)));
	plugin_text(out, text.data);
	for (i = 0; i < jobs->count; i++) {
		const struct check_outcome *o = &jobs->jobs[i].outcome;

		for (k = 0; k < o->measure_count; k++) {
			if (o->measures[k].metric->plugin == NULL || o->measures[k].value == NUMBER_UNKNOWN)
				continue;
			bytes_str(out, any ? "" : " |");
			any = true;
			plugin_data(out, o, &o->measures[k]);
		}
	}
	bytes_char(out, '\n');
	bytes_free(&text);
}

void
check_face_nagios_unknown(struct bytes *out, const char *why)
{
	bytes_str(out, "MIG UNKNOWN - ");
	plugin_text(out, why);
	bytes_char(out, '\n');
}

/* --- for Prometheus --- */

void
check_face_prometheus_unknown(struct bytes *out, const char *why)
{
	bytes_str(out, "# mig-check: ");
	one_line(out, why);
	bytes_char(out, '\n');
}

static void
label(struct bytes *out, const char *name, const char *value)
{
	bytes_format(out, "%s%s=\"", out->data[out->len - 1] == '{' ? "" : ",", name);
	for (; *value != '\0'; value++) {
		if (*value == '\\' || *value == '"')
			bytes_char(out, '\\');
		if (*value == '\n')
			bytes_str(out, "\\n");
		else
			bytes_char(out, *value);
	}
	bytes_char(out, '"');
}

/* A check that speaks of no database of its own belongs to that of the others. */
static const char *
target_of(const struct check_jobs *jobs, const struct check_job *job)
{
	size_t i;

	if (job->target.label.len > 0)
		return job->target.label.data;
	for (i = 0; i < jobs->count; i++)
		if (jobs->jobs[i].target.label.len > 0)
			return jobs->jobs[i].target.label.data;
	return NULL;
}

static void
sample_head(struct bytes *out, const char *family, const struct check_jobs *jobs, const struct check_job *job)
{
	const char *target = target_of(jobs, job);

	bytes_format(out, "%s{", family);
	if (target != NULL)
		label(out, "target", target);
	label(out, "check", job->name);
}

static void
family_head(struct bytes *out, const char *family, const char *help)
{
	bytes_format(out, "# HELP %s %s\n# TYPE %s gauge\n", family, help, family);
}

static void
sample(struct bytes *out, const struct check_jobs *jobs, const struct check_job *job, const struct measure *m)
{
	sample_head(out, m->metric->family, jobs, job);
	if (m->metric->label != NULL)
		bytes_format(out, ",%s", m->metric->label);
	bytes_str(out, "} ");
	if (m->metric->unit == METRIC_PERCENT) /* ratios are the base unit */
		bytes_format(out, "%lld.%02lld", m->value / 100, m->value % 100);
	else
		base_number(out, m->metric, m->value);
	bytes_char(out, '\n');
}

/* All samples of the family that begins with this measure; nothing where it was written already. */
static void
family(struct bytes *out, const struct check_jobs *jobs, size_t job, size_t measure)
{
	const char *name = jobs->jobs[job].outcome.measures[measure].metric->family;
	bool begun = false;
	size_t i, k;

	for (i = 0; i < jobs->count; i++) {
		for (k = 0; k < jobs->jobs[i].outcome.measure_count; k++) {
			const struct measure *m = &jobs->jobs[i].outcome.measures[k];

			if (strcmp(m->metric->family, name) != 0)
				continue;
			if (i < job || (i == job && k < measure))
				return;
			if (m->value == NUMBER_UNKNOWN)
				continue;
			if (!begun)
				family_head(out, name, m->metric->help);
			begun = true;
			sample(out, jobs, &jobs->jobs[i], m);
		}
	}
}

/* Which server a target is now, once each. */
static void
servers(struct bytes *out, const struct check_jobs *jobs)
{
	static const char family_name[] = "mig_check_target_info";
	size_t told = 0, i, k;

	for (i = 0; i < jobs->count; i++) {
		const struct check_target *t = &jobs->jobs[i].target;

		for (k = 0; k < i && strcmp(bytes_text(&jobs->jobs[k].target.label), bytes_text(&t->label)) != 0; k++)
			;
		if (t->label.len == 0 || k < i)
			continue;
		if (told++ == 0)
			family_head(out, family_name, "The server, with its port, of a target.");
		bytes_format(out, "%s{", family_name);
		label(out, "target", t->label.data);
		label(out, "server", t->server.data);
		bytes_str(out, "} 1\n");
	}
}

void
check_face_prometheus(struct bytes *out, const struct check_jobs *jobs, long long now)
{
	static const char status[] = "mig_check_status", took[] = "mig_check_duration_seconds",
	                  ran[] = "mig_check_last_run_timestamp_seconds";
	static const struct metric took_metric = { NULL, NULL, took, NULL, NULL, METRIC_MS, false };
	size_t i, k;

	family_head(out, status, "Outcome of a check: 0 ok, 1 warning, 2 critical, 3 unknown.");
	for (i = 0; i < jobs->count; i++) {
		sample_head(out, status, jobs, &jobs->jobs[i]);
		bytes_format(out, "} %d\n", (int)jobs->jobs[i].outcome.state);
	}
	family_head(out, took, "Time that the last look of a check took.");
	for (i = 0; i < jobs->count; i++) {
		sample_head(out, took, jobs, &jobs->jobs[i]);
		bytes_str(out, "} ");
		base_number(out, &took_metric, jobs->jobs[i].outcome.took_ms);
		bytes_char(out, '\n');
	}
	for (i = 0; i < jobs->count; i++)
		for (k = 0; k < jobs->jobs[i].outcome.measure_count; k++)
			family(out, jobs, i, k);
	servers(out, jobs);
	family_head(out, ran, "When these checks ended, as Unix time.");
	for (i = 0; i < jobs->count; i++) {
		sample_head(out, ran, jobs, &jobs->jobs[i]);
		bytes_format(out, "} %lld\n", now);
	}
}

/* --- for records --- */

void
check_face_measures(struct bytes *out, const struct check_outcome *o)
{
	size_t i;

	bytes_char(out, '{');
	for (i = 0; i < o->measure_count; i++) {
		bytes_format(out, "%s\"%s\":", i > 0 ? "," : "", o->measures[i].metric->key);
		if (o->measures[i].value == NUMBER_UNKNOWN)
			bytes_str(out, "null");
		else
			bytes_format(out, "%lld", o->measures[i].value);
	}
	bytes_char(out, '}');
}

void
check_face_limits(struct bytes *out, const struct check_outcome *o)
{
	size_t i, told = 0;

	bytes_char(out, '{');
	for (i = 0; i < o->measure_count; i++) {
		const struct measure *m = &o->measures[i];
		bool both = m->warning != NUMBER_UNKNOWN && m->critical != NUMBER_UNKNOWN;

		if (m->warning == NUMBER_UNKNOWN && m->critical == NUMBER_UNKNOWN)
			continue;
		bytes_format(out, "%s\"%s\":{", told++ > 0 ? "," : "", m->metric->key);
		if (m->warning != NUMBER_UNKNOWN)
			bytes_format(out, "\"warning\":%lld", m->warning);
		if (m->critical != NUMBER_UNKNOWN)
			bytes_format(out, "%s\"critical\":%lld", both ? "," : "", m->critical);
		bytes_char(out, '}');
	}
	bytes_char(out, '}');
}
