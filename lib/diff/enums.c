/* Enums: created, dropped, with values added, or swapped for a new one where a value goes. */
#include <stdlib.h>
#include <string.h>

#include "diff/diff_internal.h"

static bool
has_value(const struct enum_type *e, const char *value)
{
	size_t i;

	for (i = 0; i < e->values.count; i++)
		if (strcmp(e->values.items[i], value) == 0)
			return true;
	return false;
}

static void
say_values(struct work *w, const struct enum_type *e, const struct enum_type *other, enum change_kind change)
{
	size_t i;

	for (i = 0; i < e->values.count; i++) {
		struct difference *d;

		if (has_value(other, e->values.items[i]))
			continue;
		d = add_difference(w->diff, CHANGE_CHANGED, OBJECT_ENUM, e->schema, NULL, e->name);
		if (change == CHANGE_ADDED) {
			d->to = arena_format(&w->diff->arena, "with the value '%s'", e->values.items[i]);
		} else {
			d->from = arena_format(&w->diff->arena, "with the value '%s'", e->values.items[i]);
			d->damage = DAMAGE_MAY_FAIL;
			d->consequence = "fails while a row has it";
		}
	}
}

static size_t
count_lacking(const struct enum_type *e, const struct enum_type *other)
{
	size_t count = 0, i;

	for (i = 0; i < e->values.count; i++)
		count += !has_value(other, e->values.items[i]);
	return count;
}

/* --- only more values --- */

static void
add_values(struct work *w, const struct enum_type *from, const struct enum_type *to, struct bytes *out)
{
	static const char note[] = "-- This migration adds more than one value to an enum.\n"
	                           "-- With PostgreSQL versions 11 and earlier, this is not possible\n"
	                           "-- in a single migration. This can be worked around by creating\n"
	                           "-- multiple migrations, each migration adding only one value to\n"
	                           "-- the enum.\n\n\n";
	size_t i;

	if (count_lacking(to, from) > 1)
		bytes_str(out, note);
	for (i = 0; i < to->values.count; i++) {
		if (has_value(from, to->values.items[i]))
			continue;
		w->has_quote = w->has_quote || strchr(to->values.items[i], '\'') != NULL;
		bytes_str(out, "ALTER TYPE ");
		put_qualified(w, out, shown_schema(&w->to, to->schema), from->name);
		bytes_format(out, " ADD VALUE '%s';\n", to->values.items[i]);
	}
}

/* --- a value goes --- */

/* A column of the enum whose default must be dropped first. */
struct use {
	const struct relation *table;
	const struct column *column;
	const struct relation *new_table; /* NULL: nothing is put back */
	const struct column *new_column;
};

struct swap {
	struct work *w;
	const struct enum_type *from, *to;
	struct use *uses;
	size_t use_count, use_cap;
};

/* By name alone, as Prisma has it. */
static bool
is_used(const struct column *c, const char *name)
{
	return c->type_kind == TYPE_ENUM && strcmp(c->type, name) == 0;
}

static void
add_use(struct swap *s, const struct relation *table, const struct column *c, const struct relation *new_table,
    const struct column *new_column)
{
	ARRAY_ROOM(s->uses, s->use_count, s->use_cap);
	s->uses[s->use_count++] = (struct use){ table, c, new_table, new_column };
}

static int
compare_columns(const void *x, const void *y)
{
	return strcmp((*(const struct column *const *)x)->name, (*(const struct column *const *)y)->name);
}

static bool
has_old_default(const struct swap *s, const struct column *c)
{
	return is_used(c, s->from->name) && c->value.kind != DEFAULT_NONE;
}

/* Of a table on both sides: first the columns that go, then those that stay, each by name. */
static void
add_pair_uses(struct swap *s, const struct pair *p)
{
	const struct relation *r = p->from->relation;
	const struct column **sorted = xcalloc(r->column_count + 1, sizeof *sorted);
	size_t i;
	int pass;

	for (i = 0; i < r->column_count; i++)
		sorted[i] = &r->columns[i];
	if (r->column_count > 1)
		qsort(sorted, r->column_count, sizeof *sorted, compare_columns);
	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < r->column_count; i++) {
			const struct column *to = relation_column(p->to->relation, sorted[i]->name);

			if ((to == NULL) != (pass == 0) || !has_old_default(s, sorted[i]))
				continue;
			if (to != NULL && is_used(to, s->to->name) && to->value.kind != DEFAULT_NONE)
				add_use(s, r, sorted[i], p->to->relation, to);
			else
				add_use(s, r, sorted[i], NULL, NULL);
		}
	}
	free(sorted);
}

static void
find_uses(struct swap *s)
{
	struct work *w = s->w;
	size_t i, k;

	for (i = 0; i < w->from.table_count; i++) {
		const struct relation *r = w->from.tables[i].relation;

		for (k = 0; w->from.tables[i].pair == NULL && k < r->column_count; k++)
			if (has_old_default(s, &r->columns[k]))
				add_use(s, r, &r->columns[k], NULL, NULL);
	}
	for (i = 0; i < w->pair_count; i++)
		add_pair_uses(s, &w->pairs[i]);
}

static void
put_swapped_column(struct swap *s, struct bytes *out, const struct relation *r, const struct column *c, const char *tmp)
{
	const char *list = c->arity == ARITY_LIST ? "[]" : "";

	bytes_str(out, "ALTER TABLE ");
	put_qualified(s->w, out, shown_schema(&s->w->to, r->schema), r->name);
	bytes_str(out, " ALTER COLUMN ");
	put_name(s->w, out, c->name);
	bytes_format(out, " TYPE %s%s USING (", tmp, list);
	put_name(s->w, out, c->name);
	bytes_format(out, "::text::%s%s);\n", tmp, list);
}

static bool
is_of(const struct column *c, const struct enum_type *e)
{
	return c->type_kind == TYPE_ENUM && strcmp(c->type, e->name) == 0 && text_equal(c->type_schema, e->schema);
}

static void
put_swapped_columns(struct swap *s, struct bytes *out, const char *tmp)
{
	struct work *w = s->w;
	size_t i, k;

	for (i = 0; i < w->to.table_count; i++) {
		const struct relation *r = w->to.tables[i].relation;
		const struct pair *p = w->to.tables[i].pair;

		for (k = 0; k < r->column_count; k++) {
			if (!is_of(&r->columns[k], s->to))
				continue;
			put_swapped_column(s, out, r, &r->columns[k], tmp);
			if (p == NULL || pair_column(p, r->columns[k].name) == NULL)
				add_finding(w->diff, RULE_BROKEN, SEVERITY_WARNING, NULL,
				    "the enum \"%s\" is swapped on \"%s\".\"%s\", which is added only later (%s)", s->to->name,
				    r->name, r->columns[k].name, p == NULL ? "42P01" : "42703");
		}
	}
}

/* The old type is dropped before the columns that go, or become another type, have let go of it. */
static void
find_kept(struct swap *s)
{
	struct work *w = s->w;
	size_t i, k;

	for (i = 0; i < w->from.table_count; i++) {
		const struct relation *r = w->from.tables[i].relation;
		const struct pair *p = w->from.tables[i].pair;

		for (k = 0; k < r->column_count; k++) {
			const struct column *to = p != NULL ? relation_column(p->to->relation, r->columns[k].name) : NULL;

			if (is_of(&r->columns[k], s->from) && (to == NULL || !is_of(to, s->to)))
				add_finding(w->diff, RULE_BROKEN, SEVERITY_WARNING, NULL,
				    "the old type of \"%s\" is dropped while \"%s\".\"%s\" still has it (2BP01)", s->from->name, r->name,
				    r->columns[k].name);
		}
	}
}

static void
put_drop_defaults(struct swap *s, struct bytes *out)
{
	size_t i;

	for (i = 0; i < s->use_count; i++) {
		bytes_str(out, "ALTER TABLE ");
		put_qualified(s->w, out, shown_schema(&s->w->from, s->uses[i].table->schema), s->uses[i].table->name);
		bytes_str(out, " ALTER COLUMN ");
		put_name(s->w, out, s->uses[i].column->name);
		bytes_str(out, " DROP DEFAULT;\n");
	}
}

static void
put_set_defaults(struct swap *s, struct bytes *out)
{
	size_t i;

	for (i = 0; i < s->use_count; i++) {
		if (s->uses[i].new_column == NULL)
			continue;
		bytes_str(out, "ALTER TABLE ");
		put_qualified(s->w, out, shown_schema(&s->w->to, s->uses[i].new_table->schema), s->uses[i].table->name);
		bytes_str(out, " ALTER COLUMN ");
		put_name(s->w, out, s->uses[i].column->name);
		bytes_str(out, " SET DEFAULT ");
		put_default(s->w, out, &s->w->to, s->uses[i].new_column);
		bytes_str(out, ";\n");
	}
}

static void
swap_enum(struct work *w, const struct enum_type *from, const struct enum_type *to, struct bytes *out)
{
	struct swap s = { .w = w, .from = from, .to = to };
	const char *schema = shown_schema(&w->to, to->schema);
	const char *new_name = arena_format(&w->diff->arena, "%s_new", to->name);
	const char *old_name = arena_format(&w->diff->arena, "%s_old", from->name);
	struct bytes tmp = { 0 };

	put_qualified(w, &tmp, schema, new_name);
	find_uses(&s);
	bytes_format(out, "BEGIN;\nCREATE TYPE %s AS ENUM ", tmp.data);
	put_enum_values(w, out, to);
	bytes_str(out, ";\n");
	put_drop_defaults(&s, out);
	put_swapped_columns(&s, out, tmp.data);
	bytes_str(out, "ALTER TYPE ");
	put_qualified(w, out, schema, from->name);
	bytes_str(out, " RENAME TO ");
	put_name(w, out, old_name);
	bytes_format(out, ";\nALTER TYPE %s RENAME TO ", tmp.data);
	put_name(w, out, to->name);
	bytes_str(out, ";\nDROP TYPE ");
	put_qualified(w, out, shown_schema(&w->from, from->schema), old_name);
	bytes_str(out, ";\n");
	put_set_defaults(&s, out);
	bytes_str(out, "COMMIT;\n");
	find_kept(&s);
	bytes_free(&tmp);
	free(s.uses);
}

/* --- all --- */

static void
change_enum(struct work *w, const struct side_enum *from, const struct side_enum *to)
{
	struct step *s;

	if (count_lacking(from->type, to->type) + count_lacking(to->type, from->type) == 0)
		return;
	s = add_step(w, STEP_ALTER_ENUM, from->id, to->id);
	say_values(w, to->type, from->type, CHANGE_ADDED);
	say_values(w, from->type, to->type, CHANGE_REMOVED);
	if (count_lacking(from->type, to->type) == 0)
		add_values(w, from->type, to->type, &s->sql);
	else
		swap_enum(w, from->type, to->type, &s->sql);
}

static void
drop_enum(struct work *w, const struct side_enum *e)
{
	struct step *s = add_step(w, STEP_DROP_ENUM, e->id, 0);

	bytes_str(&s->sql, "DROP TYPE ");
	put_qualified(w, &s->sql, dropped_schema(w, e->type->schema), e->type->name);
	bytes_str(&s->sql, ";\n");
	add_difference(w->diff, CHANGE_REMOVED, OBJECT_ENUM, e->type->schema, NULL, e->type->name)->damage = DAMAGE_CHANGES;
}

static void
create_enum(struct work *w, const struct side_enum *e)
{
	struct step *s = add_step(w, STEP_CREATE_ENUM, e->id, 0);

	bytes_str(&s->sql, "CREATE TYPE ");
	put_qualified(w, &s->sql, shown_schema(&w->to, e->type->schema), e->type->name);
	bytes_str(&s->sql, " AS ENUM ");
	put_enum_values(w, &s->sql, e->type);
	bytes_str(&s->sql, ";\n");
	(void)add_difference(w->diff, CHANGE_ADDED, OBJECT_ENUM, e->type->schema, NULL, e->type->name);
}

void
make_enums(struct work *w)
{
	const struct side_enum *other;
	size_t i;

	for (i = 0; i < w->from.enum_count; i++) {
		const struct enum_type *e = w->from.enums[i].type;

		if ((other = side_enum(&w->to, e->schema, e->name)) != NULL)
			change_enum(w, &w->from.enums[i], other);
		else
			drop_enum(w, &w->from.enums[i]);
	}
	for (i = 0; i < w->to.enum_count; i++)
		if (side_enum(&w->from, w->to.enums[i].type->schema, w->to.enums[i].type->name) == NULL)
			create_enum(w, &w->to.enums[i]);
}
