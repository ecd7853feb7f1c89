/* Verdicts for Prometheus, as text. */
#include "check/page_internal.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/null.h"

void
check_page_prometheus_unknown(struct bytes *out, const char *why)
{
	bytes_str(out, "# mig-check: ");
	check_page_one_line(out, why);
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
		check_page_number(out, m->metric, m->value);
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
check_page_prometheus(struct bytes *out, const struct check_jobs *jobs, long long now)
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
	family_head(out, took, "Time that the last run of a check took.");
	for (i = 0; i < jobs->count; i++) {
		sample_head(out, took, jobs, &jobs->jobs[i]);
		bytes_str(out, "} ");
		check_page_number(out, &took_metric, jobs->jobs[i].outcome.took_ms);
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
