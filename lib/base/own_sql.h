/*
 * Keeps our own SQL statements from calling other users' functions, operators, types and views.
 *
 * An unqualified name resolves to the best match in any schema of the search path, and a role with CREATE on one
 * of these schemas can make a better match than pg_catalog has.  So each statement of ours is either fully
 * qualified, operators included, or it is parsed with only pg_catalog in the search path: after OWN_SQL_ENTER and
 * before OWN_SQL_LEAVE, all in one transaction.  An expression that must resolve names as the session would is
 * evaluated with the session's search path: OWN_SQL_AS_SESSION().
 */
#ifndef MIG_BASE_OWN_SQL_H
#define MIG_BASE_OWN_SQL_H

#define OWN_SQL_ENTER "SELECT pg_catalog.set_config('mig.search_path', pg_catalog.current_setting('search_path'), true), " \
	"pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true)"
#define OWN_SQL_LEAVE "SELECT pg_catalog.set_config('search_path', pg_catalog.current_setting('mig.search_path'), true)"

/* If the result is to be used for an index lookup: put this in a SELECT of its own. */
#define OWN_SQL_AS_SESSION(expression) "CASE WHEN pg_catalog.set_config('search_path', " \
	"pg_catalog.current_setting('mig.search_path'), true) IS NOT NULL THEN " expression " END"

#endif
