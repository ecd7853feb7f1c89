/*
 * One attempt, shared by the files that implement it (seed/seed.h); private to them.
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

/* The position of an attempt, to locate an error. */
struct seeding {
	struct db *db;
	struct seed_input *input;
	const struct seed_job *job;
	struct seed_tables *tables;
	long long began_ms, lock_timeout_ms;
	bool first;                   /* nothing was reported yet */
	const struct seed_file *sql;  /* the file that is running */
	size_t ran;                   /* number of SQL files run, including this one */
	size_t done;                  /* of its statements */
	char sqlstate[6];             /* of the reported error, if it was taken from db; or "" */
	int code;                     /* exit code of the reported error, or 0 */
	bool again;                   /* another session wrote the same rows: retry */
	bool committing;              /* COMMIT was sent */
	struct answer *sequences;     /* for a full dry run: where they were */
};

/* --- seed.c --- */

/* Records an error before further queries replace it. */
void seed_note_error(struct seeding *s, const struct db_error *e);
enum db_outcome seed_run_text(struct db *db, struct bytes *sql);
/* Runs short statements that need no table data, limited like db_query(); frees sql. */
enum db_outcome seed_tell_text(struct db *db, struct bytes *sql);

/* --- sql_files.c --- */

struct origin_run seed_origin_run(const struct seeding *s);
/* Runs the SQL files as they are.  Their changes to the session are reset at the end. */
enum db_outcome seed_run_sql(struct seeding *s);

/* --- stage.c --- */

/* Temporary tables must be created before a transaction becomes READ ONLY; they can be filled afterwards. */
enum db_outcome seed_make_stages(struct seeding *s);
enum db_outcome seed_stage_files(struct seeding *s);

/* --- stage_secrets.c --- */

/* The values of secret columns of a file, which is staged. */
enum db_outcome seed_stage_secrets(struct seeding *s, const struct seed_table *t);
/* Refuses env:NAME or file:PATH in a column that is hidden, but not secret. */
enum db_outcome seed_check_sources(struct seeding *s, const struct seed_table *t);

/* --- stage_derived.c --- */

/* Makes values of Prisma's client for the rows of a file, which are staged. */
enum db_outcome seed_make_values(struct seeding *s, const struct seed_table *t);
/* Stages rows with all that is made or referenced, for every file that needs it. */
enum db_outcome seed_derive(struct seeding *s);

/* --- compare.c --- */

/* Compares every file with its table, in one round trip. */
enum db_outcome seed_compare(struct seeding *s);

/* --- take_back.c --- */

/* What no rollback undoes, before a full dry run: call it once a transaction has begun. */
enum db_outcome seed_note_sequences(struct seeding *s);
/* Rolls a full dry run back, and warns of sequences that it moved. */
enum db_outcome seed_take_back(struct seeding *s);

/* --- write.c --- */

bool seed_has_work(const struct seed_table *t);
/*
 * Writes the units in order.  If rows are deleted, everything is one unit: a row may be deleted together with its
 * children, or while they move to a new row.
 */
enum db_outcome seed_write_all(struct seeding *s);
/* Commits.  Moves sequences last, because a rollback does not undo that. */
enum db_outcome seed_commit(struct seeding *s);

/* --- cascades.c --- */

/*
 * Warns about tables that are not pruned themselves but whose rows are deleted or changed with the rows they
 * reference.
 */
enum db_outcome seed_warn_of_cascades(struct seeding *s);
/* Reports rows of the files that a cascade has deleted. */
enum db_outcome seed_check_cascades(struct seeding *s);

#endif
