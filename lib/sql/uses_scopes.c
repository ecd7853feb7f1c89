/* Reads a statement into tokens, scopes and items. */
#include "sql/uses_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* --- tokens --- */

bool
uses_word(const struct uses_parsed *p, size_t at, const char *word)
{
	const char *have = at < p->count && p->tokens[at].kind == SQL_WORD ? p->tokens[at].name : NULL;

	for (; have != NULL && *have != '\0' && toupper((unsigned char)*have) == *word; have++, word++)
		;
	return have != NULL && *have == '\0' && *word == '\0';
}

bool
uses_one_of(const struct uses_parsed *p, size_t at, const char *const words[])
{
	for (; *words != NULL; words++)
		if (uses_word(p, at, *words))
			return true;
	return false;
}

bool
uses_sign(const struct uses_parsed *p, size_t at, char sign)
{
	return at < p->count && p->tokens[at].sign == sign;
}

/* As the server reads it: folded, or without its quotes. */
static const char *
name_of(struct arena *arena, const char *text, struct sql_token token)
{
	size_t len = token.end - token.start, from, to;
	char *name = arena_text(arena, text + token.start, len);

	if (token.kind == SQL_WORD) {
		for (to = 0; to < len; to++)
			name[to] = (char)tolower((unsigned char)name[to]);
		return name;
	}
	for (from = 1, to = 0; from + 1 < len; from++) {
		name[to++] = name[from];
		from += name[from] == '"';
	}
	name[to] = '\0';
	return name;
}

static void
read_tokens(struct uses_parsed *p, const char *text)
{
	size_t len = strlen(text), cap = 0;
	struct sql_token token = { .end = 0 };

	do {
		struct uses_token *t;

		token = sql_token(text, len, token.end);
		ARRAY_ROOM(p->tokens, p->count, cap);
		t = &p->tokens[p->count++];
		*t = (struct uses_token){ .kind = token.kind };
		if (token.kind == SQL_WORD || (token.kind == SQL_NAME && text[token.start] == '"'))
			t->name = name_of(&p->arena, text, token);
		else if (token.kind == SQL_SIGN)
			t->sign = text[token.start];
	} while (token.kind != SQL_END && token.kind != SQL_BROKEN);
	p->tokens[p->count - 1].kind = SQL_END;
}

/* --- scopes --- */

static const char *const query_words[] = { "SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE", NULL };

bool
uses_is_query(const struct uses_scope *s)
{
	return s->kind == SCOPE_BRANCH || s->kind == SCOPE_DERIVED || s->kind == SCOPE_WITH || s->kind == SCOPE_EXISTS || s->kind == SCOPE_QUERY;
}

static size_t
new_scope(struct uses_parsed *p, enum uses_scope_kind kind, size_t parent)
{
	ARRAY_ROOM(p->scopes, p->scope_count, p->scope_cap);
	p->scopes[p->scope_count] = (struct uses_scope){ .kind = kind, .parent = parent, .item = USES_NONE, .into = USES_NONE, .behind = USES_NONE, .verb = "" };
	return p->scope_count++;
}

static size_t
new_item(struct uses_parsed *p, size_t scope)
{
	ARRAY_ROOM(p->items, p->item_count, p->item_cap);
	p->items[p->item_count] = (struct uses_item){ .scope = scope, .query = USES_NONE };
	return p->item_count++;
}

/* The query that an item of this scope belongs to: FROM (a JOIN b) is in that around it. */
static size_t
query_around(const struct uses_parsed *p, size_t scope)
{
	while (!uses_is_query(&p->scopes[scope]) && p->scopes[scope].parent != USES_NONE)
		scope = p->scopes[scope].parent;
	return scope;
}

/* Of SQL_WORDs behind an item, those that are no alias. */
static const char *const no_alias[] = { "WHERE", "JOIN", "LEFT", "RIGHT", "INNER", "FULL", "CROSS", "NATURAL", "ON", "USING", "GROUP", "ORDER",
	"LIMIT", "OFFSET", "FETCH", "FOR", "UNION", "EXCEPT", "INTERSECT", "HAVING", "WINDOW", "SET", "VALUES", "SELECT", "DEFAULT",
	"RETURNING", "OVERRIDING", "TABLESAMPLE", "WITH", "WHEN", "FROM", "INTO", "TO", "DO", "TABLE", "IN", "NOWAIT", "RESTART", "CONTINUE",
	"CASCADE", "RESTRICT", NULL };

/* [AS] alias, behind an item; returns the token behind it. */
static size_t
take_alias(struct uses_parsed *p, size_t item, size_t at)
{
	struct uses_item *i = &p->items[item];

	at += uses_sign(p, at, '*'); /* the old way to say "and its children" */
	at += uses_word(p, at, "WITH") && uses_word(p, at + 1, "ORDINALITY") ? 2 : 0;
	if (uses_word(p, at, "AS"))
		at++;
	else if (uses_one_of(p, at, no_alias))
		return at;
	if (p->tokens[at].name == NULL)
		return at;
	i->alias = p->tokens[at].name;
	p->tokens[at].role = ROLE_ALIAS;
	return at + 1;
}

/* A chain of names with dots; returns the token behind it. */
static size_t
take_relation(struct uses_parsed *p, size_t scope, size_t at)
{
	size_t around = query_around(p, scope), item = new_item(p, around);
	bool writes = p->scopes[scope].into == item;
	struct uses_item *i = &p->items[item];

	for (i->name = p->tokens[at].name; uses_sign(p, at + 1, '.') && p->tokens[at + 2].name != NULL; at += 2) {
		p->tokens[at].role = ROLE_RELATION;
		i->schema = i->name;
		i->name = p->tokens[at + 2].name;
	}
	p->tokens[at].role = ROLE_RELATION;
	p->scopes[scope].expects = false;
	if (uses_sign(p, at + 1, '(') && !writes) { /* a function; its alias stands behind its arguments */
		i->name = i->schema = NULL;
		return at + 1;
	}
	i->alias = i->name;
	return take_alias(p, item, at + 1);
}

/* --- words --- */

static bool
is_distinct_from(const struct uses_parsed *p, size_t at)
{
	return at >= 2 && uses_word(p, at - 1, "DISTINCT") && (uses_word(p, at - 2, "IS") || uses_word(p, at - 2, "NOT"));
}

static void
expect_into(struct uses_parsed *p, struct uses_scope *s, const char *verb)
{
	s->expects = true;
	s->into = p->item_count;
	s->verb = verb;
	s->inserts = strcmp(verb, "INSERT") == 0 || strcmp(verb, "COPY") == 0;
}

/* One side of UNION ends; the next has names of its own. */
static size_t
next_branch(struct uses_parsed *p, size_t scope)
{
	size_t around = p->scopes[scope].continues ? p->scopes[scope].parent : scope, next = new_scope(p, SCOPE_BRANCH, around);

	p->scopes[next].continues = true;
	return next;
}

/* A word that begins a clause of the query, or of the FROM inside of parentheses. */
static void
take_word(struct uses_parsed *p, size_t scope, size_t at)
{
	static const char *const ends_from[] = { "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "FETCH", "UNION", "EXCEPT", "INTERSECT",
		"WINDOW", "RETURNING", "VALUES", "SELECT", "WHEN", "FOR", NULL };
	static const char *const no_update[] = { "FOR", "KEY", "DO", "THEN", "ON", NULL };
	struct uses_scope *s = &p->scopes[scope];
	bool merges = strcmp(s->verb, "DELETE") == 0 || strcmp(s->verb, "MERGE") == 0;

	if (uses_word(p, at, "FROM") && uses_is_query(s) && !is_distinct_from(p, at)) {
		s->in_set = false;
		s->in_from = true;
		if (at > 0 && uses_word(p, at - 1, "DELETE"))
			expect_into(p, s, "DELETE");
		else
			s->expects = strcmp(s->verb, "COPY") != 0;
	} else if (uses_word(p, at, "JOIN")) {
		s->expects = s->in_from;
	} else if (uses_word(p, at, "INTO") && uses_is_query(s)) {
		expect_into(p, s, at > 0 && uses_word(p, at - 1, "MERGE") ? "MERGE" : "INSERT");
	} else if (uses_word(p, at, "UPDATE") && uses_is_query(s) && !uses_word(p, at + 1, "SET") && (at == 0 || !uses_one_of(p, at - 1, no_update))) {
		expect_into(p, s, "UPDATE");
	} else if (uses_word(p, at, "USING") && merges && (!uses_sign(p, at + 1, '(') || uses_one_of(p, at + 2, query_words))) {
		s->expects = s->in_from = true;
	} else if (uses_word(p, at, "SET") && uses_is_query(s)) {
		s->in_from = false;
		s->in_set = true;
	} else if (uses_word(p, at, "WITH") && uses_is_query(s) && !s->in_from) {
		s->expects_with = true;
	} else if (uses_word(p, at, "DEFAULT") && uses_word(p, at + 1, "VALUES")) {
		s->listed = true;
	} else if (uses_word(p, at, "CONFLICT")) {
		s->behind = at;
	} else if (uses_one_of(p, at, ends_from)) {
		s->in_from = s->in_set = s->expects = false;
		if (s->inserts && uses_word(p, at, "RETURNING"))
			s->behind = at;
	} else if (uses_word(p, at, "AS") && p->tokens[at + 1].name != NULL) {
		p->tokens[at + 1].role = ROLE_ALIAS;
	}
}

/* --- parentheses --- */

static enum uses_scope_kind
kind_of(const struct uses_parsed *p, size_t scope, size_t at)
{
	static const char *const branches[] = { "UNION", "EXCEPT", "INTERSECT", "ALL", NULL };
	const struct uses_scope *s = &p->scopes[scope];
	bool query = uses_one_of(p, at + 1, query_words), nested = uses_sign(p, at + 1, '(');
	const struct uses_token *before = at > 0 ? &p->tokens[at - 1] : NULL;

	if (query && s->with != NULL && (uses_word(p, at - 1, "AS") || uses_word(p, at - 1, "MATERIALIZED")))
		return SCOPE_WITH;
	if (s->with != NULL && before->name != NULL && before->role == ROLE_ALIAS)
		return SCOPE_NAMES;
	if (s->expects)
		return query ? SCOPE_DERIVED : SCOPE_JOIN;
	if ((query || nested) && uses_is_query(s) && (before == NULL || before->sign == '(' || uses_one_of(p, at - 1, branches)))
		return SCOPE_BRANCH;
	if (query)
		return uses_word(p, at - 1, "EXISTS") ? SCOPE_EXISTS : SCOPE_QUERY;
	if (before == NULL)
		return SCOPE_PLAIN;
	if (s->into != USES_NONE && s->into + 1 == p->item_count && !s->in_set && !s->listed &&
	    (before->role == ROLE_RELATION || before->role == ROLE_ALIAS) && strcmp(s->verb, "DELETE") != 0 && strcmp(s->verb, "UPDATE") != 0)
		return SCOPE_LIST;
	if (before->role == ROLE_ALIAS && s->in_from)
		return SCOPE_NAMES;
	if (uses_word(p, at - 1, "CONFLICT") || (uses_word(p, at - 1, "INSERT") && strcmp(s->verb, "MERGE") == 0) ||
	    (s->in_set && (uses_word(p, at - 1, "SET") || before->sign == ',')))
		return SCOPE_LIST;
	return SCOPE_PLAIN;
}

static size_t
open_scope(struct uses_parsed *p, size_t scope, size_t at)
{
	enum uses_scope_kind kind = kind_of(p, scope, at);
	size_t opened = new_scope(p, kind, scope);
	struct uses_scope *outer = &p->scopes[scope], *s = &p->scopes[opened];

	if (kind == SCOPE_JOIN) {
		s->expects = s->in_from = true;
		outer->expects = false;
	} else if (kind == SCOPE_DERIVED) {
		s->item = new_item(p, query_around(p, scope));
		p->items[s->item].query = opened;
		outer->expects = false;
	} else if (kind == SCOPE_WITH) {
		s->item = new_item(p, query_around(p, scope));
		p->items[s->item].query = opened;
		p->items[s->item].with = true;
		p->items[s->item].alias = outer->with;
		p->items[s->item].renamed = outer->with_renamed;
		outer->with = NULL;
		outer->with_renamed = false;
	} else if (kind == SCOPE_LIST) {
		outer->listed = true;
	} else if (kind == SCOPE_NAMES && outer->with != NULL) {
		outer->with_renamed = true;
	} else if (kind == SCOPE_NAMES && p->item_count > 0) {
		p->items[p->item_count - 1].renamed = true;
	} else if (kind == SCOPE_PLAIN && at > 0 && p->tokens[at - 1].role == ROLE_RELATION) {
		s->item = p->item_count - 1;
	}
	if (uses_is_query(s) && uses_word(p, at + 1, "TABLE"))
		s->whole = s->expects = s->in_from = true;
	return opened;
}

/* Returns the token behind the parenthesis and the alias behind it. */
static size_t
close_scope(struct uses_parsed *p, size_t *scope, size_t at)
{
	struct uses_scope *s = &p->scopes[*scope];

	if (s->continues)
		s = &p->scopes[*scope = s->parent];
	if (s->parent == USES_NONE)
		return at + 1;
	*scope = s->parent;
	if (s->kind == SCOPE_WITH)
		p->scopes[s->parent].expects_with = uses_sign(p, at + 1, ',');
	else if (s->item != USES_NONE)
		return take_alias(p, s->item, at + 1);
	return at + 1;
}

/* --- the statement --- */

static size_t
take_token(struct uses_parsed *p, size_t *scope, size_t at)
{
	static const char *const unites[] = { "UNION", "EXCEPT", "INTERSECT", NULL };
	static const char *const passed[] = { "ONLY", "LATERAL", "RECURSIVE", "TABLE", "ROWS", NULL };
	struct uses_token *t = &p->tokens[at];
	struct uses_scope *s = &p->scopes[*scope];

	t->scope = *scope;
	if (t->sign == '(') {
		*scope = open_scope(p, *scope, at);
	} else if (t->sign == ')') {
		return close_scope(p, scope, at);
	} else if (t->sign == ',') {
		s->expects = s->in_from;
	} else if (t->name == NULL || (at > 0 && uses_sign(p, at - 1, '.'))) {
		;
	} else if ((s->expects || s->expects_with) && uses_one_of(p, at, passed)) {
		;
	} else if (s->expects_with) {
		t->role = ROLE_ALIAS;
		s->with = t->name;
		s->expects_with = false;
	} else if (s->expects && !uses_one_of(p, at, query_words)) {
		return take_relation(p, *scope, at);
	} else if (s->kind == SCOPE_LIST) {
		t->role = ROLE_TARGET;
	} else if (s->kind == SCOPE_NAMES) {
		t->role = ROLE_ALIAS;
	} else if (s->in_set && uses_sign(p, at + 1, '=') && (uses_sign(p, at - 1, ',') || uses_word(p, at - 1, "SET"))) {
		t->role = ROLE_TARGET;
	} else if (t->kind == SQL_WORD && t->role == ROLE_FREE && !uses_sign(p, at + 1, '.')) {
		take_word(p, *scope, at);
		if (uses_is_query(&p->scopes[*scope]) && uses_one_of(p, at, unites))
			*scope = next_branch(p, *scope);
	}
	return at + 1;
}

/* COPY t (a, b) TO stdout, as pg_dump writes it. */
static bool
is_dump(const struct uses_parsed *p, const char *text)
{
	size_t len = strlen(text);

	len -= len > 0 && text[len - 1] == ';';
	return uses_word(p, 0, "COPY") && len > 11 && strncmp(text + len - 11, ") TO stdout", 11) == 0 && !uses_sign(p, 1, '(');
}

/* The token at which what counts begins; USES_NONE: it is no use of anything. */
static size_t
beginning(const struct uses_parsed *p, const char *text)
{
	static const char *const others[] = { "COPY", "TRUNCATE", "LOCK", NULL };
	static const char *const around[] = { "PREPARE", "DECLARE", NULL };
	size_t at = 0;

	while (uses_sign(p, at, '('))
		at++;
	if (uses_one_of(p, at, query_words))
		return 0;
	if (uses_one_of(p, 0, others))
		return is_dump(p, text) ? USES_NONE : 0;
	if (!uses_one_of(p, 0, around))
		return USES_NONE;
	while (at < p->count && (!uses_one_of(p, at, query_words) || uses_word(p, at, "WITH")))
		at++;
	return at < p->count ? at : USES_NONE;
}

bool
uses_parse(struct uses_parsed *p, const char *text)
{
	struct uses_scope *s;
	size_t at, scope;

	*p = (struct uses_parsed){ 0 };
	read_tokens(p, text);
	if ((at = beginning(p, text)) == USES_NONE)
		return false;
	scope = new_scope(p, SCOPE_BRANCH, USES_NONE);
	s = &p->scopes[scope];
	s->whole = uses_word(p, at, "TABLE");
	if (uses_word(p, at, "COPY") && !uses_sign(p, at + 1, '('))
		expect_into(p, s, "COPY");
	else if (s->whole || uses_word(p, at, "TRUNCATE") || uses_word(p, at, "LOCK"))
		s->expects = s->in_from = true;
	at += s->expects;
	while (at + 1 < p->count)
		at = take_token(p, &scope, at);
	return true;
}

void
uses_parsed_free(struct uses_parsed *p)
{
	arena_free(&p->arena);
	free(p->tokens);
	free(p->scopes);
	free(p->items);
	*p = (struct uses_parsed){ 0 };
}
