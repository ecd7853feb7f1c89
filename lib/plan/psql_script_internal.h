/*
 * Shared by the files that write a script for psql (plan/psql_script.h); nobody else includes it.
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
	const struct scan *scan;
	const struct planned *planned;
	const char *command;   /* words that make this plan again; NULL: not known */
	const char *schema;
	struct refusal *refusal;
	bool own_role;  /* a script may have changed the role: rows are written as ourselves */
};

/* --- psql_refusals.c --- */

/* Refuses a script: what stands at `at` of its text, and that mig-apply takes it.  Returns MIG_DATA. */
int psql_refuse(const struct psql *p, const struct step *step, size_t at, const char *why);

/* 0, or MIG_DATA. */
int psql_check_script(const struct psql *p, const struct step *step, const struct sql_script *script);

/* --- psql_guards.c --- */

/* A block, quoted by dollars that are not in it: names can hold anything.  Frees the body. */
void psql_write_block(const struct psql *p, struct bytes *body);

/* How psql reads what follows, and the server what it is sent: as the plan has read it. */
void psql_set_readings(const struct psql *p);

/* What row level security would hide from us is an error. */
extern const char psql_show_all_rows[];

void psql_take_lock(const struct psql *p);
void psql_check_target(const struct psql *p);
void psql_check_history(const struct psql *p);
void psql_make_history(const struct psql *p);
/* The session's own search path stays where it leads to the schema already, as it does with mig-apply. */
void psql_enter_schema(const struct psql *p);
void psql_keep_role(const struct psql *p);

/* --- psql_steps.c --- */

int psql_write_apply(struct psql *p, const struct step *step);
void psql_write_mark(struct psql *p, const struct step *step);

#endif
