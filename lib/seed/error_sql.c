/* Errors of SQL files, and of rights that hide rows. */
#include "seed/error_row_internal.h"

#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hidden.h"
#include "base/message.h"
#include "base/page.h"
#include "base/shell_quote.h"
#include "base/terminal.h"
#include "postgres/sqlstate.h"
#include "seed/file.h"
#include "sql/sql.h"

/* --- SQL files --- */

static void
say_hidden(const struct db_error *e, const struct seed_file *file, unsigned long line)
{
	struct bytes word = { 0 }, remedy = { 0 };

	shell_path_word(&word, file->path);
	if (hidden_remedy(&remedy, e->message, word.data, line))
		message_line("  hint: %s", remedy.data);
	bytes_free(&remedy);
	bytes_free(&word);
}

void
error_row_sql(const struct db_error *e, const struct seed_file *file, size_t done, int code)
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
		page_caret(&caret, file->text.data, place.line, place.column, terminal_width(STDERR_FILENO));
		caret.data[--caret.len] = '\0';
		message_line("%s", caret.data);
	} else {
		(void)message_error(code, "%s: %s [%s]", file->path, e->message, e->sqlstate);
	}
	if (e->detail != NULL)
		message_quote("  detail: ", e->detail);
	if (e->hint != NULL)
		message_quote("  hint: ", e->hint);
	if (strncmp(e->sqlstate, "42", 2) == 0 && place.line > 0)
		say_hidden(e, file, place.line);
	if (strcmp(e->sqlstate, SQLSTATE_UNDEFINED_TABLE) == 0)
		message_line("  Migrations come first: deploy them to this database, then seed it.");
	message_line("%s", error_row_rolled_back);
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
error_row_say_policies(struct db *db, const struct db_error *e)
{
	const char *const message = e->message;
	struct answer *a = NULL;

	if (strcmp(e->sqlstate, SQLSTATE_INSUFFICIENT_PRIVILEGE) != 0)
		return;
	if (db_query_ours(db, &a, policies_sql, 1, &message) == DB_OK && answer_rows(a) > 0) {
		const char *role = answer_word(a, 0, POLICIES_ROLE), *owner = answer_word(a, 0, POLICIES_OWNER);

		message_line("  Row level security hides rows of %s from the role %s: they would be treated as missing.",
		    answer_word(a, 0, POLICIES_TABLE), role);
		message_line("  One of these is needed:");
		if (!answer_flag(a, 0, POLICIES_FORCED))
			message_line("  membership in the owner:  GRANT %s TO %s;", owner, role);
		message_line("  bypassing policies:       ALTER ROLE %s BYPASSRLS;", role);
		message_line("  only what the role sees:  --enable-row-security");
	}
	answer_free(a);
}
