#include "rehearse/load.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mig.h"
#include "base/null.h"
#include "base/signals.h"
#include "records/words.h"

/* A partitioned table has no rows of its own: they are its partitions', which are told for themselves. */
#define BEFORE_NAMES                                                                                                \
	"SELECT n.nspname, c.relname, CASE WHEN c.reltuples >= 0 THEN c.reltuples::int8 END, pg_relation_size(c.oid), " \
	"CASE WHEN c.reltoastrelid = 0 THEN 0 ELSE pg_total_relation_size(c.reltoastrelid) END, pg_indexes_size(c.oid), " \
	"pg_stat_get_numscans(c.oid) + (SELECT coalesce(sum(pg_stat_get_numscans(i.indexrelid)), 0)::int8 FROM pg_index i " \
	"WHERE i.indrelid = c.oid), pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid) + "           \
	"pg_stat_get_tuples_deleted(c.oid), (extract(epoch FROM clock_timestamp() - coalesce(pg_stat_get_db_stat_reset_time(d.oid), " \
	"pg_postmaster_start_time())) * 1000)::int8 FROM (VALUES "
#define BEHIND_NAMES                                                                                                \
	") v (schema, name) JOIN pg_namespace n ON n.nspname = v.schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = v.name " \
	"JOIN pg_database d ON d.datname = current_database() WHERE c.relkind IN ('r', 'p', 'm') ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\""

/* Whether an effect before this one names the same relation. */
static bool
is_named_before(const struct rehearsal_records *r, size_t at)
{
	size_t i;

	for (i = 0; i < at; i++)
		if (r->effects[i].relation != NULL && strcmp(r->effects[i].relation, r->effects[at].relation) == 0 &&
		    strcmp(r->effects[i].schema, r->effects[at].schema) == 0)
			return true;
	return false;
}

/* The relations by name; false: there is none. */
static bool
make_question(struct bytes *sql, const struct rehearsal_records *r)
{
	size_t i, n = 0;

	bytes_str(sql, BEFORE_NAMES);
	for (i = 0; i < r->count; i++) {
		if (r->effects[i].relation == NULL || r->effects[i].made_by != NULL || is_named_before(r, i))
			continue;
		bytes_str(sql, n++ > 0 ? ", (" : "(");
		bytes_sql_text(sql, r->effects[i].schema);
		bytes_str(sql, ", ");
		bytes_sql_text(sql, r->effects[i].relation);
		bytes_char(sql, ')');
	}
	bytes_str(sql, BEHIND_NAMES);
	return n > 0;
}

/* Sizes are taken under a lock, for which nobody is to be waited. */
static enum db_outcome
ask(struct db *db, const char *sql, struct answer **answer)
{
	struct db_ask asks[] = { { .sql = "BEGIN READ ONLY", .kind = DB_ASK_BEGINS }, { .sql = "SET LOCAL lock_timeout = '2s'" },
		{ .sql = sql, .ours = true, .ends_unit = true }, { .sql = "END", .kind = DB_ASK_ENDS } };
	enum { ITSELF = 2, COUNT = 4 };
	enum db_outcome outcome = db_query_batch(db, asks, COUNT);
	size_t i;

	if (outcome == DB_OK && asks[ITSELF].outcome != DB_OK)
		outcome = DB_ERROR;
	*answer = outcome == DB_OK ? asks[ITSELF].answer : NULL;
	for (i = 0; i < COUNT; i++)
		if (i != ITSELF || outcome != DB_OK)
			answer_free(asks[i].answer);
	return outcome;
}

enum { SCHEMA, NAME, ROWS, MAIN, TOAST, INDEXES, READS, WRITES, SINCE };

static long long
rate(const struct answer *first, const struct answer *last, size_t row, int column, long long ms)
{
	long long before = first != NULL ? answer_number(first, row, column) : 0, now = answer_number(last, row, column);

	if (now == NUMBER_UNKNOWN || before == NUMBER_UNKNOWN || ms <= 0)
		return NUMBER_UNKNOWN;
	return now > before ? (now - before) * 1000 / ms : 0;
}

static void
take(const struct answer *first, const struct answer *last, long long window_ms, struct rehearsal_records *r, struct arena *texts)
{
	size_t i, count = answer_rows(last);
	bool same = first != NULL && answer_rows(first) == count;

	r->loads = xcalloc(count + 1, sizeof *r->loads);
	r->load_count = count;
	for (i = 0; i < count; i++) {
		long long ms = same ? window_ms : answer_number(last, i, SINCE);

		r->loads[i] = (struct load){ .schema = arena_copy(texts, answer_word(last, i, SCHEMA)),
			.relation = arena_copy(texts, answer_word(last, i, NAME)),
			.rows = answer_number(last, i, ROWS),
			.main_bytes = answer_number(last, i, MAIN),
			.toast_bytes = answer_number(last, i, TOAST),
			.index_bytes = answer_number(last, i, INDEXES),
			.reads_per_s = rate(same ? first : NULL, last, i, READS, ms),
			.writes_per_s = rate(same ? first : NULL, last, i, WRITES, ms),
			.counted_ms = ms };
	}
}

int
load_take(struct db *production, long long window_ms, struct rehearsal_records *r, struct arena *texts)
{
	struct bytes sql = { 0 };
	struct answer *first = NULL, *last = NULL;
	enum db_outcome outcome = DB_OK;
	int code = 0;

	if (make_question(&sql, r)) {
		if (window_ms > 0 && (outcome = ask(production, sql.data, &first)) == DB_OK)
			clock_sleep_ms(window_ms);
		if (outcome == DB_OK && signals_caught() == 0)
			outcome = ask(production, sql.data, &last);
		if (outcome != DB_OK)
			code = db_say(production, outcome, "ask how large and how busy the tables are");
		else if (signals_caught() != 0)
			code = 128 + signals_caught();
		else
			take(first, last, window_ms, r, texts);
	}
	answer_free(first);
	answer_free(last);
	bytes_free(&sql);
	return code;
}
