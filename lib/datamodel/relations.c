/* @relation: its arguments, the opposite field, and what must hold between the two. */
#include <stdbool.h>
#include <string.h>

#include "datamodel/datamodel_internal.h"

enum { NAME_BYTES = 63 };

static const char *
name_of(const struct field *f)
{
	return f->decl->name;
}

static const char *
model_of(const struct field *f)
{
	return f->model->block->name;
}

static bool
is_many(const struct field *f)
{
	return f->decl->arity == FIELD_MANY;
}

/* --- arguments --- */

static bool
read_field_list(struct datamodel *d, const struct field *f, const char *what, const struct model *m,
    const struct expression *value, struct field ***fields, size_t *count)
{
	const struct argument single = { .place = value->place, .value = *value };
	const struct argument *first = value->kind == EXPRESSION_ARRAY ? value->arguments : &single, *a;
	size_t n = 0, i;

	for (a = first; a != NULL; a = a->next)
		n++;
	if (n == 0)
		return wrong(d, value->place, "%s: %s lists no field", name_of(f), what);
	*fields = arena_alloc(d->arena, n * sizeof **fields);
	for (a = first; a != NULL; a = a->next) {
		struct field *found;

		if (!expect_kind(d, &a->value, EXPRESSION_NAME, "a field of a relation"))
			return false;
		if ((found = model_field(m, a->value.text)) == NULL)
			return wrong(d, a->place, "%s: %s names %s, which %s does not have", name_of(f), what, a->value.text,
			    m->block->name);
		if (found->kind == FIELD_RELATION)
			return wrong(d, a->place, "%s: %s names %s, which is a relation itself", name_of(f), what, a->value.text);
		for (i = 0; i < *count; i++)
			if ((*fields)[i] == found)
				return wrong(d, a->place, "%s: %s names %s twice", name_of(f), what, a->value.text);
		(*fields)[(*count)++] = found;
	}
	return true;
}

static bool
read_action(struct datamodel *d, const struct expression *value, enum action *action)
{
	static const char *const names[] = {
		[ACTION_NO_ACTION] = "NoAction",
		[ACTION_RESTRICT] = "Restrict",
		[ACTION_CASCADE] = "Cascade",
		[ACTION_SET_NULL] = "SetNull",
		[ACTION_SET_DEFAULT] = "SetDefault",
	};
	size_t i;

	if (!expect_kind(d, value, EXPRESSION_NAME, "a referential action"))
		return false;
	for (i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(names[i], value->text) == 0) {
			*action = (enum action)i;
			return true;
		}
	}
	return wrong(d, value->place, "the referential action %s is not known", value->text);
}

static bool
read_relation_name(struct datamodel *d, struct relation_end *r, const struct expression *value)
{
	if (!expect_kind(d, value, EXPRESSION_STRING, "the name of a relation"))
		return false;
	r->name = value->text;
	return *value->text != '\0' || wrong(d, value->place, "the name of a relation must not be empty");
}

static void
read_arguments(struct datamodel *d, struct field *f, const struct attribute *a)
{
	static const struct argument_spec specs[] = { { "name", true }, { "fields", false }, { "references", false },
		{ "onDelete", false }, { "onUpdate", false }, { "map", false }, { NULL, false } };
	const struct expression *values[6];
	struct relation_end *r = f->relation;

	if (!take_arguments(d, "@relation", a->arguments, specs, values))
		return;
	if (values[0] != NULL && !read_relation_name(d, r, values[0]))
		return;
	r->has_fields = values[1] != NULL;
	r->has_references = values[2] != NULL;
	r->on_delete = values[3];
	r->on_update = values[4];
	if (values[3] != NULL)
		(void)read_action(d, values[3], &r->delete_action);
	if (values[4] != NULL)
		(void)read_action(d, values[4], &r->update_action);
	if (values[5] != NULL && (r->map = take_name(d, values[5])) != NULL && strlen(r->map) > NAME_BYTES)
		(void)wrong(d, values[5]->place, "a name has at most %d bytes in PostgreSQL, this one has %zu", NAME_BYTES,
		    strlen(r->map));
	if (values[1] != NULL)
		(void)read_field_list(d, f, "fields", f->model, values[1], &r->fields, &r->field_count);
	if (values[2] != NULL)
		(void)read_field_list(d, f, "references", f->target, values[2], &r->references, &r->reference_count);
}

/* The name of the relation; one without is called by its models, in the order of their bytes. */
static const char *
called(struct datamodel *d, const struct field *f)
{
	const char *m = model_of(f), *t = f->target->block->name;

	if (f->relation->name != NULL)
		return f->relation->name;
	return strcmp(m, t) < 0 ? arena_format(d->arena, "%sTo%s", m, t) : arena_format(d->arena, "%sTo%s", t, m);
}

static void
read_ends(struct datamodel *d, struct model *m)
{
	size_t i;

	for (i = 0; i < m->field_count; i++) {
		struct field *f = &m->fields[i];
		const struct attribute *a = find_attribute(f->decl->attributes, "relation");

		if (f->kind == FIELD_RELATION) {
			f->relation = arena_alloc(d->arena, sizeof *f->relation);
			if (a != NULL)
				read_arguments(d, f, a);
			f->relation->called = called(d, f);
		} else if (a != NULL && f->kind != FIELD_UNKNOWN) {
			(void)wrong(d, a->place, "%s is not a relation: its type is not a model", name_of(f));
		}
	}
}

/* --- opposites --- */

static bool
same_relation(const struct field *f, const struct field *g, const struct model *from, const struct model *to)
{
	return g != f && g->kind == FIELD_RELATION && g->model == from && g->target == to &&
	    text_equal(f->relation->name, g->relation->name);
}

/* How many other fields of its model are of a relation of that name to the same model. */
static size_t
count_twins(const struct field *f)
{
	size_t count = 0, i;

	for (i = 0; i < f->model->field_count; i++) {
		const struct field *g = &f->model->fields[i];

		if (g != f && g->kind == FIELD_RELATION && g->target == f->target &&
		    strcmp(f->relation->called, g->relation->called) == 0)
			count++;
	}
	return count;
}

static bool
find_opposite(struct datamodel *d, struct field *f)
{
	struct model *m = f->model, *t = f->target;
	bool self = m == t;
	size_t twins = count_twins(f), i;

	if (self && twins > 0 && f->relation->name == NULL)
		return wrong(d, f->decl->place,
		    "%s: a relation of %s to itself needs a name on both sides: @relation(\"...\")", name_of(f), model_of(f));
	if (twins > (self ? 1 : 0))
		return wrong(d, f->decl->place, "%s: %s has another relation to %s of the same name; tell them apart: "
		    "@relation(\"...\")", name_of(f), model_of(f), t->block->name);
	for (i = 0; i < t->field_count && f->relation->opposite == NULL; i++)
		if (same_relation(f, &t->fields[i], t, m))
			f->relation->opposite = &t->fields[i];
	if (f->relation->opposite == NULL)
		return wrong(d, f->decl->place, "%s: %s has no field for this relation; add one of type %s", name_of(f),
		    t->block->name, m->block->name);
	return true;
}

/* --- what must hold --- */

static struct place
relation_place(const struct field *f)
{
	return f->decl->place;
}

/* Whether the fields are those of a key of the model, in whatever order. */
static bool
are_key(const struct model *m, struct field *const *fields, size_t count)
{
	const struct key_decl *k;
	size_t i, n;

	for (k = m->keys; k != NULL; k = k->next) {
		if (k->kind == KEY_INDEX || k->count != count)
			continue;
		for (n = 0; n < count; n++) {
			for (i = 0; i < count && k->parts[i].field != fields[n]; i++)
				;
			if (i == count)
				break;
		}
		if (n == count)
			return true;
	}
	return false;
}

bool
holds_required(const struct field *f)
{
	size_t i;

	for (i = 0; i < f->relation->field_count; i++)
		if (f->relation->fields[i]->decl->arity == FIELD_REQUIRED)
			return true;
	return false;
}

enum action
delete_action(const struct field *f)
{
	if (f->relation->on_delete != NULL)
		return f->relation->delete_action;
	return f->decl->arity == FIELD_REQUIRED || holds_required(f) ? ACTION_RESTRICT : ACTION_SET_NULL;
}

enum action
update_action(const struct field *f)
{
	return f->relation->on_update != NULL ? f->relation->update_action : ACTION_CASCADE;
}

static bool
check_types(struct datamodel *d, const struct field *f)
{
	const struct relation_end *r = f->relation;
	size_t i;

	if (r->field_count != r->reference_count)
		return wrong(d, relation_place(f), "%s: fields and references do not have the same length", name_of(f));
	for (i = 0; i < r->field_count; i++) {
		const struct field *a = r->fields[i], *b = r->references[i];

		if (a->kind == FIELD_UNKNOWN || b->kind == FIELD_UNKNOWN)
			return false;
		if (a->kind != b->kind || strcmp(a->decl->type, b->decl->type) != 0)
			return wrong(d, relation_place(f), "%s: %s.%s is %s, %s.%s is %s", name_of(f), model_of(a), name_of(a),
			    a->decl->type, model_of(b), name_of(b), b->decl->type);
	}
	return true;
}

static bool
check_forward(struct datamodel *d, const struct field *f)
{
	const struct relation_end *r = f->relation;
	size_t i;

	if (!r->has_fields)
		return wrong(d, relation_place(f), "%s: which fields hold this relation? @relation(fields: [...], references: "
		    "[...])", name_of(f));
	if (!r->has_references)
		return wrong(d, relation_place(f), "%s: @relation has fields, but no references", name_of(f));
	if (r->field_count == 0 || r->reference_count == 0)
		return false; /* said */
	if (!check_types(d, f))
		return false;
	for (i = 0; i < r->field_count; i++)
		if (f->decl->arity == FIELD_REQUIRED && r->fields[i]->decl->arity != FIELD_REQUIRED)
			return wrong(d, relation_place(f), "%s is required, but %s, which holds it, is not", name_of(f),
			    name_of(r->fields[i]));
	if (!are_key(f->target, r->references, r->reference_count))
		return wrong(d, relation_place(f), "%s: references is not a key of %s: its fields together are neither @id nor "
		    "@unique", name_of(f), f->target->block->name);
	return true;
}

/* The side that does not hold a relation of one row. */
static bool
check_backward(struct datamodel *d, const struct field *f, const char *why)
{
	const struct relation_end *r = f->relation;

	if (r->has_fields || r->has_references)
		return wrong(d, relation_place(f), "%s: fields and references belong on the other side, %s.%s%s", name_of(f),
		    model_of(r->opposite), name_of(r->opposite), why);
	if (r->on_delete != NULL || r->on_update != NULL)
		return wrong(d, relation_place(f), "%s: referential actions belong on the other side, %s.%s", name_of(f),
		    model_of(r->opposite), name_of(r->opposite));
	if (r->map != NULL && !is_many(f))
		return wrong(d, relation_place(f), "%s: map belongs on the other side, %s.%s", name_of(f),
		    model_of(r->opposite), name_of(r->opposite));
	return true;
}

static bool
check_one_to_one(struct datamodel *d, const struct field *f)
{
	const struct field *o = f->relation->opposite;

	if (f->relation->has_fields == o->relation->has_fields)
		return wrong(d, relation_place(f), f->relation->has_fields
		        ? "%s: both sides have fields; only one may hold the relation"
		        : "%s: neither side has fields: @relation(fields: [...], references: [...])", name_of(f));
	if (!f->relation->has_fields) {
		if (f->decl->arity == FIELD_REQUIRED)
			return wrong(d, relation_place(f), "%s is required, but it is the side without fields: make it optional",
			    name_of(f));
		return check_backward(d, f, "");
	}
	if (!check_forward(d, f))
		return false;
	if (!are_key(f->model, f->relation->fields, f->relation->field_count))
		return wrong(d, relation_place(f), "%s: in a one-to-one relation the fields must be @unique or @id", name_of(f));
	return true;
}

const struct field *
side_a(const struct field *f)
{
	const struct field *o = f->relation->opposite;
	int c;

	if (f->decl->arity != FIELD_MANY || o->decl->arity != FIELD_MANY)
		return NULL;
	c = strcmp(f->model->block->name, o->model->block->name);
	c = c != 0 ? c : strcmp(f->decl->name, o->decl->name);
	return c <= 0 ? f : o;
}

static bool
check_many_to_many(struct datamodel *d, const struct field *f)
{
	const struct relation_end *r = f->relation;
	const struct key_decl *id = f->target->id;

	if (r->has_fields || r->has_references || r->on_delete != NULL || r->on_update != NULL)
		return wrong(d, relation_place(f), "%s: an implicit many-to-many relation has neither fields nor actions",
		    name_of(f));
	if (id == NULL || id->count != 1)
		return wrong(d, relation_place(f), "%s: an implicit many-to-many relation needs a key of one field in %s",
		    name_of(f), f->target->block->name);
	if (side_a(f) == f && join_name_is_cut(make_join_name(d, f)))
		return wrong(d, relation_place(f), "%s: Prisma would truncate the name of the table %s inside a character; give the relation "
		    "a shorter name", name_of(f), make_join_name(d, f));
	return true;
}

static bool
check_ignored(struct datamodel *d, const struct field *f)
{
	if (f->target->is_ignored && !f->model->is_ignored && !f->is_ignored)
		return wrong(d, relation_place(f), "%s points to %s, which is ignored: it needs @ignore itself", name_of(f),
		    f->target->block->name);
	return true;
}

static void
check_relation(struct datamodel *d, const struct field *f)
{
	const struct field *o = f->relation->opposite;

	if (!check_ignored(d, f))
		return;
	if (is_many(f) && is_many(o))
		(void)check_many_to_many(d, f);
	else if (is_many(f))
		(void)check_backward(d, f, ", which is one row");
	else if (is_many(o))
		(void)check_forward(d, f);
	else
		(void)check_one_to_one(d, f);
}

void
read_relations(struct datamodel *d)
{
	size_t i, k;

	for (i = 0; i < d->model_count; i++)
		read_ends(d, &d->models[i]);
	for (i = 0; i < d->model_count; i++)
		for (k = 0; k < d->models[i].field_count; k++)
			if (d->models[i].fields[k].kind == FIELD_RELATION)
				(void)find_opposite(d, &d->models[i].fields[k]);
	if (d->errors->count > 0)
		return;
	for (i = 0; i < d->model_count; i++)
		for (k = 0; k < d->models[i].field_count; k++)
			if (d->models[i].fields[k].kind == FIELD_RELATION)
				check_relation(d, &d->models[i].fields[k]);
	if (d->relation_mode_prisma && d->errors->count == 0)
		check_emulated(d);
}
