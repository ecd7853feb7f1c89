#include "check.h"

#include "clock.h"
#include "face.h"
#include "history.h"
#include "status.h"

/* How bad a state is where it is found in production. */
static enum check_state
weight_of(enum state state)
{
	switch (state) {
	case STATE_FAILED:
		return CHECK_CRITICAL;
	case STATE_PENDING:
	case STATE_LATE:
	case STATE_EDITED:
	case STATE_MISSING:
	case STATE_RUNNING:
		return CHECK_WARNING;
	case STATE_APPLIED:
	case STATE_COUNT:
		break;
	}
	return CHECK_OK;
}

static void
add_detail(struct check_outcome *outcome, const struct standing *s)
{
	char when[CLOCK_INSTANT];

	face_pad(&outcome->details, state_word(s->state), 12);
	bytes_str(&outcome->details, s->migration);
	if (s->row != NULL && s->row->finished_at != NULL)
		bytes_format(&outcome->details, ", applied %s", clock_readable(s->row->finished_at, when));
	else if (s->row != NULL)
		bytes_format(&outcome->details, ", begun %s", clock_readable(s->row->started_at, when));
	bytes_char(&outcome->details, '\n');
}

static void
judge(struct check_outcome *outcome, const struct status *status)
{
	static const enum state order[] = { STATE_FAILED, STATE_PENDING, STATE_RUNNING, STATE_EDITED, STATE_MISSING };
	size_t i, late = status->of[STATE_LATE];

	for (i = 0; i < sizeof order / sizeof *order; i++) {
		size_t count = status->of[order[i]] + (order[i] == STATE_PENDING ? late : 0);

		if (count == 0)
			continue;
		check_raise(outcome, weight_of(order[i]));
		bytes_format(&outcome->message, "%s%zu %s", outcome->message.len > 0 ? ", " : "", count,
		    state_word(order[i]));
		if (order[i] == STATE_PENDING && late > 0)
			bytes_format(&outcome->message, " (%zu of them late)", late);
	}
	for (i = 0; i < status->count; i++)
		if (status->standings[i].state != STATE_APPLIED)
			add_detail(outcome, &status->standings[i]);
	if (outcome->state != CHECK_OK)
		bytes_str(&outcome->details, "next        mig-scan | mig-plan\n");
	if (outcome->message.len == 0)
		bytes_format(&outcome->message, "%zu applied, 0 pending", status->of[STATE_APPLIED]);
}

struct look {
	struct history_index index;
	bool made;
};

/* No script is needed once it has been compared. */
static bool
look_at(const struct scan *scan, struct migration *m, void *context)
{
	struct look *look = context;

	if (!look->made)
		look->index = history_index(scan->history, scan->history_count);
	look->made = true;
	status_look_at(&look->index, m);
	return false;
}

void
check_history(struct check_outcome *outcome, struct reader *reader)
{
	static const char *const kinds[] = { "scan", NULL };
	struct scan scan = { 0 };
	struct look look = { 0 };
	enum reading got = reader_begin(reader, kinds);

	if (got == READING_RECORD)
		got = scan_read(reader, &scan, look_at, &look);
	if (got == READING_FAILED) {
		check_failed_upstream(outcome, reader_failure(reader));
	} else if (got == READING_BAD) {
		check_raise(outcome, CHECK_UNKNOWN);
		bytes_str(&outcome->message, "the scan on standard input is broken");
	} else if (!scan.has_database) {
		check_raise(outcome, CHECK_UNKNOWN);
		bytes_str(&outcome->message, "the scan has no database side; scan without --offline");
	} else {
		struct status status;

		if (!look.made)
			look.index = history_index(scan.history, scan.history_count);
		status = status_make(&scan, &look.index);
		judge(outcome, &status);
		status_free(&status);
	}
	history_index_free(&look.index);
	scan_free(&scan);
}
