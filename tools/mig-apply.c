/*
 * mig-apply: applies a plan, or several of one database.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/message.h"
#include "base/mig.h"
#include "base/null.h"
#include "base/options.h"
#include "base/shell_quote.h"
#include "base/signals.h"
#include "deploy/deploy.h"
#include "deploy/kept_session.h"
#include "deploy/next_command.h"
#include "postgres/connection.h"
#include "records/model.h"
#include "records/output.h"
#include "records/record.h"
#include "secret/conninfo.h"
#include "apply_request.h"
#include "program.h"
#include "programs.h"

static const struct output results_output = { .kind = "results", .formats = "text|records", .replaces = true };

/* All of the plan, before anything is touched.  One that was announced is worth a connection while it is made. */
static int
read_plan(struct reader *reader, struct plan_stream *plan, struct kept_session *kept, struct output *out)
{
	static const char *const kinds[] = { "plan", NULL };
	enum reading got = reader_begin(reader, kinds);

	if (got == READING_RECORD) {
		if (!kept->keeps && reader_waits(reader)) /* and not merely for the end of one that has failed */
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

/* One plan, from its file to its results. */
struct work {
	struct reader *reader;
	struct plan_stream plan;
	struct shell_words words;   /* of the next command: that of this plan alone */
};

/* Of several plans each names its schema; the results of each have a file. */
static int
take_schema(const struct apply_request *r, struct work *w, struct kept_session *kept)
{
	const char *rule;

	if (r->plan_count == 1 || w->plan.step_count == 0)
		return 0;
	kept->schema = w->plan.plan.schema;
	rule = conninfo_schema_rule(kept->schema);
	return rule != NULL ? message_error(MIG_DATA, "the schema of this plan: %s; nothing was touched", rule) : 0;
}

/* work_free() is due when the output is closed, which may point into what was read. */
static int
work_do(struct work *w, const struct apply_request *r, const char *input, const char *pipeline, struct kept_session *kept,
    struct output *out)
{
	int code = 0;

	if ((w->reader = reader_open(input, "Nothing was applied.", pipeline)) == NULL)
		code = message_code();
	if (code == 0)
		code = output_open(out);
	if (code == 0)
		code = read_plan(w->reader, &w->plan, kept, out);
	shell_append(&w->words, shell_words(&r->words));
	if (r->plan_count > 1 && w->plan.plan.schema != NULL)
		shell_option(&w->words, "--schema", w->plan.plan.schema);
	if (w->reader != NULL)
		next_command_begin(reader_command(w->reader), shell_words(&w->words), strcmp(input, "-") != 0 ? input : NULL);
	if (code == 0)
		code = deploy_check_plan(&r->deploy, &w->plan);
	if (code == 0)
		code = take_schema(r, w, kept);
	if (code == 0)
		code = deploy_run(&r->deploy, &w->plan, out);
	return code;
}

static void
work_free(struct work *w)
{
	plan_stream_free(&w->plan);
	shell_words_free(&w->words);
	reader_free(w->reader);
}

/* Which of two exit codes counts: a signal, what needs a human, a refusal, what may pass by itself; of equals the first. */
static int
worse(int code, int other)
{
	static const int mild[] = { 0, MIG_BUSY, MIG_UNREACHABLE };
	enum { MILD = sizeof mild / sizeof *mild };
	int codes[] = { code, other }, ranks[2], i, j;

	for (i = 0; i < 2; i++) {
		for (j = 0; j < MILD && codes[i] != mild[j]; j++)
			;
		ranks[i] = codes[i] > 128 ? MILD + 2 : codes[i] == MIG_FAILED ? MILD + 1 : j;
	}
	return ranks[1] > ranks[0] ? other : code;
}

/* So that a file in the folder is of this run. */
static void
remove_results(const struct apply_request *r)
{
	struct stat st;
	size_t i;

	for (i = 0; i < r->plan_count; i++) {
		char *path = apply_request_results(r, r->plans[i]);

		if (lstat(path, &st) == 0 && S_ISREG(st.st_mode))
			(void)unlink(path); /* where that fails, it cannot be written either */
		free(path);
	}
}

static void
say_end(const struct apply_request *r, size_t ended, size_t failed)
{
	size_t left = r->plan_count - ended;

	message_about(NULL);
	if (r->plan_count > 1)
		message_info("%zu of %zu plans done, %zu failed, %zu not begun", ended - failed, r->plan_count, failed, left);
}

/* Plans of one database one after the other, in one session; one that fails does not keep the others back. */
static int
work_on_all(const struct apply_request *r, struct kept_session *kept)
{
	size_t i, failed = 0;
	int worst = 0;

	remove_results(r);
	for (i = 0; i < r->plan_count && signals_caught() == 0 &&
	     (r->max_failed == NUMBER_UNKNOWN || (long long)failed <= r->max_failed); i++) {
		char *path = apply_request_results(r, r->plans[i]);
		struct output out = results_output;
		struct work work = { .reader = NULL };
		int code;

		out.path = path;
		message_about(r->plans[i]);
		code = output_end(&out, work_do(&work, r, r->plans[i], NULL, kept, &out));
		failed += code != 0;
		worst = worse(worst, code);
		printf("%d\t%s\n", code, r->plans[i]);
		fflush(stdout);
		work_free(&work);
		free(path);
	}
	say_end(r, i, failed);
	return signals_caught() != 0 ? 128 + signals_caught() : worst;
}

int
main(int argc, char *argv[])
{
	struct apply_request request = { .deploy = { .max_stall_ms = 1000, .wait_ms = 600000, .absent_ms = DB_ABSENT_MS } };
	struct output out = results_output;
	struct work work = { .reader = NULL };
	struct kept_session kept = { .db = NULL };
	char *pipeline;
	int code;

	program_begin(&out, &mig_apply_program, argc, argv, PROGRAM_ROLLS_BACK);
	code = apply_request_read(argc, argv, &request, &out);
	request.deploy.kept = &kept;
	kept.database = request.deploy.database;
	kept.schema = request.deploy.schema;
	kept.keeps = request.plan_count > 1;
	pipeline = apply_request_pipeline(&request, argc, argv);
	if (code == 0)
		code = request.folder != NULL ? work_on_all(&request, &kept)
		                              : work_do(&work, &request, request.plans[0], pipeline, &kept, &out);
	code = program_end(&out, code);
	free(pipeline);
	kept_session_free(&kept);
	work_free(&work);
	apply_request_free(&request);
	return code;
}
