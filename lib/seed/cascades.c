/* What goes or changes with the rows that --prune deletes. */
#include "seed/seed_internal.h"

#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/own_sql.h"
#include "seed/file.h"
#include "seed/upsert.h"

/* Tables that are not pruned themselves, and whose rows go or change with the rows that they point at. */
enum db_outcome
seed_warn_of_cascades(struct seeding *s)
{
	struct bytes pruned = { 0 }, gone = { 0 }, sql = { 0 };
	struct answer *a = NULL;
	enum db_outcome outcome = DB_OK;
	size_t i;

	for (i = 0; i < s->tables->count; i++) {
		const struct seed_table *t = &s->tables->tables[i];

		if (!t->sql.stream && !t->file->settings.kept)
			bytes_format(&pruned, "%s%s", pruned.len > 0 ? "," : "", t->oid);
		if (t->sql.deletes)
			bytes_format(&gone, "%s%s", gone.len > 0 ? "," : "", t->oid);
	}
	bytes_format(&sql,
	    "SELECT DISTINCT " OWN_SQL_AS_SESSION("conrelid::regclass::text") ", " OWN_SQL_AS_SESSION("confrelid::regclass::text") ", "
	    "CASE confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'SET DEFAULT' END "
	    "FROM pg_catalog.pg_constraint WHERE contype = 'f' AND confdeltype IN ('c', 'n', 'd') "
	    "AND conparentid = 0 AND confrelid = ANY (ARRAY[%s]::oid[]) "
	    "AND conrelid <> ALL (ARRAY[%s]::oid[]) ORDER BY 1, 2, 3",
	    bytes_text(&gone), bytes_text(&pruned));
	if (gone.len > 0)
		outcome = db_query_ours(s->db, &a, sql.data, 0, NULL);
	for (i = 0; outcome == DB_OK && gone.len > 0 && i < answer_rows(a); i++)
		message_warning("--prune deletes rows of %s; rows of %s that reference them are subject to "
		                "ON DELETE %s",
		    answer_text(a, i, 1), answer_text(a, i, 0), answer_text(a, i, 2));
	answer_free(a);
	bytes_free(&pruned);
	bytes_free(&gone);
	bytes_free(&sql);
	return outcome;
}

/*
 * By which ON DELETE rows of a table go or change where rows of the tables that are deleted from go, at once or by way of
 * others; NULL in the answer: by none.
 */
static enum db_outcome
find_cascades(struct seeding *s, const struct seed_table *t, struct answer **a)
{
	struct bytes gone = { 0 }, sql = { 0 };
	enum db_outcome outcome;
	size_t i;

	for (i = 0; i < s->tables->count; i++)
		if (s->tables->tables[i].sql.deletes)
			bytes_format(&gone, "%s%s", gone.len > 0 ? "," : "", s->tables->tables[i].oid);
	bytes_format(&sql,
	    "WITH RECURSIVE gone(oid) AS (SELECT unnest(ARRAY[%s]::oid[]) UNION SELECT k.conrelid FROM gone g "
	    "JOIN pg_catalog.pg_constraint k ON k.confrelid = g.oid WHERE k.contype = 'f' AND k.confdeltype = 'c') "
	    "SELECT string_agg(DISTINCT CASE k.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' "
	    "ELSE 'SET DEFAULT' END, ', ') FROM gone g JOIN pg_catalog.pg_constraint k ON k.confrelid = g.oid "
	    "WHERE k.contype = 'f' AND k.confdeltype IN ('c', 'n', 'd') AND k.conrelid = '%s'::oid",
	    bytes_text(&gone), t->oid);
	outcome = db_query_ours(s->db, a, sql.data, 0, NULL);
	bytes_free(&gone);
	bytes_free(&sql);
	return outcome;
}

/* Reports that rows of the files were changed or deleted beyond the intended changes. */
static enum db_outcome
say_changed_beside(struct seeding *s, const struct seed_table *t)
{
	struct answer *a = NULL;
	enum db_outcome outcome = find_cascades(s, t, &a);
	const char *actions = outcome == DB_OK ? answer_text(a, 0, 0) : NULL;

	if (actions != NULL) {
		s->code = seed_refuse(t->file, 0,
		    "its rows reference rows that --prune deletes, and would be deleted or changed "
		    "with them (ON DELETE %s): add the referenced rows to their file, or remove these", actions);
	} else if (outcome == DB_OK) {
		s->code = message_error(MIG_FAILED,
		    "%s: rows that it has were changed or deleted in table \"%s\" while --prune deleted rows", t->file->path,
		    t->sql.table);
		message_line("  No foreign key of that table does that (ON DELETE): look for a trigger.");
		message_line("  Nothing was seeded: everything was rolled back.");
	}
	answer_free(a);
	return outcome;
}

/* Reports rows of the files that a cascade has deleted. */
enum db_outcome
seed_check_cascades(struct seeding *s)
{
	enum db_outcome outcome = DB_OK;
	size_t i;

	for (i = 0; outcome == DB_OK && s->code == 0 && i < s->tables->count; i++) {
		const struct seed_table *t = &s->tables->tables[i];
		struct bytes sql = { 0 };
		struct answer *a = NULL;

		upsert_count(&sql, &t->sql);
		outcome = db_query(s->db, &a, sql.data, 0, NULL);
		/* a trigger may make rows that were written differ, but no others */
		if (outcome == DB_OK && (answer_number(a, 0, UPSERT_NEW) > 0 ||
		    answer_number(a, 0, UPSERT_DIFFERENT) > t->inserted + t->updated))
			outcome = say_changed_beside(s, t);
		answer_free(a);
		bytes_free(&sql);
	}
	return outcome;
}
