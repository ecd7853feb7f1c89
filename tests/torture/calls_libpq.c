/*
 * Functions of libpq that fail once, as their manual says that they can.  What only gives back a number or a text that the
 * connection or the result holds cannot.
 */
#include <libpq-fe.h>
#include <string.h>

#include "shim.h"

#define FAILS(type, name, parameters, arguments, failure) TORTURE_FAILS(KIND_PQ, "libpq.so.5", type, name, parameters, arguments, failure)

FAILS(int, PQcancel, (PGcancel *cancel, char *why, int room), (cancel, why, room), (strncpy(why, "injected", (size_t)room), 0))
FAILS(PostgresPollingStatusType, PQconnectPoll, (PGconn *conn), (conn), PGRES_POLLING_FAILED)
FAILS(PGconn *, PQconnectStartParams, (const char *const *keywords, const char *const *values, int expand),
    (keywords, values, expand), NULL)
FAILS(PQconninfoOption *, PQconninfo, (PGconn *conn), (conn), NULL)
FAILS(int, PQconsumeInput, (PGconn *conn), (conn), 0)
FAILS(int, PQenterPipelineMode, (PGconn *conn), (conn), 0)
FAILS(int, PQexitPipelineMode, (PGconn *conn), (conn), 0)
FAILS(int, PQflush, (PGconn *conn), (conn), -1)
FAILS(PGcancel *, PQgetCancel, (PGconn *conn), (conn), NULL)
FAILS(int, PQgetCopyData, (PGconn *conn, char **buffer, int async), (conn, buffer, async), (*buffer = NULL, -2))
FAILS(const char *, PQparameterStatus, (const PGconn *conn, const char *name), (conn, name), NULL)
FAILS(int, PQpipelineSync, (PGconn *conn), (conn), 0)
FAILS(int, PQputCopyData, (PGconn *conn, const char *buffer, int len), (conn, buffer, len), -1)
FAILS(int, PQputCopyEnd, (PGconn *conn, const char *error), (conn, error), -1)
FAILS(char *, PQresultErrorField, (const PGresult *result, int field), (result, field), NULL)
FAILS(int, PQsendQuery, (PGconn *conn, const char *query), (conn, query), 0)
FAILS(int, PQsendPrepare, (PGconn *conn, const char *name, const char *query, int n, const Oid *types),
    (conn, name, query, n, types), 0)
FAILS(int, PQsendQueryParams,
    (PGconn *conn, const char *command, int n, const Oid *types, const char *const *values, const int *lengths,
        const int *formats, int format),
    (conn, command, n, types, values, lengths, formats, format), 0)
FAILS(int, PQsetSingleRowMode, (PGconn *conn), (conn), 0)
FAILS(int, PQsetnonblocking, (PGconn *conn, int on), (conn, on), -1)
FAILS(int, PQsocket, (const PGconn *conn), (conn), -1)
FAILS(const char *, PQsslAttribute, (PGconn *conn, const char *name), (conn, name), NULL)
FAILS(ConnStatusType, PQstatus, (const PGconn *conn), (conn), CONNECTION_BAD)
FAILS(PGTransactionStatusType, PQtransactionStatus, (const PGconn *conn), (conn), PQTRANS_UNKNOWN)

/* Out of memory it gives nothing, in releases before 14 and in some of their places since, or a result without any field. */
PGresult *
PQgetResult(PGconn *conn)
{
	static PGresult *(*real)(PGconn *);
	static PGresult *(*empty)(PGconn *, ExecStatusType);
	static void (*clear)(PGresult *);
	void *found;

	if (real == NULL) {
		found = torture_next("libpq.so.5", "PQgetResult");
		memcpy(&real, &found, sizeof real);
		found = torture_next("libpq.so.5", "PQmakeEmptyPGresult");
		memcpy(&empty, &found, sizeof empty);
		found = torture_next("libpq.so.5", "PQclear");
		memcpy(&clear, &found, sizeof clear);
	}
	if (torture(KIND_PQ, "PQgetResult: nothing", __builtin_return_address(0)))
		return NULL;
	if (torture(KIND_PQ, "PQgetResult: out of memory", __builtin_return_address(0))) {
		clear(real(conn));
		return empty(conn, PGRES_FATAL_ERROR);
	}
	return real(conn);
}
