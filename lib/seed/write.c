/* Writes what differs, and says what was not let through. */
#include "seed/seed_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "postgres/sqlstate.h"
#include "seed/error_row.h"
#include "seed/secrets.h"
#include "seed/upsert.h"

/* Whether another session has inserted conflicting rows; a retry sees them. */
static bool
others_wrote(struct seeding *s, const struct seed_table *tables, size_t count)
{
	bool changed = false;
	size_t i;

	if (!db_run_best_effort(s->db, "ROLLBACK TO " SEED_SAVEPOINT))
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
	message_line("  A trigger or a policy of the table did that.");
	message_line("  Nothing was seeded: everything was rolled back.");
	return MIG_FAILED;
}

/*
 * Rows that were inserted and are not there by their key: a trigger gave them another one, and each run would insert them
 * again.  Only a table with triggers is looked at again.
 */
static enum db_outcome
check_keys(struct seeding *s, const struct seed_table *t, struct bytes *left)
{
	struct bytes sql = { 0 };
	struct answer *a = NULL;
	enum db_outcome outcome;
	char *keys;

	if (t->inserted == 0 || !t->triggers)
		return DB_OK;
	upsert_count(&sql, &t->sql);
	outcome = db_query(s->db, &a, sql.data, 0, NULL);
	if (outcome == DB_OK && answer_number(a, 0, UPSERT_NEW) > 0) {
		keys = keys_left(s, t, "insert");
		bytes_format(left, "%s: of %lld rows inserted in table \"%s\" %lld now have another key%s\n", t->file->path, t->inserted,
		    t->sql.table, answer_number(a, 0, UPSERT_NEW), keys);
		free(keys);
	}
	answer_free(a);
	bytes_free(&sql);
	return outcome;
}

bool
seed_has_work(const struct seed_table *t)
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

		secrets_hide(&s->input->secrets, &e);
		s->again = strcmp(e.sqlstate, SQLSTATE_UNIQUE_VIOLATION) == 0 && others_wrote(s, tables, count);
		if (!s->again) {
			seed_note_error(s, &e);
			s->code = error_row_write(s->db, &e, s->tables, first, count);
		}
		db_error_free(&e);
	}
	if (outcome == DB_OK && !answer_has(done, (int)count * 3))
		outcome = db_give_up(s->db);
	for (i = 0; outcome == DB_OK && i < count; i++) {
		check_done(s, &tables[i], done, i, &left);
		if (left.len == 0)
			outcome = check_keys(s, &tables[i], &left);
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
 * Units in their order; where rows are taken out, all is one unit: a row may go whose children go, too, or
 * move to a row that is new.
 */
enum db_outcome
seed_write_all(struct seeding *s)
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
			work |= seed_has_work(&tables->tables[first + count]);
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

		secrets_hide(&s->input->secrets, &e);
		seed_note_error(s, &e);
		s->code = error_row_write(s->db, &e, s->tables, tables->count, 0);
		db_error_free(&e);
	}
	return outcome == DB_OK && deletes ? seed_check_cascades(s) : outcome;
}

/* A sequence that was moved does not come back: so it is moved last. */
enum db_outcome
seed_commit(struct seeding *s)
{
	struct bytes sql = { 0 };
	size_t i;

	for (i = 0; i < s->tables->count; i++)
		if (s->tables->tables[i].inserted > 0)
			upsert_sequences(&sql, &s->tables->tables[i].sql);
	bytes_str(&sql, sql.len > 0 ? "; COMMIT" : "COMMIT");
	s->committing = true;
	return seed_run_text(s->db, &sql);
}
