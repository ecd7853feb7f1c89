/* Differences in words. */
#include <string.h>

#include "diff/diff_internal.h"

static const char *
keep(struct work *w, struct bytes *b)
{
	const char *text = arena_text(&w->diff->arena, bytes_text(b), b->len);

	bytes_free(b);
	return text;
}

const char *
words_type(struct work *w, const struct side *s, const struct column *c)
{
	struct bytes out = { 0 };
	bool quote = w->has_quote;

	put_type(w, &out, s, c);
	w->has_quote = quote; /* nothing of this is in the script */
	return keep(w, &out);
}

const char *
words_default(struct work *w, const struct side *s, const struct column *c)
{
	struct bytes out = { 0 };
	bool quote = w->has_quote;

	if (c->value.kind == DEFAULT_SEQUENCE)
		bytes_str(&out, "a sequence");
	else if (c->value.kind == DEFAULT_NONE)
		bytes_str(&out, "none");
	else if (c->value.kind == DEFAULT_EXPRESSION && c->value.text == NULL)
		bytes_str(&out, "an expression");
	else
		put_default(w, &out, s, c);
	w->has_quote = quote;
	return keep(w, &out);
}

const char *
words_columns(struct diff *diff, const struct index_column *columns, size_t count)
{
	struct bytes out = { 0 };
	const char *text;
	size_t i;

	for (i = 0; i < count; i++)
		bytes_format(&out, "%s%s%s%s%s", i > 0 ? ", " : "(", columns[i].column != NULL ? columns[i].column : "expression",
		    columns[i].operator_class != NULL ? " " : "",
		    columns[i].operator_class != NULL ? columns[i].operator_class : "",
		    columns[i].sort == SORT_DESC ? " DESC" : "");
	bytes_str(&out, ")");
	text = arena_text(&diff->arena, bytes_text(&out), out.len);
	bytes_free(&out);
	return text;
}

const char *
words_index(struct diff *diff, const struct index *x)
{
	return arena_format(&diff->arena, "%s%s%s", x->is_unique ? "unique " : "",
	    strcmp(x->method, "btree") == 0 ? "" : arena_format(&diff->arena, "%s ", x->method),
	    words_columns(diff, x->columns, x->column_count));
}

static void
add_names(struct bytes *out, const struct text_list *names)
{
	size_t i;

	for (i = 0; i < names->count; i++)
		bytes_format(out, "%s%s", i > 0 ? ", " : "(", names->items[i]);
	bytes_char(out, ')');
}

const char *
words_reference(struct diff *diff, const struct reference *f)
{
	static const char *const actions[] = { "no action", "restrict", "cascade", "set null", "set default" };
	struct bytes out = { 0 };
	const char *text;

	add_names(&out, &f->columns);
	bytes_format(&out, " -> %s", f->referenced);
	add_names(&out, &f->referenced_columns);
	bytes_format(&out, " on delete %s, on update %s", actions[f->on_delete], actions[f->on_update]);
	text = arena_text(&diff->arena, bytes_text(&out), out.len);
	bytes_free(&out);
	return text;
}

/* --- lines --- */

const char *
change_kind_name(enum change_kind kind)
{
	static const char *const names[] = { "added", "removed", "changed", "renamed" };

	return names[kind];
}

static const char *
object_word(enum object_kind kind)
{
	switch (kind) {
	case OBJECT_NAMESPACE:
		return "schema";
	case OBJECT_RELATION:
		return "table";
	case OBJECT_KEY:
		return "primary key";
	case OBJECT_REFERENCE:
		return "foreign key";
	case OBJECT_CHECK:
		return "check";
	case OBJECT_EXCLUSION:
		return "exclusion constraint";
	default:
		return object_kind_name(kind);
	}
}

void
difference_object(const struct difference *d, struct bytes *out)
{
	bytes_format(out, "%s ", object_word(d->object));
	if (d->schema != NULL && strcmp(d->schema, "public") != 0)
		bytes_format(out, "%s.", d->schema);
	if (d->relation != NULL)
		bytes_format(out, "%s.", d->relation);
	bytes_str(out, d->name != NULL ? d->name : "");
}

void
difference_line(const struct difference *d, struct bytes *out)
{
	difference_object(d, out);
	if (d->change == CHANGE_RENAMED) {
		bytes_format(out, " renamed to %s", d->to);
		return;
	}
	if (d->change == CHANGE_CHANGED && d->from != NULL && d->to != NULL)
		bytes_format(out, ": %s -> %s", d->from, d->to);
	else if (d->change == CHANGE_CHANGED && d->to != NULL)
		bytes_format(out, ": %s", d->to);
	else if (d->change == CHANGE_CHANGED && d->from != NULL)
		bytes_format(out, ": no longer %s", d->from);
	else
		bytes_format(out, " %s", change_kind_name(d->change));
	if (d->change == CHANGE_ADDED && d->to != NULL)
		bytes_format(out, ": %s", d->to);
	if (d->change == CHANGE_REMOVED && d->from != NULL)
		bytes_format(out, ": %s", d->from);
	if (d->consequence != NULL)
		bytes_format(out, "; %s", d->consequence);
}

void
diff_uncovered(const struct catalog *from, const struct catalog *to, struct bytes *out)
{
	int kind;

	for (kind = 0; kind < OBJECT_KINDS; kind++)
		if (from->covers[kind] != to->covers[kind])
			bytes_format(out, "%s%s", out->len > 0 ? ", " : "", object_word((enum object_kind)kind));
}
