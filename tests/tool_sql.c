/*
 * tool_sql: prints what lib/sql/sql.c sees in the script on standard input, for tests; and asks a
 * server what it sees.
 *
 *	tool_sql split          one line a statement: start end line:column kind[,chain][,broken] words
 *	tool_sql count          how many statements
 *	tool_sql tokens         one line a token: start end kind
 *	tool_sql losses         one line a loss: line:column what object
 *	tool_sql alter          line:column of what psql would alter, or "no"
 *	tool_sql transaction    mig, script or none
 *	tool_sql remedy         one line a statement: how to write it so that traffic does not wait
 *	tool_sql server CONNINFO   sends the text as one message: how many results, then "ok", or
 *	                        "failed" and the error's code and text
 *	tool_sql oracle CONNINFO   takes many scripts with a NUL byte behind each, and prints where the
 *	                        server and we see different statements
 *
 * The oracle runs a script as one message, and rolls it back unless it commits by itself.  If all
 * of it went well, the server must have given as many results as we see statements, and each
 * statement alone must give one again, of its kind.  If something failed that is not syntax (there is no such
 * table), each of our statements must still parse as exactly one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "base/bytes.h"
#include "sql/hints.h"
#include "sql/sql.h"

static const char *const kinds[] = {
	[SQL_ORDINARY] = "ordinary",
	[SQL_BEGIN] = "begin",
	[SQL_COMMIT] = "commit",
	[SQL_ROLLBACK] = "rollback",
	[SQL_SAVEPOINT] = "savepoint",
	[SQL_ALONE] = "alone",
	[SQL_COPY_CLIENT] = "copy-client",
};

static const char *const token_kinds[] = {
	[SQL_END] = "end",
	[SQL_WORD] = "word",
	[SQL_NAME] = "name",
	[SQL_STRING] = "string",
	[SQL_NUMBER] = "number",
	[SQL_PARAMETER] = "parameter",
	[SQL_SIGN] = "sign",
	[SQL_BROKEN] = "broken",
};

static const char *const transactions[] = {
	[SQL_TRANSACTION_MIG] = "mig",
	[SQL_TRANSACTION_SCRIPT] = "script",
	[SQL_TRANSACTION_NONE] = "none",
};

static int
print_split(const struct bytes *in)
{
	struct sql_script script = sql_split(in->data, in->len);
	size_t i;

	for (i = 0; i < script.count; i++) {
		const struct sql_statement *s = &script.statements[i];
		struct sql_place place = sql_place(in->data, in->len, s->start);
		char words[64];

		sql_words(in->data, s, words, sizeof words);
		printf("%zu %zu %lu:%lu %s%s%s %s\n", s->start, s->end, place.line, place.column,
		    kinds[s->kind], s->chain ? ",chain" : "", s->broken ? ",broken" : "", words);
	}
	sql_script_free(&script);
	return 0;
}

static int
print_count(const struct bytes *in)
{
	struct sql_script script = sql_split(in->data, in->len);

	printf("%zu\n", script.count);
	sql_script_free(&script);
	return 0;
}

static int
print_tokens(const struct bytes *in)
{
	struct sql_token t = sql_token(in->data, in->len, 0);

	for (; t.kind != SQL_END; t = sql_token(in->data, in->len, t.end))
		printf("%zu %zu %s\n", t.start, t.end, token_kinds[t.kind]);
	return 0;
}

static int
print_losses(const struct bytes *in)
{
	struct sql_script script = sql_split(in->data, in->len);
	struct sql_losses losses = sql_losses(in->data, &script);
	size_t i;

	for (i = 0; i < losses.count; i++) {
		struct sql_place place = sql_place(in->data, in->len, losses.losses[i].at);

		printf("%lu:%lu %s %s\n", place.line, place.column, losses.losses[i].what,
		    losses.losses[i].object);
	}
	sql_losses_free(&losses);
	sql_script_free(&script);
	return 0;
}

static int
print_alter(const struct bytes *in)
{
	size_t at = sql_psql_would_alter(in->data, in->len);
	struct sql_place place = sql_place(in->data, in->len, at);

	if (at == in->len)
		puts("no");
	else
		printf("%lu:%lu\n", place.line, place.column);
	return 0;
}

static int
print_remedies(const struct bytes *in)
{
	struct sql_script script = sql_split(in->data, in->len);
	size_t i;

	for (i = 0; i < script.count; i++)
		puts(hint_of(in->data, &script.statements[i]));
	sql_script_free(&script);
	return 0;
}

static int
print_transaction(const struct bytes *in)
{
	struct sql_script script = sql_split(in->data, in->len);

	puts(transactions[sql_transaction(&script)]);
	sql_script_free(&script);
	return 0;
}

static const struct {
	const char *name;
	int (*print)(const struct bytes *in);
} commands[] = {
	{ "split", print_split },
	{ "count", print_count },
	{ "tokens", print_tokens },
	{ "losses", print_losses },
	{ "alter", print_alter },
	{ "transaction", print_transaction },
	{ "remedy", print_remedies },
};

/* ---- the server's view ---- */

struct answer {
	size_t results;
	char tag[64];       /* of the last one, as in "CREATE FUNCTION" */
	bool copied;        /* the server wanted, or sent, COPY data */
	char error[512];    /* empty if all went well */
};

static void
note_error(struct answer *a, const PGresult *res)
{
	const char *code = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

	if (a->error[0] == '\0')
		snprintf(a->error, sizeof a->error, "%s %s", code != NULL ? code : "-----",
		    text != NULL ? text : PQresultErrorMessage(res));
}

static void
note_result(PGconn *db, struct answer *a, PGresult *res)
{
	char *line;

	switch (PQresultStatus(res)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
		if (PQcmdStatus(res)[0] == '\0')
			break; /* rows of a SELECT in a rule, before its command is complete */
		a->results++;
		snprintf(a->tag, sizeof a->tag, "%s", PQcmdStatus(res));
		break;
	case PGRES_COPY_IN:
		a->copied = true;
		PQputCopyEnd(db, NULL);
		break;
	case PGRES_COPY_OUT:
		a->copied = true;
		while (PQgetCopyData(db, &line, 0) > 0)
			PQfreemem(line);
		break;
	case PGRES_FATAL_ERROR:
		note_error(a, res);
		break;
	default: /* an empty message */
		break;
	}
}

static struct answer
ask(PGconn *db, const char *sql)
{
	struct answer a = { 0 };
	PGresult *res;

	if (!PQsendQuery(db, sql))
		snprintf(a.error, sizeof a.error, "----- %s", PQerrorMessage(db));
	while ((res = PQgetResult(db)) != NULL) {
		note_result(db, &a, res);
		PQclear(res);
	}
	return a;
}

static int
print_server(PGconn *db, const struct bytes *in)
{
	struct answer a = ask(db, in->data);

	printf("%zu %s%s\n", a.results, a.error[0] == '\0' ? "ok" : "failed ", a.error);
	return 0;
}

/* Whether a statement of this kind may be answered like this. */
static bool
kind_agrees(enum sql_kind kind, const struct answer *a)
{
	bool begin = strcmp(a->tag, "BEGIN") == 0 || strcmp(a->tag, "START TRANSACTION") == 0;
	bool commit = strcmp(a->tag, "COMMIT") == 0 || strcmp(a->tag, "PREPARE TRANSACTION") == 0;
	bool rollback = strcmp(a->tag, "ROLLBACK") == 0; /* also ROLLBACK TO, and a vain COMMIT */
	bool savepoint = strcmp(a->tag, "SAVEPOINT") == 0 || strcmp(a->tag, "RELEASE") == 0;

	switch (kind) {
	case SQL_BEGIN: return begin;
	case SQL_COMMIT: return commit || rollback;
	case SQL_ROLLBACK: return rollback;
	case SQL_SAVEPOINT: return savepoint || rollback;
	case SQL_COPY_CLIENT: return a->copied;
	case SQL_ORDINARY: return !begin && !commit && !rollback && !savepoint && !a->copied;
	case SQL_ALONE: return true;
	}
	return false;
}

/* Whether a whole message was not even parsed: syntax, or something wrong with a constant. */
static bool
is_refused(const struct answer *a)
{
	return a->results == 0 &&
	    (strncmp(a->error, "42601", 5) == 0 || strncmp(a->error, "22", 2) == 0);
}

/* Whether a piece of a script that the server can parse is not one statement. */
static bool
is_no_statement(const struct answer *a)
{
	return strstr(a->error, " syntax error") != NULL ||
	    strstr(a->error, " unterminated ") != NULL ||
	    strstr(a->error, " cannot insert multiple commands") != NULL;
}

/* Whether the script stays in a block that we open around it. */
static bool
fits_block(const struct sql_script *script)
{
	return sql_transaction(script) == SQL_TRANSACTION_MIG;
}

/* A script that commits by itself may run only once: what it creates is there already. */
static bool
statement_runs(PGconn *db, const char *sql, const struct sql_statement *s, bool once)
{
	struct answer a = ask(db, sql);
	bool agrees = a.error[0] == '\0' ? a.results == 1 && kind_agrees(s->kind, &a) :
	    once && !is_no_statement(&a);

	if (!agrees)
		printf("not one statement of kind %s: %zu results %s %s\n%s\n", kinds[s->kind],
		    a.results, a.tag, a.error, sql);
	return agrees;
}

/* The same without running it. */
static bool
statement_parses(PGconn *db, const char *sql)
{
	struct answer a = { 0 };
	PGresult *res = PQprepare(db, "", sql, 0, NULL);

	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		note_error(&a, res);
	PQclear(res);
	if (is_no_statement(&a))
		printf("not one statement: %s\n%s\n", a.error, sql);
	return !is_no_statement(&a);
}

static void
begin(PGconn *db, const struct sql_script *script)
{
	if (fits_block(script))
		PQclear(PQexec(db, "BEGIN"));
}

/* Also a block that a script left open, or what it prepared, would change what the next one means. */
static void
rollback(PGconn *db)
{
	if (PQtransactionStatus(db) != PQTRANS_IDLE)
		PQclear(PQexec(db, "ROLLBACK"));
	PQclear(PQexec(db, "DEALLOCATE ALL"));
}

static bool
statements_agree(PGconn *db, const char *text, const struct sql_script *script, bool run)
{
	bool agree = true;
	size_t i;

	if (run)
		begin(db, script);
	for (i = 0; i < script->count && agree; i++) {
		const struct sql_statement *s = &script->statements[i];
		char *sql = xstrndup(text + s->start, s->end - s->start);

		agree = !s->broken && (run ? statement_runs(db, sql, s, !fits_block(script)) :
		    statement_parses(db, sql));
		free(sql);
	}
	rollback(db);
	return agree;
}

struct tally {
	size_t scripts, statements, ran, refused, wrong;
};

static void
ask_one(PGconn *db, const char *text, struct tally *tally)
{
	struct sql_script script = sql_split(text, strlen(text));
	struct answer a;
	bool ran, agrees;

	begin(db, &script);
	a = ask(db, text);
	rollback(db);
	ran = a.error[0] == '\0';

	tally->scripts++;
	if (!ran && getenv("ORACLE_SHOW_ERRORS") != NULL)
		printf("script %zu: %s\n%s\n", tally->scripts, a.error, text);
	if (is_refused(&a)) {
		tally->refused++;
	} else {
		agrees = (!ran || a.results == script.count) &&
		    statements_agree(db, text, &script, ran);
		tally->ran += ran;
		tally->wrong += !agrees;
		tally->statements += script.count;
		if (!agrees)
			printf("script %zu: the server gives %zu results, we see %zu statements: "
			    "%s\n%s\n\n", tally->scripts, a.results, script.count, a.error, text);
	}
	sql_script_free(&script);
}

static int
ask_oracle(PGconn *db, const struct bytes *in)
{
	struct tally tally = { 0 };
	size_t at;

	for (at = 0; at < in->len && PQstatus(db) == CONNECTION_OK; at += strlen(in->data + at) + 1)
		ask_one(db, in->data + at, &tally);
	printf("%zu scripts, %zu statements; %zu ran to their end, %zu have errors of syntax, "
	    "%zu are seen differently\n", tally.scripts, tally.statements, tally.ran, tally.refused,
	    tally.wrong);
	return tally.wrong > 0;
}

static void
be_quiet(void *arg, const PGresult *res)
{
	(void)arg;
	(void)res;
}

static int
with_server(const char *conninfo, int (*use)(PGconn *, const struct bytes *),
    const struct bytes *in)
{
	PGconn *db = PQconnectdb(conninfo);
	int status = 2;

	PQsetNoticeReceiver(db, be_quiet, NULL);
	if (PQstatus(db) == CONNECTION_OK)
		status = use(db, in);
	if (PQstatus(db) != CONNECTION_OK) {
		fprintf(stderr, "tool_sql: %s", PQerrorMessage(db));
		status = 2;
	}
	PQfinish(db);
	return status;
}

int
main(int argc, char *argv[])
{
	struct bytes in = { 0 };
	int status = 64;
	size_t i;

	if (bytes_read_fd(&in, STDIN_FILENO) != 0) {
		perror("tool_sql: standard input");
		return 74;
	}
	bytes_add(&in, "", 0); /* no NULL, also where nothing was read */

	for (i = 0; i < sizeof commands / sizeof *commands; i++) {
		if (argc == 2 && strcmp(argv[1], commands[i].name) == 0)
			status = commands[i].print(&in);
	}
	if (argc == 3 && strcmp(argv[1], "server") == 0)
		status = with_server(argv[2], print_server, &in);
	if (argc == 3 && strcmp(argv[1], "oracle") == 0)
		status = with_server(argv[2], ask_oracle, &in);
	if (status == 64)
		fputs("usage: tool_sql split|count|tokens|losses|alter|transaction|remedy\n"
		      "       tool_sql server|oracle CONNINFO\n", stderr);
	bytes_free(&in);
	return status;
}
