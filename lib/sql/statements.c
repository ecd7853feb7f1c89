/* Where a statement ends, and what kind it is: tokens are walked to its semicolon, then matched against a table of synopses. */
#include "sql/sql.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "sql/sql_internal.h"

static const struct {
	const char *synopsis;
	enum sql_kind kind;
} kinds[] = {
	/* The first that matches counts. */
	{ "BEGIN", SQL_BEGIN },
	{ "START TRANSACTION", SQL_BEGIN },
	{ "PREPARE TRANSACTION text", SQL_COMMIT }, /* but PREPARE transaction AS SELECT ... */
	{ "COMMIT PREPARED", SQL_ALONE },
	{ "COMMIT", SQL_COMMIT },
	{ "END", SQL_COMMIT },
	{ "ROLLBACK PREPARED", SQL_ALONE },
	{ "ROLLBACK [WORK|TRANSACTION] TO", SQL_SAVEPOINT },
	{ "ROLLBACK", SQL_ROLLBACK },
	{ "ABORT", SQL_ROLLBACK },
	{ "SAVEPOINT", SQL_SAVEPOINT },
	{ "RELEASE", SQL_SAVEPOINT },

	{ "COPY [BINARY] name [(...)] FROM|TO STDIN|STDOUT", SQL_COPY_CLIENT },
	{ "COPY (...) TO STDIN|STDOUT", SQL_COPY_CLIENT },

	{ "CREATE DATABASE|TABLESPACE", SQL_ALONE },
	{ "DROP DATABASE|TABLESPACE", SQL_ALONE },
	{ "ALTER DATABASE name [WITH] [SET] TABLESPACE", SQL_ALONE },
	{ "ALTER SYSTEM", SQL_ALONE },
	{ "VACUUM", SQL_ALONE },
	{ "CLUSTER [VERBOSE] end", SQL_ALONE },
	{ "CLUSTER (...) end", SQL_ALONE },
	{ "CREATE [UNIQUE] INDEX CONCURRENTLY", SQL_ALONE },
	{ "DROP INDEX CONCURRENTLY", SQL_ALONE },
	{ "ALTER TABLE [IF EXISTS] [ONLY] name [*] DETACH PARTITION name CONCURRENTLY", SQL_ALONE },
	{ "DISCARD ALL", SQL_ALONE },
	{ "DROP SUBSCRIPTION", SQL_ALONE },
	{ "ALTER SUBSCRIPTION name REFRESH", SQL_ALONE },
};

enum choice { UNSAID, NO, YES };

static enum choice
yes_or_no(struct sql_reader *r)
{
	size_t start = r->token.start, len = r->token.end - start;

	if (r->token.kind == SQL_STRING && len > 2) { /* 'off' */
		start++;
		len -= 2;
	}
	switch (len) {
	case 1:  return r->text[start] == '0' ? NO : YES;
	case 3:  return sql_same_word(r->text + start, "OFF", 3) ? NO : YES;
	case 5:  return sql_same_word(r->text + start, "FALSE", 5) ? NO : YES;
	default: return YES;
	}
}

/* What options in parentheses say of one, if they come next.  Looks with a copy, goes nowhere. */
static enum choice
option(struct sql_reader r, const char *name)
{
	enum choice said = UNSAID;

	if (!sql_accept_sign(&r, '('))
		return UNSAID;
	do {
		if (sql_reader_match(&r, name)) {
			sql_accept_sign(&r, '=');
			said = yes_or_no(&r);
		}
		sql_skip_to_comma(&r);
	} while (sql_accept_sign(&r, ','));
	return said;
}

/* The same for options behind WITH, which is too reserved a word to be a name before it. */
static enum choice
with_option(struct sql_reader r, const char *name)
{
	while (r.token.kind != SQL_END && !sql_reader_match(&r, "WITH"))
		sql_reader_advance(&r);
	return option(r, name);
}

/* Statements that are non-transactional or not, depending on their options. */
static bool
stands_alone(struct sql_reader r)
{
	if (sql_reader_match(&r, "REINDEX")) {
		bool concurrently = option(r, "CONCURRENTLY") == YES;

		return sql_reader_match(&r, "[(...)] SCHEMA|DATABASE|SYSTEM") ||
		    sql_reader_match(&r, "[(...)] INDEX|TABLE CONCURRENTLY") || concurrently;
	}
	if (sql_reader_match(&r, "CREATE SUBSCRIPTION"))
		return with_option(r, "CONNECT") != NO && with_option(r, "CREATE_SLOT") != NO;
	if (sql_reader_match(&r, "ALTER SUBSCRIPTION name SET|ADD|DROP PUBLICATION"))
		return with_option(r, "REFRESH") != NO;
	if (sql_reader_match(&r, "ALTER SUBSCRIPTION name SET")) /* 17 and 18 */
		return option(r, "FAILOVER") != UNSAID || option(r, "TWO_PHASE") != UNSAID;
	return false;
}

static enum sql_kind
kind_of(struct sql_reader r)
{
	char letter = sql_upper(r.text[r.token.start]);
	size_t i;

	for (i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (kinds[i].synopsis[0] == letter && sql_reader_match(&r, kinds[i].synopsis))
			return kinds[i].kind;
	}
	return sql_begins_with(&r, "RCA") && stands_alone(r) ? SQL_ALONE : SQL_ORDINARY;
}

/*
 * Walks over the tokens of a statement, up to the semicolon that ends it.  Semicolons in
 * parentheses do not (CREATE RULE ... DO (a; b)), nor do those in BEGIN ATOMIC ... END.
 *
 * In such a body the grammar allows END only where a statement would begin, and that of CASE never
 * stands there.  So neither CASE nor columns named "end" need any counting.  Bodies do not nest:
 * the server refuses CREATE FUNCTION in one.
 */
struct walk {
	size_t depth;    /* of parentheses */
	bool routine;    /* CREATE FUNCTION or PROCEDURE, where there may be a body */
	bool begun;      /* the token before was BEGIN: does ATOMIC follow? */
	bool in_body;
	bool first;      /* a statement of the body begins here */
};

/* Whether the statement ends before the token that comes next; takes it into account if not. */
static bool
walk_ends(struct walk *w, const struct sql_reader *r)
{
	char sign = r->token.kind == SQL_SIGN ? r->text[r->token.start] : '\0';
	bool first = w->first, begun = w->begun;

	w->first = w->begun = false;
	if (sign == '(') {
		w->depth++;
	} else if (sign == ')') {
		w->depth -= w->depth > 0;
	} else if (w->depth > 0) {
		return false;
	} else if (sign == ';') {
		w->first = w->in_body;
		return !w->in_body;
	} else if (w->in_body) {
		w->in_body = !(first && sql_is(r->text, r->token, "END"));
	} else if (w->routine) {
		w->in_body = w->first = begun && sql_is(r->text, r->token, "ATOMIC");
		w->begun = sql_is(r->text, r->token, "BEGIN");
	}
	return false;
}

/* Fills in the statement whose first token the reader stands at; leaves it behind the semicolon. */
static struct sql_statement
statement_read(struct sql_reader *r)
{
	struct sql_statement s = { .start = r->token.start };
	struct sql_reader begin = *r, look = *r;
	struct walk w = { .routine = sql_begins_with(r, "C") && sql_reader_match(&look, "CREATE [OR REPLACE] FUNCTION|PROCEDURE") };

	while (r->token.kind != SQL_END && !walk_ends(&w, r)) {
		s.broken = r->token.kind == SQL_BROKEN;
		s.end = r->token.end;
		sql_reader_advance(r);
	}
	s.broken = s.broken || w.depth > 0 || w.in_body;
	s.next = r->token.end;
	sql_accept_sign(r, ';');

	begin.end = s.end;
	s.kind = kind_of(begin);
	s.chain = (s.kind == SQL_COMMIT || s.kind == SQL_ROLLBACK) &&
	    sql_reader_match(&begin, "COMMIT|END|ROLLBACK|ABORT [WORK|TRANSACTION] AND CHAIN");
	return s;
}

struct sql_script
sql_split(const char *text, size_t len)
{
	struct sql_script script = { NULL, 0 };
	struct sql_reader r = sql_reader_at(text, 0, len);
	size_t cap = 0;

	for (;;) {
		while (sql_accept_sign(&r, ';'))
			;
		if (r.token.kind == SQL_END)
			return script;
		ARRAY_ROOM(script.statements, script.count, cap);
		script.statements[script.count++] = statement_read(&r);
	}
}

void
sql_script_free(struct sql_script *script)
{
	free(script->statements);
	script->statements = NULL;
	script->count = 0;
}

enum sql_transaction
sql_transaction(const struct sql_script *script)
{
	enum sql_transaction found = SQL_TRANSACTION_MIG;
	size_t i;

	for (i = 0; i < script->count; i++) {
		switch (script->statements[i].kind) {
		case SQL_ALONE:
			return SQL_TRANSACTION_NONE;
		case SQL_BEGIN:
		case SQL_COMMIT:
		case SQL_ROLLBACK:
			found = SQL_TRANSACTION_SCRIPT;
			break;
		case SQL_ORDINARY:
		case SQL_SAVEPOINT:
		case SQL_COPY_CLIENT:
			break;
		}
	}
	return found;
}
