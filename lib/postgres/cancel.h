/*
 * Cancel requests that never block: a server, or a proxy in front of it, may accept the connection for one and
 * then stay silent.  Up to release 16, libpq only has blocking calls for them, so each request runs in a thread of
 * its own.
 */
#ifndef MIG_POSTGRES_CANCEL_H
#define MIG_POSTGRES_CANCEL_H

struct pg_conn;
struct cancel;

/*
 * Asks the server to cancel what runs on conn.  *last is the previous request, or NULL; the caller frees it with
 * cancel_drop().  Sends nothing while the previous request is in flight, up to the time limit for its delivery.
 */
void cancel_send(struct cancel **last, struct pg_conn *conn);

/*
 * Call it before sending something else on that connection, or closing it: waits until the request has arrived,
 * usually a millisecond, and no longer than the time limit for its delivery.  A late request would cancel the next
 * statement.  Disconnecting from a pooler in the middle of its cancel request can crash the pooler (pgbouncer
 * 1.18).
 */
void cancel_settle(struct cancel **last);

/* Frees the request, in flight or not. */
void cancel_drop(struct cancel **last);

#endif
