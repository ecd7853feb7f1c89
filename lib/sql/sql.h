/*
 * Where statements begin, end, and commit.
 *
 * A lexer and a list of leading words; no grammar.  It follows the rules of PostgreSQL's own
 * scanner (scan.l) as documented in the manual, "Lexical Structure": '...' with '' inside, E'...'
 * with backslashes, U&'...' and U&"...", B'' and X'', "..." with "", $tag$...$tag$ (not straight
 * after an identifier character), -- and nested slash-star comments, parentheses, strings that go
 * on after a newline, positional $1, and BEGIN ATOMIC ... END bodies (PostgreSQL 14) with
 * CASE ... END inside.  standard_conforming_strings is taken to be on, as it is unless somebody
 * sets it in the script itself.
 *
 * Pure: no file, no socket, no clock, no message.  Never reads behind text[len); text need not end
 * in a NUL, and may hold anything (bytes that are no valid SQL or UTF-8 are ordinary tokens).
 */
#ifndef MIG_SQL_SQL_H
#define MIG_SQL_SQL_H

#include <stdbool.h>
#include <stddef.h>

enum sql_token_kind {
	SQL_END,       /* nothing is left */
	SQL_WORD,      /* a bare identifier or key word; bytes from 0x80 up are letters */
	SQL_NAME,      /* "quoted", U&"quoted" */
	SQL_STRING,    /* any string constant */
	SQL_NUMBER,
	SQL_PARAMETER, /* $1 */
	SQL_SIGN,      /* one character of punctuation or of an operator: ( ) ; , . + ... */
	SQL_BROKEN     /* a string, name or comment that the text ends inside of; its end is len */
};

struct sql_token {
	enum sql_token_kind kind;
	size_t start, end; /* bytes: text[start..end) */
};

/* The first token at or after `at`; comments and white space are passed over. */
struct sql_token sql_token(const char *text, size_t len, size_t at);

/*
 * Whether text[at..end) begins with this synopsis, written as in PostgreSQL's manual: WORD, ONE|OTHER, [may be missing],
 * and for what varies: name, text (a string), (...), *, and end.  Returns the offset behind it, or 0.
 */
size_t sql_match(const char *text, size_t end, size_t at, const char *synopsis);

/* Whether a token is the bare word `word` (given in upper case), in any case. */
bool sql_is(const char *text, struct sql_token token, const char *word);

enum sql_kind {
	SQL_ORDINARY,    /* may stand in a transaction block */
	SQL_BEGIN,       /* BEGIN, START TRANSACTION */
	SQL_COMMIT,      /* COMMIT, END, PREPARE TRANSACTION: the block ends and its work stays */
	SQL_ROLLBACK,    /* ROLLBACK, ABORT: the block ends and its work goes; not ROLLBACK TO */
	SQL_SAVEPOINT,   /* SAVEPOINT, RELEASE, ROLLBACK TO: inside a block only, which goes on */
	SQL_ALONE,       /* cannot run inside a transaction block: 25001 (list below) */
	SQL_COPY_CLIENT  /* COPY ... FROM STDIN or TO STDOUT: wants a client with or for the data */
};

/*
 * SQL_ALONE is what PostgreSQL 13 to 18 refuse in a block and a reader can see: CREATE and DROP
 * DATABASE and TABLESPACE; ALTER DATABASE ... [SET] TABLESPACE; ALTER SYSTEM; VACUUM; CREATE INDEX,
 * DROP INDEX, REINDEX ... CONCURRENTLY; REINDEX SCHEMA, DATABASE, SYSTEM; CLUSTER without a table;
 * ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY (FINALIZE may stand in a block); COMMIT and
 * ROLLBACK PREPARED; DISCARD ALL; CREATE SUBSCRIPTION unless connect or create_slot is false; DROP
 * SUBSCRIPTION; ALTER SUBSCRIPTION ... REFRESH, ... SET, ADD, DROP PUBLICATION unless refresh is
 * false, and ... SET (failover or two_phase).
 *
 * What it cannot see: REINDEX and CLUSTER of a partitioned table, a procedure or DO that commits.
 */

struct sql_statement {
	size_t start;         /* of its first token */
	size_t end;           /* behind its last token; the semicolon is not part of it */
	size_t next;          /* behind its semicolon, or len where it has none */
	enum sql_kind kind;
	bool chain;           /* COMMIT or ROLLBACK AND CHAIN: the next block begins at once */
	bool broken;          /* the text ends inside one of its strings, names, comments, (, bodies */
};

/*
 * The statements of a text.  Empty ones (nothing but blanks and comments before a semicolon) are
 * left out, as PostgreSQL returns no result for them either: the simple protocol answers with
 * exactly one CommandComplete for each of these.  (Not one PGresult: a SELECT in a rule gives libpq
 * one more, whose PQcmdStatus() is empty.)
 *
 * A semicolon in parentheses ends nothing, so only the last statement can be broken.  The server
 * has the same number for every text that it can parse, and for no other does it run anything.
 */
struct sql_script {
	struct sql_statement *statements;
	size_t count;
};

struct sql_script sql_split(const char *text, size_t len);
void sql_script_free(struct sql_script *script);

/* How PostgreSQL would commit a script; what a plan says of it. */
enum sql_transaction {
	SQL_TRANSACTION_MIG,    /* nothing in it commits: it fits into one transaction of ours */
	SQL_TRANSACTION_SCRIPT, /* it has BEGIN, COMMIT or ROLLBACK of its own */
	SQL_TRANSACTION_NONE    /* at least one statement must stand alone */
};
enum sql_transaction sql_transaction(const struct sql_script *script);

/* What a statement destroys, as far as its words tell. */
struct sql_loss {
	size_t at;            /* byte offset of the words in the text: the place to show */
	const char *what;     /* static: "DROP TABLE", "TRUNCATE", "DELETE without WHERE", ... */
	char *object;         /* as written, without blanks: public."Order"."couponCode"; owned */
};
struct sql_losses {
	struct sql_loss *losses;
	size_t count;
};

/*
 * DROP TABLE, DROP SCHEMA, DROP DATABASE, DROP OWNED, TRUNCATE, DELETE without WHERE (in WITH too),
 * ALTER TABLE ... DROP [COLUMN], ALTER TYPE ... DROP ATTRIBUTE.  One loss for each object named, in
 * the order of the text.  What can be made again without data (views, indexes, sequences) is no
 * loss; bodies of functions and DO blocks are not looked into.
 */
struct sql_losses sql_losses(const char *text, const struct sql_script *script);
void sql_losses_free(struct sql_losses *losses);

/*
 * The first words of a statement, for people: "ALTER TABLE", "CREATE INDEX CONCURRENTLY",
 * "CREATE UNIQUE INDEX", "INSERT", in upper case; "SQL" where they are none that we know.  At most
 * size - 1 bytes and a NUL in `out`.  Never quotes the statement's names or values.
 */
void sql_words(const char *text, const struct sql_statement *statement, char *out, size_t size);

/*
 * Whether a word (in lower case) occurs anywhere in a text, in any case, also in comments and strings: a cheap first
 * look, for what is then asked of the server.
 */
bool sql_mentions(const char *text, size_t len, const char *word);

/*
 * Line and column (in characters) of a byte offset, both from 1.  A line ends with \n.  Reads the
 * text from its start: for messages, not for each of a million statements.
 */
struct sql_place {
	unsigned long line;
	unsigned long column;
};
struct sql_place sql_place(const char *text, size_t len, size_t at);

/*
 * What psql would change on its way to the server, if a variable has such a name: the offset of the
 * first backslash or colon before a name, outside of quotes and comments (:NAME, :'NAME', :"NAME",
 * :{?NAME}; not ::, not :=, and not an array slice with a digit), or len where there is none.
 */
size_t sql_psql_would_alter(const char *text, size_t len);

#endif
