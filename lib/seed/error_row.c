#include "seed/error_row.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/shell_quote.h"
#include "postgres/sqlstate.h"
#include "seed/error_row_internal.h"
#include "seed/upsert.h"

const char error_row_rolled_back[] = "  Nothing was seeded: everything was rolled back.";

/* --- saying it --- */

const struct upsert_column *
error_row_column_named(const struct seed_table *t, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < t->sql.count; i++)
		if (strlen(t->sql.columns[i].name) == len && strncmp(t->sql.columns[i].name, name, len) == 0)
			return &t->sql.columns[i];
	return NULL;
}

/* JSON that is none is bad input; a value that does not fit is the server's word. */
static bool
is_no_json(const struct db_error *e, const struct seed_table *t)
{
	return t != NULL && t->sql.json && e->context != NULL && strstr(e->context, "_json, ") != NULL &&
	    strncmp(e->sqlstate, "22", 2) == 0;
}

static int
exit_code(const struct db_error *e, const struct seed_table *t)
{
	return is_no_json(e, t) ? MIG_DATA : db_exit_code(e);
}

static void
say_no_json(const struct seed_file *file)
{
	struct bytes word = { 0 };

	if (!file->standard)
		shell_path_word(&word, file->path);
	message_line("  hint        each line must be one complete object; to find the error, or to write such lines:  jq -c . %s",
	    bytes_text(&word));
	bytes_free(&word);
}

/* The server's hints are for who types COPY and SET: another says what helps with a file. */
static void
say_hint(const struct db_error *e, const struct seed_table *t, const struct upsert_column *c)
{
	if (is_no_json(e, t))
		say_no_json(t->file);
	else if (t != NULL && strcmp(e->sqlstate, SQLSTATE_DATETIME_FIELD_OVERFLOW) == 0)
		message_line("  hint        dates are read as 2023-12-25");
	else if (t != NULL && strcmp(e->sqlstate, SQLSTATE_INVALID_TEXT_REPRESENTATION) == 0 && strstr(e->message, "\"\"") != NULL)
		message_line("  hint        \"\" is the empty text; an empty field is NULL");
	else if (c != NULL && !c->in_file && c->hidden && strcmp(e->sqlstate, SQLSTATE_NOT_NULL_VIOLATION) == 0)
		message_line("  hint        add a column %s to the file, with env:NAME or file:PATH in it, and in seed.conf  secret = %s", c->name, c->name);
	else if (c != NULL && !c->in_file && strcmp(e->sqlstate, SQLSTATE_NOT_NULL_VIOLATION) == 0)
		message_line("  hint        if Prisma's client makes such a value (@updatedAt, cuid()), mig-seed does, too: name "
		    "schema.prisma with --datamodel, or write default.%s = cuid() in seed.conf; or add it to the file", c->name);
	else if (e->hint != NULL)
		message_quote("  hint        ", e->hint);
}

/*
 * The error with its place.  The server's detail is left out where it has a row, or values that we show
 * ourselves: what is not to be shown may be among them.
 */
int
error_row_say(const struct db_error *e, const struct seed_table *t, unsigned long line, const char *column,
    const char *values,
    const char *other)
{
	int code = exit_code(e, t);
	struct bytes where = { 0 };
	const struct upsert_column *c =
	    t != NULL && column != NULL ? error_row_column_named(t, column, strlen(column)) : NULL;
	bool hidden = c != NULL && c->hidden && strncmp(e->sqlstate, "22", 2) == 0; /* it has the value */
	bool row = hidden || strcmp(e->sqlstate, SQLSTATE_NOT_NULL_VIOLATION) == 0 ||
	    strcmp(e->sqlstate, SQLSTATE_CHECK_VIOLATION) == 0 ||
	    (strcmp(e->sqlstate, SQLSTATE_UNIQUE_VIOLATION) == 0 && values != NULL);

	if (t != NULL) {
		seed_place(&where, t->file, line);
		bytes_str(&where, ": ");
	}
	if (column != NULL)
		bytes_format(&where, "column \"%s\": ", column);
	(void)message_error(code, "%s%s [%s]", where.data,
	    hidden ? "a value does not fit its type (not shown)" : e->message, e->sqlstate);
	if (t != NULL)
		seed_say_other_place(t->file, line);
	if (values != NULL && *values != '\0')
		message_line("  row         %s", values);
	if (other != NULL)
		message_line("  the same    %s", other);
	if (e->constraint != NULL)
		message_line("  constraint  \"%s\" of table \"%s\"", e->constraint,
		    e->table != NULL ? e->table : "");
	if (e->detail != NULL && !row)
		message_quote("  detail      ", e->detail);
	say_hint(e, t, c);
	message_line("%s", error_row_rolled_back);
	bytes_free(&where);
	return code;
}

/* One answer of at least one row, or NULL. */
struct answer *
error_row_ask_by(enum db_outcome (*query)(struct db *, struct answer **, const char *, int, const char *const *), struct db *db,
    struct bytes *sql)
{
	struct answer *a = NULL;

	if (query(db, &a, sql->data, 0, NULL) != DB_OK || answer_rows(a) == 0) {
		answer_free(a);
		a = NULL;
	}
	bytes_free(sql);
	return a;
}

struct answer *
error_row_ask(struct db *db, struct bytes *sql)
{
	return error_row_ask_by(db_query, db, sql);
}

/* The table that an error names, or the only one that the statement was for. */
static const struct seed_table *
table_of(const struct db_error *e, const struct seed_tables *tables, size_t first, size_t count)
{
	size_t i;

	for (i = 0; e->table != NULL && i < tables->count; i++)
		if (strcmp(tables->tables[i].sql.table, e->table) == 0 &&
		    (e->schema == NULL || strcmp(tables->tables[i].sql.schema, e->schema) == 0))
			return &tables->tables[i];
	return count == 1 ? &tables->tables[first] : NULL;
}

/* What had ended well before the statement that failed; then a row is tried as it was. */
static struct answer *
try_rows(struct db *db, const struct db_error *e, const struct seed_tables *tables,
    const struct seed_table *t, size_t first,
    size_t count)
{
	const struct upsert_table **unit = xcalloc(count + first + 1, sizeof(struct upsert_table *));
	struct trial trial = { .db = db, .e = e, .table = t, .unit = unit, .count = count,
		.rows = (size_t)t->read };
	struct answer *found = NULL;
	struct bytes sql = { 0 };
	bool good = true;
	size_t i;

	for (i = 0; i < first; i++)
		unit[i] = &tables->tables[i].sql;
	upsert_write(&sql, unit, first, NULL);
	if (first > 0)
		good = db_query(db, NULL, sql.data, 0, NULL) == DB_OK;
	bytes_free(&sql);
	for (i = 0; i < count; i++)
		unit[i] = &tables->tables[first + i].sql;
	if (good)
		found = error_row_find_row(&trial);
	free(unit);
	return found;
}

/* Whether a detail, "Key (token)=(...) ...", is about a column that is not to be shown. */
static bool
names_hidden(const struct seed_tables *tables, const char *detail)
{
	size_t i, j;

	for (i = 0; detail != NULL && i < tables->count; i++) {
		const struct upsert_table *t = &tables->tables[i].sql;

		for (j = 0; j < t->count; j++)
			if (t->columns[j].hidden && strstr(detail, t->columns[j].name) != NULL)
				return true;
	}
	return false;
}

int
error_row_write(struct db *db, const struct db_error *e, const struct seed_tables *tables, size_t first,
    size_t count)
{
	const struct seed_table *t = table_of(e, tables, first, count);
	struct db_error shown = *e;
	struct answer *columns = NULL, *row = NULL, *values = NULL;
	struct bytes other = { 0 };
	const char **names = NULL;
	unsigned long line = 0;
	int code;

	if (names_hidden(tables, e->detail))
		shown.detail = NULL;
	if (t == NULL || !db_run_best_effort(db, "ROLLBACK TO " SEED_SAVEPOINT))
		return error_row_say(&shown, t, 0, NULL, NULL, NULL);
	if (e->constraint != NULL)
		columns = error_row_constraint_columns(db, t, e->constraint);
	if (columns != NULL && strcmp(e->sqlstate, SQLSTATE_FOREIGN_KEY_VIOLATION) == 0 && error_row_in_file(t, columns))
		row = error_row_find_orphan(db, tables, t, columns, count == 0);
	else if (columns != NULL && strcmp(e->sqlstate, SQLSTATE_UNIQUE_VIOLATION) == 0 && error_row_in_file(t, columns))
		row = error_row_find_twin(db, t, columns, &other);
	if (row == NULL && strcmp(e->sqlstate, SQLSTATE_FOREIGN_KEY_VIOLATION) != 0 && count > 0)
		row = try_rows(db, e, tables, t, first, count);
	if (row != NULL) {
		line = seed_table_line(db, t, answer_text(row, 0, 0), false);
		names = columns != NULL ? error_row_names_of(columns) : xcalloc(1, sizeof *names);
		values = error_row_values(db, t, answer_text(row, 0, 0), names,
		    columns != NULL ? answer_rows(columns) : 0);
	}
	code = error_row_say(&shown, t, line, e->column, values != NULL ? answer_text(values, 0, 0) : NULL, other.data);
	answer_free(columns);
	answer_free(row);
	answer_free(values);
	bytes_free(&other);
	free(names);
	return code;
}
