/* Whether two defaults are the same to Prisma. */
#include <string.h>
#include <strings.h>

#include "diff/diff_internal.h"
#include "records/json_value.h"

static bool
is_time(const struct column *c)
{
	enum native n = c->type_kind == TYPE_NATIVE ? native_find(c->type) : NATIVE_COUNT;

	return n == NATIVE_DATE || n == NATIVE_TIME || n == NATIVE_TIMETZ || n == NATIVE_TIMESTAMP || n == NATIVE_TIMESTAMPTZ;
}

/* --- literals --- */

/* Digits without zeros that mean nothing: in front, and behind the last of a fraction. */
struct number {
	bool negative;
	const char *whole, *fraction;
	size_t whole_length, fraction_length;
};

static struct number
number_of(const char *text)
{
	struct number n = { .negative = *text == '-' };
	size_t digits;

	text += *text == '-' || *text == '+';
	digits = strspn(text, "0123456789");
	n.fraction = text[digits] == '.' ? text + digits + 1 : "";
	n.fraction_length = strspn(n.fraction, "0123456789");
	while (digits > 0 && *text == '0') {
		text++;
		digits--;
	}
	while (n.fraction_length > 0 && n.fraction[n.fraction_length - 1] == '0')
		n.fraction_length--;
	n.whole = text;
	n.whole_length = digits;
	n.negative = n.negative && digits + n.fraction_length > 0;
	return n;
}

static bool
numbers_equal(const char *a, const char *b)
{
	struct number x = number_of(a), y = number_of(b);

	return x.negative == y.negative && x.whole_length == y.whole_length && x.fraction_length == y.fraction_length &&
	    memcmp(x.whole, y.whole, x.whole_length) == 0 && memcmp(x.fraction, y.fraction, x.fraction_length) == 0;
}

static bool
is_text(enum literal_kind kind)
{
	return kind == LITERAL_STRING || kind == LITERAL_JSON;
}

static bool
literals_equal(enum literal_kind a, const char *x, enum literal_kind b, const char *y)
{
	if (is_text(a) && is_text(b) && (a == LITERAL_JSON || b == LITERAL_JSON))
		return json_is_same(x, y);
	if ((a == LITERAL_STRING || a == LITERAL_ENUM) && (b == LITERAL_STRING || b == LITERAL_ENUM))
		return strcmp(x, y) == 0;
	if (a != b)
		return false;
	if (a == LITERAL_DECIMAL || a == LITERAL_INTEGER)
		return numbers_equal(x, y);
	return a == LITERAL_BYTES ? strcasecmp(x, y) == 0 : strcmp(x, y) == 0;
}

static bool
elements_equal(enum literal_kind a, const char *x, enum literal_kind b, const char *y)
{
	if (a == LITERAL_TIME || b == LITERAL_TIME)
		return true;
	if (is_text(a) && is_text(b))
		return a == b ? strcmp(x, y) == 0 : json_is_same(x, y); /* two JSON texts in lists only as texts */
	return a == b && literals_equal(a, x, b, y);
}

static bool
lists_equal(const struct column_default *p, const struct column_default *n)
{
	size_t i;

	if (p->list.count != n->list.count)
		return false;
	for (i = 0; i < p->list.count; i++)
		if (!elements_equal(p->literal, p->list.items[i], n->literal, n->list.items[i]))
			return false;
	return true;
}

/* --- defaults --- */

static bool
is_time_value(const struct column_default *d)
{
	return d->kind == DEFAULT_VALUE && d->literal == LITERAL_TIME;
}

static bool
is_value(const struct column_default *d)
{
	return d->kind == DEFAULT_VALUE || d->kind == DEFAULT_LIST;
}

static bool
values_equal(const struct column_default *p, const struct column_default *n)
{
	if (p->kind == DEFAULT_LIST && n->kind == DEFAULT_LIST)
		return lists_equal(p, n);
	return p->kind == n->kind && literals_equal(p->literal, p->text, n->literal, n->text);
}

/* From anything but an empty expression on the new side. */
static bool
kinds_equal(const struct column_default *p, const struct column_default *n)
{
	switch (p->kind) {
	case DEFAULT_VALUE:
	case DEFAULT_LIST:
		if (is_value(n))
			return values_equal(p, n);
		return n->kind == DEFAULT_SEQUENCE;
	case DEFAULT_NOW:
		return n->kind == DEFAULT_NOW || n->kind == DEFAULT_SEQUENCE;
	case DEFAULT_SEQUENCE:
		return n->kind == DEFAULT_NONE || n->kind == DEFAULT_SEQUENCE;
	case DEFAULT_NONE:
		return n->kind == DEFAULT_NONE || n->kind == DEFAULT_SEQUENCE;
	case DEFAULT_EXPRESSION:
		if (n->kind == DEFAULT_EXPRESSION)
			return p->text != NULL && strcasecmp(p->text, n->text) == 0;
		return n->kind == DEFAULT_SEQUENCE;
	}
	return false;
}

bool
defaults_equal(const struct column *from, const struct column *to)
{
	const struct column_default *p = &from->value, *n = &to->value;
	bool time = is_time(from) || is_time(to);

	if (time && ((p->kind == DEFAULT_EXPRESSION && n->kind == DEFAULT_LIST) ||
	                (p->kind == DEFAULT_LIST && n->kind == DEFAULT_EXPRESSION)))
		return true;
	if ((is_time_value(p) && n->kind != DEFAULT_NONE) || (is_time_value(n) && p->kind != DEFAULT_NONE))
		return true;
	if (n->kind == DEFAULT_EXPRESSION && n->text == NULL)
		return true;
	return kinds_equal(p, n);
}
