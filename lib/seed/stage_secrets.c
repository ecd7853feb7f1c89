/* Puts secret values next to the staged rows that name them. */
#include "seed/seed_internal.h"

#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "secret/secret.h"
#include "postgres/sqlstate.h"
#include "seed/copy_source.h"
#include "seed/file.h"
#include "seed/secrets.h"
#include "seed/upsert.h"

/* A line of COPY: the source, a tab, the value where it lies, a newline. */
struct sender {
	struct seeding *s;
	const char *sql;
	struct bytes source;
	const struct secret *secret;
	const char *value;
	int part;
	enum db_outcome outcome;
};

static size_t
next_part(void *context, const char **data)
{
	struct sender *sender = context;

	switch (sender->part++) {
	case 0:
		*data = sender->source.data;
		return sender->source.len;
	case 1:
		*data = sender->value;
		return strlen(sender->value);
	case 2:
		*data = "\n";
		return 1;
	}
	return 0;
}

/* The value in COPY's form is behind the plain one. */
static void *
send_value(const char *text, void *context)
{
	struct sender *sender = context;

	sender->value = text + secret_length(sender->secret) + 1;
	sender->outcome = db_copy_in(sender->s->db, sender->sql, next_part, sender);
	return NULL;
}

/* The server's words may contain the value. */
static int
say_misfit(struct seeding *s, const struct seed_table *t, const struct upsert_column *c, const char *source, long long row)
{
	const struct db_error *e = db_error(s->db);
	struct bytes place = { 0 };
	int code = db_exit_code(e);

	seed_place(&place, t->file, copy_source_line_of_row(t->file, (unsigned long)row));
	(void)message_error(code, "%s: column \"%s\": the value of %s does not fit: %s [%s]", place.data, c->name, source,
	    strcmp(e->sqlstate, SQLSTATE_STRING_DATA_RIGHT_TRUNCATION) == 0 ? e->message : "it is not of the column's type", e->sqlstate);
	message_line("  Nothing was seeded: everything was rolled back.");
	bytes_free(&place);
	return code;
}

static enum db_outcome
stage_column(struct seeding *s, const struct seed_table *t, const struct upsert_column *c)
{
	struct bytes sql = { 0 };
	struct answer *sources = NULL;
	enum db_outcome outcome;
	size_t i;

	upsert_secret_sources(&sql, &t->sql, c);
	outcome = db_query(s->db, &sources, sql.data, 0, NULL);
	sql.len = 0;
	upsert_copy_secret(&sql, &t->sql, c);
	for (i = 0; outcome == DB_OK && s->code == 0 && i < answer_rows(sources); i++) {
		const char *source = answer_word(sources, i, 0);
		struct secret *value = secrets_find(&s->input->secrets, source);
		struct sender sender = { .s = s, .sql = sql.data, .secret = value, .outcome = DB_OK };

		if (value == NULL) { /* the file has changed since it was read */
			s->code = seed_refuse(t->file, 0, "column \"%s\": the file was changed during the run", c->name);
			break;
		}
		secrets_add_copy(&sender.source, source);
		bytes_char(&sender.source, '\t');
		(void)secret_use(value, send_value, &sender);
		secret_scrub(value);
		outcome = sender.outcome;
		if (outcome == DB_ERROR && !db_is_busy(db_error(s->db))) {
			seed_note_error(s, db_error(s->db));
			s->code = say_misfit(s, t, c, source, answer_count(sources, i, 1));
		}
		bytes_free(&sender.source);
	}
	answer_free(sources);
	bytes_free(&sql);
	return outcome;
}

enum db_outcome
seed_stage_secrets(struct seeding *s, const struct seed_table *t)
{
	enum db_outcome outcome = DB_OK;
	size_t i;

	for (i = 0; outcome == DB_OK && s->code == 0 && i < t->sql.count; i++)
		if (t->sql.columns[i].secret > 0)
			outcome = stage_column(s, t, &t->sql.columns[i]);
	return outcome;
}

/* A value that says where it is, in a column that would get the words themselves: a setting was forgotten. */
static enum db_outcome
check_column(struct seeding *s, const struct seed_table *t, const struct upsert_column *c)
{
	struct bytes sql = { 0 }, table = { 0 }, name = { 0 };
	struct answer *row = NULL;
	enum db_outcome outcome;

	upsert_source_of_none(&sql, &t->sql, c);
	outcome = db_query(s->db, &row, sql.data, 0, NULL);
	if (outcome == DB_OK && answer_rows(row) > 0) {
		seed_table_write(&table, t->file->schema, t->file->table);
		seed_column_write(&name, c->name);
		s->code = seed_refuse(t->file, seed_table_line(s->db, t, answer_text(row, 0, 0), false),
		    "column \"%s\": %s would be written as it stands, since the column is not secret", c->name, answer_word(row, 0, 1));
		message_line("  In seed.conf below [%s]: secret = %s", table.data, name.data);
		bytes_free(&table);
		bytes_free(&name);
	}
	answer_free(row);
	bytes_free(&sql);
	return outcome;
}

enum db_outcome
seed_check_sources(struct seeding *s, const struct seed_table *t)
{
	enum db_outcome outcome = DB_OK;
	size_t i;

	for (i = 0; outcome == DB_OK && s->code == 0 && i < t->sql.count; i++) {
		const struct upsert_column *c = &t->sql.columns[i];

		if (c->hidden && c->text && c->in_file && c->secret == 0 && c->made == NULL && c->reference == NULL)
			outcome = check_column(s, t, c);
	}
	return outcome;
}
