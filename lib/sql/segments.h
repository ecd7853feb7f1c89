/*
 * What of a script PostgreSQL commits together.
 *
 * A script is a list of segments: statements that are committed together, or one statement that must stand
 * alone.  The rules are those of one simple-protocol message of several statements (manual, "Multiple Statements in
 * a Simple Query"): what stands before a BEGIN belongs to the block that the BEGIN opens; COMMIT and
 * ROLLBACK end what is open, with or without a BEGIN.
 *
 * Pure.
 */
#ifndef MIG_SQL_SEGMENTS_H
#define MIG_SQL_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "sql/sql.h"

enum segment_kind {
	SEGMENT_TOGETHER, /* one transaction, which ends by a COMMIT of ours */
	SEGMENT_COMMIT,   /* one transaction, whose last statement is the script's own COMMIT */
	SEGMENT_PREPARE,  /* the same with PREPARE TRANSACTION: what is in it is not visible afterwards */
	SEGMENT_ROLLBACK, /* its last statement is the script's own ROLLBACK: nothing of it stays */
	SEGMENT_ALONE     /* one statement, outside any transaction */
};

struct segment {
	enum segment_kind kind;
	size_t first, count; /* of the script's statements; COMMIT and ROLLBACK are the last of theirs */
	bool block;          /* it has a BEGIN of its own: the author wants it whole */
};

struct segments {
	struct segment *list;
	size_t count;
	bool open;           /* the last one has a BEGIN and no end: the script leaves a transaction open */
};

struct segments segments_of(const char *text, const struct sql_script *script);
void segments_free(struct segments *segments);

/* The bytes of the text from the first statement to the last, without its semicolon. */
void segment_bytes(const struct sql_script *script, size_t first, size_t count, size_t *start, size_t *end);

#endif
