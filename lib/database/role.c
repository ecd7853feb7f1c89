#include "database/role.h"

#include <string.h>

#include "base/message.h"
#include "base/mig.h"

/* MEMBER or SET: since PostgreSQL 16 a member may be denied SET ROLE. */
#define CHECK(right)                                                                                                      \
	"SELECT r.oid IS NOT NULL, coalesce(pg_has_role(session_user, r.oid, '" right "'), false), "                      \
	"coalesce(pg_has_role(session_user, r.oid, 'MEMBER'), false), quote_ident(session_user::text), quote_ident($1::text), " \
	"(SELECT min(quote_ident(o.rolname::text) COLLATE \"C\") FROM pg_catalog.pg_roles o WHERE lower(o.rolname::text) = lower($1::text)) " \
	"FROM (SELECT) one LEFT JOIN pg_catalog.pg_roles r ON r.rolname::text = $1::text"
enum { EXISTS, MAY, MEMBER, LOGIN, NAME, NEAREST };
static const char check_member_sql[] = CHECK("MEMBER"), check_set_sql[] = CHECK("SET");

static int
say_missing(const struct answer *a)
{
	(void)message_error(MIG_CONFIG, "the role %s does not exist (--role); nothing was touched", answer_word(a, 0, NAME));
	if (answer_text(a, 0, NEAREST) != NULL)
		message_line("  Did you mean %s? Names of roles are case-sensitive here.", answer_text(a, 0, NEAREST));
	else
		message_line("  CREATE ROLE %s; GRANT %s TO %s;", answer_word(a, 0, NAME), answer_word(a, 0, NAME), answer_word(a, 0, LOGIN));
	return MIG_CONFIG;
}

static int
say_not_granted(const struct answer *a)
{
	bool member = answer_flag(a, 0, MEMBER);

	(void)message_error(MIG_DENIED, "the role %s may not become %s (--role): it is %s; nothing was touched", answer_word(a, 0, LOGIN),
	    answer_word(a, 0, NAME), member ? "a member without the right to SET ROLE" : "not a member");
	message_line("  GRANT %s TO %s%s;", answer_word(a, 0, NAME), answer_word(a, 0, LOGIN), member ? " WITH SET TRUE" : "");
	return MIG_DENIED;
}

int
role_check(struct db *db, const char *role)
{
	struct answer *a = NULL;
	enum db_outcome outcome = db_query_ours(db, &a, db_server_version_num(db) >= 160000 ? check_set_sql : check_member_sql, 1, &role);
	int code = 0;

	if (outcome != DB_OK)
		code = db_say(db, outcome, "check the role of --role");
	else if (!answer_flag(a, 0, EXISTS))
		code = say_missing(a);
	else if (!answer_flag(a, 0, MAY))
		code = say_not_granted(a);
	answer_free(a);
	return code;
}

void
role_sql(struct bytes *out, const char *role)
{
	bytes_str(out, "SET SESSION AUTHORIZATION DEFAULT; SET ROLE ");
	bytes_sql_name(out, role);
}

int
role_take(struct db *db, const char *role)
{
	struct bytes sql = { 0 };
	enum db_outcome outcome;

	role_sql(&sql, role);
	outcome = db_tell(db, sql.data);
	bytes_free(&sql);
	return outcome == DB_OK ? 0 : db_say(db, outcome, "SET ROLE");
}

int
role_leave(struct db *db)
{
	enum db_outcome outcome = db_tell(db, "SET ROLE NONE");

	return outcome == DB_OK ? 0 : db_say(db, outcome, "SET ROLE NONE");
}

int
role_is_in_force(struct db *db, const char *role, bool *in_force)
{
	const char *const parameters[] = { role, db_user(db) };
	struct answer *a = NULL;
	enum db_outcome outcome = db_query(db, &a, "SELECT current_user::pg_catalog.text OPERATOR(pg_catalog.=) $1::pg_catalog.text "
	    "AND session_user::pg_catalog.text OPERATOR(pg_catalog.=) $2::pg_catalog.text", 2, parameters);

	*in_force = outcome == DB_OK && answer_flag(a, 0, 0);
	answer_free(a);
	return outcome == DB_OK ? 0 : db_say(db, outcome, "inspect the session");
}
