#include "seed/seed.h"

#include <sodium.h>
#include <string.h>

#include "base/backoff.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/signals.h"
#include "database/deploy_lock.h"
#include "database/role.h"
#include "seed/error_row.h"
#include "seed/preflight.h"
#include "seed/origin.h"
#include "seed/rights.h"
#include "seed/secrets.h"
#include "seed/seed_internal.h"
#include "seed/up_to_date.h"
#include "seed/upsert.h"

/* Values read alike whatever the server, its database or our role are set to; the rest is ours. */
void
seed_session_sql(struct bytes *out, const struct seed_job *job)
{
	bytes_str(out, "SET LOCAL DateStyle = 'ISO, MDY'; SET LOCAL IntervalStyle = 'postgres'; SET LOCAL TimeZone = 'UTC'; "
	    "SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1; SET LOCAL standard_conforming_strings = on; "
	    "SET LOCAL work_mem = '64MB'; ");
	bytes_format(out, "SET LOCAL row_security = %s", job->row_security ? "on" : "off");
}

bool
seed_only_compares(const struct seed_job *job)
{
	return job->dry_run && !job->full;
}

/* Records an error before further queries replace it. */
void
seed_note_error(struct seeding *s, const struct db_error *e)
{
	memcpy(s->sqlstate, e->sqlstate, sizeof s->sqlstate);
}

enum db_outcome
seed_run_text(struct db *db, struct bytes *sql)
{
	enum db_outcome outcome = db_run(db, sql->data, NULL);

	bytes_free(sql);
	return outcome;
}

/* What needs no data, and so no time. */
enum db_outcome
seed_tell_text(struct db *db, struct bytes *sql)
{
	enum db_outcome outcome = db_tell(db, sql->data);

	bytes_free(sql);
	return outcome;
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
	    seed_only_compares(s->job) ? "REPEATABLE READ" : "READ COMMITTED",
	    s->lock_timeout_ms);
	return seed_tell_text(s->db, &sql);
}

/* Finds the tables, in a transaction of the attempt. */
static enum db_outcome
find_tables(struct seeding *s)
{
	const struct seed_input *input = s->input;
	enum db_outcome outcome;
	size_t i;

	seed_tables_free(s->tables);
	if (input->count == input->sql_count)
		return DB_OK;
	db_limit(s->db, -1);
	outcome = seed_tables_find(s->db, input->files + input->sql_count, input->count - input->sql_count,
	    s->job->client, s->tables, &s->code);
	db_limit(s->db, 0);
	for (i = 0; outcome == DB_OK && s->code == 0 && i < s->tables->count; i++)
		if (s->tables->tables[i].file->overlay != NULL)
			s->code = secrets_collect(&s->input->secrets, s->tables->tables[i].file);
	if (s->job->full && outcome == DB_OK && s->code == 0)
		seed_tables_draw(s->tables);
	return outcome;
}

/*
 * *same: everything equals the files, and nothing remains to be done.  The effect of SQL files is unknown before
 * they run, so with them the check is only made in a dry run.
 */
static enum db_outcome
look(struct seeding *s, bool *same)
{
	enum db_outcome outcome;
	struct bytes sql = { 0 };

	*same = false;
	if (s->input->sql_count > 0 && !seed_only_compares(s->job))
		return DB_OK;
	bytes_format(&sql, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = %lld; ",
	    s->lock_timeout_ms);
	seed_session_sql(&sql, s->job);
	if ((outcome = seed_tell_text(s->db, &sql)) == DB_OK)
		outcome = find_tables(s);
	if (outcome != DB_OK || s->code != 0)
		return outcome;
	*same = up_to_date_check(s->db, s->tables, s->job->prune, &s->code);
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
		if (seed_has_work(&s->tables->tables[i]))
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
	if (outcome == DB_OK && s->job->full)
		outcome = seed_note_sequences(s);
	if (outcome == DB_OK)
		outcome = seed_run_sql(s);
	if (outcome == DB_OK && s->code == 0)
		outcome = find_tables(s);
	if (outcome == DB_OK && s->code == 0)
		outcome = seed_make_stages(s);
	if (outcome == DB_OK && s->code == 0)
		outcome = seed_stage_files(s);
	if (outcome == DB_OK && s->code == 0)
		outcome = seed_compare(s);
	if (outcome == DB_OK && s->code == 0 && s->first)
		outcome = seed_warn_of_cascades(s);
	/* SQL files are not run, and may put in what the others need */
	if (outcome == DB_OK && s->code == 0 && seed_only_compares(s->job) && s->input->sql_count == 0)
		outcome = seed_preflight(s->db, s->tables, &s->code);
	if (outcome != DB_OK || s->code != 0)
		return outcome;
	if (seed_only_compares(s->job) || nothing_to_do(s)) {
		if (s->job->dry_run)
			outcome = tell_changes(s);
		return outcome == DB_OK ? db_tell(s->db, "ROLLBACK") : outcome;
	}
	if (s->job->tell || s->job->full)
		outcome = tell_changes(s);
	if (outcome == DB_OK)
		outcome = seed_write_all(s);
	if (outcome == DB_OK && s->code == 0 && s->job->full)
		return seed_take_back(s);
	return outcome == DB_OK && s->code == 0 ? seed_commit(s) : outcome;
}

static int
say_stopped(void)
{
	return message_error(128 + signals_caught(),
	    "stopped by a signal. Nothing was seeded: everything was rolled back.");
}

/* --- the deploy lock --- */

/* Who deploys changes the tables that are to be filled. */
static int
take_lock(struct db *db, long long deadline)
{
	struct bytes holder = { 0 };
	enum db_outcome outcome;
	long long pause;
	unsigned look = 0;
	int code = 0;

	for (;;) {
		bool taken;

		if ((outcome = deploy_lock_try(db, &taken)) != DB_OK) {
			code = db_say(db, outcome, "take the deploy lock");
			break;
		}
		if (taken)
			break;
		deploy_lock_name_holder(db, &holder);
		pause = backoff_poll(++look, randombytes_random());
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
		message_line("  Nothing was seeded: the uncommitted work ended with the session.");
		return;
	}
	message_line("  It is not known whether it was committed.");
	message_line("next: run the same command again: rows that already match the files are not written again%s",
	    s->input->sql_count > 0 ? "; the .sql files run again" : "");
}

/* Says what an attempt has come to, behind its rollback; returns the exit code.  `busy`: it was tried for long enough. */
static int
say_failed(struct seeding *s, enum db_outcome outcome, const struct db_error *e, bool busy)
{
	const struct origin_run run = seed_origin_run(s);
	const char *sqlstate = s->code != 0 ? s->sqlstate : e->sqlstate;
	struct bytes origin = { 0 };
	int code = s->code != 0 ? s->code : outcome == DB_LOST ? MIG_UNREACHABLE : db_exit_code(e);

	if (outcome == DB_STOPPED || (signals_caught() != 0 && outcome == DB_ERROR))
		return s->code != 0 ? 128 + signals_caught() : say_stopped();
	if (outcome != DB_OK)
		code = origin_find(s->db, sqlstate, code, &run, &origin);
	if (s->code == 0 && outcome == DB_ERROR && s->sql != NULL)
		error_row_sql(e, s->sql, s->done, code);
	else if (s->code == 0)
		code = db_error_say(e, code, "seed");
	if (s->code == 0 && s->sql == NULL && busy)
		message_line("  Nothing was seeded: everything was rolled back. The same command may work later.");
	if (s->code == 0 && outcome == DB_LOST)
		say_lost(s);
	if (origin.len > 0)
		message_line("%s", origin.data);
	bytes_free(&origin);
	if (code == MIG_DENIED && !s->job->row_security)
		error_row_say_policies(s->db, e);
	if (code == MIG_DENIED && s->sql == NULL)
		rights_say_lacked(s->db, s->tables, false);
	return s->code != 0 ? s->code : code;
}

/* An SQL file may have given the deploy lock away, and no rollback takes that back. */
static int
keep_lock(struct db *db, const struct seed_input *input, long long deadline)
{
	enum deploy_lock_kept kept;
	enum db_outcome outcome;

	if (input->sql_count == 0)
		return 0;
	if ((outcome = deploy_lock_keep(db, &kept)) != DB_OK)
		return db_say(db, outcome, "inspect the deploy lock");
	return kept == DEPLOY_LOCK_LOST ? take_lock(db, deadline) : 0;
}

int
seed_run(struct db *db, struct seed_input *input, const struct seed_job *job, struct seed_tables *tables)
{
	long long deadline = clock_now_ms() + job->wait_ms, pause;
	unsigned tries;
	int code = seed_only_compares(job) ? 0 : take_lock(db, deadline);

	if (code == 0 && job->role != NULL)
		code = role_take(db, job->role);
	for (tries = 1; code == 0; tries++) {
		struct seeding s = { .db = db, .input = input, .job = job, .tables = tables,
			.began_ms = clock_now_ms(),
			.lock_timeout_ms = backoff_lock_timeout(tries, job->max_stall_ms),
			.first = tries == 1 };
		enum db_outcome outcome;
		struct db_error e;
		bool again;

		db_limit(db, 0); /* files and tables may be large */
		outcome = attempt(&s);
		answer_free(s.sequences);
		db_limit(db, -1);
		message_live_clear();
		if (outcome == DB_OK && s.code == 0)
			return 0;
		e = db_error_take(db);
		secrets_hide(&input->secrets, &e);
		if (outcome != DB_LOST)
			db_rollback(db);
		again = may_try_again(&s, outcome, &e);
		pause = backoff_pause(tries, randombytes_random());
		if (!again || clock_now_ms() + pause > deadline) {
			code = say_failed(&s, outcome, &e, again);
		} else {
			message_verbose("%s; retrying", s.again ? "another session wrote the same rows" : e.message);
			job->again(job->context);
			clock_sleep_ms(pause);
			code = signals_caught() != 0 ? say_stopped() : seed_only_compares(job) ? 0 : keep_lock(db, input, deadline);
		}
		db_error_free(&e);
	}
	return code;
}
