/*
 * Finds where statements begin, end, and commit.
 *
 * A lexer and a list of leading words; no grammar.  It follows the rules of PostgreSQL's own scanner (scan.l) as
 * documented in the manual, "Lexical Structure": '...' with '' inside, E'...' with backslashes, U&'...' and
 * U&"...", B'' and X'', "..." with "", $tag$...$tag$ (not directly after an identifier character), -- and nested
 * slash-star comments, parentheses, strings that continue after a newline, positional $1, and BEGIN ATOMIC ... END
 * bodies (PostgreSQL 14) with CASE ... END inside.  It assumes standard_conforming_strings = on, the default.
 *
 * Pure: no file, no socket, no clock, no message.  Never reads past text[len).  text need not be NUL-terminated
 * and may contain anything; bytes that are not valid SQL or UTF-8 are ordinary tokens.
 */
#ifndef MIG_SQL_SQL_H
#define MIG_SQL_SQL_H

#include <stdbool.h>
#include <stddef.h>

enum sql_token_kind {
	SQL_END,       /* end of text */
	SQL_WORD,      /* a bare identifier or key word; bytes from 0x80 up are letters */
	SQL_NAME,      /* "quoted", U&"quoted" */
	SQL_STRING,    /* any string constant */
	SQL_NUMBER,
	SQL_PARAMETER, /* $1 */
	SQL_SIGN,      /* one character of punctuation or of an operator: ( ) ; , . + ... */
	SQL_BROKEN     /* a string, name or comment that is not closed before the end of text; its end is len */
};

struct sql_token {
	enum sql_token_kind kind;
	size_t start, end; /* bytes: text[start..end) */
};

/* The first token at or after `at`; skips comments and white space. */
struct sql_token sql_token(const char *text, size_t len, size_t at);

/*
 * Whether text[at..end) begins with this synopsis, written as in PostgreSQL's manual: WORD, ONE|OTHER, [optional],
 * and for the variable parts: name, text (a string), (...), *, and end.  Returns the offset after it, or 0.
 */
size_t sql_match(const char *text, size_t end, size_t at, const char *synopsis);

/* Whether a token is the bare word `word` (given in upper case), case-insensitively. */
bool sql_is(const char *text, struct sql_token token, const char *word);

enum sql_kind {
	SQL_ORDINARY,    /* may stand in a transaction block */
	SQL_BEGIN,       /* BEGIN, START TRANSACTION */
	SQL_COMMIT,      /* COMMIT, END, PREPARE TRANSACTION: ends the block and keeps its work */
	SQL_ROLLBACK,    /* ROLLBACK, ABORT: ends the block and discards its work; not ROLLBACK TO */
	SQL_SAVEPOINT,   /* SAVEPOINT, RELEASE, ROLLBACK TO: only in a block, which continues */
	SQL_ALONE,       /* cannot run inside a transaction block: 25001 (list below) */
	SQL_COPY_CLIENT  /* COPY ... FROM STDIN or TO STDOUT: needs a client that sends or takes the data */
};

/*
 * SQL_ALONE covers what PostgreSQL 13 to 18 refuse in a block and what the text shows: CREATE and DROP DATABASE
 * and TABLESPACE; ALTER DATABASE ... [SET] TABLESPACE; ALTER SYSTEM; VACUUM; CREATE INDEX, DROP INDEX, REINDEX ...
 * CONCURRENTLY; REINDEX SCHEMA, DATABASE, SYSTEM; CLUSTER without a table; ALTER TABLE ... DETACH PARTITION ...
 * CONCURRENTLY (FINALIZE may be in a block); COMMIT and ROLLBACK PREPARED; DISCARD ALL; CREATE SUBSCRIPTION unless
 * connect or create_slot is false; DROP SUBSCRIPTION; ALTER SUBSCRIPTION ... REFRESH, ... SET, ADD, DROP
 * PUBLICATION unless refresh is false, and ... SET (failover or two_phase).
 *
 * Not detected: REINDEX and CLUSTER of a partitioned table, a procedure or DO that commits.
 */

struct sql_statement {
	size_t start;         /* of its first token */
	size_t end;           /* after its last token; excludes the semicolon */
	size_t next;          /* after its semicolon, or len if it has none */
	enum sql_kind kind;
	bool chain;           /* COMMIT or ROLLBACK AND CHAIN: the next block begins at once */
	bool broken;          /* the text ends inside one of its strings, names, comments, parentheses or bodies */
	bool keeps_session;   /* session_note() has found that it does nothing to the session, and names no setting */
};

/*
 * The statements of a text.  Empty statements (only blanks and comments before a semicolon) are left out, because
 * PostgreSQL returns no result for them: the simple protocol answers each statement listed here with exactly one
 * CommandComplete.  (Not one PGresult: a SELECT in a rule gives libpq one more, with an empty PQcmdStatus().)
 *
 * A semicolon in parentheses does not end a statement, so only the last one can be broken.  The server counts the
 * same number of statements in every text it can parse; of a text that it cannot parse it runs nothing.
 */
struct sql_script {
	struct sql_statement *statements;
	size_t count;
};

struct sql_script sql_split(const char *text, size_t len);
void sql_script_free(struct sql_script *script);

/* How PostgreSQL would commit a script; shown in a plan. */
enum sql_transaction {
	SQL_TRANSACTION_MIG,    /* nothing in it commits: it fits into one transaction of ours */
	SQL_TRANSACTION_SCRIPT, /* it has BEGIN, COMMIT or ROLLBACK of its own */
	SQL_TRANSACTION_NONE    /* at least one statement is non-transactional */
};
enum sql_transaction sql_transaction(const struct sql_script *script);

/* What a statement destroys, as far as its words tell. */
struct sql_loss {
	size_t at;            /* byte offset of the words in the text, for messages */
	const char *what;     /* static: "DROP TABLE", "TRUNCATE", "DELETE without WHERE", ... */
	char *object;         /* as written, without blanks: public."Order"."couponCode"; owned */
};
struct sql_losses {
	struct sql_loss *losses;
	size_t count;
};

/*
 * DROP TABLE, DROP SCHEMA, DROP DATABASE, DROP OWNED, TRUNCATE, DELETE without WHERE (also in WITH), ALTER TABLE
 * ... DROP [COLUMN], ALTER TYPE ... DROP ATTRIBUTE.  One loss per object named, in the order of the text.  Objects
 * that can be made again without data (views, indexes, sequences) do not count as a loss.  Bodies of functions and
 * DO blocks are not read.
 */
struct sql_losses sql_losses(const char *text, const struct sql_script *script);
void sql_losses_free(struct sql_losses *losses);

/*
 * Writes the first words of a statement, for users: "ALTER TABLE", "CREATE INDEX CONCURRENTLY", "CREATE UNIQUE
 * INDEX", "INSERT", in upper case; "SQL" if the words are unknown.  At most size - 1 bytes and a NUL.  Never
 * contains the statement's names or values.
 */
void sql_words(const char *text, const struct sql_statement *statement, char *out, size_t size);

/*
 * Whether a word (in lower case) occurs anywhere in a text, case-insensitively, including comments and strings: a
 * cheap filter before the server is asked.
 */
bool sql_mentions(const char *text, size_t len, const char *word);

/*
 * The line and column (in characters) of a byte offset, both from 1.  A line ends with \n.  Reads the text from
 * its start: fine for messages, too slow for each of a million statements.
 */
struct sql_place {
	unsigned long line;
	unsigned long column;
};
struct sql_place sql_place(const char *text, size_t len, size_t at);

/*
 * Finds text that psql would substitute if a variable of that name is set.  Returns the offset of the first
 * backslash, or of the first colon before a name, outside of quotes and comments (:NAME, :'NAME', :"NAME",
 * :{?NAME}; not ::, not :=, and not an array slice with a digit), or len if there is none.
 */
size_t sql_psql_would_alter(const char *text, size_t len);

#endif
