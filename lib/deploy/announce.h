/*
 * What others are told of a deploy: when it begins and when it ends a JSON object, for sessions that LISTEN; when it ends a line
 * for the server's log.  Pure; deploy/notify.h sends them.
 */
#ifndef MIG_DEPLOY_ANNOUNCE_H
#define MIG_DEPLOY_ANNOUNCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "records/model.h"

struct announce {
	const struct run *run;
	const struct step *steps;
	size_t count;
	bool ends;
	/* of one that ends: */
	size_t done;                /* steps that are done, those of another deployer included */
	const char *stopped_at;     /* the migration that was not; NULL: all are */
	int exit_code;
	long long took_ms;
	bool ascii;                 /* the database has another encoding than UTF-8, and may lack a character */
};

/* Appends the line of a deploy that ends: one line, without control characters. */
void announce_line(struct bytes *out, const struct announce *announce);

/* Appends the object: shorter than the 8000 bytes that a notification may have. */
void announce_payload(struct bytes *out, const struct announce *announce);

#endif
