/*
 * The scripts of pending migrations, run one statement at a time in a scratch database, with a look before and after each.
 *
 * Four sessions: one runs the scripts; one observes what that one locks, since a question in the session itself would make a
 * SET TRANSACTION behind it fail; two hold locks in turn, to stop a statement that commits by itself at each of its phases.
 * Between transactions the scripts' session flushes its counters.
 */
#ifndef MIG_REHEARSE_MEASURE_H
#define MIG_REHEARSE_MEASURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "postgres/connection.h"
#include "records/model.h"
#include "rehearse/effects.h"
#include "rehearse/held.h"
#include "rehearse/look.h"
#include "rehearse/statements.h"
#include "scratch/replay.h"
#include "scratch/scratch.h"
#include "sql/sql.h"

/* What was seen of a statement. */
struct seen {
	long long line;
	struct effects effects;    /* locks, work, rows, its error */
};

struct measure {
	struct scratch *scratch;
	struct db *runs, *observes;
	struct db *freezes[2];
	long long limit_ms;        /* for one statement */
	bool too_long;             /* the one that runs was cancelled for that, */
	bool ended;                /* and went on, so that its session was ended */
	const struct step *step;
	const struct sql_script *script;
	struct seen *seen;         /* of each statement */
	size_t seen_count;
	struct look before;        /* the migration */
	struct look start;         /* of the transaction that runs */
	struct look last;          /* behind the statement before; nothing: that is the start */
	struct held held;          /* in the transaction that runs */
	struct effects differences; /* between before and the last look, each with the statement since which it is there, */
	struct effects kept;       /* and as they were when the statements from kept_from on were sent: they may be sent again */
	size_t kept_from;
	struct look_ids changed;   /* what it may have changed, */
	struct look_ids passed;    /* and relations that are new and of no interest */
	bool stepping;             /* through a statement that commits by itself, */
	struct held stepped;       /* which had, or waited for, these */
	bool vacuum;
	char tag[64];              /* the server's, of the last statement */
	struct arena before_texts, last_texts, script_texts;
	struct made_list made;
	struct statements *statements; /* of production; or NULL */
	struct effects *out;       /* of all scripts, in order */
	struct arena *texts;       /* and what they point to */
};

/*
 * Looks at the database as it is, before the first script.  Call measure_end() in every case: it returns whether the last look
 * worked.  measure_watcher() has the hooks for replay_watched().
 */
enum db_outcome measure_begin(struct measure *measure, struct scratch *scratch, long long limit_ms, struct statements *statements,
    struct effects *out, struct arena *texts);
struct replay_watcher measure_watcher(struct measure *measure);
enum db_outcome measure_end(struct measure *measure);

/* Notes what a statement was found to do.  For the files of measuring alone. */
void measure_note(struct measure *measure, size_t at, const struct held *had, const struct held *has, const struct look *old,
    const struct look *new);

/* Makes the scripts' session flush its counters, so that those of its next transaction begin at 0. */
enum db_outcome measure_flush(struct measure *measure);

/* Ends a statement that takes too long. */
void measure_tick(struct measure *measure, long long ms);

/* --- settle.c --- */

/* The script has ended, well or not: its effects go out, and the next one is measured against what there is now. */
enum db_outcome measure_settle(struct measure *measure, bool well);
void measure_free_seen(struct measure *measure);

/* --- phases.c --- */

/* Runs a non-transactional statement, stopped at each of its phases. */
enum db_outcome phases_run(struct measure *measure, size_t at);

#endif
