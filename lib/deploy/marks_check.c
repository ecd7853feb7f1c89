#include "deploy/marks_check.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "database/leftovers.h"
#include "deploy/next_command.h"
#include "migrations/journal.h"
#include "records/words.h"
#include "sql/interrupted.h"
#include "sql/session_effects.h"
#include "sql/sql.h"

/* What a person says: of the statement `aim`, that it is done, or that it did not happen. */
struct claim {
	struct interrupted aim;
	struct bytes settings;    /* statements that make the session again in which its names were meant */
	const char *option;
	bool done;
};

/* What is there, for people. */
static void
say_facts(struct bytes *out, const struct interrupted *aim, enum left left)
{
	const char *name = aim->name.data, *table = aim->table.data;

	switch (aim->act) {
	case INTERRUPTED_DETACH:
		if (left == LEFT_HALF)
			bytes_format(out, "%s waits for FINALIZE: readers of %s no longer see its rows", name, table);
		else
			bytes_format(out, "%s is %s partition of %s", name, left == LEFT_DONE ? "no longer a" : "still a", table);
		return;
	case INTERRUPTED_CREATE_INDEX:
		if (name != NULL)
			bytes_format(out, "the index %s %s", name, left == LEFT_DONE ? "is there, and valid"
			        : left == LEFT_NOTHING ? "is not there" : "is not valid");
		else
			bytes_format(out, "%s index of %s", left == LEFT_DONE ? "there is such an" : "there is no valid such", table);
		return;
	case INTERRUPTED_DROP_INDEX:
		bytes_format(out, "the index %s is %s", name, left == LEFT_DONE ? "gone" : "still there");
		return;
	case INTERRUPTED_CREATE:
	case INTERRUPTED_DROP:
		bytes_format(out, "%s is %s", name, (left == LEFT_DONE) == (aim->act == INTERRUPTED_CREATE) ? "there" : "not there");
		return;
	case INTERRUPTED_NONE:
	case INTERRUPTED_REINDEX:
	case INTERRUPTED_REPEAT:
		return;
	}
}

/* Where an invalid index is what is left, the statement runs again as if it had not happened. */
static bool
contradicts(const struct claim *claim, enum left left)
{
	switch (left) {
	case LEFT_DONE:
		return !claim->done;
	case LEFT_NOTHING:
	case LEFT_BEING_BUILT:
	case LEFT_REMOVED:
		return claim->done;
	case LEFT_HALF:
		return claim->done || claim->aim.act == INTERRUPTED_DETACH;
	case LEFT_UNKNOWN:
	case LEFT_ERROR:
		return false;
	}
	return false;
}

/*
 * What is there, in the session of the claim, which is rolled back again.  Where that cannot be made, because its role is
 * gone or the like, the catalog cannot tell.
 */
static enum left
look(struct db *db, const struct claim *claim, enum db_outcome *outcome)
{
	struct bytes sql = { 0 };
	enum left left;

	if (claim->settings.len == 0)
		return left_look(db, &claim->aim, outcome);
	bytes_format(&sql, "BEGIN;\n%s", claim->settings.data);
	*outcome = db_tell(db, sql.data);
	bytes_free(&sql);
	left = *outcome == DB_OK ? left_look(db, &claim->aim, outcome) : *outcome == DB_ERROR ? LEFT_UNKNOWN : LEFT_ERROR;
	if (db_rollback(db) || left == LEFT_ERROR)
		return left;
	*outcome = DB_LOST;
	return LEFT_ERROR;
}

static int
check(struct db *db, const struct step *step, const struct claim *claim)
{
	struct bytes facts = { 0 };
	enum db_outcome outcome;
	enum left left;

	if (claim->aim.act == INTERRUPTED_NONE || claim->aim.act == INTERRUPTED_REINDEX || claim->aim.act == INTERRUPTED_REPEAT)
		return 0;
	left = look(db, claim, &outcome);
	if (left == LEFT_ERROR)
		return db_say(db, outcome, "read what the interrupted statement left");
	if (!contradicts(claim, left))
		return 0;
	say_facts(&facts, &claim->aim, left);
	(void)message_error(MIG_DATA, "%s %s: the catalog says otherwise: %s; nothing was touched", claim->option,
	    step->migration, facts.data);
	next_command_without_marks("next: let mig-apply resume from the state in the catalog");
	bytes_free(&facts);
	return MIG_DATA;
}

/* --resume says of the statement that had begun that it did not happen, or, by naming a later one, that it did. */
static struct claim
claim_of_resume(const struct step *step, const struct history_row *row)
{
	struct claim claim = { .aim = { .act = INTERRUPTED_NONE }, .option = "--resume" };
	const struct sql_statement *begun;
	struct session_behind behind;
	struct sql_script script;
	struct journal journal;

	if (row == NULL || !step->resume_told || step->sql == NULL || !journal_read(row->logs, &journal) ||
	    step->resume_at < (long long)journal.next || journal.moved)
		return claim;
	script = sql_split(step->sql, strlen(step->sql));
	if ((begun = journal_begun(&journal, step->sql, &script)) != NULL) {
		behind = session_behind(step->sql, &script, journal.next - 1);
		if (!session_lost_before(&behind, journal.next - 1))
			claim.aim = interrupted_of(step->sql, begun);
		bytes_add(&claim.settings, behind.settings.data, behind.settings.len);
		session_behind_free(&behind);
	}
	claim.done = step->resume_at > (long long)journal.next;
	sql_script_free(&script);
	return claim;
}

/* The plan has the statement behind those that make its session again. */
static struct claim
claim_of_mark(const struct step *step)
{
	struct claim claim = { .aim = { .act = INTERRUPTED_NONE }, .done = step->action == ACTION_MARK_APPLIED };
	const struct sql_statement *begun;
	struct sql_script script;

	claim.option = claim.done ? "--mark-applied" : "--mark-rolled-back";
	if (step->begun_sql == NULL)
		return claim;
	script = sql_split(step->begun_sql, strlen(step->begun_sql));
	if (script.count > 0) {
		begun = &script.statements[script.count - 1];
		claim.aim = interrupted_of(step->begun_sql, begun);
		bytes_add(&claim.settings, step->begun_sql, begun->start);
	}
	sql_script_free(&script);
	return claim;
}

int
marks_check(struct db *db, const struct step *step, const struct history_row *row)
{
	struct claim claim = step->sql != NULL ? claim_of_resume(step, row) : claim_of_mark(step);
	int code = check(db, step, &claim);

	interrupted_free(&claim.aim);
	bytes_free(&claim.settings);
	return code;
}
