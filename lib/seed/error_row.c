#include "seed/error_row.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "base/mig.h"
#include "base/page.h"
#include "base/terminal.h"
#include "seed/copy_source.h"
#include "sql/sql.h"

static const char rolled_back[] = "  Nothing was seeded: all was rolled back.";

/* --- SQL files --- */

void
seed_fault_sql(const struct db_error *e, const struct seed_file *file, size_t done, int code)
{
	struct sql_script script = sql_split(file->text.data, file->text.len);
	struct sql_place place = { 0 };
	struct bytes caret = { 0 };

	if (e->position > 0)
		place = sql_place(file->text.data, file->text.len,
		    utf8_offset(file->text.data, file->text.len, e->position - 1));
	else if (done < script.count)
		place = sql_place(file->text.data, file->text.len, script.statements[done].start);
	if (place.line > 0) {
		(void)message_error(code, "%s:%lu:%lu: %s [%s]", file->path, place.line, place.column,
		    e->message,
		    e->sqlstate);
		face_caret(&caret, file->text.data, place.line, place.column, terminal_width(STDERR_FILENO));
		caret.data[--caret.len] = '\0';
		message_line("%s", caret.data);
	} else {
		(void)message_error(code, "%s: %s [%s]", file->path, e->message, e->sqlstate);
	}
	if (e->detail != NULL)
		message_quote("  detail: ", e->detail);
	if (e->hint != NULL)
		message_quote("  hint: ", e->hint);
	if (strcmp(e->sqlstate, "42P01") == 0)
		message_line("  Migrations come first:  mig-scan | mig-plan | mig-apply");
	message_line("%s", rolled_back);
	bytes_free(&caret);
	sql_script_free(&script);
}

/* --- row level security --- */

enum { POLICIES_TABLE, POLICIES_ROLE, POLICIES_OWNER, POLICIES_FORCED };

/*
 * Tables whose rows the role might read, were it not for policies; the longest name that the error has in quotes, of
 * whatever language: an error of rights that are missing has none around it.
 */
static const char policies_sql[] =
    "SELECT quote_ident(n.nspname::text) || '.' || quote_ident(c.relname::text), quote_ident(current_user::text), "
    "quote_ident(pg_get_userbyid(c.relowner)::text), c.relforcerowsecurity "
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relrowsecurity AND row_security_active(c.oid) AND has_table_privilege(c.oid, 'SELECT') "
    "AND $1::text ~ ('[^[:alnum:][:space:]][[:space:]]?' || regexp_replace(c.relname::text, '([^[:alnum:]])', '\\\\\\1', 'g') || "
    "'[[:space:]]?[^[:alnum:][:space:]]') ORDER BY length(c.relname::text) DESC, n.nspname LIMIT 1";

void
seed_say_policies(struct db *db, const struct db_error *e)
{
	const char *const message = e->message;
	struct answer *a = NULL;

	if (strcmp(e->sqlstate, "42501") != 0)
		return;
	if (db_query_ours(db, &a, policies_sql, 1, &message) == DB_OK && answer_rows(a) > 0) {
		const char *role = answer_word(a, 0, POLICIES_ROLE), *owner = answer_word(a, 0, POLICIES_OWNER);

		message_line("  Row level security hides rows of %s from the role %s: they would be taken for missing.",
		    answer_word(a, 0, POLICIES_TABLE), role);
		message_line("  One of these is needed:");
		if (!answer_flag(a, 0, POLICIES_FORCED))
			message_line("  its owner, or a member:   GRANT %s TO %s;", owner, role);
		message_line("  a role it is not for:     ALTER ROLE %s BYPASSRLS;", role);
		message_line("  only what the role sees:  --enable-row-security");
	}
	answer_free(a);
}

/* --- saying it --- */

static const struct upsert_column *
column_named(const struct seed_table *t, const char *name, size_t len)
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

/* The server's hints are for who types COPY and SET: another says what helps with a file. */
static void
say_hint(const struct db_error *e, const struct seed_table *t)
{
	if (is_no_json(e, t))
		message_line("  hint        an object a line, whole:  jq -c . FILE  says where it is none, and makes lines");
	else if (t != NULL && strcmp(e->sqlstate, "22008") == 0)
		message_line("  hint        dates are read as 2023-12-25");
	else if (t != NULL && strcmp(e->sqlstate, "22P02") == 0 && strstr(e->message, "\"\"") != NULL)
		message_line("  hint        \"\" is the empty text; nothing at all is NULL");
	else if (e->hint != NULL)
		message_quote("  hint        ", e->hint);
}

/*
 * The error with its place.  The server's detail is left out where it has a row, or values that we show
 * ourselves: what is not to be shown may be among them.
 */
static int
say(const struct db_error *e, const struct seed_table *t, unsigned long line, const char *column,
    const char *values,
    const char *other)
{
	int code = exit_code(e, t);
	struct bytes where = { 0 };
	const struct upsert_column *c =
	    t != NULL && column != NULL ? column_named(t, column, strlen(column)) : NULL;
	bool hidden = c != NULL && c->hidden && strncmp(e->sqlstate, "22", 2) == 0; /* it has the value */
	bool row = hidden || strcmp(e->sqlstate, "23502") == 0 || strcmp(e->sqlstate, "23514") == 0 ||
	    (strcmp(e->sqlstate, "23505") == 0 && values != NULL);

	bytes_str(&where, t != NULL ? t->file->path : "");
	if (line > 0)
		bytes_format(&where, ":%lu", line);
	bytes_str(&where, t != NULL ? ": " : "");
	if (column != NULL)
		bytes_format(&where, "column \"%s\": ", column);
	(void)message_error(code, "%s%s [%s]", where.data,
	    hidden ? "a value does not fit its type (not shown)" : e->message, e->sqlstate);
	if (values != NULL && *values != '\0')
		message_line("  row         %s", values);
	if (other != NULL)
		message_line("  the same    %s", other);
	if (e->constraint != NULL)
		message_line("  constraint  \"%s\" of table \"%s\"", e->constraint,
		    e->table != NULL ? e->table : "");
	if (e->detail != NULL && !row)
		message_quote("  detail      ", e->detail);
	say_hint(e, t);
	message_line("%s", rolled_back);
	bytes_free(&where);
	return code;
}

/*
 * The server's words may be translated, but not their order: "COPY mig_seed_1, line 3, column price: ...".
 * The line is the first number behind the table's name; the column is what stands before the colon.
 */
int
seed_fault_copy(const struct db_error *e, const struct seed_table *t)
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
				column = column_named(t, at + 1, (size_t)(end - at - 1));
	}
	if (t->sql.json)
		line = seed_line_of_row(t->file, line); /* lines without an object were not sent */
	return say(e, t, line, column != NULL ? column->name : NULL, NULL, NULL);
}

/* --- looking for the row --- */

/* What is tried with some rows of a table: to write them, or to make columns of their JSON. */
struct trial {
	struct db *db;
	const struct db_error *e;
	const struct seed_table *table;
	const struct upsert_table **unit; /* the statement is for these; NULL: JSON */
	size_t count;
	size_t rows;
};

/* One answer of at least one row, or NULL. */
static struct answer *
ask_by(enum db_outcome (*query)(struct db *, struct answer **, const char *, int, const char *const *), struct db *db,
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

static struct answer *
ask(struct db *db, struct bytes *sql)
{
	return ask_by(db_query, db, sql);
}

/* ctid of the n-th staged row, from 0. */
static struct answer *
row_at(const struct trial *trial, size_t n)
{
	struct bytes sql = { 0 };

	bytes_format(&sql, "SELECT ctid FROM pg_temp.mig_seed_%zu%s ORDER BY ctid OFFSET %zu LIMIT 1",
	    trial->table->sql.number,
	    trial->unit != NULL ? "" : "_json", n);
	return ask(trial->db, &sql);
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Whether a statement fails as the whole did; whatever it does is undone. */
static bool
fails(const struct trial *trial, const char *sql)
{
	bool same = false;

	if (!db_run_aside(trial->db, "SAVEPOINT mig_trial"))
		return false;
	if (db_query(trial->db, NULL, sql, 0, NULL) == DB_ERROR)
		same = strcmp(db_error(trial->db)->sqlstate, trial->e->sqlstate) == 0 &&
		    same_text(db_error(trial->db)->constraint, trial->e->constraint);
	return db_run_aside(trial->db, "ROLLBACK TO mig_trial") && same;
}

static bool
slice_fails(const struct trial *trial, size_t from, size_t to)
{
	struct answer *first = row_at(trial, from), *last = row_at(trial, to);
	struct upsert_slice slice = { .table = &trial->table->sql };
	struct bytes sql = { 0 };
	bool failed = false;

	if (first != NULL && last != NULL) {
		slice.from = answer_word(first, 0, 0);
		slice.to = answer_word(last, 0, 0);
		if (trial->unit != NULL)
			upsert_write(&sql, trial->unit, trial->count, &slice);
		else
			upsert_try_fill(&sql, &trial->table->sql, slice.from, slice.to, NULL);
		failed = fails(trial, sql.data);
	}
	answer_free(first);
	answer_free(last);
	bytes_free(&sql);
	return failed;
}

/* ctid of the first row that fails by itself, by halves; or NULL. */
static struct answer *
find_row(const struct trial *trial)
{
	size_t from = 0, to = trial->rows, middle;

	if (to == 0)
		return NULL;
	to--;
	while (from < to) {
		middle = from + (to - from) / 2;
		if (slice_fails(trial, from, middle))
			to = middle;
		else
			from = middle + 1;
	}
	return slice_fails(trial, from, from) ? row_at(trial, from) : NULL;
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
		failed = fails(trial, sql.data);
		bytes_free(&sql);
		if (failed)
			return c->name;
	}
	return NULL;
}

int
seed_fault_fill(struct db *db, const struct db_error *e, const struct seed_table *t)
{
	struct trial trial = { .db = db, .e = e, .table = t };
	struct bytes sql = { 0 };
	struct answer *a = NULL, *row = NULL;
	unsigned long line = 0;
	const char *column = NULL;

	bytes_format(&sql, "SELECT pg_catalog.count(*) FROM pg_temp.mig_seed_%zu_json", t->sql.number);
	if (db_run_aside(db, "ROLLBACK TO " SEED_SAVEPOINT) && (a = ask(db, &sql)) != NULL) {
		trial.rows = (size_t)answer_count(a, 0, 0);
		if ((row = find_row(&trial)) != NULL) {
			line = seed_table_line(db, t, answer_text(row, 0, 0), true);
			column = find_json_column(&trial, answer_text(row, 0, 0));
		}
	}
	bytes_free(&sql);
	answer_free(a);
	answer_free(row);
	return say(e, t, line, column, NULL, NULL);
}

/* --- constraints --- */

/*
 * The columns of a constraint or an index of a table; with the parent's name, columns and operators where it
 * points at one.
 */
enum { LINK_COLUMN, LINK_PARENT_OID, LINK_PARENT, LINK_PARENT_COLUMN, LINK_EQUALS };

static struct answer *
constraint_columns(struct db *db, const struct seed_table *t, const char *constraint)
{
	struct bytes sql = { 0 };

	bytes_str(&sql, "SELECT a.attname, c.confrelid, CASE WHEN p.oid IS NOT NULL THEN format('%I.%I', n.nspname, p.relname) END, "
	                "b.attname, CASE WHEN o.oid IS NOT NULL THEN format('OPERATOR(%I.%s)', m.nspname, o.oprname) END FROM pg_catalog.pg_constraint c "
	                "CROSS JOIN LATERAL ROWS FROM (unnest(c.conkey), unnest(c.confkey), unnest(c.conpfeqop)) "
	                "WITH ORDINALITY k(mine, theirs, op, n) "
	                "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.mine "
	                "LEFT JOIN pg_catalog.pg_class p ON p.oid = c.confrelid "
	                "LEFT JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace "
	                "LEFT JOIN pg_catalog.pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = k.theirs "
	                "LEFT JOIN pg_catalog.pg_operator o ON o.oid = k.op "
	                "LEFT JOIN pg_catalog.pg_namespace m ON m.oid = o.oprnamespace "
	                "WHERE c.contype NOT IN ('p', 'u') AND c.conname = ");
	bytes_sql_text(&sql, constraint);
	bytes_format(&sql, " AND c.conrelid = %s UNION ALL SELECT a.attname, NULL, NULL, NULL, "
	                   "format('OPERATOR(%%I.%%s)', m.nspname, o.oprname) "
	                   "FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid "
	                   "CROSS JOIN LATERAL ROWS FROM (unnest(i.indkey::int2[]), unnest(i.indclass::oid[])) WITH ORDINALITY k(attnum, class, n) "
	                   "JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum "
	                   "JOIN pg_catalog.pg_opclass c ON c.oid = k.class "
	                   "JOIN pg_catalog.pg_amop p ON p.amopfamily = c.opcfamily AND p.amoplefttype = c.opcintype "
	                   "AND p.amoprighttype = c.opcintype AND p.amopstrategy = 3 "
	                   "JOIN pg_catalog.pg_operator o ON o.oid = p.amopopr JOIN pg_catalog.pg_namespace m ON m.oid = o.oprnamespace "
	                   "WHERE i.indisunique AND i.indexprs IS NULL AND i.indpred IS NULL AND k.n <= i.indnkeyatts "
	                   "AND i.indrelid = %s AND x.relname = ", t->oid,
	                   t->oid);
	bytes_sql_text(&sql, constraint);
	return ask_by(db_query_ours, db, &sql);
}

static bool
in_file(const struct seed_table *t, const struct answer *columns)
{
	size_t i;

	for (i = 0; i < answer_rows(columns); i++) {
		const char *name = answer_word(columns, i, LINK_COLUMN);
		const struct upsert_column *c = column_named(t, name, strlen(name));

		if (c == NULL || !c->in_file)
			return false;
	}
	return true;
}

static const char **
names_of(const struct answer *columns)
{
	const char **names = xcalloc(answer_rows(columns) + 1, sizeof *names);
	size_t i;

	for (i = 0; i < answer_rows(columns); i++)
		names[i] = answer_word(columns, i, LINK_COLUMN);
	return names;
}

static const char **
operators_of(const struct answer *columns)
{
	const char **operators = xcalloc(answer_rows(columns) + 1, sizeof *operators);
	size_t i;

	for (i = 0; i < answer_rows(columns); i++)
		operators[i] = answer_text(columns, i, LINK_EQUALS);
	return operators;
}

/* s.a = p.b AND ... */
static void
add_link(struct bytes *sql, const struct answer *columns)
{
	size_t i;

	for (i = 0; i < answer_rows(columns); i++) {
		bytes_str(sql, i > 0 ? " AND p." : "p.");
		bytes_sql_name(sql, answer_word(columns, i, LINK_PARENT_COLUMN));
		bytes_format(sql, " %s s.", answer_word(columns, i, LINK_EQUALS));
		bytes_sql_name(sql, answer_word(columns, i, LINK_COLUMN));
	}
}

/* The first staged row that points at nothing, neither in the parent nor in what is to be put there. */
static struct answer *
find_orphan(struct db *db, const struct seed_tables *tables, const struct seed_table *t,
    const struct answer *columns)
{
	const char *parent = answer_word(columns, 0, LINK_PARENT_OID);
	struct bytes sql = { 0 };
	size_t i;

	bytes_format(&sql, "SELECT s.ctid FROM pg_temp.mig_seed_%zu s WHERE NOT EXISTS (SELECT FROM %s p WHERE ", t->sql.number,
	    answer_word(columns, 0, LINK_PARENT));
	add_link(&sql, columns);
	bytes_char(&sql, ')');
	for (i = 0; i < tables->count; i++) {
		if (strcmp(tables->tables[i].oid, parent) != 0)
			continue;
		bytes_format(&sql, " AND NOT EXISTS (SELECT FROM pg_temp.mig_seed_%zu p WHERE ",
		    tables->tables[i].sql.number);
		add_link(&sql, columns);
		bytes_char(&sql, ')');
	}
	for (i = 0; i < answer_rows(columns); i++) {
		bytes_str(&sql, " AND s.");
		bytes_sql_name(&sql, answer_word(columns, i, LINK_COLUMN));
		bytes_str(&sql, " IS NOT NULL");
	}
	bytes_str(&sql, " ORDER BY s.ctid LIMIT 1");
	return ask(db, &sql);
}

/* The row that has what another row has: of the file, or of the table. */
static struct answer *
find_twin(struct db *db, const struct seed_table *t, const struct answer *columns, struct bytes *other)
{
	const char **names = names_of(columns), **operators = operators_of(columns);
	struct bytes sql = { 0 };
	struct answer *a;

	upsert_duplicate(&sql, &t->sql, names, answer_rows(columns));
	if ((a = ask(db, &sql)) != NULL) {
		bytes_format(other, "on line %lu", seed_table_line(db, t, answer_text(a, 0, 1), false));
	} else {
		upsert_conflict(&sql, &t->sql, names, operators, answer_rows(columns));
		if ((a = ask(db, &sql)) != NULL)
			bytes_format(other, "in the table, in the row %s", answer_word(a, 0, 1));
	}
	free(names);
	free(operators);
	return a;
}

static struct answer *
row_values(struct db *db, const struct seed_table *t, const char *ctid, const char *const *names, size_t count)
{
	const char **all = xcalloc(t->sql.count + count + 1, sizeof *all);
	struct bytes sql = { 0 };
	struct answer *a;
	size_t i, n = 0;

	for (i = 0; i < t->sql.count; i++)
		if (t->sql.columns[i].key)
			all[n++] = t->sql.columns[i].name;
	for (i = 0; i < count; i++)
		if (column_named(t, names[i], strlen(names[i])) != NULL &&
		    !column_named(t, names[i], strlen(names[i]))->key)
			all[n++] = names[i];
	upsert_row_text(&sql, &t->sql, all, n, ctid);
	a = ask(db, &sql);
	free(all);
	return a;
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
		found = find_row(&trial);
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
seed_fault_write(struct db *db, const struct db_error *e, const struct seed_tables *tables, size_t first,
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
	if (t == NULL || !db_run_aside(db, "ROLLBACK TO " SEED_SAVEPOINT))
		return say(&shown, t, 0, NULL, NULL, NULL);
	if (e->constraint != NULL)
		columns = constraint_columns(db, t, e->constraint);
	if (columns != NULL && strcmp(e->sqlstate, "23503") == 0 && in_file(t, columns))
		row = find_orphan(db, tables, t, columns);
	else if (columns != NULL && strcmp(e->sqlstate, "23505") == 0 && in_file(t, columns))
		row = find_twin(db, t, columns, &other);
	if (row == NULL && strcmp(e->sqlstate, "23503") != 0 && count > 0)
		row = try_rows(db, e, tables, t, first, count);
	if (row != NULL) {
		line = seed_table_line(db, t, answer_text(row, 0, 0), false);
		names = columns != NULL ? names_of(columns) : xcalloc(1, sizeof *names);
		values = row_values(db, t, answer_text(row, 0, 0), names,
		    columns != NULL ? answer_rows(columns) : 0);
	}
	code = say(&shown, t, line, e->column, values != NULL ? answer_text(values, 0, 0) : NULL, other.data);
	answer_free(columns);
	answer_free(row);
	answer_free(values);
	bytes_free(&other);
	free(names);
	return code;
}
