/*
 * Checks and their results, with the codes of monitoring plugins (monitoring-plugins.org, "Development
 * Guidelines"): mig-check exits with the worst result.
 *
 * A kind of check (struct check_kind) is a table: its name, its settings, and its functions.  A job is one
 * requested check.  Each poll leaves an outcome in its job: a state, one line, further lines, and measures.
 * check/run.h polls repeatedly and decides when the result is final; check/page.h prints.
 */
#ifndef MIG_CHECK_CHECK_H
#define MIG_CHECK_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "check/picture.h"
#include "postgres/connection.h"
#include "postgres/poller.h"
#include "records/model.h"
#include "records/record.h"

enum check_state { CHECK_OK = 0, CHECK_WARNING = 1, CHECK_CRITICAL = 2, CHECK_UNKNOWN = 3 };

/* --- measures --- */

enum metric_unit { METRIC_COUNT, METRIC_MS, METRIC_SECONDS, METRIC_DAYS, METRIC_PERCENT };

/* One row serves records, performance data and Prometheus. */
struct metric {
	const char *key;         /* key in records, with its unit: "response_ms" */
	const char *plugin;      /* name in performance data, after the check's name: "response"; NULL: omitted
	                          * there */
	const char *family;      /* metric of Prometheus, in its base unit: "mig_health_response_seconds" */
	const char *label;       /* label that distinguishes it within the metric: "state=\"pending\""; or NULL */
	const char *help;        /* help text of the Prometheus metric */
	enum metric_unit unit;
	bool lower_is_worse;                /* low values are the bad ones */
};

struct measure {
	const struct metric *metric;
	long long value;              /* in the metric's unit; NUMBER_UNKNOWN: unknown */
	long long warning, critical;  /* the last value that is still OK; NUMBER_UNKNOWN: no limit */
};

/* Compares a value with its limits.  An unknown value is OK: the caller reports an unknown value. */
enum check_state check_weigh(const struct measure *measure);

/* Appends a value for users: "84 ms", "12 min", "61 days", "93 %", "3". */
void check_value(struct bytes *out, const struct metric *metric, long long value);

/* --- outcomes --- */

enum { CHECK_MEASURES = 16 };

struct check_outcome {
	const char *name;         /* "history", "health:api" */
	enum check_state state;
	struct bytes message;     /* one line: "2 pending, 1 edited" */
	struct bytes aside;       /* the parts of the line that are OK: "answers in 4 ms, primary"; may be empty */
	struct bytes unseen;      /* what could not be checked: "replication lag: role monitor lacks pg_monitor" */
	struct bytes details;     /* further lines, each starts with a word; may be empty */
	struct measure measures[CHECK_MEASURES];
	size_t measure_count;
	bool final;             /* polling again cannot change it */
	bool conclusive;                /* a real result, not a missing answer: waiting will not help */
	long long took_ms;
};

/* Clears an outcome for the next poll; keeps its name. */
void check_outcome_clear(struct check_outcome *outcome);
void check_free(struct check_outcome *outcome);

/* "OK", "WARNING", ...; and in lower case, as in records. */
const char *check_word(enum check_state state);
const char *check_status(enum check_state state);

/* The worse of two: CRITICAL, then UNKNOWN, WARNING, OK. */
enum check_state check_worse(enum check_state a, enum check_state b);

/* Raises the state of an outcome to at least this state. */
void check_raise(struct check_outcome *outcome, enum check_state state);

/* Raises the state and appends to the message, separated by a comma. */
void check_say(struct check_outcome *outcome, enum check_state state, const char *format, ...) MIG_PRINTF(3, 4);

/* Adds a further line: a word and its text. */
void check_detail(struct check_outcome *outcome, const char *word, const char *format, ...) MIG_PRINTF(3, 4);

/* Append to the part that is OK, and to what could not be checked. */
void check_aside(struct check_outcome *outcome, const char *format, ...) MIG_PRINTF(2, 3);
void check_unseen(struct check_outcome *outcome, const char *format, ...) MIG_PRINTF(2, 3);

/* Records a measure and returns its state; does not change the outcome's state. */
enum check_state check_measure(struct check_outcome *outcome, const struct metric *metric, long long value,
    long long warning, long long critical);

/* Records a count of objects for which a single one already means that state. */
void check_count(struct check_outcome *outcome, const struct metric *metric, size_t count, enum check_state means);

/* The state for an exit code of another tool or of a connection: CRITICAL or UNKNOWN. */
enum check_state check_state_of_code(long long exit_code);

/*
 * Sets the outcome of a check that cannot run for a local reason, which is reported: UNKNOWN and final.  first: no
 * error was reported before.
 */
void check_cannot(struct check_outcome *outcome, bool first);

/* Sets the outcome for the `failed` record of another tool. */
void check_failed_upstream(struct check_outcome *outcome, const struct failure *failure);

/* Appends why a step was not done: ": " and the server's words, or what it waited for. */
void check_result_why(struct bytes *out, const struct result *result);

/* --- settings --- */

enum setting_type {
	SETTING_TIME,     /* number: milliseconds */
	SETTING_DAYS,     /* number */
	SETTING_COUNT,    /* number */
	SETTING_PERCENT,  /* number */
	SETTING_STATE,    /* number: enum check_state */
	SETTING_WORD,     /* number: index of the word in `argument` */
	SETTING_TEXT      /* text */
};

struct setting {
	const char *name;      /* "certificate-warn" */
	const char *argument;  /* name of the value in --help; for SETTING_WORD the words: "primary|standby|any" */
	const char *standard;  /* its default, as typed; NULL: none */
	const char *help;
	enum setting_type type;
	bool repeatable;       /* SETTING_TEXT: each occurrence adds a line to the text */
};

struct setting_value {
	const char *text;      /* as typed, or the default; NULL: none.  Not owned, except for a repeatable one */
	long long number;      /* NUMBER_UNKNOWN: none */
	bool given;
	bool for_one;          /* given for a single check by name: a setting for the whole kind does not
	                        * override it */
	struct bytes lines;    /* the text of a repeatable one */
};

/* --- jobs --- */

struct check_job;
struct polls;

struct check_kind {
	const char *name;
	const char *value;              /* name in --help of the value after "="; NULL: takes no value */
	const char *help;               /* as in struct option_spec, of 54 columns */
	const struct setting *settings; /* ends with a NULL name; NULL: none */
	bool value_optional;
	bool value_is_source;           /* the value is a connection source that replaces -d */
	bool dash_is_stdin;             /* the value - is standard input; only one check can use it */
	bool value_names;               /* the value serves as name if none is given: relation:Order.note */

	/*
	 * For a check of records on standard input: the command (base/shell_quote.h) that makes them, and the
	 * function that reads them.
	 */
	const char *pipeline;
	void (*read)(struct check_job *job, struct reader *reader);

	/*
	 * Called once, after all arguments are read.  Returns 0, or an exit code with the error reported;
	 * MIG_USAGE ends the run.  May be NULL.
	 */
	int (*begin)(struct check_job *job);

	/*
	 * For a check that queries a database: appends its queries (ask() may append none), and evaluates the
	 * answers; there are none if session->code is not 0.  Several checks share one round trip.
	 */
	size_t (*ask)(struct check_job *job, struct db_ask *asks);
	void (*answered)(struct check_job *job, struct db_ask *asks, struct poller *session);

	/*
	 * For a check that does its own I/O: look() begins a poll; go_on() advances it as far as it can without
	 * waiting, adds what it waits for to polls, and returns true when the poll is finished.
	 */
	void (*look)(struct check_job *job);
	bool (*go_on)(struct check_job *job, struct polls *polls);

	/* Called when --watch begins; may be NULL. */
	void (*watch)(struct check_job *job);

	/* Called after the last poll, for results that are complete only then; may be NULL. */
	void (*last)(struct check_job *job);

	/* Adds records of its own behind its `check` record; may be NULL. */
	void (*put)(const struct check_job *job, struct writer *writer);

	void (*end)(struct check_job *job); /* frees what begin() allocated; may be NULL */
};

/* A host with another port is still the same target. */
struct check_target {
	struct bytes place;     /* for users: "shop at db.example.com"; for a URL its host */
	struct bytes label;     /* for a database: "db.example.com/shop" */
	struct bytes server;    /* "db.example.com:5432" */
};

/* The maximum number of queries of one check. */
enum { CHECK_ASKS = 20 };

struct check_job {
	const struct check_kind *kind;
	char *name;                     /* "health:api" */
	const char *value;              /* or NULL */
	struct setting_value *settings; /* as in kind->settings */
	void *data;                     /* private to the kind */
	struct check_outcome outcome;   /* of the last poll */
	struct check_target target;     /* the target; its texts are empty until it is known */
	bool waits, watches;            /* --wait, --watch: the check is repeated */
	/* Set by the run: */
	struct poller *session;
	struct picture *picture;        /* or NULL */
	size_t picture_line;
	size_t first_ask, asks;
	bool more;                      /* set by answered(): ask() has further queries, before this poll is finished */
	size_t looks;                   /* number of completed polls */
	size_t bad_in_row, firm_in_row;
	enum check_state at_first;      /* state when --watch began */
};

/* Sets the target database; host NULL: the local socket. */
void check_take_target(struct check_job *job, const char *host, long long port, const char *database);

/* For a poll with session->code other than 0: reports why there is no answer, and from which database. */
void check_no_answer(struct check_job *job);

/* All kinds; ends with NULL. */
extern const struct check_kind *const check_kinds[];

/*
 * Parses the arguments CHECK[:NAME][=VALUE] and CHECK[:NAME].SETTING=VALUE, in any order.  Returns 0, or MIG_USAGE
 * with the error reported.  Call check_jobs_free() in every case.
 */
struct check_jobs {
	struct check_job *jobs;
	size_t count;
};
int check_jobs_read(struct check_jobs *jobs, char *const words[], size_t count);

/*
 * Begins each job and tells it whether it is repeated.  Returns 0 or MIG_USAGE.  A job that cannot begin for
 * another reason gets a final outcome that says so.
 */
int check_jobs_begin(struct check_jobs *jobs, bool waits, bool watches);

void check_jobs_free(struct check_jobs *jobs);

/* The lines of --help: on all checks, in short or in full; on their settings; on one check and its settings, or false. */
void check_kinds_help(struct bytes *out, bool all);
void check_settings_help(struct bytes *out);
bool check_kind_help(struct bytes *out, const char *name);

/* The kinds, each in its own file. */
extern const struct check_kind check_history_kind, check_deploy_kind, check_seeds_kind, check_schema_kind, check_database_kind,
    check_relation_kind, check_used_kind, check_health_kind, check_log_kind, check_fleet_kind;

#endif
