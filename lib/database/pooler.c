#include "database/pooler.h"

#include "base/message.h"
#include "base/mig.h"

enum { LIMIT_MS = 3000, TIMES = 3 };

/* The server process that answers now; 0: nobody did. */
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

bool
pooler_shares(struct db *db, struct source *source, int pid)
{
	struct db *other = db_open_quietly(source, "mig-apply pooler", LIMIT_MS, NULL);
	bool shares = false;

	if (other != NULL && db_tell(other, "BEGIN") == DB_OK) {
		shares = process(other) == pid || changes(db, pid);
		(void)db_rollback(other);
	}
	shares = shares || changes(db, pid);
	if (shares) /* somebody else is given these next */
		(void)db_run_aside(db, "RESET search_path; RESET row_security; RESET client_connection_check_interval; "
	    "RESET tcp_keepalives_idle; RESET tcp_keepalives_interval; RESET tcp_keepalives_count; RESET tcp_user_timeout");
	db_close(other);
	return shares;
}

int
pooler_refuse(struct db *db, struct source *source, int pid)
{
	if (pid == db_backend_pid(db))
		return 0;
	if (pooler_shares(db, source, pid)) {
		(void)message_error(MIG_CONFIG, "this address is a pooler in transaction mode, which gives "
		                                "no session to hold the deploy lock in; nothing was touched");
		message_line("next: put the server's own address into a variable, and name it:  "
		             "MIG_DATABASE=env:DIRECT_URL");
		return MIG_CONFIG;
	}
	message_verbose("there is a pooler in between, in session mode: process %d is ours", pid);
	db_is_pooled(db, pid);
	return 0;
}
