/*
 * What records mean: a struct for each, and whole streams read into memory.
 * mig-records(5) describes every key for users; the tables in records/model.c are the truth.
 *
 * Texts are not owned: they point into the record they were read from, or to wherever the
 * one who fills a struct keeps them.  NULL (texts) and NUMBER_UNKNOWN (numbers) stand for null.
 * Pure: no file, no clock; reading goes through records/record.h.
 */
#ifndef MIG_RECORDS_MODEL_H
#define MIG_RECORDS_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/page.h"
#include "records/record.h"
#include "records/words.h"

/* The database that a scan looked at. */
struct database {
	const char *system_identifier;   /* NULL: the role may not ask */
	const char *database;
	const char *schema;              /* where the history is, or would be made */
	const char *host;                /* NULL: libpq's default socket */
	long long port;
	const char *user;
	const char *server_version;
	long long server_version_num;
	bool in_recovery;
	const char *tls;                 /* NULL: none */
	bool has_history;
	bool schema_empty;               /* no ordinary table in it, as Prisma counts them (P3005) */
	const char *other_history_schema; /* where the schema has no history: another that has, the first by name; or NULL, */
	long long other_history_count;   /* and how many have; null where that is NULL */
	/* who holds the deploy lock; deployer_pid is null when nobody does */
	long long deployer_pid;
	const char *deployer_user;
	const char *deployer_application;
	const char *deployer_client;     /* address; NULL: a local socket, or not visible */
	const char *deployer_since;
};

/* The session that holds the deploy lock, where deployer_pid is known. */
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

/* A folder of the migrations directory. */
struct migration {
	const char *migration;
	const char *path;                /* below the directory, "NAME/migration.sql" */
	const char *checksum;
	long long size_bytes;
	enum flaw flaw;
	const char *sql;                 /* the script as Prisma would send it; NULL where it has none */
	/* not in records, filled by status_look_at(): the script differs from what was applied; only in blanks */
	bool edited;
	bool edited_blanks;
	struct record *record;           /* owns the texts, where this was read; else NULL */
};

struct scan {
	bool has_database;
	struct database database;
	struct history_row *history;     /* by started_at, id */
	size_t history_count;
	struct migration *migrations;    /* in Prisma's order */
	size_t migration_count;
	const char *command;             /* words that make this scan again (base/shell_quote.h); NULL: not known */
	const char *folder;              /* the migrations folder as it was given; NULL: not known */
	struct record **records;         /* own the texts of database and history */
	size_t record_count;
};

/* The head of a plan: where it belongs and what it starts from.  All null: made without a database. */
struct plan {
	const char *system_identifier;
	const char *database;
	const char *schema;
	const char *host;
	long long port;
	const char *history_digest;      /* of the settled rows: history_digest() */
	long long history_rows;
	const char *last_applied;
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
	const char *row_id;              /* of the unfinished row that it goes on with; null: a new one */
	long long resume_at;             /* the statement that it goes on with, from 1; null with row_id */
	bool resume_begun;               /* that statement had begun: look what it left before it runs again */
	bool resume_told;                /* a person said so (--resume), not the journal */
	const char *begun_sql;           /* of marks: the non-transactional statement that an interrupted run had begun, behind its session's settings */
	const char *sql;
	struct record *record;           /* owns the texts, where this was read; else NULL */
};

struct plan_stream {
	struct plan plan;
	struct finding *findings;
	size_t finding_count;
	struct step *steps;
	size_t step_count;
	const char *digest;              /* of the stream, hex */
	const char *folder;              /* the migrations folder as the scan was given it; NULL: not known */
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
	bool dry_run;
	const char *started_at;
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
	long long worst_stall_ms;        /* how long somebody was seen waiting for us; null: it was over before we looked */
	const char *waited_for;          /* the relation that was waited for last, as SQL writes it */
	const char *waited_session;      /* and the session that had it: "pid 20117, web, shop_app from 10.0.3.21" */
	const char *sqlstate;
	const char *message;
	const char *detail;
	const char *hint;
	long long line;
	long long column;
};

/* What a check found. */
struct check {
	const char *check;
	const char *target;              /* "db.example.com/shop"; NULL: no database */
	const char *status;
	long long code;
	const char *message;
	const char *measures;            /* JSON: what was measured; the keys are the check's own */
	const char *limits;              /* JSON: of those that have one, the last value that is still well */
	long long took_ms;
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
	long long rows_only_in_table;    /* that the file has not, and that stay */
	long long took_ms;
};

/* A row that a seed file changes, or would change: objects of columns and values. */
struct row_change {
	const char *schema;
	const char *table;
	const char *change;              /* "insert", "update", "delete" */
	const char *key;                 /* JSON; not kept when it is read; likewise old and new */
	const char *old;                 /* of an update, the values that differ; else null */
	const char *new;                 /* of an insert or update; else null */
};

extern const struct record_form database_form, history_form, migration_form, plan_form, finding_form,
    step_form, run_form, result_form, check_form, seeded_form,
    row_form;

/* record_fill() for a migration, which also demands a script where no flaw says why there is none. */
int migration_fill(struct reader *reader, const struct record *record, struct migration *migration);

/*
 * Read the rest of a stream whose kind reader_begin() has told.  All but the order and the types of
 * records is left to the caller.  Return READING_END when the stream was complete: only then may
 * anything of it be used; else READING_FAILED or READING_BAD.  The *_free functions are due in any case.
 *
 * scan_read: `look` (may be NULL) sees each migration once with its script, and says whether the script will
 * be needed again; where not, its text is given back at once, so that only pending ones stay in memory.
 */
typedef bool scan_look(const struct scan *scan, struct migration *migration, void *context);
enum reading scan_read(struct reader *reader, struct scan *scan, scan_look *look, void *context);
void scan_free(struct scan *scan);

enum reading plan_read(struct reader *reader, struct plan_stream *plan);
void plan_stream_free(struct plan_stream *plan);

#endif
