#include "seed/file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/message.h"
#include "base/mig.h"
#include "seed/settings.h"

int
seed_cannot_read(const char *path, int error)
{
	return message_error(error == EACCES ? MIG_DENIED : MIG_DATA, "cannot read %s: %s", path,
	    file_why(error));
}

int
seed_check_text(const struct seed_file *file, const char *text, size_t len, unsigned long line)
{
	size_t bad = utf8_check(text, len);
	const char *nul = memchr(text, '\0', bad), *at;
	bool wide = line == 1 && len > 3 &&
	    (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0 || /* or ASCII in two bytes each */
	    (text[0] == '\0' && text[1] != '\0' && text[2] == '\0') || (text[0] != '\0' && text[1] == '\0' && text[3] == '\0'));

	if (nul != NULL)
		bad = (size_t)(nul - text);
	if (bad == len)
		return 0;
	for (at = text; (at = memchr(at, '\n', bad - (size_t)(at - text))) != NULL; at++)
		line++;
	if (wide)
		return seed_refuse(file, line, "this is not UTF-8 text but UTF-16: save it as UTF-8, as with  iconv -f UTF-16%s -t UTF-8",
		    *text == '\0' ? "BE" : text[1] == '\0' && (unsigned char)*text < 0x80 ? "LE" : "");
	if (nul != NULL)
		return seed_refuse(file, line, "this is not UTF-8 text: it contains a NUL byte");
	return seed_refuse(file, line,
	    "this is not UTF-8 text: it contains the byte 0x%02X; save it as UTF-8, as with  iconv -f WINDOWS-1252 -t UTF-8",
	    (unsigned)(unsigned char)text[bad]);
}

int
seed_refuse(const struct seed_file *file, unsigned long line, const char *format, ...)
{
	struct bytes text = { 0 }, place = { 0 };
	va_list args;

	va_start(args, format);
	bytes_vformat(&text, format, args);
	va_end(args);
	seed_place(&place, file, line);
	(void)message_error(MIG_DATA, "%s: %s", place.data, text.data);
	seed_say_other_place(file, line);
	message_line("  Nothing was seeded.");
	bytes_free(&text);
	bytes_free(&place);
	return MIG_DATA;
}

static const struct seed_origin *
origin_of(const struct seed_file *file, unsigned long line)
{
	return line > 0 && line <= file->origin_count ? &file->origins[line - 1] : NULL;
}

void
seed_place(struct bytes *out, const struct seed_file *file, unsigned long line)
{
	const struct seed_origin *origin = origin_of(file, line);

	if (origin != NULL) {
		file = origin->overlay > 0 ? file->overlay : file->base;
		line = origin->overlay > 0 ? origin->overlay : origin->base;
	}
	bytes_str(out, file->path);
	if (line > 0)
		bytes_format(out, ":%lu", line);
}

void
seed_say_other_place(const struct seed_file *file, unsigned long line)
{
	const struct seed_origin *origin = origin_of(file, line);

	if (origin != NULL && origin->overlay > 0 && origin->base > 0)
		message_line("  over        %s:%lu", file->base->path, origin->base);
}

void
seed_file_free(struct seed_file *file)
{
	if (file == NULL)
		return;
	seed_file_free(file->base);
	seed_file_free(file->overlay);
	free(file->base);
	free(file->overlay);
	free(file->path);
	free(file->title);
	free(file->schema);
	free(file->table);
	free(file->member_rows);
	free(file->origins);
	bytes_free(&file->text);
	bytes_free(&file->merged);
	bytes_free(&file->overridden);
	seed_names_free(&file->header);
	seed_names_free(&file->members);
	seed_settings_free(&file->settings);
}

/* --- names --- */

bool
seed_file_kind(const char *name, enum seed_kind *kind, size_t *stem)
{
	static const struct {
		const char *ending;
		enum seed_kind kind;
	} endings[] = { { ".sql", SEED_SQL }, { ".csv", SEED_CSV }, { ".tsv", SEED_TSV }, { ".ndjson", SEED_NDJSON },
		{ ".jsonl", SEED_NDJSON }, { ".json", SEED_NDJSON } };
	size_t len = strlen(name), i;

	for (i = 0; i < sizeof endings / sizeof *endings; i++) {
		size_t tail = strlen(endings[i].ending);

		if (len > tail && strcasecmp(name + len - tail, endings[i].ending) == 0) {
			*kind = endings[i].kind;
			*stem = len - tail;
			return true;
		}
	}
	return false;
}

bool
seed_is_csv(const struct seed_file *file)
{
	return file->kind == SEED_CSV || file->kind == SEED_TSV;
}

char
seed_delimiter(const struct seed_file *file)
{
	return file->delimiter != 0 ? file->delimiter : file->kind == SEED_TSV ? '\t' : ',';
}

unsigned long
seed_header_line(const struct seed_file *file)
{
	return seed_is_csv(file) && file->settings.columns.count == 0 ? 1 : 0;
}

bool
seed_names_have(const struct seed_names *names, const char *name)
{
	size_t i;

	for (i = 0; i < names->count; i++)
		if (strcmp(names->names[i], name) == 0)
			return true;
	return false;
}

void
seed_names_add(struct seed_names *names, char *name)
{
	names->names = xrealloc(names->names, (names->count + 1) * sizeof *names->names);
	names->names[names->count++] = name;
}

void
seed_names_free(struct seed_names *names)
{
	while (names->count > 0)
		free(names->names[--names->count]);
	free(names->names);
	*names = (struct seed_names){ 0 };
}

void
seed_table_name(const char *text, size_t len, char **schema, char **table)
{
	const char *dot = memchr(text, '.', len);

	*schema = dot != NULL ? xstrndup(text, (size_t)(dot - text)) : NULL;
	*table = dot != NULL ? xstrndup(dot + 1, len - (size_t)(dot - text) - 1) : xstrndup(text, len);
}

/* One name, in quotes or up to a dot if `dots`; returns what is behind it. */
static const char *
read_name(struct bytes *name, const char *at, const char *end, bool dots)
{
	bool quoted = at < end && *at == '"';

	bytes_str(name, "");
	for (at += quoted; at < end; at++) {
		if (quoted && *at == '"' && (at + 1 == end || at[1] != '"'))
			return at + 1;
		if (!quoted && dots && *at == '.')
			return at;
		at += quoted && *at == '"';
		bytes_char(name, *at);
	}
	return at;
}

void
seed_table_read(const char *text, size_t len, char **schema, char **table)
{
	const char *end = text + len, *at;
	struct bytes first = { 0 }, second = { 0 };

	at = read_name(&first, text, end, true);
	if (at == end) {
		*schema = NULL;
		*table = first.data;
		return;
	}
	read_name(&second, at + (*at == '.'), end, false);
	*schema = first.data;
	*table = second.data;
}

const char *
seed_table_colon(const char *text)
{
	bool quoted = false, begins = true;

	for (; *text != '\0'; text++) {
		if (quoted && *text == '"' && text[1] == '"')
			text++;
		else if (*text == '"' && (quoted || begins))
			quoted = !quoted;
		else if (*text == ':' && !quoted)
			return text;
		begins = strchr("., ", *text) != NULL;
	}
	return NULL;
}

static void
write_name(struct bytes *out, const char *name, const char *special)
{
	if (*name != '\0' && strpbrk(name, special) == NULL) {
		bytes_str(out, name);
		return;
	}
	bytes_char(out, '"');
	for (; *name != '\0'; name++) {
		if (*name == '"')
			bytes_char(out, '"');
		bytes_char(out, *name);
	}
	bytes_char(out, '"');
}

void
seed_table_write(struct bytes *out, const char *schema, const char *table)
{
	if (schema != NULL) {
		write_name(out, schema, "\"., :[]");
		bytes_char(out, '.');
	}
	write_name(out, table, "\"., :[]");
}

void
seed_column_write(struct bytes *out, const char *column)
{
	write_name(out, column, "\", :\t");
}

bool
seed_same_name(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}
