/* Puts the files into temporary tables. */
#include "seed/seed_internal.h"

#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "seed/copy_source.h"
#include "seed/error_row.h"
#include "seed/file.h"
#include "seed/secrets.h"
#include "seed/upsert.h"

/* Temporary tables can be made only before a transaction is READ ONLY, and filled also then. */
enum db_outcome
seed_make_stages(struct seeding *s)
{
	struct bytes sql = { 0 };
	size_t i;

	seed_session_sql(&sql, s->job);
	for (i = 0; i < s->tables->count; i++) {
		bytes_str(&sql, "; ");
		upsert_stage(&sql, &s->tables->tables[i].sql);
	}
	bytes_str(&sql, seed_only_compares(s->job) ? "; SET TRANSACTION READ ONLY" : "");
	return seed_tell_text(s->db, &sql);
}

static enum db_outcome
copy_file(struct seeding *s, const struct seed_table *t, bool gone)
{
	const struct seed_file *file = t->file;
	struct copy_source feed;
	struct bytes sql = { 0 };
	enum db_outcome outcome = DB_OK;

	if (gone)
		upsert_copy_gone(&sql, &t->sql);
	else
		upsert_copy(&sql, &t->sql, t->sql.json ? NULL : file->header.names, file->header.count,
		    seed_delimiter(file));
	if ((s->code = copy_source_open(&feed, file, gone)) == 0) {
		outcome = db_copy_in(s->db, sql.data, copy_source_next, &feed);
		s->code = feed.code;
	}
	if (outcome == DB_ERROR && s->code == 0 && !db_is_busy(db_error(s->db))) {
		seed_note_error(s, db_error(s->db));
		s->code = error_row_copy(db_error(s->db), t);
	}
	copy_source_close(&feed);
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
		outcome = seed_run_text(s->db, &sql);
	}
	if (outcome == DB_ERROR && !db_is_busy(db_error(s->db))) {
		struct db_error e = db_error_take(s->db);

		secrets_hide(&s->input->secrets, &e);
		seed_note_error(s, &e);
		s->code = error_row_fill(s->db, &e, t);
		db_error_free(&e);
	}
	if (outcome == DB_OK && t->file->gone) {
		if ((outcome = copy_file(s, t, true)) == DB_OK && s->code == 0) {
			upsert_fill_gone(&sql, &t->sql);
			outcome = seed_run_text(s->db, &sql);
		}
	}
	return outcome;
}

enum db_outcome
seed_stage_files(struct seeding *s)
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
		if (outcome == DB_OK && s->code == 0 && t->sql.derived)
			outcome = seed_make_values(s, t);
		if (outcome == DB_OK && s->code == 0)
			outcome = seed_stage_secrets(s, t);
		t->took_ms = clock_now_ms() - began;
	}
	if (outcome == DB_OK && s->code == 0)
		outcome = seed_derive(s);
	for (i = 0; outcome == DB_OK && s->code == 0 && i < s->tables->count; i++)
		outcome = seed_check_sources(s, &s->tables->tables[i]);
	message_live_clear();
	return outcome;
}
