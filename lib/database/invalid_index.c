#include "database/invalid_index.h"

#include <string.h>

/* --- looking --- */

/*
 * What is known of an index that was found: its name; whether it is valid; and whether another session builds an index
 * on its table right now.  That one may be it: of other roles' builds only the process can be seen.
 */
#define FOUND \
	"c.oid::regclass::text, i.indisvalid AND i.indisready, EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p " \
	"JOIN pg_catalog.pg_locks l ON l.pid = p.pid AND l.locktype = 'relation' AND l.relation = i.indrelid " \
	"AND l.mode = 'ShareUpdateExclusiveLock' AND l.granted WHERE p.pid <> pg_catalog.pg_backend_pid()) " \
	"FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid "
enum { FOUND_NAME, FOUND_VALID, FOUND_BEING_BUILT };

/* to_regclass() reads names as SQL does.  An index is made in its table's schema, whatever the search path. */
static const char find_sql[] =
    "SELECT " FOUND "WHERE CASE WHEN $2::text IS NULL THEN c.oid = pg_catalog.to_regclass($1) "
    "ELSE i.indrelid = pg_catalog.to_regclass($2) AND c.relname = (pg_catalog.parse_ident($1))[1]::name END";

/* What a definition says behind the names of index and table. */
#define BEHIND_NAMES(i) \
	"(SELECT split_part(pg_catalog.pg_get_indexdef(" i ".indexrelid), '.' || quote_ident(t.relname) || ' USING ', 2) " \
	"FROM pg_catalog.pg_class t WHERE t.oid = " i ".indrelid)"

/* Indexes of the table $1 that are what the twin's is; those that are not valid first. */
static const char same_sql[] =
    "SELECT " FOUND "WHERE i.indrelid = pg_catalog.to_regclass($1) AND (i.indisunique, " BEHIND_NAMES("i") ") = "
    "(SELECT w.indisunique, " BEHIND_NAMES("w") " FROM pg_catalog.pg_index w "
    "WHERE w.indrelid = 'pg_temp." AIM_TWIN "'::regclass) ORDER BY i.indisvalid AND i.indisready";

/* What REINDEX CONCURRENTLY builds beside, and leaves where it is cut off; not what somebody builds right now. */
static const char halves_sql[] =
    "SELECT " FOUND "WHERE NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$' "
    "AND ($1::text IS NULL OR i.indrelid = pg_catalog.to_regclass($1) OR i.indrelid = "
    "(SELECT o.indrelid FROM pg_catalog.pg_index o WHERE o.indexrelid = pg_catalog.to_regclass($1)))";

/* The answer is NULL where it could not be had. */
static struct answer *
find_same(struct db *db, const struct aim *aim)
{
	const char *const parameters[] = { aim->table.data };
	struct answer *answer = NULL;
	struct bytes sql = { 0 };

	bytes_format(&sql, "BEGIN; CREATE TEMP TABLE " AIM_TWIN " (LIKE %s); %s", aim->table.data, aim->twin.data);
	if (db_run(db, sql.data, NULL) == DB_OK)
		(void)db_query(db, &answer, same_sql, 1, parameters);
	bytes_free(&sql);
	if (!db_rollback(db) && answer != NULL) {
		answer_free(answer);
		answer = NULL;
	}
	return answer;
}

static struct answer *
find(struct db *db, const struct aim *aim)
{
	const char *const parameters[] = { aim->name.data, aim->table.data };
	struct answer *answer = NULL;

	if (aim->act == AIM_REINDEX)
		(void)db_query(db, &answer, halves_sql, 1, parameters);
	else if (aim->act == AIM_CREATE_INDEX && aim->name.len == 0)
		return find_same(db, aim);
	else
		(void)db_query(db, &answer, find_sql, 2, parameters);
	return answer;
}

/* --- putting right --- */

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

/* Removes those of the answer that are not valid. */
static enum index_found
drop_invalid(struct db *db, const struct answer *answer)
{
	enum index_found found = INDEX_AGAIN;
	size_t i;

	for (i = 0; i < answer_rows(answer); i++) {
		if (answer_flag(answer, i, FOUND_VALID))
			continue;
		if (answer_flag(answer, i, FOUND_BEING_BUILT))
			return INDEX_BEING_BUILT;
		if (!drop(db, answer_text(answer, i, FOUND_NAME)))
			return INDEX_ERROR;
		found = INDEX_REMOVED;
	}
	return found;
}

enum index_found
index_settle(struct db *db, const struct aim *aim)
{
	enum index_found found = INDEX_AGAIN;
	struct answer *answer;
	size_t last;

	if (aim->act == AIM_REPEAT || aim->act == AIM_NONE)
		return INDEX_AGAIN;
	if ((answer = find(db, aim)) == NULL)
		return INDEX_ERROR;
	last = answer_rows(answer);
	if (aim->act == AIM_DROP_INDEX)
		found = last > 0 ? INDEX_AGAIN : INDEX_ENDED;
	else
		found = drop_invalid(db, answer);
	if (aim->act == AIM_CREATE_INDEX && found != INDEX_ERROR && last > 0 && answer_flag(answer, last - 1, FOUND_VALID))
		found = INDEX_ENDED;
	answer_free(answer);
	return found;
}

void
index_demand_sql(struct bytes *out, const struct aim *aim)
{
	if (aim->act != AIM_CREATE_INDEX || aim->name.len == 0)
		return;
	bytes_str(out, "SELECT 1 / count(*) FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid "
	               "WHERE i.indisvalid AND i.indisready AND i.indrelid = pg_catalog.to_regclass(");
	bytes_sql_text(out, aim->table.data);
	bytes_str(out, ") AND c.relname = (pg_catalog.parse_ident(");
	bytes_sql_text(out, aim->name.data);
	bytes_str(out, "))[1]::name;");
}
