#include "database/inspect_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/null.h"
#include "database/rights.h"
#include "database/setting_origin.h"
#include "migrations/history.h"
#include "postgres/sqlstate.h"

/* Another relation has the table's name, so a history cannot be kept in this schema. */
static int
say_no_table(const struct database *d, char kind)
{
	const char *what = kind == 'v' || kind == 'm' ? "a view" : kind == 'p' ? "a partitioned table" : "not an ordinary table";

	(void)message_error(MIG_DATA, "\"%s\"." HISTORY_TABLE " is %s, so it cannot hold the history", d->schema,
	    what);
	message_line("  Prisma cannot use it either. Rename it, or name another schema: schema=NAME in the string.");
	return MIG_DATA;
}

void
inspect_connection(struct db *db, struct inspection *inspection)
{
	struct database *d = &inspection->database;
	const char *zone = db_time_zone(db);

	d->database = db_database(db);
	d->host = db_host(db);
	d->port = d->host != NULL ? db_port(db) : NUMBER_UNKNOWN;
	d->user = db_user(db);
	d->server_version = db_server_version(db);
	d->server_version_num = db_server_version_num(db);
	d->tls = db_tls(db);
	free(inspection->time_zone);
	d->time_zone = inspection->time_zone = zone != NULL ? xstrdup(zone) : NULL;
}

/* Of the schemas that exist, the role may use none. */
static int
say_no_schema(struct db *db)
{
	struct answer *lacked = NULL;
	int code = MIG_CONFIG;
	size_t i, rows = rights_of_history(db, NULL, false, &lacked) == DB_OK ? answer_rows(lacked) : 0;

	for (i = 0; i < rows; i++) {
		struct bytes grant = { 0 };

		right_grant(&grant, lacked, i);
		code = message_error(MIG_DENIED, "the role %s lacks a right: %s", db_user(db), right_of_history(lacked, i));
		message_line("  %s", grant.data);
		bytes_free(&grant);
	}
	if (code == MIG_CONFIG) {
		(void)message_error(MIG_CONFIG, "no schema in the search path of %s exists", db_user(db));
		message_line("  To say where the history is, add schema=NAME to the parameters of the connection string.");
	}
	answer_free(lacked);
	return code;
}

static int
take_look(struct db *db, struct inspection *inspection)
{
	struct database *d = &inspection->database;
	const struct answer *a = inspection->answers[INSPECT_LOOK];
	const char *schema = answer_text(a, 0, HISTORY_LOOK_NAME), *kind;

	if (answer_rows(a) != 1 || answer_text(a, 0, HISTORY_LOOK_BACKEND) == NULL)
		return db_say(db, db_give_up(db), "inspect the database");
	if (schema == NULL)
		return say_no_schema(db);
	free(inspection->schema);
	d->schema = inspection->schema = xstrdup(schema);
	inspect_connection(db, inspection);
	d->in_recovery = answer_flag(a, 0, HISTORY_LOOK_RECOVERY);
	kind = answer_text(a, 0, HISTORY_LOOK_KIND);
	if (kind != NULL && *kind != 'r')
		return say_no_table(d, *kind);
	d->has_history = kind != NULL;
	d->schema_empty = answer_flag(a, 0, HISTORY_LOOK_EMPTY);
	d->other_history_schema = answer_text(a, 0, HISTORY_LOOK_OTHER);
	d->other_history_count = answer_number(a, 0, HISTORY_LOOK_OTHERS);
	inspection->has_schema = answer_flag(a, 0, HISTORY_LOOK_SCHEMA);
	inspection->read_only = answer_flag(a, 0, HISTORY_LOOK_READ_ONLY);
	inspection->backend_pid = (int)answer_number(a, 0, HISTORY_LOOK_BACKEND);
	inspection->may_write = answer_flag(a, 0, HISTORY_LOOK_MAY_WRITE);
	inspection->role = answer_text(a, 0, HISTORY_LOOK_ROLE);
	d->deployer_pid = answer_number(a, 0, HISTORY_LOOK_PID);
	d->deployer_user = answer_text(a, 0, HISTORY_LOOK_USER);
	d->deployer_application = answer_text(a, 0, HISTORY_LOOK_APPLICATION);
	d->deployer_client = answer_text(a, 0, HISTORY_LOOK_CLIENT);
	d->deployer_since = answer_text(a, 0, HISTORY_LOOK_SINCE);
	return 0;
}

/* NULL, which only a table made by hand has, comes last. */
static int
compare_texts(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return (a == NULL) - (b == NULL);
	return strcmp(a, b);
}

/* The order of records: by started_at, whose text sorts as the time does, then by id. */
static int
compare_rows(const void *a, const void *b)
{
	const struct history_row *x = a, *y = b;
	int order = compare_texts(x->started_at, y->started_at);

	return order != 0 ? order : compare_texts(x->id, y->id);
}

/* Only a table made by hand can have such a row; its migration is unknown. */
static int
say_no_name(const struct inspection *inspection, const struct history_row *row)
{
	const char *column = row->id == NULL ? "id" : "migration_name", *other = row->id == NULL ? row->migration : row->id;
	struct bytes table = { 0 };

	bytes_sql_name(&table, inspection->database.schema);
	bytes_str(&table, "." HISTORY_TABLE);
	(void)message_error(MIG_DATA, "%s is NULL in a row of " HISTORY_TABLE " (%s %s, started_at %s)", column,
	    row->id == NULL ? "migration_name" : "id", other != NULL ? other : "NULL too",
	    row->started_at != NULL ? row->started_at : "NULL");
	message_line("  Every row has a name and an id; Prisma cannot read this one either. Check it, then complete it "
	             "or delete it:");
	message_line("  SELECT * FROM %s WHERE id IS NULL OR migration_name IS NULL;", table.data);
	bytes_free(&table);
	return MIG_DATA;
}

int
inspect_rows(struct inspection *inspection)
{
	const struct answer *a = inspection->answers[INSPECT_ROWS];
	size_t i;

	inspection->count = a != NULL ? answer_rows(a) : 0;
	inspection->rows = xrealloc(inspection->rows, inspection->count * sizeof *inspection->rows);
	for (i = 0; i < inspection->count; i++)
		inspection->rows[i] = (struct history_row){
			.migration = answer_text(a, i, HISTORY_ROW_NAME),
			.id = answer_text(a, i, HISTORY_ROW_ID),
			.checksum = answer_text(a, i, HISTORY_ROW_CHECKSUM),
			.started_at = answer_text(a, i, HISTORY_ROW_STARTED),
			.finished_at = answer_text(a, i, HISTORY_ROW_FINISHED),
			.rolled_back_at = answer_text(a, i, HISTORY_ROW_ROLLED_BACK),
			.applied_steps_count = answer_number(a, i, HISTORY_ROW_STEPS),
			.logs = answer_text(a, i, HISTORY_ROW_LOGS),
		};
	if (inspection->count > 0)
		qsort(inspection->rows, inspection->count, sizeof *inspection->rows, compare_rows);
	for (i = 0; i < inspection->count; i++)
		if (inspection->rows[i].id == NULL || inspection->rows[i].migration == NULL)
			return say_no_name(inspection, &inspection->rows[i]);
	return 0;
}

struct page_session
inspect_holder(const struct answer *a)
{
	return (struct page_session){ .pid = answer_number(a, 0, 0),
		.user = answer_text(a, 0, 1),
		.application = answer_text(a, 0, 2),
		.client = answer_text(a, 0, 3),
		.age_ms = answer_number(a, 0, 5) };
}

/*
 * Who deploys after the history was read: who began in between could have changed it.  Who held the lock only before
 * stays named: an unfinished row that was read since was theirs.
 */
static void
take_holder(struct inspection *inspection)
{
	struct database *d = &inspection->database;
	const struct answer *a = inspection->answers[INSPECT_HOLDER];
	struct page_session holder;

	inspection->deploying_ms = NUMBER_UNKNOWN;
	if (a == NULL || answer_rows(a) == 0)
		return;
	holder = inspect_holder(a);
	d->deployer_pid = holder.pid;
	d->deployer_user = holder.user;
	d->deployer_application = holder.application;
	d->deployer_client = holder.client;
	d->deployer_since = answer_text(a, 0, 4);
	inspection->deploying_ms = holder.age_ms;
}

/*
 * The questions, in the order in which they are asked.  The table may not be there, and the cluster's identity may be
 * denied: each is a unit of its own, so that the others are answered all the same.
 */
enum { ASK_LOCK, ASK_BEGIN, ASK_UTC, ASK_LOOK, ASK_SOUND, ASK_ROWS, ASK_END, ASK_HOLDER, ASK_SYSTEM, ASKS };
_Static_assert((int)ASKS - (int)ASK_BEGIN == (int)INSPECT_ASKS, "the header says how many there are without the lock's");

static void
make_asks(struct db_ask asks[ASKS], const char *const *schema, const char *const *process, const char *rows_sql)
{
	memset(asks, 0, ASKS * sizeof *asks);
	asks[ASK_LOCK] = (struct db_ask){ .sql = history_try_lock_in_sql, .parameter = process, .ends_unit = true };
	asks[ASK_BEGIN] = (struct db_ask){ .sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
		.kind = DB_ASK_BEGINS };
	asks[ASK_UTC] = (struct db_ask){ .sql = "SET LOCAL TimeZone = 'UTC'" };
	asks[ASK_LOOK] = (struct db_ask){ .sql = history_look_sql, .ours = true, .ends_unit = true };
	asks[ASK_SOUND] = (struct db_ask){ .sql = history_sound_sql, .ours = true };
	if (*schema != NULL) {
		asks[ASK_LOOK] = (struct db_ask){ .sql = history_look_in_sql, .ours = true, .parameter = schema, .ends_unit = true };
		asks[ASK_SOUND] = (struct db_ask){ .sql = history_sound_in_sql, .ours = true, .parameter = schema };
	}
	asks[ASK_ROWS] = (struct db_ask){ .sql = rows_sql, .ends_unit = true };
	/* a ROLLBACK would be counted as one of the application's */
	asks[ASK_END] = (struct db_ask){ .sql = "END", .kind = DB_ASK_ENDS };
	asks[ASK_HOLDER] = (struct db_ask){ .sql = history_holder_sql, .ours = true, .ends_unit = true };
	asks[ASK_SYSTEM] = (struct db_ask){ .sql = history_system_sql, .ours = true, .ends_unit = true };
}

static void
keep_answers(struct inspection *inspection, struct db_ask asks[ASKS])
{
	static const int places[][2] = { { INSPECT_SYSTEM, ASK_SYSTEM }, { INSPECT_LOCK, ASK_LOCK },
		{ INSPECT_LOOK, ASK_LOOK }, { INSPECT_ROWS, ASK_ROWS }, { INSPECT_HOLDER, ASK_HOLDER } };
	size_t i;

	for (i = 0; i < sizeof places / sizeof *places; i++) {
		answer_free(inspection->answers[places[i][0]]);
		inspection->answers[places[i][0]] = asks[places[i][1]].answer;
		asks[places[i][1]].answer = NULL;
	}
	for (i = 0; i < ASKS; i++)
		answer_free(asks[i].answer);
}

/* Row level security hides rows from us, and the server was told rather to refuse: a part of the history is none. */
static int
say_hidden(const struct inspection *inspection, const char *user, const char *owner)
{
	struct bytes table = { 0 }, role = { 0 }, of = { 0 };

	bytes_sql_name(&table, inspection->database.schema);
	bytes_str(&table, "." HISTORY_TABLE);
	bytes_sql_name(&role, user);
	bytes_sql_name(&of, owner);
	(void)message_error(MIG_DENIED, "row level security hides rows of the history, %s, from the role %s", table.data,
	    role.data);
	message_line("  A role that sees only part of it would run applied migrations again. One of these is needed:");
	message_line("  membership in the owner:  GRANT %s TO %s;    (not where it is FORCEd)", of.data, role.data);
	message_line("  bypassing policies:       ALTER ROLE %s BYPASSRLS;", role.data);
	message_line("  no policies on the table: ALTER TABLE %s DISABLE ROW LEVEL SECURITY;", table.data);
	bytes_free(&table);
	bytes_free(&role);
	bytes_free(&of);
	return MIG_DENIED;
}

static int
say_failed(struct db *db, enum db_outcome outcome, const char *what)
{
	int code;

	if (outcome != DB_ERROR)
		return db_say(db, outcome, what);
	/* cancelled, by a time-out or by an administrator: it is not the statement's fault */
	code = strcmp(db_error(db)->sqlstate, SQLSTATE_QUERY_CANCELED) == 0 ? MIG_BUSY : db_exit_code(db_error(db));
	code = db_error_say(db_error(db), code, what);
	setting_origin_say(db);
	return code;
}

static int
say_no_rows(struct db *db, const struct inspection *inspection, const struct db_ask asks[])
{
	const struct answer *look = inspection->answers[INSPECT_LOOK];
	struct bytes table = { 0 };
	struct answer *lacked = NULL;
	size_t i;
	int code;

	if (answer_flag(look, 0, HISTORY_LOOK_HIDDEN) && strcmp(asks[ASK_ROWS].sqlstate, SQLSTATE_INSUFFICIENT_PRIVILEGE) == 0)
		return say_hidden(inspection, db_user(db), answer_text(look, 0, HISTORY_LOOK_OWNER));
	if (asks[ASK_SOUND].outcome != DB_OK) {
		bytes_sql_name(&table, inspection->database.schema);
		code = message_error(MIG_DATA, "%s." HISTORY_TABLE " has a column of a type that is not built in", table.data);
		message_line("  Reading it could run code of the owner of that type. ALTER its columns to the types that Prisma uses.");
		bytes_free(&table);
		return code;
	}
	code = say_failed(db, DB_ERROR, "read the history");
	if (code != MIG_DENIED || rights_of_history(db, inspection->database.schema, false, &lacked) != DB_OK)
		return code;
	for (i = 0; i < answer_rows(lacked); i++) {
		struct bytes grant = { 0 };

		right_grant(&grant, lacked, i);
		message_line("  Reading it needs:  %s", grant.data);
		bytes_free(&grant);
	}
	answer_free(lacked);
	return code;
}

static int
take_answers(struct db *db, struct db_ask asks[ASKS], struct inspection *inspection)
{
	int code;

	inspection->count = 0;
	keep_answers(inspection, asks);
	if (asks[ASK_LOOK].outcome != DB_OK)
		return say_failed(db, DB_ERROR, "inspect the database");
	inspection->database.system_identifier = inspection->answers[INSPECT_SYSTEM] != NULL
	    ? answer_text(inspection->answers[INSPECT_SYSTEM], 0, 0)
	    : NULL;
	inspection->locked = inspection->answers[INSPECT_LOCK] != NULL && answer_flag(inspection->answers[INSPECT_LOCK], 0, 0);
	code = take_look(db, inspection);
	if (code == 0 && asks[ASK_ROWS].outcome != DB_OK && inspection->database.has_history)
		code = say_no_rows(db, inspection, asks);
	if (code == 0)
		code = inspect_rows(inspection);
	take_holder(inspection);
	return code;
}

/* With all details, for whatever is not the usual case. */
static int
take_all(struct db *db, const struct conninfo *target, bool lock, struct inspection *inspection)
{
	const char *schema = target->schema, *process;
	char number[16];
	struct bytes rows_sql = { 0 };
	struct db_ask asks[ASKS];
	enum db_outcome outcome;

	history_rows_sql(&rows_sql, schema);
	snprintf(number, sizeof number, "%d", db_backend_pid(db));
	process = number;
	make_asks(asks, &schema, &process, rows_sql.data);
	outcome = lock ? db_query_batch(db, asks, ASKS) : db_query_batch(db, asks + ASK_BEGIN, ASKS - ASK_BEGIN);
	bytes_free(&rows_sql);
	if (outcome == DB_OK)
		return take_answers(db, asks, inspection);
	keep_answers(inspection, asks);
	return say_failed(db, outcome, "inspect the database");
}

int
inspect_take(struct db *db, const struct conninfo *target, bool lock, struct inspection *inspection)
{
	bool locked;
	int code;

	inspection->calm = inspect_quickly(db, target, lock, inspection, &code);
	if (inspection->calm)
		return code;
	locked = inspection->locked;
	code = take_all(db, target, lock && !locked, inspection);
	inspection->locked |= locked; /* it was ours already, and taken once */
	return code;
}

void
inspect_ask(struct db_ask asks[], const char *const *schema, const char *rows_sql)
{
	struct db_ask all[ASKS];

	make_asks(all, schema, NULL, rows_sql);
	memcpy(asks, all + ASK_BEGIN, INSPECT_ASKS * sizeof *asks);
}

const char *
inspect_rows_denied(const struct db_ask asks[])
{
	const struct db_ask *rows = &asks[ASK_ROWS - ASK_BEGIN], *look = &asks[ASK_LOOK - ASK_BEGIN];
	bool hidden = look->outcome == DB_OK && answer_flag(look->answer, 0, HISTORY_LOOK_HIDDEN);

	/* a query that was not run, or whose error is reported in full, does not count as denied */
	return rows->outcome == DB_OK || rows->sqlstate[0] == '\0' || strcmp(rows->sqlstate, SQLSTATE_UNDEFINED_TABLE) == 0 || hidden
	    ? NULL : rows->sqlstate;
}

int
inspect_answered(struct db *db, struct db_ask asks[], struct inspection *inspection)
{
	struct db_ask all[ASKS] = { 0 };
	size_t i;

	memcpy(all + ASK_BEGIN, asks, INSPECT_ASKS * sizeof *asks);
	for (i = 0; i < INSPECT_ASKS; i++)
		asks[i].answer = NULL; /* it is the inspection's now */
	return take_answers(db, all, inspection);
}

void
inspect_free(struct inspection *inspection)
{
	size_t i;

	for (i = 0; i < INSPECT_ANSWERS; i++)
		answer_free(inspection->answers[i]);
	free(inspection->rows);
	free(inspection->schema);
	free(inspection->time_zone);
	*inspection = (struct inspection){ 0 };
}
