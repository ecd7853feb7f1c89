/*
 * Determines the form of a string; conninfo_url.c, conninfo_keywords.c or conninfo_json.c then parses it, and conninfo_parameters.c
 * has what both share.
 *
 * The password is never copied, decoded or compared here beyond single characters.  Therefore values are offsets
 * into the input until it is known what they are.
 */
#include "secret/conninfo.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "secret/conninfo_internal.h"

/* --- URLs --- */

/* Known at the first look: strings that are meant well, but are not for us. */
static bool
check_other_forms(struct parse *p)
{
	static const struct {
		const char *prefix, *rule, *hint;
	} forms[] = {
		{ "prisma://", "a URL of Prisma Accelerate, which does not run migrations",
		    "Use the direct URL of the database: " SHAPE },
		{ "prisma+postgres://", "a URL of Prisma's own proxy, which does not run migrations",
		    "Use the direct URL of the database: " SHAPE },
		{ "jdbc:", "a JDBC URL", "Write it as " SHAPE },
		{ "psql ", "the command psql before the connection string",
		    "Remove the command." },
		{ "export ", "a line of shell, not its value",
		    "Remove the text before postgresql://" },
		{ "\"", "the value is in quotes, and they are part of it",
		    "Remove the quotes: docker --env-file and similar tools keep them." },
		{ "'", "the value is in quotes, and they are part of it",
		    "Remove the quotes: docker --env-file and similar tools keep them." },
		{ "$", REFERENCE_RULE, REFERENCE_HINT },
		{ "{{", REFERENCE_RULE, REFERENCE_HINT }
	};
	size_t i;

	for (i = 0; i < COUNT(forms); i++)
		if (conninfo_begins_with(p->text, p->start, p->end, forms[i].prefix))
			return conninfo_fail(p, p->start, forms[i].rule, forms[i].hint);
	return true;
}

/* What an editor, a chat or a web page puts around a string without showing it. */
static bool
check_invisible(struct parse *p)
{
	static const struct {
		const char *bytes, *rule;
	} marks[] = {
		{ "\xEF\xBB\xBF", "U+FEFF, an invisible byte order mark" },
		{ "\xE2\x80\x8B", "U+200B, an invisible zero-width space" },
		{ "\xE2\x80\x8C", "U+200C, an invisible zero-width non-joiner" },
		{ "\xE2\x80\x8D", "U+200D, an invisible zero-width joiner" },
		{ "\xE2\x81\xA0", "U+2060, an invisible word joiner" },
		{ "\xC2\xA0", "U+00A0, a no-break space, which is not trimmed" },
		{ "\xC2\xAD", "U+00AD, an invisible soft hyphen" },
		{ "\xE2\x80\x9C", "U+201C, a typographic quote, around the value" },
		{ "\xE2\x80\x9D", "U+201D, a typographic quote, around the value" },
		{ "\xE2\x80\x9E", "U+201E, a typographic quote, around the value" },
		{ "\xE2\x80\x98", "U+2018, a typographic quote, around the value" },
		{ "\xE2\x80\x99", "U+2019, a typographic quote, around the value" },
		{ "\xE2\x80\x9A", "U+201A, a typographic quote, around the value" }
	};
	static const char hint[] =
	    "Remove it: retype the first and the last character, or in a file:  LC_ALL=C sed -i 's/[^ -~]//g' FILE";
	size_t i;

	for (i = 0; i < COUNT(marks); i++) {
		size_t len = strlen(marks[i].bytes);

		if (conninfo_begins_with(p->text, p->start, p->end, marks[i].bytes))
			return conninfo_fail(p, p->start, marks[i].rule, hint);
		if (p->end - p->start >= len && conninfo_begins_with(p->text, p->end - len, p->end, marks[i].bytes))
			return conninfo_fail(p, p->end - len, marks[i].rule, hint);
	}
	return true;
}

/* The offset behind "scheme:", or start where the text does not begin like that. */
static size_t
find_scheme_end(const struct parse *p)
{
	size_t at = p->start;

	while (at < p->end && (conninfo_is_letter(p->text[at]) || (at > p->start &&
	    (conninfo_is_digit(p->text[at]) || strchr("+.-", p->text[at]) != NULL))))
		at++;
	return at > p->start && at < p->end && p->text[at] == ':' ? at + 1 : p->start;
}

static bool
fail_scheme(struct parse *p, size_t scheme_end)
{
	size_t len = scheme_end - p->start;

	if (conninfo_begins_with(p->text, p->start, p->end, "postgres") &&
	    (len == sizeof "postgres:" - 1 || conninfo_begins_with(p->text, p->start, p->end, "postgresql:")))
		return conninfo_fail(p, scheme_end, "two slashes are missing after the colon",
		    "Write it as " SHAPE);
	if (conninfo_begins_with(p->text, p->start, p->end, "postgres") &&
	    conninfo_find(p->text, p->start, scheme_end, "+") < scheme_end)
		return conninfo_fail(p, conninfo_find(p->text, p->start, scheme_end, "+"),
		    "a driver's name in the scheme", "Write postgresql:// alone.");
	if (conninfo_begins_with(p->text, scheme_end, p->end, "//"))
		return conninfo_fail(p, p->start,
		    "the URL does not begin with postgresql:// or postgres://",
		    "mig supports only PostgreSQL; write the scheme in lower case.");
	return conninfo_fail(p, p->start, "neither a URL nor a keyword string", "Write it as " SHAPE);
}

/* --- which of them it is --- */

/* As psql -d shop: letters, digits and the like, and not longer than a name can be. */
static bool
is_name(const struct parse *p)
{
	size_t i;

	for (i = p->start; i < p->end; i++)
		if (!conninfo_is_letter(p->text[i]) && p->text[i] != '_' &&
		    (unsigned char)p->text[i] < 0x80 &&
		    (i == p->start || (!conninfo_is_digit(p->text[i]) && strchr("-$.", p->text[i]) == NULL)))
			return false;
	return p->end - p->start <= 63 &&
	    utf8_check(p->text + p->start, p->end - p->start) == p->end - p->start;
}

static bool
parse_any(struct parse *p)
{
	size_t scheme_end = find_scheme_end(p), zero;

	if (p->start == p->end)
		return conninfo_fail(p, p->start, "the connection string is empty", NULL);
	for (zero = p->start; zero < p->end; zero++)
		if (p->text[zero] == '\0')
			return conninfo_fail(p, zero, "a NUL byte", NULL);
	if (!check_invisible(p))
		return false;
	if (conninfo_begins_with(p->text, p->start, p->end, "postgresql://") ||
	    conninfo_begins_with(p->text, p->start, p->end, "postgres://"))
		return conninfo_parse_url(p, scheme_end + 2);
	if (!check_other_forms(p))
		return false;
	if (p->text[p->start] == '{')
		return conninfo_parse_json(p);
	if (scheme_end > p->start)
		return fail_scheme(p, scheme_end);
	if (conninfo_find(p->text, p->start, p->end, "=") < p->end)
		return conninfo_parse_keywords(p);
	if (!is_name(p))
		return conninfo_fail(p, p->start, "neither a URL nor a keyword string",
		    "Write it as " SHAPE);
	p->target->database = xstrndup(p->text + p->start, p->end - p->start);
	p->target->is_name = true;
	return true;
}

bool
conninfo_parse(const char *text, size_t len, struct conninfo *target, struct conninfo_password *password,
    struct conninfo_error *error)
{
	struct parse p = {
		.text = text, .end = len, .target = target, .password = password, .error = error
	};

	*target = (struct conninfo){ 0 };
	*password = (struct conninfo_password){ 0 };
	*error = (struct conninfo_error){ 0 };
	while (p.start < p.end && text[p.start] != '\0' &&
	    (conninfo_is_blank(text[p.start]) || conninfo_is_control(text[p.start])))
		p.start++;
	while (p.end > p.start && text[p.end - 1] != '\0' &&
	    (conninfo_is_blank(text[p.end - 1]) || conninfo_is_control(text[p.end - 1])))
		p.end--;
	if (!parse_any(&p) || !conninfo_finish_tls(&p)) {
		conninfo_free(target);
		*password = (struct conninfo_password){ 0 };
		return false;
	}
	if (target->host != NULL)
		target->first_host = xstrndup(target->host, strcspn(target->host, ","));
	else if (conninfo_given(target, "hostaddr") != NULL)
		target->first_host = xstrdup(conninfo_given(target, "hostaddr")->value);
	return true;
}

void
conninfo_free(struct conninfo *target)
{
	size_t i;

	for (i = 0; i < target->count; i++) {
		free(target->parameters[i].keyword);
		free(target->parameters[i].value);
	}
	for (i = 0; i < target->ignored_count; i++)
		free(target->ignored[i]);
	free(target->parameters);
	free(target->ignored);
	free(target->host);
	free(target->port);
	free(target->user);
	free(target->database);
	free(target->schema);
	free(target->first_host);
	*target = (struct conninfo){ 0 };
}

size_t
conninfo_decode(const char *text, const struct conninfo_password *password, char *out)
{
	size_t len = password->end - password->start, i;

	if (password->json)
		return conninfo_json_decode(text, password->start, password->end, out);
	if (password->quoted)
		return conninfo_unescape(text, password->start, password->end, out);
	if (password->encoded) {
		size_t decoded_len = conninfo_percent_decode(text, password->start, password->end, out);

		if (utf8_check(out, decoded_len) == decoded_len)
			return decoded_len;
	}
	for (i = 0; i < len; i++)
		out[i] = text[password->start + i];
	out[len] = '\0';
	return len;
}

const char *
conninfo_first_host(const struct conninfo *target)
{
	return target->first_host;
}

int
conninfo_first_port(const struct conninfo *target)
{
	return target->port != NULL ? atoi(target->port) : 0;
}

/* Where value has one of ; & ? =, plainly or percent-encoded, or its length. */
static size_t
find_separator(const char *value)
{
	size_t end = strlen(value), at;

	for (at = 0; at < end; at++) {
		size_t next = at;

		if (strchr(";&?=", conninfo_resolved_char(value, &next, end)) != NULL)
			break;
	}
	return at;
}

static void
cut_value(struct bytes *text, const char *value)
{
	struct bytes out = { 0 };
	const char *from, *at;
	size_t head;

	if (value == NULL || value[head = find_separator(value)] == '\0' || strstr(bytes_text(text), value) == NULL)
		return;
	for (from = bytes_text(text); (at = strstr(from, value)) != NULL; from = at + strlen(value)) {
		bytes_add(&out, from, (size_t)(at - from) + head);
		bytes_str(&out, "...");
	}
	bytes_str(&out, from);
	bytes_free(text);
	*text = out;
}

/* Whether text[at..at + len) is a word by itself. */
static bool
is_whole(const char *text, const char *at, size_t len)
{
	return (at == text || strchr(" \"':=", at[-1]) != NULL) && strchr(" \"':,", at[len]) != NULL;
}

/* Hides each value[0..len) in the text that is a word by itself. */
static void
hide(struct bytes *text, const char *value, size_t len)
{
	char *word = xstrndup(value, len);
	struct bytes out = { 0 };
	const char *from = bytes_text(text), *at = from;

	while (len > 0 && (at = strstr(at, word)) != NULL) {
		if (!is_whole(bytes_text(text), at, len)) {
			at++;
			continue;
		}
		bytes_add(&out, from, (size_t)(at - from));
		bytes_str(&out, "...");
		from = at += len;
	}
	bytes_str(&out, from);
	bytes_free(text);
	*text = out;
	free(word);
}

/* Of "-c name=value" the server repeats name or value: only a name that has the form of one is shown. */
static void
hide_options(struct bytes *text, const char *options)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
	size_t len, dashes, before;

	for (; *options != '\0'; options += len + (options[len] == ' ')) {
		len = strcspn(options, " ");
		dashes = strspn(options, "-");
		before = strcspn(options, "= ");
		if (*options == '-' && len == 2) /* -c */
			continue;
		hide(text, options, len);
		if (before < len)
			hide(text, options + before + 1, len - before - 1);
		if (before == len || dashes + strspn(options + dashes, name) < before)
			hide(text, options + dashes, before - (dashes < before ? dashes : before));
	}
}

void
conninfo_cut_values(const struct conninfo *target, struct bytes *text)
{
	static const char *const hidden[] = { "service", "requirepeer", "krbsrvname" };
	const struct conninfo_parameter *options = conninfo_given(target, "options"), *given;
	size_t i;

	cut_value(text, target->host);
	cut_value(text, target->user);
	cut_value(text, target->database);
	cut_value(text, target->schema);
	for (i = 0; i < COUNT(hidden); i++)
		if ((given = conninfo_given(target, hidden[i])) != NULL)
			hide(text, given->value, strlen(given->value));
	if (options != NULL)
		hide_options(text, options->value);
}
