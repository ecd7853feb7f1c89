/*
 * SQL as far as a deployer must understand it: see sql/sql.h.
 *
 * Three layers, each a page or two.  The lexer says where a token ends, by the rules of
 * PostgreSQL's scan.l.  The splitter walks tokens to the semicolon that ends a statement.  A reader
 * then matches statements against synopses written as in PostgreSQL's manual; whoever wants to know
 * which statements we take for what has only the tables to read.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "sql/sql.h"

/* ---- the lexer ---- */

static bool
is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static bool
is_newline(char c)
{
	return c == '\n' || c == '\r';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_hex_digit(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* What may start an identifier, or the tag of a dollar quote. */
static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	    (unsigned char)c >= 0x80;
}

static char
upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* The character at an offset; a NUL, which means nothing in SQL, behind the end. */
static char
peek(const char *text, size_t len, size_t at)
{
	return at < len ? text[at] : '\0';
}

/* Behind the next `c` at or after `at`; len + 1 where there is none. */
static size_t
behind(const char *text, size_t len, size_t at, char c)
{
	const char *found = at < len ? memchr(text + at, c, len - at) : NULL;

	return found != NULL ? (size_t)(found - text) + 1 : len + 1;
}

static size_t
line_comment_end(const char *text, size_t len, size_t at)
{
	while (at < len && !is_newline(text[at]))
		at++;
	return at;
}

/* Comments nest.  Returns len + 1 for one that is never closed, as all ..._end() below do. */
static size_t
block_comment_end(const char *text, size_t len, size_t at)
{
	size_t depth = 1;

	for (at += 2; at + 1 < len; at++) {
		if (text[at] == '*' && text[at + 1] == '/') {
			at++;
			if (--depth == 0)
				return at + 1;
		} else if (text[at] == '/' && text[at + 1] == '*') {
			at++;
			depth++;
		}
	}
	return len + 1;
}

/*
 * Blanks and comments.  An operator ends where a comment begins, so no look at what stands before
 * is needed.  Stops at an open comment.
 */
static size_t
skip_blanks(const char *text, size_t len, size_t at)
{
	size_t end;

	for (;;) {
		while (at < len && is_space(text[at]))
			at++;
		if (peek(text, len, at) == '-' && peek(text, len, at + 1) == '-') {
			at = line_comment_end(text, len, at);
		} else if (peek(text, len, at) == '/' && peek(text, len, at + 1) == '*') {
			if ((end = block_comment_end(text, len, at)) > len)
				return at;
			at = end;
		} else {
			return at;
		}
	}
}

/* From behind an opening quote to behind the closing one; a doubled one is part of the text. */
static size_t
quoted_end(const char *text, size_t len, size_t at, char quote)
{
	while ((at = behind(text, len, at, quote)) <= len) {
		if (peek(text, len, at) != quote)
			return at;
		at++;
	}
	return at;
}

/* The same for E'...', where a backslash takes the next character's meaning away. */
static size_t
escaped_end(const char *text, size_t len, size_t at)
{
	for (; at < len; at++) {
		if (text[at] == '\\') {
			at++;
		} else if (text[at] == '\'') {
			if (peek(text, len, at + 1) != '\'')
				return at + 1;
			at++;
		}
	}
	return len + 1;
}

/*
 * A string goes on if only blanks with a newline among them and -- comments stand before the next
 * quote.  Returns what is behind that quote, or 0.  That counts for E'...', whose backslashes keep
 * their meaning in the parts that follow.
 */
static size_t
continued(const char *text, size_t len, size_t at)
{
	bool newline = false;

	for (; at < len; at++) {
		if (is_newline(text[at]))
			newline = true;
		else if (text[at] == '-' && peek(text, len, at + 1) == '-')
			at = line_comment_end(text, len, at) - 1;
		else if (!is_space(text[at]))
			return newline && text[at] == '\'' ? at + 1 : 0;
	}
	return 0;
}

static size_t
string_end(const char *text, size_t len, size_t at, bool escapes)
{
	size_t end, more;

	do {
		end = escapes ? escaped_end(text, len, at) : quoted_end(text, len, at, '\'');
		more = end < len ? continued(text, len, end) : 0;
		at = more;
	} while (more != 0);
	return end;
}

/* How long the $tag$ at `at` is, or 0 if there is none. */
static size_t
dollar_tag(const char *text, size_t len, size_t at)
{
	size_t end = at + 1;

	if (is_letter(peek(text, len, end)))
		while (is_letter(peek(text, len, end)) || is_digit(peek(text, len, end)))
			end++;
	return peek(text, len, end) == '$' ? end + 1 - at : 0;
}

/* The first identical tag closes: no other dollar can be inside one, so each is looked at once. */
static size_t
dollar_end(const char *text, size_t len, size_t at, size_t tag)
{
	const char *open = text + at;
	size_t end = at + tag;

	while ((end = behind(text, len, end, '$')) <= len) {
		if (len - (end - 1) >= tag && memcmp(text + end - 1, open, tag) == 0)
			return end - 1 + tag;
	}
	return end;
}

/* 1_000: underscores between digits belong to a number since PostgreSQL 16. */
static size_t
digits_end(const char *text, size_t len, size_t at)
{
	while (is_digit(peek(text, len, at)) ||
	    (peek(text, len, at) == '_' && is_digit(peek(text, len, at + 1))))
		at++;
	return at;
}

/* A letter straight after a number begins a word: 1a is 1 AS a for PostgreSQL 14, then an error. */
static size_t
number_end(const char *text, size_t len, size_t at)
{
	char base = upper(peek(text, len, at + 1));
	size_t end;

	if (text[at] == '0' && (base == 'X' || base == 'O' || base == 'B')) {
		end = at + 2;
		while (is_hex_digit(peek(text, len, end)) || peek(text, len, end) == '_')
			end++;
		if (end > at + 2)
			return end;
	}
	end = at;
	if (is_digit(text[end]))
		end = digits_end(text, len, end + 1);
	if (peek(text, len, end) == '.' && peek(text, len, end + 1) != '.')
		end = digits_end(text, len, end + 1);
	if (upper(peek(text, len, end)) == 'E') {
		size_t sign = peek(text, len, end + 1) == '-' || peek(text, len, end + 1) == '+';

		if (is_digit(peek(text, len, end + 1 + sign)))
			end = digits_end(text, len, end + 2 + sign);
	}
	return end;
}

static size_t
word_end(const char *text, size_t len, size_t at)
{
	while (at < len && (is_letter(text[at]) || is_digit(text[at]) || text[at] == '$'))
		at++;
	return at;
}

/* Behind the one letter before a string, as in E'...' or U&'...'; `at` itself if none is there. */
static size_t
string_prefix(const char *text, size_t len, size_t at)
{
	char next = peek(text, len, at + 1);

	switch (text[at]) {
	case 'e': case 'E': case 'b': case 'B': case 'x': case 'X': case 'n': case 'N':
		return next == '\'' ? at + 1 : at;
	case 'u': case 'U':
		next = next == '&' ? peek(text, len, at + 2) : '\0';
		return next == '\'' || next == '"' ? at + 2 : at;
	default:
		return at;
	}
}

/* What starts with a dollar: $1, $tag$...$tag$, or a sign that means nothing. */
static enum sql_token_kind
dollar(const char *text, size_t len, size_t at, size_t *end)
{
	size_t tag;

	if (is_digit(peek(text, len, at + 1))) {
		*end = digits_end(text, len, at + 2);
		return SQL_PARAMETER;
	}
	if ((tag = dollar_tag(text, len, at)) > 0) {
		*end = dollar_end(text, len, at, tag);
		return SQL_STRING;
	}
	*end = at + 1;
	return SQL_SIGN;
}

/* The kind of what starts at `at`, and where it ends: len + 1 if it is never closed. */
static enum sql_token_kind
lex(const char *text, size_t len, size_t at, size_t *end)
{
	char c = text[at];
	size_t quote = at;

	if (is_letter(c)) {
		if ((quote = string_prefix(text, len, at)) == at) {
			*end = word_end(text, len, at + 1);
			return SQL_WORD;
		}
	}
	if (text[quote] == '\'') {
		*end = string_end(text, len, quote + 1, upper(c) == 'E');
		return SQL_STRING;
	}
	if (text[quote] == '"') {
		*end = quoted_end(text, len, quote + 1, '"');
		return SQL_NAME;
	}
	if (is_digit(c) || (c == '.' && is_digit(peek(text, len, at + 1)))) {
		*end = number_end(text, len, at);
		return SQL_NUMBER;
	}
	if (c == '$')
		return dollar(text, len, at, end);
	/* Blanks are skipped up to here, so this can only be a comment that is never closed. */
	*end = c == '/' && peek(text, len, at + 1) == '*' ? len + 1 : at + 1;
	return SQL_SIGN;
}

struct sql_token
sql_token(const char *text, size_t len, size_t at)
{
	struct sql_token token = { SQL_END, len, len };

	at = skip_blanks(text, len, at);
	if (at >= len)
		return token;
	token.start = at;
	token.kind = lex(text, len, at, &token.end);
	if (token.end > len) {
		token.kind = SQL_BROKEN;
		token.end = len;
	}
	return token;
}

static bool
same_word(const char *text, const char *word, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (upper(text[i]) != word[i])
			return false;
	}
	return true;
}

bool
sql_is(const char *text, struct sql_token token, const char *word)
{
	size_t len = token.end - token.start;

	return token.kind == SQL_WORD && strlen(word) == len &&
	    same_word(text + token.start, word, len);
}

static bool
is_sign(const char *text, struct sql_token token, char sign)
{
	return token.kind == SQL_SIGN && text[token.start] == sign;
}

/* ---- the reader ---- */

struct reader {
	const char *text;
	size_t end;
	struct sql_token token; /* the one that comes next */
};

static struct reader
reader_at(const char *text, size_t start, size_t end)
{
	struct reader r = { text, end, sql_token(text, end, start) };

	return r;
}

static void
advance(struct reader *r)
{
	r->token = sql_token(r->text, r->end, r->token.end);
}

static bool
accept_sign(struct reader *r, char sign)
{
	if (!is_sign(r->text, r->token, sign))
		return false;
	advance(r);
	return true;
}

static bool
accept_kind(struct reader *r, enum sql_token_kind kind)
{
	if (r->token.kind != kind)
		return false;
	advance(r);
	return true;
}

/* "public"."Order" */
static bool
accept_name(struct reader *r)
{
	do {
		if (!accept_kind(r, SQL_WORD) && !accept_kind(r, SQL_NAME))
			return false;
	} while (accept_sign(r, '.'));
	return true;
}

/* Goes to the next comma, or to the parenthesis that closes what the reader stands in. */
static void
skip_to_comma(struct reader *r)
{
	size_t depth = 0;

	for (; r->token.kind != SQL_END; advance(r)) {
		if (is_sign(r->text, r->token, '('))
			depth++;
		else if (depth > 0 && is_sign(r->text, r->token, ')'))
			depth--;
		else if (depth == 0 && (is_sign(r->text, r->token, ',') ||
		    is_sign(r->text, r->token, ')')))
			return;
	}
}

/* (anything in parentheses) */
static bool
accept_parentheses(struct reader *r)
{
	if (!accept_sign(r, '('))
		return false;
	do
		skip_to_comma(r);
	while (accept_sign(r, ','));
	return accept_sign(r, ')');
}

/* ONE|OTHER */
static bool
accept_word(struct reader *r, const char *words, size_t len)
{
	size_t have = r->token.end - r->token.start;
	const char *end = words + len;

	if (r->token.kind != SQL_WORD)
		return false;
	while (words < end) {
		const char *bar = memchr(words, '|', (size_t)(end - words));
		size_t n = (size_t)((bar != NULL ? bar : end) - words);

		if (n == have && same_word(r->text + r->token.start, words, n)) {
			advance(r);
			return true;
		}
		words += n + 1;
	}
	return false;
}

static bool
accept_element(struct reader *r, const char *element, size_t len)
{
	switch (*element) {
	case 'n': return accept_name(r);
	case 't': return accept_kind(r, SQL_STRING);
	case 'e': return r->token.kind == SQL_END;
	case '(': return accept_parentheses(r);
	case '*': return accept_sign(r, '*');
	default:  return accept_word(r, element, len);
	}
}

/* Moves the reader only if all elements match. */
static bool
match_part(struct reader *r, const char *part, size_t len)
{
	struct reader try = *r;
	const char *end = part + len;

	while (part < end) {
		size_t n = strcspn(part, *part == '[' ? "]" : " ]");

		if (*part == '[')
			match_part(&try, part + 1, n - 1);
		else if (!accept_element(&try, part, n))
			return false;
		part += n;
		part += strspn(part, "] ");
	}
	*r = try;
	return true;
}

/*
 * Whether a synopsis comes next; if so, the reader goes behind it.  It is written as in the manual:
 * WORD, ONE|OTHER, [may be missing], and for what varies: name, text (a string), (...), *, and end
 * (of the statement).  An optional part is taken whenever it is there.
 */
static bool
match(struct reader *r, const char *synopsis)
{
	return match_part(r, synopsis, strlen(synopsis));
}

size_t
sql_match(const char *text, size_t end, size_t at, const char *synopsis)
{
	struct reader r = reader_at(text, at, end);

	return match(&r, synopsis) ? r.token.start : 0;
}

/* Whether a word with one of these letters comes next; scripts of a million INSERTs ask it before anything else. */
static bool
begins_with(const struct reader *r, const char *letters)
{
	return r->token.kind == SQL_WORD && strchr(letters, upper(r->text[r->token.start])) != NULL;
}

/* ---- statements ---- */

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
yes_or_no(struct reader *r)
{
	size_t start = r->token.start, len = r->token.end - start;

	if (r->token.kind == SQL_STRING && len > 2) { /* 'off' */
		start++;
		len -= 2;
	}
	switch (len) {
	case 1:  return r->text[start] == '0' ? NO : YES;
	case 3:  return same_word(r->text + start, "OFF", 3) ? NO : YES;
	case 5:  return same_word(r->text + start, "FALSE", 5) ? NO : YES;
	default: return YES;
	}
}

/* What options in parentheses say of one, if they come next.  Looks with a copy, goes nowhere. */
static enum choice
option(struct reader r, const char *name)
{
	enum choice said = UNSAID;

	if (!accept_sign(&r, '('))
		return UNSAID;
	do {
		if (match(&r, name)) {
			accept_sign(&r, '=');
			said = yes_or_no(&r);
		}
		skip_to_comma(&r);
	} while (accept_sign(&r, ','));
	return said;
}

/* The same for options behind WITH, which is too reserved a word to be a name before it. */
static enum choice
with_option(struct reader r, const char *name)
{
	while (r.token.kind != SQL_END && !match(&r, "WITH"))
		advance(&r);
	return option(r, name);
}

/* Statements that stand alone or not as their options have it. */
static bool
stands_alone(struct reader r)
{
	if (match(&r, "REINDEX")) {
		bool concurrently = option(r, "CONCURRENTLY") == YES;

		return match(&r, "[(...)] SCHEMA|DATABASE|SYSTEM") ||
		    match(&r, "[(...)] INDEX|TABLE CONCURRENTLY") || concurrently;
	}
	if (match(&r, "CREATE SUBSCRIPTION"))
		return with_option(r, "CONNECT") != NO && with_option(r, "CREATE_SLOT") != NO;
	if (match(&r, "ALTER SUBSCRIPTION name SET|ADD|DROP PUBLICATION"))
		return with_option(r, "REFRESH") != NO;
	if (match(&r, "ALTER SUBSCRIPTION name SET")) /* 17 and 18 */
		return option(r, "FAILOVER") != UNSAID || option(r, "TWO_PHASE") != UNSAID;
	return false;
}

static enum sql_kind
kind_of(struct reader r)
{
	char letter = upper(r.text[r.token.start]);
	size_t i;

	for (i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (kinds[i].synopsis[0] == letter && match(&r, kinds[i].synopsis))
			return kinds[i].kind;
	}
	return begins_with(&r, "RCA") && stands_alone(r) ? SQL_ALONE : SQL_ORDINARY;
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
walk_ends(struct walk *w, const struct reader *r)
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
statement_read(struct reader *r)
{
	struct sql_statement s = { .start = r->token.start };
	struct reader begin = *r, look = *r;
	struct walk w = { .routine = begins_with(r, "C") && match(&look, "CREATE [OR REPLACE] FUNCTION|PROCEDURE") };

	while (r->token.kind != SQL_END && !walk_ends(&w, r)) {
		s.broken = r->token.kind == SQL_BROKEN;
		s.end = r->token.end;
		advance(r);
	}
	s.broken = s.broken || w.depth > 0 || w.in_body;
	s.next = r->token.end;
	accept_sign(r, ';');

	begin.end = s.end;
	s.kind = kind_of(begin);
	s.chain = (s.kind == SQL_COMMIT || s.kind == SQL_ROLLBACK) &&
	    match(&begin, "COMMIT|END|ROLLBACK|ABORT [WORK|TRANSACTION] AND CHAIN");
	return s;
}

struct sql_script
sql_split(const char *text, size_t len)
{
	struct sql_script script = { NULL, 0 };
	struct reader r = reader_at(text, 0, len);
	size_t cap = 0;

	for (;;) {
		while (accept_sign(&r, ';'))
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

/* ---- losses ---- */

struct loss_list {
	struct sql_losses found;
	size_t cap;
};

/* What stands between two tokens, without the blanks: "Order" . "couponCode" is one name. */
static void
add_squeezed(struct bytes *b, const char *text, size_t start, size_t end)
{
	struct reader r = reader_at(text, start, end);

	for (; r.token.kind != SQL_END; advance(&r))
		bytes_add(b, text + r.token.start, r.token.end - r.token.start);
}

/* The name that comes next, in `object` (which may hold what it belongs to). */
static bool
read_name(struct reader *r, struct bytes *object)
{
	size_t start = r->token.start;

	if (!accept_name(r))
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
list_drops(struct loss_list *list, struct reader r)
{
	size_t at = r.token.start, i = 0;

	while (!match(&r, drops[i].synopsis)) {
		if (++i == sizeof drops / sizeof *drops)
			return;
	}
	do {
		struct bytes object = { 0 };

		match(&r, "[ONLY]");
		if (read_name(&r, &object))
			add_loss(list, at, drops[i].what, object);
		match(&r, "[*]");
	} while (accept_sign(&r, ','));
}

/* ALTER TABLE and ALTER TYPE: actions between commas. */
static void
list_alters(struct loss_list *list, struct reader r)
{
	bool table = match(&r, "ALTER TABLE [IF EXISTS] [ONLY]");
	struct bytes owner = { 0 };

	if ((!table && !match(&r, "ALTER TYPE")) || !read_name(&r, &owner))
		return;
	match(&r, "[*]");
	do {
		size_t at = r.token.start;
		struct bytes object = { 0 };

		if (match(&r, "DROP CONSTRAINT"))
			continue;
		if (!match(&r, table ? "DROP [COLUMN] [IF EXISTS]" : "DROP ATTRIBUTE [IF EXISTS]"))
			continue;
		bytes_add(&object, owner.data, owner.len);
		if (read_name(&r, &object))
			add_loss(list, at, table ? "DROP COLUMN" : "DROP ATTRIBUTE", object);
		else
			bytes_free(&object);
	} while (skip_to_comma(&r), accept_sign(&r, ','));
	bytes_free(&owner);
}

/* DELETE without WHERE, of a statement or of what stands in parentheses. */
static void
list_delete(struct loss_list *list, struct reader r)
{
	size_t at = r.token.start;
	struct bytes object = { 0 };

	if (!match(&r, "DELETE FROM [ONLY]") || !read_name(&r, &object))
		return;
	while (r.token.kind != SQL_END && !is_sign(r.text, r.token, ')') &&
	    !sql_is(r.text, r.token, "WHERE")) {
		if (!accept_parentheses(&r))
			advance(&r);
	}
	if (sql_is(r.text, r.token, "WHERE"))
		bytes_free(&object);
	else
		add_loss(list, at, "DELETE without WHERE", object);
}

/* WITH a AS (DELETE ...) DELETE ...: the server takes them there, and no deeper. */
static void
list_with_deletes(struct loss_list *list, struct reader r)
{
	if (!match(&r, "WITH"))
		return;
	while (r.token.kind != SQL_END) {
		struct reader inside = r;

		if (accept_sign(&inside, '('))
			list_delete(list, inside);
		if (accept_parentheses(&r))
			list_delete(list, r);
		else
			advance(&r);
	}
}

struct sql_losses
sql_losses(const char *text, const struct sql_script *script)
{
	struct loss_list list = { { NULL, 0 }, 0 };
	size_t i;

	for (i = 0; i < script->count; i++) {
		const struct sql_statement *s = &script->statements[i];
		struct reader r = reader_at(text, s->start, s->end);

		if (!begins_with(&r, "DTAW")) /* DROP, DELETE, TRUNCATE, ALTER, WITH */
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

/* ---- for people ---- */

static const char *const beginnings[] = {
	"CREATE [OR REPLACE] [GLOBAL|LOCAL] [TEMP|TEMPORARY|UNLOGGED|UNIQUE|CONSTRAINT|DEFAULT]",
	"ALTER", "DROP", "COMMENT ON", "IMPORT", "LOCK", "REFRESH", "REINDEX", "SECURITY LABEL ON",
};

static const char *const objects[] = {
	"ACCESS METHOD", "AGGREGATE", "CAST", "COLLATION", "COLUMN", "CONSTRAINT", "CONVERSION",
	"DATABASE", "DEFAULT PRIVILEGES", "DOMAIN", "EVENT TRIGGER", "EXTENSION",
	"FOREIGN DATA WRAPPER", "FOREIGN SCHEMA", "FOREIGN TABLE", "FUNCTION", "GROUP",
	"INDEX [CONCURRENTLY]", "[TRUSTED] [PROCEDURAL] LANGUAGE", "LARGE OBJECT",
	"MATERIALIZED VIEW [CONCURRENTLY]", "OPERATOR [CLASS|FAMILY]", "OWNED", "POLICY",
	"PROCEDURE", "PUBLICATION", "ROLE", "ROUTINE", "RULE", "SCHEMA", "SEQUENCE", "SERVER",
	"STATISTICS", "SUBSCRIPTION", "SYSTEM", "TABLE [CONCURRENTLY]", "TABLESPACE",
	"TEXT SEARCH CONFIGURATION|DICTIONARY|PARSER|TEMPLATE", "TRANSFORM", "TRIGGER", "TYPE",
	"USER [MAPPING]", "[RECURSIVE] VIEW",
};

static const char *const others[] = {
	"START TRANSACTION", "PREPARE TRANSACTION text", "COMMIT PREPARED", "ROLLBACK PREPARED",
	"ROLLBACK [WORK|TRANSACTION] TO", "DISCARD ALL", "REASSIGN OWNED",
	"ABORT|ANALYSE|ANALYZE|BEGIN|CALL|CHECKPOINT|CLOSE|CLUSTER|COMMIT|COPY|DEALLOCATE|DECLARE",
	"DELETE|DISCARD|DO|END|EXECUTE|EXPLAIN|FETCH|GRANT|INSERT|LISTEN|LOAD|MERGE|MOVE|NOTIFY",
	"PREPARE|RELEASE|RESET|REVOKE|ROLLBACK|SAVEPOINT|SELECT|SET|SHOW|TABLE|TRUNCATE|UNLISTEN",
	"UPDATE|VACUUM|VALUES|WITH",
};

static bool
match_any(struct reader *r, const char *const synopses[], size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (match(r, synopses[i]))
			return true;
	}
	return false;
}

#define MATCH_ANY(r, table) match_any((r), (table), sizeof (table) / sizeof *(table))

void
sql_words(const char *text, const struct sql_statement *statement, char *out, size_t size)
{
	struct reader from = reader_at(text, statement->start, statement->end), to;
	size_t len = 0, i;

	if (size == 0)
		return;
	while (accept_sign(&from, '(')) /* (SELECT ...) UNION ... */
		;
	to = from;
	if (MATCH_ANY(&to, beginnings))
		MATCH_ANY(&to, objects);
	else
		MATCH_ANY(&to, others);

	for (; from.token.start < to.token.start && from.token.kind == SQL_WORD; advance(&from)) {
		if (len > 0 && len + 1 < size)
			out[len++] = ' ';
		for (i = from.token.start; i < from.token.end && len + 1 < size; i++)
			out[len++] = upper(text[i]);
	}
	out[len] = '\0';
	if (len == 0)
		snprintf(out, size, "SQL");
}

struct sql_place
sql_place(const char *text, size_t len, size_t at)
{
	struct sql_place place = { 1, 1 };
	size_t line = 0, next;

	if (at > len)
		at = len;
	while ((next = behind(text, at, line, '\n')) <= at) {
		line = next;
		place.line++;
	}
	for (; line < at; line++)
		place.column += ((unsigned char)text[line] & 0xC0) != 0x80;
	return place;
}

/* ---- psql ---- */

static size_t
variable_end(const char *text, size_t len, size_t at)
{
	while (is_letter(peek(text, len, at)) || is_digit(peek(text, len, at)))
		at++;
	return at;
}

/* Whether a colon begins :NAME, :'NAME', :"NAME" or :{?NAME}. */
static bool
is_variable(const char *text, size_t len, size_t colon)
{
	size_t name = colon + 1, end;
	char open = peek(text, len, name), close = open;

	if (is_letter(open))
		return true;
	if (open == '{') {
		if (peek(text, len, ++name) != '?')
			return false;
		close = '}';
	} else if (open != '\'' && open != '"') {
		return false;
	}
	end = variable_end(text, len, ++name);
	return end > name && peek(text, len, end) == close;
}

size_t
sql_psql_would_alter(const char *text, size_t len)
{
	struct sql_token token = sql_token(text, len, 0);

	for (; token.kind != SQL_END; token = sql_token(text, len, token.end)) {
		char next = peek(text, len, token.end);

		if (is_sign(text, token, '\\'))
			return token.start;
		if (!is_sign(text, token, ':'))
			continue;
		if (next == ':' || next == '=')
			token.end++;
		else if (is_variable(text, len, token.start))
			return token.start;
	}
	return len;
}

bool
sql_mentions(const char *text, size_t len, const char *word)
{
	size_t n = strlen(word), i, j;

	for (i = 0; i + n <= len; i++) {
		if ((text[i] | 0x20) != word[0]) /* sorts out nearly all, and costs next to nothing */
			continue;
		for (j = 0; j < n && tolower((unsigned char)text[i + j]) == word[j]; j++)
			;
		if (j == n)
			return true;
	}
	return false;
}
