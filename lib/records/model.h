/*
 * The meaning of records: a struct for each, and whole streams in memory.  mig-records(5) describes the keys for
 * users; the tables in records/model.c define them.
 *
 * The structs do not own their texts: these point into the record they were read from, or into memory of the code
 * that fills the struct.  NULL (texts) and NUMBER_UNKNOWN (numbers) stand for null.  Pure: reads no file and no
 * clock; input goes through records/record.h.
 */
#ifndef MIG_RECORDS_MODEL_H
#define MIG_RECORDS_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/page.h"
#include "records/record.h"
#include "records/words.h"

/* The database that was scanned. */
struct database {
	const char *system_identifier;   /* NULL: the role may not read it */
	const char *database;
	const char *schema;              /* of the history table, existing or not */
	const char *host;                /* NULL: libpq's default socket */
	long long port;
	const char *user;
	const char *server_version;
	long long server_version_num;
	bool in_recovery;
	const char *tls;                 /* NULL: none */
	bool has_history;
	bool schema_empty;               /* no ordinary table in it, by Prisma's count (P3005) */
	const char *other_history_schema; /* first schema by name that has a history, if `schema` has none; or NULL */
	long long other_history_count;   /* number of such schemas; null if there is none */
	/* the session that holds the deploy lock; deployer_pid is null if there is none */
	long long deployer_pid;
	const char *deployer_user;
	const char *deployer_application;
	const char *deployer_client;     /* address; NULL: a local socket, or not visible */
	const char *deployer_since;
	const char *time_zone;           /* of a session there; NULL: not known */
};

/* The session that holds the deploy lock, if deployer_pid is known. */
struct page_session database_deployer(const struct database *database);

/* A row of _prisma_migrations. */
struct history_row {
	const char *migration;
	const char *id;
	const char *checksum;
	const char *started_at;
	const char *finished_at;
	const char *rolled_back_at;
	long long applied_steps_count;
	const char *logs;
};

/* A folder in the migrations directory. */
struct migration {
	const char *migration;
	const char *path;                /* relative to the directory: "NAME/migration.sql" */
	const char *checksum;
	long long size_bytes;
	enum flaw flaw;
	const char *sql;                 /* the script as Prisma would send it; NULL if there is none */
	const char *down_checksum;       /* of the down.sql beside it; NULL: there is none */
	const char *down_sql;            /* what undoes it; NULL as well where no server would accept the text */
	/*
	 * Not in records, set by status_look_at(): the script differs from the applied one; only in whitespace.
	 */
	bool edited;
	bool edited_blanks;
	struct record *record;           /* owns the texts of a struct that was read; else NULL */
};

/* What the pending migrations were tried out on: a scratch database in which the applied ones had run. */
struct rehearsal {
	const char *server_version;
	long long server_version_num;
	const char *time_zone;
	long long replayed;              /* applied migrations that were run before */
	long long pending;               /* those to be tried out, */
	long long rehearsed;             /* and how many of them ran to their ends */
	const char *base_digest;         /* of the names and checksums of what was replayed, hex */
	const char *not_replayed;        /* list: applied ones of which there is no script */
	const char *only_database;       /* list: relations of the database that the replay did not make; NULL: not known */
	const char *only_replay;         /* list: and the other way round */
	long long statements;            /* that production runs, and that parsed before the pending ones; null: not tried */
	long long untried;               /* and those that did not, so that nothing is known of them */
};

/* What a statement of a pending migration did to a relation that had been there before the migration. */
struct effect {
	const char *migration;
	long long statement;             /* from 1 */
	long long line;
	enum effect_kind effect;
	const char *schema;              /* and relation: as they were called before the migration; of error and refuse NULL */
	const char *relation;
	enum lock_mode mode;
	const char *detail;
	long long column;                /* of an error, which is at `line`; else null */
	const char *made_by;             /* the pending migration before this one that made it; NULL: it was there */
	long long calls;                 /* of a statement that is refused, */
	long long counted_ms;            /* over how long; else null */
};

/*
 * What one of its two scripts takes away, by measure: a table with its rows, a column with its values, or a type that not every
 * value of a column fits.  What migration.sql takes away no down.sql gives back; what down.sql takes away is there since
 * the migration.
 */
struct loss {
	const char *migration;
	enum loss_by by;
	const char *schema;
	const char *relation;
	const char *column;              /* NULL: the rows of the relation */
	const char *type;                /* of a column that stays: its new type; else NULL */
	const char *probe;               /* of down: an expression in SQL that is true where something would be lost; else NULL */
};

/* A draft of a down.sql, made of the schema before and after, and tried out like one: up, down, up. */
struct draft {
	const char *migration;
	const char *detail;              /* "verified", or why there is none */
	const char *sql;                 /* its text, with comments on top; NULL where it does not take the migration back */
	const char *not_back;            /* list: what it does not bring back, in words */
	const char *gone;                /* list: what it takes away of what was written since */
};

/* Whether the database has the schema that the first migrations of the folder make: the proof for adopting it there. */
struct prefix {
	const char *migration;           /* the last of them */
	bool equal;
	long long difference_count;
	const char *differences;         /* list: the first of them */
};

/* How large and how busy a relation is in production. */
struct load {
	const char *schema;
	const char *relation;
	long long rows;                  /* as the server estimates them; null: never analyzed */
	long long main_bytes, toast_bytes, index_bytes;
	long long reads_per_s;           /* scans of it and of its indexes; null: not known */
	long long writes_per_s;          /* rows */
	long long counted_ms;            /* over which time */
	long long frozen_age;            /* transactions since its oldest row that is not frozen; null: it has none of its own */
};

/* The database that was asked for loads, as a whole. */
struct live {
	bool sees_all;                   /* the role sees all of others' sessions: pg_read_all_stats */
	long long frozen_age;            /* transactions since the oldest row that is not frozen, */
	long long freeze_max_age;        /* from which on autovacuum gives way to nobody */
	const char *extensions;          /* list: "citext 1.6" */
};

/* What goes on there that statements wait for, or that they disturb. */
struct activity {
	enum activity_kind activity;
	long long pid;                   /* null: a prepared transaction */
	const char *application;
	const char *user;
	const char *client;              /* address; NULL: local, or not visible */
	const char *state;               /* NULL: not visible, as the age */
	long long age_ms;                /* of its transaction */
	const char *command;             /* the first word of its statement */
	const char *gid;                 /* name of a prepared transaction */
	const char *schema;              /* a relation that an effect names and that it has a lock on; or NULL */
	const char *relation;
	enum lock_mode mode;             /* the strongest */
	bool waiting;                    /* it does not have that lock yet; who comes later waits behind it */
	bool wraparound;                 /* an autovacuum that gives way to nobody */
	long long lag_ms, lag_bytes;     /* of a standby */
};

/* A table that a publication publishes; or the table that it is a partition of, or a partition of it. */
struct published {
	const char *schema;
	const char *relation;
	const char *publication;
	bool changes;                    /* its UPDATEs or DELETEs, too */
	enum replica_identity identity;
	const char *identity_index;      /* of IDENTITY_KEY; else NULL */
	const char *columns;             /* list: those that are published; NULL: all, also new ones */
};

/* A publication that publishes new tables, too. */
struct publication {
	const char *publication;
	bool all_tables;
	const char *schemas;             /* list: whose tables it publishes, where it does not those of all */
	bool changes;                    /* UPDATEs or DELETEs, too */
};

/* A replication slot: whose reader has not read everything yet, so that WAL is kept for it. */
struct slot {
	const char *slot;
	const char *database;            /* NULL: a physical one */
	bool active;                     /* a reader is connected */
	const char *status;              /* pg_replication_slots.wal_status; or NULL */
	long long retained_bytes;        /* of WAL; null: not known */
	long long max_wal_bytes;         /* max_wal_size: above it WAL is kept for slots only */
};

/* What slots keep is too much: more than max_wal_size, or it is lost already. */
bool slot_is_behind(const struct slot *slot);

/* As pages and messages describe it. */
struct page_session activity_session(const struct activity *activity);

/* Appends that, and what it holds: "pid 20117, pg_dump, shop for 14 min, holds AuditEntry (AccessShare)";
 * or "waits for AuditEntry (AccessExclusive)". */
void activity_line(struct bytes *out, const struct activity *activity);

struct rehearsal_records {
	bool known;                      /* there was a rehearsal */
	struct rehearsal head;
	bool live_known;
	struct live live;
	struct activity *activities;
	size_t activity_count;
	struct publication *publications;
	size_t publication_count;
	struct published *published;     /* those that effects name, and those without a replica identity */
	size_t published_count;
	struct slot *slots;
	size_t slot_count;
	struct load *loads;
	size_t load_count;
	struct effect *effects;          /* by migration, statement */
	size_t count;
	struct loss *losses;             /* by migration */
	size_t loss_count;
	struct draft *drafts;            /* by migration */
	size_t draft_count;
	struct prefix *prefixes;         /* those that were compared with the database: all equal ones, else the nearest */
	size_t prefix_count;
};

struct scan {
	bool has_database;
	struct database database;
	struct history_row *history;     /* by started_at, id */
	size_t history_count;
	struct migration *migrations;    /* in Prisma's order */
	size_t migration_count;
	struct rehearsal_records rehearsed;
	const char *command;             /* the command that makes this scan again (base/shell_quote.h); NULL:
	                                  * unknown */
	const char *folder;              /* the migrations folder as given; NULL: unknown */
	struct record **records;         /* own the texts of database, history, rehearsal and effects */
	size_t record_count;
};

/* The head of a plan: its target and the state it starts from.  All null for a plan made without a database. */
struct plan {
	const char *system_identifier;
	const char *database;
	const char *schema;
	const char *host;
	long long port;
	const char *history_digest;      /* of the settled rows (finished or rolled back): history_digest() */
	const char *history_sha256;      /* of all rows: history_sha256(); NULL: there is no history, or an older release's */
	long long history_rows;
	const char *last_applied;
	const char *steps_digest;        /* steps_digest(), for users; NULL: an older release's plan */
	enum phase phase;                /* that it was made for, with --phase */
	const char *left;                /* list: migrations that wait for the contract phase; NULL without --phase */
};

struct finding {
	const char *rule;
	enum severity severity;
	const char *migration;
	long long line;
	long long column;
	const char *message;
	const char *remedy;
};

struct step {
	long long step;
	enum step_action action;
	const char *migration;
	const char *checksum;
	enum step_transaction transaction;
	long long statement_count;
	long long size_bytes;
	const char *row_id;              /* the interrupted row that it resumes, or the one that it takes back; null: a new row */
	long long resume_at;             /* the statement to resume at, from 1; null: it starts with the first */
	bool resume_begun;               /* that statement had started: check what it left before running it again */
	bool resume_told;                /* the user chose the statement (--resume), not the journal */
	const char *begun_sql;           /* for marks: the non-transactional statement that was interrupted,
	                                  * preceded by its session's settings */
	const char *guard_sql;           /* of a revert: runs before its script, in the same transaction, and fails where rows
	                                  * would be lost; or null */
	const char *sql;
	struct record *record;           /* owns the texts of a struct that was read; else NULL */
};

/* The SQLSTATE of a guard that found rows which would be lost. */
#define STEP_WOULD_LOSE "MG001"

/* Whether a step goes on where an earlier run was interrupted. */
bool step_resumes(const struct step *step);

/* The name of the file that its SQL is from. */
const char *step_file(const struct step *step);

/*
 * The digest of steps alone, of their records as they are written: the same in every database that would get the same.
 * The row that a step resumes or takes back has another id in each database, so that it counts as none.
 */
void steps_digest(const struct step *steps, size_t count, char hex[RECORD_DIGEST_HEX]);

struct plan_stream {
	struct plan plan;
	struct rehearsal_records rehearsed;
	struct finding *findings;
	size_t finding_count;
	struct step *steps;
	size_t step_count;
	const char *digest;              /* of the stream, hex */
	char older_steps[RECORD_DIGEST_HEX]; /* plan.steps_digest, where an older release wrote none */
	const char *folder;              /* the migrations folder as given to the scan; NULL: unknown */
	struct record **records;
	size_t record_count;
};

struct run {
	const char *plan_digest;
	const char *system_identifier;
	const char *database;
	const char *schema;
	const char *host;
	long long port;
	const char *user;
	const char *role;                /* --role; NULL: none */
	bool dry_run;
	const char *started_at;
	const char *steps_digest;        /* the plan's; NULL: an older release's */
	/* the state before the first step, to which a backup can be restored; NULL where nothing was done, or it is not known */
	const char *server_time;
	const char *lsn;
	long long timeline;
	const char *restore_point;       /* its name; NULL: the role may not create one */
	const char *deployer;            /* who, on which host, in which job of a CI server, and why; each may be NULL */
	const char *deployer_host;
	const char *job;
	const char *note;
};

struct result {
	long long step;
	const char *migration;
	enum result_status status;
	long long statement_count;
	long long statements_done;
	long long attempts;
	long long waited_ms;
	long long took_ms;
	long long worst_stall_ms;        /* longest observed wait for one of our locks; null: none seen */
	const char *waited_for;          /* the last relation that we waited for, as SQL name */
	const char *waited_session;      /* the session that held it: "pid 20117, web, shop_app from 10.0.3.21" */
	const char *sqlstate;
	const char *message;
	const char *detail;
	const char *hint;
	long long line;
	long long column;
};

/* A deploy, of a file of results that was kept. */
struct deployed {
	const char *file;
	enum deployed_status status;
	const char *plan_digest;         /* this and the following: as in the run */
	const char *system_identifier;
	const char *database;
	const char *schema;
	const char *host;
	long long port;
	const char *user;
	const char *role;
	const char *started_at;
	const char *server_time;
	const char *lsn;
	long long timeline;
	const char *restore_point;
	const char *deployer;
	const char *deployer_host;
	const char *job;
	const char *note;
	long long steps;
	long long done;
	const char *migrations;          /* list: those that are done */
	const char *stopped_at;          /* the migration that failed or stayed busy, and why; or NULL */
	const char *sqlstate;
	const char *message;
};

/* The result of a check. */
struct check {
	const char *check;
	const char *target;              /* "db.example.com/shop"; NULL: no database */
	const char *status;
	long long code;
	const char *message;
	const char *measures;            /* JSON: what was measured; each check has its own keys */
	const char *limits;              /* JSON: for measures with a limit, the last value that is still OK */
	long long took_ms;
};

/* What a check "used" has found: proof for a plan that drops it. */
struct used {
	const char *system_identifier;   /* NULL: the role may not read it */
	const char *database;
	const char *schema;
	const char *relation;
	const char *column;              /* NULL: the relation */
	const char *status;
	const char *checked_at;
	long long covers_ms;             /* so long before that it was not used; 0: it is, or that is not known */
};

/* The outcome of a seed file. */
struct seeded {
	const char *file;
	const char *schema;
	const char *table;
	bool dry_run;
	long long rows_read;
	long long rows_inserted;
	long long rows_updated;
	long long rows_unchanged;
	long long rows_deleted;
	long long rows_only_in_table;    /* rows that are not in the file; they stay */
	long long took_ms;
};

/* A row that a seed file changes or would change; old and new are objects of columns and values. */
struct row_change {
	const char *schema;
	const char *table;
	const char *change;              /* "insert", "update", "delete" */
	const char *key;                 /* JSON; reading does not fill it, nor old and new */
	const char *old;                 /* for update: the values that differ; else null */
	const char *new;                 /* for insert or update; else null */
	const char *secret;              /* the columns in `new` that have env:NAME or file:PATH in place of a value; or null */
};

extern const struct record_form database_form, history_form, migration_form, plan_form, finding_form,
    step_form, rehearsal_form, live_form, activity_form, publication_form, published_form, slot_form,
    load_form, effect_form, loss_form, draft_form, prefix_form, run_form, result_form, deployed_form, check_form, used_form, seeded_form,
    row_form;

/* The records of a rehearsal: whether this one may come next; fills what it is for; writes them all, in their order. */
bool rehearsal_belongs(const struct rehearsal_records *rehearsed, const struct record *record);
bool rehearsal_fill(struct reader *reader, const struct record *record, struct rehearsal_records *rehearsed);
void rehearsal_put(struct writer *writer, const struct rehearsal_records *rehearsed);
void rehearsal_records_free(struct rehearsal_records *rehearsed);

/* record_fill() for a migration; also requires a script unless a flaw says why there is none. */
int migration_fill(struct reader *reader, const struct record *record, struct migration *migration);

/*
 * Read the rest of a stream after reader_begin() has returned its kind.  The caller checks what goes beyond the
 * order and the types of records.  Return READING_END if the stream was complete; only then may its content be
 * used.  Else READING_FAILED or READING_BAD.  Call the *_free function in every case.
 *
 * scan_read: `look` (may be NULL) is called once per migration, with its script, and returns whether the script
 * will be needed again.  If not, its text is freed at once, so that only pending scripts stay in memory.
 */
typedef bool scan_look(const struct scan *scan, struct migration *migration, void *context);
enum reading scan_read(struct reader *reader, struct scan *scan, scan_look *look, void *context);
void scan_free(struct scan *scan);

enum reading plan_read(struct reader *reader, struct plan_stream *plan);
void plan_stream_free(struct plan_stream *plan);

#endif
