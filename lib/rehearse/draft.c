#include "rehearse/draft.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/null.h"
#include "rehearse/draft_look.h"

/* An object, by its row in each look; -1: it is not there. */
struct object {
	int before, after;
	bool again;                /* it is dropped and created, although it is in both */
	struct object *up_before, *up_after;   /* what takes it along */
};

struct statement {
	long long phase, order;
	size_t at;                 /* keeps what is equal in order */
	char *sql;
};

struct making {
	const struct answer *before, *after;
	struct object *objects;
	size_t count;
	struct object **of_before, **of_after;   /* by row; NULL for facets */
	struct statement *statements;
	size_t statement_count, cap;
};

/* --- rows --- */

static int
find(const struct answer *look, const char *key, const char *facet)
{
	size_t low = 0, high = answer_rows(look);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = strcmp(answer_word(look, middle, DRAFT_KEY), key);

		if (c == 0)
			c = strcmp(answer_word(look, middle, DRAFT_FACET), facet);
		if (c == 0)
			return (int)middle;
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

static bool
is_object(const struct answer *look, size_t row)
{
	return *answer_word(look, row, DRAFT_FACET) == '\0';
}

static bool
has_flag(const struct answer *look, int row, char flag)
{
	return row >= 0 && strchr(answer_word(look, (size_t)row, DRAFT_FLAGS), flag) != NULL;
}

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Whether the facet of this row has another value in the second look: the row there; else -1. */
static int
changed(const struct making *d, const struct object *o, size_t row)
{
	int there = find(d->after, answer_word(d->after, (size_t)o->after, DRAFT_KEY), answer_word(d->before, row, DRAFT_FACET));
	const char *raw = answer_text(d->before, row, DRAFT_RAW);

	if (there < 0 || same(answer_text(d->before, row, DRAFT_VALUE), answer_text(d->after, (size_t)there, DRAFT_VALUE)))
		return -1;
	if (raw != NULL && same(raw, answer_text(d->after, (size_t)there, DRAFT_RAW)))
		return -1;
	return there;
}

/* The end of the rows of the object that begins at this one. */
static size_t
end_of(const struct answer *look, size_t row)
{
	size_t i = row + 1;

	while (i < answer_rows(look) && !is_object(look, i))
		i++;
	return i;
}

/* --- which object is which --- */

/* The same one under another OID, which the server made of it. */
static int
find_alias(const struct making *d, const char *alias)
{
	size_t i;

	for (i = 0; alias != NULL && i < answer_rows(d->after); i++)
		if (is_object(d->after, i) && d->of_after[i] == NULL && same(answer_text(d->after, i, DRAFT_ALIAS), alias))
			return (int)i;
	return -1;
}

static void
add_object(struct making *d, int before, int after)
{
	struct object *o = &d->objects[d->count++];

	*o = (struct object){ .before = before, .after = after };
	if (before >= 0)
		d->of_before[before] = o;
	if (after >= 0)
		d->of_after[after] = o;
}

static void
match(struct making *d)
{
	size_t i;

	for (i = 0; i < answer_rows(d->before); i++) {
		int there = is_object(d->before, i) ? find(d->after, answer_word(d->before, i, DRAFT_KEY), "") : -1;

		if (there >= 0)
			add_object(d, (int)i, there);
	}
	for (i = 0; i < answer_rows(d->before); i++)
		if (is_object(d->before, i) && d->of_before[i] == NULL)
			add_object(d, (int)i, find_alias(d, answer_text(d->before, i, DRAFT_ALIAS)));
	for (i = 0; i < answer_rows(d->after); i++)
		if (is_object(d->after, i) && d->of_after[i] == NULL)
			add_object(d, -1, (int)i);
}

static struct object *
parent(const struct answer *look, struct object **of, int row)
{
	const char *key = row >= 0 ? answer_text(look, (size_t)row, DRAFT_PARENT) : NULL;
	int at = key != NULL ? find(look, key, "") : -1;

	return at >= 0 ? of[at] : NULL;
}

static bool
must_be_made_again(const struct making *d, const struct object *o)
{
	size_t end = end_of(d->before, (size_t)o->before), i;

	for (i = (size_t)o->before + 1; i < end; i++)
		if (has_flag(d->before, (int)i, DRAFT_AGAIN) && changed(d, o, i) >= 0)
			return true;
	return false;
}

/* An object that is dropped takes others along, which are to be created again as well. */
static void
find_again(struct making *d)
{
	bool more = true;
	size_t i;

	for (i = 0; i < d->count; i++) {
		struct object *o = &d->objects[i];

		o->up_before = parent(d->before, d->of_before, o->before);
		o->up_after = parent(d->after, d->of_after, o->after);
		o->again = o->before >= 0 && o->after >= 0 && must_be_made_again(d, o);
	}
	while (more) {
		more = false;
		for (i = 0; i < d->count; i++) {
			struct object *o = &d->objects[i];

			if (o->before >= 0 && o->after >= 0 && !o->again && o->up_after != NULL && (o->up_after->again || o->up_after->before < 0))
				o->again = more = true;
		}
	}
}

/* --- statements --- */

static void
add(struct making *d, long long phase, long long order, const char *head, const char *sql)
{
	if (sql == NULL)
		return;
	ARRAY_ROOM(d->statements, d->statement_count, d->cap);
	d->statements[d->statement_count] = (struct statement){ phase, order, d->statement_count, xformat("%s%s", head != NULL ? head : "", sql) };
	d->statement_count++;
}

static void
add_make(struct making *d, size_t row, const char *head)
{
	add(d, answer_number(d->before, row, DRAFT_PHASE), answer_number(d->before, row, DRAFT_ORDER), head, answer_text(d->before, row, DRAFT_MAKE));
}

/* early: what is dropped late elsewhere is created again here, so it goes before that. */
static void
add_undo(struct making *d, size_t row, bool early)
{
	long long phase = answer_number(d->after, row, DRAFT_UNDO_PHASE);

	add(d, early && phase >= DRAFT_LATE ? DRAFT_EARLY : phase, -answer_number(d->after, row, DRAFT_ORDER), NULL, answer_text(d->after, row, DRAFT_UNDO));
}

static bool
is_dropped(const struct object *o)
{
	return o->after >= 0 && (o->before < 0 || o->again);
}

static bool
is_made(const struct object *o)
{
	return o->before >= 0 && (o->after < 0 || o->again);
}

static void
make(struct making *d, const struct object *o)
{
	size_t end = end_of(d->before, (size_t)o->before), i;

	if (!has_flag(d->before, o->before, DRAFT_WITH_PARENT) || o->up_before == NULL || !is_made(o->up_before))
		add_make(d, (size_t)o->before, NULL);
	for (i = (size_t)o->before + 1; i < end; i++)
		if (!same(answer_text(d->before, i, DRAFT_VALUE), answer_text(d->before, i, DRAFT_INITIAL)))
			add_make(d, i, NULL);
}

/* What is set again after another type, where that has no value of its own that changed. */
static void
change(struct making *d, const struct object *o)
{
	size_t end = end_of(d->before, (size_t)o->before), i;
	bool retyped = false;
	int there;

	for (i = (size_t)o->before + 1; i < end; i++)
		retyped |= has_flag(d->before, (int)i, DRAFT_TYPE) && changed(d, o, i) >= 0;
	for (i = (size_t)o->before + 1; i < end; i++) {
		there = changed(d, o, i);
		if (there >= 0) {
			add_undo(d, (size_t)there, false);
			add_make(d, i, answer_text(d->after, (size_t)there, DRAFT_HEAD));
		} else if (retyped && has_flag(d->before, (int)i, DRAFT_DEFAULT) && answer_text(d->before, i, DRAFT_VALUE) != NULL) {
			add_make(d, i, NULL);
		}
	}
}

static int
compare(const void *left, const void *right)
{
	const struct statement *a = left, *b = right;

	if (a->phase != b->phase)
		return a->phase < b->phase ? -1 : 1;
	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at;
}

static void
write_all(struct making *d, struct bytes *out)
{
	size_t i;

	if (d->statement_count > 0)
		qsort(d->statements, d->statement_count, sizeof *d->statements, compare);
	for (i = 0; i < d->statement_count; i++) {
		bytes_format(out, "%s;\n", d->statements[i].sql);
		free(d->statements[i].sql);
	}
}

size_t
draft_make(const struct answer *before, const struct answer *after, struct bytes *out)
{
	struct making d = { .before = before, .after = after };
	size_t i;

	d.objects = xcalloc(answer_rows(before) + answer_rows(after) + 1, sizeof *d.objects);
	d.of_before = xcalloc(answer_rows(before) + 1, sizeof *d.of_before);
	d.of_after = xcalloc(answer_rows(after) + 1, sizeof *d.of_after);
	match(&d);
	find_again(&d);
	for (i = 0; i < d.count; i++) {
		const struct object *o = &d.objects[i];

		if (is_dropped(o) && (o->up_after == NULL || !is_dropped(o->up_after)))
			add_undo(&d, (size_t)o->after, o->again);
		if (is_made(o))
			make(&d, o);
		else if (o->before >= 0 && o->after >= 0)
			change(&d, o);
	}
	write_all(&d, out);
	free(d.objects);
	free(d.of_before);
	free(d.of_after);
	free(d.statements);
	return d.statement_count;
}
