/*
 * Parses mig-check's arguments: CHECK[:NAME][=VALUE] and CHECK[:NAME].SETTING=VALUE.  The tables of the kinds
 * serve both the parser and --help, so that they agree.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/null.h"
#include "base/options.h"
#include "base/suggest.h"
#include "check/check.h"

const struct check_kind *const check_kinds[] = { &check_history_kind, &check_deploy_kind, &check_seeds_kind, &check_schema_kind,
	&check_database_kind, &check_relation_kind, &check_used_kind, &check_health_kind, &check_log_kind, &check_fleet_kind, NULL };

/* A word's parts; texts are not owned. */
struct word {
	const char *whole;
	const struct check_kind *kind;
	char *name;            /* behind ":", or NULL */
	char *setting;         /* behind ".", or NULL */
	const char *value;     /* behind "=", or NULL */
	char *left;            /* what is before "="; owned, name and setting point into it */
};

static size_t
setting_count(const struct check_kind *kind)
{
	size_t n = 0;

	while (kind->settings != NULL && kind->settings[n].name != NULL)
		n++;
	return n;
}

static int
no_such_check(const char *name)
{
	struct bytes list = { 0 };
	const char *names[32], *nearest;
	size_t i;
	int code;

	for (i = 0; check_kinds[i] != NULL; i++) {
		names[i] = check_kinds[i]->name;
		bytes_format(&list, "%s%s", i == 0 ? "" : check_kinds[i + 1] == NULL ? " and " : ", ",
		    check_kinds[i]->name);
	}
	nearest = name != NULL ? suggest_nearest(name, strlen(name), names, i) : NULL;
	if (nearest != NULL)
		code = options_wrong("there is no check \"%s\"; did you mean %s?", name, nearest);
	else if (name == NULL)
		code = options_wrong("which check? the checks are %s", list.data);
	else
		code = options_wrong("there is no check \"%s\"; the checks are %s", name, list.data);
	bytes_free(&list);
	return code;
}

static const struct check_kind *
kind_called(const char *name)
{
	size_t i;

	for (i = 0; check_kinds[i] != NULL; i++)
		if (strcmp(check_kinds[i]->name, name) == 0)
			return check_kinds[i];
	return NULL;
}

/* What is behind "=" may hold a secret and is not repeated in messages. */
static int
word_split(struct word *w, const char *text)
{
	size_t left = strcspn(text, "=");
	char *colon, *dot;

	*w = (struct word){ .whole = text, .left = xstrndup(text, left) };
	if (text[left] == '=')
		w->value = text + left + 1;
	if ((dot = strchr(w->left, '.')) != NULL) {
		*dot = '\0';
		w->setting = dot + 1;
	}
	if ((colon = strchr(w->left, ':')) != NULL) {
		*colon = '\0';
		w->name = colon + 1;
	}
	if ((w->kind = kind_called(w->left)) == NULL)
		return no_such_check(w->left);
	if (w->name != NULL &&
	    (*w->name == '\0' ||
	        w->name[strspn(w->name,
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")] != '\0'))
		return options_wrong("%s:%s: a check's name has letters, digits, _ and -", w->left, w->name);
	return 0;
}

static char *
name_of(const struct word *w)
{
	if (w->name != NULL)
		return xformat("%s:%s", w->kind->name, w->name);
	if (w->kind->value_names && w->value != NULL)
		return xformat("%s:%s", w->kind->name, w->value);
	return xstrdup(w->kind->name);
}

static int
set(const struct setting *setting, struct setting_value *v, const char *text);

static int
add_job(struct check_jobs *jobs, const struct word *w)
{
	const struct check_kind *kind = w->kind;
	struct check_job *job;
	char *name = name_of(w);
	size_t i, settings = setting_count(kind);

	for (i = 0; i < jobs->count; i++) {
		if (strcmp(jobs->jobs[i].name, name) != 0)
			continue;
		free(name);
		return options_wrong("%s is asked for twice; two of a kind have names: %s:a and %s:b",
		    jobs->jobs[i].name,
		    kind->name, kind->name);
	}
	jobs->jobs = xrealloc(jobs->jobs, (jobs->count + 1) * sizeof *jobs->jobs);
	job = &jobs->jobs[jobs->count++];
	*job = (struct check_job){ .kind = kind, .name = name, .value = w->value };
	job->outcome.name = name;
	job->settings = xcalloc(settings, sizeof *job->settings);
	for (i = 0; i < settings; i++) {
		job->settings[i] = (struct setting_value){ .number = NUMBER_UNKNOWN };
		if (kind->settings[i].standard != NULL &&
		    set(&kind->settings[i], &job->settings[i], kind->settings[i].standard) != 0)
			return MIG_USAGE;
		job->settings[i].given = false;
	}
	if (w->value == NULL && kind->value != NULL && !kind->value_optional)
		return options_wrong("%s needs a value: %s=%s", job->name, kind->name, kind->value);
	if (w->value != NULL && *w->value == '\0')
		return options_wrong("%s has an empty value", kind->name);
	if (w->value != NULL && kind->value == NULL)
		return options_wrong("%s takes no value", kind->name);
	return 0;
}

static int
parse_whole(const char *text, const char *unit, long long *number)
{
	char *end;

	if (strspn(text, "0123456789") == 0 || strlen(text) > 15)
		return -1;
	*number = strtoll(text, &end, 10);
	end += strspn(end, " ");
	return *end == '\0' || (unit != NULL && strcmp(end, unit) == 0) ? 0 : -1;
}

static int
parse_one_of(const char *text, const char *words, long long *number)
{
	size_t len;

	for (*number = 0; *words != '\0'; words += len + (words[len] == '|'), ++*number) {
		len = strcspn(words, "|");
		if (strlen(text) == len && strncmp(text, words, len) == 0)
			return 0;
	}
	return -1;
}

static const char states[] = "ok|warning|critical";

/* Returns 0, or -1: it cannot be. */
static int
set(const struct setting *setting, struct setting_value *v, const char *text)
{
	v->text = text;
	v->given = true;
	switch (setting->type) {
	case SETTING_TIME:
		return clock_parse(text, &v->number) ? 0 : -1;
	case SETTING_DAYS:
		return parse_whole(text, "d", &v->number);
	case SETTING_COUNT:
		return parse_whole(text, NULL, &v->number);
	case SETTING_PERCENT:
		return parse_whole(text, "%", &v->number);
	case SETTING_STATE:
		return parse_one_of(text, states, &v->number);
	case SETTING_WORD:
		return parse_one_of(text, setting->argument, &v->number);
	case SETTING_TEXT:
		if (setting->repeatable)
			bytes_format(&v->lines, "%s\n", text);
		return *text != '\0' && (!setting->repeatable || strchr(text, '\n') == NULL) ? 0 : -1;
	}
	return -1;
}

static int
wrong_value(const struct word *w, const struct setting *setting)
{
	static const char *const wants[] = { [SETTING_TIME] = "a time with its unit: 200ms, 5s, 10min",
		[SETTING_DAYS] = "a number of days: 21d", [SETTING_COUNT] = "a whole number",
		[SETTING_PERCENT] = "a percentage: 80%", [SETTING_STATE] = "ok, warning or critical",
		[SETTING_TEXT] = "text on one line" };

	if (setting->type == SETTING_WORD)
		return options_wrong("%s=%s: must be one of %s", setting->name, w->value, setting->argument);
	if (setting->type == SETTING_TEXT)
		return options_wrong("%s.%s needs %s", w->kind->name, setting->name, wants[setting->type]);
	return options_wrong("%s.%s=%s: must be %s", w->kind->name, setting->name, w->value,
	    wants[setting->type]);
}

static int
no_such_setting(const struct word *w)
{
	struct bytes list = { 0 };
	const char **names = xcalloc(setting_count(w->kind) + 1, sizeof *names), *nearest;
	size_t i;
	int code;

	for (i = 0; i < setting_count(w->kind); i++) {
		names[i] = w->kind->settings[i].name;
		bytes_format(&list, "%s%s", i > 0 ? ", " : "", names[i]);
	}
	nearest = suggest_nearest(w->setting, strlen(w->setting), names, i);
	if (nearest != NULL)
		code = options_wrong("%s has no setting \"%s\"; did you mean %s.%s?", w->kind->name, w->setting, w->kind->name,
		    nearest);
	else if (list.len == 0)
		code = options_wrong("%s.%s: %s has no settings", w->kind->name, w->setting, w->kind->name);
	else
		code = options_wrong("%s has no setting \"%s\"; it has %s", w->kind->name, w->setting,
		    list.data);
	bytes_free(&list);
	free(names);
	return code;
}

/* One setting of one job.  One that names the check wins over one for all of its kind, whichever comes first. */
static int
set_one(struct check_job *job, const struct word *w, const struct setting *setting)
{
	struct setting_value *v = &job->settings[setting - w->kind->settings];

	if (v->for_one && w->name == NULL)
		return 0;
	if (v->given && !setting->repeatable && v->for_one == (w->name != NULL))
		return options_wrong("%s.%s is given twice", w->left, setting->name);
	if (!v->for_one && w->name != NULL)
		bytes_free(&v->lines); /* those for all of the kind */
	v->for_one = w->name != NULL;
	if (set(setting, v, w->value) != 0)
		return wrong_value(w, setting);
	return 0;
}

static int
apply_setting(struct check_jobs *jobs, const struct word *w)
{
	const struct setting *setting = NULL;
	size_t i, found = 0;

	for (i = 0; i < setting_count(w->kind); i++)
		if (strcmp(w->kind->settings[i].name, w->setting) == 0)
			setting = &w->kind->settings[i];
	if (setting == NULL)
		return no_such_setting(w);
	if (w->value == NULL)
		return options_wrong("%s.%s needs a value: %s.%s=%s", w->kind->name, w->setting,
		    w->kind->name, w->setting,
		    setting->argument);
	for (i = 0; i < jobs->count; i++) {
		const char *own = strchr(jobs->jobs[i].name, ':');

		if (jobs->jobs[i].kind != w->kind ||
		    (w->name != NULL && (own == NULL || strcmp(own + 1, w->name) != 0)))
			continue;
		found++;
		if (set_one(&jobs->jobs[i], w, setting) != 0)
			return MIG_USAGE;
	}
	if (found == 0)
		return options_wrong("%s%s%s.%s is set, but that check was not requested", w->kind->name,
		    w->name != NULL ? ":" : "", w->name != NULL ? w->name : "", w->setting);
	return 0;
}

/* Standard input goes to one check. */
static int
check_streams(const struct check_jobs *jobs)
{
	const struct check_job *first = NULL;
	size_t i;

	for (i = 0; i < jobs->count; i++) {
		const struct check_job *job = &jobs->jobs[i];

		if (job->kind->read == NULL && (!job->kind->dash_is_stdin || strcmp(job->value, "-") != 0))
			continue;
		if (first != NULL)
			return options_wrong("%s and %s both read standard input; ask for one of them",
			    first->name, job->name);
		first = job;
	}
	return 0;
}

int
check_jobs_read(struct check_jobs *jobs, char *const words[], size_t count)
{
	int code = count > 0 ? 0 : no_such_check(NULL), settings;
	struct word w;
	size_t i;

	for (settings = 0; settings < 2; settings++) {
		for (i = 0; code == 0 && i < count; i++) {
			code = word_split(&w, words[i]);
			if (code == 0 && (w.setting != NULL) == (settings == 1))
				code = settings == 1 ? apply_setting(jobs, &w) : add_job(jobs, &w);
			free(w.left);
		}
	}
	return code == 0 ? check_streams(jobs) : code;
}

int
check_jobs_begin(struct check_jobs *jobs, bool waits, bool watches)
{
	size_t i;

	for (i = 0; i < jobs->count; i++) {
		struct check_job *job = &jobs->jobs[i];
		bool first = message_cause() == NULL;
		int code;

		job->waits = waits;
		job->watches = watches;
		code = job->kind->begin != NULL ? job->kind->begin(job) : 0;
		if (code == MIG_USAGE)
			return code;
		if (code == 0)
			continue;
		check_cannot(&job->outcome, first);
		job->looks = 1;
	}
	return 0;
}

void
check_jobs_free(struct check_jobs *jobs)
{
	size_t i, k;

	for (i = 0; i < jobs->count; i++) {
		struct check_job *job = &jobs->jobs[i];

		if (job->kind->end != NULL && job->data != NULL)
			job->kind->end(job);
		for (k = 0; k < setting_count(job->kind); k++)
			bytes_free(&job->settings[k].lines);
		free(job->settings);
		free(job->name);
		bytes_free(&job->target.place);
		bytes_free(&job->target.label);
		bytes_free(&job->target.server);
		check_free(&job->outcome);
	}
	free(jobs->jobs);
	*jobs = (struct check_jobs){ 0 };
}

void
check_kinds_help(struct bytes *out, bool all)
{
	size_t i;
	char *head;

	bytes_str(out, "checks, as many as wanted; those of a kind have names: health:api=URL\n");
	for (i = 0; check_kinds[i] != NULL; i++) {
		const struct check_kind *kind = check_kinds[i];

		head = xformat(kind->value == NULL ? "  %s" : kind->value_optional ? "  %s[=%s]" : "  %s=%s", kind->name, kind->value);
		options_help_line(out, head, 26, kind->help, all);
		free(head);
	}
}

/* Those of one kind. */
static void
settings_help(struct bytes *out, const struct check_kind *kind)
{
	size_t i;

	for (i = 0; i < setting_count(kind); i++) {
		const struct setting *s = &kind->settings[i];
		char *head = xformat("  %s.%s=%s", kind->name, s->name, s->argument);
		char *text = xformat(s->standard != NULL ? "%s (default: %s)" : "%s", s->help, s->standard);

		options_help_line(out, head, 40, text, true);
		free(head);
		free(text);
	}
}

void
check_settings_help(struct bytes *out)
{
	size_t i;

	bytes_str(out, "settings, before or behind their check, for all of a kind or for one:\nhealth:api.crit=2s\n");
	for (i = 0; check_kinds[i] != NULL; i++)
		settings_help(out, check_kinds[i]);
}

bool
check_kind_help(struct bytes *out, const char *name)
{
	size_t i;

	for (i = 0; check_kinds[i] != NULL; i++)
		if (strcmp(check_kinds[i]->name, name) == 0) {
			options_help_line(out, name, 10, check_kinds[i]->help, true);
			bytes_str(out, setting_count(check_kinds[i]) > 0 ? "\nsettings:\n" : "");
			settings_help(out, check_kinds[i]);
			return true;
		}
	return false;
}
