/* Steps for schemas, extensions, whole tables, indexes and references. */
#include <string.h>

#include "diff/diff_internal.h"

struct step *
add_step(struct work *w, enum step_kind kind, size_t key0, size_t key1)
{
	struct diff *d = w->diff;
	struct step *s;

	ARRAY_ROOM(d->steps, d->step_count, d->step_cap);
	s = &d->steps[d->step_count];
	*s = (struct step){ .kind = kind, .key = { key0, key1 }, .order = d->step_count };
	d->step_count++;
	return s;
}

static void
end_statement(struct step *s)
{
	bytes_str(&s->sql, ";\n");
}

/* --- schemas --- */

static bool
uses_schema(const struct side *s, const char *schema)
{
	size_t i;

	for (i = 0; i < s->table_count; i++)
		if (strcmp(s->tables[i].relation->schema, schema) == 0)
			return true;
	for (i = 0; i < s->enum_count; i++)
		if (strcmp(s->enums[i].type->schema, schema) == 0)
			return true;
	return false;
}

static bool
has_schema(const struct side *s, const char *schema)
{
	size_t i;

	for (i = 0; i < s->schemas.count; i++)
		if (strcmp(s->schemas.items[i], schema) == 0)
			return true;
	return false;
}

/* Listed by a datamodel on the old side too, which uses it for nothing: it may not be there, and nothing creates it. */
static void
find_missing_schema(struct work *w, const char *schema)
{
	if (w->from.catalog == NULL || w->from.live || strcmp(schema, w->to.default_schema) == 0 || uses_schema(&w->from, schema))
		return;
	add_finding(w->diff, RULE_BROKEN, SEVERITY_WARNING, NULL,
	    "the schema \"%s\" is listed on both sides, but used only by the new one: Prisma's script does not create it", schema);
}

void
make_schemas(struct work *w)
{
	size_t i;

	for (i = 0; i < w->to.schemas.count; i++) {
		const char *schema = w->to.schemas.items[i];
		struct step *s;

		if (!uses_schema(&w->to, schema))
			continue;
		if (has_schema(&w->from, schema)) {
			find_missing_schema(w, schema);
			continue;
		}
		s = add_step(w, STEP_CREATE_SCHEMA, i, 0);
		bytes_str(&s->sql, "CREATE SCHEMA IF NOT EXISTS ");
		put_name(w, &s->sql, schema);
		end_statement(s);
		(void)add_difference(w->diff, CHANGE_ADDED, OBJECT_NAMESPACE, NULL, NULL, schema);
	}
}

/* --- extensions --- */

static void
create_extension(struct work *w, const struct extension *e, size_t id)
{
	struct step *s = add_step(w, STEP_CREATE_EXTENSION, id, 0);

	bytes_str(&s->sql, "CREATE EXTENSION IF NOT EXISTS ");
	put_name(w, &s->sql, e->name);
	bytes_str(&s->sql, e->schema != NULL || e->version != NULL ? " WITH" : "");
	if (e->schema != NULL) {
		bytes_str(&s->sql, " SCHEMA ");
		put_name(w, &s->sql, e->schema);
	}
	if (e->version != NULL) {
		bytes_str(&s->sql, " VERSION ");
		put_name(w, &s->sql, e->version);
	}
	end_statement(s);
}

static void
alter_extension(struct work *w, const struct extension *from, const struct extension *to, size_t from_id, size_t to_id)
{
	struct step *s = add_step(w, STEP_ALTER_EXTENSION, from_id, to_id);

	if (from->version != NULL && to->version != NULL && strcmp(from->version, to->version) != 0) {
		bytes_str(&s->sql, "ALTER EXTENSION ");
		put_name(w, &s->sql, to->name);
		bytes_str(&s->sql, " UPDATE TO ");
		put_name(w, &s->sql, to->version);
		end_statement(s);
	}
	if (from->schema != NULL && to->schema != NULL && strcmp(from->schema, to->schema) != 0) {
		bytes_str(&s->sql, "ALTER EXTENSION ");
		put_name(w, &s->sql, to->name);
		bytes_str(&s->sql, " SET SCHEMA ");
		put_name(w, &s->sql, to->schema);
		end_statement(s);
	}
}

static bool
told_other(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) != 0;
}

static void
change_extension(struct work *w, const struct extension *from, const struct extension *to, size_t from_id, size_t to_id)
{
	bool movable = from->relocatable || to->relocatable;
	struct difference *d;
	struct step *s;

	if (!told_other(from->version, to->version) && !told_other(from->schema, to->schema))
		return;
	d = add_difference(w->diff, CHANGE_CHANGED, OBJECT_EXTENSION, NULL, NULL, to->name);
	d->from = told_other(from->version, to->version) ? from->version : from->schema;
	d->to = told_other(from->version, to->version) ? to->version : to->schema;
	d->damage = DAMAGE_CHANGES;
	if (movable) {
		alter_extension(w, from, to, from_id, to_id);
		return;
	}
	d->damage = DAMAGE_MAY_FAIL;
	d->consequence = "it is dropped and created again, which fails while anything uses it";
	s = add_step(w, STEP_DROP_EXTENSION, from_id, 0);
	bytes_str(&s->sql, "DROP EXTENSION ");
	put_name(w, &s->sql, from->name);
	end_statement(s);
	create_extension(w, to, to_id);
}

void
make_extensions(struct work *w)
{
	size_t i, k;

	for (i = 0; i < w->to.extension_count; i++) {
		const struct extension *e = w->to.extensions[i];

		for (k = 0; k < w->from.extension_count; k++)
			if (strcmp(w->from.extensions[k]->name, e->name) == 0)
				break;
		if (k < w->from.extension_count) {
			change_extension(w, w->from.extensions[k], e, k, i);
		} else {
			create_extension(w, e, i);
			(void)add_difference(w->diff, CHANGE_ADDED, OBJECT_EXTENSION, NULL, NULL, e->name);
		}
	}
}

/* --- references --- */

static void
add_reference(struct work *w, const struct side_reference *f)
{
	struct step *s = add_step(w, STEP_ADD_FOREIGN_KEY, f->id, 0);
	struct difference *d = add_difference(w->diff, CHANGE_ADDED, OBJECT_REFERENCE, f->reference->schema,
	    f->reference->relation, f->reference->name);

	put_add_reference(w, &s->sql, f->reference);
	end_statement(s);
	d->to = words_reference(w->diff, f->reference);
	if (f->table->pair != NULL) {
		d->damage = DAMAGE_MAY_FAIL;
		d->consequence = "fails while a row refers to none";
	}
}

/* with_table: it is dropped with its table, which was reported already. */
static void
drop_reference(struct work *w, const struct side_reference *f, bool with_table)
{
	struct step *s = add_step(w, STEP_DROP_FOREIGN_KEY, f->id, 0);
	struct difference *d;

	bytes_str(&s->sql, "ALTER TABLE ");
	put_qualified(w, &s->sql, dropped_schema(w, f->reference->schema), f->reference->relation);
	bytes_str(&s->sql, " DROP CONSTRAINT ");
	put_name(w, &s->sql, f->reference->name);
	end_statement(s);
	if (with_table)
		return;
	d = add_difference(w->diff, CHANGE_REMOVED, OBJECT_REFERENCE, f->reference->schema, f->reference->relation,
	    f->reference->name);
	d->from = words_reference(w->diff, f->reference);
	d->damage = DAMAGE_CHANGES;
}

/* A table of an implicit many-to-many relation, or what looks like one. */
static bool
is_join(const struct relation *r)
{
	return r->column_count == 2 && relation_column(r, "A") != NULL && relation_column(r, "B") != NULL;
}

static void
rename_reference(struct work *w, const struct pair *p, const struct side_reference *from, const struct side_reference *to)
{
	struct step *s;

	if (strcmp(from->reference->name, to->reference->name) == 0 ||
	    (is_join(p->from->relation) && is_join(p->to->relation)))
		return;
	s = add_step(w, STEP_RENAME_FOREIGN_KEY, from->id, to->id);
	bytes_str(&s->sql, "ALTER TABLE ");
	put_qualified(w, &s->sql, shown_schema(&w->to, p->to->relation->schema), p->from->relation->name);
	bytes_str(&s->sql, " RENAME CONSTRAINT ");
	put_name(w, &s->sql, from->reference->name);
	bytes_str(&s->sql, " TO ");
	put_name(w, &s->sql, to->reference->name);
	end_statement(s);
	add_difference(w->diff, CHANGE_RENAMED, OBJECT_REFERENCE, p->from->relation->schema, p->from->relation->name,
	    from->reference->name)
	    ->to = to->reference->name;
}

static const struct side_reference *
matching_reference(const struct pair *p, const struct side_reference *f, const struct side_table *other, bool forward,
    const bool *taken)
{
	size_t i;

	for (i = 0; i < other->reference_count; i++) {
		const struct side_reference *g = other->references[i];

		if ((taken == NULL || !taken[i]) &&
		    (forward ? references_match(p, f->reference, g->reference) : references_match(p, g->reference, f->reference)))
			return g;
	}
	return NULL;
}

static void
change_references(struct work *w, const struct pair *p)
{
	bool *taken = arena_alloc(&w->diff->arena, p->to->reference_count + 1);
	const struct side_reference *other;
	size_t i, k;

	for (i = 0; i < p->to->reference_count; i++)
		if (matching_reference(p, p->to->references[i], p->from, false, NULL) == NULL)
			add_reference(w, p->to->references[i]);
	for (i = 0; i < p->from->reference_count; i++) {
		const struct side_reference *f = p->from->references[i];

		if (matching_reference(p, f, p->to, true, NULL) == NULL)
			drop_reference(w, f, false);
		if ((other = matching_reference(p, f, p->to, true, taken)) == NULL)
			continue;
		for (k = 0; p->to->references[k] != other; k++)
			;
		taken[k] = true;
		rename_reference(w, p, f, other);
	}
}

/* --- indexes --- */

/* before: the old table; NULL if the table is new.  again: an equal one exists, but its column is recreated. */
static void
create_index(struct work *w, const struct side_index *x, const struct side_table *before, bool again)
{
	struct step *s = add_step(w, STEP_CREATE_INDEX, before != NULL, before != NULL ? before->id : 0);
	struct difference *d;

	s->key[2] = x->table->id;
	s->key[3] = x->id;
	put_create_index(w, &s->sql, x->table->relation, x->index);
	end_statement(s);
	if (again || before == NULL)
		return;
	d = add_difference(w->diff, CHANGE_ADDED, OBJECT_INDEX, x->table->relation->schema, x->table->relation->name,
	    x->index->name);
	d->to = words_index(w->diff, x->index);
	if (x->index->is_unique) {
		d->damage = DAMAGE_MAY_FAIL;
		d->consequence = "fails while two rows have the same values";
	}
}

static void
drop_index(struct work *w, const struct pair *p, const struct side_index *x)
{
	struct step *s = add_step(w, STEP_DROP_INDEX, x->id, 0);
	const struct relation *r = p->from->relation;
	struct difference *d;

	s->index = x;
	bytes_str(&s->sql, "DROP INDEX ");
	put_qualified(w, &s->sql, dropped_schema(w, r->schema), x->index->name);
	end_statement(s);
	if (x->index->is_constraint)
		add_finding(w->diff, RULE_BROKEN, SEVERITY_WARNING,
		    arena_format(&w->diff->arena, "ALTER TABLE \"%s\" DROP CONSTRAINT \"%s\";", r->name, x->index->name),
		    "DROP INDEX of \"%s\", which belongs to a UNIQUE constraint: PostgreSQL refuses that (2BP01)", x->index->name);
	d = add_difference(w->diff, CHANGE_REMOVED, OBJECT_INDEX, r->schema, r->name, x->index->name);
	d->from = words_index(w->diff, x->index);
	d->damage = DAMAGE_CHANGES;
}

static bool
has_match(const struct side_index *x, const struct side_table *other, bool forward)
{
	size_t i;

	for (i = 0; i < other->index_count; i++)
		if (forward ? indexes_match(x->index, other->indexes[i].index) : indexes_match(other->indexes[i].index, x->index))
			return true;
	return false;
}

static bool
same_columns(const struct index *a, const struct index *b)
{
	size_t i;

	if (a->column_count != b->column_count || a->is_unique != b->is_unique)
		return false;
	for (i = 0; i < a->column_count; i++)
		if (strcmp(a->columns[i].column, b->columns[i].column) != 0)
			return false;
	return true;
}

/* Whether an index is the only one of its table on these columns. */
static bool
is_alone(const struct side_table *t, const struct index *x)
{
	size_t i, count = 0;

	for (i = 0; i < t->index_count; i++)
		count += same_columns(x, t->indexes[i].index);
	return count == 1;
}

static bool
has_new_column(const struct pair *p, const struct index *x)
{
	size_t i;

	for (i = 0; i < x->column_count; i++) {
		const struct column_change *c = pair_column(p, x->columns[i].column);

		if (c != NULL && c->cast == CAST_IMPOSSIBLE)
			return true;
	}
	return false;
}

static void
keep_index(struct work *w, const struct pair *p, const struct side_index *from, const struct side_index *to)
{
	struct step *s;

	if (has_new_column(p, to->index))
		create_index(w, to, p->from, true);
	if (strcmp(from->index->name, to->index->name) == 0)
		return;
	s = add_step(w, STEP_RENAME_INDEX, from->id, to->id);
	bytes_str(&s->sql, "ALTER INDEX ");
	put_qualified(w, &s->sql, shown_schema(&w->to, p->to->relation->schema), from->index->name);
	bytes_str(&s->sql, " RENAME TO ");
	put_name(w, &s->sql, to->index->name);
	end_statement(s);
	add_difference(w->diff, CHANGE_RENAMED, OBJECT_INDEX, p->from->relation->schema, p->from->relation->name,
	    from->index->name)
	    ->to = to->index->name;
}

static void
change_indexes(struct work *w, const struct pair *p)
{
	size_t i, k;

	for (i = 0; i < p->to->index_count; i++)
		if (!has_match(&p->to->indexes[i], p->from, false))
			create_index(w, &p->to->indexes[i], p->from, false);
	for (i = 0; i < p->from->index_count; i++)
		if (!has_match(&p->from->indexes[i], p->to, true))
			drop_index(w, p, &p->from->indexes[i]);
	for (i = 0; i < p->from->index_count; i++) {
		const struct side_index *x = &p->from->indexes[i];

		if (!is_alone(p->from, x->index))
			continue;
		for (k = 0; k < p->to->index_count && !indexes_match(x->index, p->to->indexes[k].index); k++)
			;
		if (k < p->to->index_count)
			keep_index(w, p, x, &p->to->indexes[k]);
	}
}

/* --- tables --- */

static void
create_table(struct work *w, const struct side_table *t)
{
	struct step *s = add_step(w, STEP_CREATE_TABLE, t->id, 0);
	size_t i;

	put_create_table(w, &s->sql, t->relation);
	end_statement(s);
	add_difference(w->diff, CHANGE_ADDED, OBJECT_RELATION, t->relation->schema, NULL, t->relation->name)->to =
	    arena_format(&w->diff->arena, "%zu column%s", t->relation->column_count, t->relation->column_count == 1 ? "" : "s");
	for (i = 0; i < t->reference_count; i++)
		add_reference(w, t->references[i]);
	for (i = 0; i < t->index_count; i++)
		create_index(w, &t->indexes[i], NULL, false);
}

static void
drop_table(struct work *w, const struct side_table *t)
{
	struct step *s = add_step(w, STEP_DROP_TABLE, t->id, 0);
	struct difference *d;
	size_t i;

	bytes_str(&s->sql, "DROP TABLE ");
	put_qualified(w, &s->sql, dropped_schema(w, t->relation->schema), t->relation->name);
	end_statement(s);
	d = add_difference(w->diff, CHANGE_REMOVED, OBJECT_RELATION, t->relation->schema, NULL, t->relation->name);
	d->damage = DAMAGE_LOSES;
	d->consequence = "all its rows are lost";
	for (i = 0; i < t->reference_count; i++)
		drop_reference(w, t->references[i], true);
}

void
make_tables(struct work *w)
{
	size_t i;

	for (i = 0; i < w->to.table_count; i++)
		if (w->to.tables[i].pair == NULL)
			create_table(w, &w->to.tables[i]);
	for (i = 0; i < w->from.table_count; i++)
		if (w->from.tables[i].pair == NULL)
			drop_table(w, &w->from.tables[i]);
	for (i = 0; i < w->pair_count; i++) {
		change_references(w, &w->pairs[i]);
		change_indexes(w, &w->pairs[i]);
		alter_table(w, &w->pairs[i]);
	}
}
