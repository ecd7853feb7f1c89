/*
 * The usual case of inspect_take(): somebody has a history, or nobody has, and nobody deploys.  A new session's server has
 * empty caches, and spends most of a run with nothing to do on planning what it is asked: so it is asked little, and
 * everything that is not usual is asked for again in full.
 */
#include "database/inspect_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/null.h"
#include "migrations/history.h"
#include "records/record.h"

/* In the order in which they are asked; those whose failure must not affect what follows are units. */
enum { ASK_LOCK, ASK_BEGIN, ASK_UTC, ASK_TABLE, ASK_ROWS, ASK_END, ASK_SESSION, ASK_CALM, ASKS };

static void
foresee(const struct inspection *inspection, size_t applied)
{
	if (applied < inspection->expected)
		writer_announce(inspection->announced);
}

static void
foresee_none(const struct answer *table, void *inspection)
{
	if (answer_rows(table) == 0)
		foresee(inspection, 0);
}

static void
foresee_rows(const struct answer *rows, void *inspection)
{
	size_t applied = 0, i;

	for (i = 0; i < answer_rows(rows); i++)
		applied += answer_text(rows, i, HISTORY_ROW_FINISHED) != NULL && answer_text(rows, i, HISTORY_ROW_ROLLED_BACK) == NULL;
	foresee(inspection, applied);
}

static void
make_asks(struct db_ask asks[ASKS], struct inspection *inspection, const char *const *process, const char *session_sql,
    const char *find_sql, const char *rows_sql)
{
	memset(asks, 0, ASKS * sizeof *asks);
	asks[ASK_LOCK] = (struct db_ask){ .sql = history_try_lock_in_sql, .parameter = process, .ends_unit = true };
	asks[ASK_BEGIN] = (struct db_ask){ .sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", .kind = DB_ASK_BEGINS };
	asks[ASK_UTC] = (struct db_ask){ .sql = "SET LOCAL TimeZone = 'UTC'" };
	asks[ASK_TABLE] = (struct db_ask){ .sql = find_sql, .answered = foresee_none, .context = inspection };
	asks[ASK_ROWS] = (struct db_ask){ .sql = rows_sql, .ends_unit = true, .answered = foresee_rows, .context = inspection };
	/* a ROLLBACK would be counted as one of the application's */
	asks[ASK_END] = (struct db_ask){ .sql = "END", .kind = DB_ASK_ENDS };
	asks[ASK_SESSION] = (struct db_ask){ .sql = session_sql, .ends_unit = true };
	asks[ASK_CALM] = (struct db_ask){ .sql = history_calm_sql, .ends_unit = true };
}

static void
keep_answers(struct inspection *inspection, struct db_ask asks[ASKS])
{
	static const int places[][2] = { { INSPECT_SYSTEM, ASK_CALM }, { INSPECT_LOCK, ASK_LOCK }, { INSPECT_LOOK, ASK_SESSION },
		{ INSPECT_TABLE, ASK_TABLE }, { INSPECT_ROWS, ASK_ROWS } };
	size_t i;

	for (i = 0; i < INSPECT_ANSWERS; i++) {
		answer_free(inspection->answers[i]);
		inspection->answers[i] = NULL;
	}
	for (i = 0; i < sizeof places / sizeof *places; i++) {
		inspection->answers[places[i][0]] = asks[places[i][1]].answer;
		asks[places[i][1]].answer = NULL;
	}
	for (i = 0; i < ASKS; i++)
		answer_free(asks[i].answer);
}

static void
take_session(struct db *db, struct inspection *inspection)
{
	const struct answer *a = inspection->answers[INSPECT_LOOK];
	struct database *d = &inspection->database;

	free(inspection->schema);
	d->schema = inspection->schema = xstrdup(answer_text(a, 0, HISTORY_SESSION_SCHEMA));
	inspect_connection(db, inspection);
	d->in_recovery = answer_flag(a, 0, HISTORY_SESSION_RECOVERY);
	d->schema_empty = answer_text(a, 0, HISTORY_SESSION_BESIDE) == NULL;
	d->system_identifier = answer_text(inspection->answers[INSPECT_SYSTEM], 0, 0);
	d->deployer_pid = NUMBER_UNKNOWN;
	d->deployer_user = d->deployer_application = d->deployer_client = d->deployer_since = NULL;
	d->other_history_schema = NULL;
	d->other_history_count = NUMBER_UNKNOWN;
	inspection->has_schema = answer_flag(a, 0, HISTORY_SESSION_EXISTS);
	inspection->read_only = strcmp(answer_text(a, 0, HISTORY_SESSION_READ_ONLY), "on") == 0;
	inspection->backend_pid = (int)answer_number(a, 0, HISTORY_SESSION_BACKEND);
	inspection->role = answer_text(a, 0, HISTORY_SESSION_ROLE);
	inspection->deploying_ms = NUMBER_UNKNOWN;
}

/* Whether all that is asked of any session was answered, and nobody deploys, or we hold the lock. */
static bool
is_calm(const struct inspection *inspection)
{
	const struct answer *a = inspection->answers[INSPECT_LOOK], *system = inspection->answers[INSPECT_SYSTEM];
	const char *beside, *held;

	if (a == NULL || answer_rows(a) != 1 || system == NULL || answer_rows(system) != 1 ||
	    answer_text(a, 0, HISTORY_SESSION_SCHEMA) == NULL || answer_text(a, 0, HISTORY_SESSION_READ_ONLY) == NULL ||
	    answer_text(a, 0, HISTORY_SESSION_BACKEND) == NULL)
		return false;
	beside = answer_text(a, 0, HISTORY_SESSION_BESIDE);
	held = answer_text(system, 0, 1);
	return (beside == NULL || !history_is_no_table(beside)) &&
	    (inspection->locked || (held != NULL && strcmp(held, "f") == 0));
}

static bool
has_unfinished(const struct inspection *inspection)
{
	size_t i;

	for (i = 0; i < inspection->count; i++)
		if (history_row_unfinished(&inspection->rows[i]))
			return true;
	return false;
}

/* The table is where a history is made, or there is none anywhere. */
static bool
take_history(struct db *db, struct inspection *inspection, int *code)
{
	const struct answer *table = inspection->answers[INSPECT_TABLE];
	bool found = table != NULL && answer_rows(table) == 1 && answer_flag(table, 0, HISTORY_FOUND) &&
	    answer_flag(table, 0, HISTORY_FOUND_IN_SCHEMA);

	if (table == NULL || found != (inspection->answers[INSPECT_ROWS] != NULL) || (!found && answer_rows(table) > 0))
		return false;
	take_session(db, inspection);
	inspection->database.has_history = found;
	inspection->may_write = found ? answer_flag(table, 0, HISTORY_FOUND_MAY_WRITE)
	                              : answer_flag(inspection->answers[INSPECT_LOOK], 0, HISTORY_SESSION_MAY_CREATE);
	*code = inspect_rows(inspection);
	return *code != 0 || !has_unfinished(inspection);
}

bool
inspect_quickly(struct db *db, const struct conninfo *target, bool lock, struct inspection *inspection, int *code)
{
	struct bytes session_sql = { 0 }, find_sql = { 0 }, rows_sql = { 0 };
	char number[16];
	const char *process = number;
	struct db_ask asks[ASKS];
	enum db_outcome outcome;
	bool takes = lock && !inspection->held;

	snprintf(number, sizeof number, "%d", db_backend_pid(db));
	history_session_sql(&session_sql, target->schema, lock);
	history_find_sql(&find_sql, target->schema, lock);
	history_rows_sql(&rows_sql, target->schema);
	make_asks(asks, inspection, &process, session_sql.data, find_sql.data, rows_sql.data);
	outcome = takes ? db_query_batch(db, asks, ASKS) : db_query_batch(db, asks + ASK_BEGIN, ASKS - ASK_BEGIN);
	bytes_free(&session_sql);
	bytes_free(&find_sql);
	bytes_free(&rows_sql);
	keep_answers(inspection, asks);
	inspection->count = 0;
	inspection->locked = lock && !takes;
	if (takes)
		inspection->locked = inspection->answers[INSPECT_LOCK] != NULL && answer_flag(inspection->answers[INSPECT_LOCK], 0, 0);
	if (outcome != DB_OK) {
		*code = db_say(db, outcome, "inspect the database");
		return true;
	}
	*code = 0;
	return lock == inspection->locked && is_calm(inspection) && take_history(db, inspection, code);
}
