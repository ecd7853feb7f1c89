#include "rehearse/effects.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/null.h"
#include "records/words.h"

void
effects_free(struct effects *e)
{
	free(e->list);
	*e = (struct effects){ 0 };
}

/* --- what pending migrations have made --- */

static bool
has_column(const struct look *look, long long relation, long long number)
{
	size_t from = 0, to = look->column_count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		const struct look_column *c = &look->columns[middle];

		if (c->relation == relation && c->number == number)
			return true;
		if (c->relation < relation || (c->relation == relation && c->number < number))
			from = middle + 1;
		else
			to = middle;
	}
	return false;
}

static int
compare_made(const void *x, const void *y)
{
	const struct made *a = x, *b = y;

	return a->relation != b->relation ? (a->relation < b->relation ? -1 : 1) : a->column != b->column ? (a->column < b->column ? -1 : 1) : 0;
}

void
made_add(struct made_list *made, const struct look *before, const struct look *after, const char *migration)
{
	size_t i;

	for (i = 0; i < after->relation_count; i++)
		if (look_is_told(&after->relations[i]) && look_relation(before, after->relations[i].oid) == NULL) {
			ARRAY_ROOM(made->list, made->count, made->cap);
			made->list[made->count++] = (struct made){ after->relations[i].oid, 0, migration };
		}
	for (i = 0; i < after->column_count; i++) {
		const struct look_column *c = &after->columns[i];

		if (look_relation(before, c->relation) != NULL && !has_column(before, c->relation, c->number)) {
			ARRAY_ROOM(made->list, made->count, made->cap);
			made->list[made->count++] = (struct made){ c->relation, c->number, migration };
		}
	}
	if (made->count > 0)
		qsort(made->list, made->count, sizeof *made->list, compare_made);
}

void
made_free(struct made_list *made)
{
	free(made->list);
	*made = (struct made_list){ 0 };
}

static const char *
find_made(const struct made_list *made, long long relation, long long column)
{
	struct made key = { relation, column, NULL };
	const struct made *found = made->count > 0 ? bsearch(&key, made->list, made->count, sizeof key, compare_made) : NULL;

	return found != NULL ? found->migration : NULL;
}

/* The pending migration that made the relation, its table, or the column; NULL: it was there before all of them. */
static const char *
made_by(const struct made_list *made, const struct look_relation *r, long long column)
{
	const char *by = find_made(made, r->oid, 0);

	if (by == NULL && column != 0)
		by = find_made(made, r->oid, column);
	if (by == NULL && r->table != 0)
		by = find_made(made, r->table, 0);
	return by;
}

void
effects_add(const struct effects_of *of, struct effects *e, enum effect_kind kind, const struct look_relation *r, long long column,
    enum lock_mode mode, const char *detail)
{
	ARRAY_ROOM(e->list, e->count, e->cap);
	e->list[e->count++] = (struct effect){ .effect = kind,
		.schema = r->schema,
		.relation = r->name,
		.mode = mode,
		.detail = detail,
		.column = NUMBER_UNKNOWN,
		.calls = NUMBER_UNKNOWN,
		.counted_ms = NUMBER_UNKNOWN,
		.made_by = made_by(of->made, r, column) };
}

/* --- locks, and what was done under them --- */

static void
add(const struct effects_of *of, struct effects *e, enum effect_kind kind, const struct look_relation *r, enum lock_mode mode,
    const char *detail)
{
	effects_add(of, e, kind, r, 0, mode, detail);
}

static bool
tag_is(const char *tag, const char *word)
{
	size_t len = strlen(word);

	return strncmp(tag, word, len) == 0 && (tag[len] == ' ' || tag[len] == '\0');
}

/* The word of a statement that writes rows, or NULL. */
static const char *
writes_rows(const char *tag)
{
	static const char *const words[] = { "INSERT", "UPDATE", "DELETE", "MERGE" };
	size_t i;

	for (i = 0; i < sizeof words / sizeof *words; i++)
		if (tag_is(tag, words[i]))
			return words[i];
	return NULL;
}

/* The strongest of the modes that this statement took and did not have. */
static enum lock_mode
taken(const struct effects_of *of, long long relation)
{
	size_t count;
	const struct held_lock *has = held_of(of->has, relation, &count);

	for (; count > 0; count--)
		if (!held_has(of->had, relation, has[count - 1].mode))
			return has[count - 1].mode;
	return LOCK_NULL;
}

/*
 * Nobody can plan a query on the table of an index that is locked so: to be said where the table's own lock is weaker.  One
 * that is gone afterwards was dropped CONCURRENTLY: it was not live any more when it was locked, so no query opens it, and
 * whether its lock is seen at all depends on the moment of the look.
 */
static void
add_index_lock(const struct effects_of *of, struct effects *e, const struct look_relation *index)
{
	const struct look_relation *table = look_relation(of->before, index->table);

	if (look_is_told(table) && held_strongest(of->has, table->oid) != LOCK_ACCESS_EXCLUSIVE &&
	    look_relation(of->new, table->oid) != NULL && look_relation(of->new, index->oid) != NULL)
		add(of, e, EFFECT_LOCK, index, LOCK_ACCESS_EXCLUSIVE, arena_format(of->arena, "index of %s", table->name));
}

void
effects_of_locks(const struct effects_of *of, struct effects *e)
{
	size_t i;

	for (i = 0; i < of->before->relation_count; i++) {
		const struct look_relation *r = &of->before->relations[i];
		enum lock_mode mode = taken(of, r->oid);

		if (look_is_told(r) && mode >= LOCK_ROW_EXCLUSIVE)
			add(of, e, EFFECT_LOCK, r, mode, NULL);
		else if (r->table != 0 && mode == LOCK_ACCESS_EXCLUSIVE)
			add_index_lock(of, e, r);
	}
}

static bool
has_storage(const struct look_relation *r)
{
	return r->kind == 'r' || r->kind == 'p' || r->kind == 'm';
}

/* The indexes that were built on a table that was read for it; others only got another number. */
static void
add_builds(const struct effects_of *of, struct effects *e, const struct look_relation *table, enum lock_mode mode)
{
	size_t i;

	for (i = 0; i < of->new->relation_count; i++) {
		const struct look_relation *index = &of->new->relations[i];

		if (index->table == table->oid && index->kind == 'i' && look_relation(of->old, index->oid) == NULL)
			add(of, e, EFFECT_BUILD, table, mode, arena_format(of->arena, "index %s", index->name));
	}
}

/* Whether it was read otherwise than by building its indexes, or one of these was. */
static bool
is_read(const struct effects_of *of, const struct look_relation *table)
{
	long long built = 0, read = 0;
	size_t i;

	for (i = 0; i < of->new->relation_count; i++) {
		const struct look_relation *new = &of->new->relations[i], *old = look_relation(of->old, new->oid);
		long long scans = new->scans - (old != NULL ? old->scans : 0);

		if (new->oid == table->oid) {
			read += scans;
		} else if (new->table == table->oid && scans > 0) {
			return true;
		} else if (new->table == table->oid && new->kind == 'i' && old != NULL && old->filenode != new->filenode) {
			built++;
		}
	}
	return read > built;
}

/* The server's tag tells it, but for what runs inside of another statement: rows that are copied are read before. */
static bool
is_emptied(const struct effects_of *of, const struct look_relation *table)
{
	return tag_is(of->tag, "TRUNCATE") || ((tag_is(of->tag, "DO") || tag_is(of->tag, "SELECT") || tag_is(of->tag, "CALL")) && !is_read(of, table));
}

static void
add_work(const struct effects_of *of, struct effects *e, const struct look_relation *named)
{
	const struct look_relation *old = look_relation(of->old, named->oid), *new = look_relation(of->new, named->oid);
	enum lock_mode mode = held_strongest(of->has, named->oid);

	if (old == NULL || new == NULL || !has_storage(old))
		return;
	if (old->filenode != new->filenode && old->kind != 'p') {
		if (old->tablespace != new->tablespace && !is_read(of, named))
			add(of, e, EFFECT_MOVE, named, mode, NULL);
		else
			add(of, e, is_emptied(of, named) ? EFFECT_EMPTY : EFFECT_REWRITE, named, mode, NULL);
	} else if (new->scans > old->scans && writes_rows(of->tag) == NULL) {
		add(of, e, EFFECT_SCAN, named, mode, NULL);
		add_builds(of, e, named, mode);
	}
}

static void
add_rows(const struct effects_of *of, struct effects *e)
{
	const char *word = writes_rows(of->tag);
	size_t i;

	for (i = 0; word != NULL && i < of->before->relation_count; i++) {
		const struct look_relation *r = &of->before->relations[i];

		if (look_is_told(r) && held_has(of->has, r->oid, LOCK_ROW_EXCLUSIVE) &&
		    (r == of->target || !held_has(of->had, r->oid, LOCK_ROW_EXCLUSIVE)))
			add(of, e, EFFECT_ROWS, r, LOCK_ROW_EXCLUSIVE, word);
	}
}

void
effects_of_statement(const struct effects_of *of, struct effects *e)
{
	size_t i;

	effects_of_locks(of, e);
	for (i = 0; i < of->before->relation_count; i++)
		if (look_is_told(&of->before->relations[i]))
			add_work(of, e, &of->before->relations[i]);
	add_rows(of, e);
}

/* --- the order in which they are written --- */

static int
class_of(enum effect_kind kind)
{
	switch (kind) {
	case EFFECT_LOCK:
		return 0;
	case EFFECT_SCAN:
	case EFFECT_REWRITE:
	case EFFECT_BUILD:
	case EFFECT_MOVE:
	case EFFECT_EMPTY:
		return 1;
	case EFFECT_ROWS:
		return 2;
	case EFFECT_DROP:
	case EFFECT_RENAME:
	case EFFECT_RETYPE:
	case EFFECT_REQUIRE:
	case EFFECT_RESTRICT:
		return 3;
	case EFFECT_REFUSE:
		return 4;
	case EFFECT_ERROR:
	case EFFECT_DOWN:
		break;
	}
	return 5;
}

static int
compare_text(const char *a, const char *b)
{
	return a == b ? 0 : a == NULL ? -1 : b == NULL ? 1 : strcmp(a, b);
}

/* Wherever they are. */
static int
compare_what(const void *x, const void *y)
{
	const struct effect *a = x, *b = y;
	int order;

	if ((order = class_of(a->effect) - class_of(b->effect)) != 0 || (order = compare_text(a->schema, b->schema)) != 0 ||
	    (order = compare_text(a->relation, b->relation)) != 0 || (order = (int)a->effect - (int)b->effect) != 0 ||
	    (order = (int)a->mode - (int)b->mode) != 0)
		return order;
	if (a->calls != b->calls)
		return a->calls > b->calls ? -1 : 1;
	return compare_text(a->detail, b->detail);
}

static int
compare(const void *x, const void *y)
{
	const struct effect *a = x, *b = y;

	return a->statement != b->statement ? (a->statement < b->statement ? -1 : 1) : compare_what(a, b);
}

static void
sort(struct effects *e, int (*order)(const void *, const void *))
{
	size_t i, kept = 0;

	if (e->count > 0)
		qsort(e->list, e->count, sizeof *e->list, order);
	for (i = 0; i < e->count; i++)
		if (kept == 0 || order(&e->list[kept - 1], &e->list[i]) != 0)
			e->list[kept++] = e->list[i];
	e->count = kept;
}

void
effects_sort(struct effects *e)
{
	sort(e, compare);
}

void
effects_since(struct effects *now, const struct effects *before, size_t at, struct arena *arena)
{
	size_t i, k = 0;

	sort(now, compare_what);
	for (i = 0; i < now->count; i++) {
		while (k < before->count && compare_what(&before->list[k], &now->list[i]) < 0)
			k++;
		if (k < before->count && compare_what(&before->list[k], &now->list[i]) == 0) {
			now->list[i] = before->list[k];
		} else {
			now->list[i].statement = (long long)at;
			now->list[i].detail = arena_copy(arena, now->list[i].detail);
		}
	}
}

void
effects_copy(struct effects *to, const struct effects *from)
{
	size_t i;

	to->count = 0;
	for (i = 0; i < from->count; i++) {
		ARRAY_ROOM(to->list, to->count, to->cap);
		to->list[to->count++] = from->list[i];
	}
}
