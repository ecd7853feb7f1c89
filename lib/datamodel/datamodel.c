#include "datamodel/datamodel_internal.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "datamodel/client.h"
#include "datamodel/parse.h"

static void
keep(struct datamodel_errors *errors, const struct place *place, const char *text)
{
	struct datamodel_error *e;

	if (errors->count == DATAMODEL_ERRORS_MAX) {
		errors->more++;
		return;
	}
	e = &errors->items[errors->count++];
	e->path = arena_copy(&errors->arena, place->file->path);
	e->text = arena_copy(&errors->arena, text);
	place_find(place, &e->line, &e->column);
}

bool
wrong(struct datamodel *d, struct place place, const char *format, ...)
{
	struct bytes text = { 0 };
	va_list args;

	va_start(args, format);
	bytes_vformat(&text, format, args);
	va_end(args);
	keep(d->errors, &place, bytes_text(&text));
	bytes_free(&text);
	return false;
}

static bool
parse_all(struct datamodel *d, const struct source_file *files, size_t count)
{
	struct block **last = &d->blocks;
	struct syntax_error error;
	size_t i;

	for (i = 0; i < count; i++) {
		size_t bad = utf8_check(files[i].text, files[i].len);

		if (bad < files[i].len)
			return wrong(d, (struct place){ &files[i], bad }, "this is not UTF-8");
		if (!parse_file(&files[i], d->arena, &last, &error))
			return wrong(d, error.place, "%s", error.text);
	}
	return true;
}

/* Each part continues after an error of another, so that one run shows all errors. */
static bool
read_all(struct datamodel *d)
{
	static void (*const parts[])(struct datamodel *) = { read_config, read_names, read_attributes, read_defaults,
		read_keys, read_relations, check_unique_names };
	size_t i;

	for (i = 0; i < sizeof parts / sizeof *parts; i++)
		parts[i](d);
	return d->errors->count == 0;
}

bool
datamodel_read(const struct source_file *files, size_t count, const char *origin, struct catalog *catalog,
    struct datamodel_errors *errors)
{
	struct arena arena = { 0 };
	struct datamodel d = { .arena = &arena, .errors = errors, .begin = { files, 0 } };
	bool good = parse_all(&d, files, count) && read_all(&d);

	if (good) {
		make_catalog(&d, catalog);
		catalog->origin = catalog_text(catalog, origin);
	}
	arena_free(&arena);
	return good;
}

bool
client_model_read(const struct source_file *files, size_t count, struct client_model *client,
    struct datamodel_errors *errors)
{
	struct arena arena = { 0 };
	struct datamodel d = { .arena = &arena, .errors = errors, .begin = { files, 0 } };
	bool good = parse_all(&d, files, count) && read_all(&d);

	*client = (struct client_model){ 0 };
	if (good)
		make_client(&d, client);
	arena_free(&arena);
	return good;
}
