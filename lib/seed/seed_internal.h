/*
 * One attempt, shared by the files that make it (seed/seed.h); nobody else includes it.
 */
#ifndef MIG_SEED_SEED_INTERNAL_H
#define MIG_SEED_SEED_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "postgres/connection.h"
#include "seed/file.h"
#include "seed/inputs.h"
#include "seed/origin.h"
#include "seed/seed.h"
#include "seed/table.h"

/* One attempt: where it stands, so that an error can be placed. */
struct seeding {
	struct db *db;
	struct seed_input *input;
	const struct seed_job *job;
	struct seed_tables *tables;
	long long began_ms, lock_timeout_ms;
	bool first;                   /* nothing was said yet */
	const struct seed_file *sql;  /* the file that runs */
	size_t ran;                   /* SQL files that ran, with this one */
	size_t done;                  /* of its statements */
	char sqlstate[6];             /* of the error behind what was said, where that was taken from db; or "" */
	int code;                     /* what was said, or 0 */
	bool again;                   /* somebody else wrote meanwhile: try again */
	bool committing;              /* COMMIT was sent */
};

/* --- seed.c --- */

/* What is about to be said: more is asked meanwhile. */
void seed_note_error(struct seeding *s, const struct db_error *e);
enum db_outcome seed_run_text(struct db *db, struct bytes *sql);
/* What needs no data, and so no time. */
enum db_outcome seed_tell_text(struct db *db, struct bytes *sql);

/* --- sql_files.c --- */

struct origin_run seed_origin_run(const struct seeding *s);
/* SQL as it is.  What it does to the session ends with it. */
enum db_outcome seed_run_sql(struct seeding *s);

/* --- stage.c --- */

/* Temporary tables can be made only before a transaction is READ ONLY, and filled also then. */
enum db_outcome seed_make_stages(struct seeding *s);
enum db_outcome seed_stage_files(struct seeding *s);

/* --- compare.c --- */

/* Compares every file with its table, in one round. */
enum db_outcome seed_compare(struct seeding *s);

/* --- write.c --- */

bool seed_has_work(const struct seed_table *t);
/*
 * Units in their order; where rows are taken out, all is one unit: a row may go whose children go, too, or
 * move to a row that is new.
 */
enum db_outcome seed_write_all(struct seeding *s);
/* A sequence that was moved does not come back: so it is moved last. */
enum db_outcome seed_commit(struct seeding *s);

/* --- cascades.c --- */

/* Tables that are not pruned themselves, and whose rows go or change with the rows that they point at. */
enum db_outcome seed_warn_of_cascades(struct seeding *s);
/* Rows that went may have taken rows with them that the files have: that is said. */
enum db_outcome seed_check_cascades(struct seeding *s);

#endif
