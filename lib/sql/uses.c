#include "sql/uses.h"

#include <string.h>

#include "base/null.h"
#include "sql/uses_internal.h"

struct finder {
	struct uses_parsed parsed;
	const struct uses_target *target;
};

/* What an item, or a * over several, may have: the target's columns, and a column of that name of something else. */
struct flow {
	enum uses uses;
	bool others;      /* a column of that name of another relation, or of what is not known */
};

enum { DEEPEST = 64 };  /* queries in each other; and a recursive one names itself */

static enum uses
more(enum uses a, enum uses b)
{
	return a > b ? a : b;
}

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* --- items --- */

/* The WITH query that a name means in a scope; USES_NONE: it is a relation. */
static size_t
with_query(const struct uses_parsed *p, const struct uses_item *item)
{
	size_t scope, i;

	if (item->schema != NULL || item->name == NULL)
		return USES_NONE;
	for (scope = item->scope; scope != USES_NONE; scope = p->scopes[scope].parent)
		for (i = 0; i < p->item_count; i++)
			if (p->items[i].with && p->items[i].scope == scope && same(p->items[i].alias, item->name))
				return i;
	return USES_NONE;
}

static enum uses
is_target(const struct finder *f, const char *schema, const char *name)
{
	if (!same(name, f->target->table) || (schema != NULL && !same(schema, f->target->schema)))
		return USES_NOT;
	return schema != NULL || f->target->plain ? USES_SURELY : USES_PERHAPS;
}

static bool
is_other(const struct finder *f, const char *schema, const char *name)
{
	size_t i;

	for (i = 0; i < f->target->other_count; i++) {
		const struct uses_relation *other = &f->target->others[i];

		if (same(name, other->name) && (schema == NULL || same(schema, other->schema)))
			return true;
	}
	return false;
}

static struct flow query_flow(const struct finder *f, size_t query, size_t depth);

static struct flow
item_flow(const struct finder *f, const struct uses_item *item, size_t depth)
{
	size_t with = with_query(&f->parsed, item);
	struct flow flow = { USES_NOT, false };

	if (depth > DEEPEST)
		return flow;
	if (with != USES_NONE || item->query != USES_NONE)
		flow = query_flow(f, with != USES_NONE ? f->parsed.items[with].query : item->query, depth + 1);
	else if (item->name != NULL)
		flow = (struct flow){ is_target(f, item->schema, item->name), is_other(f, item->schema, item->name) };
	if (item->renamed || (with != USES_NONE && f->parsed.items[with].renamed))
		flow.others = true;
	return flow;
}

static struct flow
add_flow(struct flow a, struct flow b)
{
	return (struct flow){ more(a.uses, b.uses), a.others || b.others };
}

/* Whether a token sees the columns of an item of its scope: the table of an INSERT is there only in the end, and then alone. */
static bool
sees(const struct uses_parsed *p, size_t scope, size_t item, size_t at)
{
	const struct uses_scope *s = &p->scopes[scope];

	if (p->items[item].scope != scope || p->items[item].with)
		return false;
	return !s->inserts || (item == s->into) == (at > s->behind && s->behind != USES_NONE);
}

/* --- stars --- */

static bool
is_star(const struct uses_parsed *p, size_t at)
{
	static const char *const before[] = { "SELECT", "DISTINCT", "ALL", "RETURNING", NULL };

	if (!uses_sign(p, at, '*') || at == 0 || p->tokens[at].role != ROLE_FREE)
		return false;
	return uses_sign(p, at - 1, '.') || uses_one_of(p, at - 1, before) || uses_sign(p, at - 1, ',') ||
	    (uses_sign(p, at - 1, ')') && uses_word(p, at + 1, "FROM"));
}

/* What the alias means at a place: the items of the nearest scope that have it. */
static struct flow
alias_flow(const struct finder *f, size_t scope, const char *schema, const char *alias, size_t depth, bool *known)
{
	const struct uses_parsed *p = &f->parsed;
	struct flow flow = { USES_NOT, false };
	size_t i;

	*known = false;
	for (; scope != USES_NONE && !*known; scope = p->scopes[scope].parent) {
		if (same(alias, "excluded") && p->scopes[scope].into != USES_NONE && p->scopes[scope].into < p->item_count) {
			*known = true;
			flow = item_flow(f, &p->items[p->scopes[scope].into], depth);
		}
		for (i = 0; i < p->item_count; i++) {
			const struct uses_item *item = &p->items[i];

			if (item->scope != scope || item->with || !same(item->alias, alias) ||
			    (schema != NULL && item->schema != NULL && !same(item->schema, schema)))
				continue;
			*known = true;
			flow = add_flow(flow, item_flow(f, item, depth));
		}
	}
	return flow;
}

static struct flow
star_flow(const struct finder *f, size_t at, size_t depth)
{
	const struct uses_parsed *p = &f->parsed;
	struct flow flow = { USES_NOT, false };
	size_t i;
	bool known;

	if (uses_sign(p, at - 1, '.') && at >= 2)
		return alias_flow(f, p->tokens[at].scope, at >= 4 && uses_sign(p, at - 3, '.') ? p->tokens[at - 4].name : NULL,
		    p->tokens[at - 2].name, depth, &known);
	for (i = 0; i < p->item_count; i++)
		if (sees(p, p->tokens[at].scope, i, at))
			flow = add_flow(flow, item_flow(f, &p->items[i], depth));
	return flow;
}

/* Whether a query puts out a column of the name that it writes out: "x AS name", or the name itself. */
static bool
puts_out(const struct finder *f, size_t query)
{
	const struct uses_parsed *p = &f->parsed;
	size_t at;

	for (at = 0; at < p->count; at++)
		if (p->tokens[at].scope == query && p->tokens[at].role != ROLE_RELATION && same(p->tokens[at].name, f->target->column))
			return true;
	return false;
}

/* What the column of that name is, that a query puts out by a * in it. */
static struct flow
query_flow(const struct finder *f, size_t query, size_t depth)
{
	const struct uses_parsed *p = &f->parsed;
	struct flow flow = { USES_NOT, puts_out(f, query) };
	size_t at, i;

	if (depth > DEEPEST)
		return flow;
	for (at = 0; at < p->count; at++)
		if (p->tokens[at].scope == query && is_star(p, at))
			flow = add_flow(flow, star_flow(f, at, depth + 1));
	for (i = 0; i < p->scope_count; i++)
		if (p->scopes[i].kind == SCOPE_BRANCH && p->scopes[i].parent == query)
			flow = add_flow(flow, query_flow(f, i, depth + 1));
	for (i = 0; i < p->item_count && p->scopes[query].whole; i++)
		if (p->items[i].scope == query && !p->items[i].with)
			flow = add_flow(flow, item_flow(f, &p->items[i], depth + 1));
	return flow;
}

/* Whether the columns of a query leave it as a whole, and not by their names. */
static bool
leaves(const struct uses_parsed *p, size_t scope)
{
	const struct uses_scope *s = &p->scopes[scope];

	if (s->kind == SCOPE_BRANCH)
		return s->parent == USES_NONE || leaves(p, s->parent);
	return s->kind == SCOPE_QUERY || s->kind == SCOPE_PLAIN;
}

/* --- names --- */

/* A name without anything before it: of the nearest items that have such a column. */
static enum uses
alone(const struct finder *f, size_t at)
{
	const struct uses_parsed *p = &f->parsed;
	bool renamed = false;
	size_t scope, i;

	for (scope = p->tokens[at].scope; scope != USES_NONE; scope = p->scopes[scope].parent) {
		struct flow flow = { USES_NOT, false };

		for (i = 0; i < p->item_count; i++)
			if (sees(p, scope, i, at))
				flow = add_flow(flow, item_flow(f, &p->items[i], 0));
		for (i = 0; i < p->count && flow.uses != USES_NOT; i++)
			renamed |= p->tokens[i].scope == scope && p->tokens[i].role == ROLE_ALIAS && same(p->tokens[i].name, f->target->column);
		if (flow.uses != USES_NOT)
			return flow.others || renamed ? USES_PERHAPS : flow.uses;
		if (flow.others)
			return USES_NOT;
	}
	return USES_NOT;
}

/* Behind a dot: of what is before it. */
static enum uses
qualified(const struct finder *f, size_t at)
{
	const struct uses_parsed *p = &f->parsed;
	const char *table = at >= 2 ? p->tokens[at - 2].name : NULL;
	const char *schema = at >= 4 && uses_sign(p, at - 3, '.') ? p->tokens[at - 4].name : NULL;
	struct flow flow;
	bool known;
	size_t i;

	if (table == NULL) /* (composite).field */
		return USES_NOT;
	flow = alias_flow(f, p->tokens[at].scope, schema, table, 0, &known);
	if (known)
		return flow.uses != USES_NOT && flow.others ? USES_PERHAPS : flow.uses;
	for (i = 0; i < p->item_count; i++)
		if (is_target(f, p->items[i].schema, p->items[i].name) != USES_NOT)
			return USES_PERHAPS;
	return USES_NOT;
}

/* The table that the scope around a token writes. */
static enum uses
written(const struct finder *f, size_t at)
{
	const struct uses_parsed *p = &f->parsed;
	size_t scope = p->tokens[at].scope;

	while (scope != USES_NONE && p->scopes[scope].into == USES_NONE)
		scope = p->scopes[scope].parent;
	return scope != USES_NONE && p->scopes[scope].into < p->item_count ? item_flow(f, &p->items[p->scopes[scope].into], 0).uses : USES_NOT;
}

static enum uses
column_token(const struct finder *f, size_t at)
{
	const struct uses_parsed *p = &f->parsed;
	const struct uses_token *t = &p->tokens[at];
	bool known;

	if (t->name == NULL || t->role == ROLE_RELATION || t->role == ROLE_ALIAS || uses_sign(p, at + 1, '.'))
		return USES_NOT;
	if (at >= 2 && uses_sign(p, at - 1, ':') && uses_sign(p, at - 2, ':')) /* a type */
		return USES_NOT;
	if (same(t->name, f->target->column) && !(uses_sign(p, at + 1, '(') && t->role == ROLE_FREE))
		return t->role == ROLE_TARGET ? written(f, at) : at > 0 && uses_sign(p, at - 1, '.') ? qualified(f, at) : alone(f, at);
	if (uses_sign(p, at - 1, '.') || uses_sign(p, at + 1, '(') || uses_word(p, at - 1, "OF") || t->role != ROLE_FREE)
		return USES_NOT;
	return alias_flow(f, t->scope, NULL, t->name, 0, &known).uses; /* a whole row */
}

static enum uses
column_uses(const struct finder *f)
{
	const struct uses_parsed *p = &f->parsed;
	enum uses found = USES_NOT;
	size_t at, i;

	for (at = 0; at < p->count && found != USES_SURELY; at++) {
		if (is_star(p, at) && leaves(p, p->tokens[at].scope))
			found = more(found, star_flow(f, at, 0).uses);
		found = more(found, column_token(f, at));
	}
	for (i = 0; i < p->scope_count && found != USES_SURELY; i++) {
		const struct uses_scope *s = &p->scopes[i];

		if (s->whole && leaves(p, i))
			found = more(found, query_flow(f, i, 0).uses);
		if (s->inserts && !s->listed && s->into < p->item_count)
			found = more(found, item_flow(f, &p->items[s->into], 0).uses);
	}
	return found;
}

static enum uses
table_uses(const struct finder *f)
{
	const struct uses_parsed *p = &f->parsed;
	enum uses found = USES_NOT;
	size_t i;

	for (i = 0; i < p->item_count; i++)
		if (with_query(p, &p->items[i]) == USES_NONE)
			found = more(found, is_target(f, p->items[i].schema, p->items[i].name));
	return found;
}

enum uses
uses_of(const char *text, const struct uses_target *target)
{
	struct finder f = { .target = target };
	enum uses found = USES_NOT;

	if (uses_parse(&f.parsed, text))
		found = target->column != NULL ? column_uses(&f) : table_uses(&f);
	uses_parsed_free(&f.parsed);
	return found;
}

bool
uses_calls(const char *text, const char *function)
{
	struct uses_parsed parsed;
	bool found = false, sent = uses_parse(&parsed, text) || uses_word(&parsed, 0, "CALL");
	size_t at;

	for (at = 0; sent && at < parsed.count && !found; at++)
		found = same(parsed.tokens[at].name, function) && uses_sign(&parsed, at + 1, '(');
	uses_parsed_free(&parsed);
	return found;
}
