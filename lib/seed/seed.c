#include "seed/seed.h"

#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/own_sql.h"
#include "base/page.h"
#include "base/signals.h"
#include "migrations/history.h"
#include "seed/copy_source.h"
#include "seed/error_row.h"
#include "seed/foresight.h"
#include "seed/origin.h"
#include "seed/up_to_date.h"
#include "sql/session_effects.h"

/* One attempt: where it stands, so that an error can be placed. */
struct seeding {
	struct db *db;
	struct seed_input *input;
	const struct seed_job *job;
	struct seed_tables *tables;
	long long began_ms, lock_timeout_ms;
	bool first;                   /* nothing was said yet */
	const struct seed_file *sql;  /* the file that runs */
	size_t ran;                   /* SQL files that ran, with this one */
	size_t done;                  /* of its statements */
	char sqlstate[6];             /* of the error behind what was said, where that was taken from db; or "" */
	int code;                     /* what was said, or 0 */
	bool again;                   /* somebody else wrote meanwhile: try again */
	bool committing;              /* COMMIT was sent */
};

/* Values read alike whatever the server, its database or our role are set to; the rest is ours. */
void
seed_session_sql(struct bytes *out, const struct seed_job *job)
{
	bytes_str(out, "SET LOCAL DateStyle = 'ISO, MDY'; SET LOCAL IntervalStyle = 'postgres'; SET LOCAL TimeZone = 'UTC'; "
	    "SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1; SET LOCAL standard_conforming_strings = on; "
	    "SET LOCAL work_mem = '64MB'; ");
	bytes_format(out, "SET LOCAL row_security = %s", job->row_security ? "on" : "off");
}

/* What is about to be said: more is asked meanwhile. */
static void
note_error(struct seeding *s, const struct db_error *e)
{
	memcpy(s->sqlstate, e->sqlstate, sizeof s->sqlstate);
}

/* --- the steps --- */

static void
on_notice(void *context, const struct db_message *message)
{
	const struct seeding *s = context;

	if (s->sql != NULL)
		message_info("%s: %s: %s", s->sql->path, message->severity, message->text);
}

static enum db_outcome
run_text(struct db *db, struct bytes *sql)
{
	enum db_outcome outcome = db_run(db, sql->data, NULL);

	bytes_free(sql);
	return outcome;
}

static enum db_outcome
limit_locks(struct seeding *s)
{
	struct bytes sql = { 0 };

	bytes_format(&sql, "SET LOCAL lock_timeout = %lld", s->lock_timeout_ms);
	return run_text(s->db, &sql);
}

static struct origin_run
origin_run(const struct seeding *s)
{
	return (struct origin_run){ .files = s->input->files,
		.count = s->ran,
		.done = s->sql != NULL ? s->done : SIZE_MAX,
		.took_ms = clock_now_ms() - s->began_ms,
		.lock_timeout_ms = s->lock_timeout_ms };
}

/* The SQL file that may have given the lock away; the words of a trigger are not looked at. */
static const char *
unlocking_file(const struct seeding *s)
{
	const char *path = NULL;
	size_t i;

	for (i = 0; i < s->input->sql_count; i++) {
		const struct seed_file *file = &s->input->files[i];
		struct sql_script script = sql_split(file->text.data, file->text.len);

		if (s->input->sql_count == 1 || session_may_unlock(file->text.data, &script))
			path = file->path;
		sql_script_free(&script);
	}
	return path != NULL ? path : "an SQL file";
}

/* What no rollback brings back, as no reset of the session does. */
static enum db_outcome
take_lock_again(struct seeding *s)
{
	struct answer *a = NULL;
	enum db_outcome outcome = db_query_ours(s->db, &a, history_try_lock_sql, 0, NULL);

	if (outcome == DB_OK && !answer_flag(a, 0, 0)) {
		s->code = message_error(MIG_BUSY, "%s gave the deploy lock away, and another deployer has it now",
		    unlocking_file(s));
		message_line("  Nothing was seeded: all was rolled back.");
	} else if (outcome == DB_OK && s->first) {
		message_warning("%s gave the deploy lock away; it was taken again", unlocking_file(s));
	}
	answer_free(a);
	return outcome;
}

static int
say_read_only(const struct seeding *s)
{
	const struct origin_run run = origin_run(s);
	struct sql_place place = { 0 };
	const struct seed_file *file = origin_read_only(&run, &place);

	if (file != NULL)
		(void)message_error(MIG_DATA, "%s:%lu:%lu: this makes the transaction read-only, and the data files come "
		    "behind it: take it out", file->path, place.line, place.column);
	else
		(void)message_error(MIG_DATA, "the SQL files leave their transaction read-only, and the data files come behind them");
	message_line("  Nothing was seeded: all was rolled back.");
	return MIG_DATA;
}

/* Behind the SQL files: whether we still hold the deploy lock, and may write. */
static enum db_outcome
check_session(struct seeding *s)
{
	struct db_ask asks[] = { { .sql = history_lock_held_sql, .ours = true },
		{ .sql = "SELECT pg_catalog.current_setting('transaction_read_only')::pg_catalog.bool" } };
	enum db_outcome outcome = db_round(s->db, asks, 2);
	size_t i;

	for (i = 0; outcome == DB_OK && i < 2; i++)
		outcome = asks[i].outcome;
	if (outcome == DB_OK && answer_flag(asks[1].answer, 0, 0) && s->input->count > s->input->sql_count)
		s->code = say_read_only(s);
	else if (outcome == DB_OK && !answer_flag(asks[0].answer, 0, 0))
		outcome = take_lock_again(s);
	for (i = 0; i < 2; i++)
		answer_free(asks[i].answer);
	return outcome;
}

/* SQL as it is.  What it does to the session ends with it. */
static enum db_outcome
run_sql(struct seeding *s)
{
	struct db_hooks hooks = { NULL, on_notice, s };
	enum db_outcome outcome = DB_OK;
	size_t i;

	if (s->input->sql_count == 0 || s->job->dry_run)
		return DB_OK;
	db_hooks(s->db, &hooks);
	for (i = 0; outcome == DB_OK && i < s->input->sql_count; i++) {
		long long began = clock_now_ms();

		s->sql = &s->input->files[i];
		s->ran = i + 1;
		outcome = db_run(s->db, s->sql->text.data, &s->done);
		s->input->files[i].took_ms = clock_now_ms() - began;
	}
	db_hooks(s->db, NULL);
	if (outcome != DB_OK)
		return outcome;
	s->sql = NULL;
	outcome = db_session_reset(s->db);
	if (outcome == DB_OK)
		outcome = check_session(s);
	return outcome == DB_OK && s->code == 0 ? limit_locks(s) : outcome;
}

/* What needs no data, and so no time. */
static enum db_outcome
tell_text(struct db *db, struct bytes *sql)
{
	enum db_outcome outcome = db_tell(db, sql->data);

	bytes_free(sql);
	return outcome;
}

/* Temporary tables can be made only before a transaction is READ ONLY, and filled also then. */
static enum db_outcome
make_stages(struct seeding *s)
{
	struct bytes sql = { 0 };
	size_t i;

	seed_session_sql(&sql, s->job);
	for (i = 0; i < s->tables->count; i++) {
		bytes_str(&sql, "; ");
		upsert_stage(&sql, &s->tables->tables[i].sql);
	}
	bytes_str(&sql, s->job->dry_run ? "; SET TRANSACTION READ ONLY" : "");
	return tell_text(s->db, &sql);
}

static enum db_outcome
copy_file(struct seeding *s, const struct seed_table *t, bool gone)
{
	const struct seed_file *file = t->file;
	struct seed_feed feed;
	struct bytes sql = { 0 };
	enum db_outcome outcome = DB_OK;

	if (gone)
		upsert_copy_gone(&sql, &t->sql);
	else
		upsert_copy(&sql, &t->sql, t->sql.json ? NULL : file->header.names, file->header.count,
		    file->kind == SEED_TSV ? '\t' : ',');
	if ((s->code = seed_feed_open(&feed, file, gone)) == 0) {
		outcome = db_copy_in(s->db, sql.data, seed_feed_next, &feed);
		s->code = feed.code;
	}
	if (outcome == DB_ERROR && s->code == 0 && !db_is_busy(db_error(s->db))) {
		note_error(s, db_error(s->db));
		s->code = seed_fault_copy(db_error(s->db), t);
	}
	seed_feed_close(&feed);
	bytes_free(&sql);
	return outcome;
}

/* Lines of JSON to columns. */
static enum db_outcome
fill_json(struct seeding *s, struct seed_table *t)
{
	struct bytes sql = { 0 };
	struct answer *keys = NULL;
	enum db_outcome outcome;

	outcome = db_run(s->db, "SAVEPOINT " SEED_SAVEPOINT, NULL);
	upsert_json_keys(&sql, &t->sql);
	if (outcome == DB_OK)
		outcome = db_query(s->db, &keys, sql.data, 0, NULL);
	bytes_free(&sql);
	if (outcome == DB_OK)
		s->code = seed_table_keys(s->db, t, keys);
	answer_free(keys);
	if (s->code != 0)
		return outcome;
	if (outcome == DB_OK) {
		upsert_fill(&sql, &t->sql);
		outcome = run_text(s->db, &sql);
	}
	if (outcome == DB_ERROR && !db_is_busy(db_error(s->db))) {
		struct db_error e = db_error_take(s->db);

		note_error(s, &e);
		s->code = seed_fault_fill(s->db, &e, t);
		db_error_free(&e);
	}
	if (outcome == DB_OK && t->file->gone) {
		if ((outcome = copy_file(s, t, true)) == DB_OK && s->code == 0) {
			upsert_fill_gone(&sql, &t->sql);
			outcome = run_text(s->db, &sql);
		}
	}
	return outcome;
}

static enum db_outcome
stage_files(struct seeding *s)
{
	enum db_outcome outcome = DB_OK;
	size_t i;

	for (i = 0; outcome == DB_OK && s->code == 0 && i < s->tables->count; i++) {
		struct seed_table *t = &s->tables->tables[i];
		long long began = clock_now_ms();

		message_live("      reading %s", t->file->path);
		outcome = copy_file(s, t, false);
		if (outcome == DB_OK && s->code == 0 && t->sql.json)
			outcome = fill_json(s, t);
		t->took_ms = clock_now_ms() - began;
	}
	message_live_clear();
	return outcome;
}

static void
take_count(struct seed_table *t, const struct answer *a, const struct seed_job *job)
{
	long long total = answer_number(a, 0, UPSERT_TOTAL), gone = answer_number(a, 0, UPSERT_GONE);

	t->read = answer_number(a, 0, UPSERT_READ);
	t->inserted = answer_number(a, 0, UPSERT_NEW);
	t->updated = answer_number(a, 0, UPSERT_DIFFERENT);
	t->unchanged = answer_number(a, 0, UPSERT_UNCHANGED);
	t->only = total - t->unchanged - t->updated;
	t->deleted = !job->prune || t->file->settings.kept ? 0 : gone != RECORD_NULL ? gone : t->only;
	t->only -= t->deleted;
	t->sql.empty = total == 0;
	t->sql.inserts = t->inserted > 0;
	t->sql.updates = t->updated > 0;
	t->sql.deletes = t->deleted > 0;
}

/* The names of the key's columns; the caller frees the list. */
static const char **
key_columns(const struct seed_table *t, size_t *count)
{
	const char **names = xcalloc(t->sql.count + 1, sizeof *names);
	size_t i;

	for (i = 0, *count = 0; i < t->sql.count; i++)
		if (t->sql.columns[i].key)
			names[(*count)++] = t->sql.columns[i].name;
	return names;
}

static int
say_duplicate(struct seeding *s, const struct seed_table *t, const struct answer *a, const char *const *names,
    size_t count)
{
	unsigned long second = seed_table_line(s->db, t, answer_text(a, 0, 0), false);
	unsigned long first = seed_table_line(s->db, t, answer_text(a, 0, 1), false);
	struct bytes sql = { 0 };
	struct answer *row = NULL;

	upsert_row_text(&sql, &t->sql, names, count, answer_text(a, 0, 0));
	if (db_query(s->db, &row, sql.data, 0, NULL) == DB_OK && answer_rows(row) > 0)
		(void)seed_refuse(t->file, second, "%s is there already, on line %lu", answer_text(row, 0, 0),
		    first);
	answer_free(row);
	bytes_free(&sql);
	return MIG_DATA;
}

/* Each row of a file has a key, and no two have the same. */
static enum db_outcome
check_keys(struct seeding *s, const struct seed_table *t, long long keyless)
{
	size_t count;
	const char **names = key_columns(t, &count);
	struct bytes sql = { 0 };
	struct answer *a = NULL;
	enum db_outcome outcome;

	if (keyless > 0)
		upsert_keyless(&sql, &t->sql);
	else
		upsert_duplicate(&sql, &t->sql, names, count);
	outcome = db_query(s->db, &a, sql.data, 0, NULL);
	if (outcome == DB_OK && answer_rows(a) > 0 && keyless > 0)
		s->code = seed_refuse(t->file, seed_table_line(s->db, t, answer_text(a, 0, 0), false),
		    "a column of the key (%s%s) is NULL", names[0], count > 1 ? ", ..." : "");
	else if (outcome == DB_OK && answer_rows(a) > 0)
		s->code = say_duplicate(s, t, a, names, count);
	answer_free(a);
	bytes_free(&sql);
	free(names);
	return outcome;
}

/*
 * Whether two rows could have one key.  In an empty table the index of the key will see to it; and in a large
 * file whose rows are all as the table has them, two such rows could only be equal: to look costs as much as
 * to compare.
 */
static bool
may_repeat(const struct seed_table *t)
{
	return !t->sql.empty && (t->inserted > 0 || t->updated > 0 || t->read <= 100000);
}

/* A file that was cut off before its first row says nothing: that is not to empty a table. */
static int
check_empty(const struct seed_table *t)
{
	if (t->file->kind != SEED_NDJSON || t->read > 0 || t->deleted == 0)
		return 0;
	return seed_refuse(t->file, 0,
	    "it has no row, and --prune would delete all %lld rows of table \"%s\"; if that is meant, a .csv "
	    "with nothing but its first line says so", t->deleted, t->sql.table);
}

/* Compares every file with its table, in one round. */
static enum db_outcome
compare(struct seeding *s)
{
	size_t n = s->tables->count, i;
	struct db_ask *asks = xcalloc(n + 1, sizeof *asks);
	struct bytes *texts = xcalloc(n + 1, sizeof *texts);
	enum db_outcome outcome = DB_OK;

	for (i = 0; i < n; i++) {
		upsert_count(&texts[i], &s->tables->tables[i].sql);
		asks[i] = (struct db_ask){ .sql = texts[i].data };
	}
	if (n > 0)
		outcome = db_round(s->db, asks, n);
	for (i = 0; i < n; i++) {
		struct seed_table *t = &s->tables->tables[i];
		long long keyless;

		if (outcome == DB_OK && asks[i].outcome != DB_OK)
			outcome = DB_ERROR;
		if (outcome == DB_OK && !answer_has(asks[i].answer, UPSERT_TOTAL + 1))
			outcome = db_give_up(s->db);
		if (outcome == DB_OK && s->code == 0) {
			take_count(t, asks[i].answer, s->job);
			keyless = answer_number(asks[i].answer, 0, UPSERT_KEYLESS);
			s->code = check_empty(t);
			if (s->code == 0 && (keyless > 0 || may_repeat(t)))
				outcome = check_keys(s, t, keyless);
		}
		answer_free(asks[i].answer);
		bytes_free(&texts[i]);
	}
	free(asks);
	free(texts);
	return outcome;
}

/* --- writing --- */

/* Tables that are not pruned themselves, and whose rows go or change with the rows that they point at. */
static enum db_outcome
warn_of_cascades(struct seeding *s)
{
	struct bytes pruned = { 0 }, gone = { 0 }, sql = { 0 };
	struct answer *a = NULL;
	enum db_outcome outcome = DB_OK;
	size_t i;

	for (i = 0; i < s->tables->count; i++) {
		const struct seed_table *t = &s->tables->tables[i];

		if (!t->sql.stream && !t->file->settings.kept)
			bytes_format(&pruned, "%s%s", pruned.len > 0 ? "," : "", t->oid);
		if (t->sql.deletes)
			bytes_format(&gone, "%s%s", gone.len > 0 ? "," : "", t->oid);
	}
	bytes_format(&sql,
	    "SELECT DISTINCT " OWN_SQL_AS_SESSION("conrelid::regclass::text") ", " OWN_SQL_AS_SESSION("confrelid::regclass::text") ", "
	    "CASE confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'SET DEFAULT' END "
	    "FROM pg_catalog.pg_constraint WHERE contype = 'f' AND confdeltype IN ('c', 'n', 'd') "
	    "AND conparentid = 0 AND confrelid = ANY (ARRAY[%s]::oid[]) "
	    "AND conrelid <> ALL (ARRAY[%s]::oid[]) ORDER BY 1, 2, 3",
	    bytes_text(&gone), bytes_text(&pruned));
	if (gone.len > 0)
		outcome = db_query_ours(s->db, &a, sql.data, 0, NULL);
	for (i = 0; outcome == DB_OK && gone.len > 0 && i < answer_rows(a); i++)
		message_warning("--prune deletes rows of %s; those of %s that point at them are subject to "
		                "ON DELETE %s",
		    answer_text(a, i, 1), answer_text(a, i, 0), answer_text(a, i, 2));
	answer_free(a);
	bytes_free(&pruned);
	bytes_free(&gone);
	bytes_free(&sql);
	return outcome;
}

/* Where somebody else's rows came in between, a new attempt sees them. */
static bool
others_wrote(struct seeding *s, const struct seed_table *tables, size_t count)
{
	bool changed = false;
	size_t i;

	if (!db_run_aside(s->db, "ROLLBACK TO " SEED_SAVEPOINT))
		return false;
	for (i = 0; !changed && i < count; i++) {
		struct bytes sql = { 0 };
		struct answer *a = NULL;

		upsert_count(&sql, &tables[i].sql);
		if (db_query(s->db, &a, sql.data, 0, NULL) == DB_OK)
			changed = answer_number(a, 0, UPSERT_NEW) != tables[i].inserted ||
			    answer_number(a, 0, UPSERT_DIFFERENT) != tables[i].updated ||
			    answer_number(a, 0, UPSERT_TOTAL) != tables[i].unchanged + tables[i].updated +
			    tables[i].only + tables[i].deleted;
		answer_free(a);
		bytes_free(&sql);
	}
	return changed;
}

/* The keys of some rows that were to be written and were not, as what; the caller frees the text. */
static char *
keys_left(struct seeding *s, const struct seed_table *t, const char *what)
{
	struct bytes sql = { 0 }, keys = { 0 };
	struct answer *a = NULL;
	size_t i;

	bytes_str(&sql, "SELECT c.shown_key FROM (");
	if (strcmp(what, "delete") == 0)
		upsert_deletes(&sql, &t->sql);
	else
		upsert_changes(&sql, &t->sql);
	bytes_format(&sql, ") c(what, shown_key, shown, key, old, new) WHERE c.what OPERATOR(pg_catalog.=) '%s' LIMIT 3", what);
	if (db_query(s->db, &a, sql.data, 0, NULL) == DB_OK)
		for (i = 0; i < answer_rows(a); i++)
			bytes_format(&keys, "%s%s", i > 0 ? "; " : ": ", answer_text(a, i, 0));
	answer_free(a);
	bytes_free(&sql);
	bytes_str(&keys, "");
	return keys.data;
}

/* What was done is what was planned; else a line for what is left out. */
static void
add_left(struct seeding *s, const struct seed_table *t, const char *what, long long planned, long long done,
    struct bytes *out)
{
	char *keys;

	if (planned == done)
		return;
	keys = keys_left(s, t, what);
	bytes_format(out, "%s: of %lld rows to %s in table \"%s\" the server took %lld%s\n", t->file->path, planned,
	    what, t->sql.table, done, keys);
	free(keys);
}

static void
check_done(struct seeding *s, const struct seed_table *t, const struct answer *a, size_t at, struct bytes *left)
{
	add_left(s, t, "insert", t->inserted, answer_number(a, 0, (int)at * 3), left);
	add_left(s, t, "update", t->updated, answer_number(a, 0, (int)at * 3 + 1), left);
	add_left(s, t, "delete", t->deleted, answer_number(a, 0, (int)at * 3 + 2), left);
}

/* Rows that a trigger or a policy did not let through are not "the same". */
static int
say_left(struct bytes *left)
{
	left->data[--left->len] = '\0';
	(void)message_error(MIG_FAILED, "%s", left->data);
	message_line("  A trigger or a policy did not let them through.");
	message_line("  Nothing was seeded: all was rolled back.");
	return MIG_FAILED;
}

static bool
has_work(const struct seed_table *t)
{
	return t->sql.inserts || t->sql.updates || t->sql.deletes;
}

/* The tables [first ... first + count) in one statement. */
static enum db_outcome
write_unit(struct seeding *s, size_t first, size_t count)
{
	struct seed_table *tables = s->tables->tables + first;
	const struct upsert_table **parts = xcalloc(count, sizeof(struct upsert_table *));
	long long began = clock_now_ms();
	struct bytes sql = { 0 }, left = { 0 };
	struct answer *done = NULL;
	enum db_outcome outcome;
	size_t i;

	for (i = 0; i < count; i++)
		parts[i] = &tables[i].sql;
	upsert_write(&sql, parts, count, NULL);
	outcome = db_query(s->db, &done, sql.data, 0, NULL);
	if (outcome == DB_ERROR && !db_is_busy(db_error(s->db))) {
		struct db_error e = db_error_take(s->db);

		s->again = strcmp(e.sqlstate, "23505") == 0 && others_wrote(s, tables, count);
		if (!s->again) {
			note_error(s, &e);
			s->code = seed_fault_write(s->db, &e, s->tables, first, count);
		}
		db_error_free(&e);
	}
	if (outcome == DB_OK && !answer_has(done, (int)count * 3))
		outcome = db_give_up(s->db);
	for (i = 0; outcome == DB_OK && i < count; i++) {
		check_done(s, &tables[i], done, i, &left);
		tables[i].took_ms += clock_now_ms() - began;
	}
	if (left.len > 0) {
		s->again = others_wrote(s, tables, count);
		if (!s->again)
			s->code = say_left(&left);
		outcome = s->again ? DB_ERROR : DB_OK;
	}
	bytes_free(&left);
	answer_free(done);
	bytes_free(&sql);
	free(parts);
	return outcome;
}

/*
 * By which ON DELETE rows of a table go or change where rows of the tables that are deleted from go, at once or by way of
 * others; NULL in the answer: by none.
 */
static enum db_outcome
find_cascades(struct seeding *s, const struct seed_table *t, struct answer **a)
{
	struct bytes gone = { 0 }, sql = { 0 };
	enum db_outcome outcome;
	size_t i;

	for (i = 0; i < s->tables->count; i++)
		if (s->tables->tables[i].sql.deletes)
			bytes_format(&gone, "%s%s", gone.len > 0 ? "," : "", s->tables->tables[i].oid);
	bytes_format(&sql,
	    "WITH RECURSIVE gone(oid) AS (SELECT unnest(ARRAY[%s]::oid[]) UNION SELECT k.conrelid FROM gone g "
	    "JOIN pg_catalog.pg_constraint k ON k.confrelid = g.oid WHERE k.contype = 'f' AND k.confdeltype = 'c') "
	    "SELECT string_agg(DISTINCT CASE k.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' "
	    "ELSE 'SET DEFAULT' END, ', ') FROM gone g JOIN pg_catalog.pg_constraint k ON k.confrelid = g.oid "
	    "WHERE k.contype = 'f' AND k.confdeltype IN ('c', 'n', 'd') AND k.conrelid = '%s'::oid",
	    bytes_text(&gone), t->oid);
	outcome = db_query_ours(s->db, a, sql.data, 0, NULL);
	bytes_free(&gone);
	bytes_free(&sql);
	return outcome;
}

/* Rows that the file has were changed or deleted beside what was to be done. */
static enum db_outcome
say_changed_beside(struct seeding *s, const struct seed_table *t)
{
	struct answer *a = NULL;
	enum db_outcome outcome = find_cascades(s, t, &a);
	const char *actions = outcome == DB_OK ? answer_text(a, 0, 0) : NULL;

	if (actions != NULL) {
		s->code = seed_refuse(t->file, 0,
		    "rows of it point at rows that --prune deletes, and would be deleted or changed "
		    "with them (ON DELETE %s): add those to their file, or take these out", actions);
	} else if (outcome == DB_OK) {
		s->code = message_error(MIG_FAILED,
		    "%s: rows that it has were changed or deleted in table \"%s\" while --prune deleted rows", t->file->path,
		    t->sql.table);
		message_line("  No foreign key of that table says so (ON DELETE): look for a trigger that does.");
		message_line("  Nothing was seeded: all was rolled back.");
	}
	answer_free(a);
	return outcome;
}

/* Rows that went may have taken rows with them that the files have: that is said. */
static enum db_outcome
check_cascades(struct seeding *s)
{
	enum db_outcome outcome = DB_OK;
	size_t i;

	for (i = 0; outcome == DB_OK && s->code == 0 && i < s->tables->count; i++) {
		const struct seed_table *t = &s->tables->tables[i];
		struct bytes sql = { 0 };
		struct answer *a = NULL;

		upsert_count(&sql, &t->sql);
		outcome = db_query(s->db, &a, sql.data, 0, NULL);
		/* a trigger may make rows that were written differ, but no others */
		if (outcome == DB_OK && (answer_number(a, 0, UPSERT_NEW) > 0 ||
		    answer_number(a, 0, UPSERT_DIFFERENT) > t->inserted + t->updated))
			outcome = say_changed_beside(s, t);
		answer_free(a);
		bytes_free(&sql);
	}
	return outcome;
}

/*
 * Units in their order; where rows are taken out, all is one unit: a row may go whose children go, too, or
 * move to a row that is new.
 */
static enum db_outcome
write_all(struct seeding *s)
{
	const struct seed_tables *tables = s->tables;
	size_t first = 0, count, i;
	enum db_outcome outcome;
	bool deletes = false;

	for (i = 0; i < tables->count; i++)
		deletes |= tables->tables[i].sql.deletes;
	outcome = db_tell(s->db, "SAVEPOINT " SEED_SAVEPOINT);
	for (; outcome == DB_OK && s->code == 0 && first < tables->count; first += count) {
		bool work = false;

		for (count = 0; first + count < tables->count; count++) {
			if (!deletes && tables->tables[first + count].unit != tables->tables[first].unit)
				break;
			work |= has_work(&tables->tables[first + count]);
		}
		if (work)
			outcome = write_unit(s, first, count);
	}
	if (outcome != DB_OK)
		return outcome;
	/* a deferred constraint speaks up now, while the row can still be found */
	outcome = db_run(s->db, "SAVEPOINT " SEED_SAVEPOINT "; SET CONSTRAINTS ALL IMMEDIATE", NULL);
	if (outcome == DB_ERROR && !db_is_busy(db_error(s->db))) {
		struct db_error e = db_error_take(s->db);

		note_error(s, &e);
		s->code = seed_fault_write(s->db, &e, s->tables, tables->count, 0);
		db_error_free(&e);
	}
	return outcome == DB_OK && deletes ? check_cascades(s) : outcome;
}

/* A sequence that was moved does not come back: so it is moved last. */
static enum db_outcome
commit(struct seeding *s)
{
	struct bytes sql = { 0 };
	size_t i;

	for (i = 0; i < s->tables->count; i++)
		if (s->tables->tables[i].inserted > 0)
			upsert_sequences(&sql, &s->tables->tables[i].sql);
	bytes_str(&sql, sql.len > 0 ? "; COMMIT" : "COMMIT");
	s->committing = true;
	return run_text(s->db, &sql);
}

struct teller {
	const struct seed_job *job;
	const struct seed_table *table;
};

static void
tell_one(void *context, const struct answer *row)
{
	const struct teller *teller = context;

	teller->job->change(teller->job->context, teller->table, row);
}

static enum db_outcome
tell_changes(struct seeding *s)
{
	enum db_outcome outcome = DB_OK;
	size_t i;

	for (i = 0; outcome == DB_OK && i < s->tables->count; i++) {
		struct seed_table *t = &s->tables->tables[i];
		struct teller teller = { s->job, t };
		struct bytes sql = { 0 };

		if (t->inserted + t->updated > 0) {
			upsert_changes(&sql, &t->sql);
			outcome = db_each(s->db, sql.data, tell_one, &teller);
		}
		sql.len = 0;
		if (outcome == DB_OK && t->deleted > 0) {
			upsert_deletes(&sql, &t->sql);
			outcome = db_each(s->db, sql.data, tell_one, &teller);
		}
		bytes_free(&sql);
	}
	return outcome;
}

/* --- attempts --- */

static enum db_outcome
begin(struct seeding *s)
{
	struct bytes sql = { 0 };

	bytes_format(&sql, "BEGIN ISOLATION LEVEL %s; SET LOCAL lock_timeout = %lld",
	    s->job->dry_run ? "REPEATABLE READ" : "READ COMMITTED",
	    s->lock_timeout_ms);
	return tell_text(s->db, &sql);
}

/* Finds the tables, in a transaction of the attempt. */
static enum db_outcome
find_tables(struct seeding *s)
{
	const struct seed_input *input = s->input;
	enum db_outcome outcome;

	seed_tables_free(s->tables);
	if (input->count == input->sql_count)
		return DB_OK;
	db_limit(s->db, -1);
	outcome = seed_tables_find(s->db, input->files + input->sql_count, input->count - input->sql_count,
	    s->tables, &s->code);
	db_limit(s->db, 0);
	return outcome;
}

/*
 * Where everything is as the files say, that is all: *same.  What SQL does cannot be known before it ran, so
 * with it there is no such look, but in a dry run.
 */
static enum db_outcome
look(struct seeding *s, bool *same)
{
	enum db_outcome outcome;
	struct bytes sql = { 0 };

	*same = false;
	if (s->input->sql_count > 0 && !s->job->dry_run)
		return DB_OK;
	bytes_format(&sql, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = %lld; ",
	    s->lock_timeout_ms);
	seed_session_sql(&sql, s->job);
	if ((outcome = tell_text(s->db, &sql)) == DB_OK)
		outcome = find_tables(s);
	if (outcome != DB_OK || s->code != 0)
		return outcome;
	*same = seed_glance(s->db, s->tables, s->job->prune, &s->code);
	if (signals_caught() != 0)
		return DB_STOPPED;
	if (s->code != 0)
		return DB_OK;
	return db_rollback(s->db) ? DB_OK : DB_LOST;
}

static bool
nothing_to_do(const struct seeding *s)
{
	size_t i;

	for (i = 0; i < s->tables->count; i++)
		if (has_work(&s->tables->tables[i]))
			return false;
	return s->input->sql_count == 0;
}

static enum db_outcome
attempt(struct seeding *s)
{
	bool same;
	enum db_outcome outcome = look(s, &same);

	if (outcome != DB_OK || s->code != 0 || same)
		return outcome;
	outcome = begin(s);
	if (outcome == DB_OK)
		outcome = run_sql(s);
	if (outcome == DB_OK && s->code == 0)
		outcome = find_tables(s);
	if (outcome == DB_OK && s->code == 0)
		outcome = make_stages(s);
	if (outcome == DB_OK && s->code == 0)
		outcome = stage_files(s);
	if (outcome == DB_OK && s->code == 0)
		outcome = compare(s);
	if (outcome == DB_OK && s->code == 0 && s->first)
		outcome = warn_of_cascades(s);
	/* SQL files are not run, and may put in what the others need */
	if (outcome == DB_OK && s->code == 0 && s->job->dry_run && s->input->sql_count == 0)
		outcome = seed_foresee(s->db, s->tables, &s->code);
	if (outcome != DB_OK || s->code != 0)
		return outcome;
	if (s->job->dry_run || nothing_to_do(s)) {
		if (s->job->dry_run)
			outcome = tell_changes(s);
		return outcome == DB_OK ? db_tell(s->db, "ROLLBACK") : outcome;
	}
	if (s->job->tell)
		outcome = tell_changes(s);
	if (outcome == DB_OK)
		outcome = write_all(s);
	return outcome == DB_OK && s->code == 0 ? commit(s) : outcome;
}

static int
say_stopped(void)
{
	return message_error(128 + signals_caught(),
	    "stopped by a signal. Nothing was seeded: all was rolled back.");
}

/* --- the deploy lock --- */

/* Who deploys changes the tables that are to be filled. */
static int
take_lock(struct db *db, long long deadline)
{
	struct answer *a = NULL;
	struct bytes holder = { 0 };
	enum db_outcome outcome;
	long long pause;
	unsigned look = 0;
	int code = 0;

	for (;;) {
		bool taken;

		if ((outcome = db_query(db, &a, history_try_lock_sql, 0, NULL)) != DB_OK) {
			code = db_say(db, outcome, "take the deploy lock");
			break;
		}
		taken = answer_flag(a, 0, 0);
		answer_free(a);
		if (taken)
			break;
		if (db_query_ours(db, &a, history_holder_sql, 0, NULL) == DB_OK && answer_rows(a) > 0) {
			holder.len = 0;
			face_holder(&holder, answer_number(a, 0, 0), answer_text(a, 0, 2), answer_text(a, 0, 1),
			    answer_text(a, 0, 3));
		}
		answer_free(a);
		pause = patience_poll(++look, randombytes_random());
		if (clock_now_ms() + pause > deadline) {
			code = message_error(MIG_BUSY, "another deployer holds the lock: %s",
			    bytes_text(&holder));
			message_line("  Nothing was seeded. The same command may work later.");
			break;
		}
		message_live("      waiting for another deployer: %s", bytes_text(&holder));
		if (look == 10)
			message_verbose("waiting for another deployer: %s", bytes_text(&holder));
		clock_sleep_ms(pause);
		if (signals_caught() != 0) {
			code = say_stopped();
			break;
		}
	}
	message_live_clear();
	bytes_free(&holder);
	return code;
}

/* The same may work when it is tried again. */
static bool
may_try_again(const struct seeding *s, enum db_outcome outcome, const struct db_error *e)
{
	return outcome == DB_ERROR && s->code == 0 && signals_caught() == 0 && (s->again || db_is_busy(e));
}

/* Behind the error. */
static void
say_lost(const struct seeding *s)
{
	if (!s->committing) {
		message_line("  Nothing was seeded: what is not committed ends with the session.");
		return;
	}
	message_line("  Whether it was committed is not known.");
	message_line("next: run the same again: rows that are as the files say are not written twice%s",
	    s->input->sql_count > 0 ? "; the .sql files run again" : "");
}

/* Says what an attempt has come to, behind its rollback; returns the exit code.  `busy`: it was tried for long enough. */
static int
say_failed(struct seeding *s, enum db_outcome outcome, const struct db_error *e, bool busy)
{
	const struct origin_run run = origin_run(s);
	const char *sqlstate = s->code != 0 ? s->sqlstate : e->sqlstate;
	struct bytes origin = { 0 };
	int code = s->code != 0 ? s->code : outcome == DB_LOST ? MIG_UNREACHABLE : db_exit_code(e);

	if (outcome == DB_STOPPED || (signals_caught() != 0 && outcome == DB_ERROR))
		return s->code != 0 ? 128 + signals_caught() : say_stopped();
	if (outcome != DB_OK)
		code = origin_find(s->db, sqlstate, code, &run, &origin);
	if (s->code == 0 && outcome == DB_ERROR && s->sql != NULL)
		seed_fault_sql(e, s->sql, s->done, code);
	else if (s->code == 0)
		(void)db_error_say(e, code, "seed");
	if (s->code == 0 && s->sql == NULL && busy)
		message_line("  Nothing was seeded: all was rolled back. The same command may work later.");
	if (s->code == 0 && outcome == DB_LOST)
		say_lost(s);
	if (origin.len > 0)
		message_line("%s", origin.data);
	bytes_free(&origin);
	if (code == MIG_DENIED && !s->job->row_security)
		seed_say_policies(s->db, e);
	return s->code != 0 ? s->code : code;
}

/* An SQL file may have given the deploy lock away, and no rollback takes that back. */
static int
keep_lock(struct db *db, const struct seed_input *input, long long deadline)
{
	struct answer *a = NULL;
	enum db_outcome outcome;
	int code = 0;

	if (input->sql_count == 0)
		return 0;
	if ((outcome = db_query_ours(db, &a, history_lock_held_sql, 0, NULL)) != DB_OK)
		code = db_say(db, outcome, "look at the deploy lock");
	else if (!answer_flag(a, 0, 0))
		code = take_lock(db, deadline);
	answer_free(a);
	return code;
}

int
seed_run(struct db *db, struct seed_input *input, const struct seed_job *job, struct seed_tables *tables)
{
	long long deadline = clock_now_ms() + job->wait_ms, pause;
	unsigned tries;
	int code = job->dry_run ? 0 : take_lock(db, deadline);

	for (tries = 1; code == 0; tries++) {
		struct seeding s = { .db = db, .input = input, .job = job, .tables = tables,
			.began_ms = clock_now_ms(),
			.lock_timeout_ms = patience_lock_timeout(tries, job->max_stall_ms),
			.first = tries == 1 };
		enum db_outcome outcome;
		struct db_error e;
		bool again;

		db_limit(db, 0); /* files and tables may be large */
		outcome = attempt(&s);
		db_limit(db, -1);
		message_live_clear();
		if (outcome == DB_OK && s.code == 0)
			return 0;
		e = db_error_take(db);
		if (outcome != DB_LOST)
			db_rollback(db);
		again = may_try_again(&s, outcome, &e);
		pause = patience_pause(tries, randombytes_random());
		if (!again || clock_now_ms() + pause > deadline) {
			code = say_failed(&s, outcome, &e, again);
		} else {
			message_verbose("%s; trying again", s.again ? "somebody else wrote the same rows" : e.message);
			job->again(job->context);
			clock_sleep_ms(pause);
			code = signals_caught() != 0 ? say_stopped() : job->dry_run ? 0 : keep_lock(db, input, deadline);
		}
		db_error_free(&e);
	}
	return code;
}
