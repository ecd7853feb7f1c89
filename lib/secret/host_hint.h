/*
 * What a host is known for, by its name: said where a connection to it fails in the way that it is known for, and nowhere else.
 * Pure.
 */
#ifndef MIG_SECRET_HOST_HINT_H
#define MIG_SECRET_HOST_HINT_H

#include <stdbool.h>

#include "base/bytes.h"
#include "secret/conninfo.h"

enum host_trouble {
	HOST_NOT_REACHED,    /* no server answered */
	HOST_NOT_LOGGED_IN,  /* it refused the user or the password */
	HOST_POOLED          /* a pooler answered, which has no session for us */
};

/* Appends a sentence; returns false if there is none.  `message`: libpq's or the server's. */
bool host_hint(struct bytes *out, const struct conninfo *target, enum host_trouble trouble, const char *message);

#endif
