/*
 * mig-check: checks a deploy, a database and an application; a monitoring plugin.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/options.h"
#include "base/shell_quote.h"
#include "check/check.h"
#include "check/page.h"
#include "check/picture.h"
#include "check/run.h"
#include "records/model.h"
#include "records/output.h"
#include "records/record.h"
#include "secret/source.h"
#include "program.h"
#include "programs.h"

#define FORMATS "text|records|nagios|prometheus|junit|svg"

static const char *const usage[] = { "mig-check [OPTION]... CHECK[:NAME][=VALUE]... [CHECK.SETTING=VALUE]...",
	NULL };
enum { OPTION_SCHEMA_NAME = 128 };
static const struct option_spec specs[] = {
	OPTION_DATABASE,
	OPTION_SCHEMA(OPTION_SCHEMA_NAME),
	{ 'w', "wait", "TIME", "retry until everything is OK, for at most TIME\n(default: check once)", false },
	{ 'W', "watch", "TIME", "then keep checking; all must stay OK for TIME", false },
	{ 'i', "interval", "TIME", "pause between two looks (default: 1s)", false },
	{ 't', "timeout", "TIME", "end after this time, with the results so far", false },
	{ 'n', "dry-run", NULL, "only read what was typed", false },
	{ 'o', "output", "FILE",
	    "write records, or what --format says, to FILE\nStandard output then shows the text.", false },
	{ 'F', "format", FORMATS, "for standard output (default: text, everywhere)", false },
	OPTION_LAST,
};
struct program mig_check_program = {
	.name = "mig-check",
	.about = "check a deploy, a database and an application; monitoring plugin",
	.usage = usage,
	.options = specs,
	.topic = check_kind_help,
};

static const char examples[] =
    "\nexamples:\n"
    "  mig-scan | mig-check history database health=https://api.example.com/health\n"
    "  mig-scan --offline | mig-check history --wait=10min   (a pod that waits)\n"
    "  mig-check --help=database                             (and its settings)\n"
    "\n"
    "exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN (also wrong usage)\n";
static const char unattended[] =
    "\nafter a deploy, for five minutes:\n"
    "  mig-scan | mig-plan | mig-apply |\n"
    "      mig-check deploy health=env:HEALTH_URL --wait=1min --watch=5min\n"
    "crontab, with mail only when something is wrong:\n"
    "  15 * * * *  cd /srv/app && mig-scan | mig-check -q history     (crontab)\n"
    "systemd, by a timer made at once; units to keep are in mig-check(1):\n"
    "  systemd-run --unit=mig-check --on-calendar='*:0/5' -E MIG_DATABASE=file:/etc/app/database-url mig-check -q "
    "--timeout=1min database\n"
    "Prometheus, by node_exporter's textfile collector:\n"
    "  * * * * *  mig-check -q --timeout=50s --format=prometheus -o "
    "/var/lib/prometheus/node-exporter/mig.prom database\n";

struct request {
	struct check_run_options options;
	struct check_jobs jobs;
	struct output out;
	struct picture picture;     /* drawn for --format=svg */
	struct bytes help, full_help;
	struct shell_words words;   /* this command, as it was called */
	bool dry_run;
};

static int
take_option(struct request *r, int letter, const char *value)
{
	switch (letter) {
	case 'd':
		r->options.database = value;
		return 0;
	case OPTION_SCHEMA_NAME:
		r->options.schema = value;
		return 0;
	case 'w':
		return options_time("wait", value, &r->options.wait_ms);
	case 'W':
		return options_time("watch", value, &r->options.watch_ms);
	case 'i':
		return options_time("interval", value, &r->options.interval_ms);
	case 't':
		return options_time("timeout", value, &r->options.timeout_ms);
	case 'n':
		r->dry_run = true;
		return 0;
	default:
		return output_option(&r->out, letter, value);
	}
}

/* This command, to be shown: not where -d, or a value, may hold a secret. */
static void
take_words(struct request *r, int argc, char *argv[], int first)
{
	static const char harmless[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.,%-";
	int i;

	shell_arguments(&r->words, "mig-check", argc, argv);
	r->words.unknown |= !source_word_is_public(r->options.database);
	for (i = first; i < argc; i++) {
		const char *value = strchr(argv[i], '=');

		r->words.unknown |= value != NULL && value[1 + strspn(value + 1, harmless)] != '\0' && !source_word_is_public(value + 1);
	}
	r->options.command = shell_words(&r->words);
}

static int
read_command_line(int argc, char *argv[], struct request *r)
{
	struct options o;
	int letter;

	check_kinds_help(&r->help, false);
	bytes_str(&r->help, examples);
	mig_check_program.more = r->help.data;
	check_kinds_help(&r->full_help, true);
	bytes_char(&r->full_help, '\n');
	check_settings_help(&r->full_help);
	bytes_str(&r->full_help, unattended);
	mig_check_program.all = r->full_help.data;
	options_begin(&o, &mig_check_program, argc, argv);
	while ((letter = options_next(&o)) != OPTIONS_DONE)
		if (letter == OPTIONS_WRONG || take_option(r, letter, o.value) != 0)
			return MIG_USAGE;
	take_words(r, argc, argv, o.first);
	return check_jobs_read(&r->jobs, argv + o.first, (size_t)(argc - o.first));
}

static bool
is_format(const struct request *r, const char *format)
{
	return r->out.format != NULL && strcmp(r->out.format, format) == 0;
}

static void
write_records(struct request *r)
{
	size_t i;

	for (i = 0; i < r->jobs.count; i++) {
		const struct check_outcome *outcome = &r->jobs.jobs[i].outcome;
		struct bytes message = { 0 }, measures = { 0 }, limits = { 0 };
		struct check check = { .check = outcome->name,
			.target = r->jobs.jobs[i].target.label.data,
			.status = check_status(outcome->state),
			.code = outcome->state,
			.took_ms = outcome->took_ms };

		check_page_message(&message, outcome);
		check_page_measures(&measures, outcome);
		check_page_limits(&limits, outcome);
		check.message = bytes_text(&message);
		check.measures = measures.data;
		check.limits = limits.data;
		writer_put(r->out.writer, &check_form, &check);
		if (r->jobs.jobs[i].kind->put != NULL && r->jobs.jobs[i].data != NULL)
			r->jobs.jobs[i].kind->put(&r->jobs.jobs[i], r->out.writer);
		bytes_free(&message);
		bytes_free(&measures);
		bytes_free(&limits);
	}
}

/* All well is one line for people, and with -q none. */
static void
show_text(struct request *r, enum check_state worst)
{
	struct bytes page = { 0 };

	if (worst == CHECK_OK && message_verbosity < 0)
		return;
	check_page_text(&page, &r->jobs, message_verbosity > 0);
	output_page(&page);
	bytes_free(&page);
}

static bool
is_face(const struct request *r)
{
	return is_format(r, "nagios") || is_format(r, "prometheus") || is_format(r, "junit") || is_format(r, "svg");
}

/*
 * Writes a page that is not a stream: to the file of -o, followed by the page for users on standard output; or to
 * standard output.
 */
static int
show_face(struct request *r, enum check_state worst)
{
	struct bytes text = { 0 };
	int code;

	if (is_format(r, "nagios"))
		check_page_nagios(&text, &r->jobs);
	else if (is_format(r, "junit"))
		check_page_junit(&text, &r->jobs);
	else if (is_format(r, "svg"))
		check_page_svg(&text, &r->jobs, &r->picture);
	else
		check_page_prometheus(&text, &r->jobs, (long long)time(NULL));
	code = writer_file(r->out.path, &text);
	if (r->out.path != NULL)
		show_text(r, worst);
	bytes_free(&text);
	return code;
}

static int
show(struct request *r, enum check_state worst)
{
	r->out.complete = true;
	if (is_face(r))
		return show_face(r, worst);
	if (r->out.page)
		show_text(r, worst);
	if (r->out.writer != NULL)
		write_records(r);
	return 0;
}

/* A monitoring system reads standard output or the file alone. */
static void
say_unknown(struct request *r)
{
	const char *why = message_cause() != NULL ? message_cause() : "nothing was checked";
	struct bytes text = { 0 };

	if (!is_face(r) || (is_format(r, "prometheus") && r->out.path == NULL))
		return;
	r->out.opened = true; /* it gets no stream */
	if (is_format(r, "nagios"))
		check_page_nagios_unknown(&text, why);
	else if (is_format(r, "junit"))
		check_page_junit_unknown(&text, why);
	else if (is_format(r, "svg"))
		check_page_svg_unknown(&text, why);
	else
		check_page_prometheus_unknown(&text, why);
	(void)writer_file(r->out.path, &text);
	bytes_free(&text);
}

int
main(int argc, char *argv[])
{
	struct request r = { .options = { .interval_ms = 1000 }, .out = { .kind = "checks", .formats = FORMATS } };
	enum check_state worst = CHECK_UNKNOWN;
	int code;

	message_end_with(CHECK_UNKNOWN); /* first: memory may run out in the next line, and 1 means WARNING here */
	program_begin(&r.out, &mig_check_program, argc, argv, 0);
	r.options.jobs = &r.jobs;
	picture_begin(&r.picture);
	if ((code = read_command_line(argc, argv, &r)) == 0)
		code = check_jobs_begin(&r.jobs, r.options.wait_ms > 0, r.options.watch_ms > 0);
	if (r.out.format == NULL)
		r.out.format = "text"; /* cron has no terminal */
	if (code == 0 && !is_face(&r) && !r.dry_run)
		code = output_open(&r.out);
	if (code == 0 && r.dry_run) {
		r.out.complete = true;
		worst = CHECK_OK;
	} else if (code == 0) {
		r.options.picture = is_format(&r, "svg") ? &r.picture : NULL;
		worst = check_run(&r.options);
		if (show(&r, worst) != 0)
			worst = CHECK_UNKNOWN;
	} else {
		say_unknown(&r);
	}
	/* output that is lost hides the verdict: then nothing is known */
	if (program_end(&r.out, r.out.complete ? 0 : (int)worst) > CHECK_UNKNOWN)
		worst = CHECK_UNKNOWN;
	check_jobs_free(&r.jobs);
	picture_free(&r.picture);
	shell_words_free(&r.words);
	bytes_free(&r.help);
	bytes_free(&r.full_help);
	return (int)worst;
}
