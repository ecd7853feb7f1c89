/*
 * The history table, _prisma_migrations: the statements that read and write it, as text, and what its rows
 * mean together.  Every statement names the schema, so that a script that moves the search path
 * does not lose it.
 *
 * Definition and row shapes are Prisma's (schema-engine/connectors/sql-schema-connector/src/flavour/
 * postgres.rs and sql_migration_persistence.rs), so that it goes on after us, and we after it.
 *
 * Pure: makes text, sends nothing.
 */
#ifndef MIG_MIGRATIONS_HISTORY_H
#define MIG_MIGRATIONS_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "records/model.h"
#include "records/record.h"

#define HISTORY_TABLE "_prisma_migrations"

/* Prisma's advisory lock: one bigint key in each database. */
#define HISTORY_LOCK_KEY "72707369"

/*
 * Where the table's bare name leads, or where that leads nowhere, current_schema(); or the schema that is the parameter $1.
 * One row: that schema (NULL where the search path names none that exists); the relkind of what has the
 * history's name there, or NULL; schema_empty; whether the schema exists; whether we may write the history, or make
 * it; pg_is_in_recovery(); default_transaction_read_only; then of the session that holds the deploy lock: pid, user, application, client
 * address, since when; then the process that answers; whether row level security applies to us, and the table's owner;
 * where there is no such table: the first other schema by name that has a history, and how many have; NULL, NULL: none; then
 * current_user.
 */
extern const char history_look_sql[], history_look_in_sql[];
enum { HISTORY_LOOK_NAME, HISTORY_LOOK_KIND, HISTORY_LOOK_EMPTY, HISTORY_LOOK_SCHEMA, HISTORY_LOOK_MAY_WRITE,
	HISTORY_LOOK_RECOVERY, HISTORY_LOOK_READ_ONLY, HISTORY_LOOK_PID, HISTORY_LOOK_USER, HISTORY_LOOK_APPLICATION, HISTORY_LOOK_CLIENT,
	HISTORY_LOOK_SINCE, HISTORY_LOOK_BACKEND, HISTORY_LOOK_HIDDEN, HISTORY_LOOK_OWNER,
	HISTORY_LOOK_OTHER, HISTORY_LOOK_OTHERS, HISTORY_LOOK_ROLE };

/*
 * Fails (22012), so that what follows in its unit is not run, where to read the table could run its owner's code: it is a
 * view, or a column has a type that is not PostgreSQL's.  $1 of the second is the schema.
 */
extern const char history_sound_sql[], history_sound_in_sql[];

/* No parameters: pid, user, application, client address, since, and its age in ms, of the holder of
 * the deploy lock; no row where nobody holds it. */
extern const char history_holder_sql[];

/* Takes the deploy lock if it is free: true or false. */
extern const char history_try_lock_sql[];

/* The same where the process that answers is $1, else false: through a pooler, it might be anybody's next. */
extern const char history_try_lock_in_sql[];

/* Gives it back. */
extern const char history_unlock_sql[];

/* Whether our session holds the deploy lock. */
extern const char history_lock_held_sql[];

/* Whether the table's bare name still means this table. */
void history_resolves_sql(struct bytes *out, const char *schema);

/* Parameter $1: id.  One row with whether it is finished, and its logs; or none. */
void history_row_state_sql(struct bytes *out, const char *schema);

/* The identity of the cluster; may be denied (42501). */
extern const char history_system_sql[];

/* Parameter $1: schema.  What of the table may keep a row from being written, one a row, in words: it differs from Prisma's, or rights
 * are missing. */
extern const char history_oddities_sql[];

/* Parameter $1: schema.  The table's deferrable constraints and constraint triggers as SET CONSTRAINTS takes them; NULL: none. */
extern const char history_deferrable_sql[];

/* The rows, in no order: a new session would look up for longer how to sort than it sorts.  Times in UTC with
 * microseconds.  schema NULL: of the table that the bare name leads to. */
void history_rows_sql(struct bytes *out, const char *schema);
enum { HISTORY_ROW_NAME, HISTORY_ROW_ID, HISTORY_ROW_CHECKSUM, HISTORY_ROW_STARTED,
	HISTORY_ROW_FINISHED, HISTORY_ROW_ROLLED_BACK, HISTORY_ROW_STEPS, HISTORY_ROW_LOGS };

/* CREATE TABLE as Prisma has it; and CREATE SCHEMA before it where that is wanted. */
void history_create_sql(struct bytes *out, const char *schema, bool with_schema);

/* A new row's id: a lower-case UUID of version 4. */
#define HISTORY_ID 37
void history_new_id(char id[HISTORY_ID]);
void history_format_id(unsigned char bytes[16], char id[HISTORY_ID]);  /* of given randomness, which it changes */

/* How far a migration is, for its row. */
enum history_progress {
	HISTORY_GOES_ON,
	HISTORY_BEGINS_ALONE, /* the next statement stands alone, and begins now */
	HISTORY_FINISHED      /* one step, no logs, finished_at clock_timestamp(): as Prisma has it */
};
struct history_entry {
	const char *id;
	const char *migration;
	const char *checksum;
	enum history_progress progress;
	size_t done;            /* statements that lie behind, */
	size_t count;           /* of so many, */
	size_t behind;          /* and where in the text they end: bytes of `text` */
	const char *text;
	const char *why;        /* why it stops there, or NULL */
	const char *names;      /* settings that the script itself names (session_names_sql()): any other that the session
	                         * has when the row is written is noted in the journal; or NULL: nothing of this is looked at */
	const char *role_sql;   /* the role at the start, as SQL ('': not known): another one is noted likewise; or NULL */
	bool makes_temporary;   /* the script itself makes temporary tables: else one is noted likewise */
	bool exists;            /* the row is there: UPDATE, else INSERT, with started_at now() */
	const char *behind_id;  /* INSERT fails (22012) unless the row with this id is there and finished; or NULL */
	bool own_role;          /* a script may have changed the role: written as the user who connected */
	bool all_rows;          /* a script may have switched row level security on: it would hide the row, or half of the table */
	bool in_psql;           /* whatever it asks for prints nothing */
	bool alone;             /* the statement is no part of an open transaction */
};

/* Brings a migration's row up to date, its journal with it.  Returns how many statements it takes; no semicolon behind. */
size_t history_entry_sql(struct bytes *out, const char *schema, const struct history_entry *entry);

/* Takes a row back of which nothing has happened. */
void history_delete_sql(struct bytes *out, const char *schema, const char *id);

/* What `prisma migrate resolve` writes: --applied gives every unfinished row of the name rolled_back_at and
 * inserts a finished row; --rolled-back only the former. */
void history_mark_applied_sql(struct bytes *out, const char *schema, const char *id,
    const char *migration, const char *checksum);
void history_mark_rolled_back_sql(struct bytes *out, const char *schema, const char *migration);

/* A row counts as long as it was not rolled back; it is unfinished while it is neither finished nor that. */
bool history_row_counts(const struct history_row *row);
bool history_row_unfinished(const struct history_row *row);

/* Rows by name, so that thousands of migrations are found quickly.  Points into the rows. */
struct history_index {
	const struct history_row **rows;
	size_t count;
};
struct history_index history_index(const struct history_row *rows, size_t count);
void history_index_free(struct history_index *index);

/* The row that decides about a migration: the latest that counts, unfinished ones before finished ones;
 * NULL: none, so it is to be applied.  *runs (may be NULL): how many rows of the name there are. */
const struct history_row *history_find(const struct history_index *index, const char *migration,
    size_t *runs);

/*
 * The digest of the settled rows (finished or rolled back), those left out for which `leave_out` is true
 * (NULL: none).  Unfinished rows are not part of it: a run that is going on changes them.
 */
void history_digest(const struct history_row *rows, size_t count,
    bool (*leave_out)(const struct history_row *row, const void *context), const void *context,
    char hex[RECORD_DIGEST_HEX]);

#endif
