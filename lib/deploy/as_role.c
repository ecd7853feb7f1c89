/* --role: the role in whose name the steps run, and who then writes the history. */
#include "deploy/deploy_internal.h"

#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "database/rights.h"
#include "database/role.h"
#include "deploy/preflight.h"

int
deploy_say_rights(struct run_state *s)
{
	struct answer *a;
	enum db_outcome outcome = rights_of_history(s->db, s->inspection.database.schema, true, &a);
	size_t i;
	int code = 0;

	if (outcome != DB_OK)
		return db_say(s->db, outcome, "check the rights of the role");
	for (i = 0; i < answer_rows(a); i++) {
		struct bytes grant = { 0 };

		right_grant(&grant, a, i);
		code = message_error(MIG_DENIED, "the role %s lacks a right: %s", answer_text(a, i, 1), right_of_history(a, i));
		message_line("  %s    (nothing was touched)", grant.data);
		bytes_free(&grant);
	}
	answer_free(a);
	return code;
}

/* Without USAGE on its schema no name of a script resolves, whoever writes the history. */
static bool
lacks_usage(const struct answer *a)
{
	return answer_rows(a) > 0 && strncmp(right_of_history(a, 0), "USAGE", 5) == 0;
}

/*
 * The role writes the history if it may, so that it owns a new one; else the login, as without --role.  A schema that is to be made
 * must be the role's, which has to use it.
 */
static int
find_writer(struct run_state *s)
{
	struct answer *a;
	enum db_outcome outcome = rights_of_history(s->db, s->inspection.database.schema, true, &a);
	bool all, usage;

	if (outcome != DB_OK)
		return db_say(s->db, outcome, "check the rights of the role");
	all = answer_rows(a) == 0;
	usage = !lacks_usage(a);
	answer_free(a);
	s->login_writes = !all && usage && s->inspection.may_write && s->inspection.has_schema;
	if (!all && !s->login_writes)
		return deploy_say_rights(s);
	if (s->login_writes)
		message_verbose("the role %s may not write the history: its rows are written as %s", s->deploy->role,
		    s->inspection.database.user);
	return 0;
}

/* "$user" in a search path is the role in force: the scripts could make their objects where the history is not. */
static int
check_path(struct run_state *s)
{
	struct answer *a = NULL;
	enum db_outcome outcome;
	const char *first;
	int code = 0;

	if (s->source.target.schema != NULL)
		return 0;
	outcome = db_query(s->db, &a, "SELECT pg_catalog.current_schema()", 0, NULL);
	first = answer_text(a, 0, 0);
	if (outcome != DB_OK) {
		code = db_say(s->db, outcome, "inspect the session");
	} else if (first == NULL || strcmp(first, s->inspection.database.schema) != 0) {
		code = message_error(MIG_CONFIG, "the search path of the role %s begins with %s, that of the login %s with %s; nothing was touched",
		    s->deploy->role, first != NULL ? first : "no schema", s->inspection.database.user, s->inspection.database.schema);
		message_line("  To name the schema for both, add schema=%s to the parameters of the connection string.",
		    s->inspection.database.schema);
	}
	answer_free(a);
	return code;
}

int
deploy_become_role(struct run_state *s)
{
	const struct preflight asked = { .folder = s->plan->folder,
		.login = s->inspection.database.user,
		.quiet = !s->deploy->dry_run };
	int code;

	if (s->deploy->role == NULL)
		return 0;
	code = role_check(s->db, s->deploy->role);
	if (code == 0)
		code = role_take(s->db, s->deploy->role);
	if (code == 0)
		code = find_writer(s);
	if (code == 0)
		code = check_path(s);
	if (code == 0)
		code = preflight_rights(s->db, &asked, s->steps, s->plan->step_count);
	return code;
}
