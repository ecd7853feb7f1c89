#include "sql/segments.h"

#include <stdlib.h>

#include "base/bytes.h"

static enum segment_kind
kind_of_end(const char *text, const struct sql_statement *statement)
{
	struct sql_token first = sql_token(text, statement->end, statement->start);

	if (statement->kind == SQL_ROLLBACK)
		return SEGMENT_ROLLBACK;
	return sql_is(text, first, "PREPARE") ? SEGMENT_PREPARE : SEGMENT_COMMIT;
}

struct segments
segments_of(const char *text, const struct sql_script *script)
{
	struct segments out = { 0 };
	struct segment *open = NULL; /* the one that the next statement joins */
	size_t cap = 0, i;

	for (i = 0; i < script->count; i++) {
		const struct sql_statement *s = &script->statements[i];
		bool alone = s->kind == SQL_ALONE && (open == NULL || !open->block);

		if (open == NULL || alone) {
			ARRAY_ROOM(out.list, out.count, cap);
			open = &out.list[out.count++];
			*open = (struct segment){ .first = i };
		}
		open->count++;
		open->block |= s->kind == SQL_BEGIN;
		if (alone)
			open->kind = SEGMENT_ALONE;
		else if (s->kind == SQL_COMMIT || s->kind == SQL_ROLLBACK)
			open->kind = kind_of_end(text, s);
		if (open->kind != SEGMENT_TOGETHER) {
			open = NULL;
			/* AND CHAIN: what follows is a block, as if by BEGIN */
			if (s->chain && i + 1 < script->count) {
				ARRAY_ROOM(out.list, out.count, cap);
				open = &out.list[out.count++];
				*open = (struct segment){ .first = i + 1, .block = true };
			}
		}
	}
	out.open = script->count > 0 && ((open != NULL && open->block) || script->statements[script->count - 1].chain);
	return out;
}

void
segments_free(struct segments *segments)
{
	free(segments->list);
	*segments = (struct segments){ 0 };
}

void
segment_bytes(const struct sql_script *script, size_t first, size_t count, size_t *start, size_t *end)
{
	*start = *end = 0;
	if (count == 0)
		return;
	*start = script->statements[first].start;
	*end = script->statements[first + count - 1].end;
}
