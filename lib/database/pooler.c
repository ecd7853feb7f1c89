#include "database/pooler.h"

#include <stdbool.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "secret/host_hint.h"

enum { LIMIT_MS = 3000, TIMES = 3 };

/* The server process that answers now; 0: no answer. */
static int
process(struct db *db)
{
	struct answer *answer;
	int pid = 0;

	if (db_query(db, &answer, "SELECT pg_catalog.pg_backend_pid()", 0, NULL) == DB_OK)
		pid = (int)answer_number(answer, 0, 0);
	answer_free(answer);
	return pid;
}

/* A pooler that takes the process which was free last is found out while another transaction has it; one that
 * takes them in turn, by asking again. */
static bool
changes(struct db *db, int pid)
{
	int i, now;

	for (i = 0; i < TIMES; i++)
		if ((now = process(db)) != 0 && now != pid)
			return true;
	return false;
}

/*
 * Whether another connection gets the server process `pid`, which answered db before, or db itself gets another
 * process; returns the mode of such a pooler.  Either proves that sessions are shared.  A pooler can hide this
 * only if many other clients use it at the same time.  NULL: the session is ours.
 */
static const char *
sharing_mode(struct db *db, struct source *source, int pid)
{
	struct db *other = db_try_open(source, "mig-apply pooler", LIMIT_MS, NULL);
	const char *mode = NULL;

	if (other != NULL && db_tell(other, "BEGIN") == DB_OK) {
		mode = process(other) == pid || changes(db, pid) ? "transaction" : NULL;
		(void)db_rollback(other);
	} else if (other != NULL && db_is_statement_pooled(db_error(other))) {
		mode = "statement";
	}
	if (mode == NULL && changes(db, pid))
		mode = "transaction";
	if (mode != NULL) /* another client gets these next */
		(void)db_run_best_effort(db, "RESET search_path; RESET row_security; RESET client_connection_check_interval; "
	    "RESET tcp_keepalives_idle; RESET tcp_keepalives_interval; RESET tcp_keepalives_count; RESET tcp_user_timeout");
	db_close(other);
	return mode;
}

int
pooler_refuse(struct db *db, struct source *source, int pid)
{
	const char *mode;
	struct bytes hint = { 0 };

	if (pid == db_backend_pid(db))
		return 0;
	if ((mode = sharing_mode(db, source, pid)) != NULL) {
		(void)message_error(MIG_CONFIG, "this address is a pooler in %s mode, which cannot "
		                                "hold the deploy lock: that needs a session; nothing was touched", mode);
		if (host_hint(&hint, &source->target, HOST_POOLED, ""))
			message_line("  %s", hint.data);
		bytes_free(&hint);
		message_line("%s", DB_DIRECT_ADDRESS);
		return MIG_CONFIG;
	}
	message_verbose("connected through a pooler in session mode; our server process is %d", pid);
	db_is_pooled(db, pid);
	return 0;
}
