#include "database/deploy_lock.h"

#include <stddef.h>

#include "base/null.h"
#include "base/page.h"
#include "database/inspect.h"
#include "migrations/history.h"

enum db_outcome
deploy_lock_try(struct db *db, bool *locked)
{
	struct answer *answer = NULL;
	enum db_outcome outcome = db_query(db, &answer, history_try_lock_sql, 0, NULL);

	*locked = outcome == DB_OK && answer_flag(answer, 0, 0);
	answer_free(answer);
	return outcome;
}

struct db_ask
deploy_lock_ask_held(void)
{
	return (struct db_ask){ .sql = history_lock_held_sql, .ours = true };
}

enum db_outcome
deploy_lock_keep(struct db *db, enum deploy_lock_kept *kept)
{
	struct answer *answer = NULL;
	enum db_outcome outcome = db_query_ours(db, &answer, history_lock_held_sql, 0, NULL);
	bool held = outcome == DB_OK && answer_flag(answer, 0, 0), again = false;

	answer_free(answer);
	if (outcome == DB_OK && !held)
		outcome = deploy_lock_try(db, &again);
	*kept = held ? DEPLOY_LOCK_KEPT : again ? DEPLOY_LOCK_TAKEN_AGAIN : DEPLOY_LOCK_LOST;
	return outcome;
}

bool
deploy_lock_release(struct db *db)
{
	return db_run_best_effort(db, history_unlock_sql);
}

void
deploy_lock_name_holder(struct db *db, struct bytes *out)
{
	struct answer *answer = NULL;
	struct page_session session;

	if (db_query_ours(db, &answer, history_holder_sql, 0, NULL) == DB_OK && answer_rows(answer) > 0) {
		session = inspect_holder(answer);
		session.age_ms = NUMBER_UNKNOWN; /* of its connection */
		out->len = 0;
		page_session(out, &session);
	}
	answer_free(answer);
}
