#include "rehearse/draft_text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/null.h"
#include "records/json.h"
#include "records/words.h"
#include "sql/sql.h"

struct items {
	char **list;
	size_t count, cap;
};

static void
add(struct items *items, char *text)
{
	size_t i;

	/* it stands behind "--" */
	for (i = 0; text[i] != '\0'; i++)
		if ((unsigned char)text[i] < ' ')
			text[i] = ' ';
	ARRAY_ROOM(items->list, items->count, items->cap);
	items->list[items->count++] = text;
}

static void
items_free(struct items *items)
{
	size_t i;

	for (i = 0; i < items->count; i++)
		free(items->list[i]);
	free(items->list);
}

/* What one of the two scripts takes away for good. */
static void
add_losses(struct items *items, const struct losses *losses, enum loss_by by)
{
	size_t i;

	for (i = 0; i < losses->count; i++) {
		const struct loss *l = &losses->list[i];
		bool plain = strcmp(l->schema, "public") == 0;
		const char *schema = plain ? "" : l->schema, *dot = plain ? "" : ".";

		if (l->by != by)
			continue;
		if (l->type != NULL)
			add(items, xformat("what %s does not hold of column %s of %s%s%s", l->type, l->column, schema, dot, l->relation));
		else if (l->column != NULL)
			add(items, xformat("the values of column %s of %s%s%s", l->column, schema, dot, l->relation));
		else
			add(items, xformat("the rows of %s%s%s", schema, dot, l->relation));
	}
}

/* Statements whose effect on rows no schema shows. */
static bool
writes_rows(const char *sql, const struct sql_statement *s)
{
	static const char synopsis[] = "INSERT|UPDATE|DELETE|MERGE|TRUNCATE|COPY|DO|CALL|SELECT|WITH|VALUES|EXECUTE";

	return sql_match(sql, s->end, s->start, synopsis) != 0 ||
	    (sql_match(sql, s->end, s->start, "ALTER SEQUENCE") != 0 && sql_mentions(sql + s->start, s->end - s->start, "restart"));
}

static void
add_statements(struct items *items, const char *sql)
{
	struct sql_script script = sql_split(sql, strlen(sql));
	size_t i;

	for (i = 0; i < script.count; i++) {
		const struct sql_statement *s = &script.statements[i];
		char words[64];

		if (!writes_rows(sql, s))
			continue;
		sql_words(sql, s, words, sizeof words);
		add(items, xformat("what %s does to rows (line %lu of migration.sql)", strcmp(words, "SQL") == 0 ? "the statement" : words, sql_place(sql, strlen(sql), s->start).line));
	}
	sql_script_free(&script);
}

static const char *
list_text(struct arena *texts, const struct items *items)
{
	struct bytes json = { 0 };
	const char *text;

	json_add_list(&json, (const char *const *)items->list, items->count);
	text = arena_text(texts, json.data, json.len);
	bytes_free(&json);
	return text;
}

static void
comment(struct bytes *out, const char *head, const struct items *items)
{
	size_t i;

	if (items->count > 0)
		bytes_format(out, "-- %s:\n", head);
	for (i = 0; i < items->count; i++)
		bytes_format(out, "--   %s\n", items->list[i]);
}

void
drafts_add(struct drafts *drafts, const struct step *up, const char *verdict, const struct losses *losses, const struct bytes *statements, struct arena *texts)
{
	struct draft draft = { .migration = arena_copy(texts, up->migration), .detail = arena_copy(texts, verdict) };
	struct items not_back = { 0 }, gone = { 0 };
	struct bytes text = { 0 };

	add_losses(&not_back, losses, LOSS_BY_UP);
	add_statements(&not_back, up->sql);
	add_losses(&gone, losses, LOSS_BY_DOWN);
	draft.not_back = list_text(texts, &not_back);
	draft.gone = list_text(texts, &gone);
	bytes_str(&text, "-- A draft by mig-scan, from the schema before and after migration.sql. Read it before you keep it.\n"
	                 "-- Tried out on empty tables: migration.sql, this, migration.sql again; the schema was equal each time.\n");
	comment(&text, "It does not bring back", &not_back);
	comment(&text, "It takes away what was written since", &gone);
	bytes_char(&text, '\n');
	bytes_str(&text, bytes_text(statements));
	if (strcmp(verdict, "verified") == 0)
		draft.sql = arena_text(texts, text.data, text.len);
	ARRAY_ROOM(drafts->list, drafts->count, drafts->cap);
	drafts->list[drafts->count++] = draft;
	items_free(&not_back);
	items_free(&gone);
	bytes_free(&text);
}
