/* COPY from and to the server, and rows one by one. */
#include "postgres/connection_internal.h"

#include <libpq-fe.h>
#include <string.h>

#include "base/signals.h"

/* Sends a statement and waits for its first result: true where that is `wanted`, and nothing is read yet behind it. */
static bool
copy_begin(struct db *db, const char *sql, ExecStatusType wanted, enum db_outcome *outcome)
{
	long long since = 0;
	PGresult *result;
	ExecStatusType status;

	if ((*outcome = db_send_prelude(db)) != DB_OK)
		return false;
	db_wait_begin(db, 0);
	if (!PQsendQuery(db->conn, sql) || !db_wait_result(db, &since)) {
		*outcome = db_error_from_connection(db);
		return false;
	}
	result = PQgetResult(db->conn);
	status = PQresultStatus(result);
	if (status == PGRES_FATAL_ERROR)
		*outcome = db_error_from_result(db, result);
	PQclear(result);
	if (status != wanted) {
		enum db_outcome rest = db_drain(db, NULL, NULL);

		if (rest != DB_OK)
			*outcome = rest;
		else if (signals_caught() != 0)
			*outcome = DB_STOPPED;
		else if (*outcome == DB_OK) /* another answer than that of a COPY */
			*outcome = db_give_up(db);
	}
	return status == wanted;
}

/* Waits until everything queued was sent; returns false if a signal arrived or the connection is gone. */
static bool
copy_flush(struct db *db)
{
	int unsent, ready;

	while ((unsent = PQflush(db->conn)) > 0) {
		ready = signals_wait(PQsocket(db->conn), SIGNALS_READ | SIGNALS_WRITE, TICK_MS);
		if ((ready & SIGNALS_READ) && !db_receive(db))
			return false;
		if (signals_caught() != 0)
			return false;
	}
	return unsent == 0 && signals_caught() == 0;
}

enum db_outcome
db_copy_in(struct db *db, const char *sql, db_feed *feed, void *context)
{
	enum db_outcome outcome;
	const char *data, *why = NULL;
	size_t len;

	if (!copy_begin(db, sql, PGRES_COPY_IN, &outcome))
		return outcome;
	do {
		if ((len = feed(context, &data)) == DB_FEED_BAD)
			why = "the rows are not kept";
		else if (len > 0 && (PQputCopyData(db->conn, data, (int)len) <= 0 || !copy_flush(db)))
			why = "stopped";
	} while (why == NULL && len > 0);
	if (PQputCopyEnd(db->conn, why) < 0)
		return db_error_from_connection(db);
	outcome = db_drain(db, NULL, NULL);
	return outcome == DB_ERROR && signals_caught() != 0 ? DB_STOPPED : outcome;
}

/* Each row of a COPY in text is a line.  Where bytes were lost on the way the rest of one and what follows it look like a row. */
static bool
is_line(const char *data, size_t len)
{
	return data[len - 1] == '\n' && memchr(data, '\0', len) == NULL;
}

enum db_outcome
db_copy_out(struct db *db, const char *sql, bool header, db_take *take, void *context)
{
	enum db_outcome outcome;
	char *data;
	bool more = true;
	int len;

	if (!copy_begin(db, sql, PGRES_COPY_OUT, &outcome))
		return outcome;
	/* libpq gives a row at a time */
	db->streamed_rows = header ? -1 : 0;
	while ((len = db_copy_next(db, &data)) > 0) {
		db->streamed_rows += is_line(data, (size_t)len);
		if (more && !(more = take(context, data, (size_t)len)))
			db_cancel(db);
		PQfreemem(data);
	}
	if (len < 0)
		return db_error_from_connection(db);
	db->streamed = true;
	outcome = db_drain(db, NULL, NULL);
	db->streamed = false;
	return outcome == DB_ERROR && signals_caught() != 0 ? DB_STOPPED : outcome;
}

enum db_outcome
db_each(struct db *db, const char *sql, db_row *each, void *context)
{
	enum db_outcome outcome = db_send_prelude(db);
	struct each rows = { each, context };

	if (outcome != DB_OK)
		return outcome;
	db_wait_begin(db, 0);
	if (!PQsendQuery(db->conn, sql) || !PQsetSingleRowMode(db->conn))
		return db_error_from_connection(db);
	db->each = &rows;
	db->streamed = true;
	db->streamed_rows = 0;
	outcome = db_drain_answers(db, NULL, NULL, 0);
	db->streamed = false;
	db->each = NULL;
	return outcome;
}
