#include "sql/literals.h"

#include <stdlib.h>
#include <string.h>

#include "sql/sql.h"

static bool
is_data_statement(const char *text, size_t len)
{
	static const char *const words[] = { "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "TABLE", "WITH" };
	struct sql_token token = { 0 };
	size_t i;

	do
		token = sql_token(text, len, token.end);
	while (token.kind == SQL_SIGN && text[token.start] == '(');
	for (i = 0; i < sizeof words / sizeof *words; i++)
		if (sql_is(text, token, words[i]))
			return true;
	return false;
}

/* The highest $N in the text. */
static unsigned long
last_parameter(const char *text, size_t len)
{
	struct sql_token token = sql_token(text, len, 0);
	unsigned long last = 0, number;

	for (; token.kind != SQL_END; token = sql_token(text, len, token.end))
		if (token.kind == SQL_PARAMETER && (number = strtoul(text + token.start + 1, NULL, 10)) > last)
			last = number;
	return last;
}

/* What stands between two tokens, comments among it, as one blank. */
static void
add_gap(struct bytes *out, const char *text, size_t from, size_t to)
{
	size_t i;

	for (i = from; i < to; i++)
		if (strchr(" \t\r\n\f\v", text[i]) == NULL) {
			bytes_char(out, ' ');
			return;
		}
	bytes_add(out, text + from, to - from);
}

bool
literals_replace(struct bytes *out, const char *text)
{
	size_t len = strlen(text), start = out->len, end = 0;
	struct sql_script script;
	struct sql_token token;
	unsigned long parameter;
	bool whole;

	if (strchr(text, '\\') != NULL || !is_data_statement(text, len))
		return false;
	script = sql_split(text, len);
	whole = script.count == 1 && !script.statements[0].broken;
	if (whole)
		len = script.statements[0].end;
	sql_script_free(&script);
	parameter = last_parameter(text, len);
	for (token = sql_token(text, len, 0); whole && token.kind != SQL_END; token = sql_token(text, len, token.end)) {
		add_gap(out, text, end, token.start);
		end = token.end;
		if (token.kind == SQL_STRING)
			bytes_format(out, "$%lu", ++parameter);
		else
			bytes_add(out, text + token.start, token.end - token.start);
		whole = token.kind != SQL_BROKEN;
	}
	if (!whole && out->data != NULL)
		out->data[out->len = start] = '\0';
	return whole;
}

void
literals_hide(struct bytes *out, const char *replaced, size_t most)
{
	size_t len = strlen(replaced), start = out->len, end = 0, cut;
	struct sql_token token;

	for (token = sql_token(replaced, len, 0); token.kind != SQL_END && out->len - start <= most; token = sql_token(replaced, len, token.end)) {
		if (token.start > end && out->len > start)
			bytes_char(out, ' ');
		end = token.end;
		if (token.kind == SQL_NUMBER)
			bytes_char(out, '?');
		else
			bytes_add(out, replaced + token.start, token.end - token.start);
	}
	if (out->len - start <= most)
		return;
	for (cut = start + most; cut > start && ((unsigned char)out->data[cut] & 0xC0) == 0x80; cut--)
		;
	out->data[out->len = cut] = '\0';
}
