/* One message and its answers. */
#include "postgres/connection_internal.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/signals.h"

int
db_copy_next(struct db *db, char **data)
{
	int len;

	while ((len = PQgetCopyData(db->conn, data, 1)) == 0)
		if (!db_cancel_when_signalled(db) || db_takes_too_long(db) ||
		    ((signals_wait(PQsocket(db->conn), SIGNALS_READ, TICK_MS) & SIGNALS_READ) && !db_receive(db)))
			return -1;
	return len > 0 ? len : 0;
}

bool
db_is_whole(PGresult *result)
{
	const char *tag = PQcmdStatus(result);

	return PQresultStatus(result) != PGRES_TUPLES_OK || strncmp(tag, "SELECT ", 7) != 0 ||
	    strtol(tag + 7, NULL, 10) == PQntuples(result);
}

/* The same for rows that were given away as they came. */
static bool
is_whole_stream(const struct db *db, PGresult *result)
{
	const char *tag = PQcmdStatus(result);
	size_t word = strncmp(tag, "SELECT ", 7) == 0 ? 7 : strncmp(tag, "COPY ", 5) == 0 ? 5 : 0;

	return word == 0 || strtoll(tag + word, NULL, 10) == db->streamed_rows;
}

/*
 * Ends a COPY that a statement began: sends no data, and discards what comes out.  Returns false if the connection
 * is gone, or is given up: one in both directions, which only replication has, libpq would report without end.
 */
static bool
refuse_copy(struct db *db, ExecStatusType status)
{
	char *data;
	int len = 0;

	if (status == PGRES_COPY_BOTH || (status == PGRES_COPY_IN && PQputCopyEnd(db->conn, "mig sends no data") < 1)) {
		(void)db_give_up(db);
		return false;
	}
	while (status == PGRES_COPY_OUT && (len = db_copy_next(db, &data)) > 0)
		PQfreemem(data);
	return len == 0;
}

enum db_outcome
db_drain(struct db *db, PGresult **kept, size_t *done)
{
	long long since = 0;
	enum db_outcome outcome = DB_OK;
	PGresult *result;

	for (;;) {
		ExecStatusType status;
		bool going = true;

		if (!db_wait_result(db, &since)) {
			outcome = db_error_from_connection(db);
			break;
		}
		if ((result = PQgetResult(db->conn)) == NULL) {
			/* out of memory libpq gives nothing, too: then it is still in the middle */
			if (PQtransactionStatus(db->conn) == PQTRANS_ACTIVE)
				outcome = db_give_up(db);
			break;
		}
		status = PQresultStatus(result);
		if (db->each != NULL && status == PGRES_SINGLE_TUPLE)
			db->streamed_rows++;
		else if (db->streamed ? !is_whole_stream(db, result) : !db_is_whole(result))
			outcome = db_give_up(db);
		if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
			if (outcome == DB_OK)
				outcome = db_error_from_result(db, result);
		} else {
			going = refuse_copy(db, status);
			/* a rule of several SELECTs gives results of its own, without a command tag */
			if (done != NULL && *PQcmdStatus(result) != '\0') {
				++*done;
				bytes_copy(db->tag, sizeof db->tag, PQcmdStatus(result));
			}
		}
		since = 0;
		if (status == PGRES_SINGLE_TUPLE && db->each != NULL) {
			struct answer row = { result };

			db->each->take(db->each->context, &row);
		}
		if (kept != NULL && *kept == NULL && status == PGRES_TUPLES_OK)
			*kept = result;
		else
			PQclear(result);
		db->results++;
		if (!going || PQstatus(db->conn) != CONNECTION_OK || (db->wait.limit_ms > 0 && db_takes_too_long(db)))
			break;
	}
	if (PQstatus(db->conn) != CONNECTION_OK || db->given_up != NULL)
		return outcome == DB_OK || db->given_up != NULL ? db_error_from_connection(db) : DB_LOST;
	/* what ended well before the cancel hit it has happened */
	return db->cancelling && outcome != DB_OK ? DB_STOPPED : outcome;
}

enum db_outcome
db_drain_answers(struct db *db, PGresult **kept, size_t *done, size_t most)
{
	enum db_outcome outcome;

	db->results = 0;
	outcome = db_drain(db, kept, done);
	if ((outcome == DB_OK || outcome == DB_ERROR) && (db->results == 0 || (most > 0 && db->results > most)))
		return db_give_up(db);
	return outcome;
}

enum db_outcome
db_query(struct db *db, struct answer **answer, const char *sql, int count,
    const char *const parameters[])
{
	enum { RESULTS = 2 }; /* its own, and the error of a commit behind it */
	PGresult *result = NULL;
	enum db_outcome outcome;

	if (answer != NULL)
		*answer = NULL;
	if ((outcome = db_send_prelude(db)) != DB_OK)
		return outcome;
	db_wait_begin(db, db->limit_ms);
	if (!PQsendQueryParams(db->conn, sql, count, NULL, parameters, NULL, NULL, 0))
		return db_error_from_connection(db);
	outcome = db_drain_answers(db, &result, NULL, RESULTS);
	if (outcome != DB_OK || answer == NULL) {
		PQclear(result);
		return outcome;
	}
	*answer = xcalloc(1, sizeof **answer);
	(*answer)->result = result;
	return DB_OK;
}

enum db_outcome
db_query_ours(struct db *db, struct answer **answer, const char *sql, int count, const char *const parameters[])
{
	struct db_ask ask = { .sql = sql, .ours = true, .ends_unit = true };
	enum db_outcome outcome;

	if (count > 0) {
		ask.parameter = parameters;
		ask.more = count - 1;
	}
	outcome = db_query_batch(db, &ask, 1);
	if (outcome == DB_OK && ask.outcome != DB_OK)
		outcome = DB_ERROR;
	if (outcome != DB_OK || answer == NULL) {
		answer_free(ask.answer);
		ask.answer = NULL;
	}
	if (answer != NULL)
		*answer = ask.answer;
	return outcome;
}

enum db_outcome
db_run(struct db *db, const char *sql, size_t *done)
{
	enum { LARGE_BYTES = 1 << 20 };
	enum db_outcome outcome;
	bool large;
	int sent;

	if (done == NULL)
		done = &db->answered;
	db->answered = *done = 0;
	if ((outcome = db_send_prelude(db)) != DB_OK)
		return outcome;
	db_wait_begin(db, 0);
	/*
	 * In non-blocking mode, libpq moves the remaining bytes after each part that the socket takes, which
	 * dominates for a large text.  In blocking mode it sends, and reads what arrives during that, by itself.
	 */
	large = strlen(sql) > LARGE_BYTES;
	if (large)
		PQsetnonblocking(db->conn, 0);
	sent = PQsendQuery(db->conn, sql);
	if (large)
		PQsetnonblocking(db->conn, 1);
	if (!sent)
		return db_error_from_connection(db);
	outcome = db_drain_answers(db, NULL, done, 0);
	db->answered = *done;
	return outcome;
}

enum db_outcome
db_tell(struct db *db, const char *sql)
{
	enum db_outcome outcome = db_send_prelude(db);

	db->answered = 0;
	if (outcome != DB_OK)
		return outcome;
	db_wait_begin(db, ANSWER_MS);
	return PQsendQuery(db->conn, sql) ? db_drain_answers(db, NULL, &db->answered, 0) : db_error_from_connection(db);
}

size_t
db_answered(const struct db *db)
{
	return db->answered;
}

const char *
db_tag(const struct db *db)
{
	return db->tag;
}

enum db_transaction
db_transaction(const struct db *db)
{
	switch (PQtransactionStatus(db->conn)) {
	case PQTRANS_IDLE:
		return DB_IDLE;
	case PQTRANS_INTRANS:
		return DB_IN_TRANSACTION;
	case PQTRANS_INERROR:
		return DB_IN_FAILED_TRANSACTION;
	case PQTRANS_ACTIVE:
	case PQTRANS_UNKNOWN:
		break;
	}
	return DB_UNKNOWN;
}

bool
db_send_aside(struct db *db, const char *sql)
{
	struct db_error kept;
	enum db_outcome outcome;

	if (db->given_up != NULL)
		return false;
	kept = db_error_take(db);
	db_wait_begin(db, ANSWER_MS);
	db->wait.deaf = true;
	outcome = PQsendQuery(db->conn, sql) ? db_drain_answers(db, NULL, NULL, 0) : db_error_from_connection(db);
	db_error_free(&db->error);
	db->error = kept;
	return outcome == DB_OK;
}

bool
db_rollback(struct db *db)
{
	if (db_transaction(db) == DB_UNKNOWN || db->given_up != NULL)
		return false;
	return db_transaction(db) == DB_IDLE || db_run_best_effort(db, "ROLLBACK");
}
