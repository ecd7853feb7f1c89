/*
 * What a script needs that a scratch server has not, or must not do: roles, extensions, what leaves the database.
 */
#ifndef MIG_SCRATCH_OBSTACLE_H
#define MIG_SCRATCH_OBSTACLE_H

#include <stdbool.h>
#include <stddef.h>

#include "postgres/connection.h"
#include "records/model.h"
#include "scratch/scratch.h"
#include "sql/sql.h"

struct obstacles {
	struct scratch *scratch;
	char **roles;          /* that were made */
	size_t count, cap;
};
void obstacles_free(struct obstacles *obstacles);

/* What of a script would leave the database, in words, and which statement; NULL: nothing that its words tell. */
const char *obstacle_forbidden(const struct obstacles *obstacles, const char *sql, const struct sql_script *script, size_t *at);

enum obstacle {
	OBSTACLE_NONE,    /* the error stays */
	OBSTACLE_AGAIN,   /* what was lacking is there now: the same again */
	OBSTACLE_AROUND   /* the statement is for obstacle_take(): what is in front of it, then that, then what is behind */
};

/* Looks at an error of statement `at` (script->count: of none). */
enum obstacle obstacle_look(struct obstacles *obstacles, const struct db_error *error, const struct step *step,
    const struct sql_script *script, size_t at);

/*
 * Does with a superuser's rights what the statement wants, if it is one of the few that are done so: an extension is created, a role
 * is made; or says that it is left out.  False: that failed.
 */
bool obstacle_take(struct obstacles *obstacles, const struct step *step, const struct sql_script *script, size_t at);

/* What to do about an error, or NULL; the caller frees it. */
char *obstacle_advice(const struct obstacles *obstacles, const struct db_error *error, const struct step *step,
    const struct sql_script *script, size_t at);

#endif
