#include "rehearse/load.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/null.h"
#include "base/signals.h"
#include "database/activity.h"
#include "database/publications.h"
#include "postgres/connection.h"
#include "postgres/sqlstate.h"
#include "records/model.h"
#include "records/words.h"

/*
 * Bytes as the files have them now, which takes a lock and a system call for each file; or in pages, as the last VACUUM or
 * ANALYZE saw them, which is in the catalog.
 */
#define EXACT_BYTES                                                                                                 \
	"coalesce(pg_relation_size(c.oid), 0), CASE WHEN c.reltoastrelid = 0 THEN 0 ELSE coalesce(pg_total_relation_size(c.reltoastrelid), 0) END, " \
	"coalesce(pg_indexes_size(c.oid), 0)"
#define CATALOG_BYTES "c.relpages::int8 * b.size, coalesce(t.relpages, 0) * b.size, coalesce(x.pages, 0) * b.size"

/* The indexes of a relation: one by one, or of all that there are, which is faster for many.  That of a TOAST table is a fiftieth of it. */
#define EXACT_SCANS "(SELECT coalesce(sum(pg_stat_get_numscans(i.indexrelid)), 0)::int8 FROM pg_index i WHERE i.indrelid = c.oid)"
#define ALL_INDEXES                                                                                                  \
	"WITH indexes AS MATERIALIZED (SELECT i.indrelid, sum(p.relpages)::int8 AS pages, sum(pg_stat_get_numscans(p.oid))::int8 AS scans " \
	"FROM pg_index i JOIN pg_class p ON p.oid = i.indexrelid WHERE p.relnamespace <> 'pg_toast'::regnamespace GROUP BY i.indrelid) "
#define JOIN_INDEXES "LEFT JOIN pg_class t ON t.oid = c.reltoastrelid LEFT JOIN indexes x ON x.indrelid = c.oid "

/* A partitioned table has no rows of its own: they are its partitions', which are told for themselves. */
#define BEFORE_NAMES(bytes, scans)                                                                                  \
	"SELECT n.nspname, c.relname, CASE WHEN c.reltuples >= 0 THEN c.reltuples::int8 END, " bytes ", "           \
	"pg_stat_get_numscans(c.oid) + " scans ", pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid) + " \
	"pg_stat_get_tuples_deleted(c.oid), b.since, CASE WHEN c.relfrozenxid <> '0' THEN age(c.relfrozenxid) END " \
	"FROM (SELECT current_setting('block_size')::int8, (extract(epoch FROM clock_timestamp() - " \
	"coalesce(pg_stat_get_db_stat_reset_time(d.oid), pg_postmaster_start_time())) * 1000)::int8 " \
	"FROM pg_database d WHERE d.datname = current_database() OFFSET 0) b (size, since) CROSS JOIN "
#define BEHIND_NAMES(joins)                                                                                         \
	" v (schema, name) JOIN pg_namespace n ON n.nspname = v.schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = v.name " \
	joins "WHERE c.relkind IN ('r', 'p', 'm') " \
	"ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\""

static const char live_sql[] =
    "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'), age(d.datfrozenxid), current_setting('autovacuum_freeze_max_age')::int8, "
    "(SELECT '[' || string_agg(to_json(e.extname || ' ' || e.extversion)::text, ',' ORDER BY e.extname COLLATE \"C\") || ']' "
    "FROM pg_extension e) FROM pg_database d WHERE d.datname = current_database()";

/* Above this many relations, their sizes are those of the catalog. */
enum { EXACT_MOST = 200 };

/* What is asked, and what the answers were. */
struct questions {
	struct activity_wanted *wanted;  /* the relations that effects name, in order, each with the strongest lock */
	size_t count;
	struct bytes exact, rough, activity;
	struct publications_sql publications;
	struct answer *first, *last, *live, *active, *published[PUBLICATIONS_ASKS];
};

/* --- what is asked --- */

static void
make_questions(struct questions *q, int server_version_num)
{
	struct bytes names = { 0 };

	activity_wanted_sql(&names, q->wanted, q->count);
	bytes_format(&q->exact, "%s%s%s", BEFORE_NAMES(EXACT_BYTES, EXACT_SCANS), names.data, BEHIND_NAMES(""));
	bytes_format(&q->rough, "%s%s%s", ALL_INDEXES BEFORE_NAMES(CATALOG_BYTES, "coalesce(x.scans, 0)"), names.data, BEHIND_NAMES(JOIN_INDEXES));
	activity_sql(&q->activity, q->wanted, q->count);
	publications_sql(&q->publications, server_version_num, q->wanted, q->count);
	bytes_free(&names);
}

static void
questions_free(struct questions *q)
{
	size_t i;

	for (i = 0; i < PUBLICATIONS_ASKS; i++)
		answer_free(q->published[i]);
	publications_sql_free(&q->publications);
	answer_free(q->first);
	answer_free(q->last);
	answer_free(q->live);
	answer_free(q->active);
	bytes_free(&q->exact);
	bytes_free(&q->rough);
	bytes_free(&q->activity);
	free(q->wanted);
}

/* --- asking --- */

/*
 * One snapshot.  Exact sizes are taken under a lock, for which nobody is to be waited long: `rough` are those without.  What others
 * do may be hidden or forbidden; then the sizes are there nevertheless.
 */
static enum db_outcome
ask(struct db *db, struct questions *q, bool rough, bool all, struct answer **sizes)
{
	struct db_ask asks[] = { { .sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", .kind = DB_ASK_BEGINS },
		{ .sql = "SET LOCAL lock_timeout = '200ms'" },
		{ .sql = rough ? q->rough.data : q->exact.data, .ours = true, .ends_unit = true },
		{ .sql = live_sql, .ours = true, .ends_unit = true },
		{ .sql = q->activity.data, .ours = true, .ends_unit = true },
		{ .sql = q->publications.text[PUBLICATIONS_NEW].data, .ours = true, .ends_unit = true },
		{ .sql = q->publications.text[PUBLICATIONS_TABLES].data, .ours = true, .ends_unit = true },
		{ .sql = q->publications.text[PUBLICATIONS_SLOTS].data, .ours = true, .ends_unit = true },
		{ .sql = "END", .kind = DB_ASK_ENDS } };
	enum { SIZES = 2, LIVE, ACTIVE, PUBLISHED, END = PUBLISHED + PUBLICATIONS_ASKS, COUNT };
	enum db_outcome outcome;
	size_t i;

	if (!all) {
		asks[LIVE] = (struct db_ask){ .sql = "END", .kind = DB_ASK_ENDS };
		outcome = db_query_batch(db, asks, LIVE + 1);
	} else {
		outcome = db_query_batch(db, asks, COUNT);
	}
	if (outcome == DB_OK && asks[SIZES].outcome != DB_OK)
		outcome = DB_ERROR;
	*sizes = asks[SIZES].answer;
	asks[SIZES].answer = NULL;
	if (all && outcome == DB_OK) {
		q->live = asks[LIVE].answer;
		q->active = asks[ACTIVE].answer;
		asks[LIVE].answer = asks[ACTIVE].answer = NULL;
		for (i = 0; i < PUBLICATIONS_ASKS; i++) {
			q->published[i] = asks[PUBLISHED + i].answer;
			asks[PUBLISHED + i].answer = NULL;
		}
	}
	for (i = 0; i < COUNT; i++)
		answer_free(asks[i].answer);
	return outcome;
}

static enum db_outcome
ask_at_once(struct db *db, struct questions *q, bool all, struct answer **sizes)
{
	bool rough = q->count > EXACT_MOST;
	enum db_outcome outcome = ask(db, q, rough, all, sizes);

	if (outcome == DB_ERROR && !rough && strcmp(db_error(db)->sqlstate, SQLSTATE_LOCK_NOT_AVAILABLE) == 0)
		outcome = ask(db, q, true, all, sizes);
	return outcome;
}

/* --- what was answered --- */

enum { SCHEMA, NAME, ROWS, MAIN, TOAST, INDEXES, READS, WRITES, SINCE, FROZEN };

static long long
rate(const struct answer *first, const struct answer *last, size_t row, int column, long long ms)
{
	long long before = first != NULL ? answer_number(first, row, column) : 0, now = answer_number(last, row, column);

	if (now == NUMBER_UNKNOWN || before == NUMBER_UNKNOWN || ms <= 0)
		return NUMBER_UNKNOWN;
	return now > before ? (now - before) * 1000 / ms : 0;
}

static void
take_loads(const struct questions *q, long long window_ms, struct rehearsal_records *r, struct arena *texts)
{
	const struct answer *last = q->last;
	size_t i, count = answer_rows(last);
	bool same = q->first != NULL && answer_rows(q->first) == count;

	r->loads = xcalloc(count + 1, sizeof *r->loads);
	r->load_count = count;
	for (i = 0; i < count; i++) {
		long long ms = same ? window_ms : answer_number(last, i, SINCE);

		r->loads[i] = (struct load){ .schema = arena_copy(texts, answer_word(last, i, SCHEMA)),
			.relation = arena_copy(texts, answer_word(last, i, NAME)),
			.rows = answer_number(last, i, ROWS),
			.main_bytes = answer_count(last, i, MAIN),
			.toast_bytes = answer_count(last, i, TOAST),
			.index_bytes = answer_count(last, i, INDEXES),
			.reads_per_s = rate(same ? q->first : NULL, last, i, READS, ms),
			.writes_per_s = rate(same ? q->first : NULL, last, i, WRITES, ms),
			.counted_ms = ms,
			.frozen_age = answer_number(last, i, FROZEN) };
	}
}

static void
take_live(const struct questions *q, struct db *db, struct rehearsal_records *r, struct arena *texts)
{
	if (answer_rows(q->live) > 0) {
		r->live_known = true;
		r->live = (struct live){ .sees_all = answer_flag(q->live, 0, 0),
			.frozen_age = answer_count(q->live, 0, 1),
			.freeze_max_age = answer_count(q->live, 0, 2),
			.extensions = arena_copy(texts, answer_text(q->live, 0, 3) != NULL ? answer_text(q->live, 0, 3) : "[]") };
	}
	if (q->active == NULL)
		message_warning("it is not known who is in the way now: %s", db_error(db)->message);
	if (q->published[PUBLICATIONS_TABLES] == NULL)
		message_warning("it is not known which tables are published: %s", db_error(db)->message);
	publications_take((const struct answer *const *)q->published, r, texts);
	r->activities = activity_take(q->active, q->wanted, q->count, texts, &r->activity_count);
}

int
load_take(struct db *production, long long window_ms, struct rehearsal_records *r, struct arena *texts)
{
	struct questions q = { 0 };
	enum db_outcome outcome = DB_OK;
	int code = 0;

	q.wanted = activity_wanted_of(r, &q.count);
	make_questions(&q, db_server_version_num(production));
	if (window_ms > 0 && (outcome = ask_at_once(production, &q, false, &q.first)) == DB_OK)
		clock_sleep_ms(window_ms);
	if (outcome == DB_OK && signals_caught() == 0)
		outcome = ask_at_once(production, &q, true, &q.last);
	if (outcome != DB_OK)
		code = db_say(production, outcome, "ask how large and how busy the tables are");
	else if (signals_caught() != 0)
		code = 128 + signals_caught();
	else {
		take_loads(&q, window_ms, r, texts);
		take_live(&q, production, r, texts);
	}
	questions_free(&q);
	return code;
}
