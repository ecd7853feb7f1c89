/*
 * mig-plan: decides what a deploy will do.  Reads a scan and writes a plan; opens no socket, and no file except
 * those on the command line.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/options.h"
#include "base/refusal.h"
#include "base/shell_quote.h"
#include "base/terminal.h"
#include "diff/command.h"
#include "migrations/history.h"
#include "migrations/status.h"
#include "plan/annotations.h"
#include "plan/finding_text.h"
#include "plan/markdown.h"
#include "plan/pages.h"
#include "plan/plan.h"
#include "plan/psql_script.h"
#include "records/model.h"
#include "records/output.h"
#include "records/record.h"
#include "records/words.h"
#include "plan_request.h"
#include "program.h"
#include "programs.h"

/*
 * An applied migration needs no script any more.  The history has been read at this point; the first call makes
 * the index.
 */
struct look {
	struct history_index index;
	bool made;
	bool from_empty;
};

static bool
look_at(const struct scan *scan, struct migration *m, void *context)
{
	struct look *look = context;
	const struct history_row *row;

	if (look->from_empty)
		return true;
	if (!look->made) {
		look->index = history_index(scan->history, scan->history_count);
		look->made = true;
	}
	status_look_at(&look->index, m);
	row = history_find(&look->index, m->migration, NULL);
	return row == NULL || history_row_unfinished(row);
}

/* What a stream that does not end as it should means. */
static int
not_whole(struct reader *reader, enum reading got, struct output *out)
{
	if (got != READING_FAILED)
		return MIG_DATA;
	out->upstream = reader_failure(reader);
	return (int)out->upstream->exit_code;
}

static int
read_scan(struct reader *reader, const struct plan_request *request, struct scan *scan, struct look *look,
    struct output *out)
{
	enum reading got = scan_read(reader, scan, look_at, look);

	if (got != READING_END)
		return not_whole(reader, got, out);
	if (!scan->has_database && !request->options.from_empty) {
		(void)message_error(MIG_DATA, "the scan has no database side, so it is not known what is applied");
		message_line("  Scan without --offline, or pipe the scan through mig-scan - on the database's side;");
		message_line("  or plan as if nothing were applied: --from-empty");
		return MIG_DATA;
	}
	scan->command = reader_command(reader);
	scan->folder = reader_folder(reader);
	if (request->options.from_empty)
		scan->history_count = 0;
	return 0;
}

/*
 * Inside JSON a backslash is doubled, so that a command with one would read as another if it were taken from the raw record:
 * there are none in records.  The lines are shown where they can be typed.
 */
static char *
remedy_for_record(const char *remedy)
{
	struct bytes kept = { 0 };
	size_t len;

	for (; *remedy != '\0'; remedy += len + (remedy[len] == '\n')) {
		len = strcspn(remedy, "\n");
		if (memchr(remedy, '\\', len) != NULL)
			continue;
		bytes_str(&kept, kept.len > 0 ? "\n" : "");
		bytes_add(&kept, remedy, len);
	}
	return kept.data;
}

static void
write_finding(struct writer *writer, const struct finding *finding)
{
	struct finding shown = *finding;
	char *remedy = finding->remedy != NULL ? remedy_for_record(finding->remedy) : NULL;

	shown.remedy = remedy;
	writer_put(writer, &finding_form, &shown);
	free(remedy);
}

static void
write_plan(const struct planned *planned, struct writer *writer)
{
	size_t i;

	writer_put(writer, &plan_form, &planned->plan);
	rehearsal_put(writer, &planned->rehearsed);
	for (i = 0; i < planned->finding_count; i++)
		write_finding(writer, &planned->findings[i]);
	for (i = 0; i < planned->step_count; i++)
		writer_put(writer, &step_form, &planned->steps[i]);
}

static void
say_remedy(const char *remedy)
{
	size_t len;

	for (; *remedy != '\0'; remedy += len + (remedy[len] == '\n')) {
		len = strcspn(remedy, "\n");
		message_line("    %.*s", (int)len, remedy);
	}
}

/* On standard error, one line each: where the page goes elsewhere, or the plan is refused. */
static void
say_findings(const struct planned *planned, bool only_errors)
{
	enum { MOST = 10 };
	size_t said = 0, i;

	for (i = 0; i < planned->finding_count; i++) {
		const struct finding *f = &planned->findings[i];
		bool error = f->severity == SEVERITY_ERROR;
		struct bytes place = { 0 }, remedy = { 0 };

		finding_place(&place, planned, f);
		finding_remedy(&remedy, planned->folder, f);
		if (error) {
			(void)message_error(MIG_FAILED, "%s%s [%s]", bytes_text(&place), f->message, f->rule);
			say_remedy(bytes_text(&remedy));
		} else if (!only_errors && message_verbosity >= 0 &&
		    (f->severity == SEVERITY_WARNING || message_verbosity > 0) &&
		    (said++ < MOST || message_verbosity > 0)) {
			message_warning("%s%s [%s]", bytes_text(&place), f->message, f->rule);
		}
		bytes_free(&place);
		bytes_free(&remedy);
	}
	if (said > MOST && message_verbosity == 0)
		message_warning("%zu more (mig-plan -v shows them)", said - MOST);
}

/*
 * What standard output gets: the page, or a face that is no records.  They name the digest of the plan's records, also where
 * none are written.
 */
static int
show(const struct pages_plan *p, const char *format)
{
	struct bytes text = { 0 };
	struct refusal refusal = { 0 };
	bool page = format == NULL || strcmp(format, "text") == 0;
	int code = 0;

	if (page)
		pages_plan(&text, p, terminal_page_width(STDOUT_FILENO), message_verbosity > 0);
	else if (strcmp(format, "sql") == 0)
		code = psql_script(&text, p->planned, p->digest, p->command, &refusal);
	else if (strcmp(format, "markdown") == 0)
		markdown_plan(&text, p->planned, p->digest, p->command);
	else if (strcmp(format, "github") == 0)
		annotations_plan(&text, p->planned, p->digest);
	else
		bytes_format(&text, "%s\n", p->digest);
	if (code == 0 && page)
		output_page(&text);
	else if (code == 0)
		fwrite(bytes_text(&text), 1, text.len, stdout);
	(void)refusal_say(&refusal);
	bytes_free(&text);
	return code;
}

/* Whether a plan that is refused is shown so: not as something that could be used. */
static bool
shows_refused(const char *format)
{
	return format == NULL || (strcmp(format, "sql") != 0 && strcmp(format, "digest") != 0);
}

static int
show_made(const struct scan *scan, const struct status *status, const struct planned *planned, const struct plan_options *options,
    const struct output *out)
{
	struct shell_words words = { 0 };
	char digest[RECORD_DIGEST_HEX];
	struct writer *own = out->writer;
	int code;

	if (own == NULL) {
		own = writer_digest_only("plan");
		write_plan(planned, own);
	}
	writer_digest(own, digest);
	if (out->writer == NULL)
		writer_end(own, 0);
	plan_request_words(&words, scan, options, true);
	code = show(&(struct pages_plan){ planned, scan, status, digest, shell_words(&words), out->path }, out->format);
	shell_words_free(&words);
	return code;
}

static int
plan(const struct scan *scan, const struct status *status, const struct plan_request *request,
    struct output *out)
{
	struct planned planned;
	int code = plan_make(scan, status, &request->options, &planned);

	(void)refusal_say(&planned.refusal);
	if (code == 0 || code == MIG_FAILED) {
		bool refused = shows_refused(out->format);
		struct shell_words words = { 0 };
		int shown = 0;

		if (out->writer != NULL)
			write_plan(&planned, out->writer);
		plan_request_words(&words, scan, &request->options, false);
		writer_command(out->writer, shell_words(&words));
		writer_folder(out->writer, scan->folder);
		shell_words_free(&words);
		if (out->page && (code == 0 || refused))
			shown = show_made(scan, status, &planned, &request->options, out);
		say_findings(&planned, out->page && refused);
		code = shown != 0 ? shown : code;
	}
	if (code == 0) {
		out->complete = true;
		code = request->exit_code && planned.step_count > 0 ? MIG_TODO : 0;
	} else if (code == MIG_FAILED) {
		message_line("  The plan is refused. Nothing will be applied.");
	}
	plan_free(&planned);
	return code;
}

static struct planned
planned_of(const struct plan_stream *kept)
{
	struct planned planned = { .plan = kept->plan,
		.folder = kept->folder,
		.rehearsed = kept->rehearsed,
		.findings = kept->findings,
		.finding_count = kept->finding_count,
		.steps = kept->steps,
		.step_count = kept->step_count };
	size_t i;

	if (kept->plan.history_digest != NULL)
		bytes_copy(planned.history_digest, sizeof planned.history_digest, kept->plan.history_digest);
	steps_digest(kept->steps, kept->step_count, planned.steps_digest);
	for (i = 0; i < kept->finding_count; i++)
		planned.warnings += kept->findings[i].severity == SEVERITY_WARNING;
	for (i = 0; i < kept->step_count; i++)
		planned.statements += kept->steps[i].statement_count > 0 ? (size_t)kept->steps[i].statement_count : 0;
	return planned;
}

/* A kept plan: it is verified, and shown again; in a pipe it passes through, byte for byte, also if another release wrote it. */
static int
take_kept_plan(struct reader *reader, const struct plan_request *request, struct output *out)
{
	const struct plan_options *w = &request->options;
	const char *file = strcmp(request->input, "-") == 0 ? NULL : request->input;
	struct plan_stream kept = { 0 };
	struct planned planned;
	enum reading got;
	int code = 0;

	if (w->phase != PHASE_NULL || request->proof_file_count > 0 || w->to != NULL || w->down_to != NULL || w->from_empty || w->max_stall != NULL || w->strict != NULL || w->allow != NULL || w->baseline != NULL ||
	    w->applied_count + w->rolled_back_count + w->resume_count > 0)
		return options_wrong("a kept plan can only be shown; options that change it need a scan");
	reader_keep(reader);
	if ((got = plan_read(reader, &kept)) != READING_END) {
		code = not_whole(reader, got, out);
		plan_stream_free(&kept);
		return code;
	}
	planned = planned_of(&kept);
	writer_copy(out->writer, reader_kept(reader));
	if (out->page)
		code = show(&(struct pages_plan){ &planned, NULL, NULL, kept.digest, reader_command(reader), file }, out->format);
	out->complete = code == 0;
	if (code == 0 && request->exit_code && kept.step_count > 0)
		code = MIG_TODO;
	plan_stream_free(&kept);
	return code;
}

static int
plan_scan(struct reader *reader, const struct plan_request *request, struct output *out)
{
	struct scan scan = { 0 };
	struct look look = { .from_empty = request->options.from_empty };
	struct status status = { 0 };
	int code = read_scan(reader, request, &scan, &look, out);

	if (code == 0) {
		if (!look.made)
			look.index = history_index(scan.history, scan.history_count);
		status = status_make(&scan, &look.index);
		code = plan(&scan, &status, request, out);
	}
	status_free(&status);
	history_index_free(&look.index);
	scan_free(&scan);
	return code;
}

int
main(int argc, char *argv[])
{
	static const char *const kinds[] = { "scan", "plan", NULL };
	struct plan_request request = { .input = "-", .options.max_stall_ms = 1000, .options.proof_age_ms = 24LL * 3600 * 1000 };
	struct output out = { .kind = "plan", .formats = PLAN_FORMATS };
	struct reader *reader = NULL;
	struct shell_words words = { 0 };
	enum reading got;
	char *pipeline;
	int code;

	program_begin(&out, &mig_plan_program, argc, argv, PROGRAM_NEEDS_NO_SECRET);
	code = plan_request_read(argc, argv, &request, &out);
	if (code == 0)
		code = plan_request_proofs(&request);
	if (code == 0 && request.diff) {
		out.kind = DIFF_STREAM;
		code = diff_command(&(struct diff_request){ request.from, request.to, request.exit_code }, &out);
		plan_request_free(&request);
		return code;
	}
	shell_program(&words, "mig-scan");
	shell_arguments(&words, "mig-plan", argc, argv);
	pipeline = shell_sentence("a plan is made from a scan", &words, NULL);
	if (code == 0 && (reader = reader_open(request.input, "Nothing was planned, and nothing will be applied.",
	                      pipeline)) == NULL)
		code = message_code();
	free(pipeline);
	if (code == 0)
		code = output_open(&out);
	if (code == 0) {
		if ((got = reader_begin(reader, kinds)) != READING_RECORD) {
			code = not_whole(reader, got, &out);
		} else if (strcmp(reader_kind(reader), "plan") == 0) {
			code = take_kept_plan(reader, &request, &out);
		} else {
			if (reader_waits(reader)) /* announced: there will be steps */
				writer_announce(out.writer);
			code = plan_scan(reader, &request, &out);
		}
	}
	code = program_end(&out, code);
	reader_free(reader);
	plan_request_free(&request);
	return code;
}
