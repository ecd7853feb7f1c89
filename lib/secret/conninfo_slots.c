/* What each part of a connection string may hold, so that no password is shown by a part that is not its own. */
#include "secret/conninfo_internal.h"

#include <string.h>

/*
 * The character at text[*at], with escapes resolved however often it was encoded; *at is then behind it.
 */
int
conninfo_resolved_char(const char *text, size_t *at, size_t end)
{
	int byte = conninfo_escape_value(text, *at, end);
	size_t next = *at + (byte >= 0 ? 3 : 1);

	if (byte < 0)
		byte = (unsigned char)text[*at];
	/* %253B: the escape of a % and the digits of the next one */
	while (byte == '%' && next > *at + 1 && end - next >= 2 && conninfo_hex_value(text[next]) >= 0 &&
	    conninfo_hex_value(text[next + 1]) >= 0) {
		byte = conninfo_hex_value(text[next]) * 16 + conninfo_hex_value(text[next + 1]);
		next += 2;
	}
	*at = next;
	return byte;
}

/* Whether `word`, blanks and an = begin at text[at], in either case and however encoded. */
static bool
is_assignment(const char *text, size_t at, size_t end, const char *word)
{
	for (; *word != '\0'; word++) {
		int byte = at < end ? conninfo_resolved_char(text, &at, end) : -1;

		if (byte != *word && byte != *word - 'a' + 'A')
			return false;
	}
	while (at < end) {
		int byte = conninfo_resolved_char(text, &at, end);

		if (byte == '=')
			return true;
		if (byte != '+' && (byte < 0 || byte > 0x7F || !conninfo_is_blank((char)byte)))
			return false;
	}
	return false;
}

/* Where text[start..end) assigns a password, or end. */
static size_t
find_assignment(const char *text, size_t start, size_t end)
{
	static const char *const words[] = { "password", "passwd", "passphrase", "pwd" };
	size_t at, i;

	for (at = start; at < end; at++)
		for (i = 0; i < COUNT(words); i++)
			if (is_assignment(text, at, end, words[i]))
				return at;
	return end;
}

/*
 * text[start..end) as it stands in the string is to become something that is shown.  `raw`: characters that
 * separate in one form or another, which belong to a name only where they are encoded, or in a keyword string quoted.
 */
bool
conninfo_check_slot(struct parse *p, size_t start, size_t end, const char *raw)
{
	const char *hint = p->target->is_url ? SLOT_HINT : QUOTED_HINT;
	size_t at = find_assignment(p->text, start, end);

	if (at < end)
		return conninfo_fail(p, at, KEYWORD_RULE, hint);
	at = conninfo_find(p->text, start, end, raw);
	if (at < end)
		return conninfo_fail(p, at, "an unquoted separator inside a value", hint);
	if (end > start && strchr("\"'", p->text[end - 1]) != NULL &&
	    conninfo_find(p->text, start, end - 1, "\"'") == end - 1)
		return conninfo_fail(p, end - 1, "a closing quote without an opening one",
		    "Remove it, or encode it: \" as %22, ' as %27.");
	return true;
}

/* A user `u:secret` comes from an encoded colon. */
bool
conninfo_check_user(struct parse *p, size_t start, size_t end)
{
	size_t at = start;

	if (!conninfo_check_slot(p, start, end, "&;?"))
		return false;
	while (at < end) {
		size_t before = at;

		if (conninfo_resolved_char(p->text, &at, end) == ':')
			return conninfo_fail(p, before, "a colon in the user's name",
			    "Write a plain colon between user and password: " SHAPE);
	}
	return true;
}

/* A host list of a keyword string or of ?host=: names, addresses, and directories of sockets. */
bool
conninfo_check_host(struct parse *p, const char *value, size_t at)
{
	bool directory = false, first = true;

	for (; *value != '\0'; value++) {
		unsigned char c = (unsigned char)*value;

		if (first)
			directory = c == '/' || c == '@';
		first = c == ',';
		if (conninfo_is_control(*value) || (!directory && c < 0x80 && !conninfo_is_letter(*value) && !conninfo_is_digit(*value) &&
		    strchr(".-_:%,", c) == NULL) || (directory && strchr(";&?=", c) != NULL))
			return conninfo_fail(p, at, "a character that is not valid in a host name",
			    p->target->is_url ? SLOT_HINT : QUOTED_HINT);
	}
	return true;
}

/* The server would cut a longer one, and look for another schema than it made; those of its own it makes for nobody. */
static const char *
reserved_schema(const char *name)
{
	if (strlen(name) > 63)
		return "the schema's name is longer than 63 bytes, which is PostgreSQL's limit for names";
	if (strncmp(name, "pg_", 3) == 0 || strcmp(name, "information_schema") == 0)
		return "a schema of PostgreSQL itself (pg_... or information_schema)";
	return NULL;
}

bool
conninfo_check_schema(struct parse *p, const char *value, size_t at)
{
	const char *rule = reserved_schema(value);

	return rule == NULL || conninfo_fail(p, at, rule, NULL);
}

const char *
conninfo_schema_rule(const char *name)
{
	if (*name == '\0')
		return "a schema's name cannot be empty";
	if (utf8_has_control(name) || utf8_check(name, strlen(name)) != strlen(name))
		return "a schema's name cannot have control characters or bytes that are not UTF-8";
	return reserved_schema(name);
}
