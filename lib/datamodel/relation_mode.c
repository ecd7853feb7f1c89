/* relationMode = "prisma": the client keeps relations, and not foreign keys. What it cannot do is refused. */
#include <stdbool.h>
#include <string.h>

#include "datamodel/datamodel_internal.h"

/* Whether f is a side that holds a relation of one row. */
static bool
holds(const struct field *f)
{
	return f->kind == FIELD_RELATION && f->decl->arity != FIELD_MANY && f->relation->has_fields;
}

static void
check_action(struct datamodel *d, const struct field *f, const char *name, const struct expression *said, enum action action)
{
	if (said == NULL)
		return;
	if (action == ACTION_NO_ACTION || action == ACTION_SET_DEFAULT)
		(void)wrong(d, said->place, "%s: the client does not know %s: %s where relationMode is \"prisma\"; Restrict is near "
		    "to it", f->decl->name, name, said->text);
	else if (action == ACTION_SET_NULL && holds_required(f))
		(void)wrong(d, said->place, "%s: %s: SetNull, but a field that holds the relation is required", f->decl->name, name);
}

/* --- cycles --- */

/* Whether rows on this side change when the row changes that they refer to. */
static bool
passes_on(const struct field *f)
{
	enum action on_delete = delete_action(f), on_update = update_action(f);

	return on_delete == ACTION_CASCADE || on_delete == ACTION_SET_NULL || on_update == ACTION_CASCADE ||
	    on_update == ACTION_SET_NULL;
}

/* Whether relations that pass changes on lead from a model to another; seen: models that have been looked at. */
static bool
leads_to(const struct datamodel *d, const struct model *from, const struct model *to, bool *seen)
{
	size_t i;

	if (from == to)
		return true;
	if (seen[from - d->models])
		return false;
	seen[from - d->models] = true;
	for (i = 0; i < from->field_count; i++)
		if (holds(&from->fields[i]) && passes_on(&from->fields[i]) && leads_to(d, from->fields[i].target, to, seen))
			return true;
	return false;
}

static void
check_cycle(struct datamodel *d, const struct field *f, bool *seen)
{
	if (!passes_on(f))
		return;
	memset(seen, 0, d->model_count * sizeof *seen);
	if (leads_to(d, f->target, f->model, seen))
		(void)wrong(d, f->decl->place, f->target == f->model
		    ? "%s: the client would follow this relation of %s to itself without end: onDelete: Restrict, onUpdate: Restrict"
		    : "%s: from %s relations lead back to it, and the client would follow them without end: in one of them onDelete: "
		      "Restrict, onUpdate: Restrict", f->decl->name, f->model->block->name);
}

void
check_emulated(struct datamodel *d)
{
	bool *seen = arena_alloc(d->arena, (d->model_count + 1) * sizeof *seen);
	size_t i, k;

	for (i = 0; i < d->model_count; i++) {
		for (k = 0; k < d->models[i].field_count; k++) {
			const struct field *f = &d->models[i].fields[k];

			if (!holds(f))
				continue;
			check_action(d, f, "onDelete", f->relation->on_delete, f->relation->delete_action);
			check_action(d, f, "onUpdate", f->relation->on_update, f->relation->update_action);
			check_cycle(d, f, seen);
		}
	}
}
