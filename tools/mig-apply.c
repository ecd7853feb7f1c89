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
#include "deploy/deploy.h"
#include "deploy/kept_session.h"
#include "deploy/next_command.h"
#include "postgres/connection.h"
#include "records/model.h"
#include "records/output.h"
#include "records/record.h"
#include "apply_request.h"
#include "program.h"
#include "programs.h"

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
	struct apply_request request = { .deploy = { .max_stall_ms = 1000, .wait_ms = 600000, .absent_ms = DB_ABSENT_MS }, .input = "-" };
	struct deploy *deploy = &request.deploy;
	struct output out = { .kind = "results", .formats = "text|records", .replaces = true };
	struct reader *reader = NULL;
	struct plan_stream plan = { 0 };
	struct kept_session kept = { .db = NULL };
	char *pipeline;
	int code;

	program_begin(&out, &mig_apply_program, argc, argv, PROGRAM_ROLLS_BACK);
	code = apply_request_read(argc, argv, &request, &out);
	pipeline = apply_request_pipeline(&request, argc, argv);
	if (code == 0 && (reader = reader_open(request.input, "Nothing was applied.", pipeline)) == NULL)
		code = message_code();
	free(pipeline);
	if (code == 0)
		code = output_open(&out);
	kept.database = deploy->database;
	kept.schema = deploy->schema;
	deploy->kept = &kept;
	if (code == 0)
		code = read_plan(reader, &plan, &kept, &out);
	if (reader != NULL)
		next_command_begin(reader_command(reader), shell_words(&request.words),
		    strcmp(request.input, "-") != 0 ? request.input : NULL);
	if (code == 0)
		code = deploy_check_plan(deploy, &plan);
	if (code == 0)
		code = deploy_run(deploy, &plan, &out);
	code = program_end(&out, code);
	kept_session_free(&kept);
	plan_stream_free(&plan);
	apply_request_free(&request);
	reader_free(reader);
	return code;
}
