#include "seed/client_ids.h"

#include <string.h>

#include "check.h"

/* A function → the length of its ids, what they may consist of, and how one of them begins. */
static const struct {
	const char *text;
	size_t len;
	const char *letters, *begin;
} cases[] = {
	{ "cuid()", 25, "0123456789abcdefghijklmnopqrstuvwxyz", "cloyw3v280000" },
	{ "cuid(2)", 24, "0123456789abcdefghijklmnopqrstuvwxyz", "" },
	{ "uuid()", 36, "0123456789abcdef-", "" },
	{ "uuid(4)", 36, "0123456789abcdef-", "" },
	{ "uuid(7)", 36, "0123456789abcdef-", "018bcfe5-6800-7" },
	{ "nanoid()", 21, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_-abcdefghijklmnopqrstuvwxyz", "" },
	{ "nanoid(255)", 255, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_-abcdefghijklmnopqrstuvwxyz", "" },
	{ "ulid()", 26, "0123456789ABCDEFGHJKMNPQRSTVWXYZ", "01HF7YAT00" },
};

static const char *const others[] = { "", "cuid", "cuid(", "cuid()x", "cuid(3)", "cuid(02)", "uuid(1)", "nanoid(1)", "nanoid(256)",
	"nanoid(0)", "ulid(1)", "now(1)", "CUID()", "gen_random_uuid()", "cuid(2", "nanoid(9999)" };

int
main(void)
{
	enum client_function function;
	struct client_ids ids;
	struct bytes one = { 0 }, other = { 0 };
	size_t i;
	int length;

	client_ids_begin(&ids, 1700000000000);
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		one.len = other.len = 0;
		check(cases[i].text, client_function_read(cases[i].text, strlen(cases[i].text), &function, &length));
		client_ids_add(&ids, &one, function, length);
		client_ids_add(&ids, &other, function, length);
		check(cases[i].text, one.len == cases[i].len && strspn(one.data, cases[i].letters) == one.len);
		check("it begins with its time", strncmp(one.data, cases[i].begin, strlen(cases[i].begin)) == 0);
		check("two are not equal", strcmp(one.data, other.data) != 0);
	}
	for (i = 0; i < sizeof others / sizeof *others; i++)
		check(others[i], !client_function_read(others[i], strlen(others[i]), &function, &length));
	bytes_free(&one);
	bytes_free(&other);
	return checks_failed();
}
