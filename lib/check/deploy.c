#include "check/check.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/null.h"
#include "base/page.h"
#include "check/picture.h"
#include "postgres/sqlstate.h"
#include "records/json.h"
#include "records/model.h"
#include "records/record.h"
#include "records/words.h"

enum { AGE };
static const struct setting settings[] = {
	[AGE] = { "age", "TIME", NULL, "maximum age of the deploy; older results are WARNING", SETTING_TIME, false },
	{ NULL, NULL, NULL, NULL, SETTING_TEXT, false },
};

static const struct metric steps_metric = { "steps", NULL, "mig_deploy_steps", NULL,
    "Steps of the last deploy.", METRIC_COUNT,
	false };
static const struct metric undone_metric = { "not_done", "not_done", "mig_deploy_steps_not_done", NULL,
	"Steps of the last deploy that were not applied.", METRIC_COUNT, false };

static const struct metric age_metric = { "age_seconds", "age", "mig_deploy_age_seconds", NULL,
	"Time since the last deploy began.", METRIC_SECONDS, false };

struct tally {
	size_t steps, done;
	bool dry_run, reverts;
	struct bytes what;      /* which deploy: "shop at db.example.com:5432, plan 3d0ea529e9c382d7" */
	long long age_ms;       /* -1: not known */
	long long step_ms;      /* when the step began that comes next, by the clock of polls */
};

/* A deferred step's server text says only that a time-out struck. */
void
check_result_why(struct bytes *out, const struct result *r)
{
	if (r->sqlstate != NULL && strcmp(r->sqlstate, SQLSTATE_LOCK_NOT_AVAILABLE) == 0)
		bytes_format(out, ": %s stayed busy%s%s", r->waited_for != NULL ? r->waited_for : "a table that the step needs",
		    r->waited_session != NULL ? ", held by " : "",
		    r->waited_session != NULL ? r->waited_session : "");
	else if (r->message != NULL)
		bytes_format(out, ": %s", r->message);
}

/* The steps of a deploy follow one another. */
static void
draw(const struct check_job *job, struct tally *tally, const struct result *r)
{
	if (job->picture == NULL || tally->age_ms < 0 || r->took_ms == NUMBER_UNKNOWN || r->status == STATUS_NOT_STARTED ||
	    r->status == STATUS_SKIPPED)
		return;
	picture_add_bar(job->picture, r->migration, tally->step_ms, r->waited_ms == NUMBER_UNKNOWN ? 0 : r->waited_ms, r->took_ms,
	    r->status != STATUS_APPLIED && r->status != STATUS_MARKED && r->status != STATUS_REVERTED);
	tally->step_ms += r->took_ms;
}

/* Evaluates one result; reports a step that was not applied. */
static void
weigh(struct check_job *job, struct tally *tally, const struct result *r)
{
	struct check_outcome *outcome = &job->outcome;
	struct bytes why = { 0 };

	tally->steps++;
	draw(job, tally, r);
	if (r->status == STATUS_APPLIED || r->status == STATUS_SKIPPED || r->status == STATUS_MARKED || r->status == STATUS_REVERTED) {
		tally->done++;
		tally->reverts |= r->status == STATUS_REVERTED;
		return;
	}
	check_raise(outcome, CHECK_CRITICAL);
	check_result_why(&why, r);
	check_detail(outcome, result_status_words[r->status], "%s%s", r->migration, bytes_text(&why));
	bytes_free(&why);
}

/* Which deploy it is that is judged: a file may be that of another one. */
static void
take_run(struct check_job *job, struct tally *tally, const struct run *run)
{
	tally->dry_run = run->dry_run;
	tally->what.len = 0;
	if (run->database != NULL) {
		check_take_target(job, run->host, run->port, run->database);
		bytes_free(&job->target.place); /* the message has it, with the plan */
		page_place(&tally->what, run->database, run->host, run->port, NULL);
		bytes_str(&tally->what, ", ");
	}
	bytes_format(&tally->what, "plan %.16s", run->plan_digest);
	tally->age_ms = clock_since_ms(run->started_at);
	tally->step_ms = clock_now_ms() - tally->age_ms;
	if (job->picture != NULL && tally->age_ms >= 0)
		job->picture->zero_ms = tally->step_ms;
}

static void
judge_age(struct check_job *job, const struct tally *tally)
{
	long long most = job->settings[AGE].number;
	char span[CLOCK_SPAN];

	if (tally->age_ms < 0)
		return;
	(void)check_measure(&job->outcome, &age_metric, tally->age_ms / 1000, most != NUMBER_UNKNOWN ? most / 1000 : NUMBER_UNKNOWN,
	    NUMBER_UNKNOWN);
	if (most != NUMBER_UNKNOWN && tally->age_ms > most)
		check_say(&job->outcome, CHECK_WARNING, "older than %s (deploy.age)", clock_age(most, span));
}

static void
judge(struct check_job *job, const struct tally *tally)
{
	struct check_outcome *o = &job->outcome;
	char span[CLOCK_SPAN];

	if (tally->steps == 0)
		check_say(o, CHECK_OK, "nothing to do");
	else
		check_say(o, CHECK_OK, "%zu of %zu %s", tally->done, tally->steps, tally->reverts ? "taken back" : "applied");
	if (tally->what.len > 0)
		bytes_format(&o->message, " (%s%s%s%s)", tally->what.data, tally->age_ms >= 0 ? ", " : "",
		    tally->age_ms >= 0 ? clock_age(tally->age_ms, span) : "", tally->age_ms >= 0 ? " ago" : "");
	judge_age(job, tally);
	(void)check_measure(o, &steps_metric, (long long)tally->steps, NUMBER_UNKNOWN, NUMBER_UNKNOWN);
	(void)check_measure(o, &undone_metric, (long long)(tally->steps - tally->done), NUMBER_UNKNOWN, 0);
}

static enum reading
read_results(struct check_job *job, struct reader *reader, struct tally *tally)
{
	struct record *record;
	enum reading got;
	int code = 0;

	while (code == 0 && (got = reader_next(reader, &record)) == READING_RECORD) {
		struct run run;
		struct result result;

		if (record_is(record, &run_form)) {
			code = record_fill(reader, record, &run_form, &run);
			if (code == 0)
				take_run(job, tally, &run);
		} else if (record_is(record, &result_form)) {
			code = record_fill(reader, record, &result_form, &result);
			if (code == 0)
				weigh(job, tally, &result);
		} else {
			code = reader_refuse(reader, "unexpected \"%s\" record",
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
	struct tally tally = { .age_ms = -1 };
	enum reading got = reader_begin(reader, kinds);

	if (got == READING_RECORD)
		got = read_results(job, reader, &tally);
	if (got == READING_FAILED) {
		check_failed_upstream(outcome, reader_failure(reader));
	} else if (got == READING_BAD) {
		check_outcome_clear(outcome);
		check_say(outcome, CHECK_UNKNOWN, "the results on standard input are incomplete or invalid");
	} else if (tally.dry_run) {
		check_outcome_clear(outcome);
		check_say(outcome, CHECK_UNKNOWN, "it was a dry run");
	} else {
		judge(job, &tally);
	}
	bytes_free(&tally.what);
}

const struct check_kind check_deploy_kind = {
	.name = "deploy",
	.help = "of results on standard input: was everything applied?\nThose of mig-apply.",
	.settings = settings,
	.pipeline = "mig-scan\n|\nmig-plan\n|\nmig-apply",
	.read = read_run,
};
