#include "database/locks.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/null.h"
#include "base/own_sql.h"
#include "database/session_columns.h"
#include "migrations/history.h"

struct lock_watch {
	struct db *db;    /* NULL: lost */
	int version;
};

enum { CONNECT_MS = 3000 };

/* --- asking --- */

/* "AccessExclusiveLock" as people write it: "ACCESS EXCLUSIVE" */
#define MODE(column) \
	"regexp_replace(upper(regexp_replace(regexp_replace(" column ", 'Lock$', ''), '([a-z])([A-Z])', '\\1 \\2', 'g')), " \
	"' +', ' ', 'g')"

/* Of the session `a`. */
#define SESSION \
	"a.usename, host(a.client_addr), a.application_name, a.state, " SESSION_AGE ", " SESSION_WORD ", " SESSION_KIND ", " SESSION_KIND \
	" = 'autovacuum worker' AND a.query NOT LIKE '%(to prevent wraparound)'"
enum { COLUMN_RELATION, COLUMN_MODE, COLUMN_OID, COLUMN_LOCK, COLUMN_PID, COLUMN_USER, COLUMN_CLIENT, COLUMN_APPLICATION,
	COLUMN_STATE, COLUMN_AGE, COLUMN_WORD, COLUMN_KIND, COLUMN_YIELDS, COLUMN_TRANSACTION };

/* One row for each session that blocks $1, and what $1 wants. */
static const char waits_sql[] =
    "SELECT " OWN_SQL_AS_SESSION("l.relation::regclass::text") ", " MODE("l.mode") ", l.relation, l.mode, b.pid, " SESSION ", NULL "
    "FROM (SELECT relation, mode FROM pg_catalog.pg_locks WHERE pid = $1 AND NOT granted LIMIT 1) l "
    "CROSS JOIN (SELECT DISTINCT unnest(pg_catalog.pg_blocking_pids($1))) b(pid) "
    "LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid ORDER BY 10 DESC NULLS LAST, b.pid";

/* One row per transaction that holds a lock on relation $1 that conflicts with $2, except those of $3. */
static const char holders_sql[] =
    "SELECT " OWN_SQL_AS_SESSION("$1::regclass::text") ", " MODE("$2::text") ", $1::oid, $2::text, coalesce(l.pid, 0), " SESSION
    ", l.virtualtransaction FROM (SELECT DISTINCT pid, virtualtransaction FROM pg_catalog.pg_locks "
    "WHERE locktype = 'relation' AND relation = $1::oid AND granted AND pid IS DISTINCT FROM $3::int "
    "AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) "
    "AND CASE $2 WHEN 'AccessExclusiveLock' THEN true WHEN 'ExclusiveLock' THEN mode <> 'AccessShareLock' "
    "WHEN 'ShareRowExclusiveLock' THEN mode NOT IN ('AccessShareLock', 'RowShareLock') "
    "WHEN 'ShareLock' THEN mode NOT IN ('AccessShareLock', 'RowShareLock', 'ShareLock') "
    "WHEN 'ShareUpdateExclusiveLock' THEN mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock') "
    "WHEN 'RowExclusiveLock' THEN mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock') "
    "ELSE mode IN ('ExclusiveLock', 'AccessExclusiveLock') END) l "
    "LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid "
    "WHERE a.state IS DISTINCT FROM 'idle' ORDER BY 10 DESC NULLS LAST, 5"; /* idle: it has ended in between */

/* A prepared transaction has no process; all its locks have the same virtual number, and one is on its own. */
const char locks_prepared_sql[] =
    "SELECT pg_catalog.quote_literal(p.gid::text), p.owner::text FROM pg_catalog.pg_prepared_xacts p "
    "WHERE p.database = pg_catalog.current_database() AND EXISTS (SELECT FROM pg_catalog.pg_locks l "
    "JOIN pg_catalog.pg_locks x ON x.virtualtransaction = l.virtualtransaction WHERE l.pid IS NULL AND x.pid IS NULL "
    "AND l.locktype = 'relation' AND l.granted AND l.relation = $1::pg_catalog.oid "
    "AND x.locktype = 'transactionid' AND x.granted AND x.transactionid = p.transaction) ORDER BY p.prepared";

/*
 * What of $1's is in whose way.  Two locks are on the same thing if their keys are equal: which columns are null is
 * told by the type.  Behind a lock that is not granted yet, who came later waits as well.  Nobody has waited for
 * us for longer than our transaction has lasted.
 *
 * WAITSTART: since when a lock is waited for; before PostgreSQL 14 only the statement's begin is known.
 */
#define LOOK(waitstart) \
	"WITH l AS MATERIALIZED (SELECT pid, locktype, mode, granted, relation, " waitstart " AS since, " \
	"concat_ws('/', locktype, database, relation, page, tuple, transactionid, classid, objid, objsubid) AS key " \
	"FROM pg_catalog.pg_locks WHERE (pid = $1 OR NOT granted) AND locktype <> 'virtualxid' " \
	"AND NOT (locktype = 'advisory' AND classid = 0 AND objsubid = 1 AND objid = " HISTORY_LOCK_KEY ")), " \
	"v AS (SELECT w.pid, w.relation, CASE WHEN w.since IS NOT NULL THEN clock_timestamp() - greatest(w.since, (SELECT xact_start FROM " \
	"pg_catalog.pg_stat_activity WHERE pid = $1)) END AS ago " \
	"FROM l w JOIN l o ON o.pid = $1 AND o.key = w.key WHERE w.pid <> $1 AND NOT w.granted " \
	"AND (o.granted OR coalesce(w.since > o.since, true)) AND w.mode <> 'ShareUpdateExclusiveLock' " \
	"AND CASE o.mode WHEN 'AccessExclusiveLock' THEN true WHEN 'ExclusiveLock' THEN w.mode <> 'AccessShareLock' " \
	"WHEN 'ShareRowExclusiveLock' THEN w.mode NOT IN ('AccessShareLock', 'RowShareLock') " \
	"WHEN 'ShareLock' THEN w.mode NOT IN ('AccessShareLock', 'RowShareLock', 'ShareLock') ELSE false END) " \
	"SELECT EXISTS (SELECT FROM pg_catalog.pg_locks WHERE pid = $1 AND NOT granted), " \
	"(SELECT count(DISTINCT pid) FROM v), (SELECT (extract(epoch FROM max(ago)) * 1000)::bigint FROM v), " \
	"(SELECT " OWN_SQL_AS_SESSION("relation::regclass::text") " FROM v ORDER BY ago DESC NULLS LAST LIMIT 1), p.what || p.phase || " \
	"CASE WHEN p.whole > 0 AND p.phase NOT LIKE 'waiting%' " \
	"THEN ', ' || least(p.part * 100 / p.whole, 100) || ' %' ELSE '' END " \
	"FROM (SELECT) one LEFT JOIN (SELECT 'index: ' AS what, phase, " \
	"CASE WHEN tuples_total > 0 THEN tuples_done ELSE blocks_done END AS part, " \
	"CASE WHEN tuples_total > 0 THEN tuples_total ELSE blocks_total END AS whole " \
	"FROM pg_catalog.pg_stat_progress_create_index WHERE pid = $1 " \
	"UNION ALL SELECT 'vacuum: ', phase, heap_blks_scanned, heap_blks_total FROM pg_catalog.pg_stat_progress_vacuum " \
	"WHERE pid = $1 UNION ALL SELECT 'rewrite: ', phase, heap_blks_scanned, heap_blks_total " \
	"FROM pg_catalog.pg_stat_progress_cluster WHERE pid = $1 UNION ALL SELECT 'analyze: ', phase, sample_blks_scanned, " \
	"sample_blks_total FROM pg_catalog.pg_stat_progress_analyze WHERE pid = $1) p ON true LIMIT 1"
static const char look_sql[] = LOOK("waitstart");
static const char look_13_sql[] =
    LOOK("(SELECT query_start FROM pg_catalog.pg_stat_activity a WHERE a.pid = pg_locks.pid)");

/*
 * Of the process $1: NULL where it is gone; whether it waits for its client, and since when.  Within a statement it does
 * so only in COPY, which scripts have not, and where what it says is not taken.  A standby knows nothing of it.
 */
#define WAITS_FOR_CLIENT "a.wait_event" " IN ('ClientRead', 'ClientWrite')"
#define SINCE "concat_ws(' ', a.wait_event, a.state_change::text, a.query_start::text)"
static const char backend_sql[] =
    "SELECT pg_catalog.pg_backend_pid(), pg_catalog.pg_is_in_recovery(), a.pid, " WAITS_FOR_CLIENT ", " SINCE " FROM (SELECT) one "
    "LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = $1";
static const char end_backend_sql[] =
    "SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity a WHERE a.pid = $1 AND " WAITS_FOR_CLIENT
    " AND " SINCE " = $2::text";

static const char deadlock_sql[] = "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'";

static struct answer *
ask(struct lock_watch *watch, const char *sql, int count, const char *const parameters[])
{
	struct answer *answer;
	enum db_outcome outcome;

	if (watch->db == NULL)
		return NULL;
	if ((outcome = db_query_ours(watch->db, &answer, sql, count, parameters)) == DB_OK)
		return answer;
	message_verbose("the second connection cannot read the locks: %s", db_error(watch->db)->message);
	if (outcome == DB_LOST) {
		db_close(watch->db);
		watch->db = NULL;
	}
	return NULL;
}

bool
locks_is_lost(const struct lock_watch *watch)
{
	return watch->db == NULL;
}

/* --- the connection --- */

struct lock_watch *
locks_open(struct source *source, const char *application, long long limit_ms, bool *refused)
{
	struct lock_watch *watch;
	struct db *db;

	if ((db = db_try_open(source, application, limit_ms > 0 ? limit_ms : CONNECT_MS, refused)) == NULL)
		return NULL;
	watch = xcalloc(1, sizeof *watch);
	watch->db = db;
	watch->version = db_server_version_num(db);
	return watch;
}

void
locks_close(struct lock_watch *watch)
{
	if (watch == NULL)
		return;
	db_close(watch->db);
	free(watch);
}

/* --- looking --- */

bool
locks_look(struct lock_watch *watch, int pid, struct lock_view *view)
{
	char number[16];
	const char *const parameters[] = { number };
	const char *text;
	struct answer *a;

	snprintf(number, sizeof number, "%d", pid);
	a = ask(watch, watch->version >= 140000 ? look_sql : look_13_sql, 1, parameters);
	if (a == NULL)
		return false;
	*view = (struct lock_view){ .waiting = answer_flag(a, 0, 0), .behind = (size_t)answer_count(a, 0, 1) };
	view->longest_ms = answer_number(a, 0, 2) != NUMBER_UNKNOWN ? answer_number(a, 0, 2) : 0;
	if ((text = answer_text(a, 0, 3)) != NULL)
		bytes_copy(view->relation, sizeof view->relation, text);
	if ((text = answer_text(a, 0, 4)) != NULL)
		bytes_copy(view->progress, sizeof view->progress, text);
	answer_free(a);
	return true;
}

static void
fill_holder(const struct answer *a, size_t row, struct holder *h)
{
	*h = (struct holder){
		.session = { .pid = answer_number(a, row, COLUMN_PID),
		    .application = answer_text(a, row, COLUMN_APPLICATION),
		    .kind = answer_text(a, row, COLUMN_KIND),
		    .user = answer_text(a, row, COLUMN_USER),
		    .client = answer_text(a, row, COLUMN_CLIENT),
		    .state = answer_text(a, row, COLUMN_STATE),
		    .age_ms = answer_number(a, row, COLUMN_AGE),
		    .word = answer_text(a, row, COLUMN_WORD) },
		.yields = answer_flag(a, row, COLUMN_YIELDS),
		.transaction = answer_text(a, row, COLUMN_TRANSACTION) };
}

/* Takes the answer. */
static void
fill_waits(struct waits *waits, struct answer *answer)
{
	size_t count = answer_rows(answer), i;

	waits_free(waits);
	waits->answer = answer;
	if (count == 0)
		return;
	waits->relation = answer_text(answer, 0, COLUMN_RELATION);
	waits->mode = answer_text(answer, 0, COLUMN_MODE);
	waits->oid = answer_text(answer, 0, COLUMN_OID);
	waits->lock = answer_text(answer, 0, COLUMN_LOCK);
	waits->count = count;
	waits->holders = xcalloc(count, sizeof *waits->holders);
	for (i = 0; i < count; i++)
		fill_holder(answer, i, &waits->holders[i]);
}

void
locks_waits(struct lock_watch *watch, int pid, struct waits *waits)
{
	char number[16];
	const char *const parameters[] = { number };
	struct answer *answer;

	snprintf(number, sizeof number, "%d", pid);
	if ((answer = ask(watch, waits_sql, 1, parameters)) == NULL)
		return;
	if (answer_rows(answer) > 0)
		fill_waits(waits, answer);
	else
		answer_free(answer);
}

bool
locks_holders(struct lock_watch *watch, int pid, const struct waits *waits, struct waits *holders)
{
	char number[16];
	const char *const parameters[] = { waits->oid, waits->lock, number };
	struct answer *answer;

	snprintf(number, sizeof number, "%d", pid);
	if ((answer = ask(watch, holders_sql, 3, parameters)) == NULL)
		return false;
	fill_waits(holders, answer);
	return true;
}

enum backend
locks_backend(struct lock_watch *watch, int pid, bool sure, char since[LOCKS_SINCE])
{
	char number[16];
	const char *const parameters[] = { number };
	enum backend backend = BACKEND_WORKS;
	struct answer *a;

	snprintf(number, sizeof number, "%d", pid);
	if ((a = ask(watch, backend_sql, 1, parameters)) == NULL)
		return BACKEND_NOT_SEEN;
	bytes_copy(since, LOCKS_SINCE, answer_word(a, 0, 4));
	if (!answer_has(a, 2) || answer_flag(a, 0, 1) || (!sure && answer_number(a, 0, 0) != db_backend_pid(watch->db)))
		backend = BACKEND_NOT_KNOWN;
	else if (answer_text(a, 0, 2) == NULL)
		backend = BACKEND_GONE;
	else if (answer_flag(a, 0, 3))
		backend = BACKEND_WAITS;
	answer_free(a);
	return backend;
}

void
locks_end_backend(struct lock_watch *watch, int pid, const char *since)
{
	char number[16];
	const char *const parameters[] = { number, since };

	snprintf(number, sizeof number, "%d", pid);
	answer_free(ask(watch, end_backend_sql, 2, parameters));
}

long long
locks_deadlock_ms(struct lock_watch *watch)
{
	struct answer *answer = ask(watch, deadlock_sql, 0, NULL);
	long long ms = answer != NULL && answer_rows(answer) > 0 ? answer_number(answer, 0, 0) : 1000;

	answer_free(answer);
	return ms;
}

void
waits_free(struct waits *waits)
{
	answer_free(waits->answer);
	free(waits->holders);
	*waits = (struct waits){ 0 };
}
