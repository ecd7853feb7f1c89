/*
 * Columns that describe a session: SQL for statements of ours that have pg_stat_activity as `a`.
 */
#ifndef MIG_DATABASE_SESSION_COLUMNS_H
#define MIG_DATABASE_SESSION_COLUMNS_H

/* An autovacuum worker has no role; its other properties are hidden from a role without pg_monitor. */
#define SESSION_KIND \
	"coalesce(a.backend_type, CASE WHEN a.usesysid IS NULL AND (EXISTS (SELECT FROM pg_catalog.pg_stat_progress_vacuum " \
	"p WHERE p.pid = a.pid) OR EXISTS (SELECT FROM pg_catalog.pg_stat_progress_analyze p WHERE p.pid = a.pid)) " \
	"THEN 'autovacuum worker' END)"

/* Of its transaction, in milliseconds; NULL: hidden, or it has none. */
#define SESSION_AGE "(extract(epoch FROM clock_timestamp() - a.xact_start) * 1000)::bigint"

/* Only the first word of what others do: the text holds customers' data. */
#define SESSION_WORD "upper(substring(a.query FROM '^\\s*([A-Za-z]+)'))"

#endif
