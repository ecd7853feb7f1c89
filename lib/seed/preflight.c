#include "seed/preflight.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "postgres/sqlstate.h"
#include "seed/error_row_internal.h"
#include "seed/upsert.h"

/* Tables with triggers or user-defined rules; whether these may change a row before it is written. */
static const char triggers_sql[] =
    "SELECT t.oid, bool_or(g.tgtype & 7 = 7 OR g.tgtype & 19 = 19) FROM unnest(ARRAY[%s]::oid[]) t(oid) "
    "JOIN pg_catalog.pg_trigger g ON g.tgrelid = t.oid OR g.tgrelid IN (SELECT p.relid FROM pg_partition_tree(t.oid) p) "
    "WHERE NOT g.tgisinternal AND g.tgenabled IN ('O', 'A') GROUP BY t.oid UNION ALL "
    "SELECT r.ev_class, true FROM pg_catalog.pg_rewrite r WHERE r.ev_class = ANY (ARRAY[%s]::oid[]) AND r.ev_enabled IN ('O', 'A')";

/* Foreign keys that are looked at when a row is written. */
static const char links_sql[] =
    "SELECT c.conrelid, c.conname FROM pg_catalog.pg_constraint c WHERE c.contype = 'f' AND c.conrelid = ANY (ARRAY[%s]::oid[]) "
    "AND EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE g.tgconstraint = c.oid AND g.tgrelid = c.conrelid "
    "AND g.tgenabled IN ('O', 'A')) ORDER BY c.conname";

static enum db_outcome
ask_catalog(struct db *db, const struct seed_tables *tables, struct answer **triggers, struct answer **links)
{
	struct bytes oids = { 0 }, sql = { 0 };
	enum db_outcome outcome;
	size_t i;

	for (i = 0; i < tables->count; i++)
		bytes_format(&oids, "%s%s", i > 0 ? "," : "", tables->tables[i].oid);
	bytes_format(&sql, triggers_sql, oids.data, oids.data);
	outcome = db_query_ours(db, triggers, sql.data, 0, NULL);
	sql.len = 0;
	bytes_format(&sql, links_sql, oids.data);
	if (outcome == DB_OK)
		outcome = db_query_ours(db, links, sql.data, 0, NULL);
	bytes_free(&oids);
	bytes_free(&sql);
	return outcome;
}

static bool
may_change(const struct answer *triggers, const struct seed_table *t)
{
	size_t i;

	for (i = 0; i < answer_rows(triggers); i++)
		if (strcmp(answer_word(triggers, i, 0), t->oid) == 0 && answer_flag(triggers, i, 1))
			return true;
	return false;
}

static bool
has_writes(const struct seed_table *t)
{
	return t->sql.inserts || t->sql.updates;
}

/* As the server would say it, with the row. */
static int
say_error(struct db *db, const struct seed_table *t, const struct db_error *e, const char *ctid,
    const char *const *names, size_t count)
{
	struct answer *values = error_row_values(db, t, ctid, names, count);
	int code = error_row_say(e, t, seed_table_line(db, t, ctid, false), e->column,
	    values != NULL ? answer_text(values, 0, 0) : NULL, NULL);

	answer_free(values);
	return code;
}

static enum db_outcome
check_null(struct db *db, const struct seed_table *t, int *code)
{
	struct bytes sql = { 0 };
	struct answer *row = NULL;
	enum db_outcome outcome = DB_OK;

	if (upsert_null(&sql, &t->sql))
		outcome = db_query(db, &row, sql.data, 0, NULL);
	if (outcome == DB_OK && answer_rows(row) > 0) {
		char *column = xstrdup(answer_word(row, 0, 1));
		struct db_error e = { .sqlstate = SQLSTATE_NOT_NULL_VIOLATION,
			.message = (char[]){ "it is NOT NULL, and the row would have NULL in it" },
			.column = column };

		*code = say_error(db, t, &e, answer_word(row, 0, 0), NULL, 0);
		free(column);
	}
	answer_free(row);
	bytes_free(&sql);
	return outcome;
}

static void
check_link(struct db *db, const struct seed_tables *tables, const struct seed_table *t, const char *name, int *code)
{
	struct answer *columns = error_row_constraint_columns(db, t, name), *row = NULL;

	if (columns != NULL && error_row_in_file(t, columns))
		row = error_row_find_orphan(db, tables, t, columns, false);
	if (row != NULL) {
		const char **names = error_row_names_of(columns);
		char *message = xformat("table \"%s\": the foreign key would reference a row that does not exist", t->sql.table);
		char *constraint = xstrdup(name), *table = xstrdup(t->sql.table);
		struct db_error e = { .sqlstate = SQLSTATE_FOREIGN_KEY_VIOLATION,
			.message = message, .constraint = constraint, .table = table };

		*code = say_error(db, t, &e, answer_word(row, 0, 0), names, answer_rows(columns));
		free(message);
		free(constraint);
		free(table);
		free(names);
	}
	answer_free(columns);
	answer_free(row);
}

enum db_outcome
seed_preflight(struct db *db, const struct seed_tables *tables, int *code)
{
	struct answer *triggers = NULL, *links = NULL;
	enum db_outcome outcome = DB_OK;
	size_t i, k;

	if (tables->count == 0)
		return DB_OK;
	outcome = ask_catalog(db, tables, &triggers, &links);
	for (i = 0; outcome == DB_OK && *code == 0 && i < tables->count; i++)
		if (has_writes(&tables->tables[i]) && !may_change(triggers, &tables->tables[i]))
			outcome = check_null(db, &tables->tables[i], code);
	/* a trigger of any table may put in what a row points at */
	for (k = 0; outcome == DB_OK && *code == 0 && answer_rows(triggers) == 0 && k < answer_rows(links); k++)
		for (i = 0; *code == 0 && i < tables->count; i++)
			if (has_writes(&tables->tables[i]) && strcmp(tables->tables[i].oid, answer_word(links, k, 0)) == 0)
				check_link(db, tables, &tables->tables[i], answer_word(links, k, 1), code);
	answer_free(triggers);
	answer_free(links);
	return outcome;
}
