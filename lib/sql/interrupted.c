#include "sql/interrupted.h"

/* The words of a statement, one at a time. */
struct words {
	const char *text;
	size_t end;
	struct sql_token token;
};

static struct sql_token
next(struct words *w)
{
	return w->token = sql_token(w->text, w->end, w->token.end);
}

static bool
take(struct words *w, const char *word)
{
	struct sql_token token = sql_token(w->text, w->end, w->token.end);

	if (!sql_is(w->text, token, word))
		return false;
	w->token = token;
	return true;
}

/* A name with its schema, as written; the next token stands behind it.  Not U&"..", which the catalog's functions do not read. */
static bool
take_name(struct words *w, struct bytes *name)
{
	struct sql_token token = next(w);

	name->len = 0;
	while (token.kind == SQL_WORD || (token.kind == SQL_NAME && w->text[token.start] == '"')) {
		bytes_add(name, w->text + token.start, token.end - token.start);
		token = sql_token(w->text, w->end, token.end);
		if (token.kind != SQL_SIGN || w->text[token.start] != '.')
			return true;
		bytes_char(name, '.');
		w->token = token;
		token = next(w);
	}
	return false;
}

/* CREATE [UNIQUE] INDEX CONCURRENTLY [[IF NOT EXISTS] name] ON [ONLY] table ... */
static enum aim_act
create_index(struct words *w, struct aim *aim)
{
	struct sql_token first = w->token, concurrently, before;

	(void)take(w, "UNIQUE");
	if (!take(w, "INDEX") || !take(w, "CONCURRENTLY"))
		return AIM_NONE;
	concurrently = w->token;
	if (take(w, "IF"))
		(void)(take(w, "NOT") && take(w, "EXISTS"));
	if (!take(w, "ON") && (!take_name(w, &aim->name) || !take(w, "ON")))
		return AIM_NONE;
	(void)take(w, "ONLY");
	before = w->token;
	if (!take_name(w, &aim->table))
		return AIM_NONE;
	if (aim->name.len > 0)
		return AIM_CREATE_INDEX;
	bytes_add(&aim->twin, w->text + first.start, concurrently.start - first.start);
	bytes_add(&aim->twin, w->text + concurrently.end, before.end - concurrently.end);
	bytes_str(&aim->twin, " pg_temp." AIM_TWIN " ");
	bytes_add(&aim->twin, w->text + w->token.end, w->end - w->token.end);
	return AIM_CREATE_INDEX;
}

static enum aim_act
drop_index(struct words *w, struct bytes *name)
{
	struct sql_token after;

	if (!take(w, "INDEX") || !take(w, "CONCURRENTLY"))
		return AIM_NONE;
	if (take(w, "IF"))
		(void)take(w, "EXISTS");
	if (!take_name(w, name))
		return AIM_NONE;
	after = next(w);
	while (after.kind == SQL_WORD || after.kind == SQL_NAME)
		after = next(w);
	return after.kind == SQL_END ? AIM_DROP_INDEX : AIM_NONE;
}

/* REINDEX [(options)] INDEX|TABLE|SCHEMA|DATABASE|SYSTEM [CONCURRENTLY] name */
static enum aim_act
reindex(struct words *w, struct bytes *name)
{
	bool one;

	while (next(w).kind == SQL_SIGN || (w->token.kind == SQL_WORD && !sql_is(w->text, w->token, "INDEX") &&
	                                       !sql_is(w->text, w->token, "TABLE") && !sql_is(w->text, w->token, "SCHEMA") &&
	                                       !sql_is(w->text, w->token, "DATABASE") && !sql_is(w->text, w->token, "SYSTEM")))
		;
	one = sql_is(w->text, w->token, "INDEX") || sql_is(w->text, w->token, "TABLE");
	(void)take(w, "CONCURRENTLY");
	if (one)
		(void)take_name(w, name);
	return AIM_REINDEX;
}

static bool
take_sign(struct words *w, char sign)
{
	struct sql_token token = sql_token(w->text, w->end, w->token.end);

	if (token.kind != SQL_SIGN || w->text[token.start] != sign)
		return false;
	w->token = token;
	return true;
}

/* ALTER TABLE [IF EXISTS] [ONLY] table [*] DETACH PARTITION partition CONCURRENTLY */
static enum aim_act
detach(struct words *w, struct aim *aim)
{
	if (take(w, "IF"))
		(void)take(w, "EXISTS");
	(void)take(w, "ONLY");
	if (!take_name(w, &aim->table))
		return AIM_NONE;
	(void)take_sign(w, '*');
	return take(w, "DETACH") && take(w, "PARTITION") && take_name(w, &aim->name) && take(w, "CONCURRENTLY")
	    ? AIM_DETACH
	    : AIM_NONE;
}

/* DATABASE, TABLESPACE, SUBSCRIPTION [IF EXISTS] name */
static bool
take_object(struct words *w, struct aim *aim)
{
	static const char *const objects[] = { [AIM_DATABASE] = "DATABASE", [AIM_TABLESPACE] = "TABLESPACE",
		[AIM_SUBSCRIPTION] = "SUBSCRIPTION" };
	size_t i;

	for (i = 0; i < sizeof objects / sizeof *objects; i++)
		if (take(w, objects[i])) {
			aim->object = (enum aim_object)i;
			if (take(w, "IF"))
				(void)take(w, "EXISTS");
			return take_name(w, &aim->name);
		}
	return false;
}

/* ALTER SYSTEM, DATABASE ... SET TABLESPACE, SUBSCRIPTION ... REFRESH and SET: the same again changes nothing */
static enum aim_act
alter(struct words *w, struct aim *aim)
{
	if (take(w, "TABLE"))
		return detach(w, aim);
	if (take(w, "SYSTEM") || take(w, "DATABASE"))
		return AIM_REPEAT;
	return take(w, "SUBSCRIPTION") && take_name(w, &aim->name) && (take(w, "REFRESH") || take(w, "SET")) ? AIM_REPEAT
	                                                                                                     : AIM_NONE;
}

static enum aim_act
act_of(struct words *w, struct aim *aim)
{
	static const char *const repeatable[] = { "VACUUM", "CLUSTER", "DISCARD" };
	size_t i;

	if (take(w, "CREATE"))
		return take_object(w, aim) ? AIM_CREATE : create_index(w, aim);
	if (take(w, "DROP"))
		return take_object(w, aim) ? AIM_DROP : drop_index(w, &aim->name);
	if (take(w, "REINDEX"))
		return reindex(w, &aim->name);
	if (take(w, "ALTER"))
		return alter(w, aim);
	for (i = 0; i < sizeof repeatable / sizeof *repeatable; i++)
		if (take(w, repeatable[i]))
			return AIM_REPEAT;
	return AIM_NONE;
}

struct aim
aim_of(const char *text, const struct sql_statement *statement)
{
	struct words w = { text, statement->end, { .end = statement->start } };
	struct aim aim = { .act = AIM_NONE };

	aim.act = act_of(&w, &aim);
	return aim;
}

bool
aim_may_commit(const char *text, const struct sql_statement *statement)
{
	struct sql_token first = sql_token(text, statement->end, statement->start);

	return sql_is(text, first, "CALL") || sql_is(text, first, "DO");
}

void
aim_free(struct aim *aim)
{
	bytes_free(&aim->name);
	bytes_free(&aim->table);
	bytes_free(&aim->twin);
}
