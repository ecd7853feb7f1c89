/*
 * Check "used": does anybody still use a table or a column?
 *
 * It asks the statements that the server has counted (pg_stat_statements), the sessions of this moment, what depends on it in the
 * catalog, and the counters of the table.  A single look tells what was used since the statistics were reset, but not when; two
 * looks tell what was used in between.
 */
#include "check/used_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/null.h"
#include "check/relation_name.h"
#include "postgres/poller.h"
#include "records/model.h"
#include "records/record.h"

static const struct setting settings[] = {
	[USED_SINCE] = { "since", "TIME", "7d", "how long nobody must have used it; with --watch by itself that time", SETTING_TIME, false },
	[USED_STANDBYS] = { "standbys", "unknown|ok", "unknown", "ok: standbys are not looked at, and no session reads there", SETTING_WORD, false },
	{ NULL, NULL, NULL, NULL, SETTING_STATE, false },
};

/* Reading all texts takes the server a while: a few looks are enough to see what has been called. */
enum { LOOKS_IN_TIME = 20, LONGEST_PAUSE_MS = 60000 };

static bool
is_due(const struct check_job *job, const struct used_job *u)
{
	long long pause = job->settings[USED_SINCE].number / LOOKS_IN_TIME;

	if (job->watches && !job->settings[USED_SINCE].given)
		pause = 2000;
	return clock_now_ms() - u->last_look_ms >= (pause < LONGEST_PAUSE_MS ? pause : LONGEST_PAUSE_MS);
}

/* --- the round trips --- */

static size_t
ask_find(struct used_job *u, struct db_ask *asks)
{
	size_t i;

	for (i = 0; i < FINDS; i++)
		asks[i] = (struct db_ask){ .ours = true, .sql = used_find[i], .ends_unit = true };
	asks[FIND_TARGET].parameter = asks[FIND_NAMES].parameter = &u->parts_text;
	return FINDS;
}

static size_t
ask_look(struct used_job *u, struct db_ask *asks, bool first)
{
	size_t i;

	for (i = 0; i < LOOKS; i++) {
		const struct used_question *q = &used_look[i];
		bool needed = first || (i != LOOK_OTHERS && i != LOOK_DEPENDENTS && i != LOOK_FUNCTIONS);

		/* what depends on it is asked once; the others keep their places */
		asks[i] = (struct db_ask){ .ours = true, .sql = needed ? q->sql : "SELECT WHERE false", .ends_unit = true };
		if (needed && q->parameters > 0) {
			asks[i].parameter = u->parameters;
			asks[i].more = q->parameters - 1;
		}
	}
	return LOOKS;
}

static size_t
ask_statements(struct used_job *u, struct db_ask *asks)
{
	if (u->statements_sql.len == 0) {
		used_statements_sql(&u->statements_sql, u->extension);
		used_statistics_sql(&u->statistics_sql, u->extension, u->has_info);
	}
	asks[0] = (struct db_ask){ .ours = true, .sql = u->statistics_sql.data, .ends_unit = true };
	asks[1] = (struct db_ask){ .ours = true, .sql = u->statements_sql.data, .parameter = &u->names_text, .ends_unit = true };
	return 2;
}

static size_t
ask(struct check_job *job, struct db_ask *asks)
{
	struct used_job *u = job->data;
	size_t n;

	switch (u->stage) {
	case USED_FINDING:
		return ask_find(u, asks);
	case USED_LOOKING:
		return ask_look(u, asks, true);
	case USED_READING:
		return ask_statements(u, asks);
	case USED_AGAIN:
		break;
	}
	if (!is_due(job, u))
		return 0;
	n = ask_look(u, asks, false);
	return n + (u->extension != NULL ? ask_statements(u, asks + n) : 0);
}

static void
without_statements(struct used_job *u)
{
	u->evicted = u->reset_ms = NUMBER_UNKNOWN;
	u->last_look_ms = clock_now_ms();
	if (u->stage != USED_AGAIN)
		u->first_look_ms = u->quiet_from_ms = u->last_look_ms;
}

static void
answered(struct check_job *job, struct db_ask *asks, struct poller *session)
{
	struct used_job *u = job->data;

	if (session->code != 0) {
		check_no_answer(job);
		return;
	}
	check_take_target(job, db_host(session->db), db_port(session->db), db_database(session->db));
	switch (u->stage) {
	case USED_FINDING:
		if (!used_take_target(job, u, asks))
			return;
		u->stage = USED_LOOKING;
		job->more = true;
		return;
	case USED_LOOKING:
		used_take_look(u, asks, true);
		if (u->extension != NULL) {
			u->stage = USED_READING;
			job->more = true;
			return;
		}
		without_statements(u);
		break;
	case USED_READING:
		used_take_statements(u, &asks[0], &asks[1]);
		break;
	case USED_AGAIN:
		used_take_look(u, asks, false);
		if (u->extension != NULL)
			used_take_statements(u, &asks[LOOKS], &asks[LOOKS + 1]);
		else
			without_statements(u);
	}
	u->stage = USED_AGAIN;
	used_judge(job, u);
}

/* The verdict of --watch, which before could only be "so far". */
static void
last(struct check_job *job)
{
	struct used_job *u = job->data;

	if (!job->watches || u->stage != USED_AGAIN || job->outcome.final)
		return;
	u->finished = true;
	check_outcome_clear(&job->outcome);
	used_judge(job, u);
}

static void
put(const struct check_job *job, struct writer *writer)
{
	const struct used_job *u = job->data;
	char at[CLOCK_INSTANT];
	struct used used = { .system_identifier = u->system_identifier,
		.database = u->database,
		.schema = u->target.schema,
		.relation = u->target.table,
		.column = u->target.column,
		.status = check_status(job->outcome.state),
		.checked_at = at,
		.covers_ms = u->covers_ms };

	if (u->target.table == NULL)
		return;
	clock_now_utc(at);
	writer_put(writer, &used_form, &used);
}

static int
begin(struct check_job *job)
{
	struct used_job *u = xcalloc(1, sizeof *u);

	job->data = u;
	u->part_count = relation_parts(&u->parts, job->value);
	u->parts_text = bytes_text(&u->parts);
	return 0;
}

static void
end(struct check_job *job)
{
	struct used_job *u = job->data;

	arena_free(&u->arena);
	bytes_free(&u->parts);
	bytes_free(&u->names);
	bytes_free(&u->statements_sql);
	bytes_free(&u->statistics_sql);
	bytes_free(&u->sessions);
	bytes_free(&u->standbys);
	free(u->others);
	free(u->dependents);
	free(u->statements);
	free(u);
}

const struct check_kind check_used_kind = {
	.name = "used",
	.value = "NAME[.COLUMN]",
	.value_names = true,
	.help = "does anybody still use a table or a column?\n"
	        "Before it is dropped: by pg_stat_statements, sessions, views, functions, policies, triggers, keys and counters; "
	        "with --watch also what is used in that time. Also SCHEMA.NAME.",
	.settings = settings,
	.begin = begin,
	.ask = ask,
	.answered = answered,
	.last = last,
	.put = put,
	.end = end,
};
