#include "seed/file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "base/mig.h"

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
	bool wide = line == 1 && len > 1 &&
	    (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0);

	if (nul != NULL)
		bad = (size_t)(nul - text);
	if (bad == len)
		return 0;
	for (at = text; (at = memchr(at, '\n', bad - (size_t)(at - text))) != NULL; at++)
		line++;
	if (wide)
		return seed_refuse(file, line, "this is no text in UTF-8, but in UTF-16: save it as UTF-8");
	if (nul != NULL)
		return seed_refuse(file, line, "this is no text in UTF-8: there is a NUL byte");
	return seed_refuse(file, line,
	    "this is no text in UTF-8: there is a byte 0x%02X; save it as UTF-8, as with  iconv -f WINDOWS-1252 -t UTF-8",
	    (unsigned)(unsigned char)text[bad]);
}

int
seed_refuse(const struct seed_file *file, unsigned long line, const char *format, ...)
{
	struct bytes text = { 0 };
	va_list args;

	va_start(args, format);
	bytes_vformat(&text, format, args);
	va_end(args);
	if (line > 0)
		(void)message_error(MIG_DATA, "%s:%lu: %s", file->path, line, text.data);
	else
		(void)message_error(MIG_DATA, "%s: %s", file->path, text.data);
	message_line("  Nothing was seeded.");
	bytes_free(&text);
	return MIG_DATA;
}

/* --- names --- */

bool
seed_is_csv(const struct seed_file *file)
{
	return file->kind == SEED_CSV || file->kind == SEED_TSV;
}

char
seed_delimiter(const struct seed_file *file)
{
	return file->kind == SEED_TSV ? '\t' : ',';
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

bool
seed_same_name(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}
