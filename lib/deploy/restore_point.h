/*
 * The state before a deploy, to which a backup can be restored: the server's time, its position in the write-ahead log, and
 * where the role may, a named restore point.  The time comes first, because hosts restore by time.
 *
 * No right that is missing stops a deploy: each part is asked by itself, and what cannot be had is null.
 */
#ifndef MIG_DEPLOY_RESTORE_POINT_H
#define MIG_DEPLOY_RESTORE_POINT_H

#include <stdbool.h>

#include "base/bytes.h"
#include "postgres/connection.h"

enum { RESTORE_TIME, RESTORE_LSN, RESTORE_TIMELINE, RESTORE_RIGHTS, RESTORE_ASKS };

struct restore_point {
	struct db_ask asks[RESTORE_ASKS];  /* own the texts */
	const char *server_time;           /* "2026-11-28T03:41:07.123456Z"; NULL: not known, as the others */
	const char *lsn;                   /* "0/1A2B3C8" */
	long long timeline;                /* or NUMBER_UNKNOWN */
	bool may_name;                     /* the role may create a named restore point here */
	bool may_log;                      /* it may run a DO block, and so write a line to the server's log */
};

/* Sends the questions behind those of the next round trip; restore_point_take() has their answers.  May be called again. */
void restore_point_ask(struct restore_point *point, struct db *db);

/*
 * Evaluates the answers.  `again`: asks once more, in a round trip of its own.  Asks for a timeline that was denied in
 * another way, too.
 */
void restore_point_take(struct restore_point *point, struct db *db, bool again);

/* The name of the restore point of a plan: "mig-20261128T034107Z-4f7cb550". */
#define RESTORE_NAME 64
void restore_point_name(const struct restore_point *point, const char *plan_digest, char out[RESTORE_NAME]);

/* Appends "2026-11-28 03:41:07.123+00, before lsn 0/1A2B3C8"; nothing if neither is known. */
void restore_point_text(struct bytes *out, const char *server_time, const char *lsn);

void restore_point_free(struct restore_point *point);

#endif
