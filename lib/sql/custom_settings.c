#include "sql/custom_settings.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_$."
#define BLANKS " \t\r\n"

/* What is in a call's parentheses, up to the one that closes it, or the end of the text. */
static size_t
arguments_length(const char *text)
{
	size_t len, depth = 0;
	bool quoted = false;

	for (len = 0; text[len] != '\0' && (quoted || depth > 0 || text[len] != ')'); len++) {
		if (text[len] == '\'')
			quoted = !quoted;
		else if (!quoted && text[len] == '(')
			depth++;
		else if (!quoted && text[len] == ')')
			depth--;
	}
	return len;
}

/* set_config(..., true) ends with its transaction. */
static bool
is_local(const char *arguments, size_t len)
{
	static const char word[] = "true";

	while (len > 0 && strchr(BLANKS "'", arguments[len - 1]) != NULL)
		len--;
	return len >= sizeof word - 1 && strncasecmp(arguments + len - (sizeof word - 1), word, sizeof word - 1) == 0;
}

static void
add_name(struct bytes *out, const char *name, size_t len)
{
	size_t i;

	bytes_str(out, out->len > 0 ? ", '" : "'");
	for (i = 0; i < len; i++)
		bytes_char(out, (char)tolower((unsigned char)name[i]));
	bytes_char(out, '\'');
}

/* `text` is behind the function's name: looks for ( 'app.tenant' , with the quotes doubled where they are in a string. */
static void
add_mentioned(struct bytes *out, const char *text, bool sets)
{
	const char *name, *arguments;
	size_t len;

	text += strspn(text, BLANKS);
	if (*text++ != '(')
		return;
	arguments = text;
	text += strspn(text, BLANKS);
	name = text + strspn(text, "'");
	len = strspn(name, NAME_LETTERS);
	if (name == text || name[len] != '\'' || memchr(name, '.', len) == NULL ||
	    (sets && is_local(arguments, arguments_length(arguments))))
		return;
	add_name(out, name, len);
}

void
custom_settings_sql(struct bytes *out, const char *text)
{
	static const char *const functions[] = { "set_config", "current_setting" };
	size_t i, len;

	for (; *text != '\0'; text++)
		for (i = 0; i < sizeof functions / sizeof *functions; i++) {
			len = strlen(functions[i]);
			if (tolower((unsigned char)*text) == *functions[i] && strncasecmp(text, functions[i], len) == 0)
				add_mentioned(out, text + len, i == 0);
		}
}
