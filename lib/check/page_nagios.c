/* Verdicts for monitoring plugins. */
#include "check/page_internal.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/null.h"

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
	check_page_number(out, metric, limit);
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
	check_page_number(out, m->metric, m->value);
	bytes_str(out, plugin_unit(m->metric));
	plugin_limit(out, m->metric, m->warning);
	plugin_limit(out, m->metric, m->critical);
	bytes_str(out, m->metric->lower_is_worse ? ";" : ";0");
}

void
check_page_nagios(struct bytes *out, const struct check_jobs *jobs)
{
	struct bytes text = { 0 };
	bool any = false;
	size_t i, k;

	check_page_summary(&text, jobs);
	bytes_format(out, "MIG %s - ", check_word(check_page_worst(jobs)));
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
check_page_nagios_unknown(struct bytes *out, const char *why)
{
	bytes_str(out, "MIG UNKNOWN - ");
	plugin_text(out, why);
	bytes_char(out, '\n');
}
