#include "pooler.h"

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
	struct db *other = db_open_quietly(source, "mig-apply pooler", LIMIT_MS);
	bool shares = false;

	if (other != NULL && db_run(other, "BEGIN", NULL) == DB_OK) {
		shares = process(other) == pid || changes(db, pid);
		(void)db_rollback(other);
	}
	shares = shares || changes(db, pid);
	if (shares) /* somebody else is given these next */
		(void)db_run_aside(db, "RESET search_path; RESET client_connection_check_interval; "
	    "RESET tcp_keepalives_idle; RESET tcp_keepalives_interval; RESET tcp_keepalives_count; RESET tcp_user_timeout");
	db_close(other);
	return shares;
}
