/*
 * tool_secret [-acs] [-n TOOL] [-t WHAT] [-d SOURCE]: opens a connection string as the tools do,
 * and prints the target and the password's length, never the password.
 *
 * -a       asks for a password on the terminal instead
 * -c       connects with libpq, wipes its copies as postgres/connect.c does, and prints whether it worked
 * -n TOOL  speaks as that tool
 * -s       stops itself (SIGSTOP) before that, after that, and when all is closed, so that a
 *          test can look into its memory
 * -t WHAT  opens another secret instead, which messages call WHAT
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "base/message.h"
#include "secret/source.h"

static void *
length(const char *text, void *context)
{
	*(size_t *)context = text != NULL ? strlen(text) : 0;
	return NULL;
}

struct attempt {
	const struct conninfo *target;
	PGconn *conn;
};

static void *
start(const char *password, void *context)
{
	struct attempt *a = context;
	const char *const keywords[] = { "host", "port", "user", "dbname", "password", NULL };
	const char *const values[] = { a->target->host, a->target->port, a->target->user,
		a->target->database, password, NULL };

	a->conn = PQconnectdbParams(keywords, values, 0);
	return NULL;
}

static void
stop(bool wanted)
{
	fflush(stdout);
	if (wanted)
		raise(SIGSTOP);
}

static void
talk(struct source *source, bool stops)
{
	struct attempt a = { &source->target, NULL };

	secret_use(source->password, start, &a);
	secret_scrub_text(PQpass(a.conn));
	secret_scrub(source->password);
	secret_free(source->password);
	source->password = NULL;
	printf("connected %s\n", PQstatus(a.conn) == CONNECTION_OK ? "yes" : "no");
	printf("as %s at %s, database %s\n", PQuser(a.conn), PQhost(a.conn), PQdb(a.conn));
	if (PQstatus(a.conn) != CONNECTION_OK)
		fputs(PQerrorMessage(a.conn), stdout);
	stop(stops);
	PQclear(PQexec(a.conn, "SELECT 1"));
	PQfinish(a.conn);
}

int
main(int argc, char *argv[])
{
	const char *word = NULL, *what = NULL;
	bool connects = false, stops = false, asks = false;
	struct source source = { 0 };
	size_t len;
	int option, code;

	secret_begin(argc, argv);
	message_begin("tool_secret");
	while ((option = getopt(argc, argv, "acst:d:n:")) != -1) {
		switch (option) {
		case 'a':
			asks = true;
			break;
		case 'c':
			connects = true;
			break;
		case 's':
			stops = true;
			break;
		case 't':
			what = optarg;
			break;
		case 'd':
			word = optarg;
			break;
		case 'n':
			message_begin(optarg);
			break;
		default:
			return 64;
		}
	}
	if (asks) {
		source.password = secret_ask("Password: ");
	} else if (what != NULL) {
		if ((source.password = secret_open(word, what, &code)) == NULL)
			return code;
	} else {
		if ((code = source_open(&source, word, NULL)) != 0)
			return code;
		printf("user %s host %s port %d database %s\n",
		    source.target.user ? source.target.user : "-",
		    conninfo_first_host(&source.target) ? conninfo_first_host(&source.target) : "-",
		    conninfo_first_port(&source.target),
		    source.target.database ? source.target.database : "-");
	}
	secret_use(source.password, length, &len);
	printf("password %zu\n", len);
	stop(stops);
	if (connects)
		talk(&source, stops);
	source_free(&source);
	stop(stops);
	return 0;
}
