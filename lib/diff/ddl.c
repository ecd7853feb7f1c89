/* Pieces of statements, as Prisma writes them.  Nothing is escaped but ' in literals. */
#include <stdio.h>
#include <string.h>

#include "diff/diff_internal.h"

const char *
shown_schema(const struct side *s, const char *schema)
{
	return s->catalog == NULL || (!s->live && strcmp(schema, s->default_schema) == 0) ? NULL : schema;
}

const char *
dropped_schema(const struct work *w, const char *schema)
{
	return strcmp(schema, w->to.default_schema) == 0 ? NULL : schema;
}

void
put_name(struct work *w, struct bytes *out, const char *name)
{
	w->has_quote = w->has_quote || strchr(name, '"') != NULL;
	bytes_format(out, "\"%s\"", name);
}

void
put_qualified(struct work *w, struct bytes *out, const char *schema, const char *name)
{
	if (schema != NULL) {
		put_name(w, out, schema);
		bytes_char(out, '.');
	}
	put_name(w, out, name);
}

static void
put_literal(struct bytes *out, const char *text)
{
	bytes_char(out, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			bytes_char(out, '\'');
		bytes_char(out, *text);
	}
	bytes_char(out, '\'');
}

/* --- columns --- */

static void
put_native(struct bytes *out, const struct column *c)
{
	const struct native_type *t = &native_types[native_find(c->type)];

	bytes_str(out, c->autoincrement && t->serial != NULL ? t->serial : t->sql);
	if (c->argument_count == 1)
		bytes_format(out, "(%lld)", c->arguments[0]);
	else if (c->argument_count == 2)
		bytes_format(out, "(%lld,%lld)", c->arguments[0], c->arguments[1]);
}

void
put_type(struct work *w, struct bytes *out, const struct side *s, const struct column *c)
{
	if (c->type_kind == TYPE_ENUM)
		put_qualified(w, out, shown_schema(s, c->type_schema), c->type);
	else if (c->type_kind == TYPE_NATIVE)
		put_native(out, c);
	else
		bytes_str(out, c->type);
	if (c->arity == ARITY_LIST)
		bytes_str(out, "[]");
}

static void
put_value(struct bytes *out, enum literal_kind kind, const char *text)
{
	switch (kind) {
	case LITERAL_STRING:
	case LITERAL_ENUM:
	case LITERAL_JSON:
	case LITERAL_TIME:
		put_literal(out, text);
		break;
	case LITERAL_BYTES:
		bytes_format(out, "'\\x%s'", text);
		break;
	case LITERAL_INTEGER:
	case LITERAL_DECIMAL:
	case LITERAL_BOOLEAN:
		bytes_str(out, text);
		break;
	}
}

/* Nothing where Prisma writes nothing. */
void
put_default(struct work *w, struct bytes *out, const struct side *s, const struct column *c)
{
	const struct column_default *d = &c->value;
	size_t i;

	switch (d->kind) {
	case DEFAULT_NONE:
	case DEFAULT_SEQUENCE:
		break;
	case DEFAULT_EXPRESSION:
		bytes_str(out, d->text != NULL ? d->text : "");
		break;
	case DEFAULT_NOW:
		bytes_str(out, "CURRENT_TIMESTAMP");
		break;
	case DEFAULT_VALUE:
		put_value(out, d->literal, d->text);
		break;
	case DEFAULT_LIST:
		bytes_str(out, "ARRAY[");
		for (i = 0; i < d->list.count; i++) {
			bytes_str(out, i > 0 ? ", " : "");
			put_value(out, d->literal, d->list.items[i]);
		}
		bytes_str(out, "]::");
		put_type(w, out, s, c);
		break;
	}
}

void
put_column(struct work *w, struct bytes *out, const struct side *s, const struct column *c)
{
	struct bytes value = { 0 };

	put_default(w, &value, s, c);
	bytes_str(out, "    ");
	put_name(w, out, c->name);
	bytes_char(out, ' ');
	put_type(w, out, s, c);
	bytes_str(out, c->arity == ARITY_REQUIRED ? " NOT NULL" : "");
	if (value.len > 0)
		bytes_format(out, " DEFAULT %s", value.data);
	bytes_free(&value);
}

void
put_enum_values(struct work *w, struct bytes *out, const struct enum_type *e)
{
	size_t i;

	bytes_char(out, '(');
	for (i = 0; i < e->values.count; i++) {
		w->has_quote = w->has_quote || strchr(e->values.items[i], '\'') != NULL;
		bytes_format(out, "%s'%s'", i > 0 ? ", " : "", e->values.items[i]);
	}
	bytes_char(out, ')');
}

/* --- tables, indexes, references: those of the new side --- */

void
put_create_table(struct work *w, struct bytes *out, const struct relation *r)
{
	size_t i;

	bytes_str(out, "CREATE TABLE ");
	put_qualified(w, out, shown_schema(&w->to, r->schema), r->name);
	bytes_str(out, " (\n");
	for (i = 0; i < r->column_count; i++) {
		bytes_str(out, i > 0 ? ",\n" : "");
		put_column(w, out, &w->to, &r->columns[i]);
	}
	if (r->key != NULL) {
		bytes_str(out, ",\n\n    CONSTRAINT ");
		put_name(w, out, r->key->name);
		bytes_str(out, " PRIMARY KEY (");
		for (i = 0; i < r->key->column_count; i++) {
			bytes_str(out, i > 0 ? "," : "");
			put_name(w, out, r->key->columns[i].column);
		}
		bytes_char(out, ')');
	}
	bytes_str(out, "\n)");
}

static void
put_method(struct bytes *out, const char *method)
{
	size_t i;

	if (strcmp(method, "btree") == 0)
		return;
	bytes_str(out, " USING ");
	for (i = 0; method[i] != '\0'; i++)
		bytes_char(out, method[i] >= 'a' && method[i] <= 'z' ? (char)(method[i] - 'a' + 'A') : method[i]);
	bytes_char(out, ' ');
}

void
put_create_index(struct work *w, struct bytes *out, const struct relation *r, const struct index *x)
{
	size_t i;

	bytes_str(out, x->is_unique ? "CREATE UNIQUE INDEX " : "CREATE INDEX ");
	put_name(w, out, x->name);
	bytes_str(out, " ON ");
	put_qualified(w, out, shown_schema(&w->to, r->schema), r->name);
	put_method(out, x->method);
	bytes_char(out, '(');
	for (i = 0; i < x->column_count; i++) {
		const struct index_column *c = &x->columns[i];

		bytes_str(out, i > 0 ? ", " : "");
		put_name(w, out, c->column);
		if (c->operator_class != NULL)
			bytes_format(out, " %s", c->operator_class);
		bytes_str(out, c->sort == SORT_ASC ? " ASC" : c->sort == SORT_DESC ? " DESC" : "");
	}
	bytes_char(out, ')');
}

static void
put_names(struct work *w, struct bytes *out, const struct text_list *names)
{
	size_t i;

	bytes_char(out, '(');
	for (i = 0; i < names->count; i++) {
		bytes_str(out, i > 0 ? ", " : "");
		put_name(w, out, names->items[i]);
	}
	bytes_char(out, ')');
}

static const char *
action_sql(enum action action)
{
	static const char *const sql[] = { "NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT" };

	return sql[action];
}

void
put_add_reference(struct work *w, struct bytes *out, const struct reference *f)
{
	bytes_str(out, "ALTER TABLE ");
	put_qualified(w, out, shown_schema(&w->to, f->schema), f->relation);
	bytes_str(out, " ADD CONSTRAINT ");
	put_name(w, out, f->name);
	bytes_str(out, " FOREIGN KEY ");
	put_names(w, out, &f->columns);
	bytes_str(out, " REFERENCES ");
	put_qualified(w, out, shown_schema(&w->to, f->referenced_schema), f->referenced);
	put_names(w, out, &f->referenced_columns);
	bytes_format(out, " ON DELETE %s ON UPDATE %s", action_sql(f->on_delete), action_sql(f->on_update));
}

/* --- the script --- */

static const char *
step_name(enum step_kind kind)
{
	static const char *const names[] = { "CreateSchema", "DropExtension", "CreateExtension", "AlterExtension", "CreateEnum",
		"AlterEnum", "DropForeignKey", "DropIndex", "AlterTable", "DropTable", "DropEnum", "CreateTable", "CreateIndex",
		"RenameForeignKey", "AddForeignKey", "RenameIndex" };

	return names[kind];
}

void
diff_script(const struct diff *diff, struct bytes *out)
{
	size_t i;

	for (i = 0; i < diff->step_count; i++) {
		bytes_format(out, "%s-- %s\n", i > 0 ? "\n" : "", step_name(diff->steps[i].kind));
		bytes_add(out, diff->steps[i].sql.data, diff->steps[i].sql.len);
	}
	if (diff->step_count == 0)
		bytes_str(out, "-- This is an empty migration.\n");
	bytes_char(out, '\n');
}
