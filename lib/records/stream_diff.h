/*
 * The records of a stream of kind `diff`: one `diff`, then `difference`, `finding` (records/model.h) and `script`.
 * The structs do not own their texts.
 */
#ifndef MIG_RECORDS_STREAM_DIFF_H
#define MIG_RECORDS_STREAM_DIFF_H

#include "records/record.h"

struct diff_head {
	const char *from_source;     /* "datamodel", "catalog", "replay", "empty" */
	const char *from_origin;
	const char *to_source;
	const char *to_origin;
	long long differences;
	const char *not_compared;    /* list: kinds of objects that only one side can contain */
};

struct diff_difference {
	const char *change;          /* "added", "removed", "changed", "renamed" */
	const char *object;          /* "relation", "column", ...: a kind of record of a schema stream */
	const char *schema;
	const char *relation;
	const char *name;
	const char *from;
	const char *to;
	const char *damage;          /* "loses", "may_fail", "changes", "none" */
	const char *consequence;
};

struct diff_script {
	const char *sql;
};

extern const struct record_form diff_form, difference_form, script_form;

#endif
