/*
 * Makes ids in the forms of Prisma's client: cuid, cuid2, uuid 4 and 7, nanoid, ulid.
 *
 * All their randomness is libsodium's.  The client puts a hash of the host's name and the process id into a cuid; here
 * these four letters are random, and the same in one run.
 */
#ifndef MIG_SEED_CLIENT_IDS_H
#define MIG_SEED_CLIENT_IDS_H

#include <stddef.h>

#include "base/bytes.h"
#include "datamodel/client.h"

struct client_ids {
	unsigned long long ms;       /* since 1970, in ids that contain a time */
	unsigned long counter;       /* of cuids */
	char fingerprint[4];
	unsigned char pool[1024];    /* random bytes that are not used yet: the last `left` */
	size_t left;
};

/* `ms`: the wall clock in milliseconds since 1970. */
void client_ids_begin(struct client_ids *ids, unsigned long long ms);

/* Appends one id.  `function` is none of CLIENT_NOW and CLIENT_UPDATED_AT. */
void client_ids_add(struct client_ids *ids, struct bytes *out, enum client_function function, int length);

#endif
