/*
 * mig-plan: decides what a deploy would do.  Reads a scan, writes a plan; opens no socket, and no file but the
 * one it is given.
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
#include "plan/finding_text.h"
#include "plan/pages.h"
#include "plan/plan.h"
#include "plan/psql_script.h"
#include "records/model.h"
#include "records/output.h"
#include "records/record.h"
#include "records/words.h"
#include "program.h"
#include "programs.h"

static const char *const usage[] = {
	"mig-plan [--to=NAME] [--from-empty] [--strict[=RULE,...]] [--allow=RULE,...]",
	"         [--resume=NAME:STATEMENT] ... [--exit-code] [--format=text|records|sql] [-o FILE]",
	"         [SCAN | PLAN | -]",
	"mig-plan --baseline=NAME | --mark-applied=NAME ... | --mark-rolled-back=NAME ... [SCAN | -]",
	"mig-plan --diff [--exit-code] [--format=text|sql|records] [-o FILE] FROM TO",
	"mig-plan --diff --from-empty [...] TO",
	NULL,
};
enum { OPTION_TO = 128, OPTION_FROM_EMPTY, OPTION_STRICT, OPTION_ALLOW, OPTION_EXIT_CODE, OPTION_BASELINE,
	OPTION_MARK_APPLIED, OPTION_MARK_ROLLED_BACK, OPTION_RESUME, OPTION_DIFF };
static const struct option_spec specs[] = {
	{ OPTION_TO, "to", "NAME", "plan no further than this migration", false },
	{ OPTION_FROM_EMPTY, "from-empty", NULL, "plan as if nothing were applied", false },
	{ OPTION_STRICT, "strict", "[=RULE,...]", "refuse a plan with such findings; without a list, with any warning",
	    false },
	{ OPTION_ALLOW, "allow", "RULE,...", "let findings pass that would refuse the plan", false },
	{ OPTION_EXIT_CODE, "exit-code", NULL, "exit with 2 if there is something to do", false },
	{ OPTION_BASELINE, "baseline", "NAME", "mark all pending ones up to NAME as applied, without running them",
	    false },
	{ OPTION_MARK_APPLIED, "mark-applied", "NAME", "mark one as applied, without running it", true },
	{ OPTION_MARK_ROLLED_BACK, "mark-rolled-back", "NAME", "mark a failed one as undone, so that it runs again",
	    true },
	{ OPTION_RESUME, "resume", "NAME:STATEMENT",
	    "go on with an unfinished one at this statement, from 1", true },
	{ OPTION_DIFF, "diff", NULL,
	    "compare two schemas, each kept by mig-scan --datamodel, --catalog or --replay, or a\n"
	    "schema.prisma: what would make FROM be as TO is", false },
	OPTION_OUTPUT,
	OPTION_FORMAT("text|records|sql"),
	OPTION_LAST,
};
const struct program mig_plan_program = {
	.name = "mig-plan",
	.about = "what a deploy would do, from a scan",
	.usage = usage,
	.options = specs,
	.more = "rules that --strict and --allow move: edited, missing, late, destructive, not_empty,\n"
	        "other_schema, unrelated, not_utf8, order, no_script, running; see mig-plan(1)\n"
	        "\n"
	        "examples:\n"
	        "  mig-scan | mig-plan                           what would happen\n"
	        "  mig-scan | mig-plan -o plan.rec               keep the plan, show the page\n"
	        "  mig-scan | mig-plan --strict | mig-apply      deploy only without any warning\n"
	        "  mig-scan | mig-plan --baseline 0_init | mig-apply\n"
	        "  mig-scan | mig-plan --format=sql | psql -X service=production\n"
	        "  mig-plan plan.rec                             show a kept plan again\n"
	        "\n"
	        "exit codes: 0 done, 1 refused by its findings, 2 something to do (--exit-code),\n"
	        "64 usage, 65 bad input, 74 output lost; or that of a mig-scan that failed\n",
};

struct request {
	struct plan_options options;
	bool exit_code;
	const char *input;
	const char **names;   /* room for what the options list */
	bool diff;            /* --diff */
	const char *from, *to;
};

static int
check_wishes(const struct request *request)
{
	const struct plan_options *w = &request->options;
	bool marks = w->baseline != NULL || w->applied_count > 0 || w->rolled_back_count > 0;
	const char *word;
	size_t len;

	if (marks && (w->to != NULL || w->from_empty || w->resume_count > 0))
		return options_wrong("a plan with marks holds only the marks: it cannot have --to, --from-empty or --resume");
	if ((w->strict != NULL && !plan_rules_known(w->strict, &word, &len)) ||
	    (w->allow != NULL && !plan_rules_known(w->allow, &word, &len)))
		return options_wrong("\"%.*s\" is not a rule that --strict and --allow move", (int)len, word);
	return 0;
}

/* The operands of --diff: FROM and TO, or TO alone behind --from-empty. */
static int
read_sides(struct request *request, int count, char *sides[])
{
	const struct plan_options *w = &request->options;
	int wanted = w->from_empty ? 1 : 2;

	if (w->to != NULL || w->strict != NULL || w->allow != NULL || w->baseline != NULL ||
	    w->applied_count + w->rolled_back_count + w->resume_count > 0)
		return options_wrong("--diff compares two schemas: of the other options only --from-empty and --exit-code go with it");
	if (count != wanted)
		return options_wrong(w->from_empty ? "--diff --from-empty takes one schema, TO"
		                                   : "--diff takes two schemas, FROM and TO; or --from-empty and TO");
	request->from = w->from_empty ? NULL : sides[0];
	request->to = sides[count - 1];
	if (request->from != NULL && strcmp(request->from, "-") == 0 && strcmp(request->to, "-") == 0)
		return options_wrong("only one of FROM and TO can be standard input");
	return 0;
}

static int
read_command_line(int argc, char *argv[], struct request *request, struct output *out)
{
	struct plan_options *w = &request->options;
	struct options o;
	int option;

	request->names = xcalloc((size_t)argc * 3, sizeof *request->names);
	w->applied = request->names;
	w->rolled_back = request->names + argc;
	w->resumes = request->names + 2 * argc;
	options_begin(&o, &mig_plan_program, argc, argv);
	while ((option = options_next(&o)) != OPTIONS_DONE) {
		switch (option) {
		case OPTIONS_WRONG:
			return MIG_USAGE;
		case OPTION_TO:
			w->to = o.value;
			break;
		case OPTION_FROM_EMPTY:
			w->from_empty = true;
			break;
		case OPTION_STRICT:
			w->strict = o.value != NULL ? o.value : "";
			break;
		case OPTION_ALLOW:
			w->allow = o.value;
			break;
		case OPTION_EXIT_CODE:
			request->exit_code = true;
			break;
		case OPTION_BASELINE:
			w->baseline = o.value;
			break;
		case OPTION_MARK_APPLIED:
			w->applied[w->applied_count++] = o.value;
			break;
		case OPTION_MARK_ROLLED_BACK:
			w->rolled_back[w->rolled_back_count++] = o.value;
			break;
		case OPTION_RESUME:
			if (strrchr(o.value, ':') == NULL)
				return options_wrong("--resume=%s: it is NAME:STATEMENT, as in 20261120_x:3", o.value);
			w->resumes[w->resume_count++] = o.value;
			break;
		case OPTION_DIFF:
			request->diff = true;
			break;
		case 'o':
		case 'F':
			if (output_option(out, option, o.value) != 0)
				return MIG_USAGE;
			break;
		}
	}
	if (request->diff)
		return read_sides(request, argc - o.first, argv + o.first);
	if (options_one_operand(&o, &request->input) != 0)
		return MIG_USAGE;
	return check_wishes(request);
}

/* What is applied needs no script any more; the history is read by now, and the index made at the first. */
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
read_scan(struct reader *reader, const struct request *request, struct scan *scan, struct look *look,
    struct output *out)
{
	enum reading got = scan_read(reader, scan, look_at, look);

	if (got != READING_END)
		return not_whole(reader, got, out);
	if (!scan->has_database && !request->options.from_empty) {
		(void)message_error(MIG_DATA, "the scan has no database side, so nobody knows what is applied");
		message_line("  Scan without --offline, or pass the scan through mig-scan - where the database is;");
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

		finding_place(&place, planned->folder, f);
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

static void
add_options(struct shell_words *words, const char *option, const char *const *values, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		shell_option(words, option, values[i]);
}

/*
 * The options that this plan comes from, so that it can be asked for again.  --resume is for the plan as it is: once that
 * has begun, the journal knows better.
 */
static void
plan_words(struct shell_words *words, const struct scan *scan, const struct plan_options *w, bool resumes)
{
	shell_append(words, scan->command);
	shell_program(words, "mig-plan");
	add_options(words, "--to", &w->to, w->to != NULL);
	if (w->from_empty)
		shell_option(words, "--from-empty", NULL);
	add_options(words, "--baseline", &w->baseline, w->baseline != NULL);
	add_options(words, "--mark-applied", w->applied, w->applied_count);
	add_options(words, "--mark-rolled-back", w->rolled_back, w->rolled_back_count);
	if (resumes)
		add_options(words, "--resume", w->resumes, w->resume_count);
	add_options(words, "--allow", &w->allow, w->allow != NULL);
	if (w->strict != NULL)
		shell_option(words, "--strict", *w->strict != '\0' ? w->strict : NULL);
}

/* The page, or the script for psql.  Both name the digest that the plan's records have, also where none are written. */
static int
show(const struct scan *scan, const struct status *status, const struct planned *planned, struct writer *writer,
    const struct plan_options *options, bool sql)
{
	struct shell_words words = { 0 };
	struct bytes page = { 0 };
	struct refusal refusal = { 0 };
	char digest[RECORD_DIGEST_HEX];
	struct writer *own = writer;
	int code = 0;

	if (own == NULL) {
		own = writer_digest_only("plan");
		write_plan(planned, own);
	}
	writer_digest(own, digest);
	if (writer == NULL)
		writer_end(own, 0);
	plan_words(&words, scan, options, true);
	if (sql)
		code = psql_script(&page, scan, planned, digest, shell_words(&words), &refusal);
	else
		pages_plan(&page, scan, status, planned, digest, shell_words(&words),
		    terminal_page_width(STDOUT_FILENO), message_verbosity > 0);
	if (code == 0 && sql)
		fwrite(bytes_text(&page), 1, page.len, stdout);
	else if (code == 0)
		output_page(&page);
	(void)refusal_say(&refusal);
	shell_words_free(&words);
	bytes_free(&page);
	return code;
}

static int
plan(const struct scan *scan, const struct status *status, const struct request *request,
    struct output *out)
{
	struct planned planned;
	int code = plan_make(scan, status, &request->options, &planned);

	(void)refusal_say(&planned.refusal);
	if (code == 0 || code == MIG_FAILED) {
		bool sql = out->format != NULL && strcmp(out->format, "sql") == 0;
		struct shell_words words = { 0 };
		int shown = 0;

		if (out->writer != NULL)
			write_plan(&planned, out->writer);
		plan_words(&words, scan, &request->options, false);
		writer_command(out->writer, shell_words(&words));
		writer_folder(out->writer, scan->folder);
		shell_words_free(&words);
		if (out->page && (code == 0 || !sql))
			shown = show(scan, status, &planned, out->writer, &request->options, sql);
		say_findings(&planned, out->page && !sql);
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

/* A kept plan: it is verified, and shown again; in a pipe it passes through. */
static int
show_kept_plan(struct reader *reader, const struct request *request, struct output *out)
{
	const struct plan_options *w = &request->options;
	struct plan_stream kept = { 0 };
	struct planned planned = { 0 };
	struct bytes page = { 0 };
	enum reading got;
	int code = 0;
	size_t i;

	if (w->to != NULL || w->from_empty || w->strict != NULL || w->allow != NULL || w->baseline != NULL ||
	    w->applied_count + w->rolled_back_count + w->resume_count > 0 ||
	    (out->format != NULL && strcmp(out->format, "sql") == 0))
		return options_wrong("a kept plan is shown as it is; what it decides comes from a scan");
	if ((got = plan_read(reader, &kept)) != READING_END) {
		code = not_whole(reader, got, out);
		plan_stream_free(&kept);
		return code;
	}
	planned = (struct planned){ .plan = kept.plan,
		.folder = kept.folder,
		.findings = kept.findings,
		.finding_count = kept.finding_count,
		.steps = kept.steps,
		.step_count = kept.step_count };
	for (i = 0; i < kept.finding_count; i++)
		planned.warnings += kept.findings[i].severity == SEVERITY_WARNING;
	for (i = 0; i < kept.step_count; i++)
		planned.statements += kept.steps[i].statement_count > 0 ? (size_t)kept.steps[i].statement_count : 0;
	if (out->writer != NULL)
		write_plan(&planned, out->writer);
	writer_command(out->writer, reader_command(reader));
	writer_folder(out->writer, reader_folder(reader));
	if (out->page) {
		pages_plan(&page, NULL, NULL, &planned, kept.digest, NULL, terminal_page_width(STDOUT_FILENO),
		    message_verbosity > 0);
		output_page(&page);
	}
	out->complete = true;
	if (request->exit_code && kept.step_count > 0)
		code = MIG_TODO;
	bytes_free(&page);
	plan_stream_free(&kept);
	return code;
}

static int
plan_scan(struct reader *reader, const struct request *request, struct output *out)
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
	struct request request = { .input = "-" };
	struct output out = { .kind = "plan", .formats = "text|records|sql" };
	struct reader *reader = NULL;
	struct shell_words words = { 0 };
	enum reading got;
	char *pipeline;
	int code;

	program_begin(&out, &mig_plan_program, argc, argv, PROGRAM_NEEDS_NO_SECRET);
	code = read_command_line(argc, argv, &request, &out);
	if (code == 0 && request.diff) {
		out.kind = DIFF_STREAM;
		code = diff_command(&(struct diff_request){ request.from, request.to, request.exit_code }, &out);
		free(request.names);
		return code;
	}
	shell_program(&words, "mig-scan");
	shell_arguments(&words, "mig-plan", argc, argv);
	pipeline = shell_sentence("a plan is made from a scan", &words, NULL);
	if (code == 0 && (reader = reader_open(request.input, "Nothing was planned, nothing will be applied.",
	                      pipeline)) == NULL)
		code = message_code();
	free(pipeline);
	if (code == 0)
		code = output_open(&out);
	if (code == 0) {
		if ((got = reader_begin(reader, kinds)) != READING_RECORD)
			code = not_whole(reader, got, &out);
		else if (strcmp(reader_kind(reader), "plan") == 0)
			code = show_kept_plan(reader, &request, &out);
		else
			code = plan_scan(reader, &request, &out);
	}
	code = program_end(&out, code);
	reader_free(reader);
	free(request.names);
	return code;
}
