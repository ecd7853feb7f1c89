/* What psql would change on its way to the server. */
#include "sql/sql_internal.h"

#include <string.h>

static size_t
variable_end(const char *text, size_t len, size_t at)
{
	while (sql_is_letter(sql_peek(text, len, at)) || sql_is_digit(sql_peek(text, len, at)))
		at++;
	return at;
}

/* Whether a colon begins :NAME, :'NAME', :"NAME" or :{?NAME}. */
static bool
is_variable(const char *text, size_t len, size_t colon)
{
	size_t name = colon + 1, end;
	char open = sql_peek(text, len, name), close = open;

	if (sql_is_letter(open))
		return true;
	if (open == '{') {
		if (sql_peek(text, len, ++name) != '?')
			return false;
		close = '}';
	} else if (open != '\'' && open != '"') {
		return false;
	}
	end = variable_end(text, len, ++name);
	return end > name && sql_peek(text, len, end) == close;
}

size_t
sql_psql_would_alter(const char *text, size_t len)
{
	struct sql_token token = sql_token(text, len, 0);

	for (; token.kind != SQL_END; token = sql_token(text, len, token.end)) {
		char next = sql_peek(text, len, token.end);

		if (sql_is_sign(text, token, '\\'))
			return token.start;
		if (!sql_is_sign(text, token, ':'))
			continue;
		if (next == ':' || next == '=')
			token.end++;
		else if (is_variable(text, len, token.start))
			return token.start;
	}
	return len;
}
