#include "seed/settings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "datamodel/client.h"
#include "seed/text.h"

enum { SETTINGS_MOST = 1 << 20 };

/* "a, b, "c, d"" to names; false where one is empty or comes twice. */
static bool
names_parse(struct seed_names *names, const char *text, size_t len)
{
	const char *at = text, *end = text + len;
	struct bytes field = { 0 };
	bool more = true, good = true;

	while (more && good) {
		while (at < end && (*at == ' ' || *at == '\t'))
			at++;
		more = seed_csv_field(&at, end, ',', &field, NULL);
		while (field.len > 0 && (field.data[field.len - 1] == ' ' || field.data[field.len - 1] == '\t'))
			field.data[--field.len] = '\0';
		good = field.len > 0 && !seed_names_have(names, field.data);
		if (good)
			seed_names_add(names, xstrdup(field.data));
	}
	bytes_free(&field);
	return good;
}

void
seed_settings_free(struct seed_settings *s)
{
	seed_names_free(&s->key);
	seed_names_free(&s->insert_only);
	seed_names_free(&s->hide);
	seed_names_free(&s->secret);
	seed_names_free(&s->columns);
	free(s->where);
	s->where = NULL;
	seed_names_free(&s->updated_at);
	while (s->default_count > 0)
		free(s->defaults[--s->default_count].column);
	free(s->defaults);
	s->defaults = NULL;
}

static const char *
skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

static size_t
trimmed(const char *text, size_t len)
{
	while (len > 0 && strchr(" \t\r", text[len - 1]) != NULL)
		len--;
	return len;
}

/* Adds those that are not there yet. */
static void
names_join(struct seed_names *names, struct seed_names *more)
{
	size_t i;

	for (i = 0; i < more->count; i++)
		if (!seed_names_have(names, more->names[i]))
			seed_names_add(names, xstrdup(more->names[i]));
	seed_names_free(more);
}

/* default.COLUMN = FUNCTION.  The column may be in quotes. */
static const char *
default_take(struct seed_settings *s, const char *column, size_t column_len, const char *value, size_t len)
{
	struct seed_default d;
	struct seed_names names = { 0 };
	bool good = names_parse(&names, column, column_len) && names.count == 1 && len > 0 &&
	    client_function_read(value, len, &d.function, &d.length);
	size_t i;

	for (i = 0; good && i < s->default_count; i++) {
		if (strcmp(s->defaults[i].column, names.names[0]) != 0)
			continue;
		s->defaults[i].function = d.function; /* that of another level */
		s->defaults[i].length = d.length;
		seed_names_free(&names);
		return NULL;
	}
	if (good) {
		d.column = xstrdup(names.names[0]);
		s->defaults = xrealloc(s->defaults, (s->default_count + 1) * sizeof *s->defaults);
		s->defaults[s->default_count++] = d;
	}
	seed_names_free(&names);
	return good ? NULL : "cuid(), cuid(2), uuid(), uuid(7), nanoid(), nanoid(N), ulid() or now()";
}

/* One "name = value" for a table, added to what is there; returns what is wrong with it, or NULL. */
static const char *
setting_take(struct seed_settings *s, const char *name, size_t name_len, const char *value, size_t len)
{
	struct {
		const char *name;
		struct seed_names *names;
	} lists[] = { { "key", &s->key }, { "insert-only", &s->insert_only }, { "hide", &s->hide },
		{ "secret", &s->secret }, { "updated-at", &s->updated_at }, { "columns", &s->columns } };
	static const char begin[] = "default.";
	struct seed_names columns = { 0 };
	bool good;
	size_t i;

	for (i = 0; i < sizeof lists / sizeof *lists; i++) {
		if (strlen(lists[i].name) != name_len || strncmp(lists[i].name, name, name_len) != 0)
			continue;
		good = names_parse(&columns, value, len);
		if (lists[i].names == &s->key)
			seed_names_free(&s->key); /* that of another level */
		names_join(lists[i].names, &columns);
		return good ? NULL : "a list of columns without duplicates, separated by commas";
	}
	if (name_len > strlen(begin) && strncmp(name, begin, strlen(begin)) == 0)
		return default_take(s, name + strlen(begin), name_len - strlen(begin), value, len);
	if (name_len == strlen("prune") && strncmp(name, "prune", name_len) == 0) {
		s->kept = len == 2 && strncmp(value, "no", 2) == 0;
		return s->kept || (len == 3 && strncmp(value, "yes", 3) == 0) ? NULL : "yes or no";
	}
	return "";
}

/* Whether a folder has a data file of a table. */
static bool
folder_has_table(const char *folder, const char *stem)
{
	DIR *entries = open_listing(folder);
	const struct dirent *entry;
	bool found = false;
	enum seed_kind kind;
	size_t len;

	while (entries != NULL && !found && (entry = readdir(entries)) != NULL)
		found = seed_file_kind(entry->d_name, &kind, &len) && kind != SEED_SQL && len == strlen(stem) &&
		    strncmp(entry->d_name, stem, len) == 0;
	if (entries != NULL)
		closedir(entries);
	return found;
}

/* Whether there is one in a folder of the levels, or in another environment. */
static bool
levels_have_table(const struct seed_levels *levels, const char *stem)
{
	bool found = false;
	size_t i;

	for (i = 0; !found && i < levels->count; i++)
		found = folder_has_table(*levels->folders[i] != '\0' ? levels->folders[i] : ".", stem);
	for (i = 0; !found && levels->environments != NULL && i < levels->environments->count; i++) {
		char *folder = xformat("%s/%s", levels->environments_of, levels->environments->names[i]);

		found = folder_has_table(folder, stem);
		free(folder);
	}
	return found;
}

struct conf {
	const struct seed_levels *levels;
	const struct seed_file *file; /* to complain with: seed.conf */
	const char *schema, *table;   /* whose settings are wanted */
	struct seed_settings *settings;
	bool here;                    /* the section is the table's */
	struct seed_names sections;   /* those before this line, */
	struct seed_names taken;      /* and the settings of the last */
};

/* A second, possibly contradictory, value would be lost: refuses it. */
static int
take_once(struct conf *conf, unsigned long line, struct seed_names *before, const char *text, size_t len,
    const char *why)
{
	char *name = xstrndup(text, len);
	int code = 0;

	if (seed_names_have(before, name))
		code = seed_refuse(conf->file, line, "%s appears twice: %s", name, why);
	seed_names_add(before, name);
	return code;
}

static int
conf_section(struct conf *conf, unsigned long line, const char *text, size_t len)
{
	char *schema, *table, *stem;
	struct bytes written = { 0 };
	int code;

	if (len < 3 || text[len - 1] != ']')
		return seed_refuse(conf->file, line, "a section must be the name of a table in [ ]");
	text++;
	len -= 2;
	seed_table_read(text, len, &schema, &table);
	stem = schema != NULL ? xformat("%s.%s", schema, table) : xstrdup(table);
	seed_table_write(&written, schema, table);
	if (!conf->levels->exporting && !levels_have_table(conf->levels, stem))
		code = seed_refuse(conf->file, line, "[%.*s]: there is no %s.csv, .tsv, .ndjson, .jsonl or .json %s", (int)len,
		    text, stem, conf->levels->environments != NULL ? "in the base or an environment" : "next to this file");
	else
		code = take_once(conf, line, &conf->sections, written.data, written.len, "a table can have only one section");
	seed_names_free(&conf->taken);
	conf->here = seed_same_name(schema, conf->schema) && seed_same_name(table, conf->table);
	bytes_free(&written);
	free(stem);
	free(schema);
	free(table);
	return code;
}

static int
conf_line(struct conf *conf, unsigned long line, const char *text, size_t len)
{
	struct seed_settings other = { 0 };
	const char *equals = memchr(text, '=', len), *value, *why;
	size_t name_len, value_len;
	int code;

	if (memchr(text, '\r', len) != NULL)
		return seed_refuse(conf->file, line, "a line ends with CR alone: end lines with LF");
	if (len == 0 || *text == '#' || *text == ';')
		return 0;
	if (*text == '[')
		return conf_section(conf, line, text, len);
	if (equals == NULL)
		return seed_refuse(conf->file, line, "this is neither [TABLE] nor NAME = VALUE");
	if (conf->sections.count == 0)
		return seed_refuse(conf->file, line, "a setting must follow the [TABLE] to which it belongs");
	name_len = trimmed(text, (size_t)(equals - text));
	value = skip_blanks(equals + 1);
	value_len = trimmed(value, (size_t)(text + len - value));
	if ((code = take_once(conf, line, &conf->taken, text, name_len, "name all columns on one line")) != 0)
		return code;
	why = name_len == strlen("columns") && strncmp(text, "columns", name_len) == 0 ? "" : setting_take(conf->here ? conf->settings : &other, text, name_len, value, value_len);
	seed_settings_free(&other);
	if (why != NULL && *why == '\0')
		return seed_refuse(conf->file, line,
		    "there is no setting \"%.*s\"; the settings are key, insert-only, hide, secret, prune, default.COLUMN and updated-at",
		    (int)name_len, text);
	return why == NULL ? 0 : seed_refuse(conf->file, line, "%.*s: expected %s", (int)name_len, text, why);
}

static int
conf_read(struct conf *conf, const struct bytes *text)
{
	const char *at = bytes_text(text);
	unsigned long line = 0;
	int code = seed_check_text(conf->file, text->data, text->len, 1);

	if (code == 0 && strncmp(at, SEED_BOM, strlen(SEED_BOM)) == 0)
		at += strlen(SEED_BOM);
	while (code == 0 && *at != '\0') {
		size_t len = strcspn(at, "\n");
		const char *from = skip_blanks(at);

		code = conf_line(conf, ++line, from,
		    from < at + len ? trimmed(from, (size_t)(at + len - from)) : 0);
		at += len + (at[len] == '\n');
	}
	return code;
}

/* A word for the table counts, not one for all; of either there is one. */
static int
take_key_word(const struct seed_word *keys[2], const struct seed_word *word, bool named)
{
	if (keys[named] != NULL)
		return message_error(MIG_USAGE,
		    "--key=%s and --key=%s are for the same table; give the columns of one key together, as in "
		    "--key=TABLE:a,b", keys[named]->value, word->value);
	keys[named] = word;
	return 0;
}

static int
take_word(struct seed_settings *settings, const struct seed_word *word)
{
	const char *colon = seed_table_colon(word->value), *value = colon != NULL ? colon + 1 : word->value;

	if (setting_take(settings, word->option, strlen(word->option), value, strlen(value)) == NULL)
		return 0;
	return message_error(MIG_USAGE, "--%s=%s: expected [TABLE:]COLUMN,..., each column once", word->option,
	    word->value);
}

/*
 * Words of the command line count for the table that they name, or for all.  What protects adds up with that of the
 * file; a key takes the place of the file's.
 */
int
seed_settings_words(struct seed_settings *settings, const char *schema, const char *table,
    struct seed_word *words,
    size_t count)
{
	const struct seed_word *keys[2] = { NULL, NULL };
	size_t i;
	int code = 0;

	for (i = 0; code == 0 && i < count; i++) {
		const char *value = words[i].value, *colon = seed_table_colon(value);
		char *for_schema = NULL, *for_table = NULL;
		bool ours = true;

		if (strcmp(words[i].option, "where") == 0)
			continue; /* of an export: it may have a colon itself */
		if (colon != NULL) {
			seed_table_read(value, (size_t)(colon - value), &for_schema, &for_table);
			ours = seed_same_name(for_table, table) && seed_same_name(for_schema, schema);
		}
		free(for_schema);
		free(for_table);
		words[i].used |= ours;
		if (ours && strcmp(words[i].option, "key") == 0)
			code = take_key_word(keys, &words[i], colon != NULL);
		else if (ours)
			code = take_word(settings, &words[i]);
	}
	if (code != 0 || (keys[0] == NULL && keys[1] == NULL))
		return code;
	seed_names_free(&settings->key);
	return take_word(settings, keys[1] != NULL ? keys[1] : keys[0]);
}

int
seed_settings_unused(const struct seed_word *words, size_t count, bool exporting)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!words[i].used && strcmp(words[i].option, "where") != 0 && seed_table_colon(words[i].value) != NULL)
			return message_error(MIG_USAGE,
			    "--%s=%s: %s, capitals included", words[i].option, words[i].value,
			    exporting ? "that table is not exported; its name must match an argument"
			              : "there is no file for that table; its name must match the file's");
	return 0;
}

static bool
is_nearly_settings(const char *name)
{
	static const char *const begins[] = { "seed.conf", ".seed.conf", "seeds.conf", "seed.cfg" };
	size_t i;

	for (i = 0; i < sizeof begins / sizeof *begins; i++)
		if (strncasecmp(name, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

/*
 * A folder without settings: a file that was meant to hold them is not passed over, since what it protects would be
 * overwritten.  Beside a seed.conf it would be a copy.
 */
static int
refuse_nearly_settings(const char *folder)
{
	DIR *entries = open_listing(*folder != '\0' ? folder : ".");
	const struct dirent *entry;
	int code = 0;

	while (entries != NULL && code == 0 && (entry = readdir(entries)) != NULL)
		if (is_nearly_settings(entry->d_name))
			code = message_error(MIG_DATA, "%s%s%s: settings are read only from a file named " SEED_CONF, folder,
			    *folder != '\0' ? "/" : "", entry->d_name);
	if (entries != NULL)
		closedir(entries);
	if (code != 0)
		message_line("  Nothing was seeded. Rename the file, or remove it.");
	return code;
}

/* One seed.conf, on top of what is there. */
static int
read_level(struct seed_settings *settings, const struct seed_levels *levels, const char *folder, const char *schema, const char *table)
{
	struct seed_file file = { .path = xformat("%s%s" SEED_CONF, folder, *folder != '\0' ? "/" : "") };
	struct conf conf = { .levels = levels, .file = &file, .schema = schema, .table = table, .settings = settings };
	int fd = open_regular(AT_FDCWD, file.path, SETTINGS_MOST), code = 0, error;

	if (fd >= 0) {
		error = bytes_read_fd(&file.text, fd);
		close(fd);
		code = error != 0 ? seed_cannot_read(file.path, error) : conf_read(&conf, &file.text);
	} else {
		code = errno != ENOENT ? seed_cannot_read(file.path, errno) : refuse_nearly_settings(folder);
	}
	seed_names_free(&conf.sections);
	seed_names_free(&conf.taken);
	bytes_free(&file.text);
	free(file.path);
	return code;
}

int
seed_settings_find(struct seed_settings *settings, const struct seed_levels *levels, const char *schema, const char *table,
    struct seed_word *words, size_t word_count)
{
	size_t i;
	int code = 0;

	for (i = 0; code == 0 && i < levels->count; i++)
		code = read_level(settings, levels, levels->folders[i], schema, table);
	return code != 0 ? code : seed_settings_words(settings, schema, table, words, word_count);
}
