/*
 * Splits a script into the parts that PostgreSQL commits together.
 *
 * A script is a list of segments: statements that are committed together, or one non-transactional statement.  The
 * rules are those of a simple-protocol message with several statements (manual, "Multiple Statements in a Simple
 * Query"): statements before a BEGIN belong to the block that the BEGIN opens; COMMIT and ROLLBACK end the open
 * transaction, with or without a BEGIN.
 *
 * Pure.
 */
#ifndef MIG_SQL_SEGMENTS_H
#define MIG_SQL_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "sql/sql.h"

enum segment_kind {
	SEGMENT_TOGETHER, /* one transaction, which we end with COMMIT */
	SEGMENT_COMMIT,   /* one transaction, which ends with the script's own COMMIT */
	SEGMENT_PREPARE,  /* the same with PREPARE TRANSACTION: its work is not visible afterwards */
	SEGMENT_ROLLBACK, /* one transaction, which ends with the script's own ROLLBACK: none of its work stays */
	SEGMENT_ALONE     /* one non-transactional statement */
};

struct segment {
	enum segment_kind kind;
	size_t first, count; /* statements of the script; a COMMIT or ROLLBACK is the last of its segment */
	bool block;          /* it has a BEGIN of its own: the author wants it atomic */
};

struct segments {
	struct segment *list;
	size_t count;
	bool open;           /* the last segment has a BEGIN and no end: the script leaves a transaction open */
};

struct segments segments_of(const char *text, const struct sql_script *script);
void segments_free(struct segments *segments);

/* The byte range of the text from the first statement to the last, without the last semicolon. */
void segment_bytes(const struct sql_script *script, size_t first, size_t count, size_t *start, size_t *end);

#endif
