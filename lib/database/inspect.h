/*
 * Reads the database side: server, role, running deploy, history.  Changes nothing; a role that may only connect
 * and read the history is sufficient.
 *
 * Takes one round trip after connecting, in the usual case: nobody deploys.  Two where more has to be asked:
 * somebody holds the deploy lock, a row is unfinished, the history is in another schema, or something is denied.
 */
#ifndef MIG_DATABASE_INSPECT_H
#define MIG_DATABASE_INSPECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/page.h"
#include "postgres/connection.h"
#include "records/model.h"
#include "records/record.h"
#include "secret/conninfo.h"

enum { INSPECT_SYSTEM, INSPECT_LOCK, INSPECT_LOOK, INSPECT_TABLE, INSPECT_ROWS, INSPECT_HOLDER, INSPECT_ANSWERS };

struct inspection {
	struct database database;
	struct history_row *rows;      /* by started_at, id */
	size_t count;
	long long deploying_ms;        /* how long the holder of the deploy lock has been connected; or
	                                * NUMBER_UNKNOWN */
	bool has_schema;
	bool may_write;                /* the role may write the history or, if there is none, create it */
	bool read_only;                /* default_transaction_read_only is on */
	bool calm;                     /* one round trip was enough: nobody deployed, and no row is unfinished */
	bool locked;                   /* we hold the deploy lock: it was requested and free */
	bool held;                     /* set by the caller: the session has the deploy lock already, so that it is not taken twice */
	const char *role;              /* current_user */
	int backend_pid;               /* the answering process; if it differs from db_backend_pid(), there is a
	                                * pooler */
	struct answer *answers[INSPECT_ANSWERS]; /* own the texts */
	char *schema, *time_zone;
	/* the stream that is announced when fewer migrations than expected are applied: that is known before the rest; or NULL */
	struct writer *announced;
	size_t expected;
};

/*
 * Reads everything, the history in one read-only transaction.  `target` has the schema.  `lock`: first tries to
 * take the deploy lock, without waiting, unless a pooler is detected; if `locked` is then set, everything was read
 * under the lock.  May be called again.  Returns 0, or an exit code with the error reported.  Call inspect_free()
 * in every case.
 */
int inspect_take(struct db *db, const struct conninfo *target, bool lock, struct inspection *inspection);

/*
 * The same in two parts and without the lock, for a session that sends these queries together with others: the
 * queries (rows_sql: from history_rows_sql(); both texts must live until the answers arrive), and the evaluation
 * of the answers, which takes ownership of them.  inspect_rows_denied() returns the SQLSTATE with which reading
 * the history failed; NULL: it was read, there is none, or inspect_answered() reports the reason.
 */
enum { INSPECT_ASKS = 8 };
void inspect_ask(struct db_ask asks[], const char *const *schema, const char *rows_sql);
const char *inspect_rows_denied(const struct db_ask asks[]);
int inspect_answered(struct db *db, struct db_ask asks[], struct inspection *inspection);

void inspect_free(struct inspection *inspection);

/* The session in an answer to history_holder_sql that has a row; its age is the age of its connection. */
struct page_session inspect_holder(const struct answer *answer);

#endif
