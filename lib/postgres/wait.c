/* Waiting for the server: limits, ticks, signals. */
#include "postgres/connection_internal.h"

#include <libpq-fe.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/message.h"
#include "base/signals.h"
#include "postgres/cancel.h"
#include "postgres/sqlstate.h"

static const char no_answer[] = "no answer in time", no_end[] = "the server does not end the cancelled statement",
	misfit[] = "the server's answers do not match the questions";

void
db_wait_begin(struct db *db, long long limit_ms)
{
	cancel_settle(&db->cancel);
	db->wait = (struct db_wait){ .limit_ms = limit_ms };
	db->cancelling = false;
	db->cancel_ms = 0;
}

void
db_cancel(struct db *db)
{
	if (db->cancel_ms == 0)
		db->cancel_ms = clock_now_ms();
	cancel_send(&db->cancel, db->conn);
}

bool
db_cancel_when_signalled(struct db *db)
{
	long long now;

	if (signals_caught() == 0 || db->wait.deaf)
		return true;
	now = clock_now_ms();
	if (!db->cancelling) {
		message_live_clear();
		db->signalled_ms = now;
		db->cancelled_ms = now - CANCEL_MS;
	}
	db->cancelling = true;
	if (now - db->signalled_ms > DRAIN_MS) {
		db->given_up = no_end;
		return false;
	}
	if (now - db->cancelled_ms >= CANCEL_MS) {
		db->cancelled_ms = now;
		db_cancel(db);
	}
	return true;
}

/* Whether the other side has not taken all of it yet: it cannot answer what it does not have. */
static bool
is_on_its_way(const struct db *db)
{
	int unsent = 0;

	return ioctl(PQsocket(db->conn), TIOCOUTQ, &unsent) == 0 && unsent > 0;
}

/* For what has no limit. */
static void
look_after_silence(struct db *db)
{
	struct db_wait *w = &db->wait;
	long long now;

	if (db->silence == NULL || w->limit_ms > 0 || w->deaf || db->cancel_ms != 0)
		return;
	now = clock_now_ms();
	if (w->heard || w->heard_ms == 0 || (now >= w->silent_ms && is_on_its_way(db))) {
		w->heard = false;
		w->heard_ms = now;
		w->silent_ms = now + SILENCE_MS;
	} else if (now >= w->silent_ms) {
		db->silence(db->silence_context, now - w->heard_ms);
		w->silent_ms = clock_now_ms() + SILENCE_AGAIN_MS;
	}
}

bool
db_takes_too_long(struct db *db)
{
	struct db_wait *w = &db->wait;
	long long now;

	look_after_silence(db);
	if (db->given_up != NULL || (w->limit_ms == 0 && db->cancel_ms == 0))
		return db->given_up != NULL;
	now = clock_now_ms();
	if (db->cancel_ms != 0 && now - db->cancel_ms > CANCELLED_MS)
		db->given_up = no_end;
	if (w->began_ms == 0)
		w->began_ms = now;
	if (w->limit_ms > 0 && now - w->began_ms > w->limit_ms) {
		if (w->noticed || w->received < FLOWING_BYTES)
			db->given_up = no_answer;
		*w = (struct db_wait){ .limit_ms = w->limit_ms, .began_ms = now, .deaf = w->deaf };
	}
	return db->given_up != NULL;
}

bool
db_receive(struct db *db)
{
	int here = 0;

	db->wait.heard = true;
	if (db->wait.limit_ms > 0 && ioctl(PQsocket(db->conn), FIONREAD, &here) == 0 && here > 0)
		db->wait.received += (size_t)here;
	return PQconsumeInput(db->conn);
}

bool
db_wait_result(struct db *db, long long *since)
{
	bool unsent = true;

	for (;;) {
		int flushed, ready;

		if (!db_cancel_when_signalled(db))
			return false;
		if (!unsent && !PQisBusy(db->conn))
			return true;
		if (unsent) {
			if ((flushed = PQflush(db->conn)) < 0)
				return false;
			unsent = flushed > 0;
			if (!PQisBusy(db->conn))
				return true;
		}
		if (*since == 0)
			*since = clock_now_ms();
		if (db_takes_too_long(db))
			return false;
		ready = signals_wait(PQsocket(db->conn), SIGNALS_READ | (unsent ? SIGNALS_WRITE : 0), TICK_MS);
		if ((ready & SIGNALS_READ) && !db_receive(db))
			return false;
		if (db->hooks.tick != NULL && !db->wait.deaf && PQisBusy(db->conn))
			db->hooks.tick(db->hooks.context, clock_now_ms() - *since);
	}
}

void
db_on_notice(void *context, const PGresult *result)
{
	struct db *db = context;
	struct db_message message = { PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED),
		PQresultErrorField(result, PG_DIAG_SQLSTATE),
		PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) };

	db->wait.noticed = true;
	if (message.text == NULL)
		return;
	if (message.severity == NULL)
		message.severity = "NOTICE";
	if (db->announce > 0) {
		db->announce--;
		message_info("%s: %s", message.severity, message.text);
	}
	if (db->hooks.notice == NULL)
		return;
	if (message.sqlstate == NULL)
		message.sqlstate = SQLSTATE_SUCCESSFUL_COMPLETION;
	db->hooks.notice(db->hooks.context, &message);
}

void
db_limit(struct db *db, long long limit_ms)
{
	db->limit_ms = limit_ms > 0 ? limit_ms : limit_ms < 0 ? ANSWER_MS : 0;
}

void
db_on_silence(struct db *db, db_silence *silence, void *context)
{
	db->silence = silence;
	db->silence_context = context;
}

void
db_hang_up(struct db *db, const char *why)
{
	if (db->given_up == NULL)
		db->given_up = why;
	if (PQsocket(db->conn) >= 0)
		(void)shutdown(PQsocket(db->conn), SHUT_RDWR);
}

void
db_hooks(struct db *db, const struct db_hooks *hooks)
{
	db->hooks = hooks != NULL ? *hooks : (struct db_hooks){ 0 };
}

enum db_outcome
db_give_up(struct db *db)
{
	if (db->given_up == NULL)
		db->given_up = misfit;
	return db_error_from_connection(db);
}
