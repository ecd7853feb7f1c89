/* Errors of COPY, and of JSON that does not fit its columns. */
#include "seed/error_row_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "seed/copy_source.h"
#include "seed/upsert.h"

/*
 * The server's words may be translated, but not their order: "COPY mig_seed_1, line 3, column price: ...".
 * The line is the first number behind the table's name; the column is what stands before the colon.
 */
int
error_row_copy(const struct db_error *e, const struct seed_table *t)
{
	static const char name[] = "mig_seed_";
	const char *at = e->context != NULL ? strstr(e->context, name) : NULL, *end;
	const struct upsert_column *column = NULL;
	unsigned long line = 0;
	char *rest;

	if (at != NULL) {
		at += strcspn(at, ",");
		at += strcspn(at, "0123456789");
		line = strtoul(at, &rest, 10);
		end = rest + strcspn(rest, ":\n");
		for (at = rest; column == NULL && at < end; at++)
			if (*at == ' ')
				column = error_row_column_named(t, at + 1, (size_t)(end - at - 1));
	}
	if (t->sql.json)
		line = copy_source_line_of_row(t->file, line); /* lines without an object were not sent */
	return error_row_say(e, t, line, column != NULL ? column->name : NULL, NULL, NULL);
}

/* --- JSON that does not fit --- */

static const char *
find_json_column(const struct trial *trial, const char *ctid)
{
	size_t i;

	for (i = 0; i < trial->table->sql.count; i++) {
		const struct upsert_column *c = &trial->table->sql.columns[i];
		struct bytes sql = { 0 };
		bool failed;

		if (!c->in_file)
			continue;
		upsert_try_fill(&sql, &trial->table->sql, ctid, ctid, c->name);
		failed = error_row_fails(trial, sql.data);
		bytes_free(&sql);
		if (failed)
			return c->name;
	}
	return NULL;
}

int
error_row_fill(struct db *db, const struct db_error *e, const struct seed_table *t)
{
	struct trial trial = { .db = db, .e = e, .table = t };
	struct bytes sql = { 0 };
	struct answer *a = NULL, *row = NULL;
	unsigned long line = 0;
	const char *column = NULL;

	bytes_format(&sql, "SELECT pg_catalog.count(*) FROM pg_temp.mig_seed_%zu_json", t->sql.number);
	if (db_run_best_effort(db, "ROLLBACK TO " SEED_SAVEPOINT) && (a = error_row_ask(db, &sql)) != NULL) {
		trial.rows = (size_t)answer_count(a, 0, 0);
		if ((row = error_row_find_row(&trial)) != NULL) {
			line = seed_table_line(db, t, answer_text(row, 0, 0), true);
			column = find_json_column(&trial, answer_text(row, 0, 0));
		}
	}
	bytes_free(&sql);
	answer_free(a);
	answer_free(row);
	return error_row_say(e, t, line, column, NULL, NULL);
}
