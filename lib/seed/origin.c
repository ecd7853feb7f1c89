#include "seed/origin.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mig.h"
#include "database/setting_origin.h"
#include "postgres/sqlstate.h"
#include "sql/session_effects.h"

enum { NAMES = 2 };

/* By SQLSTATE: the settings behind it; the first is the one that a session may have from outside. */
static const struct cause {
	const char *sqlstate;
	const char *settings[NAMES];
} causes[] = {
	{ SQLSTATE_QUERY_CANCELED, { "statement_timeout" } },
	{ SQLSTATE_LOCK_NOT_AVAILABLE, { "lock_timeout" } },
	{ SQLSTATE_READ_ONLY_SQL_TRANSACTION, { "default_transaction_read_only", "transaction_read_only" } },
	{ SQLSTATE_IDLE_IN_TRANSACTION_SESSION_TIMEOUT, { "idle_in_transaction_session_timeout" } },
	{ SQLSTATE_TRANSACTION_TIMEOUT, { "transaction_timeout" } },
	{ SQLSTATE_IDLE_SESSION_TIMEOUT, { "idle_session_timeout" } },
};

static const struct cause *
cause_of(const char *sqlstate)
{
	size_t i;

	for (i = 0; i < sizeof causes / sizeof *causes; i++)
		if (strcmp(causes[i].sqlstate, sqlstate) == 0)
			return &causes[i];
	return NULL;
}

/* SET TRANSACTION ... READ ONLY, which names no setting. */
static bool
is_read_only_mode(const char *text, const struct sql_statement *s)
{
	struct sql_token token = sql_token(text, s->end, s->start);

	if (!sql_is(text, token, "SET"))
		return false;
	token = sql_token(text, s->end, token.end);
	if (!sql_is(text, token, "TRANSACTION"))
		return false;
	while (token.kind != SQL_END && !sql_is(text, token, "ONLY"))
		token = sql_token(text, s->end, token.end);
	return token.kind != SQL_END;
}

static bool
sets_any(const char *text, const struct sql_statement *statement, const struct cause *cause)
{
	size_t i;

	if (cause == cause_of(SQLSTATE_READ_ONLY_SQL_TRANSACTION) && is_read_only_mode(text, statement))
		return true;
	for (i = 0; i < NAMES && cause->settings[i] != NULL; i++)
		if (session_sets(text, statement, cause->settings[i]))
			return true;
	return false;
}

/* The last statement that sets one of them, before what failed. */
static const struct seed_file *
set_by(const struct origin_run *run, const struct cause *cause, struct sql_place *place)
{
	const struct seed_file *found = NULL;
	size_t n = run->count, i;

	while (found == NULL && n-- > 0) {
		const struct seed_file *file = &run->files[n];
		struct sql_script script = sql_split(file->text.data, file->text.len);

		i = n + 1 == run->count && run->done < script.count ? run->done : script.count;
		while (found == NULL && i-- > 0) {
			if (!sets_any(file->text.data, &script.statements[i], cause))
				continue;
			*place = sql_place(file->text.data, file->text.len, script.statements[i].start);
			found = file;
		}
		sql_script_free(&script);
	}
	return found;
}

const struct seed_file *
origin_read_only(const struct origin_run *run, struct sql_place *place)
{
	return set_by(run, cause_of(SQLSTATE_READ_ONLY_SQL_TRANSACTION), place);
}

static bool
in_recovery(struct db *db)
{
	struct answer *a = NULL;
	bool is = db_query(db, &a, "SELECT pg_catalog.pg_is_in_recovery()", 0, NULL) == DB_OK && answer_flag(a, 0, 0);

	answer_free(a);
	return is;
}

static int
find_outside(struct db *db, const struct cause *cause, int code, const struct origin_run *run, struct bytes *line)
{
	bool read_only = cause == cause_of(SQLSTATE_READ_ONLY_SQL_TRANSACTION);

	if (read_only && in_recovery(db)) {
		bytes_str(line, "  This server is a standby: use the address of the primary.");
		return code;
	}
	/* an administrator may have cancelled it: a time-out cannot strike before its time */
	return setting_origin_line(db, cause->settings[0], run->took_ms, line) && read_only ? MIG_CONFIG : code;
}

int
origin_find(struct db *db, const char *sqlstate, int code, const struct origin_run *run, struct bytes *line)
{
	const struct cause *cause = cause_of(sqlstate);
	const struct seed_file *file;
	struct sql_place place;

	if (cause == NULL)
		return code;
	if ((file = set_by(run, cause, &place)) != NULL) {
		bytes_format(line, "  %s:%lu:%lu sets this (%s), for itself and for the SQL files after it.", file->path,
		    place.line, place.column, strcmp(sqlstate, SQLSTATE_READ_ONLY_SQL_TRANSACTION) == 0 ? "read-only" : cause->settings[0]);
		return strcmp(sqlstate, SQLSTATE_READ_ONLY_SQL_TRANSACTION) == 0 ? MIG_FAILED : code;
	}
	if (strcmp(sqlstate, SQLSTATE_LOCK_NOT_AVAILABLE) == 0) {
		if (run->took_ms >= run->lock_timeout_ms)
			bytes_format(line, "  mig-seed sets lock_timeout itself: the last attempt waited %lld ms for a lock, and "
			    "--max-stall is the limit.", run->lock_timeout_ms);
		return code;
	}
	return db_transaction(db) == DB_UNKNOWN ? code : find_outside(db, cause, code, run, line);
}
