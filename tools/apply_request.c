#include "apply_request.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/mig.h"
#include "base/null.h"
#include "base/options.h"
#include "base/shell_quote.h"
#include "deploy/deploy.h"
#include "deploy/who.h"
#include "records/output.h"
#include "records/record.h"
#include "secret/source.h"
#include "program.h"
#include "programs.h"

static const char *const usage[] = {
	"mig-apply [-d SOURCE] [--dry-run] [--expect=DIGEST] [--max-stall=TIME]",
	"                 [--wait=TIME] [--role=NAME] [--note=TEXT]",
	"                 [-o FILE] [PLAN | -]",
	"mig-apply [-d SOURCE] [--max-failed=N] [OPTION ...] -o FOLDER PLAN ...",
	NULL,
};
enum { OPTION_DRY_RUN = 128, OPTION_EXPECT, OPTION_EXPECT_STEPS, OPTION_SCHEMA_NAME, OPTION_MAX_STALL, OPTION_NOTE, OPTION_WAIT,
	OPTION_AS_ROLE, OPTION_MAX_FAILED };
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
	{ OPTION_MAX_FAILED, "max-failed", "N", "of several plans: begin no more when more failed", false },
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
	        "  mig-apply -o results plans/*.rec\n"
	        "\n"
	        "exit codes: 0 done, 1 a migration failed or an earlier one is unfinished,\n"
	        "64 usage, 65 broken stream, another target or an older history,\n"
	        "69 unreachable, 74 could not write output, 75 busy, 77 permission denied,\n"
	        "78 no usable connection string, 128+N by signal N; of several plans the worst\n",
};

static const char *
name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

char *
apply_request_results(const struct apply_request *request, const char *plan)
{
	return xformat("%s/%s", request->folder, name_of(plan));
}

static bool
is_folder(const char *path)
{
	struct stat st;

	return path != NULL && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool
is_same_file(const char *path, const char *other)
{
	struct stat a, b;

	return stat(path, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Each plan has a file for its results: none of another one, and not itself. */
static int
check_plan_name(const struct apply_request *r, size_t at)
{
	char *results;
	size_t i;
	bool itself;

	if (strcmp(r->plans[at], "-") == 0)
		return options_wrong("-o %s is a folder, for results by the names of plan files, and standard input has none", r->folder);
	for (i = 0; i < at; i++)
		if (strcmp(name_of(r->plans[i]), name_of(r->plans[at])) == 0)
			return options_wrong("%s and %s: two plans of one name; their results have one file", r->plans[i], r->plans[at]);
	results = apply_request_results(r, r->plans[at]);
	itself = is_same_file(results, r->plans[at]);
	free(results);
	return itself ? options_wrong("-o %s: the results would replace the plan %s", r->folder, r->plans[at]) : 0;
}

static int
check_plans(const struct apply_request *r, const struct output *out)
{
	size_t i;
	int code = 0;

	if (r->plan_count > 1 && r->folder == NULL)
		return options_wrong("several plans need -o FOLDER, one that exists, for the results of each");
	if (r->plan_count > 1 && r->deploy.schema != NULL)
		return options_wrong("--schema is for one plan; of several each names its own");
	if (r->plan_count > 1 && r->deploy.expect != NULL)
		return options_wrong("--expect is for one plan; for several there is --expect-steps");
	if (r->folder == NULL)
		return 0;
	if (out->format != NULL && strcmp(out->format, "records") == 0)
		return options_wrong("--format=records is for one stream, and -o %s is a folder", r->folder);
	for (i = 0; code == 0 && i < r->plan_count; i++)
		code = check_plan_name(r, i);
	return code;
}

static int
read_max_failed(const char *value, long long *max_failed)
{
	size_t len = strspn(value, "0123456789");

	if (len == 0 || len > 6 || value[len] != '\0')
		return options_wrong("--max-failed=%s is not a number", value);
	*max_failed = strtoll(value, NULL, 10);
	return 0;
}

static bool
is_digest(const char *text)
{
	size_t len = strspn(text, "0123456789abcdef");

	return text[len] == '\0' && len >= 16 && len < RECORD_DIGEST_HEX;
}

int
apply_request_read(int argc, char *argv[], struct apply_request *request, struct output *out)
{
	static const char *const standard_input[] = { "-" };
	struct deploy *deploy = &request->deploy;
	struct shell_words *words = &request->words;
	const char *role = NULL;
	struct options o;
	int option;

	request->plans = standard_input;
	request->plan_count = 1;
	request->max_failed = NUMBER_UNKNOWN;
	out->opened = is_folder(out->path); /* there is no stream for the whole */
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
			if (option == 'o' && is_folder(o.value))
				request->folder = o.value;
			else if (option == 'o')
				shell_option(words, "-o", o.value);
			break;
		case OPTION_MAX_FAILED:
			if (read_max_failed(o.value, &request->max_failed) != 0)
				return MIG_USAGE;
			break;
		}
	}
	if (program_role(role, &deploy->role) != 0)
		return MIG_USAGE;
	if (o.first < argc) {
		request->plans = (const char *const *)argv + o.first;
		request->plan_count = (size_t)(argc - o.first);
	}
	return check_plans(request, out);
}

char *
apply_request_pipeline(const struct apply_request *request, int argc, char *argv[])
{
	const struct deploy *deploy = &request->deploy;
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

void
apply_request_free(struct apply_request *request)
{
	shell_words_free(&request->words);
}
