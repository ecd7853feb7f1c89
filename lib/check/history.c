/*
 * Check "history": does production have what the folder has?  The scan on standard input answers that.  With
 * --wait or --watch the database is then queried again; the folder's side stays as in the scan.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/null.h"
#include "base/shell_quote.h"
#include "check/check.h"
#include "database/inspect.h"
#include "database/rights.h"
#include "migrations/history.h"
#include "migrations/other_schemas.h"
#include "migrations/phase.h"
#include "migrations/status.h"
#include "postgres/connection.h"
#include "postgres/poller.h"
#include "postgres/sqlstate.h"
#include "records/model.h"
#include "records/record.h"
#include "sql/breaks.h"

enum { PENDING, RUNNING, FAILED, EDITED, MISSING, PHASE };
static const struct setting settings[] = {
	[PENDING] = { "pending", "STATE", "warning",
	    "state to report for a pending migration: ok, warning or critical", SETTING_STATE, false },
	[RUNNING] = { "running", "STATE", "warning", "state to report for a migration that is being applied", SETTING_STATE, false },
	[FAILED] = { "failed", "STATE", "critical", "state to report for an unfinished migration while no deploy runs",
	    SETTING_STATE, false },
	[EDITED] = { "edited", "STATE", "warning", "state to report for a migration whose file differs from what was applied", SETTING_STATE,
	    false },
	[MISSING] = { "missing", "STATE", "warning", "state to report for an applied migration that is not in the folder",
	    SETTING_STATE, false },
	[PHASE] = { "phase", "all|expand", "all", "expand: pending migrations of the contract phase are OK", SETTING_WORD, false },
	{ NULL, NULL, NULL, NULL, SETTING_STATE, false },
};

#define MIGRATIONS(word) "mig_history_migrations", "state=\"" word "\"", "Migrations by state.", METRIC_COUNT, false
static const struct metric metrics[] = {
	[PENDING] = { "pending", "pending", MIGRATIONS("pending") },
	[RUNNING] = { "running", NULL, MIGRATIONS("running") },
	[FAILED] = { "failed", "failed", MIGRATIONS("failed") },
	[EDITED] = { "edited", "edited", MIGRATIONS("edited") },
	[MISSING] = { "missing", "missing", MIGRATIONS("missing") },
};
static const struct metric applied_metric = { "applied", NULL, MIGRATIONS("applied") };

/* The states in the order in which they are told. */
static const struct {
	enum state state;
	int setting;
	bool stays;       /* time alone does not mend it */
} told[] = { { STATE_FAILED, FAILED, false }, { STATE_PENDING, PENDING, false },
    { STATE_RUNNING, RUNNING, false },
	{ STATE_EDITED, EDITED, true }, { STATE_MISSING, MISSING, true } };

struct history_job {
	struct scan scan;
	struct history_index index;  /* of the scan's rows */
	bool made, keeps;            /* keeps: the scripts will be needed again */
	bool by_phase;               /* as they are to tell what waits for the contract phase */
	struct inspection inspection;
	const char *schema;
	const char *rights[2];       /* the parameters of what it may read */
	struct bytes rows_sql;
	char *command, *folder;      /* of the scan, which outlives its reader */
};

/* --- judging --- */

static void
add_detail(struct check_outcome *outcome, const struct migration_status *s)
{
	char when[CLOCK_INSTANT];

	if (s->row != NULL && s->row->finished_at != NULL)
		check_detail(outcome, state_word(s->state), "%s, applied %s", s->migration,
		    clock_readable(s->row->finished_at, when));
	else if (s->row != NULL)
		check_detail(outcome, state_word(s->state), "%s, begun %s", s->migration,
		    clock_readable(s->row->started_at, when));
	else
		check_detail(outcome, state_word(s->state), "%s", s->migration);
}

/* What to type, where the scan says how it was called. */
static void
say_next(struct check_outcome *outcome, const struct scan *scan)
{
	struct shell_words words = { 0 };
	struct bytes command = { 0 };

	shell_append(&words, scan->command);
	shell_program(&words, "mig-plan");
	if (shell_words(&words) != NULL)
		shell_command(&command, shell_words(&words));
	check_detail(outcome, "next", "%s", command.len > 0 ? command.data : "mig-plan, given the same scan, shows what a deploy would do");
	shell_words_free(&words);
	bytes_free(&command);
}

/* How many pending ones wait for the contract phase: from the first that contracts on, all. */
static size_t
waiting(const struct scan *scan, const struct status *status)
{
	struct sql_made made = { 0 };
	struct bytes why = { 0 };
	bool contracts = false;
	size_t count = 0, i;

	for (i = 0; i < status->count; i++) {
		const struct migration_status *s = &status->list[i];

		if ((s->state != STATE_PENDING && s->state != STATE_LATE) || s->script == NULL)
			continue;
		contracts = contracts || phase_contracts(&scan->rehearsed, s->script, &made, &why);
		count += contracts;
	}
	sql_made_free(&made);
	bytes_free(&why);
	return count;
}

static void
judge(struct check_job *job, const struct scan *scan, const struct status *status)
{
	struct bytes elsewhere = { 0 };
	struct check_outcome *outcome = &job->outcome;
	size_t i, late = status->of[STATE_LATE], later = job->settings[PHASE].number == 1 ? waiting(scan, status) : 0;
	bool mends = false;

	(void)check_measure(outcome, &applied_metric, (long long)status->of[STATE_APPLIED], NUMBER_UNKNOWN,
	    NUMBER_UNKNOWN);
	for (i = 0; i < sizeof told / sizeof *told; i++) {
		enum check_state means = (enum check_state)job->settings[told[i].setting].number;
		size_t count = status->of[told[i].state] + (told[i].state == STATE_PENDING ? late - later : 0);

		check_count(outcome, &metrics[told[i].setting], count, means);
		if (count == 0)
			continue;
		mends |= !told[i].stays && means != CHECK_OK;
		check_say(outcome, means, "%zu %s", count, state_word(told[i].state));
		if (told[i].state == STATE_PENDING && late > 0 && later == 0)
			bytes_format(&outcome->message, " (%zu of them late)", late);
	}
	for (i = 0; i < status->count; i++)
		if (status->list[i].state != STATE_APPLIED)
			add_detail(outcome, &status->list[i]);
	if (outcome->state != CHECK_OK && scan->folder != NULL)
		check_detail(outcome, "folder", "%s", scan->folder);
	if (other_schemas(&elsewhere, &scan->database))
		check_detail(outcome, "history", "%s", elsewhere.data);
	bytes_free(&elsewhere);
	if (outcome->state != CHECK_OK)
		say_next(outcome, scan);
	if (outcome->message.len == 0)
		check_say(outcome, CHECK_OK, "%zu applied, 0 pending", status->of[STATE_APPLIED]);
	if (later > 0)
		check_aside(outcome, "%zu wait%s for the contract phase", later, later == 1 ? "s" : "");
	outcome->final = !mends && !job->watches;
	outcome->conclusive = !mends && outcome->state != CHECK_OK;
}

static void
judge_scan(struct check_job *job, const struct scan *scan, const struct history_index *index)
{
	const struct database *d = &scan->database;
	struct status status = status_make(scan, index);

	judge(job, scan, &status);
	check_take_target(job, d->host, d->port, d->database);
	status_free(&status);
}

/* --- the scan on standard input --- */

/* Where the history is not read again, no script is needed once it has been compared. */
static bool
look_at(const struct scan *scan, struct migration *m, void *context)
{
	struct history_job *h = context;

	if (!h->made)
		h->index = history_index(scan->history, scan->history_count);
	h->made = true;
	status_look_at(&h->index, m);
	return h->keeps || h->by_phase;
}

static void
broken(struct check_job *job, const char *why)
{
	check_say(&job->outcome, CHECK_UNKNOWN, "%s", why);
	job->outcome.final = true;
}

static void
read_scan(struct check_job *job, struct reader *reader)
{
	static const char *const kinds[] = { "scan", NULL };
	struct history_job *h = job->data;
	enum reading got = reader_begin(reader, kinds);

	h->keeps = job->waits || job->watches;
	h->by_phase = job->settings[PHASE].number == 1;
	if (got == READING_RECORD)
		got = scan_read(reader, &h->scan, look_at, h);
	if (reader_command(reader) != NULL)
		h->scan.command = h->command = xstrdup(reader_command(reader));
	if (reader_folder(reader) != NULL)
		h->scan.folder = h->folder = xstrdup(reader_folder(reader));
	if (got == READING_FAILED) {
		check_failed_upstream(&job->outcome, reader_failure(reader));
	} else if (got == READING_BAD) {
		broken(job, "the scan on standard input is incomplete or invalid");
	} else if (!h->scan.has_database && !h->keeps) {
		broken(job, "the scan has no database side; scan without --offline, or add --wait");
	} else if (h->scan.has_database) {
		if (!h->made)
			h->index = history_index(h->scan.history, h->scan.history_count);
		judge_scan(job, &h->scan, &h->index);
	}
}

/* --- the database, asked again --- */

static size_t
ask(struct check_job *job, struct db_ask *asks)
{
	struct history_job *h = job->data;

	h->schema = job->session->source.target.schema;
	if (h->rows_sql.len == 0)
		history_rows_sql(&h->rows_sql, h->schema);
	inspect_ask(asks, &h->schema, h->rows_sql.data);
	h->rights[0] = h->schema;
	h->rights[1] = "read";
	asks[INSPECT_ASKS] = rights_of_history_ask(h->rights);
	return INSPECT_ASKS + 1;
}

static void
compare_again(struct check_job *job, struct history_job *h)
{
	struct history_index index;
	struct scan scan = h->scan;
	size_t i;

	scan.has_database = true;
	scan.database = h->inspection.database;
	scan.history = h->inspection.rows;
	scan.history_count = h->inspection.count;
	index = history_index(scan.history, scan.history_count);
	for (i = 0; i < scan.migration_count; i++)
		status_look_at(&index, &scan.migrations[i]);
	judge_scan(job, &scan, &index);
	history_index_free(&index);
}

/* What an owner types, a line each. */
static void
say_grants(struct check_job *job, const struct db_ask *rights)
{
	size_t i;

	for (i = 0; rights->outcome == DB_OK && i < answer_rows(rights->answer); i++) {
		struct bytes grant = { 0 };

		right_grant(&grant, rights->answer, i);
		check_detail(&job->outcome, i == 0 ? "next" : "", "%s", grant.data);
		bytes_free(&grant);
	}
}

static void
answered(struct check_job *job, struct db_ask *asks, struct poller *session)
{
	struct history_job *h = job->data;
	const struct db_ask *rights = &asks[INSPECT_ASKS];
	const char *denied = session->code == 0 ? inspect_rows_denied(asks) : NULL;

	if (session->code == 0)
		check_take_target(job, db_host(session->db), db_port(session->db), db_database(session->db));
	if (session->code != 0) {
		check_no_answer(job);
	} else if (denied != NULL) {
		check_say(&job->outcome, CHECK_CRITICAL, "the history cannot be read [%s]", denied);
		if (strcmp(denied, SQLSTATE_INSUFFICIENT_PRIVILEGE) == 0)
			say_grants(job, rights);
	} else if (rights->outcome == DB_OK && answer_rows(rights->answer) > 0) { /* no schema may be used: where is it? */
		check_say(&job->outcome, CHECK_CRITICAL, "the history cannot be read [" SQLSTATE_INSUFFICIENT_PRIVILEGE "]");
		say_grants(job, rights);
	} else if (inspect_answered(session->db, asks, &h->inspection) != 0) {
		check_say(&job->outcome, CHECK_UNKNOWN, "the history cannot be judged");
	} else {
		compare_again(job, h);
	}
}

static int
begin(struct check_job *job)
{
	job->data = xcalloc(1, sizeof(struct history_job));
	return 0;
}

static void
end(struct check_job *job)
{
	struct history_job *h = job->data;

	inspect_free(&h->inspection);
	history_index_free(&h->index);
	bytes_free(&h->rows_sql);
	free(h->command);
	free(h->folder);
	scan_free(&h->scan);
	free(h);
}

const struct check_kind check_history_kind = {
	.name = "history",
	.help = "of a scan: is production what the folder says?\n"
	        "On standard input. With --wait and --watch the database is asked again; the scan may then be an --offline one",
	.settings = settings,
	.pipeline = "mig-scan",
	.read = read_scan,
	.begin = begin,
	.ask = ask,
	.answered = answered,
	.end = end,
};
