/*
 * mig-apply: applies a plan.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "base/mig.h"
#include "base/options.h"
#include "base/shell_quote.h"
#include "base/signals.h"
#include "deploy/kept_session.h"
#include "deploy/next_command.h"
#include "deploy/deploy.h"
#include "deploy/who.h"
#include "postgres/connection.h"
#include "records/model.h"
#include "records/output.h"
#include "records/record.h"
#include "secret/source.h"
#include "program.h"
#include "programs.h"

static const char *const usage[] = {
	"mig-apply [-d SOURCE] [--dry-run] [--expect=DIGEST] [--max-stall=TIME]",
	"                 [--wait=TIME] [--role=NAME] [--note=TEXT]",
	"                 [-o FILE] [PLAN | -]",
	NULL,
};
enum { OPTION_DRY_RUN = 128, OPTION_EXPECT, OPTION_EXPECT_STEPS, OPTION_SCHEMA_NAME, OPTION_MAX_STALL, OPTION_NOTE, OPTION_WAIT,
	OPTION_AS_ROLE };
static const struct option_spec specs[] = {
	OPTION_DATABASE,
	OPTION_SCHEMA(OPTION_SCHEMA_NAME),
	{ OPTION_DRY_RUN, "dry-run", NULL, "check everything, but send no SQL of the plan", false },
	{ OPTION_EXPECT, "expect", "DIGEST", "apply only the plan with this digest\n16 digits or more", false },
	{ OPTION_EXPECT_STEPS, "expect-steps", "DIGEST", "apply only these steps, to any database\nthe digest of a plan's steps, 16 digits or more", false },
	{ OPTION_MAX_STALL, "max-stall", "TIME", "longest time to keep other sessions waiting (1s)\nby a statement of ours, at a time", false },
	{ OPTION_NOTE, "note", "TEXT", "why, for the records and the server's log", false },
	{ OPTION_WAIT, "wait", "TIME", "keep retrying while something is busy (10min)\nthe server, or a table", false },
	OPTION_ROLE(OPTION_AS_ROLE),
	OPTION_OUTPUT,
	OPTION_FORMAT("text|records"),
	OPTION_LAST,
};
const struct program mig_apply_program = {
	.name = "mig-apply",
	.about = "apply a plan to its database",
	.usage = usage,
	.options = specs,
	.more = "examples:\n"
	        "  mig-scan | mig-plan | mig-apply\n"
	        "  mig-scan | mig-plan | mig-apply --dry-run\n"
	        "  mig-apply --expect 4f7cb550d69c7918 plan.rec\n"
	        "  mig-scan | mig-plan | mig-apply | mig-check deploy\n"
	        "\n"
	        "exit codes: 0 done, 1 a migration failed or an earlier one is unfinished,\n"
	        "64 usage, 65 broken stream, another target or an older history,\n"
	        "69 unreachable, 74 could not write output, 75 busy, 77 permission denied,\n"
	        "78 no usable connection string, 128+N by signal N\n",
};

static bool
is_digest(const char *text)
{
	size_t len = strspn(text, "0123456789abcdef");

	return text[len] == '\0' && len >= 16 && len < RECORD_DIGEST_HEX;
}

static int
read_command_line(int argc, char *argv[], struct deploy *deploy, const char **input, struct output *out,
    struct shell_words *words)
{
	const char *role = NULL;
	struct options o;
	int option;

	shell_program(words, "mig-apply");
	options_begin(&o, &mig_apply_program, argc, argv);
	while ((option = options_next(&o)) != OPTIONS_DONE) {
		switch (option) {
		case OPTIONS_WRONG:
			return MIG_USAGE;
		case 'd':
			deploy->database = o.value;
			if (source_word_is_public(o.value))
				shell_option(words, "-d", o.value);
			else
				words->unknown = true;
			break;
		case OPTION_SCHEMA_NAME:
			deploy->schema = o.value;
			shell_option(words, "--schema", o.value);
			break;
		case OPTION_DRY_RUN:
			deploy->dry_run = true;
			shell_option(words, "--dry-run", NULL);
			break;
		case OPTION_EXPECT:
		case OPTION_EXPECT_STEPS:
			if (!is_digest(o.value))
				return options_wrong("--%s=%s is not a digest: it must have 16 to 64 digits of 0-9 and a-f",
				    option == OPTION_EXPECT ? "expect" : "expect-steps", o.value);
			*(option == OPTION_EXPECT ? &deploy->expect : &deploy->expect_steps) = o.value;
			break;
		case OPTION_MAX_STALL:
			if (program_max_stall(o.value, &deploy->max_stall_ms) != 0)
				return MIG_USAGE;
			shell_option(words, "--max-stall", o.value);
			break;
		case OPTION_NOTE:
			if (who_is_secret(o.value))
				return options_wrong("--note could contain a password; it is written to records and to the server's log");
			deploy->note = o.value;
			shell_option(words, "--note", o.value);
			break;
		case OPTION_WAIT:
			if (options_time("wait", o.value, &deploy->wait_ms) != 0)
				return MIG_USAGE;
			shell_option(words, "--wait", o.value);
			deploy->absent_ms = deploy->wait_ms;
			break;
		case OPTION_AS_ROLE:
			role = o.value;
			shell_option(words, "--role", o.value);
			break;
		case 'o':
		case 'F':
			if (output_option(out, option, o.value) != 0)
				return MIG_USAGE;
			if (option == 'o')
				shell_option(words, "-o", o.value);
			break;
		}
	}
	return program_role(role, &deploy->role) != 0 ? MIG_USAGE : options_one_operand(&o, input);
}

/* What to type where standard input is a terminal: the commands that make a plan for the same database. */
static char *
pipeline_text(const struct deploy *deploy, int argc, char *argv[])
{
	struct shell_words words = { .unknown = !source_word_is_public(deploy->database) };

	shell_program(&words, "mig-scan");
	if (deploy->database != NULL)
		shell_option(&words, "-d", deploy->database);
	if (deploy->schema != NULL)
		shell_option(&words, "--schema", deploy->schema);
	shell_program(&words, "mig-plan");
	shell_arguments(&words, "mig-apply", argc, argv);
	return shell_sentence("a plan is read from a pipe", &words, "the commands that create it, with the same -d");
}

/* All of the plan, before anything is touched.  One that was announced is worth a connection while it is made. */
static int
read_plan(struct reader *reader, struct plan_stream *plan, struct kept_session *kept, struct output *out)
{
	static const char *const kinds[] = { "plan", NULL };
	enum reading got = reader_begin(reader, kinds);

	if (got == READING_RECORD) {
		if (reader_waits(reader)) /* and not merely for the end of one that has failed */
			signals_meanwhile(kept_session_connect, kept);
		got = plan_read(reader, plan);
		signals_meanwhile(NULL, NULL);
	}
	if (got == READING_FAILED) {
		out->upstream = reader_failure(reader);
		message_line("%s: nothing was applied (%s failed)", message_tool(), out->upstream->tool);
		return (int)out->upstream->exit_code;
	}
	return got == READING_END ? 0 : reader_code(reader);
}

int
main(int argc, char *argv[])
{
	struct deploy deploy = { .max_stall_ms = 1000, .wait_ms = 600000, .absent_ms = DB_ABSENT_MS };
	const char *input = "-";
	struct output out = { .kind = "results", .formats = "text|records", .replaces = true };
	struct reader *reader = NULL;
	struct plan_stream plan = { 0 };
	struct kept_session kept = { .db = NULL };
	struct shell_words words = { 0 };
	char *pipeline;
	int code;

	program_begin(&out, &mig_apply_program, argc, argv, PROGRAM_ROLLS_BACK);
	code = read_command_line(argc, argv, &deploy, &input, &out, &words);
	pipeline = pipeline_text(&deploy, argc, argv);
	if (code == 0 && (reader = reader_open(input, "Nothing was applied.", pipeline)) == NULL)
		code = message_code();
	free(pipeline);
	if (code == 0)
		code = output_open(&out);
	kept.database = deploy.database;
	kept.schema = deploy.schema;
	deploy.kept = &kept;
	if (code == 0)
		code = read_plan(reader, &plan, &kept, &out);
	if (reader != NULL)
		next_command_begin(reader_command(reader), shell_words(&words), strcmp(input, "-") != 0 ? input : NULL);
	if (code == 0)
		code = deploy_check_plan(&deploy, &plan);
	if (code == 0)
		code = deploy_run(&deploy, &plan, &out);
	code = program_end(&out, code);
	kept_session_free(&kept);
	plan_stream_free(&plan);
	shell_words_free(&words);
	reader_free(reader);
	return code;
}
