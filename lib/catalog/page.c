#include "catalog/page.h"

#include <ctype.h>
#include <string.h>

#include "base/page.h"
#include "base/width.h"
#include "catalog/native_types.h"

/* --- pieces --- */

static void
add_lower(struct bytes *out, const char *text)
{
	for (; *text != '\0'; text++)
		bytes_char(out, (char)tolower((unsigned char)*text));
}

static void
add_qualified(struct bytes *out, const char *schema, const char *name)
{
	if (schema != NULL)
		bytes_format(out, "%s.", schema);
	bytes_str(out, name);
}

void
page_type(struct bytes *out, const struct column *c)
{
	enum native native = c->type_kind == TYPE_NATIVE ? native_find(c->type) : NATIVE_COUNT;

	if (c->type_text != NULL) {
		bytes_str(out, c->type_text);
		return;
	}
	if (c->type_kind == TYPE_ENUM)
		add_qualified(out, c->type_schema, c->type);
	else if (native != NATIVE_COUNT)
		add_lower(out, native_types[native].sql);
	else
		bytes_str(out, c->type);
	if (c->argument_count == 1)
		bytes_format(out, "(%lld)", c->arguments[0]);
	else if (c->argument_count == 2)
		bytes_format(out, "(%lld,%lld)", c->arguments[0], c->arguments[1]);
	if (c->arity == ARITY_LIST)
		bytes_str(out, "[]");
}

static void
add_literal(struct bytes *out, enum literal_kind kind, const char *text)
{
	if (kind == LITERAL_INTEGER || kind == LITERAL_DECIMAL || kind == LITERAL_BOOLEAN)
		bytes_str(out, text);
	else
		bytes_format(out, kind == LITERAL_BYTES ? "'\\x%s'" : "'%s'", text);
}

static void
add_default(struct bytes *out, const struct column *c)
{
	const struct column_default *d = &c->value;
	size_t i;

	if (c->identity != NULL) {
		bytes_format(out, "generated %s as identity", c->identity);
		return;
	}
	if (c->default_text != NULL) {
		bytes_format(out, c->generated != NULL ? "generated always as (%s) %s" : "%s", c->default_text, c->generated);
		return;
	}
	switch (d->kind) {
	case DEFAULT_NONE:
		break;
	case DEFAULT_VALUE:
		add_literal(out, d->literal, d->text);
		break;
	case DEFAULT_LIST:
		bytes_str(out, "ARRAY[");
		for (i = 0; i < d->list.count; i++) {
			bytes_str(out, i > 0 ? ", " : "");
			add_literal(out, d->literal, d->list.items[i]);
		}
		bytes_char(out, ']');
		break;
	case DEFAULT_NOW:
		bytes_str(out, "CURRENT_TIMESTAMP");
		break;
	case DEFAULT_EXPRESSION:
		bytes_str(out, d->text != NULL ? d->text : "");
		break;
	case DEFAULT_SEQUENCE:
		bytes_str(out, "nextval of its sequence");
		break;
	}
}

/* --- the columns of a table --- */

enum { CELL_NAME, CELL_TYPE, CELL_NULL, CELL_DEFAULT, CELLS };

static void
fill_cells(const struct column *c, struct bytes cells[CELLS])
{
	size_t i;

	for (i = 0; i < CELLS; i++)
		cells[i].len = 0;
	bytes_str(&cells[CELL_NAME], c->name);
	page_type(&cells[CELL_TYPE], c);
	bytes_str(&cells[CELL_NULL], c->not_null || c->arity == ARITY_REQUIRED ? "not null" : "");
	add_default(&cells[CELL_DEFAULT], c);
	for (i = 0; i < CELLS; i++)
		bytes_room(&cells[i], 0);
	for (i = 0; i < CELLS; i++)
		cells[i].data[cells[i].len] = '\0';
}

static void
add_cells(struct bytes *out, const struct bytes cells[CELLS], const size_t widths[CELLS])
{
	size_t i;

	for (i = 0; i < CELLS; i++) {
		bytes_str(out, i > 0 ? "| " : " ");
		if (i + 1 < CELLS)
			page_pad(out, cells[i].data, widths[i] + 1);
		else
			bytes_str(out, cells[i].data);
	}
	while (out->len > 0 && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
	bytes_char(out, '\n');
}

static void
add_columns(struct bytes *out, const struct relation *r)
{
	static const char *const heads[CELLS] = { "Column", "Type", "Nullable", "Default" };
	size_t widths[CELLS] = { 0 }, i, k;
	struct bytes cells[CELLS] = { { 0 } };

	for (k = 0; k < CELLS; k++)
		widths[k] = strlen(heads[k]);
	for (i = 0; i < r->column_count; i++) {
		fill_cells(&r->columns[i], cells);
		for (k = 0; k < CELLS; k++) {
			size_t width = width_columns(cells[k].data, cells[k].len);

			widths[k] = width > widths[k] ? width : widths[k];
		}
	}
	for (k = 0; k < CELLS; k++) {
		cells[k].len = 0;
		bytes_str(&cells[k], heads[k]);
	}
	add_cells(out, cells, widths);
	for (k = 0; k < CELLS; k++) {
		bytes_str(out, k > 0 ? "+" : "");
		for (i = 0; i < widths[k] + 2 && (k + 1 < CELLS || i < 9); i++)
			bytes_char(out, '-');
	}
	bytes_char(out, '\n');
	for (i = 0; i < r->column_count; i++) {
		fill_cells(&r->columns[i], cells);
		add_cells(out, cells, widths);
	}
	for (k = 0; k < CELLS; k++)
		bytes_free(&cells[k]);
}

/* --- what stands below them --- */

static void
add_index_columns(struct bytes *out, const struct index_column *columns, size_t count)
{
	size_t i;

	bytes_char(out, '(');
	for (i = 0; i < count; i++) {
		bytes_format(out, "%s%s", i > 0 ? ", " : "", columns[i].column != NULL ? columns[i].column : "(expression)");
		if (columns[i].operator_class != NULL)
			bytes_format(out, " %s", columns[i].operator_class);
		bytes_str(out, columns[i].sort == SORT_DESC ? " DESC" : "");
	}
	bytes_char(out, ')');
}

static void
add_indexes(struct bytes *out, const struct relation *r)
{
	size_t i;

	if (r->key == NULL && r->index_count == 0)
		return;
	bytes_str(out, "Indexes:\n");
	if (r->key != NULL) {
		bytes_format(out, "    %s PRIMARY KEY ", r->key->name);
		add_index_columns(out, r->key->columns, r->key->column_count);
		bytes_char(out, '\n');
	}
	for (i = 0; i < r->index_count; i++) {
		const struct index *x = &r->indexes[i];

		bytes_format(out, "    %s %s%s", x->name, x->is_unique ? "UNIQUE " : "", x->is_constraint ? "CONSTRAINT " : "");
		if (x->definition != NULL && strstr(x->definition, " USING ") != NULL) {
			bytes_str(out, strstr(x->definition, " USING ") + strlen(" USING "));
		} else {
			bytes_format(out, "%s ", x->method);
			add_index_columns(out, x->columns, x->column_count);
		}
		bytes_str(out, x->is_invalid ? " INVALID\n" : "\n");
	}
}

static const char *
action_words(enum action action)
{
	static const char *const words[] = { "NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT" };

	return words[action];
}

static void
add_names(struct bytes *out, const struct text_list *names)
{
	size_t i;

	for (i = 0; i < names->count; i++)
		bytes_format(out, "%s%s", i > 0 ? ", " : "(", names->items[i]);
	bytes_char(out, ')');
}

static void
add_references(struct bytes *out, const struct catalog *c, const struct relation *r)
{
	size_t i, count = 0;

	for (i = 0; i < c->reference_count; i++) {
		const struct reference *f = &c->references[i];

		if (strcmp(f->relation, r->name) != 0 || !text_equal(f->schema, r->schema))
			continue;
		bytes_format(out, "%s    %s FOREIGN KEY ", count++ == 0 ? "Foreign-key constraints:\n" : "", f->name);
		add_names(out, &f->columns);
		bytes_str(out, " REFERENCES ");
		add_qualified(out, f->referenced_schema, f->referenced);
		add_names(out, &f->referenced_columns);
		bytes_format(out, " ON UPDATE %s ON DELETE %s%s\n", action_words(f->on_update), action_words(f->on_delete),
		    f->is_invalid ? " NOT VALID" : "");
	}
}

/* A definition of several lines keeps them, each as far in as its first. */
static void
add_definition(struct bytes *out, const struct definition *d)
{
	const char *p;

	bytes_str(out, "    ");
	if (d->relation == NULL)
		add_qualified(out, d->schema, d->name);
	else
		bytes_str(out, d->name);
	if (d->state != NULL)
		bytes_format(out, " [%s]", d->state);
	if (d->definition != NULL && *d->definition != '\0')
		bytes_char(out, ' ');
	for (p = d->definition; p != NULL && *p != '\0'; p++) {
		bytes_char(out, *p);
		if (*p == '\n')
			bytes_str(out, "        ");
	}
	bytes_char(out, '\n');
}

/* The objects of a relation, or (NULL) those of none. */
static void
add_definitions(struct bytes *out, const struct catalog *c, const struct relation *r)
{
	static const char *const heads[] = { "Check constraints", "Exclusion constraints", "Views", "Functions", "Triggers",
		"Policies", "Sequences", "Types", "Partitions", "Grants" };
	int kind = -1;
	size_t i;

	for (i = 0; i < c->definition_count; i++) {
		const struct definition *d = &c->definitions[i];

		if (r == NULL ? d->relation != NULL : d->relation == NULL || strcmp(d->relation, r->name) != 0 ||
		        !text_equal(d->schema, r->schema))
			continue;
		if ((int)d->kind != kind)
			bytes_format(out, "%s%s:\n", r == NULL ? "\n" : "", heads[d->kind - OBJECT_CHECK]);
		kind = (int)d->kind;
		add_definition(out, d);
	}
}

static void
add_relation(struct bytes *out, const struct catalog *c, const struct relation *r)
{
	const char *kind = strcmp(r->kind, RELATION_PARTITIONED) == 0 ? "Partitioned table"
	    : strcmp(r->kind, RELATION_FOREIGN) == 0                  ? "Foreign table"
	                                                              : "Table";

	bytes_format(out, "\n%s%s \"", r->is_unlogged ? "Unlogged " : "", kind);
	add_qualified(out, r->schema, r->name);
	bytes_str(out, "\"\n");
	add_columns(out, r);
	if (r->definition != NULL)
		bytes_format(out, "%s: %s\n", strcmp(r->kind, RELATION_FOREIGN) == 0 ? "Server" : "Partition key", r->definition);
	add_indexes(out, r);
	add_references(out, c, r);
	add_definitions(out, c, r);
	if (r->row_security != NULL)
		bytes_format(out, "Row security: %s\n", r->row_security);
	if (r->options != NULL)
		bytes_format(out, "Options: %s\n", r->options);
}

/* --- all --- */

static void
add_head(struct bytes *out, const struct catalog *c)
{
	bytes_format(out, "%s (%s%s%s): ", c->origin != NULL ? c->origin : "schema", c->source,
	    c->server_version != NULL ? ", PostgreSQL " : "", c->server_version != NULL ? c->server_version : "");
	page_count(out, c->relation_count, "table");
	bytes_str(out, ", ");
	page_count(out, c->enum_count, "enum");
	bytes_str(out, ", ");
	page_count(out, c->reference_count, "foreign key");
	bytes_char(out, '\n');
}

void
page_schema(struct bytes *out, const struct catalog *c)
{
	size_t i, k;

	add_head(out, c);
	for (i = 0; i < c->extension_count; i++)
		bytes_format(out, "%sExtension %s%s%s\n", i == 0 ? "\n" : "", c->extensions[i].name,
		    c->extensions[i].version != NULL ? " " : "",
		    c->extensions[i].version != NULL ? c->extensions[i].version : "");
	for (i = 0; i < c->enum_count; i++) {
		const struct enum_type *e = &c->enums[i];

		bytes_format(out, "%sEnum \"", i == 0 ? "\n" : "");
		add_qualified(out, e->schema, e->name);
		bytes_str(out, "\":");
		for (k = 0; k < e->values.count; k++)
			bytes_format(out, "%s %s", k > 0 ? "," : "", e->values.items[k]);
		bytes_char(out, '\n');
	}
	for (i = 0; i < c->relation_count; i++)
		add_relation(out, c, c->relations[i]);
	add_definitions(out, c, NULL);
}
