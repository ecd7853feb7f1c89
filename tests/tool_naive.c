/*
 * tool_naive: what a program does that takes no care, so that a memory scan which finds nothing
 * elsewhere means something.  Stops itself where tool_secret -s -c does.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <libpq-fe.h>

int
main(void)
{
	PGconn *conn;

	raise(SIGSTOP);
	conn = PQconnectdb(getenv("DATABASE_URL"));
	puts(PQstatus(conn) == CONNECTION_OK ? "connected yes" : "connected no");
	raise(SIGSTOP);
	PQclear(PQexec(conn, "SELECT 1"));
	PQfinish(conn);
	raise(SIGSTOP);
	return 0;
}
