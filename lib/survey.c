#include "survey.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "history.h"
#include "message.h"
#include "mig.h"
#include "record.h"

enum { ANSWER_LOOK, ANSWER_ROWS, ANSWER_HOLDER, ANSWER_SCHEMA, ANSWER_SYSTEM };

/* Asks, and keeps the answer in its place for as long as the survey. */
static enum db_outcome
ask(struct db *db, struct survey *survey, int place, const char *sql, int count,
    const char *const parameters[])
{
	answer_free(survey->answers[place]);
	survey->answers[place] = NULL;
	return db_query(db, &survey->answers[place], sql, count, parameters);
}

int
survey_identity(struct db *db, const struct target *target, struct survey *survey)
{
	struct database *d = &survey->database;
	enum db_outcome outcome = ask(db, survey, ANSWER_SYSTEM, history_system_sql, 0, NULL);
	const char *schema;

	if (outcome == DB_OK)
		d->system_identifier = answer_text(survey->answers[ANSWER_SYSTEM], 0, 0);
	else if (outcome != DB_ERROR || strcmp(db_error(db)->sqlstate, "42501") != 0)
		return db_say(db, outcome, "ask for the cluster's identity");
	outcome = ask(db, survey, ANSWER_SCHEMA, history_schema_sql, 0, NULL);
	if (outcome != DB_OK)
		return db_say(db, outcome, "ask for the schema");
	schema = target->schema != NULL ? target->schema : answer_text(survey->answers[ANSWER_SCHEMA], 0, 0);
	if (schema == NULL) {
		(void)message_error(MIG_CONFIG, "the search path of %s names no schema that exists", db_user(db));
		message_line("  Say where the history is: add schema=NAME to the connection string's parameters.");
		return MIG_CONFIG;
	}
	free(survey->schema);
	d->schema = survey->schema = xstrdup(schema);
	d->database = db_database(db);
	d->host = db_host(db);
	d->port = d->host != NULL ? db_port(db) : RECORD_NULL;
	d->user = db_user(db);
	d->server_version = db_server_version(db);
	d->server_version_num = db_server_version_num(db);
	d->in_recovery = answer_flag(survey->answers[ANSWER_SCHEMA], 0, 1);
	d->tls = db_tls(db);
	return 0;
}

/* Something else has the table's name: no history can be kept in it, and none beside it. */
static int
say_no_table(const struct database *d, char kind)
{
	const char *what = kind == 'v' || kind == 'm' ? "a view" : kind == 'p' ? "a partitioned table" : "no ordinary table";

	(void)message_error(MIG_DATA, "\"%s\"." HISTORY_TABLE " is %s, so the history cannot be kept there", d->schema,
	    what);
	message_line("  Prisma cannot use it either. Rename it, or name another schema: schema=NAME in the string.");
	return MIG_DATA;
}

int
survey_look(struct db *db, struct survey *survey)
{
	struct database *d = &survey->database;
	const char *const parameters[] = { d->schema };
	enum db_outcome outcome = ask(db, survey, ANSWER_LOOK, history_look_sql, 1, parameters);
	const struct answer *a = survey->answers[ANSWER_LOOK];
	const char *kind;

	if (outcome != DB_OK)
		return db_say(db, outcome, "look for the history");
	kind = answer_text(a, 0, HISTORY_LOOK_KIND);
	if (kind != NULL && *kind != 'r')
		return say_no_table(d, *kind);
	d->has_history = kind != NULL;
	survey->may_write = answer_flag(a, 0, HISTORY_LOOK_MAY_WRITE);
	d->schema_empty = answer_flag(a, 0, HISTORY_LOOK_EMPTY);
	survey->has_schema = answer_flag(a, 0, HISTORY_LOOK_SCHEMA);
	d->deployer_pid = answer_number(a, 0, HISTORY_LOOK_PID);
	d->deployer_user = answer_text(a, 0, HISTORY_LOOK_USER);
	d->deployer_application = answer_text(a, 0, HISTORY_LOOK_APPLICATION);
	d->deployer_client = answer_text(a, 0, HISTORY_LOOK_CLIENT);
	d->deployer_since = answer_text(a, 0, HISTORY_LOOK_SINCE);
	return 0;
}

static int
say_no_history(struct db *db, const struct survey *survey, enum db_outcome outcome)
{
	int code = db_say(db, outcome, "read the history");

	if (code == MIG_DENIED)
		message_line("  A role that may read it suffices:  GRANT SELECT ON \"%s\"." HISTORY_TABLE " TO \"%s\";",
		    survey->database.schema, db_user(db));
	return code;
}

int
survey_history(struct db *db, struct survey *survey)
{
	struct bytes sql = { 0 };
	enum db_outcome outcome;
	const struct answer *a;
	size_t i;

	history_rows_sql(&sql, survey->database.schema);
	outcome = ask(db, survey, ANSWER_ROWS, sql.data, 0, NULL);
	bytes_free(&sql);
	if (outcome != DB_OK)
		return say_no_history(db, survey, outcome);
	a = survey->answers[ANSWER_ROWS];
	survey->count = answer_rows(a);
	survey->rows = xrealloc(survey->rows, survey->count * sizeof *survey->rows);
	for (i = 0; i < survey->count; i++)
		survey->rows[i] = (struct history_row){
			.migration = answer_text(a, i, HISTORY_ROW_NAME),
			.id = answer_text(a, i, HISTORY_ROW_ID),
			.checksum = answer_text(a, i, HISTORY_ROW_CHECKSUM),
			.started_at = answer_text(a, i, HISTORY_ROW_STARTED),
			.finished_at = answer_text(a, i, HISTORY_ROW_FINISHED),
			.rolled_back_at = answer_text(a, i, HISTORY_ROW_ROLLED_BACK),
			.applied_steps_count = answer_number(a, i, HISTORY_ROW_STEPS),
			.logs = answer_text(a, i, HISTORY_ROW_LOGS),
		};
	return 0;
}

/* Who deploys after the history was read: who began in between could have changed it. */
static int
look_again(struct db *db, struct survey *survey)
{
	struct database *d = &survey->database;
	enum db_outcome outcome = ask(db, survey, ANSWER_HOLDER, history_holder_sql, 0, NULL);
	const struct answer *a = survey->answers[ANSWER_HOLDER];

	if (outcome != DB_OK)
		return db_say(db, outcome, "look who is deploying");
	survey->deploying_ms = RECORD_NULL;
	if (answer_rows(a) == 0)
		return 0; /* who held it before stays named: an unfinished row read since was theirs */
	d->deployer_pid = answer_number(a, 0, 0);
	d->deployer_user = answer_text(a, 0, 1);
	d->deployer_application = answer_text(a, 0, 2);
	d->deployer_client = answer_text(a, 0, 3);
	d->deployer_since = answer_text(a, 0, 4);
	survey->deploying_ms = answer_number(a, 0, 5);
	return 0;
}

int
survey_take(struct db *db, const struct target *target, struct survey *survey)
{
	enum db_outcome outcome;
	int code = survey_identity(db, target, survey);

	if (code != 0)
		return code;
	outcome = db_run(db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL TimeZone = 'UTC'", NULL);
	if (outcome != DB_OK)
		return db_say(db, outcome, "begin to read");
	code = survey_look(db, survey);
	if (code == 0 && survey->database.has_history)
		code = survey_history(db, survey);
	if (code == 0)
		code = look_again(db, survey);
	db_rollback(db);
	return code;
}

void
survey_free(struct survey *survey)
{
	size_t i;

	for (i = 0; i < sizeof survey->answers / sizeof *survey->answers; i++)
		answer_free(survey->answers[i]);
	free(survey->rows);
	free(survey->schema);
	*survey = (struct survey){ 0 };
}
