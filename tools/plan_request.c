#include "plan_request.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/options.h"
#include "base/shell_quote.h"
#include "base/suggest.h"
#include "plan/plan.h"
#include "records/model.h"
#include "records/record.h"
#include "records/json.h"
#include "records/output.h"
#include "records/words.h"
#include "program.h"
#include "programs.h"

static const char *const usage[] = {
	"mig-plan [--to=NAME] [--strict[=RULE,...]] [-o FILE] [SCAN | PLAN | -]",
	"mig-plan --down-to=NAME [--allow=RULE,...] [SCAN | -]",
	"mig-plan --baseline=NAME | --mark-applied=NAME ... [SCAN | -]",
	"mig-plan --diff [--from-empty | FROM] TO",
	NULL,
};
enum { OPTION_TO = 128, OPTION_FROM_EMPTY, OPTION_STRICT, OPTION_ALLOW, OPTION_EXIT_CODE, OPTION_BASELINE,
	OPTION_MARK_APPLIED, OPTION_MARK_ROLLED_BACK, OPTION_RESUME, OPTION_DIFF, OPTION_MAX_STALL, OPTION_DOWN_TO, OPTION_PHASE, OPTION_PROOF, OPTION_PROOF_AGE };
static const struct option_spec specs[] = {
	{ OPTION_TO, "to", "NAME", "plan up to and including this migration", false },
	{ OPTION_DOWN_TO, "down-to", "NAME", "take back what is applied behind NAME\nnewest first, by the down.sql of each", false },
	{ OPTION_FROM_EMPTY, "from-empty", NULL, "plan as if nothing were applied", false },
	{ OPTION_STRICT, "strict", "[=RULE,...]", "refuse a plan with findings of these rules\nwithout a list, with any warning",
	    false },
	{ OPTION_ALLOW, "allow", "RULE,...", "accept findings of these rules\nthat would refuse the plan", true },
	{ OPTION_EXIT_CODE, "exit-code", NULL, "exit with 2 if there is something to do", false },
	{ OPTION_BASELINE, "baseline", "NAME", "mark the pending ones up to NAME as applied\nwithout running them",
	    false },
	{ OPTION_MARK_APPLIED, "mark-applied", "NAME", "mark one as applied, without running it", true },
	{ OPTION_MARK_ROLLED_BACK, "mark-rolled-back", "NAME", "mark a failed one as rolled back: it runs again",
	    true },
	{ OPTION_RESUME, "resume", "NAME:STATEMENT",
	    "resume an unfinished one there\nat this statement, counted from 1", true },
	{ OPTION_MAX_STALL, "max-stall", "TIME",
	    "how long others may wait (default 1s)\nas mig-apply will have it; with a rehearsal and its --load", false },
	{ OPTION_PHASE, "phase", "expand|contract", "plan what breaks nothing, or the rest\nexpand: up to the first step that breaks the running release", false },
	{ OPTION_PROOF, "proof", "FILE", "records of mig-check used, about what is dropped", true },
	{ OPTION_PROOF_AGE, "proof-age", "TIME", "how old a proof may be (default 1d)", false },
	{ OPTION_DIFF, "diff", NULL,
	    "compare two schemas: what turns FROM into TO\n"
	    "each kept by mig-scan --datamodel, --catalog or --replay, or a schema.prisma", false },
	OPTION_OUTPUT,
	OPTION_FORMAT(PLAN_FORMATS),
	OPTION_LAST,
};
struct program mig_plan_program = {
	.name = "mig-plan",
	.about = "show what a deploy would do, and write its plan",
	.usage = usage,
	.options = specs,
};

static const char examples[] =
    "examples:\n"
    "  mig-scan | mig-plan                         what would happen\n"
    "  mig-scan | mig-plan -o plan.rec             keep the plan, show the page\n"
    "  mig-plan --format=markdown plan.rec         as a comment on a pull request\n"
    "\n"
    "exit codes: 0 done, 1 refused by its findings, 2 something to do (--exit-code),\n"
    "64 usage, 65 bad input, 74 could not write output; or that of mig-scan\n";
static const char further_examples[] =
    "further examples:\n"
    "  mig-scan | mig-plan --strict | mig-apply    deploy only without any warning\n"
    "  mig-scan | mig-plan --baseline 0_init | mig-apply\n"
    "  mig-scan | mig-plan --format=sql | psql -X service=production\n"
    "  mig-plan plan.rec                           show a kept plan again\n";

/* What --help=all shows below that. */
static void
make_help(struct bytes *help)
{
	enum { WIDTH = 78 };
	const struct plan_rule *rule;
	size_t line = 0;

	bytes_str(help, "rules that --strict and --allow move:");
	for (rule = plan_rules; rule->name != NULL; rule++) {
		if (!rule->movable)
			continue;
		if (help->data[help->len - 1] != ':')
			bytes_char(help, ',');
		if (help->len - line + strlen(rule->name) > WIDTH) {
			bytes_char(help, '\n');
			line = help->len;
		} else {
			bytes_char(help, ' ');
		}
		bytes_str(help, rule->name);
	}
	bytes_str(help, "; see mig-plan(1)\n\n");
	bytes_str(help, further_examples);
}

/* len bytes of word */
static int
no_such_rule(const char *word, size_t len)
{
	const char *names[32], *nearest;
	const struct plan_rule *rule;
	size_t count = 0;

	for (rule = plan_rules; rule->name != NULL; rule++)
		if (rule->movable)
			names[count++] = rule->name;
	nearest = suggest_nearest(word, len, names, count);
	return options_wrong("\"%.*s\" is not a rule that --strict and --allow move%s%s%s", (int)len, word,
	    nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
}

static int
check_options(const struct plan_request *request)
{
	const struct plan_options *w = &request->options;
	bool marks = w->baseline != NULL || w->applied_count > 0 || w->rolled_back_count > 0;
	const char *word;
	size_t len;

	if (w->phase != PHASE_NULL && (marks || w->down_to != NULL))
		return options_wrong("--phase is for a plan that applies: it cannot be combined with marks or --down-to");
	if (w->down_to != NULL && (marks || w->to != NULL || w->from_empty || w->resume_count > 0))
		return options_wrong("a plan that takes back does nothing else: --down-to cannot be combined with marks, --to, --from-empty or --resume");
	if (marks && (w->to != NULL || w->from_empty || w->resume_count > 0))
		return options_wrong("a plan with marks contains only marks: it cannot be combined with --to, --from-empty or --resume");
	if ((w->strict != NULL && !plan_rules_known(w->strict, &word, &len)) ||
	    (w->allow != NULL && !plan_rules_known(w->allow, &word, &len)))
		return no_such_rule(word, len);
	return 0;
}

static enum phase
phase_of(const char *word)
{
	return strcmp(word, phase_words[PHASE_EXPAND]) == 0 ? PHASE_EXPAND : strcmp(word, phase_words[PHASE_CONTRACT]) == 0 ? PHASE_CONTRACT : PHASE_NULL;
}

/* The operands of --diff: FROM and TO, or TO alone behind --from-empty. */
static int
read_sides(struct plan_request *request, const char *format, int count, char *sides[])
{
	const struct plan_options *w = &request->options;
	int wanted = w->from_empty ? 1 : 2;

	if (w->phase != PHASE_NULL || request->proof_file_count > 0 || w->to != NULL || w->down_to != NULL || w->max_stall != NULL || w->strict != NULL || w->allow != NULL || w->baseline != NULL ||
	    w->applied_count + w->rolled_back_count + w->resume_count > 0)
		return options_wrong("--diff compares two schemas: of the other options it allows only --from-empty and --exit-code");
	if (format != NULL && strcmp(format, "text") != 0 && strcmp(format, "sql") != 0 && strcmp(format, "records") != 0)
		return options_wrong("--format=%s is for a plan; with --diff it is text, sql or records", format);
	if (count != wanted)
		return options_wrong(w->from_empty ? "--diff --from-empty takes one schema, TO"
		                                   : "--diff takes two schemas, FROM and TO; or --from-empty and TO");
	request->from = w->from_empty ? NULL : sides[0];
	request->to = sides[count - 1];
	if (request->from != NULL && strcmp(request->from, "-") == 0 && strcmp(request->to, "-") == 0)
		return options_wrong("only one of FROM and TO can be standard input");
	return 0;
}

int
plan_request_read(int argc, char *argv[], struct plan_request *request, struct output *out)
{
	struct plan_options *w = &request->options;
	struct options o;
	int option;

	request->names = xcalloc((size_t)argc * 4, sizeof *request->names);
	request->proof_files = request->names + 3 * argc;
	w->applied = request->names;
	w->rolled_back = request->names + argc;
	w->resumes = request->names + 2 * argc;
	make_help(&request->help);
	mig_plan_program.more = examples;
	mig_plan_program.all = request->help.data;
	options_begin(&o, &mig_plan_program, argc, argv);
	while ((option = options_next(&o)) != OPTIONS_DONE) {
		switch (option) {
		case OPTIONS_WRONG:
			return MIG_USAGE;
		case OPTION_TO:
			w->to = o.value;
			break;
		case OPTION_DOWN_TO:
			w->down_to = o.value;
			break;
		case OPTION_FROM_EMPTY:
			w->from_empty = true;
			break;
		case OPTION_STRICT:
			w->strict = o.value != NULL ? o.value : "";
			break;
		case OPTION_MAX_STALL:
			if (program_max_stall(o.value, &w->max_stall_ms) != 0)
				return MIG_USAGE;
			w->max_stall = o.value;
			break;
		case OPTION_ALLOW:
			if (request->allowed.len > 0)
				bytes_char(&request->allowed, ',');
			bytes_str(&request->allowed, o.value);
			w->allow = request->allowed.data;
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
				return options_wrong("--resume=%s: expected NAME:STATEMENT, as in 20261120_x:3", o.value);
			w->resumes[w->resume_count++] = o.value;
			break;
		case OPTION_PHASE:
			if ((w->phase = phase_of(o.value)) == PHASE_NULL)
				return options_wrong("--phase=%s: expected expand or contract", o.value);
			break;
		case OPTION_PROOF:
			request->proof_files[request->proof_file_count++] = o.value;
			break;
		case OPTION_PROOF_AGE:
			if (options_time("proof-age", o.value, &w->proof_age_ms) != 0)
				return MIG_USAGE;
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
		return read_sides(request, out->format, argc - o.first, argv + o.first);
	if (options_one_operand(&o, &request->input) != 0)
		return MIG_USAGE;
	return check_options(request);
}

static void
add_options(struct shell_words *words, const char *option, const char *const *values, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		shell_option(words, option, values[i]);
}

void
plan_request_words(struct shell_words *words, const struct scan *scan, const struct plan_options *w, bool resumes)
{
	size_t i;

	shell_append(words, scan->command);
	shell_program(words, "mig-plan");
	add_options(words, "--to", &w->to, w->to != NULL);
	add_options(words, "--down-to", &w->down_to, w->down_to != NULL);
	if (w->phase != PHASE_NULL)
		shell_option(words, "--phase", phase_words[w->phase]);
	for (i = 0; i < w->proof_count; i++)
		if (i == 0 || strcmp(w->proofs[i].file, w->proofs[i - 1].file) != 0)
			shell_option(words, "--proof", w->proofs[i].file);
	if (w->from_empty)
		shell_option(words, "--from-empty", NULL);
	add_options(words, "--baseline", &w->baseline, w->baseline != NULL);
	add_options(words, "--mark-applied", w->applied, w->applied_count);
	add_options(words, "--mark-rolled-back", w->rolled_back, w->rolled_back_count);
	if (resumes)
		add_options(words, "--resume", w->resumes, w->resume_count);
	add_options(words, "--allow", &w->allow, w->allow != NULL);
	if (w->max_stall != NULL)
		shell_option(words, "--max-stall", w->max_stall);
	if (w->strict != NULL)
		shell_option(words, "--strict", *w->strict != '\0' ? w->strict : NULL);
}

/* What a file has of mig-check used. */
static int
read_proof(struct plan_request *request, const char *file, struct reader *reader)
{
	static const char *const kinds[] = { "checks", NULL };
	enum reading got = reader_begin(reader, kinds);
	struct record *record;

	while (got == READING_RECORD && (got = reader_next(reader, &record)) == READING_RECORD) {
		struct plan_proof *p;

		if (!record_is(record, &used_form)) {
			record_free(record);
			continue;
		}
		request->records = xrealloc(request->records, (request->record_count + 1) * sizeof *request->records);
		request->proofs = xrealloc(request->proofs, (request->record_count + 1) * sizeof *request->proofs);
		p = &request->proofs[request->record_count];
		request->records[request->record_count++] = record;
		*p = (struct plan_proof){ .file = file };
		if (record_fill(reader, record, &used_form, &p->used) != 0)
			return MIG_DATA;
		p->age_ms = clock_since_ms(p->used.checked_at);
	}
	if (got == READING_FAILED)
		return message_error(MIG_DATA, "%s: mig-check did not finish: %s", file, reader_failure(reader)->message);
	return got == READING_END ? 0 : MIG_DATA;
}

int
plan_request_proofs(struct plan_request *request)
{
	int code = 0;
	size_t i;

	for (i = 0; code == 0 && i < request->proof_file_count; i++) {
		const char *file = request->proof_files[i];
		struct reader *reader;

		if (strcmp(file, "-") == 0)
			return options_wrong("--proof=-: standard input has the scan; a proof is a file");
		reader = reader_open(file, "Nothing was planned, and nothing will be applied.", NULL);
		code = reader != NULL ? read_proof(request, file, reader) : message_code();
		reader_free(reader);
	}
	request->options.proofs = request->proofs;
	request->options.proof_count = request->record_count;
	return code;
}

void
plan_request_free(struct plan_request *request)
{
	size_t i;

	for (i = 0; i < request->record_count; i++)
		record_free(request->records[i]);
	free(request->records);
	free(request->proofs);
	free(request->names);
	bytes_free(&request->help);
	bytes_free(&request->allowed);
}
