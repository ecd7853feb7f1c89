#include "records/stream_diff.h"

#include <stdbool.h>
#include <stddef.h>

#include "records/form.h"

static const struct field diff_fields[] = {
	TEXT(diff_head, from_source),
	TEXT_OR_NULL(diff_head, from_origin),
	TEXT(diff_head, to_source),
	TEXT_OR_NULL(diff_head, to_origin),
	NUMBER(diff_head, differences),
	TEXT_LIST(diff_head, not_compared),
	LAST,
};
const struct record_form diff_form = { "diff", diff_fields };

static const struct field difference_fields[] = {
	TEXT(diff_difference, change),
	TEXT(diff_difference, object),
	TEXT_OR_NULL(diff_difference, schema),
	TEXT_OR_NULL(diff_difference, relation),
	TEXT(diff_difference, name),
	TEXT_OR_NULL(diff_difference, from),
	TEXT_OR_NULL(diff_difference, to),
	TEXT(diff_difference, damage),
	TEXT_OR_NULL(diff_difference, consequence),
	LAST,
};
const struct record_form difference_form = { "difference", difference_fields };

static const struct field script_fields[] = {
	TEXT(diff_script, sql),
	LAST,
};
const struct record_form script_form = { "script", script_fields };
