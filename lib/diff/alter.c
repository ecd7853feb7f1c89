/* ALTER TABLE: what changes in a table that both sides have. */
#include <stdlib.h>
#include <string.h>

#include "diff/diff_internal.h"

/* One ALTER TABLE with what comes before and after it. */
struct alter {
	struct work *w;
	const struct pair *p;
	struct bytes before, clauses, after;
	size_t clause_count;
	bool renames_key;
	bool adds_key;
	const char **touched;
	size_t touched_count;
};

/* Begins a clause. */
static struct bytes *
clause(struct alter *a, const char *text)
{
	bytes_str(&a->clauses, a->clause_count++ > 0 ? ",\n" : "");
	bytes_str(&a->clauses, text);
	return &a->clauses;
}

static struct bytes *
alter_column(struct alter *a, const char *name)
{
	struct bytes *out = clause(a, "ALTER COLUMN ");

	put_name(a->w, out, name);
	bytes_char(out, ' ');
	return out;
}

static struct difference *
differ(const struct alter *a, enum change_kind change, enum object_kind object, const char *name)
{
	return add_difference(a->w->diff, change, object, a->p->to->relation->schema, a->p->to->relation->name, name);
}

static void
put_table(struct alter *a, struct bytes *out)
{
	put_qualified(a->w, out, shown_schema(&a->w->to, a->p->to->relation->schema), a->p->from->relation->name);
}

/* --- keys --- */

static bool
key_changes(const struct pair *p)
{
	const struct key *from = p->from->relation->key, *to = p->to->relation->key;
	size_t i;

	if (from->column_count != to->column_count)
		return true;
	for (i = 0; i < from->column_count; i++) {
		const struct column_change *c = pair_column(p, from->columns[i].column);

		if (strcmp(from->columns[i].column, to->columns[i].column) != 0 ||
		    (from->columns[i].sort == SORT_DESC) != (to->columns[i].sort == SORT_DESC) ||
		    (c != NULL && c->cast != CAST_NONE))
			return true;
	}
	return false;
}

static void
drop_key(struct alter *a, bool changes)
{
	const struct key *from = a->p->from->relation->key, *to = a->p->to->relation->key;
	struct difference *d;

	if (from == NULL)
		return;
	if (to == NULL || changes) {
		put_name(a->w, clause(a, "DROP CONSTRAINT "), from->name);
		d = differ(a, to == NULL ? CHANGE_REMOVED : CHANGE_CHANGED, OBJECT_KEY, from->name);
		d->from = words_columns(a->w->diff, from->columns, from->column_count);
		d->to = to != NULL ? words_columns(a->w->diff, to->columns, to->column_count) : NULL;
		d->damage = to != NULL ? DAMAGE_MAY_FAIL : DAMAGE_CHANGES;
		d->consequence = to != NULL ? "fails while two rows have the same values" : NULL;
	}
	if (to == NULL || strcmp(from->name, to->name) == 0)
		return;
	put_name(a->w, clause(a, "RENAME CONSTRAINT "), from->name);
	bytes_str(&a->clauses, " TO ");
	put_name(a->w, &a->clauses, to->name);
	a->renames_key = true;
	differ(a, CHANGE_RENAMED, OBJECT_KEY, from->name)->to = to->name;
}

static void
add_key(struct alter *a, bool changes)
{
	const struct key *from = a->p->from->relation->key, *to = a->p->to->relation->key;
	struct difference *d;
	struct bytes *out;
	size_t i;

	a->adds_key = to != NULL && (from == NULL || changes);
	if (!a->adds_key)
		return;
	out = clause(a, "ADD CONSTRAINT ");
	put_name(a->w, out, to->name);
	bytes_str(out, " PRIMARY KEY (");
	for (i = 0; i < to->column_count; i++) {
		bytes_str(out, i > 0 ? ", " : "");
		put_name(a->w, out, to->columns[i].column);
	}
	bytes_char(out, ')');
	if (from != NULL)
		return;
	d = differ(a, CHANGE_ADDED, OBJECT_KEY, to->name);
	d->to = words_columns(a->w->diff, to->columns, to->column_count);
	d->damage = DAMAGE_MAY_FAIL;
	d->consequence = "fails while two rows have the same values, or one has NULL";
}

/* --- columns that go and come --- */

static int
compare_columns(const void *x, const void *y)
{
	return strcmp((*(const struct column *const *)x)->name, (*(const struct column *const *)y)->name);
}

/* Those of `r` that `other` lacks, by the bytes of their names. */
static const struct column **
lacking(struct diff *diff, const struct relation *r, const struct relation *other, size_t *count)
{
	const struct column **columns = arena_alloc(&diff->arena, (r->column_count + 1) * sizeof *columns);
	size_t i;

	*count = 0;
	for (i = 0; i < r->column_count; i++)
		if (relation_column(other, r->columns[i].name) == NULL)
			columns[(*count)++] = &r->columns[i];
	if (*count > 1)
		qsort(columns, *count, sizeof *columns, compare_columns);
	return columns;
}

/* Whether a row that is there can have a value in a new column. */
static bool
fills_itself(const struct column *c)
{
	return c->arity != ARITY_REQUIRED || c->autoincrement ||
	    (c->value.kind != DEFAULT_NONE && (c->value.kind != DEFAULT_EXPRESSION || c->value.text != NULL));
}

static void
drop_columns(struct alter *a)
{
	size_t count, i;
	const struct column **columns = lacking(a->w->diff, a->p->from->relation, a->p->to->relation, &count);

	for (i = 0; i < count; i++) {
		struct difference *d = differ(a, CHANGE_REMOVED, OBJECT_COLUMN, columns[i]->name);

		put_name(a->w, clause(a, "DROP COLUMN "), columns[i]->name);
		a->touched[a->touched_count++] = columns[i]->name;
		d->from = words_type(a->w, &a->w->from, columns[i]);
		d->damage = DAMAGE_LOSES;
		d->consequence = "its values are lost";
	}
}

static void
add_columns(struct alter *a)
{
	size_t count, i;
	const struct column **columns = lacking(a->w->diff, a->p->to->relation, a->p->from->relation, &count);

	for (i = 0; i < count; i++) {
		struct difference *d = differ(a, CHANGE_ADDED, OBJECT_COLUMN, columns[i]->name);

		put_column(a->w, clause(a, "ADD COLUMN "), &a->w->to, columns[i]);
		d->to = words_type(a->w, &a->w->to, columns[i]);
		if (!fills_itself(columns[i])) {
			d->damage = DAMAGE_MAY_FAIL;
			d->consequence = "required, and without a default: fails while the table has rows";
		}
	}
}

/* --- columns that change --- */

static bool
sequence_is_used(const struct work *w, const char *name, const struct column *but)
{
	size_t i, k;

	for (i = 0; i < w->to.table_count; i++) {
		const struct relation *r = w->to.tables[i].relation;

		for (k = 0; k < r->column_count; k++)
			if (&r->columns[k] != but && r->columns[k].value.kind == DEFAULT_SEQUENCE &&
			    strcmp(r->columns[k].value.text, name) == 0)
				return true;
	}
	return false;
}

static void
drop_default(struct alter *a, const struct column_change *c)
{
	const struct column_default *from = &c->from->value;

	bytes_str(alter_column(a, c->from->name), "DROP DEFAULT");
	if (from->kind != DEFAULT_SEQUENCE || sequence_is_used(a->w, from->text, c->to))
		return;
	bytes_str(&a->after, "DROP SEQUENCE ");
	put_name(a->w, &a->after, from->text);
	bytes_str(&a->after, ";\n");
	if (*from->text == '\0')
		add_finding(a->w->diff, RULE_BROKEN, SEVERITY_WARNING, NULL,
		    "DROP SEQUENCE \"\": a datamodel does not know the name of the sequence of \"%s\".\"%s\" (42601)",
		    a->p->from->relation->name, c->from->name);
}

static void
change_default(struct alter *a, const struct column_change *c)
{
	struct difference *d = differ(a, CHANGE_CHANGED, OBJECT_COLUMN, c->from->name);
	const char *from = words_default(a->w, &a->w->from, c->from), *to = words_default(a->w, &a->w->to, c->to);

	d->from = arena_format(&a->w->diff->arena, "default %s", from);
	d->to = arena_format(&a->w->diff->arena, "default %s", to);
	d->damage = DAMAGE_CHANGES;
	if (c->to->value.kind == DEFAULT_NONE) {
		drop_default(a, c);
		return;
	}
	bytes_str(alter_column(a, c->from->name), "SET DEFAULT ");
	put_default(a->w, &a->clauses, &a->w->to, c->to);
}

/* Whether PostgreSQL takes it without quotes; every letter beyond ASCII may be in a word. */
static bool
is_plain_word(const char *name)
{
	const char *p;

	for (p = name; *p != '\0'; p++)
		if ((unsigned char)*p < 0x80 && strchr("abcdefghijklmnopqrstuvwxyz_0123456789$", *p) == NULL)
			return false;
	return strspn(name, "0123456789$") == 0;
}

static void
add_sequence(struct alter *a, const struct column_change *c)
{
	const struct relation *r = a->p->to->relation;
	const char *schema = shown_schema(&a->w->to, r->schema);
	struct arena *arena = &a->w->diff->arena;
	const char *name = arena_format(arena, "%s_%s_seq", r->name, c->from->name), *full;

	name = lower_text(arena, name);
	full = schema != NULL ? lower_text(arena, arena_format(arena, "\"%s\".%s", schema, name)) : name;
	bytes_format(&a->before, "CREATE SEQUENCE %s;\n", full);
	bytes_format(alter_column(a, c->from->name), "SET DEFAULT nextval('%s')", full);
	bytes_format(&a->after, "ALTER SEQUENCE %s OWNED BY ", full);
	put_table(a, &a->after);
	bytes_char(&a->after, '.');
	put_name(a->w, &a->after, c->from->name);
	bytes_str(&a->after, ";\n");
	if (!is_plain_word(name))
		add_finding(a->w->diff, RULE_BROKEN, SEVERITY_WARNING, NULL,
		    "the name of the sequence %s needs quotes and has none (42601)", name);
}

static void
change_autoincrement(struct alter *a, const struct column_change *c)
{
	struct difference *d = differ(a, CHANGE_CHANGED, OBJECT_COLUMN, c->from->name);

	d->from = c->from->autoincrement ? "autoincrement" : "no autoincrement";
	d->to = c->to->autoincrement ? "autoincrement" : "no autoincrement";
	d->damage = DAMAGE_CHANGES;
	if (c->from->autoincrement)
		drop_default(a, c);
	else
		add_sequence(a, c);
}

static void
change_arity(struct alter *a, const struct column_change *c)
{
	static const char *const words[] = { "required", "nullable", "list" };
	struct difference *d = differ(a, CHANGE_CHANGED, OBJECT_COLUMN, c->from->name);

	d->from = words[c->from->arity];
	d->to = words[c->to->arity];
	d->damage = DAMAGE_CHANGES;
	if (c->to->arity == ARITY_REQUIRED) {
		bytes_str(alter_column(a, c->from->name), "SET NOT NULL");
		d->damage = DAMAGE_MAY_FAIL;
		d->consequence = "fails while a row has none";
	} else if (c->to->arity == ARITY_NULLABLE) {
		bytes_str(alter_column(a, c->from->name), "DROP NOT NULL");
	}
}

static void
change_type(struct alter *a, const struct column_change *c)
{
	struct difference *d;

	bytes_str(alter_column(a, c->from->name), "SET DATA TYPE ");
	put_type(a->w, &a->clauses, &a->w->to, c->to);
	if (c->to->autoincrement && c->to->type_kind == TYPE_NATIVE && native_types[native_find(c->to->type)].serial != NULL)
		add_finding(a->w->diff, RULE_BROKEN, SEVERITY_WARNING, NULL,
		    "SET DATA TYPE %s for \"%s\".\"%s\": there is no such type, it is a word of CREATE TABLE (42704)",
		    native_types[native_find(c->to->type)].serial, a->p->to->relation->name, c->to->name);
	if (c->cast == CAST_NONE)
		return;
	d = differ(a, CHANGE_CHANGED, OBJECT_COLUMN, c->from->name);
	d->from = words_type(a->w, &a->w->from, c->from);
	d->to = words_type(a->w, &a->w->to, c->to);
	d->damage = c->cast == CAST_RISKY ? DAMAGE_MAY_FAIL : DAMAGE_CHANGES;
	d->consequence = c->cast == CAST_RISKY ? "its values may not fit" : NULL;
}

static void
make_anew(struct alter *a, const struct column_change *c)
{
	struct difference *d = differ(a, CHANGE_CHANGED, OBJECT_COLUMN, c->from->name);

	a->touched[a->touched_count++] = c->from->name;
	put_name(a->w, clause(a, "DROP COLUMN "), c->from->name);
	put_column(a->w, clause(a, "ADD COLUMN "), &a->w->to, c->to);
	d->from = words_type(a->w, &a->w->from, c->from);
	d->to = words_type(a->w, &a->w->to, c->to);
	d->damage = DAMAGE_LOSES;
	d->consequence = "the column is dropped and created again: its values are lost";
}

static void
change_column(struct alter *a, const struct column_change *c)
{
	bool list = c->arity && (c->from->arity == ARITY_LIST || c->to->arity == ARITY_LIST);

	if (c->cast == CAST_IMPOSSIBLE) {
		make_anew(a, c);
		return;
	}
	if (c->arity)
		change_arity(a, c);
	if (c->value)
		change_default(a, c);
	if (c->autoincrement)
		change_autoincrement(a, c);
	if (list || c->cast != CAST_NONE)
		change_type(a, c);
}

/* --- never settling --- */

/* What a database shows of a column where the datamodel's text never becomes that. */
static void
find_unsettled(struct work *w, const struct pair *p, const struct column_change *c)
{
	const char *table = p->to->relation->name;
	enum native native = c->to->type_kind == TYPE_NATIVE ? native_find(c->to->type) : NATIVE_COUNT;
	const struct column_default *from = &c->from->value, *to = &c->to->value;

	if (!w->from.live || w->to.live)
		return;
	if ((native == NATIVE_CHAR || native == NATIVE_BIT) && c->to->argument_count == 0 && c->from->argument_count == 1 &&
	    c->from->arguments[0] == 1 && strcmp(c->from->type, c->to->type) == 0)
		add_finding(w->diff, RULE_SETTLES, SEVERITY_NOTE,
		    arena_format(&w->diff->arena, "write @db.%s(1), which is the same", c->to->type),
		    "\"%s\".\"%s\": PostgreSQL shows %s as %s(1), so this difference stays", table, c->to->name, c->to->type,
		    c->to->type);
	if (c->value && from->kind == DEFAULT_EXPRESSION && from->text != NULL &&
	    (to->kind == DEFAULT_EXPRESSION || (native == NATIVE_UUID && to->kind == DEFAULT_VALUE)))
		add_finding(w->diff, RULE_SETTLES, SEVERITY_NOTE,
		    arena_format(&w->diff->arena, "if they mean the same, write what the database shows: @default(dbgenerated(\"%s\"))",
		        from->text),
		    "\"%s\".\"%s\": PostgreSQL writes this default in another form, so the difference stays", table, c->to->name);
	else if (c->value && from->kind == DEFAULT_NOW && to->kind == DEFAULT_EXPRESSION)
		add_finding(w->diff, RULE_SETTLES, SEVERITY_NOTE, "write @default(now())",
		    "\"%s\".\"%s\": the database shows now(), so this difference stays", table, c->to->name);
}

/* --- all --- */

static void
end_alter(struct alter *a)
{
	struct step *s;

	if (a->clause_count == 0)
		return;
	s = add_step(a->w, STEP_ALTER_TABLE, a->p->from->id, a->p->to->id);
	s->pair = a->p;
	s->adds_key = a->adds_key;
	s->touched = a->touched;
	s->touched_count = a->touched_count;
	bytes_add(&s->sql, bytes_text(&a->before), a->before.len);
	bytes_str(&s->sql, "ALTER TABLE ");
	put_table(a, &s->sql);
	bytes_format(&s->sql, " %s;\n", a->clauses.data);
	bytes_add(&s->sql, bytes_text(&a->after), a->after.len);
	if (a->renames_key && a->clause_count > 1)
		add_finding(a->w->diff, RULE_BROKEN, SEVERITY_WARNING,
		    arena_format(&a->w->diff->arena, "ALTER TABLE \"%s\" RENAME CONSTRAINT \"%s\" TO \"%s\"; in a statement of its own",
		        a->p->from->relation->name, a->p->from->relation->key->name, a->p->to->relation->key->name),
		    "RENAME CONSTRAINT of \"%s\" together with other clauses: PostgreSQL does not accept that (42601)",
		    a->p->from->relation->name);
}

void
alter_table(struct work *w, const struct pair *p)
{
	struct alter a = { .w = w, .p = p };
	bool changes = p->from->relation->key != NULL && p->to->relation->key != NULL && key_changes(p);
	size_t i;

	a.touched = arena_alloc(&w->diff->arena, (p->from->relation->column_count + 1) * sizeof *a.touched);
	drop_key(&a, changes);
	drop_columns(&a);
	add_columns(&a);
	for (i = 0; i < p->column_count; i++) {
		change_column(&a, &p->columns[i]);
		find_unsettled(w, p, &p->columns[i]);
	}
	add_key(&a, changes);
	end_alter(&a);
	bytes_free(&a.before);
	bytes_free(&a.clauses);
	bytes_free(&a.after);
}
