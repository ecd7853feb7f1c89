#include "index.h"

/* to_regclass() reads names as SQL does.  An index is made in its table's schema, whatever the search path. */
static const char find_sql[] =
    "SELECT i.indisvalid AND i.indisready, c.oid::regclass::text FROM pg_catalog.pg_index i "
    "JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid "
    "WHERE CASE WHEN $2::text IS NULL THEN c.oid = pg_catalog.to_regclass($1) "
    "ELSE i.indrelid = pg_catalog.to_regclass($2) AND c.relname = (pg_catalog.parse_ident($1))[1] END";

/* What REINDEX CONCURRENTLY builds beside, and leaves where it is cut off; not what somebody builds right now. */
static const char halves_sql[] =
    "SELECT c.oid::regclass::text FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid "
    "WHERE NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$' "
    "AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = c.oid) "
    "AND ($1::text IS NULL OR i.indrelid = pg_catalog.to_regclass($1) OR i.indrelid = "
    "(SELECT o.indrelid FROM pg_catalog.pg_index o WHERE o.indexrelid = pg_catalog.to_regclass($1)))";

static bool
drop(struct db *db, const char *name)
{
	struct bytes sql = { 0 };
	bool dropped;

	bytes_format(&sql, "DROP INDEX CONCURRENTLY IF EXISTS %s", name);
	dropped = db_run(db, sql.data, NULL) == DB_OK;
	bytes_free(&sql);
	return dropped;
}

static enum index_found
drop_halves(struct db *db, const char *name)
{
	const char *const parameters[] = { name };
	enum index_found found = INDEX_AGAIN;
	struct answer *answer;
	size_t i;

	if (db_query(db, &answer, halves_sql, 1, parameters) != DB_OK)
		return INDEX_ERROR;
	for (i = 0; found == INDEX_AGAIN && i < answer_rows(answer); i++)
		if (!drop(db, answer_text(answer, i, 0)))
			found = INDEX_ERROR;
	answer_free(answer);
	return found;
}

enum index_found
index_settle(struct db *db, const struct aim *aim)
{
	const char *const parameters[] = { aim->name.data, aim->table.data };
	enum index_found found = INDEX_AGAIN;
	struct answer *answer;
	bool there;

	if (aim->act == AIM_REPEAT || aim->act == AIM_NONE)
		return INDEX_AGAIN;
	if (aim->act == AIM_REINDEX)
		return drop_halves(db, aim->name.data);
	if (db_query(db, &answer, find_sql, 2, parameters) != DB_OK)
		return INDEX_ERROR;
	there = answer_rows(answer) > 0;
	if (aim->act == AIM_DROP_INDEX && !there)
		found = INDEX_ENDED;
	else if (aim->act == AIM_CREATE_INDEX && there && answer_flag(answer, 0, 0))
		found = INDEX_ENDED;
	else if (aim->act == AIM_CREATE_INDEX && there && !drop(db, answer_text(answer, 0, 1)))
		found = INDEX_ERROR;
	answer_free(answer);
	return found;
}
