/*
 * How a statement of ours is kept from other people's functions, operators, types and views.
 *
 * A name without a schema means the best match in any schema of the search path, and whoever may CREATE in one of them
 * may make a better match than pg_catalog has.  So a statement is either qualified to the last operator, or it is parsed
 * with pg_catalog alone: behind OWN_SQL_ENTER, and before OWN_SQL_LEAVE, both in its transaction.  What it has to look up
 * or to show as the session would is evaluated with the session's search path all the same: OWN_SQL_AS_SESSION().
 */
#ifndef MIG_BASE_OWN_SQL_H
#define MIG_BASE_OWN_SQL_H

#define OWN_SQL_ENTER "SELECT pg_catalog.set_config('mig.search_path', pg_catalog.current_setting('search_path'), true), " \
	"pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true)"
#define OWN_SQL_LEAVE "SELECT pg_catalog.set_config('search_path', pg_catalog.current_setting('mig.search_path'), true)"

/* Where an index is to be used for the outcome: in a SELECT of its own. */
#define OWN_SQL_AS_SESSION(expression) "CASE WHEN pg_catalog.set_config('search_path', " \
	"pg_catalog.current_setting('mig.search_path'), true) IS NOT NULL THEN " expression " END"

#endif
