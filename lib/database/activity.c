#include "database/activity.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/null.h"
#include "database/session_columns.h"

enum { KIND, PID, APPLICATION, USER, CLIENT, STATE, AGE, WORD, GID, SCHEMA, RELATION, MODE, WAITING, WRAPAROUND, LAG_MS, LAG_BYTES };

/* The wanted relations that are there, and the strongest lock that each transaction has on each, and that it waits for. */
#define BEFORE_NAMES \
	"WITH wanted AS MATERIALIZED (SELECT c.oid, n.nspname, c.relname, c.relfrozenxid FROM "
#define BEHIND_NAMES \
	" v (schema, name) JOIN pg_namespace n ON n.nspname = v.schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = v.name), " \
	"every AS MATERIALIZED (SELECT * FROM pg_locks), " \
	"locks AS MATERIALIZED (SELECT DISTINCT ON (l.virtualtransaction, w.oid, l.granted) l.pid, l.virtualtransaction, w.nspname, w.relname, l.mode, NOT l.granted AS waiting, " \
	"age(w.relfrozenxid) > current_setting('autovacuum_freeze_max_age')::int4 AS old FROM every l JOIN wanted w ON w.oid = l.relation " \
	"WHERE l.locktype = 'relation' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "   \
	"ORDER BY l.virtualtransaction, w.oid, l.granted, array_position(ARRAY['AccessShareLock', 'RowShareLock', 'RowExclusiveLock', " \
	"'ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'], l.mode) DESC) "

/* Whether an autovacuum is one that gives way to nobody: its text says it, or, where that is hidden, the table's age. */
#define GIVES_NO_WAY "CASE WHEN a.query LIKE 'autovacuum:%' THEN a.query LIKE '%(to prevent wraparound)' ELSE coalesce(l.old, false) END"

#define SESSIONS                                                                                                            \
	"SELECT CASE WHEN " SESSION_KIND " = 'autovacuum worker' THEN 'autovacuum' ELSE 'transaction' END AS kind, a.pid, "  \
	"a.application_name, a.usename::text, host(a.client_addr), a.state, " SESSION_AGE " AS age, " SESSION_WORD ", NULL::text, l.nspname, " \
	"l.relname, l.mode, coalesce(l.waiting, false) AS waiting, " SESSION_KIND " = 'autovacuum worker' AND " GIVES_NO_WAY ", NULL::int8, NULL::int8 "            \
	"FROM pg_stat_activity a LEFT JOIN locks l ON l.pid = a.pid "                                                       \
	"WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND (l.pid IS NOT NULL OR a.xact_start < clock_timestamp() - interval '1 s') "

/* A prepared transaction has no process; all its locks have the same virtual number, and one is on its own. */
#define PREPARED                                                                                                            \
	"SELECT 'prepared', NULL, NULL, p.owner::text, NULL, NULL, (extract(epoch FROM clock_timestamp() - p.prepared) * 1000)::int8, NULL, " \
	"p.gid, l.nspname, l.relname, l.mode, false, false, NULL, NULL FROM pg_prepared_xacts p "                                  \
	"LEFT JOIN every x ON x.locktype = 'transactionid' AND x.pid IS NULL AND x.transactionid = p.transaction "         \
	"LEFT JOIN locks l ON l.pid IS NULL AND l.virtualtransaction = x.virtualtransaction WHERE p.database = current_database() "

#define BACKUPS                                                                                                             \
	"SELECT 'backup', b.pid, a.application_name, a.usename::text, host(a.client_addr), a.state, "                       \
	"(extract(epoch FROM clock_timestamp() - a.backend_start) * 1000)::int8, NULL, NULL, NULL, NULL, NULL, false, false, NULL, NULL " \
	"FROM pg_stat_progress_basebackup b LEFT JOIN pg_stat_activity a ON a.pid = b.pid "

#define STANDBYS                                                                                                            \
	"SELECT 'standby', r.pid, coalesce(r.application_name, a.application_name), a.usename::text, host(a.client_addr), r.state, NULL, NULL, " \
	"NULL, NULL, NULL, NULL, false, false, (extract(epoch FROM r.replay_lag) * 1000)::int8, "                                  \
	"CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), r.replay_lsn)::int8 END "              \
	"FROM pg_stat_replication r LEFT JOIN pg_stat_activity a ON a.pid = r.pid "                                         \
	"WHERE r.pid NOT IN (SELECT b.pid FROM pg_stat_progress_basebackup b) "

/* --- what is wanted --- */

static int
compare_wanted(const void *x, const void *y)
{
	const struct activity_wanted *a = x, *b = y;
	int order = strcmp(a->schema, b->schema);

	return order != 0 ? order : strcmp(a->relation, b->relation);
}

size_t
activity_wanted_sort(struct activity_wanted wanted[], size_t count)
{
	size_t kept = 0, i;

	if (count > 0)
		qsort(wanted, count, sizeof *wanted, compare_wanted);
	for (i = 0; i < count; i++)
		if (kept == 0 || compare_wanted(&wanted[kept - 1], &wanted[i]) != 0)
			wanted[kept++] = wanted[i];
		else if (wanted[i].mode > wanted[kept - 1].mode)
			wanted[kept - 1].mode = wanted[i].mode;
	return kept;
}

struct activity_wanted *
activity_wanted_of(const struct rehearsal_records *r, size_t *count)
{
	struct activity_wanted *wanted = xcalloc(r->count + 1, sizeof *wanted);
	size_t i, n = 0;

	for (i = 0; i < r->count; i++)
		if (r->effects[i].relation != NULL && r->effects[i].made_by == NULL)
			wanted[n++] = (struct activity_wanted){ r->effects[i].schema, r->effects[i].relation,
				r->effects[i].effect == EFFECT_LOCK && r->effects[i].detail == NULL ? r->effects[i].mode : LOCK_NULL };
	*count = activity_wanted_sort(wanted, n);
	return wanted;
}

/* --- asking --- */

static void
add_element(struct bytes *list, const char *text)
{
	bytes_str(list, list->len == 0 ? "{\"" : ",\"");
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			bytes_char(list, '\\');
		bytes_char(list, *text);
	}
	bytes_char(list, '"');
}

static void
add_list(struct bytes *sql, struct bytes *list)
{
	bytes_str(list, list->len == 0 ? "{}" : "}");
	bytes_sql_text(sql, list->data);
	bytes_str(sql, "::text[]");
	bytes_free(list);
}

void
activity_wanted_sql(struct bytes *sql, const struct activity_wanted wanted[], size_t count)
{
	struct bytes schemas = { 0 }, names = { 0 };
	size_t i;

	for (i = 0; i < count; i++) {
		add_element(&schemas, wanted[i].schema);
		add_element(&names, wanted[i].relation);
	}
	bytes_str(sql, "unnest(");
	add_list(sql, &schemas);
	bytes_str(sql, ", ");
	add_list(sql, &names);
	bytes_char(sql, ')');
}

void
activity_sql(struct bytes *sql, const struct activity_wanted wanted[], size_t count)
{
	bytes_str(sql, BEFORE_NAMES);
	activity_wanted_sql(sql, wanted, count);
	bytes_str(sql, BEHIND_NAMES "SELECT * FROM (" SESSIONS "UNION ALL " PREPARED "UNION ALL " BACKUPS "UNION ALL " STANDBYS
	    ") u ORDER BY age DESC NULLS LAST, pid, nspname COLLATE \"C\", relname COLLATE \"C\", waiting");
}

/* --- what was answered --- */

static bool
is_in_the_way(const struct activity *a, const struct activity_wanted wanted[], size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(wanted[i].relation, a->relation) == 0 && strcmp(wanted[i].schema, a->schema) == 0 &&
		    lock_modes_conflict(wanted[i].mode, a->mode))
			return true;
	return false;
}

static enum activity_kind
kind_of(const char *word)
{
	int i = 0;

	while (activity_words[i] != NULL && strcmp(activity_words[i], word) != 0)
		i++;
	return activity_words[i] != NULL ? (enum activity_kind)i : ACTIVITY_TRANSACTION;
}

static struct activity
activity_of(const struct answer *a, size_t row, struct arena *texts)
{
	const char *mode = answer_text(a, row, MODE);

	return (struct activity){ .activity = kind_of(answer_word(a, row, KIND)),
		.pid = answer_number(a, row, PID),
		.application = arena_copy(texts, answer_text(a, row, APPLICATION)),
		.user = arena_copy(texts, answer_text(a, row, USER)),
		.client = arena_copy(texts, answer_text(a, row, CLIENT)),
		.state = arena_copy(texts, answer_text(a, row, STATE)),
		.age_ms = answer_number(a, row, AGE),
		.command = arena_copy(texts, answer_text(a, row, WORD)),
		.gid = arena_copy(texts, answer_text(a, row, GID)),
		.schema = arena_copy(texts, answer_text(a, row, SCHEMA)),
		.relation = arena_copy(texts, answer_text(a, row, RELATION)),
		.mode = mode != NULL ? lock_mode_of(mode) : LOCK_NULL,
		.waiting = answer_flag(a, row, WAITING),
		.wraparound = answer_flag(a, row, WRAPAROUND),
		.lag_ms = answer_number(a, row, LAG_MS),
		.lag_bytes = answer_number(a, row, LAG_BYTES) };
}

/* There are always some of these. */
static bool
is_brief(const struct activity *a)
{
	enum { BRIEF_MS = 1000 };

	return a->activity == ACTIVITY_TRANSACTION && a->age_ms != NUMBER_UNKNOWN && a->age_ms < BRIEF_MS;
}

/* Whether it is told already, for a relation that it has in the way. */
static bool
is_told(const struct activity list[], size_t count, const struct activity *a)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (list[i].activity == a->activity && (a->gid != NULL ? list[i].gid != NULL && strcmp(list[i].gid, a->gid) == 0 : list[i].pid == a->pid))
			return true;
	return false;
}

/* What of the rest is told: the oldest of the transactions whose age is known, and what else there is. */
static bool
is_of_interest(const struct activity *a, size_t *oldest)
{
	enum { OLDEST = 5 };

	if (a->activity == ACTIVITY_AUTOVACUUM || (a->activity == ACTIVITY_TRANSACTION && a->age_ms == NUMBER_UNKNOWN))
		return false;
	return a->activity != ACTIVITY_TRANSACTION || (*oldest)++ < OLDEST;
}

struct activity *
activity_take(const struct answer *answer, const struct activity_wanted wanted[], size_t count, struct arena *texts, size_t *activity_count)
{
	size_t rows = answer_rows(answer), n = 0, oldest = 0, i;
	struct activity *list = xcalloc(2 * rows + 1, sizeof *list), *all = list + rows;

	for (i = 0; i < rows; i++) {
		all[i] = activity_of(answer, i, texts);
		if (all[i].relation != NULL && !is_brief(&all[i]) && is_in_the_way(&all[i], wanted, count))
			list[n++] = all[i];
	}
	for (i = 0; i < rows; i++) {
		struct activity a = all[i];

		if (is_brief(&a) || is_told(list, n, &a) || !is_of_interest(&a, &oldest))
			continue;
		a.schema = a.relation = NULL;
		a.mode = LOCK_NULL;
		a.waiting = false;
		list[n++] = a;
	}
	*activity_count = n;
	return list;
}
