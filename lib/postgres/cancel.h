/*
 * Cancel requests that never wait: a server, or what stands in front of it, may take the connection for one and be
 * silent.  libpq sends them only with calls that block (up to release 16), so each goes in a thread of its own.
 */
#ifndef MIG_POSTGRES_CANCEL_H
#define MIG_POSTGRES_CANCEL_H

struct pg_conn;
struct cancel;

/*
 * Asks the server to end what runs on conn.  *last is the request before, or NULL, and the caller's for cancel_drop():
 * while it is on its way nothing is sent, up to a time in which it should have arrived.
 */
void cancel_send(struct cancel **last, struct pg_conn *conn);

/*
 * Before something else is sent on that connection, or it is closed: waits until the request has arrived, as a rule a
 * millisecond, and no longer than the time in which it should have.  One that comes late would end the next statement;
 * and who hangs up on a pooler in the middle of its cancel request can end the pooler (pgbouncer 1.18 does so).
 */
void cancel_settle(struct cancel **last);

/* Forgets it, on its way or not. */
void cancel_drop(struct cancel **last);

#endif
