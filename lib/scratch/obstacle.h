/*
 * Handles what a script needs that a scratch server lacks or must not do: roles, extensions, effects outside the
 * database.
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
	char **roles;          /* the roles that were created */
	size_t count, cap;
};
void obstacles_free(struct obstacles *obstacles);

/*
 * Describes what in a script would affect something outside the database, and in which statement; NULL if its
 * words show nothing.
 */
const char *obstacle_forbidden(const struct obstacles *obstacles, const char *sql, const struct sql_script *script, size_t *at);

enum obstacle {
	OBSTACLE_NONE,    /* cannot be handled: the error stays */
	OBSTACLE_AGAIN,   /* what was missing exists now: run the same again */
	OBSTACLE_AROUND   /* obstacle_take() handles the statement: run what precedes it, call that, then run
	                   * the rest */
};

/* Handles an error of statement `at` (script->count: no statement). */
enum obstacle obstacle_look(struct obstacles *obstacles, const struct db_error *error, const struct step *step,
    const struct sql_script *script, size_t at);

/*
 * Does with superuser rights what the statement wants, if it is one of a few kinds: creates an extension or a
 * role.  Or reports that the statement is skipped.  Returns false on failure.
 */
bool obstacle_take(struct obstacles *obstacles, const struct step *step, const struct sql_script *script, size_t at);

/* A remedy for an error, or NULL; the caller frees it. */
char *obstacle_advice(const struct obstacles *obstacles, const struct db_error *error, const struct step *step,
    const struct sql_script *script, size_t at);

#endif
