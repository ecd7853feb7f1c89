#include "sql/interrupted.h"

#include <stdbool.h>

#include "sql/words.h"

/* CREATE [UNIQUE] INDEX CONCURRENTLY [[IF NOT EXISTS] name] ON [ONLY] table ... */
static enum interrupted_act
create_index(struct words *w, struct interrupted *aim)
{
	struct sql_token first = w->token, concurrently, before;

	(void)words_take(w, "UNIQUE");
	if (!words_take(w, "INDEX") || !words_take(w, "CONCURRENTLY"))
		return INTERRUPTED_NONE;
	concurrently = w->token;
	if (words_take(w, "IF"))
		(void)(words_take(w, "NOT") && words_take(w, "EXISTS"));
	if (!words_take(w, "ON") && (!words_take_name(w, &aim->name) || !words_take(w, "ON")))
		return INTERRUPTED_NONE;
	(void)words_take(w, "ONLY");
	before = w->token;
	if (!words_take_name(w, &aim->table))
		return INTERRUPTED_NONE;
	if (aim->name.len > 0)
		return INTERRUPTED_CREATE_INDEX;
	bytes_add(&aim->twin, w->text + first.start, concurrently.start - first.start);
	bytes_add(&aim->twin, w->text + concurrently.end, before.end - concurrently.end);
	bytes_str(&aim->twin, " pg_temp." INTERRUPTED_TWIN " ");
	bytes_add(&aim->twin, w->text + w->token.end, w->end - w->token.end);
	return INTERRUPTED_CREATE_INDEX;
}

static enum interrupted_act
drop_index(struct words *w, struct bytes *name)
{
	struct sql_token after;

	if (!words_take(w, "INDEX") || !words_take(w, "CONCURRENTLY"))
		return INTERRUPTED_NONE;
	if (words_take(w, "IF"))
		(void)words_take(w, "EXISTS");
	if (!words_take_name(w, name))
		return INTERRUPTED_NONE;
	after = words_next(w);
	while (after.kind == SQL_WORD || after.kind == SQL_NAME)
		after = words_next(w);
	return after.kind == SQL_END ? INTERRUPTED_DROP_INDEX : INTERRUPTED_NONE;
}

/* REINDEX [(options)] INDEX|TABLE|SCHEMA|DATABASE|SYSTEM [CONCURRENTLY] name */
static enum interrupted_act
reindex(struct words *w, struct bytes *name)
{
	bool one;

	while (words_next(w).kind == SQL_SIGN || (w->token.kind == SQL_WORD && !sql_is(w->text, w->token, "INDEX") &&
	                                       !sql_is(w->text, w->token, "TABLE") && !sql_is(w->text, w->token, "SCHEMA") &&
	                                       !sql_is(w->text, w->token, "DATABASE") && !sql_is(w->text, w->token, "SYSTEM")))
		;
	one = sql_is(w->text, w->token, "INDEX") || sql_is(w->text, w->token, "TABLE");
	(void)words_take(w, "CONCURRENTLY");
	if (one)
		(void)words_take_name(w, name);
	return INTERRUPTED_REINDEX;
}

/* ALTER TABLE [IF EXISTS] [ONLY] table [*] DETACH PARTITION partition CONCURRENTLY */
static enum interrupted_act
detach(struct words *w, struct interrupted *aim)
{
	if (words_take(w, "IF"))
		(void)words_take(w, "EXISTS");
	(void)words_take(w, "ONLY");
	if (!words_take_name(w, &aim->table))
		return INTERRUPTED_NONE;
	(void)words_take_sign(w, '*');
	return words_take(w, "DETACH") && words_take(w, "PARTITION") && words_take_name(w, &aim->name) && words_take(w, "CONCURRENTLY")
	    ? INTERRUPTED_DETACH
	    : INTERRUPTED_NONE;
}

/* DATABASE, TABLESPACE, SUBSCRIPTION [IF EXISTS] name */
static bool
take_object(struct words *w, struct interrupted *aim)
{
	static const char *const objects[] = { [INTERRUPTED_DATABASE] = "DATABASE", [INTERRUPTED_TABLESPACE] = "TABLESPACE",
		[INTERRUPTED_SUBSCRIPTION] = "SUBSCRIPTION" };
	size_t i;

	for (i = 0; i < sizeof objects / sizeof *objects; i++)
		if (words_take(w, objects[i])) {
			aim->object = (enum interrupted_object)i;
			if (words_take(w, "IF"))
				(void)words_take(w, "EXISTS");
			return words_take_name(w, &aim->name);
		}
	return false;
}

/* ALTER SYSTEM, DATABASE ... SET TABLESPACE, SUBSCRIPTION ... REFRESH and SET: the same again changes nothing */
static enum interrupted_act
alter(struct words *w, struct interrupted *aim)
{
	if (words_take(w, "TABLE"))
		return detach(w, aim);
	if (words_take(w, "SYSTEM") || words_take(w, "DATABASE"))
		return INTERRUPTED_REPEAT;
	return words_take(w, "SUBSCRIPTION") && words_take_name(w, &aim->name) && (words_take(w, "REFRESH") || words_take(w, "SET")) ? INTERRUPTED_REPEAT
	                                                                                                     : INTERRUPTED_NONE;
}

static enum interrupted_act
act_of(struct words *w, struct interrupted *aim)
{
	static const char *const repeatable[] = { "VACUUM", "CLUSTER", "DISCARD" };
	size_t i;

	if (words_take(w, "CREATE"))
		return take_object(w, aim) ? INTERRUPTED_CREATE : create_index(w, aim);
	if (words_take(w, "DROP"))
		return take_object(w, aim) ? INTERRUPTED_DROP : drop_index(w, &aim->name);
	if (words_take(w, "REINDEX"))
		return reindex(w, &aim->name);
	if (words_take(w, "ALTER"))
		return alter(w, aim);
	for (i = 0; i < sizeof repeatable / sizeof *repeatable; i++)
		if (words_take(w, repeatable[i]))
			return INTERRUPTED_REPEAT;
	return INTERRUPTED_NONE;
}

struct interrupted
interrupted_of(const char *text, const struct sql_statement *statement)
{
	struct words w = words_of(text, statement);
	struct interrupted aim = { .act = INTERRUPTED_NONE };

	aim.act = act_of(&w, &aim);
	return aim;
}

bool
interrupted_may_commit(const char *text, const struct sql_statement *statement)
{
	struct sql_token first = sql_token(text, statement->end, statement->start);

	return sql_is(text, first, "CALL") || sql_is(text, first, "DO");
}

void
interrupted_free(struct interrupted *aim)
{
	bytes_free(&aim->name);
	bytes_free(&aim->table);
	bytes_free(&aim->twin);
}
