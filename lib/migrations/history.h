/*
 * The history table, _prisma_migrations: the text of the statements that read and write it, and the meaning of its
 * rows.  Every statement names the schema, so that a script that changes the search path does not matter.
 *
 * The table definition and the rows match Prisma's
 * (schema-engine/connectors/sql-schema-connector/src/flavour/postgres.rs and sql_migration_persistence.rs), so
 * that Prisma and mig can take turns.
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

/* Prisma's advisory lock: one bigint key per database. */
#define HISTORY_LOCK_KEY "72707369"

/*
 * Reads where the history is.  The schema is the one that the bare table name resolves to, else current_schema();
 * or it is parameter $1.  Returns one row: the schema (NULL if the search path names none that exists); the
 * relkind of the relation with the history's name there, or NULL; schema_empty; whether the schema exists; whether
 * we may write the history, or create it; pg_is_in_recovery(); default_transaction_read_only; of the session that
 * holds the deploy lock: pid, user, application, client address, start time; the backend's pid; whether row level
 * security applies to us, and the table's owner; if there is no such table: the first other schema by name that
 * has a history, and the number of such schemas, else NULL, NULL; then current_user.
 */
extern const char history_look_sql[], history_look_in_sql[];
enum { HISTORY_LOOK_NAME, HISTORY_LOOK_KIND, HISTORY_LOOK_EMPTY, HISTORY_LOOK_SCHEMA, HISTORY_LOOK_MAY_WRITE,
	HISTORY_LOOK_RECOVERY, HISTORY_LOOK_READ_ONLY, HISTORY_LOOK_PID, HISTORY_LOOK_USER, HISTORY_LOOK_APPLICATION, HISTORY_LOOK_CLIENT,
	HISTORY_LOOK_SINCE, HISTORY_LOOK_BACKEND, HISTORY_LOOK_HIDDEN, HISTORY_LOOK_OWNER,
	HISTORY_LOOK_OTHER, HISTORY_LOOK_OTHERS, HISTORY_LOOK_ROLE };

/*
 * The same for the usual case, in less than half the server's time: a new session has empty caches, so that each catalog,
 * function and operator that a statement names costs it 30 to 100 us.  Their operators and functions are qualified: they are
 * not to be enclosed in base/own_sql.h's.  `writes`: also whether we may write or create the history; else NULL.
 *
 * The session, one row: the schema (current_schema() without one); pg_is_in_recovery(); default_transaction_read_only; the
 * backend's pid; current_user; whether the schema exists; an ordinary table in it that is not the history's, or NULL
 * (history_is_no_table() tells which do not count); whether we may create the history there.
 */
void history_session_sql(struct bytes *out, const char *schema, bool writes);
enum { HISTORY_SESSION_SCHEMA, HISTORY_SESSION_RECOVERY, HISTORY_SESSION_READ_ONLY, HISTORY_SESSION_BACKEND, HISTORY_SESSION_ROLE,
	HISTORY_SESSION_EXISTS, HISTORY_SESSION_BESIDE, HISTORY_SESSION_MAY_CREATE };

/*
 * The history's table, one row: true; whether it is in that schema; whether we may write it.  Where there is none: a row for each
 * relation of its name in other schemas, the first column NULL.  An error (22012) where it is not an ordinary table.
 */
void history_find_sql(struct bytes *out, const char *schema, bool writes);
enum { HISTORY_FOUND, HISTORY_FOUND_IN_SCHEMA, HISTORY_FOUND_MAY_WRITE };

/* Pure: whether a table of this name leaves a schema empty by Prisma's count, in upper or lower case. */
bool history_is_no_table(const char *name);

/* The system identifier, which may be denied (42501), and whether anybody holds a deploy lock: also in another database. */
extern const char history_calm_sql[];

/*
 * Fails (22012), so that the rest of its unit is not run, if reading the table could run its owner's code: it is a
 * view, or a column has a type that is not built in.  $1 of the second statement is the schema.
 */
extern const char history_sound_sql[], history_sound_in_sql[];

/*
 * No parameters.  Returns one row about the holder of the deploy lock: pid, user, application, client address,
 * start time, and its age in ms; no row if no session holds the lock.
 */
extern const char history_holder_sql[];

/* Takes the deploy lock if it is free: returns true or false. */
extern const char history_try_lock_sql[];

/*
 * The same if the backend's pid is $1, else false: through a pooler, the next client could get the backend and its
 * lock.
 */
extern const char history_try_lock_in_sql[];

/* Releases the deploy lock. */
extern const char history_unlock_sql[];

/* Whether this session holds the deploy lock. */
extern const char history_lock_held_sql[];

/* Whether the bare table name still resolves to this table, and pg_temp is not first in the search path. */
void history_resolves_sql(struct bytes *out, const char *schema);

/*
 * Parameter $1: id.  Returns one row: whether the history row is finished, its logs, and whether it is rolled back; no row if it
 * does not exist.
 */
void history_row_state_sql(struct bytes *out, const char *schema);
enum { HISTORY_STATE_FINISHED, HISTORY_STATE_LOGS, HISTORY_STATE_ROLLED_BACK };

/* The system identifier of the cluster; may be denied (42501). */
extern const char history_system_sql[];

/*
 * Parameter $1: schema.  Lists what may keep a row from being written, one text per row: differences from Prisma's
 * table, missing rights.
 */
extern const char history_oddities_sql[];

/*
 * Parameter $1: schema.  The table's deferrable constraints and constraint triggers, in the syntax of SET
 * CONSTRAINTS; NULL: none.
 */
extern const char history_deferrable_sql[];

/*
 * The rows, unsorted: in a new session, planning the sort would take longer than the sort.  Times are in UTC with
 * microseconds.  Fails (22012) if a column has a type that is not built in, before a value is read.  schema NULL: the table that the bare name resolves to.
 */
void history_rows_sql(struct bytes *out, const char *schema);
enum { HISTORY_ROW_NAME, HISTORY_ROW_ID, HISTORY_ROW_CHECKSUM, HISTORY_ROW_STARTED,
	HISTORY_ROW_FINISHED, HISTORY_ROW_ROLLED_BACK, HISTORY_ROW_STEPS, HISTORY_ROW_LOGS };

/* Prisma's CREATE TABLE, preceded by CREATE SCHEMA if with_schema. */
void history_create_sql(struct bytes *out, const char *schema, bool with_schema);

/* The id of a new row: a lower-case UUID, version 4. */
#define HISTORY_ID 37
void history_new_id(char id[HISTORY_ID]);
void history_format_id(unsigned char bytes[16], char id[HISTORY_ID]);  /* from given random bytes, which it
                                                                        * modifies */

/* In front of statements of the same transaction that are run as the login. */
#define HISTORY_AS_LOGIN "SET LOCAL SESSION AUTHORIZATION DEFAULT;\nSET LOCAL ROLE NONE;\n"

/* The progress of a migration, for its row. */
enum history_progress {
	HISTORY_GOES_ON,
	HISTORY_BEGINS_ALONE, /* the next statement is non-transactional and starts now */
	HISTORY_FINISHED      /* one step, no logs, finished_at clock_timestamp(): like Prisma */
};
struct history_entry {
	const char *id;
	const char *migration;
	const char *checksum;
	enum history_progress progress;
	size_t done;            /* statements that are done */
	size_t count;           /* statements in the script */
	size_t behind;          /* where the done ones end: byte offset in `text` */
	const char *text;
	const char *why;        /* why the migration stops here, or NULL */
	const char *names;      /* settings that the script itself names (session_names_sql()).  If the session
	                         * has any other setting when the row is written, the journal notes it.  NULL:
	                         * no such check */
	const char *role_sql;   /* the role at the start as SQL string ('': unknown): a different one is noted
	                         * likewise; or NULL */
	bool makes_temporary;   /* the script itself makes temporary tables; otherwise one is noted likewise */
	bool exists;            /* the row exists: UPDATE, else INSERT with started_at now() */
	bool reverts;           /* it is the row of an applied migration, which the script takes back: unfinished on the way, and
	                         * in the end rolled back and otherwise as it was */
	const char *behind_id;  /* it fails (22012) unless the row with this id exists and is finished; reverts: and is rolled back;
	                         * or NULL */
	bool own_role;          /* a script, or --role, may have changed the role: write the row as the login role */
	bool all_rows;          /* a script may have enabled row level security, which would hide the row or
	                         * part of the table */
	bool in_psql;           /* its SELECTs must print nothing */
	bool alone;             /* the statement is not part of an open transaction */
};

/*
 * Updates a migration's row, including its journal.  Returns the number of statements appended; the last has no
 * semicolon.
 */
size_t history_entry_sql(struct bytes *out, const char *schema, const struct history_entry *entry);

/* Deletes the row of a migration of which nothing was run. */
void history_delete_sql(struct bytes *out, const char *schema, const char *id);

/* Makes the row of a migration again what it was before its down.sql, of which nothing was run. */
void history_restore_sql(struct bytes *out, const char *schema, const char *id);

/*
 * Write what `prisma migrate resolve` writes: --applied sets rolled_back_at in every unfinished row of the name
 * and inserts a finished row; --rolled-back only sets rolled_back_at.
 */
void history_mark_applied_sql(struct bytes *out, const char *schema, const char *id,
    const char *migration, const char *checksum);
void history_mark_rolled_back_sql(struct bytes *out, const char *schema, const char *migration);

/* A row counts unless it was rolled back; it is unfinished if it counts and is not finished. */
bool history_row_counts(const struct history_row *row);
bool history_row_unfinished(const struct history_row *row);

/*
 * Rows by name, so that thousands of migrations are found quickly.  Points into the rows, which must outlive it.
 */
struct history_index {
	const struct history_row **rows;
	size_t count;
};
struct history_index history_index(const struct history_row *rows, size_t count);
void history_index_free(struct history_index *index);

/*
 * The row that decides about a migration: the latest that counts, unfinished ones before finished ones.  NULL:
 * there is none, so the migration is pending.  *runs (may be NULL): the number of rows of that name.
 */
const struct history_row *history_find(const struct history_index *index, const char *migration,
    size_t *runs);

/*
 * The digest of the settled rows (finished or rolled back), without those for which `leave_out` (NULL: none)
 * returns true.  Excludes unfinished rows, because a run in progress changes them.
 */
void history_digest(const struct history_row *rows, size_t count,
    bool (*leave_out)(const struct history_row *row, const void *context), const void *context,
    char hex[RECORD_DIGEST_HEX]);

/* SHA-256 over a line for each row, in the order of ids, in hex: what a server can compute as well, in SQL. */
#define HISTORY_SHA256 65
void history_sha256(const struct history_row *rows, size_t count, char hex[HISTORY_SHA256]);

#endif
