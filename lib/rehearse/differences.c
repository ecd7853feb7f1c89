/* What those who use a database notice of a migration: two looks compared. */
#include "rehearse/effects.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "records/words.h"
#include "rehearse/look.h"

static void
add(const struct effects_of *of, struct effects *e, enum effect_kind kind, const struct look_relation *r, long long column,
    const char *detail)
{
	effects_add(of, e, kind, r, column, LOCK_NULL, detail);
}

static const char *
kind_word(char kind)
{
	switch (kind) {
	case 'v':
		return "view";
	case 'm':
		return "materialized view";
	case 'f':
		return "foreign table";
	default:
		return "table";
	}
}

static void
relation_differences(const struct effects_of *of, struct effects *e)
{
	size_t i;

	for (i = 0; i < of->before->relation_count; i++) {
		const struct look_relation *r = &of->before->relations[i], *now;

		if (!look_is_told(r))
			continue;
		if ((now = look_relation(of->new, r->oid)) == NULL)
			add(of, e, EFFECT_DROP, r, 0, kind_word(r->kind));
		else if (strcmp(now->schema, r->schema) != 0)
			add(of, e, EFFECT_RENAME, r, 0, arena_format(of->arena, "to %s.%s", now->schema, now->name));
		else if (strcmp(now->name, r->name) != 0)
			add(of, e, EFFECT_RENAME, r, 0, arena_format(of->arena, "to %s", now->name));
	}
}

/* A column that was there. */
static void
changed_column(const struct effects_of *of, struct effects *e, const struct look_relation *r, const struct look_column *was,
    const struct look_column *now)
{
	if (was->dropped)
		return;
	if (now->dropped) {
		add(of, e, EFFECT_DROP, r, now->number, arena_format(of->arena, "column %s", was->name));
		return;
	}
	if (strcmp(was->name, now->name) != 0)
		add(of, e, EFFECT_RENAME, r, now->number, arena_format(of->arena, "column %s to %s", was->name, now->name));
	if (strcmp(was->type, now->type) != 0)
		add(of, e, EFFECT_RETYPE, r, now->number, arena_format(of->arena, "column %s: %s to %s", was->name, was->type, now->type));
	if (now->must && !was->must)
		add(of, e, was->has_default ? EFFECT_REQUIRE : EFFECT_RESTRICT, r, now->number, arena_format(of->arena, "column %s", was->name));
}

static void
column_differences(const struct effects_of *of, struct effects *e)
{
	const struct look_column *was = of->before->columns, *end = was + of->before->column_count;
	size_t i;

	for (i = 0; i < of->new->column_count; i++) {
		const struct look_column *now = &of->new->columns[i];
		const struct look_relation *r = look_relation(of->before, now->relation);

		if (!look_is_told(r))
			continue;
		while (was < end && (was->relation < now->relation || (was->relation == now->relation && was->number < now->number)))
			was++;
		if (was < end && was->relation == now->relation && was->number == now->number)
			changed_column(of, e, r, was, now);
		else if (now->must && !now->dropped)
			add(of, e, EFFECT_REQUIRE, r, now->number, arena_format(of->arena, "column %s", now->name));
	}
}

/* By number and by name: a change of type makes constraints anew, and a rename keeps the number. */
static bool
had_constraint(const struct look *before, const struct look_constraint *c)
{
	size_t i;

	if (look_has_constraint(before, c->oid))
		return true;
	for (i = 0; i < before->constraint_count; i++) {
		const struct look_constraint *was = &before->constraints[i];

		if (was->relation == c->relation && was->type == c->type && strcmp(was->name, c->name) == 0)
			return true;
	}
	return false;
}

static void
constraint_differences(const struct effects_of *of, struct effects *e)
{
	size_t i;

	for (i = 0; i < of->new->constraint_count; i++) {
		const struct look_constraint *c = &of->new->constraints[i];
		const struct look_relation *r = look_relation(of->before, c->relation);

		if (r != NULL && (r->kind == 'r' || r->kind == 'p') && strchr("cfuxp", c->type) != NULL && !had_constraint(of->before, c))
			add(of, e, EFFECT_RESTRICT, r, 0, arena_format(of->arena, "constraint %s", c->name));
	}
}

static bool
had_unique(const struct look *before, const struct look_relation *index)
{
	const struct look_relation *same = look_relation(before, index->oid);
	size_t i;

	if (same != NULL && same->unique)
		return true;
	for (i = 0; i < before->relation_count; i++) {
		const struct look_relation *was = &before->relations[i];

		if (was->unique && was->table == index->table && strcmp(was->name, index->name) == 0)
			return true;
	}
	return false;
}

static bool
is_constraints(const struct look *now, const struct look_relation *index)
{
	size_t i;

	for (i = 0; i < now->constraint_count; i++)
		if (now->constraints[i].relation == index->table && strcmp(now->constraints[i].name, index->name) == 0)
			return true;
	return false;
}

/* What Prisma makes of @unique is an index, and no constraint. */
static void
index_differences(const struct effects_of *of, struct effects *e)
{
	size_t i;

	for (i = 0; i < of->new->relation_count; i++) {
		const struct look_relation *index = &of->new->relations[i], *r = look_relation(of->before, index->table);

		if (index->unique && look_is_told(r) && !had_unique(of->before, index) && !is_constraints(of->new, index))
			add(of, e, EFFECT_RESTRICT, r, 0, arena_format(of->arena, "index %s", index->name));
	}
}

static void
label_differences(const struct effects_of *of, struct effects *e)
{
	const struct look_label *was = of->before->labels, *end = was + of->before->label_count;
	size_t i;

	for (i = 0; i < of->new->label_count; i++) {
		const struct look_label *now = &of->new->labels[i];
		struct look_relation type;

		while (was < end && was->oid < now->oid)
			was++;
		if (was == end || was->oid != now->oid || strcmp(was->label, now->label) == 0)
			continue;
		type = (struct look_relation){ .schema = was->schema, .name = was->type };
		add(of, e, EFFECT_RENAME, &type, 0, arena_format(of->arena, "value %s to %s", was->label, now->label));
	}
}

void
effects_differences(const struct effects_of *of, struct effects *e)
{
	relation_differences(of, e);
	column_differences(of, e);
	constraint_differences(of, e);
	index_differences(of, e);
	label_differences(of, e);
}
