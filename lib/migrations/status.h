/*
 * Computes the state of each migration from folder and history.  Compares sets of names, never a high-water mark.
 * The rules are those of `prisma migrate deploy` (schema-engine/commands/src/commands/apply_migrations.rs).
 *
 * Pure: no file, no socket, no clock.
 */
#ifndef MIG_MIGRATIONS_STATUS_H
#define MIG_MIGRATIONS_STATUS_H

#include <stdbool.h>
#include <stddef.h>

#include "migrations/history.h"
#include "records/model.h"

enum state {
	STATE_APPLIED,
	STATE_EDITED,   /* applied, and the file differs from the applied one in more than line ends */
	STATE_MISSING,  /* applied, but not in the folder */
	STATE_FAILED,   /* a row is neither finished nor rolled back: blocks every deploy */
	STATE_RUNNING,  /* the same, while a session holds the deploy lock */
	STATE_PENDING,
	STATE_LATE,     /* pending, and sorts before an applied one */
	STATE_COUNT
};
const char *state_word(enum state state);

struct migration_status {
	enum state state;
	const char *migration;
	const struct migration *script;  /* NULL: not in the folder */
	const struct history_row *row;   /* the deciding row, or NULL */
	size_t runs;                     /* number of its rows */
	size_t undone;                   /* of these: rolled back */
};

struct status {
	struct migration_status *list;      /* in Prisma's order; missing migrations are in their place */
	size_t count;
	size_t of[STATE_COUNT];
	size_t rolled_back;              /* rows, not migrations */
	size_t unfinished;               /* rows */
	const char *last_applied;        /* the last applied one in that order, or NULL */
};

/*
 * Checks one script while its text is in memory: sets migration->edited.  Call it for each script that was read,
 * from a folder or a stream, before status_make().
 */
void status_look_at(const struct history_index *index, struct migration *migration);

/* The status points into scan and index, which must outlive it. */
struct status status_make(const struct scan *scan, const struct history_index *index);
void status_free(struct status *status);

#endif
