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

/* Forgets it, on its way or not. */
void cancel_drop(struct cancel **last);

#endif
