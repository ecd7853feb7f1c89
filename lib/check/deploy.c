#include "check/check.h"

#include <string.h>

static const struct metric steps_metric = { "steps", NULL, "mig_deploy_steps", NULL,
    "Steps of the last deploy.", METRIC_COUNT,
	false };
static const struct metric undone_metric = { "not_done", "not_done", "mig_deploy_steps_not_done", NULL,
	"Steps of the last deploy that were not done.", METRIC_COUNT, false };

struct tally {
	size_t steps, done;
	bool dry_run;
};

/* One result: what is not done is said. */
static void
weigh(struct check_outcome *outcome, struct tally *tally, const struct result *r)
{
	tally->steps++;
	if (strcmp(r->status, STATUS_APPLIED) == 0 || strcmp(r->status, STATUS_SKIPPED) == 0 ||
	    strcmp(r->status, STATUS_MARKED) == 0) {
		tally->done++;
		return;
	}
	check_raise(outcome, CHECK_CRITICAL);
	check_detail(outcome, r->status, "%s%s%s", r->migration, r->message != NULL ? ": " : "",
	    r->message != NULL ? r->message : "");
}

static enum reading
read_results(struct check_job *job, struct reader *reader, struct tally *tally)
{
	struct check_outcome *outcome = &job->outcome;
	struct record *record;
	enum reading got;
	int code = 0;

	while (code == 0 && (got = reader_next(reader, &record)) == READING_RECORD) {
		struct run run;
		struct result result;

		if (record_is(record, &run_form)) {
			code = record_fill(reader, record, &run_form, &run);
			tally->dry_run = code == 0 && run.dry_run;
			if (code == 0 && run.database != NULL)
				check_target(&job->target, run.host, run.port, run.database);
		} else if (record_is(record, &result_form)) {
			code = record_fill(reader, record, &result_form, &result);
			if (code == 0)
				weigh(outcome, tally, &result);
		} else {
			code = reader_refuse(reader, "a \"%s\" record does not belong here",
			    record_name(record));
		}
		record_free(record);
	}
	return code == 0 ? got : READING_BAD;
}

static void
read_run(struct check_job *job, struct reader *reader)
{
	static const char *const kinds[] = { "results", NULL };
	struct check_outcome *outcome = &job->outcome;
	struct tally tally = { 0 };
	enum reading got = reader_begin(reader, kinds);

	if (got == READING_RECORD)
		got = read_results(job, reader, &tally);
	if (got == READING_FAILED) {
		check_failed_upstream(outcome, reader_failure(reader));
	} else if (got == READING_BAD) {
		check_outcome_clear(outcome);
		check_say(outcome, CHECK_UNKNOWN, "the results on standard input are broken");
	} else if (tally.dry_run) {
		check_outcome_clear(outcome);
		check_say(outcome, CHECK_UNKNOWN, "it was a dry run");
	} else {
		check_say(outcome, CHECK_OK, "%zu of %zu applied", tally.done, tally.steps);
		(void)check_measure(outcome, &steps_metric, (long long)tally.steps, RECORD_NULL, RECORD_NULL);
		(void)check_measure(outcome, &undone_metric, (long long)(tally.steps - tally.done),
		    RECORD_NULL, 0);
	}
}

const struct check_kind check_deploy_kind = {
	.name = "deploy",
	.help = "results of mig-apply on standard input: was everything applied?",
	.pipeline = "mig-scan | mig-plan | mig-apply | mig-check deploy",
	.read = read_run,
};
