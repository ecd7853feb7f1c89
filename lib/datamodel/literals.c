/* Literal values of defaults. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "datamodel/datamodel_internal.h"
#include "records/json_value.h"

static bool
is_scalar(const struct field *f, const char *scalar)
{
	return f->kind == FIELD_SCALAR && strcmp(f->scalar, scalar) == 0;
}

/* --- numbers --- */

static const char *
read_integer(struct datamodel *d, const struct field *f, const struct expression *value)
{
	const char *digits = value->text + (value->text[0] == '-');
	const char *most = value->text[0] == '-' ? "9223372036854775808" : "9223372036854775807";

	if (strchr(value->text, '.') != NULL) {
		(void)wrong(d, value->place, "%s is %s: its default must be a whole number", f->decl->name, f->scalar);
		return NULL;
	}
	while (digits[0] == '0' && digits[1] != '\0')
		digits++;
	if (strlen(digits) > strlen(most) || (strlen(digits) == strlen(most) && strcmp(digits, most) > 0)) {
		(void)wrong(d, value->place, "%s: the default %s is too large", f->decl->name, value->text);
		return NULL;
	}
	return arena_format(d->arena, "%s%s", value->text[0] == '-' && digits[0] != '0' ? "-" : "", digits);
}

/* A number as a string may have: digits before and behind the dot, which underscores may part, and an exponent. */
struct decimal {
	bool negative;
	struct bytes digits;
	long fraction;          /* the number of digits after the point; if negative, the number of zeros that
	                         * follow */
};
enum { EXPONENT_MAX = 1000 };

static bool
parse_decimal(const char *p, struct decimal *d)
{
	bool dot = false;
	char *end;
	long exponent;

	d->negative = *p == '-';
	p += *p == '-' || *p == '+';
	if (*p == '_')
		return false;
	for (; (*p >= '0' && *p <= '9') || *p == '_' || (*p == '.' && !dot); p++) {
		dot = dot || *p == '.';
		if (*p == '_' || *p == '.')
			continue;
		bytes_char(&d->digits, *p);
		d->fraction += dot;
	}
	if (d->digits.len == 0)
		return false;
	if (*p == '\0')
		return true;
	if ((*p != 'e' && *p != 'E') || strspn(p + 1, "+-0123456789") == 0)
		return false;
	exponent = strtol(p + 1, &end, 10);
	if (end == p + 1 || *end != '\0' || exponent > EXPONENT_MAX || exponent < -EXPONENT_MAX)
		return false;
	d->fraction -= exponent;
	return true;
}

/* Without exponent and without superfluous zeros in front; those behind stay. */
static const char *
format_decimal(struct datamodel *m, struct decimal *d)
{
	bool zero = strspn(d->digits.data, "0") == d->digits.len;
	const char *digits = d->digits.data;
	struct bytes out = { 0 };
	const char *text;
	long whole;

	for (; d->fraction < 0; d->fraction++)
		bytes_char(&d->digits, '0');
	digits = d->digits.data;
	whole = (long)d->digits.len - d->fraction;
	for (; whole > 1 && *digits == '0'; whole--)
		digits++;
	bytes_str(&out, d->negative && !zero ? "-" : "");
	if (whole <= 0)
		bytes_char(&out, '0');
	else
		bytes_add(&out, digits, (size_t)whole);
	if (d->fraction > 0)
		bytes_char(&out, '.');
	for (; whole < 0; whole++)
		bytes_char(&out, '0');
	bytes_str(&out, d->fraction > 0 ? d->digits.data + d->digits.len - (d->fraction < (long)d->digits.len ? d->fraction
	                                                                                   : (long)d->digits.len)
	                                : "");
	text = arena_text(m->arena, out.data, out.len);
	bytes_free(&out);
	return text;
}

static const char *
read_decimal(struct datamodel *m, const struct field *f, const struct expression *value)
{
	struct decimal d = { 0 };
	const char *text = NULL;

	if (parse_decimal(value->text, &d))
		text = format_decimal(m, &d);
	else
		(void)wrong(m, value->place, "%s: \"%s\" is not a decimal number", f->decl->name, value->text);
	bytes_free(&d.digits);
	return text;
}

/* --- times --- */

struct time_text {
	int year, month, day, hour, minute, second;
	char sign;
	int offset_hour, offset_minute;
};

/* So many digits at *p. */
static bool
take_digits(const char **p, int count, int *number)
{
	*number = 0;
	for (; count > 0; count--, ++*p) {
		if (**p < '0' || **p > '9')
			return false;
		*number = *number * 10 + (**p - '0');
	}
	return true;
}

static bool
take_char(const char **p, const char *any)
{
	if (**p == '\0' || strchr(any, **p) == NULL)
		return false;
	++*p;
	return true;
}

static int
days_of(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* RFC 3339; *fraction has what stands behind the dot, *digits how much of it. */
static bool
parse_time(const char *p, struct time_text *t, const char **fraction, size_t *digits)
{
	if (!take_digits(&p, 4, &t->year) || !take_char(&p, "-") || !take_digits(&p, 2, &t->month) || !take_char(&p, "-") ||
	    !take_digits(&p, 2, &t->day) || !take_char(&p, "Tt ") || !take_digits(&p, 2, &t->hour) || !take_char(&p, ":") ||
	    !take_digits(&p, 2, &t->minute) || !take_char(&p, ":") || !take_digits(&p, 2, &t->second))
		return false;
	if (t->month < 1 || t->month > 12 || t->day < 1 || t->day > days_of(t->year, t->month) || t->hour > 23 ||
	    t->minute > 59 || t->second > 60)
		return false;
	*fraction = p;
	*digits = 0;
	if (take_char(&p, ".")) {
		*fraction = p;
		*digits = strspn(p, "0123456789");
		p += *digits;
		if (*digits == 0)
			return false;
	}
	if (take_char(&p, "Zz")) {
		t->sign = '+';
		return *p == '\0';
	}
	t->sign = *p;
	return take_char(&p, "+-") && take_digits(&p, 2, &t->offset_hour) && take_char(&p, ":") &&
	    take_digits(&p, 2, &t->offset_minute) && *p == '\0' && t->offset_hour < 24 && t->offset_minute < 60;
}

/* The fraction as 0, 3, 6 or 9 digits, as few as keep its value. */
static void
format_fraction(char out[12], const char *fraction, size_t digits)
{
	char nine[10] = "000000000";
	size_t keep = 9;

	memcpy(nine, fraction, digits < 9 ? digits : 9);
	while (keep > 0 && memcmp(nine + keep - 3, "000", 3) == 0)
		keep -= 3;
	snprintf(out, 12, "%s%.*s", keep > 0 ? "." : "", (int)keep, nine);
}

static const char *
read_time(struct datamodel *d, const struct field *f, const struct expression *value)
{
	struct time_text t = { 0 };
	const char *fraction;
	char shown[12];
	size_t digits;

	if (!parse_time(value->text, &t, &fraction, &digits)) {
		(void)wrong(d, value->place, "%s: \"%s\" is not a time such as 2020-01-31T10:20:30Z", f->decl->name, value->text);
		return NULL;
	}
	format_fraction(shown, fraction, digits);
	if (t.offset_hour == 0 && t.offset_minute == 0)
		t.sign = '+';
	return arena_format(d->arena, "%04d-%02d-%02d %02d:%02d:%02d%s %c%02d:%02d", t.year, t.month, t.day, t.hour, t.minute,
	    t.second, shown, t.sign, t.offset_hour, t.offset_minute);
}

/* --- bytes --- */

/* Base64 with its padding, to hexadecimal digits. */
static const char *
read_bytes(struct datamodel *d, const struct field *f, const struct expression *value)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = strlen(value->text), padding = 0, i;
	struct bytes hex = { 0 };
	unsigned long bits = 0;
	const char *result = NULL;
	bool good;

	while (padding < 2 && padding < len && value->text[len - 1 - padding] == '=')
		padding++;
	good = len % 4 == 0;
	for (i = 0; good && i < len; i++) {
		const char *found = i < len - padding ? strchr(alphabet, value->text[i]) : alphabet;

		good = found != NULL;
		bits = bits << 6 | (unsigned long)(good ? found - alphabet : 0);
		if (i % 4 == 3) {
			bool last = i == len - 1;

			bytes_format(&hex, "%02lx", bits >> 16 & 0xFF);
			if (!last || padding < 2)
				bytes_format(&hex, "%02lx", bits >> 8 & 0xFF);
			if (!last || padding < 1)
				bytes_format(&hex, "%02lx", bits & 0xFF);
			good = !last || padding == 0 || (bits & (padding == 1 ? 0xFF : 0xFFFF)) == 0;
			bits = 0;
		}
	}
	if (good)
		result = arena_text(d->arena, bytes_text(&hex), hex.len);
	else
		(void)wrong(d, value->place, "%s: \"%s\" is not base64", f->decl->name, value->text);
	bytes_free(&hex);
	return result;
}

/* --- all --- */

static const char *
read_enum_value(struct datamodel *d, const struct field *f, const struct expression *value)
{
	const struct field_decl *v = f->enum_decl->block->fields;
	size_t i;

	if (!expect_kind(d, value, EXPRESSION_NAME, "the default of an enum"))
		return NULL;
	for (i = 0; v != NULL; v = v->next, i++)
		if (strcmp(v->name, value->text) == 0)
			return f->enum_decl->values[i];
	(void)wrong(d, value->place, "%s: the enum %s has no value %s", f->decl->name, f->enum_decl->block->name, value->text);
	return NULL;
}

static const char *
not_of_type(struct datamodel *d, const struct field *f, const struct expression *value)
{
	static const char *const shown[] = { "a string", "a number", "a constant", "a function", "a list" };

	(void)wrong(d, value->place, "%s is %s: its default cannot be %s", f->decl->name, f->scalar, shown[value->kind]);
	return NULL;
}

static const char *
read_string(struct datamodel *d, const struct field *f, const struct expression *value, enum literal_kind *literal)
{
	if (is_scalar(f, "String")) {
		*literal = LITERAL_STRING;
		return value->text;
	}
	if (is_scalar(f, "Json")) {
		*literal = LITERAL_JSON;
		if (json_is_valid(value->text))
			return value->text;
		(void)wrong(d, value->place, "%s: its default is not JSON", f->decl->name);
		return NULL;
	}
	if (is_scalar(f, "Bytes")) {
		*literal = LITERAL_BYTES;
		return read_bytes(d, f, value);
	}
	if (is_scalar(f, "DateTime")) {
		*literal = LITERAL_TIME;
		return read_time(d, f, value);
	}
	if (is_scalar(f, "Decimal")) {
		*literal = LITERAL_DECIMAL;
		return read_decimal(d, f, value);
	}
	return not_of_type(d, f, value);
}

const char *
read_literal(struct datamodel *d, const struct field *f, const struct expression *value, enum literal_kind *literal)
{
	if (f->kind == FIELD_ENUM) {
		*literal = LITERAL_ENUM;
		return read_enum_value(d, f, value);
	}
	if (value->kind == EXPRESSION_STRING)
		return read_string(d, f, value, literal);
	if (value->kind == EXPRESSION_NUMBER && (is_scalar(f, "Int") || is_scalar(f, "BigInt"))) {
		*literal = LITERAL_INTEGER;
		return read_integer(d, f, value);
	}
	if (value->kind == EXPRESSION_NUMBER && (is_scalar(f, "Float") || is_scalar(f, "Decimal"))) {
		*literal = LITERAL_DECIMAL;
		return read_decimal(d, f, value);
	}
	if (value->kind == EXPRESSION_NAME && is_scalar(f, "Boolean")) {
		*literal = LITERAL_BOOLEAN;
		if (strcmp(value->text, "true") == 0 || strcmp(value->text, "false") == 0)
			return value->text;
	}
	return not_of_type(d, f, value);
}
