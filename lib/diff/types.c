/* What becomes of the values of a column when its type changes, by Prisma's rules. */
#include <string.h>

#include "diff/diff_internal.h"

/* A native type with its arguments; the first one is -1 where there is none. */
struct type {
	enum native native;
	int count;
	long long first, second;
};

static struct type
type_of(const struct column *c)
{
	struct type t = { native_find(c->type), c->argument_count, -1, -1 };

	if (t.count > 0)
		t.first = c->arguments[0];
	if (t.count > 1)
		t.second = c->arguments[1];
	return t;
}

static bool
is_one_of(enum native n, const enum native *list, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (list[i] == n)
			return true;
	return false;
}
#define ONE_OF(n, ...)                                                                            \
	is_one_of((n), (const enum native[]){ __VA_ARGS__ },                                      \
	    sizeof((const enum native[]){ __VA_ARGS__ }) / sizeof(enum native))

static bool
is_char(struct type t)
{
	return t.native == NATIVE_CHAR || t.native == NATIVE_VARCHAR;
}

/* A text of any length. */
static bool
is_long_text(struct type t)
{
	return t.native == NATIVE_TEXT || (t.native == NATIVE_VARCHAR && t.first < 0);
}

/* A cast to a text type with a length limit. */
static enum cast
to_char(struct type to, long long length)
{
	if (to.first >= 0)
		return to.first < length ? CAST_RISKY : CAST_SAFE;
	return to.native == NATIVE_CHAR ? CAST_RISKY : CAST_SAFE;
}

static enum cast
from_integer(struct type from, struct type to)
{
	static const struct {
		enum native native;
		long long digits, length;
	} sizes[] = { { NATIVE_SMALLINT, 3, 4 }, { NATIVE_INTEGER, 10, 11 }, { NATIVE_BIGINT, 19, 20 } };
	size_t i = from.native == NATIVE_SMALLINT ? 0 : from.native == NATIVE_INTEGER ? 1 : 2, k;

	for (k = 0; k < 3; k++)
		if (to.native == sizes[k].native)
			return k > i ? CAST_SAFE : CAST_RISKY;
	if (to.native == NATIVE_DECIMAL)
		return to.count > 0 && to.first - to.second < sizes[i].digits ? CAST_RISKY : CAST_SAFE;
	if (ONE_OF(to.native, NATIVE_REAL, NATIVE_DOUBLE, NATIVE_TEXT))
		return CAST_SAFE;
	return is_char(to) ? to_char(to, sizes[i].length) : CAST_IMPOSSIBLE;
}

static enum cast
decimal_to_decimal(struct type from, struct type to)
{
	if (to.count == 0)
		return CAST_SAFE;
	if (from.count == 0)
		return to.first < 131072 || to.second < 16383 ? CAST_RISKY : CAST_SAFE;
	return from.first - from.second > to.first - to.second || from.second > to.second ? CAST_RISKY : CAST_SAFE;
}

static enum cast
from_decimal(struct type from, struct type to)
{
	long long most = to.native == NATIVE_SMALLINT ? 2 : to.native == NATIVE_INTEGER ? 9 : 18;

	if (ONE_OF(to.native, NATIVE_SMALLINT, NATIVE_INTEGER, NATIVE_BIGINT))
		return from.count == 0 || from.second > 0 || from.first > most ? CAST_RISKY : CAST_SAFE;
	if (to.native == NATIVE_DECIMAL)
		return decimal_to_decimal(from, to);
	if (ONE_OF(to.native, NATIVE_REAL, NATIVE_DOUBLE))
		return CAST_RISKY;
	if (is_char(to))
		return to_char(to, from.count == 0 ? 131073 : from.first + (from.second > 0 ? 2 : 1));
	return to.native == NATIVE_TEXT ? CAST_SAFE : CAST_IMPOSSIBLE;
}

static enum cast
from_float(struct type from, struct type to)
{
	if (ONE_OF(to.native, NATIVE_SMALLINT, NATIVE_INTEGER, NATIVE_BIGINT, NATIVE_DECIMAL, NATIVE_REAL))
		return CAST_RISKY;
	if (ONE_OF(to.native, NATIVE_DOUBLE, NATIVE_TEXT))
		return CAST_SAFE;
	return is_char(to) ? to_char(to, from.native == NATIVE_REAL ? 47 : 317) : CAST_IMPOSSIBLE;
}

static enum cast
from_char(struct type from, struct type to)
{
	if (to.native == NATIVE_TEXT)
		return CAST_SAFE;
	if (!is_char(to))
		return CAST_IMPOSSIBLE;
	if (from.native == NATIVE_VARCHAR && from.first < 0 && (to.first >= 0 || to.native == NATIVE_CHAR))
		return CAST_RISKY;
	if (from.first < 0 || (from.first == 1 && to.first < 0))
		return CAST_SAFE;
	if (to.first < 0)
		return to.native == NATIVE_CHAR ? CAST_RISKY : CAST_SAFE;
	return from.first > to.first ? CAST_RISKY : CAST_SAFE;
}

static enum cast
from_time(struct type from, struct type to)
{
	static const struct {
		enum native native;
		long long length;     /* of its text: more than this are enough */
		enum native to[5];
	} rows[] = {
		{ NATIVE_TIMESTAMP, 22, { NATIVE_TIMESTAMP, NATIVE_TIMESTAMPTZ, NATIVE_DATE, NATIVE_TIME, NATIVE_TIMETZ } },
		{ NATIVE_TIMESTAMPTZ, 27, { NATIVE_TIMESTAMP, NATIVE_TIMESTAMPTZ, NATIVE_DATE, NATIVE_TIME, NATIVE_TIMETZ } },
		{ NATIVE_DATE, 27, { NATIVE_TIMESTAMP, NATIVE_TIMESTAMPTZ, NATIVE_COUNT, NATIVE_COUNT, NATIVE_COUNT } },
		{ NATIVE_TIME, 13, { NATIVE_TIMETZ, NATIVE_COUNT, NATIVE_COUNT, NATIVE_COUNT, NATIVE_COUNT } },
		{ NATIVE_TIMETZ, 18, { NATIVE_TIMETZ, NATIVE_TIME, NATIVE_COUNT, NATIVE_COUNT, NATIVE_COUNT } },
	};
	size_t i = 0;

	while (rows[i].native != from.native)
		i++;
	if (is_long_text(to))
		return CAST_SAFE;
	if (is_char(to) && to.first >= 0)
		return to.first > rows[i].length ? CAST_SAFE : CAST_IMPOSSIBLE;
	if (from.native == to.native && (from.first < 0 || to.first < 0))
		return CAST_NONE;
	return to.native != NATIVE_COUNT && is_one_of(to.native, rows[i].to, 5) ? CAST_SAFE : CAST_IMPOSSIBLE;
}

static enum cast
from_boolean(struct type to)
{
	if (to.native == NATIVE_TEXT || to.native == NATIVE_VARCHAR)
		return CAST_SAFE;
	if (to.native != NATIVE_CHAR || to.first < 4)
		return CAST_IMPOSSIBLE;
	return to.first > 4 ? CAST_SAFE : CAST_RISKY;
}

static enum cast
from_bit(struct type from, struct type to)
{
	if (from.first < 0)
		return ONE_OF(to.native, NATIVE_TEXT, NATIVE_VARCHAR, NATIVE_CHAR, NATIVE_VARBIT) ? CAST_SAFE : CAST_IMPOSSIBLE;
	if (is_long_text(to) || (to.native == NATIVE_VARBIT && to.first < 0))
		return CAST_SAFE;
	return ONE_OF(to.native, NATIVE_VARCHAR, NATIVE_VARBIT, NATIVE_CHAR) && to.first >= from.first ? CAST_SAFE
	                                                                                               : CAST_IMPOSSIBLE;
}

static enum cast
from_varbit(struct type from, struct type to)
{
	if (is_long_text(to))
		return CAST_SAFE;
	if (from.first < 0)
		return ONE_OF(to.native, NATIVE_VARCHAR, NATIVE_CHAR, NATIVE_BIT) ? CAST_RISKY : CAST_IMPOSSIBLE;
	if (to.native == NATIVE_VARBIT)
		return to.first < 0 || to.first > from.first ? CAST_SAFE : CAST_IMPOSSIBLE;
	if (is_char(to))
		return to.first >= from.first ? CAST_SAFE : CAST_RISKY;
	return to.native == NATIVE_BIT && to.first <= from.first ? CAST_RISKY : CAST_IMPOSSIBLE;
}


static enum cast
from_bytes(struct type to)
{
	if (is_long_text(to))
		return CAST_SAFE;
	return is_char(to) && to.first > 2 ? CAST_RISKY : CAST_IMPOSSIBLE;
}

static enum cast
from_json(struct type to, bool json)
{
	if (is_long_text(to) || (json && ONE_OF(to.native, NATIVE_JSON, NATIVE_JSONB)))
		return CAST_SAFE;
	return is_char(to) ? CAST_RISKY : CAST_IMPOSSIBLE;
}

static enum cast
native_cast(struct type from, struct type to)
{
	bool text = ONE_OF(to.native, NATIVE_TEXT, NATIVE_VARCHAR);

	if (from.native == to.native && from.count == to.count && from.first == to.first && from.second == to.second)
		return CAST_NONE;
	switch (from.native) {
	case NATIVE_INET:
		return text || to.native == NATIVE_CITEXT ? CAST_SAFE : CAST_IMPOSSIBLE;
	case NATIVE_MONEY:
		return text || to.native == NATIVE_CITEXT ? CAST_SAFE : CAST_RISKY;
	case NATIVE_CITEXT:
		return text ? CAST_SAFE : CAST_RISKY;
	case NATIVE_OID:
		return text || ONE_OF(to.native, NATIVE_INTEGER, NATIVE_BIGINT) ? CAST_SAFE : CAST_IMPOSSIBLE;
	case NATIVE_SMALLINT:
	case NATIVE_INTEGER:
	case NATIVE_BIGINT:
		return from_integer(from, to);
	case NATIVE_DECIMAL:
		return from_decimal(from, to);
	case NATIVE_REAL:
	case NATIVE_DOUBLE:
		return from_float(from, to);
	case NATIVE_VARCHAR:
	case NATIVE_CHAR:
		return from_char(from, to);
	case NATIVE_TEXT:
		if (to.native == NATIVE_CITEXT || is_long_text(to))
			return CAST_SAFE;
		return is_char(to) ? CAST_RISKY : CAST_IMPOSSIBLE;
	case NATIVE_BYTEA:
		return from_bytes(to);
	case NATIVE_TIMESTAMP:
	case NATIVE_TIMESTAMPTZ:
	case NATIVE_DATE:
	case NATIVE_TIME:
	case NATIVE_TIMETZ:
		return from_time(from, to);
	case NATIVE_BOOLEAN:
		return from_boolean(to);
	case NATIVE_BIT:
		return from_bit(from, to);
	case NATIVE_VARBIT:
		return from_varbit(from, to);
	case NATIVE_UUID:
		return is_long_text(to) || (is_char(to) && to.first > 31) ? CAST_SAFE : CAST_IMPOSSIBLE;
	case NATIVE_XML:
		return from_json(to, false);
	case NATIVE_JSON:
	case NATIVE_JSONB:
		return from_json(to, true);
	case NATIVE_COUNT:
		break;
	}
	return CAST_IMPOSSIBLE;
}

enum cast
cast_of(const struct column *from, const struct column *to)
{
	bool from_list = from->arity == ARITY_LIST, to_list = to->arity == ARITY_LIST;

	if (from->type_kind == TYPE_ENUM && to->type_kind == TYPE_ENUM)
		return strcmp(from->type, to->type) == 0 && text_equal(from->type_schema, to->type_schema) ? CAST_NONE
		                                                                                            : CAST_IMPOSSIBLE;
	if (from->type_kind == TYPE_ENUM || to->type_kind == TYPE_ENUM)
		return CAST_IMPOSSIBLE;
	if (from_list && !to_list && to->type_kind == TYPE_NATIVE) {
		struct type t = type_of(to);

		if (is_long_text(t))
			return CAST_SAFE;
		return is_char(t) ? CAST_RISKY : CAST_IMPOSSIBLE;
	}
	if (from_list != to_list)
		return CAST_IMPOSSIBLE;
	if (from->type_kind == TYPE_NATIVE && to->type_kind == TYPE_NATIVE)
		return native_cast(type_of(from), type_of(to));
	return from->type_kind == to->type_kind ? CAST_NONE : CAST_RISKY;
}
