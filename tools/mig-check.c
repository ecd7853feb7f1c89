/*
 * mig-check: says whether all is well, as monitoring plugins do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "clock.h"
#include "face.h"
#include "message.h"
#include "mig.h"
#include "options.h"
#include "output.h"
#include "record.h"
#include "secret.h"

static const char *const usage[] = { "mig-check [-q] [--format=text|records] [-o FILE] CHECK", NULL };
static const struct option_spec specs[] = {
	OPTION_OUTPUT,
	{ 'F', "format", "text|records", "what standard output gets (default: text, everywhere)", false },
	OPTION_LAST,
};
static const struct program program = {
	.name = "mig-check",
	.about = "whether all is well, for people, pipes and cron",
	.usage = usage,
	.options = specs,
	.more = "checks:\n"
	        "  history    a scan on standard input: is production what the folder says?\n"
	        "             CRITICAL: failed. WARNING: pending, late, running, edited, missing.\n"
	        "  deploy     results of mig-apply on standard input: was everything applied?\n"
	        "  seeds      a dry run of mig-seed on standard input: are tables as the files say?\n"
	        "             WARNING: rows differ.\n"
	        "\n"
	        "examples:\n"
	        "  mig-scan | mig-check history\n"
	        "  mig-scan | mig-plan | mig-apply | mig-check deploy\n"
	        "  15 * * * *  cd /srv/app && mig-scan | mig-check -q history     (crontab)\n"
	        "\n"
	        "exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN (also wrong usage)\n",
};

/* A check by its name, and where its stream comes from. */
static const struct {
	const char *name;
	void (*run)(struct check_outcome *outcome, struct reader *reader);
	const char *pipeline;
} checks[] = {
	{ "history", check_history, "mig-scan | mig-check history" },
	{ "deploy", check_deploy, "mig-scan | mig-plan | mig-apply | mig-check deploy" },
	{ "seeds", check_seeds, "mig-seed --dry-run prisma/seed | mig-check seeds" },
};
enum { CHECKS = sizeof checks / sizeof *checks };

static int
read_command_line(int argc, char *argv[], size_t *chosen, struct output *out)
{
	struct options o;
	const char *word = NULL;
	int option;

	options_begin(&o, &program, argc, argv);
	while ((option = options_next(&o)) != OPTIONS_DONE) {
		switch (option) {
		case OPTIONS_WRONG:
			return MIG_USAGE;
		case 'o':
		case 'F':
			if (output_option(out, option, o.value, "text|records") != 0)
				return MIG_USAGE;
			break;
		}
	}
	if (options_one_operand(&o, &word) != 0)
		return MIG_USAGE;
	if (word == NULL)
		return options_wrong("which check? there are history, deploy and seeds");
	for (*chosen = 0; *chosen < CHECKS; ++*chosen)
		if (strcmp(word, checks[*chosen].name) == 0)
			return 0;
	return options_wrong("there is no check \"%s\"; there are history, deploy and seeds", word);
}

static const char *
colour_of(enum check_state state)
{
	return state == CHECK_OK ? FACE_GREEN : state == CHECK_WARNING ? FACE_YELLOW : FACE_RED;
}

/* All well is one line, and with -q none. */
static void
show(const struct check_outcome *outcome)
{
	struct bytes page = { 0 };
	const char *line = bytes_text(&outcome->details);
	size_t len;

	if (outcome->state == CHECK_OK && message_verbosity < 0)
		return;
	if (outcome->state == CHECK_OK) {
		bytes_format(&page, FACE_GREEN "OK" FACE_PLAIN ": %s: %s\n", outcome->name, outcome->message.data);
	} else {
		bytes_str(&page, colour_of(outcome->state));
		face_pad(&page, check_word(outcome->state), 11);
		bytes_str(&page, FACE_PLAIN);
		face_pad(&page, outcome->name, 11);
		bytes_format(&page, "%s\n", outcome->message.data);
		for (; *line != '\0'; line += len + 1) {
			len = strcspn(line, "\n");
			bytes_format(&page, "             %.*s\n", (int)len, line);
		}
		bytes_format(&page, "\n%s: %s: %s\n", check_word(outcome->state), outcome->name,
		    outcome->message.data);
	}
	output_page(&page);
	bytes_free(&page);
}

static void
write_check(const struct check_outcome *outcome, struct output *out)
{
	struct check check = { .check = outcome->name,
		.status = check_status(outcome->state),
		.code = outcome->state,
		.message = outcome->message.data,
		.took_ms = outcome->took_ms };

	if (out->writer != NULL)
		writer_put(out->writer, &check_form, &check);
	out->complete = true;
}

int
main(int argc, char *argv[])
{
	struct output out = { .kind = "checks", .format = NULL };
	struct check_outcome outcome = { .state = CHECK_OK };
	struct reader *reader = NULL;
	long long began = clock_now_ms();
	size_t chosen = 0;
	int code;

	secret_begin(argc, argv);
	secret_drop_taken();
	message_begin("mig-check");
	code = read_command_line(argc, argv, &chosen, &out);
	if (out.format == NULL)
		out.format = "text"; /* cron has no terminal */
	if (code == 0 && (reader = reader_open("-", NULL, checks[chosen].pipeline)) == NULL)
		code = message_code();
	if (code == 0)
		code = output_open(&out);
	if (code == 0) {
		outcome.name = checks[chosen].name;
		checks[chosen].run(&outcome, reader);
		outcome.took_ms = clock_now_ms() - began;
		if (out.page)
			show(&outcome);
		write_check(&outcome, &out);
		code = (int)outcome.state;
	} else {
		code = CHECK_UNKNOWN;
	}
	/* output that is lost hides the verdict: then nothing is known */
	if (output_close(&out, code) > CHECK_UNKNOWN)
		code = CHECK_UNKNOWN;
	check_free(&outcome);
	reader_free(reader);
	return code;
}
