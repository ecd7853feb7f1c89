/* SQL files: what has no place in them. */
#include "seed/inputs_internal.h"

#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/shell_quote.h"
#include "sql/unexpected.h"
#include "sql/sql.h"

static int
refuse_statement(const struct seed_file *file, const struct sql_statement *statement, const char *why)
{
	struct sql_place place = sql_place(file->text.data, file->text.len, statement->start);
	char words[48];

	sql_words(file->text.data, statement, words, sizeof words);
	(void)message_error(MIG_DATA, "%s:%lu:%lu: %s %s", file->path, place.line, place.column, words, why);
	message_line("  Nothing was seeded.");
	return MIG_DATA;
}

/* All files are one transaction, so none may end it; `until`: only what begins before. */
static int
check_statements(const struct seed_file *file, size_t until)
{
	struct sql_script script = sql_split(file->text.data, file->text.len);
	int code = 0;
	size_t i;

	for (i = 0; code == 0 && i < script.count && script.statements[i].start < until; i++) {
		const struct sql_statement *s = &script.statements[i];

		if (s->kind == SQL_BEGIN || s->kind == SQL_COMMIT || s->kind == SQL_ROLLBACK)
			code = refuse_statement(file, s, "has no place here: all files run in one transaction");
		else if (s->kind == SQL_ALONE)
			code = refuse_statement(file, s, "cannot run in a transaction: make it a migration");
		else if (s->kind == SQL_COPY_CLIENT)
			code = refuse_statement(file, s,
			    "needs rows from the client: put them into a .csv next to it");
	}
	sql_script_free(&script);
	return code;
}

/* \restrict, \connect, ...: pg_dump writes some. */
static int
check_psql(const struct seed_file *file, size_t at)
{
	struct bytes word = { 0 };
	struct sql_place place;

	if (at == file->text.len)
		return 0;
	place = sql_place(file->text.data, file->text.len, at);
	(void)message_error(MIG_DATA, "%s:%lu:%lu: a backslash command is for psql; the server does not accept it", file->path,
	    place.line, place.column);
	if (!file->standard) {
		shell_path_word(&word, file->path);
		message_line("  Remove the lines that begin with a backslash:  sed -i '/^\\\\/d' %s", word.data);
		bytes_free(&word);
	}
	message_line("  Nothing was seeded.");
	return MIG_DATA;
}

int
inputs_check_sql(struct seed_file *file, int fd)
{
	int error = bytes_read_fd(&file->text, fd), code;
	size_t at;

	if (error != 0)
		return seed_cannot_read(file->path, error);
	bytes_str(&file->text, "");
	code = seed_check_text(file, file->text.data, file->text.len, 1);
	if (code != 0)
		return code;
	at = unexpected_psql(file->text.data, file->text.len);
	code = check_statements(file, at);
	return code != 0 ? code : check_psql(file, at);
}
