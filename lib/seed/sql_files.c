/* SQL files: run as they are; then the session is as it was, and the deploy lock still ours. */
#include "seed/seed_internal.h"

#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "database/deploy_lock.h"
#include "database/role.h"
#include "seed/file.h"
#include "seed/origin.h"
#include "sql/session_effects.h"
#include "sql/sql.h"

static void
on_notice(void *context, const struct db_message *message)
{
	const struct seeding *s = context;

	if (s->sql != NULL)
		message_info("%s: %s: %s", s->sql->path, message->severity, message->text);
}

/* The role in force is that of --role again, whatever a file has set. */
static enum db_outcome
set_role_again(struct seeding *s)
{
	struct bytes sql = { 0 };

	if (s->job->role == NULL)
		return DB_OK;
	role_sql(&sql, s->job->role);
	return seed_tell_text(s->db, &sql);
}

static enum db_outcome
limit_locks(struct seeding *s)
{
	struct bytes sql = { 0 };

	bytes_format(&sql, "SET LOCAL lock_timeout = %lld", s->lock_timeout_ms);
	return seed_run_text(s->db, &sql);
}

struct origin_run
seed_origin_run(const struct seeding *s)
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
	bool locked;
	enum db_outcome outcome = deploy_lock_try(s->db, &locked);

	if (outcome == DB_OK && !locked) {
		s->code = message_error(MIG_BUSY, "%s released the deploy lock, and another deployer holds it now",
		    unlocking_file(s));
		message_line("  Nothing was seeded: everything was rolled back.");
	} else if (outcome == DB_OK && s->first) {
		message_warning("%s released the deploy lock; it was taken again", unlocking_file(s));
	}
	return outcome;
}

static int
say_read_only(const struct seeding *s)
{
	const struct origin_run run = seed_origin_run(s);
	struct sql_place place = { 0 };
	const struct seed_file *file = origin_read_only(&run, &place);

	if (file != NULL)
		(void)message_error(MIG_DATA, "%s:%lu:%lu: this makes the transaction read-only, and the data files "
		    "follow: remove it", file->path, place.line, place.column);
	else
		(void)message_error(MIG_DATA, "the SQL files leave their transaction read-only, and the data files follow");
	message_line("  Nothing was seeded: everything was rolled back.");
	return MIG_DATA;
}

/* Behind the SQL files: whether we still hold the deploy lock, and may write. */
static enum db_outcome
check_session(struct seeding *s)
{
	struct db_ask asks[] = { deploy_lock_ask_held(),
		{ .sql = "SELECT pg_catalog.current_setting('transaction_read_only')::pg_catalog.bool" } };
	enum db_outcome outcome = db_query_batch(s->db, asks, 2);
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
enum db_outcome
seed_run_sql(struct seeding *s)
{
	struct db_hooks hooks = { NULL, on_notice, s };
	enum db_outcome outcome = DB_OK;
	size_t i;

	if (s->input->sql_count == 0 || seed_only_compares(s->job))
		return DB_OK;
	db_hooks(s->db, &hooks);
	for (i = 0; outcome == DB_OK && i < s->input->sql_count; i++) {
		long long began = clock_now_ms();

		s->sql = &s->input->files[i];
		s->ran = i + 1;
		outcome = db_run(s->db, s->sql->text.data, &s->done);
		s->input->files[i].took_ms = clock_now_ms() - began;
		if (outcome == DB_OK && i + 1 < s->input->sql_count)
			outcome = set_role_again(s);
	}
	db_hooks(s->db, NULL);
	if (outcome != DB_OK)
		return outcome;
	s->sql = NULL;
	outcome = db_session_reset(s->db);
	if (outcome == DB_OK)
		outcome = set_role_again(s);
	if (outcome == DB_OK)
		outcome = check_session(s);
	return outcome == DB_OK && s->code == 0 ? limit_locks(s) : outcome;
}
