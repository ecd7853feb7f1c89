#include "database/leftovers.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/own_sql.h"

/* --- looking --- */

/* The relation that a name leads to in the session. */
#define NAMED(parameter) "(SELECT " OWN_SQL_AS_SESSION("to_regclass(" parameter ")") ")"

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
    "SELECT " FOUND "WHERE CASE WHEN $2::text IS NULL THEN c.oid = " NAMED("$1") " "
    "ELSE i.indrelid = " NAMED("$2") " AND c.relname = (pg_catalog.parse_ident($1))[1]::name END";

/* What a definition says behind the names of index and table. */
#define BEHIND_NAMES(i) \
	"(SELECT split_part(pg_catalog.pg_get_indexdef(" i ".indexrelid), '.' || quote_ident(t.relname) || ' USING ', 2) " \
	"FROM pg_catalog.pg_class t WHERE t.oid = " i ".indrelid)"

/* Indexes of the table $1 that are what the twin's is; those that are not valid first. */
static const char same_sql[] =
    "SELECT " FOUND "WHERE i.indrelid = " NAMED("$1") " AND (i.indisunique, " BEHIND_NAMES("i") ") = "
    "(SELECT w.indisunique, " BEHIND_NAMES("w") " FROM pg_catalog.pg_index w "
    "WHERE w.indrelid = 'pg_temp." INTERRUPTED_TWIN "'::regclass) ORDER BY i.indisvalid AND i.indisready";

/*
 * What REINDEX CONCURRENTLY builds next to an index, and leaves where it is interrupted; of a partitioned table or index, that
 * of its partitions.
 */
static const char halves_sql[] =
    "SELECT " FOUND "WHERE NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$' AND ($1::text IS NULL OR i.indrelid IN "
    "(SELECT coalesce(t.relid, b.oid) FROM (SELECT coalesce((SELECT o.indrelid FROM pg_catalog.pg_index o "
    "WHERE o.indexrelid = " NAMED("$1") "), " NAMED("$1") ") AS oid) b "
    "LEFT JOIN LATERAL pg_catalog.pg_partition_tree(b.oid::regclass) t ON true))";

/* Whether the partition $1 is one of $2 still, and whether it waits for FINALIZE. */
static const char detach_sql[] = "SELECT i.inhdetachpending FROM pg_catalog.pg_inherits i "
                                 "WHERE i.inhrelid = " NAMED("$1") " AND i.inhparent = " NAMED("$2") "";

static const char *const object_sql[] = {
	[INTERRUPTED_DATABASE] = "SELECT FROM pg_catalog.pg_database WHERE datname = (pg_catalog.parse_ident($1::text))[1]::name",
	[INTERRUPTED_TABLESPACE] = "SELECT FROM pg_catalog.pg_tablespace WHERE spcname = (pg_catalog.parse_ident($1::text))[1]::name",
	[INTERRUPTED_SUBSCRIPTION] = ("SELECT FROM pg_catalog.pg_subscription WHERE subname = (pg_catalog.parse_ident($1::text))[1]::name "
	                     "AND subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())"),
};

static enum db_outcome
find_same(struct db *db, const struct interrupted *aim, struct answer **answer)
{
	const char *const parameters[] = { aim->table.data };
	struct bytes sql = { 0 };
	enum db_outcome outcome;

	bytes_str(&sql, db_transaction(db) == DB_IDLE ? "BEGIN; " : "");
	bytes_format(&sql, "CREATE TEMP TABLE " INTERRUPTED_TWIN " (LIKE %s); %s", aim->table.data, aim->twin.data);
	outcome = db_run(db, sql.data, NULL);
	if (outcome == DB_OK)
		outcome = db_query_ours(db, answer, same_sql, 1, parameters);
	bytes_free(&sql);
	if (!db_rollback(db) && outcome == DB_OK) {
		answer_free(*answer);
		*answer = NULL;
		outcome = DB_LOST;
	}
	return outcome;
}

/* What there is of the statement's object: rows as FOUND has them, of DETACH as detach_sql, else only whether there is one. */
static enum db_outcome
find(struct db *db, const struct interrupted *aim, struct answer **answer)
{
	const char *const parameters[] = { aim->name.data, aim->table.data };

	switch (aim->act) {
	case INTERRUPTED_REINDEX:
		return db_query_ours(db, answer, halves_sql, 1, parameters);
	case INTERRUPTED_DETACH:
		return db_query_ours(db, answer, detach_sql, 2, parameters);
	case INTERRUPTED_CREATE:
	case INTERRUPTED_DROP:
		return db_query_ours(db, answer, object_sql[aim->object], 1, parameters);
	case INTERRUPTED_CREATE_INDEX:
		if (aim->name.len == 0)
			return find_same(db, aim, answer);
		break;
	case INTERRUPTED_DROP_INDEX:
	case INTERRUPTED_NONE:
	case INTERRUPTED_REPEAT:
		break;
	}
	return db_query_ours(db, answer, find_sql, 2, parameters);
}

static enum left
judge_indexes(const struct interrupted *aim, const struct answer *answer)
{
	size_t rows = answer_rows(answer), invalid = 0, i;

	if (aim->act == INTERRUPTED_DROP_INDEX)
		return rows == 0 ? LEFT_DONE : answer_flag(answer, 0, FOUND_VALID) ? LEFT_NOTHING : LEFT_HALF;
	for (i = 0; i < rows; i++) {
		if (answer_flag(answer, i, FOUND_VALID))
			continue;
		if (answer_flag(answer, i, FOUND_BEING_BUILT))
			return LEFT_BEING_BUILT;
		invalid++;
	}
	if (invalid > 0)
		return LEFT_HALF;
	return aim->act == INTERRUPTED_CREATE_INDEX && rows > 0 ? LEFT_DONE : LEFT_NOTHING;
}

static enum left
judge(const struct interrupted *aim, const struct answer *answer)
{
	bool there = answer_rows(answer) > 0;

	switch (aim->act) {
	case INTERRUPTED_DETACH:
		return !there ? LEFT_DONE : answer_flag(answer, 0, 0) ? LEFT_HALF : LEFT_NOTHING;
	case INTERRUPTED_CREATE:
		return there ? LEFT_DONE : LEFT_NOTHING;
	case INTERRUPTED_DROP:
		return there ? LEFT_NOTHING : LEFT_DONE;
	case INTERRUPTED_CREATE_INDEX:
	case INTERRUPTED_DROP_INDEX:
	case INTERRUPTED_REINDEX:
	case INTERRUPTED_NONE:
	case INTERRUPTED_REPEAT:
		break;
	}
	return judge_indexes(aim, answer);
}

/* The answer is the caller's where there is one. */
static enum left
look(struct db *db, const struct interrupted *aim, struct answer **answer, enum db_outcome *outcome)
{
	*answer = NULL;
	*outcome = DB_OK;
	if (aim->act == INTERRUPTED_NONE || aim->act == INTERRUPTED_REPEAT)
		return LEFT_UNKNOWN;
	if (aim->act == INTERRUPTED_DETACH && db_server_version_num(db) < 140000)
		return LEFT_NOTHING; /* this is not such a statement */
	*outcome = find(db, aim, answer);
	return *outcome == DB_OK ? judge(aim, *answer) : LEFT_ERROR;
}

enum left
left_look(struct db *db, const struct interrupted *aim, enum db_outcome *outcome)
{
	struct answer *answer;
	enum left left = look(db, aim, &answer, outcome);

	answer_free(answer);
	return left;
}

/* --- settling --- */

static enum db_outcome
drop_invalid(struct db *db, const struct answer *answer)
{
	enum db_outcome outcome = DB_OK;
	size_t i;

	for (i = 0; outcome == DB_OK && i < answer_rows(answer); i++) {
		struct bytes sql = { 0 };

		if (answer_flag(answer, i, FOUND_VALID))
			continue;
		bytes_format(&sql, "DROP INDEX CONCURRENTLY IF EXISTS %s", answer_text(answer, i, FOUND_NAME));
		outcome = db_run(db, sql.data, NULL);
		bytes_free(&sql);
	}
	return outcome;
}

static enum db_outcome
finalize(struct db *db, const struct interrupted *aim)
{
	struct bytes sql = { 0 };
	enum db_outcome outcome;

	bytes_format(&sql, "ALTER TABLE %s DETACH PARTITION %s FINALIZE", aim->table.data, aim->name.data);
	outcome = db_run(db, sql.data, NULL);
	bytes_free(&sql);
	return outcome;
}

enum left
left_settle(struct db *db, const struct interrupted *aim, enum db_outcome *outcome)
{
	struct answer *answer;
	enum left left = look(db, aim, &answer, outcome);

	if (left == LEFT_HALF && aim->act == INTERRUPTED_DETACH) {
		*outcome = finalize(db, aim);
		left = *outcome == DB_OK ? LEFT_DONE : LEFT_ERROR;
	} else if (left == LEFT_HALF && aim->act == INTERRUPTED_DROP_INDEX) {
		left = LEFT_NOTHING; /* it can run again as it is */
	} else if (left == LEFT_HALF) {
		bool valid = aim->act == INTERRUPTED_CREATE_INDEX && answer_flag(answer, answer_rows(answer) - 1, FOUND_VALID);

		*outcome = drop_invalid(db, answer);
		left = *outcome != DB_OK ? LEFT_ERROR : valid ? LEFT_DONE : LEFT_REMOVED;
	}
	answer_free(answer);
	return left;
}

void
left_demand_sql(struct bytes *out, const struct interrupted *aim)
{
	if (aim->act != INTERRUPTED_CREATE_INDEX || aim->name.len == 0)
		return;
	bytes_str(out, "SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*) FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c "
	               "ON c.oid OPERATOR(pg_catalog.=) i.indexrelid WHERE i.indisvalid AND i.indisready "
	               "AND i.indrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(");
	bytes_sql_text(out, aim->table.data);
	bytes_str(out, ") AND c.relname OPERATOR(pg_catalog.=) (pg_catalog.parse_ident(");
	bytes_sql_text(out, aim->name.data);
	bytes_str(out, "))[1]::pg_catalog.name;");
}
