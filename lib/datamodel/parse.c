#include "datamodel/parse.h"

#include <stdbool.h>
#include <string.h>

#include "datamodel/lexer.h"

static const char *const keywords[] = {
	[BLOCK_MODEL] = "model",
	[BLOCK_VIEW] = "view",
	[BLOCK_ENUM] = "enum",
	[BLOCK_TYPE] = "type",
	[BLOCK_DATASOURCE] = "datasource",
	[BLOCK_GENERATOR] = "generator",
};
enum { DEPTH_MAX = 64 };

static bool parse_expression(struct cursor *c, struct expression *out, int depth);

/* --- expressions --- */

/* name: value, or a value. */
static bool
parse_argument(struct cursor *c, struct argument *out, int depth)
{
	size_t begin = c->at;
	const char *name = cursor_name(c);

	c->at = name != NULL ? c->at : begin;
	cursor_blanks(c);
	if (name != NULL && cursor_eat(c, ":")) {
		out->name = name;
		cursor_blanks(c);
		if (cursor_sees(c, ",") || cursor_sees(c, ")"))
			return cursor_fail(c, out->place, "the argument %s has no value", name);
	} else {
		c->at = begin;
	}
	return parse_expression(c, &out->value, depth);
}

/* A list whose opening bracket is passed, up to and with `close`. */
static bool
parse_list(struct cursor *c, const char *close, bool named, struct argument **first, int depth)
{
	struct argument **last = first;
	bool more;

	cursor_blanks(c);
	if (cursor_eat(c, close))
		return true;
	do {
		*last = arena_alloc(c->arena, sizeof **last);
		cursor_blanks(c);
		(*last)->place = cursor_place(c);
		if (cursor_sees(c, close))
			return cursor_fail(c, (*last)->place, "expected an argument after the comma");
		if (cursor_sees_line_end(c))
			return cursor_fail(c, (*last)->place, "a list must end on the line where it begins");
		if (!(named ? parse_argument(c, *last, depth) : parse_expression(c, &(*last)->value, depth)))
			return false;
		last = &(*last)->next;
		cursor_blanks(c);
		more = cursor_eat(c, ",");
	} while (more);
	if (cursor_eat(c, close))
		return true;
	if (cursor_sees_line_end(c))
		return cursor_fail(c, cursor_place(c), "a list must end on the line where it begins");
	return cursor_fail(c, cursor_place(c), "expected , or %s", close);
}

static bool
parse_expression(struct cursor *c, struct expression *out, int depth)
{
	out->place = cursor_place(c);
	if (depth == DEPTH_MAX)
		return cursor_fail(c, out->place, "this is nested deeper than %d levels", DEPTH_MAX);
	if (cursor_sees(c, "\"")) {
		out->kind = EXPRESSION_STRING;
		out->text = cursor_string(c);
		return out->text != NULL;
	}
	if (cursor_eat(c, "[")) {
		out->kind = EXPRESSION_ARRAY;
		return parse_list(c, "]", false, &out->arguments, depth + 1);
	}
	out->text = cursor_number(c);
	out->kind = EXPRESSION_NUMBER;
	if (out->text != NULL)
		return true;
	out->text = cursor_path(c);
	out->kind = EXPRESSION_NAME;
	if (out->text == NULL)
		return cursor_fail(c, out->place, "expected a value: a string, a number, a name, a function or a list");
	cursor_blanks(c);
	if (cursor_eat(c, "(")) {
		out->kind = EXPRESSION_CALL;
		return parse_list(c, ")", true, &out->arguments, depth + 1);
	}
	return true;
}

/* --- attributes --- */

/* One whose @ or @@ is passed. */
static struct attribute *
parse_attribute(struct cursor *c)
{
	struct attribute *a = arena_alloc(c->arena, sizeof *a);

	a->place = cursor_place(c);
	a->name = cursor_path(c);
	if (a->name == NULL) {
		(void)cursor_fail(c, a->place, "expected the name of an attribute");
		return NULL;
	}
	cursor_blanks(c);
	if (cursor_eat(c, "(") && !parse_list(c, ")", true, &a->arguments, 0))
		return NULL;
	return a;
}

static bool
parse_field_attributes(struct cursor *c, struct field_decl *f)
{
	struct attribute **last = &f->attributes;

	for (;;) {
		cursor_blanks(c);
		if (!cursor_eat(c, "@"))
			return true;
		if (cursor_sees(c, "@"))
			return cursor_fail(c, cursor_place(c), "@@ must be on a line of its own");
		if ((*last = parse_attribute(c)) == NULL)
			return false;
		last = &(*last)->next;
	}
}

/* --- lines of a block --- */

static bool
parse_type(struct cursor *c, struct field_decl *f)
{
	f->type_place = cursor_place(c);
	if (cursor_eat(c, "Unsupported(")) {
		f->is_unsupported = true;
		cursor_blanks(c);
		f->type = cursor_string(c);
		cursor_blanks(c);
		if (f->type == NULL || !cursor_eat(c, ")"))
			return cursor_fail(c, f->type_place, "Unsupported needs one argument, a string");
	} else if ((f->type = cursor_name(c)) == NULL) {
		return cursor_fail(c, f->place, "this line is not a field: write a name and a type");
	}
	cursor_blanks(c);
	if (cursor_eat(c, "[]"))
		f->arity = FIELD_MANY;
	else if (cursor_eat(c, "?"))
		f->arity = FIELD_OPTIONAL;
	if (cursor_sees(c, "[]") || cursor_sees(c, "?"))
		return cursor_fail(c, f->type_place, "a list cannot be optional");
	return true;
}

static bool
parse_field(struct cursor *c, struct block *b, struct field_decl ***last)
{
	struct field_decl *f = arena_alloc(c->arena, sizeof *f);

	f->place = cursor_place(c);
	if ((f->name = cursor_name(c)) == NULL)
		return cursor_fail(c, f->place, "this line is not a %s", b->kind == BLOCK_ENUM ? "value of an enum" : "field");
	cursor_blanks(c);
	if (b->kind != BLOCK_ENUM && !parse_type(c, f))
		return false;
	if (!parse_field_attributes(c, f))
		return false;
	**last = f;
	*last = &f->next;
	return true;
}

static bool
parse_property(struct cursor *c, struct property ***last)
{
	struct property *p = arena_alloc(c->arena, sizeof *p);

	p->place = cursor_place(c);
	if ((p->name = cursor_name(c)) == NULL)
		return cursor_fail(c, p->place, "this line is not a property: write NAME = VALUE");
	cursor_blanks(c);
	if (!cursor_eat(c, "="))
		return cursor_fail(c, p->place, "this line is not a property: write NAME = VALUE");
	cursor_blanks(c);
	if (!cursor_ends(c) && !cursor_sees_line_end(c) && !cursor_sees(c, "//") && !cursor_sees(c, "/*")) {
		p->value = arena_alloc(c->arena, sizeof *p->value);
		if (!parse_expression(c, p->value, 0))
			return false;
	}
	**last = p;
	*last = &p->next;
	return true;
}

/* Where the last line of each kind hangs. */
struct ends {
	struct field_decl **field;
	struct attribute **attribute;
	struct property **property;
};

static bool
parse_line(struct cursor *c, struct block *b, struct ends *ends)
{
	bool configures = b->kind == BLOCK_DATASOURCE || b->kind == BLOCK_GENERATOR;

	if (!configures && cursor_eat(c, "@@")) {
		if ((*ends->attribute = parse_attribute(c)) == NULL)
			return false;
		ends->attribute = &(*ends->attribute)->next;
	} else if (!(configures ? parse_property(c, &ends->property) : parse_field(c, b, &ends->field))) {
		return false;
	}
	(void)cursor_comment(c);
	cursor_blanks(c);
	if (cursor_line_end(c))
		return true;
	return cursor_fail(c, cursor_place(c), cursor_ends(c) ? "the block %s is not closed" : "%s: expected the end of the line",
	    b->name);
}

static bool
parse_block(struct cursor *c, struct block *b)
{
	struct ends ends = { &b->fields, &b->attributes, &b->properties };

	for (;;) {
		cursor_blanks(c);
		if (c->failed)
			return false;
		if (cursor_eat(c, "}"))
			return true;
		if (cursor_ends(c))
			return cursor_fail(c, b->place, "the block %s is not closed", b->name);
		if (cursor_line_end(c) || cursor_comment(c))
			continue;
		if (!parse_line(c, b, &ends))
			return false;
	}
}

/* The keyword and name of a block, and what else is on that line. */
static bool
parse_head(struct cursor *c, struct block *b)
{
	const char *keyword;
	size_t kind;

	b->place = cursor_place(c);
	keyword = cursor_name(c);
	for (kind = 0; keyword != NULL && kind < sizeof keywords / sizeof *keywords; kind++)
		if (strcmp(keyword, keywords[kind]) == 0)
			break;
	if (keyword == NULL || kind == sizeof keywords / sizeof *keywords)
		return cursor_fail(c, b->place, "expected model, view, enum, type, datasource or generator");
	b->kind = (enum block_kind)kind;
	cursor_blanks(c);
	b->name_place = cursor_place(c);
	if ((b->name = cursor_name(c)) == NULL)
		return cursor_fail(c, b->name_place, "expected the name of the %s", keyword);
	cursor_blanks(c);
	if (!cursor_eat(c, "{"))
		return cursor_fail(c, cursor_place(c), "expected { after %s %s", keyword, b->name);
	cursor_rest_of_line(c);
	if (!cursor_line_end(c))
		return cursor_fail(c, b->place, "the block %s is not closed", b->name);
	return true;
}

bool
parse_file(const struct source_file *file, struct arena *arena, struct block ***last, struct syntax_error *error)
{
	struct cursor c = { .file = file, .arena = arena, .error = error };

	if (cursor_sees(&c, "\xEF\xBB\xBF"))
		return cursor_fail(&c, cursor_place(&c), "the file begins with a byte order mark");
	for (;;) {
		struct block *b;

		cursor_blanks(&c);
		if (c.failed)
			return false;
		if (cursor_ends(&c))
			return true;
		if (cursor_line_end(&c) || cursor_comment(&c))
			continue;
		b = arena_alloc(arena, sizeof *b);
		if (!parse_head(&c, b) || !parse_block(&c, b))
			return false;
		**last = b;
		*last = &b->next;
	}
}
