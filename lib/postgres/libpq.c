/*
 * Loads libpq when the first of its functions is called.
 *
 * libpq pulls in some two dozen libraries (TLS, Kerberos, LDAP).  Loading them takes longer than everything else
 * in a run that finds nothing to do: mig-apply with an empty plan, mig-check with records, --help.  So no program
 * is linked with libpq.  This file defines the functions that postgres/ calls, under the same names, and forwards
 * the calls.  libpq.so.5 has been the name of every release since 2006.
 */
#ifndef MIG_LINK
#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>

/* Ours must not be found where libpq's are looked for. */
#pragma GCC visibility push(hidden)
#include <libpq-fe.h>
#pragma GCC visibility pop

#include "base/library.h"
#include "base/message.h"
#include "base/mig.h"

/* What this folder calls; each GIVES a value, or only DOES something. */
/* clang-format off */
#define FUNCTIONS(GIVES, DOES) \
	GIVES(int, PQbackendPID, (const PGconn *conn), (conn)) \
	GIVES(int, PQcancel, (PGcancel *cancel, char *errbuf, int errbufsize), (cancel, errbuf, errbufsize)) \
	DOES(PQclear, (PGresult *res), (res)) \
	GIVES(char *, PQcmdStatus, (PGresult *res), (res)) \
	GIVES(PostgresPollingStatusType, PQconnectPoll, (PGconn *conn), (conn)) \
	GIVES(PGconn *, PQconnectStartParams, \
	    (const char *const *keywords, const char *const *values, int expand_dbname), \
	    (keywords, values, expand_dbname)) \
	GIVES(int, PQconnectionNeedsPassword, (const PGconn *conn), (conn)) \
	GIVES(PQconninfoOption *, PQconninfo, (PGconn *conn), (conn)) \
	DOES(PQconninfoFree, (PQconninfoOption *connOptions), (connOptions)) \
	GIVES(int, PQconsumeInput, (PGconn *conn), (conn)) \
	GIVES(char *, PQdb, (const PGconn *conn), (conn)) \
	GIVES(int, PQenterPipelineMode, (PGconn *conn), (conn)) \
	GIVES(char *, PQerrorMessage, (const PGconn *conn), (conn)) \
	GIVES(int, PQexitPipelineMode, (PGconn *conn), (conn)) \
	DOES(PQfinish, (PGconn *conn), (conn)) \
	GIVES(int, PQflush, (PGconn *conn), (conn)) \
	DOES(PQfreeCancel, (PGcancel *cancel), (cancel)) \
	DOES(PQfreemem, (void *ptr), (ptr)) \
	GIVES(PGcancel *, PQgetCancel, (PGconn *conn), (conn)) \
	GIVES(int, PQgetCopyData, (PGconn *conn, char **buffer, int async), (conn, buffer, async)) \
	GIVES(PGresult *, PQgetResult, (PGconn *conn), (conn)) \
	GIVES(int, PQgetisnull, (const PGresult *res, int tup_num, int field_num), (res, tup_num, field_num)) \
	GIVES(char *, PQgetvalue, (const PGresult *res, int tup_num, int field_num), (res, tup_num, field_num)) \
	GIVES(char *, PQhost, (const PGconn *conn), (conn)) \
	GIVES(int, PQisBusy, (PGconn *conn), (conn)) \
	GIVES(int, PQlibVersion, (void), ()) \
	GIVES(int, PQnfields, (const PGresult *res), (res)) \
	GIVES(int, PQntuples, (const PGresult *res), (res)) \
	GIVES(const char *, PQparameterStatus, (const PGconn *conn, const char *paramName), (conn, paramName)) \
	GIVES(char *, PQpass, (const PGconn *conn), (conn)) \
	GIVES(int, PQpipelineSync, (PGconn *conn), (conn)) \
	GIVES(char *, PQport, (const PGconn *conn), (conn)) \
	GIVES(int, PQputCopyData, (PGconn *conn, const char *buffer, int nbytes), (conn, buffer, nbytes)) \
	GIVES(int, PQputCopyEnd, (PGconn *conn, const char *errormsg), (conn, errormsg)) \
	GIVES(char *, PQresultErrorField, (const PGresult *res, int fieldcode), (res, fieldcode)) \
	GIVES(char *, PQresultErrorMessage, (const PGresult *res), (res)) \
	GIVES(ExecStatusType, PQresultStatus, (const PGresult *res), (res)) \
	GIVES(int, PQsendQuery, (PGconn *conn, const char *query), (conn, query)) \
	GIVES(int, PQsendPrepare, \
	    (PGconn *conn, const char *stmtName, const char *query, int nParams, const Oid *paramTypes), \
	    (conn, stmtName, query, nParams, paramTypes)) \
	GIVES(int, PQsendQueryParams, \
	    (PGconn *conn, const char *command, int nParams, const Oid *paramTypes, \
	     const char *const *paramValues, const int *paramLengths, const int *paramFormats, int resultFormat), \
	    (conn, command, nParams, paramTypes, paramValues, paramLengths, paramFormats, resultFormat)) \
	GIVES(int, PQserverVersion, (const PGconn *conn), (conn)) \
	GIVES(PGVerbosity, PQsetErrorVerbosity, (PGconn *conn, PGVerbosity verbosity), (conn, verbosity)) \
	GIVES(PQnoticeReceiver, PQsetNoticeReceiver, \
	    (PGconn *conn, PQnoticeReceiver proc, void *arg), \
	    (conn, proc, arg)) \
	GIVES(int, PQsetSingleRowMode, (PGconn *conn), (conn)) \
	GIVES(int, PQsetnonblocking, (PGconn *conn, int arg), (conn, arg)) \
	GIVES(int, PQsocket, (const PGconn *conn), (conn)) \
	GIVES(const char *, PQsslAttribute, (PGconn *conn, const char *attribute_name), (conn, attribute_name)) \
	GIVES(int, PQsslInUse, (PGconn *conn), (conn)) \
	GIVES(ConnStatusType, PQstatus, (const PGconn *conn), (conn)) \
	GIVES(PGTransactionStatusType, PQtransactionStatus, (const PGconn *conn), (conn)) \
	GIVES(char *, PQuser, (const PGconn *conn), (conn))
/* clang-format on */

#define POINTER(type, name, parameters, arguments) type(*name) parameters;
#define POINTER_VOID(name, parameters, arguments)  void(*name) parameters;
#define NAME(type, name, parameters, arguments)    { #name, &libpq.name },
#define NAME_VOID(name, parameters, arguments)     { #name, &libpq.name },

LIBRARY_NOTE(LIBRARY_FILE("libpq", "5"), "postgresql", "required");

static struct {
	FUNCTIONS(POINTER, POINTER_VOID)
} libpq;

static void
load(void)
{
	static const struct library library = { LIBRARY_FILE("libpq", "5"), "libpq5", RTLD_LAZY | RTLD_GLOBAL };
	static const struct library_function functions[] = { FUNCTIONS(NAME, NAME_VOID) };
	static bool loaded;

	if (!loaded && library_load(&library, functions, sizeof functions / sizeof *functions) != 0)
		exit(message_end_code(MIG_CONFIG));
	loaded = true;
}

#define GIVE(type, name, parameters, arguments) \
	type name parameters \
	{ \
		load(); \
		return libpq.name arguments; \
	}

#define DO(name, parameters, arguments) \
	void name parameters \
	{ \
		load(); \
		libpq.name arguments; \
	}

FUNCTIONS(GIVE, DO)
#endif
