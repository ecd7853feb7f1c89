/* What a statement destroys, as far as its words tell. */
#include "sql/sql_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

struct loss_list {
	struct sql_losses found;
	size_t cap;
};

/* What stands between two tokens, without the blanks: "Order" . "couponCode" is one name. */
static void
add_squeezed(struct bytes *b, const char *text, size_t start, size_t end)
{
	struct sql_reader r = sql_reader_at(text, start, end);

	for (; r.token.kind != SQL_END; sql_reader_advance(&r))
		bytes_add(b, text + r.token.start, r.token.end - r.token.start);
}

/* The name that comes next, in `object` (which may hold what it belongs to). */
static bool
read_name(struct sql_reader *r, struct bytes *object)
{
	size_t start = r->token.start;

	if (!sql_accept_name(r))
		return false;
	if (object->len > 0)
		bytes_char(object, '.');
	add_squeezed(object, r->text, start, r->token.start);
	return true;
}

static void
add_loss(struct loss_list *list, size_t at, const char *what, struct bytes object)
{
	struct sql_loss loss = { at, what, object.data };

	ARRAY_ROOM(list->found.losses, list->found.count, list->cap);
	list->found.losses[list->found.count++] = loss;
}

static const struct {
	const char *synopsis; /* what stands before the list of names */
	const char *what;
} drops[] = {
	{ "DROP TABLE [IF EXISTS]", "DROP TABLE" },
	{ "DROP SCHEMA [IF EXISTS]", "DROP SCHEMA" },
	{ "DROP DATABASE [IF EXISTS]", "DROP DATABASE" },
	{ "DROP OWNED BY", "DROP OWNED" },
	{ "TRUNCATE [TABLE]", "TRUNCATE" },
};

static void
list_drops(struct loss_list *list, struct sql_reader r)
{
	size_t at = r.token.start, i = 0;

	while (!sql_reader_match(&r, drops[i].synopsis)) {
		if (++i == sizeof drops / sizeof *drops)
			return;
	}
	do {
		struct bytes object = { 0 };

		sql_reader_match(&r, "[ONLY]");
		if (read_name(&r, &object))
			add_loss(list, at, drops[i].what, object);
		sql_reader_match(&r, "[*]");
	} while (sql_accept_sign(&r, ','));
}

/* ALTER TABLE and ALTER TYPE: actions between commas. */
static void
list_alters(struct loss_list *list, struct sql_reader r)
{
	bool table = sql_reader_match(&r, "ALTER TABLE [IF EXISTS] [ONLY]");
	struct bytes owner = { 0 };

	if ((!table && !sql_reader_match(&r, "ALTER TYPE")) || !read_name(&r, &owner))
		return;
	sql_reader_match(&r, "[*]");
	do {
		size_t at = r.token.start;
		struct bytes object = { 0 };

		if (sql_reader_match(&r, "DROP CONSTRAINT"))
			continue;
		if (!sql_reader_match(&r, table ? "DROP [COLUMN] [IF EXISTS]" : "DROP ATTRIBUTE [IF EXISTS]"))
			continue;
		bytes_add(&object, owner.data, owner.len);
		if (read_name(&r, &object))
			add_loss(list, at, table ? "DROP COLUMN" : "DROP ATTRIBUTE", object);
		else
			bytes_free(&object);
	} while (sql_skip_to_comma(&r), sql_accept_sign(&r, ','));
	bytes_free(&owner);
}

/* DELETE without WHERE, of a statement or of what stands in parentheses. */
static void
list_delete(struct loss_list *list, struct sql_reader r)
{
	size_t at = r.token.start;
	struct bytes object = { 0 };

	if (!sql_reader_match(&r, "DELETE FROM [ONLY]") || !read_name(&r, &object))
		return;
	while (r.token.kind != SQL_END && !sql_is_sign(r.text, r.token, ')') &&
	    !sql_is(r.text, r.token, "WHERE")) {
		if (!sql_accept_parentheses(&r))
			sql_reader_advance(&r);
	}
	if (sql_is(r.text, r.token, "WHERE"))
		bytes_free(&object);
	else
		add_loss(list, at, "DELETE without WHERE", object);
}

/* WITH a AS (DELETE ...) DELETE ...: the server takes them there, and no deeper. */
static void
list_with_deletes(struct loss_list *list, struct sql_reader r)
{
	if (!sql_reader_match(&r, "WITH"))
		return;
	while (r.token.kind != SQL_END) {
		struct sql_reader inside = r;

		if (sql_accept_sign(&inside, '('))
			list_delete(list, inside);
		if (sql_accept_parentheses(&r))
			list_delete(list, r);
		else
			sql_reader_advance(&r);
	}
}

struct sql_losses
sql_losses(const char *text, const struct sql_script *script)
{
	struct loss_list list = { { NULL, 0 }, 0 };
	size_t i;

	for (i = 0; i < script->count; i++) {
		const struct sql_statement *s = &script->statements[i];
		struct sql_reader r = sql_reader_at(text, s->start, s->end);

		if (!sql_begins_with(&r, "DTAW")) /* DROP, DELETE, TRUNCATE, ALTER, WITH */
			continue;
		list_drops(&list, r);
		list_alters(&list, r);
		list_delete(&list, r);
		list_with_deletes(&list, r);
	}
	return list.found;
}

void
sql_losses_free(struct sql_losses *losses)
{
	size_t i;

	for (i = 0; i < losses->count; i++)
		free(losses->losses[i].object);
	free(losses->losses);
	losses->losses = NULL;
	losses->count = 0;
}
