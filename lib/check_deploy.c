#include "check.h"

#include <string.h>

#include "face.h"

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
	face_pad(&outcome->details, r->status, 12);
	bytes_str(&outcome->details, r->migration);
	if (r->message != NULL)
		bytes_format(&outcome->details, ": %s", r->message);
	bytes_char(&outcome->details, '\n');
}

static enum reading
read_results(struct check_outcome *outcome, struct reader *reader, struct tally *tally)
{
	struct record *record;
	enum reading got;
	int code = 0;

	while (code == 0 && (got = reader_next(reader, &record)) == READING_RECORD) {
		struct run run;
		struct result result;

		if (record_is(record, &run_form)) {
			code = record_fill(reader, record, &run_form, &run);
			tally->dry_run = code == 0 && run.dry_run;
		} else if (record_is(record, &result_form)) {
			code = record_fill(reader, record, &result_form, &result);
			if (code == 0)
				weigh(outcome, tally, &result);
		} else {
			code = reader_refuse(reader, "a \"%s\" record does not belong here", record_name(record));
		}
		record_free(record);
	}
	return code == 0 ? got : READING_BAD;
}

void
check_deploy(struct check_outcome *outcome, struct reader *reader)
{
	static const char *const kinds[] = { "results", NULL };
	struct tally tally = { 0 };
	enum reading got = reader_begin(reader, kinds);

	if (got == READING_RECORD)
		got = read_results(outcome, reader, &tally);
	if (got == READING_FAILED) {
		check_failed_upstream(outcome, reader_failure(reader));
	} else if (got == READING_BAD) {
		outcome->state = CHECK_UNKNOWN;
		bytes_str(&outcome->message, "the results on standard input are broken");
	} else if (tally.dry_run) {
		outcome->state = CHECK_UNKNOWN;
		bytes_str(&outcome->message, "it was a dry run");
	} else {
		bytes_format(&outcome->message, "%zu of %zu applied", tally.done, tally.steps);
	}
}
