#include "database/session_restore.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "database/deploy_lock.h"
#include "database/role.h"
#include "migrations/history.h"
#include "sql/session_effects.h"
#include "sql/sql.h"

/* 1, 0, or -1 with the error said. */
static int
ask_flag(struct db *db, const char *sql)
{
	struct answer *answer;
	enum db_outcome outcome = db_query(db, &answer, sql, 0, NULL);
	int flag;

	if (outcome != DB_OK) {
		(void)db_say(db, outcome, "inspect the session");
		return -1;
	}
	flag = answer_flag(answer, 0, 0);
	answer_free(answer);
	return flag;
}

static int
restore_lock(struct db *db, const struct step *step)
{
	enum deploy_lock_kept kept;
	enum db_outcome outcome = deploy_lock_keep(db, &kept);

	if (outcome != DB_OK)
		return db_say(db, outcome, "inspect the session");
	if (kept == DEPLOY_LOCK_TAKEN_AGAIN)
		message_warning("%s released the deploy lock; it was taken again", step->migration);
	if (kept != DEPLOY_LOCK_LOST)
		return 0;
	return message_error(MIG_BUSY, "%s released the deploy lock, and another deployer holds it now", step->migration);
}

static int
restore_search_path(struct db *db, const char *schema, const struct conninfo *target, const struct step *step)
{
	struct bytes sql = { 0 };
	enum db_outcome outcome;
	int resolves;

	history_resolves_sql(&sql, schema);
	resolves = ask_flag(db, sql.data);
	sql.len = 0;
	if (resolves != 0) {
		bytes_free(&sql);
		return resolves < 0 ? message_code() : 0;
	}
	message_warning("%s changed search_path away from the history; restored for the following steps",
	    step->migration);
	if (target->schema != NULL) {
		bytes_str(&sql, "SET search_path = ");
		bytes_sql_name(&sql, target->schema);
	} else {
		bytes_str(&sql, "RESET search_path");
	}
	outcome = db_tell(db, sql.data);
	bytes_free(&sql);
	return outcome == DB_OK ? 0 : db_say(db, outcome, "set the search path back");
}

int
restore_settings(struct db *db, const char *schema, const struct conninfo *target, const struct step *step,
    const struct sql_script *script)
{
	const char *setting;
	int code = 0;

	if (session_may_set(step->sql, script, "search_path"))
		code = restore_search_path(db, schema, target, step);
	if (session_may_set(step->sql, script, "row_security"))
		db_show_all_rows(db);
	while ((setting = db_restored(db)) != NULL)
		message_warning("%s changed %s; restored for the following steps", step->migration, setting);
	return code;
}

static int
restore_role(struct db *db, const char *role, const struct step *step)
{
	bool in_force;
	int code = role_is_in_force(db, role, &in_force);

	if (code != 0 || in_force)
		return code;
	message_warning("%s changed the role; it is %s again for the following steps", step->migration, role);
	return role_take(db, role);
}

int
restore_session(struct db *db, const struct session_wanted *wanted, const struct step *step, bool keeps)
{
	struct sql_script script = { 0 };
	int code = 0;

	if (step->sql == NULL)
		return 0;
	if (!keeps) {
		script = sql_split(step->sql, strlen(step->sql));
		(void)session_note(step->sql, &script);
	}
	if (session_changes(step->sql, &script))
		db_release_on_death(db);
	if (session_may_unlock(step->sql, &script))
		code = restore_lock(db, step);
	if (code == 0 && wanted->role != NULL && session_changes(step->sql, &script))
		code = restore_role(db, wanted->role, step);
	if (code == 0)
		code = restore_settings(db, wanted->schema, wanted->target, step, &script);
	sql_script_free(&script);
	return code;
}

/*
 * The statements of DISCARD ALL, which cannot be part of a transaction.  One that has the deploy lock of its own keeps others out while
 * those of the session are given back, among them what scripts have taken.
 */
enum { LOCK_AT = 2, LOCK_AGAIN_AT = 13, STATEMENTS = 15 };
static const char *const as_new_sql[STATEMENTS] = { "BEGIN READ WRITE", "SET LOCAL statement_timeout = 0",
	"SELECT pg_catalog.pg_try_advisory_xact_lock(" HISTORY_LOCK_KEY ")", "CLOSE ALL", "RESET SESSION AUTHORIZATION", "RESET ROLE",
	"RESET ALL", "DEALLOCATE ALL", "UNLISTEN *", "SELECT pg_catalog.pg_advisory_unlock_all()", "DISCARD PLANS", "DISCARD TEMP",
	"DISCARD SEQUENCES", history_try_lock_sql, "COMMIT" };

bool
restore_as_new(struct db *db, const struct conninfo *target, bool locks, bool *locked)
{
	struct db_ask asks[STATEMENTS] = { 0 };
	bool done;
	size_t i;

	for (i = 0; i < STATEMENTS; i++)
		asks[i] = (struct db_ask){ .sql = locks || (i != LOCK_AT && i != LOCK_AGAIN_AT) ? as_new_sql[i] : "SELECT false" };
	asks[0].kind = DB_ASK_BEGINS;
	asks[STATEMENTS - 1].kind = DB_ASK_ENDS;
	asks[STATEMENTS - 1].ends_unit = true;
	done = db_query_batch(db, asks, STATEMENTS) == DB_OK;
	*locked = done && answer_flag(asks[LOCK_AGAIN_AT].answer, 0, 0);
	for (i = 0; i < STATEMENTS; i++) {
		done = done && asks[i].outcome == DB_OK;
		answer_free(asks[i].answer);
	}
	if (done)
		db_session_again(db, target);
	return done;
}
