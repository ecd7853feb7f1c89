#include "seed/secrets.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "secret/source.h"
#include "seed/rows.h"

/* --- a value as COPY has it --- */

enum { SHORTEST = 4 }; /* what is shorter is part of many words: it counts where it stands alone */

static const char *
copy_escape(char c)
{
	return c == '\\' ? "\\\\" : c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\t' ? "\\t" : NULL;
}

/* Byte by byte, see secret_room(). */
static void *
escape(const char *text, void *context)
{
	size_t len = secret_length(context), raw = 0, i;
	char *room = secret_room(3 * len + 2);
	volatile char *at = room;

	for (i = 0; i < len; i++)
		*at++ = text[i];
	*at++ = '\0';
	for (i = 0; i < len; i++) {
		const char *escaped = copy_escape(text[i]);

		*at++ = escaped != NULL ? escaped[0] : text[i];
		if (escaped != NULL)
			*at++ = escaped[1];
		raw += escaped != NULL ? 2 : 1;
	}
	*at = '\0';
	return secret_seal(room, len, raw);
}

void
secrets_add_copy(struct bytes *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (copy_escape(*text) != NULL)
			bytes_str(out, copy_escape(*text));
		else
			bytes_char(out, *text);
	}
}

/* --- collecting --- */

static void *
find_nul(const char *text, void *context)
{
	return memchr(text, '\0', secret_length(context)) != NULL ? context : NULL;
}

struct secret *
secrets_find(const struct seed_secrets *secrets, const char *source)
{
	size_t i;

	for (i = 0; i < secrets->count; i++)
		if (strcmp(secrets->items[i].source, source) == 0)
			return secrets->items[i].value;
	return NULL;
}

static int
refuse(const struct seed_file *file, unsigned long line, const char *column, int code, const char *why, const char *next)
{
	struct bytes place = { 0 };

	seed_place(&place, file, line);
	(void)message_error(code, "%s: column \"%s\": %s", place.data, column, why);
	message_line("  Nothing was seeded.");
	if (*next != '\0')
		message_line("next: %s", next);
	bytes_free(&place);
	return code;
}

int
secrets_take(struct seed_secrets *secrets, const struct seed_file *file, unsigned long line, const char *column, const char *source)
{
	struct bytes why = { 0 }, next = { 0 };
	struct secret *plain;
	int code;

	if (strncmp(source, "env:", 4) != 0 && strncmp(source, "file:", 5) != 0)
		return refuse(file, line, column, MIG_DATA, "it is secret, so it must be env:NAME or file:PATH, or NULL (the value is not shown)", "");
	if (secrets_find(secrets, source) != NULL)
		return 0;
	plain = secret_value(source, &code, &why, &next);
	if (plain == NULL) {
		(void)refuse(file, line, column, code, why.data, bytes_text(&next));
	} else if (secret_use(plain, find_nul, plain) != NULL) {
		code = refuse(file, line, column, MIG_DATA, "the value contains a NUL byte, which a text in PostgreSQL cannot", "");
		secret_free(plain);
	} else {
		ARRAY_ROOM(secrets->items, secrets->count, secrets->cap);
		secrets->items[secrets->count++] = (struct seed_secret){ xstrdup(source), secret_use(plain, escape, plain) };
		secret_free(plain);
		message_verbose("a value of %s: %s", column, source);
	}
	bytes_free(&why);
	bytes_free(&next);
	return code;
}

/* One cell of a row; a column that the row lacks, and NULL, need no value. */
static int
take_cell(struct seed_secrets *secrets, const struct row_reader *reader, const char *column)
{
	const struct row_value *value = rows_value(reader, column);
	struct bytes text = { 0 };
	int code = 0;

	if (value != NULL && !value->null) {
		rows_add_text(&text, reader->file, value);
		code = secrets_take(secrets, reader->file, reader->line, column, text.data);
	}
	bytes_free(&text);
	return code;
}

int
secrets_collect(struct seed_secrets *secrets, const struct seed_file *file)
{
	const struct seed_names *columns = &file->settings.secret;
	struct row_reader reader;
	size_t i;
	int code;

	if (columns->count == 0)
		return 0;
	code = rows_open(&reader, file);
	while (code == 0 && rows_next(&reader))
		for (i = 0; code == 0 && i < columns->count; i++)
			code = take_cell(secrets, &reader, columns->names[i]);
	code = code != 0 ? code : reader.code;
	rows_close(&reader);
	return code;
}

void
secrets_free(struct seed_secrets *secrets)
{
	while (secrets->count > 0) {
		struct seed_secret *last = &secrets->items[--secrets->count];

		free(last->source);
		secret_free(last->value);
	}
	free(secrets->items);
	*secrets = (struct seed_secrets){ 0 };
}

/* --- hiding --- */

static bool
is_part_of_word(char c)
{
	return (unsigned char)c >= 0x80 || isalnum((unsigned char)c);
}

static void *
find_in(const char *text, void *context)
{
	size_t len = strlen(text);
	char *from = context, *at;

	for (; len > 0 && (at = strstr(from, text)) != NULL; from = at + 1)
		if (len >= SHORTEST || ((at == (char *)context || !is_part_of_word(at[-1])) && !is_part_of_word(at[len])))
			return at;
	return NULL;
}

static void
hide_in(const struct seed_secret *secret, char **text)
{
	if (*text == NULL || secret_use(secret->value, find_in, *text) == NULL)
		return;
	memset(*text, 0, strlen(*text));
	free(*text);
	*text = xformat("(not shown, since it contains the value of %s)", secret->source);
}

void
secrets_hide(const struct seed_secrets *secrets, struct db_error *e)
{
	size_t i;

	for (i = 0; i < secrets->count; i++) {
		hide_in(&secrets->items[i], &e->message);
		hide_in(&secrets->items[i], &e->detail);
		hide_in(&secrets->items[i], &e->hint);
		hide_in(&secrets->items[i], &e->context);
	}
}
