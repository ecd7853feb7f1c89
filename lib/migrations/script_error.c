#include "migrations/script_error.h"

#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hidden.h"
#include "base/message.h"
#include "base/page.h"
#include "base/terminal.h"
#include "migrations/script_path.h"

/* A line of what the server said. */
static void
add_said(struct bytes *text, const char *label, const char *said)
{
	if (said == NULL)
		return;
	bytes_str(text, label);
	message_quote_to(text, said);
	bytes_char(text, '\n');
}

/* An editor, a chat or a web page left a character that SQL does not have. */
static void
add_hidden(struct bytes *text, const struct script_error *e)
{
	struct bytes file = { 0 }, remedy = { 0 };

	if (e->sqlstate == NULL || strncmp(e->sqlstate, "42", 2) != 0 || e->message == NULL || e->own_row || e->place.line == 0)
		return;
	script_path_word(&file, e->folder, e->migration);
	if (hidden_remedy(&remedy, e->message, file.data, e->place.line))
		bytes_format(text, "  hint: %s\n", remedy.data);
	bytes_free(&remedy);
	bytes_free(&file);
}

void
script_error_say(const struct script_error *e)
{
	struct bytes text = { 0 };

	if (e->own_row)
		bytes_str(&text, e->migration);
	else
		script_path_of(&text, e->folder, e->migration, e->file != NULL ? e->file : "migration.sql");
	bytes_char(&text, ':');
	if (e->place.line > 0)
		bytes_format(&text, "%lu:%lu:", e->place.line, e->place.column);
	bytes_str(&text, " error: ");
	message_quote_to(&text, e->message != NULL ? e->message : "it did not end");
	if (e->sqlstate != NULL)
		bytes_format(&text, " [%s]", e->sqlstate);
	bytes_char(&text, '\n');
	if (e->place.line > 0)
		page_caret(&text, e->sql, e->place.line, e->place.column, terminal_width(STDERR_FILENO));
	add_said(&text, "  detail: ", e->detail);
	add_said(&text, "  hint: ", e->hint);
	add_hidden(&text, e);
	if (e->advice != NULL && (e->hint == NULL || strcmp(e->advice, e->hint) != 0))
		add_said(&text, "  hint: ", e->advice);
	add_said(&text, "  where: ", e->context);
	text.data[--text.len] = '\0';
	message_line("%s", text.data);
	bytes_free(&text);
}
