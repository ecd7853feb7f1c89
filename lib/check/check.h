/*
 * Checks and their verdicts, with the codes of monitoring plugins (monitoring-plugins.org, "Development Guidelines"):
 * mig-check exits with the worst of them and with nothing else.
 *
 * A kind of check (struct check_kind) is a table: its name, its settings, and how it looks.  A job is one check that was
 * asked for.  Each look leaves an outcome in its job: a state, one line, further lines, and what was measured.  Who
 * looks again and decides when it is clear is check/run.h; who prints is check/page.h.
 */
#ifndef MIG_CHECK_CHECK_H
#define MIG_CHECK_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "postgres/connection.h"
#include "postgres/poller.h"
#include "records/model.h"
#include "records/record.h"

enum check_state { CHECK_OK = 0, CHECK_WARNING = 1, CHECK_CRITICAL = 2, CHECK_UNKNOWN = 3 };

/* --- what is measured --- */

enum metric_unit { METRIC_COUNT, METRIC_MS, METRIC_SECONDS, METRIC_DAYS, METRIC_PERCENT };

/* One row serves records, performance data and Prometheus. */
struct metric {
	const char *key;         /* in records, with its unit: "response_ms" */
	const char *plugin;      /* in performance data, behind the check's name: "response"; NULL: not there */
	const char *family;      /* of Prometheus, in its base unit: "mig_health_response_seconds" */
	const char *label;       /* a label that tells it from others of the family: "state=\"pending\""; or NULL */
	const char *help;        /* of the family */
	enum metric_unit unit;
	bool lower_is_worse;                /* a low value is the bad one */
};

struct measure {
	const struct metric *metric;
	long long value;              /* in the metric's unit; NUMBER_UNKNOWN: not known */
	long long warning, critical;  /* the last value that is still well; NUMBER_UNKNOWN: there is no limit */
};

/* What a value means within its limits.  Unknown is OK: to say that it is unknown is the caller's. */
enum check_state check_weigh(const struct measure *measure);

/* A value for people: "84 ms", "12 min", "61 days", "93 %", "3". */
void check_value(struct bytes *out, const struct metric *metric, long long value);

/* --- what was seen --- */

enum { CHECK_MEASURES = 16 };

struct check_outcome {
	const char *name;         /* "history", "health:api" */
	enum check_state state;
	struct bytes message;     /* one line: "2 pending, 1 edited" */
	struct bytes aside;       /* of that line, what is as it should be: "answers in 4 ms, primary"; may be empty */
	struct bytes unseen;      /* what could not be seen: "replication lag: role monitor lacks pg_monitor" */
	struct bytes details;     /* further lines, each with a word at its start; may be empty */
	struct measure measures[CHECK_MEASURES];
	size_t measure_count;
	bool final;             /* to look again cannot change it */
	bool conclusive;                /* it is not for want of an answer: to wait long is of no use */
	long long took_ms;
};

/* Empties an outcome for the next look; its name stays. */
void check_outcome_clear(struct check_outcome *outcome);
void check_free(struct check_outcome *outcome);

/* "OK", "WARNING", ...; and in lower case, as records have it. */
const char *check_word(enum check_state state);
const char *check_status(enum check_state state);

/* The worse of two: CRITICAL, then UNKNOWN, WARNING, OK. */
enum check_state check_worse(enum check_state a, enum check_state b);

/* Raises the state of an outcome. */
void check_raise(struct check_outcome *outcome, enum check_state state);

/* Raises the state and adds to the message, with a comma between. */
void check_say(struct check_outcome *outcome, enum check_state state, const char *format, ...) MIG_PRINTF(3, 4);

/* A further line: a word, and what belongs to it. */
void check_detail(struct check_outcome *outcome, const char *word, const char *format, ...) MIG_PRINTF(3, 4);

/* Adds to what is as it should be, or to what could not be seen. */
void check_aside(struct check_outcome *outcome, const char *format, ...) MIG_PRINTF(2, 3);
void check_unseen(struct check_outcome *outcome, const char *format, ...) MIG_PRINTF(2, 3);

/* Keeps a measure, and returns what it means; the outcome's state is left alone. */
enum check_state check_measure(struct check_outcome *outcome, const struct metric *metric, long long value,
    long long warning, long long critical);

/* Keeps the measure of something of which one alone means that. */
void check_count(struct check_outcome *outcome, const struct metric *metric, size_t count, enum check_state means);

/* What an exit code of another tool, or of a connection, means here: CRITICAL or UNKNOWN. */
enum check_state check_state_of_code(long long exit_code);

/*
 * A check that cannot be done, for a reason that lies here and was said: UNKNOWN, since nothing was asked, and settled.
 * first: no error was said before.
 */
void check_cannot(struct check_outcome *outcome, bool first);

/* What the `failed` record of another tool means here. */
void check_failed_upstream(struct check_outcome *outcome, const struct failure *failure);

/* --- settings --- */

enum setting_type {
	SETTING_TIME,     /* number: milliseconds */
	SETTING_DAYS,     /* number */
	SETTING_COUNT,    /* number */
	SETTING_PERCENT,  /* number */
	SETTING_STATE,    /* number: enum check_state */
	SETTING_WORD,     /* number: which of the words of `argument` */
	SETTING_TEXT      /* text */
};

struct setting {
	const char *name;      /* "certificate-warn" */
	const char *argument;  /* what --help calls its value; of a SETTING_WORD the words: "primary|standby|any" */
	const char *standard;  /* its default, as it would be typed; NULL: none */
	const char *help;
	enum setting_type type;
	bool repeatable;       /* SETTING_TEXT: each adds a line to the text */
};

struct setting_value {
	const char *text;      /* as typed, or the default; NULL: none.  Not owned, but for a repeatable one */
	long long number;      /* NUMBER_UNKNOWN: none */
	bool given;
	bool for_one;          /* was given for one check by its name: a setting for the whole kind does not touch it */
	struct bytes lines;    /* of a repeatable one */
};

/* --- jobs --- */

struct check_job;
struct polls;

struct check_kind {
	const char *name;
	const char *value;              /* what --help calls what stands behind "="; NULL: nothing does */
	const char *help;               /* lines */
	const struct setting *settings; /* ends with a NULL name; NULL: none */
	bool value_optional;
	bool value_is_source;           /* of a database, which is not that of -d */
	bool dash_is_stdin;             /* a value of - is standard input, which one check alone may have */
	bool value_names;               /* without a name of its own, the value is its name: relation:Order.note */

	/* A check of records on standard input: the words (base/shell_quote.h) that make them, and how they are read. */
	const char *pipeline;
	void (*read)(struct check_job *job, struct reader *reader);

	/* Called once, after all words are read: 0, or an exit code, said; MIG_USAGE ends it all.  May be NULL. */
	int (*begin)(struct check_job *job);

	/*
	 * A check that asks a database: adds its questions, and takes the answers, or none where session->code
	 * is not 0.  Several share one round trip.  ask() may add none.
	 */
	size_t (*ask)(struct check_job *job, struct db_ask *asks);
	void (*answered)(struct check_job *job, struct db_ask *asks, struct poller *session);

	/*
	 * A check that looks by itself: go_on() goes on with a look that look() began as far as it can without
	 * waiting, and adds what it waits for to polls; true: the look is over.
	 */
	void (*look)(struct check_job *job);
	bool (*go_on)(struct check_job *job, struct polls *polls);

	/* The part begins in which it has to stay well; may be NULL. */
	void (*watch)(struct check_job *job);

	/* The last look has been: what only the end completes is judged now; may be NULL. */
	void (*last)(struct check_job *job);

	void (*end)(struct check_job *job); /* gives back what begin() took; may be NULL */
};

/* A host that changes its port is still the same target. */
struct check_target {
	struct bytes place;     /* for people: "shop at db.example.com"; of a URL its host */
	struct bytes label;     /* of a database: "db.example.com/shop" */
	struct bytes server;    /* "db.example.com:5432" */
};

/* The most questions that one check asks. */
enum { CHECK_ASKS = 20 };

struct check_job {
	const struct check_kind *kind;
	char *name;                     /* "health:api" */
	const char *value;              /* or NULL */
	struct setting_value *settings; /* as in kind->settings */
	void *data;                     /* the kind's own */
	struct check_outcome outcome;   /* of the last look */
	struct check_target target;     /* what it speaks of; texts are empty until that is known */
	bool waits, watches;            /* --wait, --watch: it is looked at again */
	/* the run's */
	struct poller *session;
	size_t first_ask, asks;
	size_t looks;                   /* how many have ended */
	size_t bad_in_row, firm_in_row;
	enum check_state at_first;      /* when the watch began */
};

/* Which database it is; host NULL: the local socket. */
void check_take_target(struct check_job *job, const char *host, long long port, const char *database);

/* Of a look whose session->code is not 0: says why there is no answer, and from which database. */
void check_no_answer(struct check_job *job);

/* All kinds there are; ends with a NULL. */
extern const struct check_kind *const check_kinds[];

/*
 * Reads the words of a command line: CHECK[:NAME][=VALUE] and CHECK[:NAME].SETTING=VALUE, in any order.  Returns 0, or
 * MIG_USAGE, said.  check_jobs_free() is due in any case.
 */
struct check_jobs {
	struct check_job *jobs;
	size_t count;
};
int check_jobs_read(struct check_jobs *jobs, char *const words[], size_t count);

/*
 * Tells each whether it is looked at again, and lets it begin: MIG_USAGE, or 0; one that cannot begin for another
 * reason has an outcome that says so, settled.
 */
int check_jobs_begin(struct check_jobs *jobs, bool waits, bool watches);

void check_jobs_free(struct check_jobs *jobs);

/* The lines on checks and settings in --help. */
void check_jobs_help(struct bytes *out);

/* The kinds, each in its room. */
extern const struct check_kind check_history_kind, check_deploy_kind, check_seeds_kind, check_schema_kind, check_database_kind,
    check_relation_kind, check_health_kind, check_log_kind;

#endif
