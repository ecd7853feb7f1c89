/* What a database is asked. */
#include "check/database_internal.h"

#include "base/own_sql.h"
#include "database/publications.h"

#define SECONDS(since) "extract(epoch FROM clock_timestamp() - " since ")::bigint"
#define FIRST_WORD(query) "upper(substring(" query " FROM '^\\s*([A-Za-z]+)'))"
#define THIS_DATABASE "(SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())"
#define SHOWN_ROWS " LIMIT 5"

/*
 * A name for a command to paste: the user's session has another search path, in which the unqualified name may
 * mean another relation.
 */
#define QUALIFIED(oid) \
	"(SELECT quote_ident(n.nspname::text) || '.' || quote_ident(q.relname::text) FROM pg_catalog.pg_class q " \
	"JOIN pg_catalog.pg_namespace n ON n.oid = q.relnamespace WHERE q.oid = " oid ")"

static const char who_sql[] =
    "SELECT pg_is_in_recovery(), current_user, "
    "current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int, "
    "(SELECT sum(numbackends) FROM pg_catalog.pg_stat_database), d.datconnlimit, "
    "(SELECT numbackends FROM pg_catalog.pg_stat_database s WHERE s.datid = d.oid), "
    "(SELECT count(*) FROM pg_catalog.pg_stat_activity a WHERE a.datid = d.oid AND a.backend_type IS NULL) "
    "FROM pg_catalog.pg_database d WHERE d.datname = current_database()";

/*
 * Not every role can see which index is being built; but every role can see the builder's lock on the table.
 * REINDEX and DROP INDEX CONCURRENTLY lock the index itself.
 */
static const char indexes_sql[] =
    "SELECT " OWN_SQL_AS_SESSION("i.indexrelid::regclass::text") ", " OWN_SQL_AS_SESSION("i.indrelid::regclass::text") ", count(*) OVER (), "
    QUALIFIED("i.indexrelid") ", (SELECT relispartition FROM pg_catalog.pg_class WHERE oid = i.indexrelid) "
    "FROM pg_catalog.pg_index i WHERE NOT i.indisvalid AND i.indislive "
    "AND (SELECT relkind FROM pg_catalog.pg_class WHERE oid = i.indexrelid) = 'i' "
    "AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p "
    "JOIN pg_catalog.pg_locks l ON l.pid = p.pid WHERE p.datname = current_database() "
    "AND l.relation = i.indrelid AND l.mode = 'ShareUpdateExclusiveLock' AND l.granted) "
    "AND NOT EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE l.relation = i.indexrelid AND l.granted "
    "AND l.mode = 'ShareUpdateExclusiveLock') ORDER BY 1" SHOWN_ROWS;

static const char constraints_sql[] =
    "SELECT quote_ident(conname), " QUALIFIED("conrelid") ", count(*) OVER () "
    "FROM pg_catalog.pg_constraint c WHERE NOT convalidated AND conrelid <> 0 "
    "AND coalesce((to_jsonb(c) ->> 'conenforced')::boolean, true) ORDER BY 1" SHOWN_ROWS;

static const char transactions_sql[] =
    "SELECT a.pid, a.usename, host(a.client_addr), a.application_name, a.state, " SECONDS("a.xact_start") ", "
    "(SELECT string_agg(DISTINCT " OWN_SQL_AS_SESSION("l.relation::regclass::text") ", ', ') FROM pg_catalog.pg_locks l "
    "JOIN pg_catalog.pg_class c ON c.oid = l.relation WHERE l.pid = a.pid AND l.granted "
    "AND l.database = a.datid AND c.relkind IN ('r', 'p', 'm') "
    "AND c.relnamespace <> 'pg_catalog'::regnamespace), "
    "(SELECT count(DISTINCT w.pid) FROM pg_catalog.pg_locks w WHERE NOT w.granted "
    "AND a.pid = ANY (pg_catalog.pg_blocking_pids(w.pid))), " FIRST_WORD("a.query") " "
    "FROM pg_catalog.pg_stat_activity a WHERE a.datname = current_database() "
    "AND a.pid <> pg_backend_pid() AND a.backend_type = 'client backend' AND a.xact_start IS NOT NULL "
    "ORDER BY a.xact_start" SHOWN_ROWS;

static const char prepared_sql[] =
    "SELECT quote_literal(gid), owner, " SECONDS("prepared") " FROM pg_catalog.pg_prepared_xacts "
    "WHERE database = current_database() ORDER BY prepared" SHOWN_ROWS;

/* The prepared transaction that a session waits for: its locks have no pid, but the number of one on itself. */
#define PREPARED_BEFORE(w) \
	"(SELECT quote_literal(p.gid) FROM pg_catalog.pg_prepared_xacts p WHERE p.database = current_database() " \
	"AND (p.transaction = " w ".transactionid OR EXISTS (SELECT FROM pg_catalog.pg_locks l " \
	"JOIN pg_catalog.pg_locks x ON x.virtualtransaction = l.virtualtransaction WHERE l.pid IS NULL AND x.pid IS NULL " \
	"AND l.granted AND l.locktype = 'relation' AND " w ".locktype = 'relation' AND l.relation = " w ".relation " \
	"AND x.granted AND x.transactionid = p.transaction)) ORDER BY p.prepared LIMIT 1)"

/* pg_locks has waitstart since PostgreSQL 14. */
static const char blocked_sql[] =
    "SELECT w.pid, " SECONDS("coalesce((to_jsonb(w) ->> 'waitstart')::timestamptz, a.query_start)") ", "
    "" OWN_SQL_AS_SESSION("w.relation::regclass::text") ", by[1], b.usename, host(b.client_addr), b.application_name, b.state, "
    FIRST_WORD("b.query") ", count(*) OVER (), CASE WHEN by[1] = 0 THEN " PREPARED_BEFORE("w") " END FROM pg_catalog.pg_locks w "
    "LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = w.pid "
    "CROSS JOIN LATERAL pg_catalog.pg_blocking_pids(w.pid) AS by "
    "LEFT JOIN pg_catalog.pg_stat_activity b ON b.pid = by[1] "
    "WHERE NOT w.granted AND by[1] IS NOT NULL AND a.datname = current_database() "
    "ORDER BY 2 DESC NULLS LAST" SHOWN_ROWS;

/*
 * What has been received and not replayed is at most as old as the last commit that was replayed.  A standby
 * that an archive feeds receives nothing itself: that age is all that is known of it.
 */
static const char standby_sql[] =
    "SELECT CASE WHEN pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn() THEN 0 "
    "ELSE extract(epoch FROM clock_timestamp() - "
    "coalesce(pg_last_xact_replay_timestamp(), pg_postmaster_start_time())) * 1000 END::bigint, "
    "pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::bigint, "
    "EXISTS (SELECT FROM pg_catalog.pg_stat_wal_receiver) OR (pg_last_wal_receive_lsn() IS NULL "
    "AND coalesce(current_setting('restore_command', true), '') <> ''), pg_is_wal_replay_paused() "
    "WHERE pg_is_in_recovery()";

static const char standbys_sql[] =
    "SELECT application_name, host(client_addr), state, (extract(epoch FROM replay_lag) * 1000)::bigint, "
    "pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint FROM pg_catalog.pg_stat_replication "
    "WHERE NOT pg_is_in_recovery() ORDER BY 4 DESC NULLS LAST" SHOWN_ROWS;

/* A sequence ends where its column's type does, if that is earlier; it need not begin at 1. */
static const char sequences_sql[] =
    "SELECT " OWN_SQL_AS_SESSION("p.oid::regclass::text") ", percent, hidden FROM (SELECT q.oid, "
    "(100 * (q.last::numeric - q.min) / nullif(q.end::numeric - q.min, 0))::bigint AS percent, "
    "count(*) FILTER (WHERE NOT q.seen) OVER () AS hidden FROM ("
    "SELECT c.oid, has_sequence_privilege(c.oid, 'SELECT') AS seen, "
    "CASE WHEN has_sequence_privilege(c.oid, 'SELECT') AND NOT (pg_is_in_recovery() AND c.relpersistence = 'u') "
    "THEN pg_sequence_last_value(c.oid) END AS last, "
    "s.seqmin AS min, least(s.seqmax, CASE a.atttypid WHEN 'int2'::regtype THEN 32767 "
    "WHEN 'int4'::regtype THEN 2147483647 ELSE s.seqmax END) AS end "
    "FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid "
    "LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid "
    "AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i') "
    "LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid "
    "WHERE NOT s.seqcycle AND s.seqincrement > 0 AND c.relpersistence <> 't') q) p "
    "ORDER BY percent DESC NULLS LAST" SHOWN_ROWS;

static const char ids_sql[] =
    "SELECT quote_ident(datname), "
    "(greatest(age(datfrozenxid)::bigint, mxid_age(datminmxid)::bigint) * 100 / 2147483648)::bigint "
    "FROM pg_catalog.pg_database WHERE datallowconn ORDER BY 2 DESC LIMIT 1";

static const char counters_sql[] =
    "SELECT xact_rollback, deadlocks, " SECONDS("coalesce(stats_reset, pg_postmaster_start_time())") " "
    "FROM pg_catalog.pg_stat_database WHERE datname = current_database()";

const char *
database_question(size_t ask)
{
	static const char *const questions[ASKS] = { [ASK_WHO] = who_sql, [ASK_INDEXES] = indexes_sql,
		[ASK_CONSTRAINTS] = constraints_sql, [ASK_TRANSACTIONS] = transactions_sql, [ASK_PREPARED] = prepared_sql,
		[ASK_BLOCKED] = blocked_sql, [ASK_STANDBY] = standby_sql, [ASK_STANDBYS] = standbys_sql,
		[ASK_SEQUENCES] = sequences_sql, [ASK_IDS] = ids_sql, [ASK_PUBLISHED] = publications_without_identity_sql,
		[ASK_SLOTS] = publications_slots_sql, [ASK_COUNTERS] = counters_sql };

	return questions[ask];
}
