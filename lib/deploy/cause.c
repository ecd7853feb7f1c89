#include "deploy/cause.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "database/rights.h"
#include "migrations/history.h"
#include "sql/targets.h"

/* The role that the statements before `at` set last, as written, which may be the login; NULL: none. */
static const char *
role_before(struct sql_targets *targets, const char *text, const struct sql_script *script, size_t at, const char *login)
{
	const char *role = NULL;
	size_t i;

	for (i = 0; i < at; i++)
		(void)sql_targets_add(targets, text, &script->statements[i]);
	for (i = 0; i < targets->count; i++)
		if (targets->list[i].kind == TARGET_ROLE)
			role = targets->list[i].name != NULL ? targets->list[i].name : login;
	return role;
}

char *
cause_right(struct db *db, const char *text, const struct sql_script *script, size_t at, enum db_outcome *outcome)
{
	struct sql_targets before = { 0 }, targets = { 0 };
	struct right_asked *asked;
	struct bytes cause = { 0 }, login = { 0 };
	const char *role;
	struct answer *answer = NULL;
	size_t i;

	bytes_sql_name(&login, db_user(db));
	role = role_before(&before, text, script, at, login.data);
	(void)sql_targets_add(&targets, text, &script->statements[at]);
	asked = xcalloc(targets.count + 1, sizeof *asked);
	for (i = 0; i < targets.count; i++)
		asked[i] = (struct right_asked){ &targets.list[i], role };
	*outcome = rights_lacked(db, asked, targets.count, &answer);
	for (i = 0; *outcome == DB_OK && i < answer_rows(answer); i++) {
		struct right_lacked lacked = right_lacked_row(answer, i);

		bytes_str(&cause, cause.len > 0 ? "; " : "");
		if (strcmp(lacked.right, TARGET_OWNER) == 0)
			bytes_format(&cause, "the owner of %s is %s: ", lacked.object, lacked.owner);
		right_remedy(&cause, &lacked);
	}
	answer_free(answer);
	free(asked);
	sql_targets_free(&targets);
	sql_targets_free(&before);
	bytes_free(&login);
	return cause.data;
}

char *
cause_history(struct db *db, const char *schema, enum db_outcome *outcome)
{
	const char *const parameters[] = { schema };
	struct answer *answer = NULL;
	struct bytes cause = { 0 };
	size_t i;

	*outcome = db_query_ours(db, &answer, history_oddities_sql, 1, parameters);
	for (i = 0; *outcome == DB_OK && i < answer_rows(answer); i++)
		bytes_format(&cause, "%s%s", i > 0 ? "; " : "not as Prisma makes it: ", answer_text(answer, i, 0));
	answer_free(answer);
	return cause.data;
}
