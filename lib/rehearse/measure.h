/*
 * The scripts of pending migrations, run one statement at a time in a scratch database, with a look before and after each.
 *
 * Five sessions: the scripts' own; one that observes what that one locks, since to ask the session itself would make a
 * SET TRANSACTION behind it fail; and two that hold locks in turn, where a statement that commits by itself is stopped
 * at each of its phases.  Between transactions the scripts' session is told to give its counters away.
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
#include "scratch/replay.h"
#include "scratch/scratch.h"
#include "sql/sql.h"

/* What was seen of a statement. */
struct seen {
	long long line;
	bool looked;               /* what is different by then is known */
	struct effects effects;    /* locks, work, rows, its error */
	struct effects differences;
};

struct measure {
	struct scratch *scratch;
	struct db *runs, *observes;
	struct db *freezes[2];
	long long limit_ms;        /* for one statement */
	bool too_long;             /* the one that runs was cancelled for that */
	const struct step *step;
	const struct sql_script *script;
	struct seen *seen;         /* of each statement */
	size_t seen_count;
	struct look before;        /* the migration */
	struct look start;         /* of the transaction that runs */
	struct look last;          /* behind the statement before; nothing: that is the start */
	struct held held;          /* in the transaction that runs */
	struct look_ids changed;   /* what it may have changed, */
	struct look_ids passed;    /* and relations that are new and of no interest */
	bool stepping;             /* through a statement that commits by itself, */
	struct held stepped;       /* which had, or waited for, these */
	bool vacuum;
	char tag[64];              /* the server's, of the last statement */
	struct arena before_texts, last_texts, script_texts;
	struct made_list made;
	struct effects *out;       /* of all scripts, in order */
	struct arena *texts;       /* and what they point to */
};

/* The hooks of replay_watched(); looks at the database as it is.  measure_end() is due in any case; it says whether the last look worked. */
enum db_outcome measure_begin(struct measure *measure, struct scratch *scratch, long long limit_ms, struct effects *out,
    struct arena *texts);
struct replay_watcher measure_watcher(struct measure *measure);
enum db_outcome measure_end(struct measure *measure);

/* For the files of measuring: what a statement was found to do is noted. */
void measure_note(struct measure *measure, size_t at, const struct held *had, const struct held *has, const struct look *old,
    const struct look *new);

/* The scripts' session gives its counters away, and its own begin at 0. */
enum db_outcome measure_flush(struct measure *measure);

/* Ends a statement that takes too long. */
void measure_tick(struct measure *measure, long long ms);

/* --- phases.c --- */

/* Runs a statement that stands alone, stopped at each of its phases. */
enum db_outcome phases_run(struct measure *measure, size_t at);

#endif
