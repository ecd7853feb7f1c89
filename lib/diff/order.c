/* The order in which steps are printed. */
#include <stdlib.h>
#include <string.h>

#include "diff/diff_internal.h"

static int
compare(const void *a, const void *b)
{
	const struct step *x = a, *y = b;
	size_t i;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	for (i = 0; i < sizeof x->key / sizeof *x->key; i++)
		if (x->key[i] != y->key[i])
			return x->key[i] < y->key[i] ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static bool
touches(const struct step *alter, const struct index *x)
{
	size_t i, k;

	for (i = 0; i < alter->touched_count; i++)
		for (k = 0; k < x->column_count; k++)
			if (strcmp(alter->touched[i], x->columns[k].column) == 0)
				return true;
	return false;
}

static bool
same_columns(const struct key *key, const struct index *x)
{
	size_t i;

	if (key->column_count != x->column_count)
		return false;
	for (i = 0; i < x->column_count; i++)
		if (strcmp(key->columns[i].column, x->columns[i].column) != 0)
			return false;
	return true;
}

/* Whether the DROP INDEX of a unique index gives way to the key that this ALTER TABLE adds on the same columns. */
static bool
gives_way(const struct step *drop, const struct step *alter)
{
	const struct side_index *x = drop->index;

	return alter->kind == STEP_ALTER_TABLE && alter->pair->from == x->table && alter->adds_key &&
	    !touches(alter, x->index) && same_columns(alter->pair->to->relation->key, x->index);
}

void
order_steps(struct diff *diff)
{
	size_t i = 0, k;

	if (diff->step_count > 1)
		qsort(diff->steps, diff->step_count, sizeof *diff->steps, compare);
	while (i < diff->step_count) {
		struct step drop = diff->steps[i];

		k = diff->step_count;
		if (drop.kind == STEP_DROP_INDEX && drop.index->index->is_unique && drop.index->table->relation->key == NULL)
			for (k = i + 1; k < diff->step_count && !gives_way(&drop, &diff->steps[k]); k++)
				;
		if (k == diff->step_count) {
			i++;
			continue;
		}
		memmove(&diff->steps[i], &diff->steps[i + 1], (k - i) * sizeof drop);
		diff->steps[k] = drop;
	}
}
