/*
 * The database side, read: who and where, who is deploying, the history.  Changes nothing, and a role that
 * may only connect and read the history suffices.
 *
 * All of it is one round trip behind the connection.
 */
#ifndef MIG_DATABASE_INSPECT_H
#define MIG_DATABASE_INSPECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/page.h"
#include "postgres/connection.h"
#include "records/model.h"
#include "secret/conninfo.h"

enum { INSPECT_SYSTEM, INSPECT_LOCK, INSPECT_LOOK, INSPECT_ROWS, INSPECT_HOLDER, INSPECT_ANSWERS };

struct inspection {
	struct database database;
	struct history_row *rows;      /* by started_at, id */
	size_t count;
	long long deploying_ms;        /* how long the deploy lock's holder has been connected; or NUMBER_UNKNOWN */
	bool has_schema;
	bool may_write;                /* the history, or where there is none, make it */
	bool read_only;                /* default_transaction_read_only is on */
	bool locked;                   /* we hold the deploy lock: it was asked for, and free */
	const char *role;              /* current_user */
	int backend_pid;               /* the process that answered; another than db_backend_pid(): there is a pooler */
	struct answer *answers[INSPECT_ANSWERS]; /* own the texts */
	char *schema;
};

/*
 * Looks at everything, the history in one read-only transaction.  `target` says the schema.  `lock`: asks for
 * the deploy lock before, without waiting, but not where a pooler is between: what is read is then read under it,
 * if `locked`.  May be called again.
 * Returns 0, or an exit code, said.  inspect_free() is due in any case.
 */
int inspect_take(struct db *db, const struct conninfo *target, bool lock, struct inspection *inspection);

/*
 * The same in two parts and without the lock, for a session that asks it together with other things: the questions (rows_sql: of
 * history_rows_sql(); both texts must live until the answers are there), and what becomes of the answers, which are
 * taken over.  inspect_rows_denied() is the SQLSTATE with which the history could not be read; NULL: it was, there is none, or
 * inspect_answered() says why.
 */
enum { INSPECT_ASKS = 8 };
void inspect_ask(struct db_ask asks[], const char *const *schema, const char *rows_sql);
const char *inspect_rows_denied(const struct db_ask asks[]);
int inspect_answered(struct db *db, struct db_ask asks[], struct inspection *inspection);

void inspect_free(struct inspection *inspection);

/* The session in an answer to history_holder_sql that has a row; its age is that of its connection. */
struct page_session inspect_holder(const struct answer *answer);

#endif
