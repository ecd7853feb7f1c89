/*
 * Shared by the files that write a script for psql (plan/psql_script.h); private to them.
 */
#ifndef MIG_PLAN_PSQL_SCRIPT_INTERNAL_H
#define MIG_PLAN_PSQL_SCRIPT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "migrations/folder.h"
#include "plan/plan.h"
#include "plan/psql_script.h"
#include "records/model.h"
#include "sql/sql.h"

struct psql {
	struct bytes *out;
	const struct planned *planned;
	const char *command;   /* the command that makes this plan again; NULL: unknown */
	const char *schema;
	struct refusal *refusal;
	bool own_role;  /* a script may have changed the role: write rows as the login role */
};

/* --- psql_refusals.c --- */

/* Refuses a script: names what is at offset `at` of its text, and recommends mig-apply.  Returns MIG_DATA. */
int psql_refuse(const struct psql *p, const struct step *step, size_t at, const char *why);

/* Returns 0, or MIG_DATA with the refusal filled. */
int psql_check_script(const struct psql *p, const struct step *step, const struct sql_script *script);

/* --- psql_guards.c --- */

/*
 * Writes a DO block, with a dollar quote that does not occur in the body: names can contain anything.  Frees the
 * body.
 */
void psql_write_block(const struct psql *p, struct bytes *body);

/* Sets how psql and the server read what follows, so that both read it like the plan did. */
void psql_set_readings(const struct psql *p);

/* Makes row level security an error instead of hiding rows. */
extern const char psql_show_all_rows[];

void psql_take_lock(const struct psql *p);
void psql_check_target(const struct psql *p);
void psql_check_history(const struct psql *p);
void psql_make_history(const struct psql *p);
/* Keeps the session's own search path if it already leads to the schema, like mig-apply. */
void psql_enter_schema(const struct psql *p);
void psql_keep_role(const struct psql *p);

/* --- psql_steps.c --- */

int psql_write_apply(struct psql *p, const struct step *step);
void psql_write_mark(struct psql *p, const struct step *step);

#endif
