/*
 * libFuzzer (make fuzzers): build/fuzz/fuzz_target -max_total_time=300 CORPUS
 *
 * Connection strings.  Beside crashes it looks for what must never happen: a span outside the input, an error without a
 * rule, and a field that depends on what the password is.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "secret/conninfo.h"
#include "fuzz.h"

static void
add_field(struct bytes *all, const char *text)
{
	bytes_format(all, "%s\n", text != NULL ? text : "(none)");
}

static void
describe(struct bytes *all, const struct conninfo *t)
{
	size_t i;

	add_field(all, t->host);
	add_field(all, t->port);
	add_field(all, t->user);
	add_field(all, t->database);
	add_field(all, t->schema);
	add_field(all, conninfo_first_host(t));
	bytes_format(all, "%d %d %d %d\n", conninfo_first_port(t), t->is_url, t->is_name, t->pooled);
	for (i = 0; i < t->count; i++) {
		add_field(all, t->parameters[i].keyword);
		add_field(all, t->parameters[i].value);
	}
	for (i = 0; i < t->ignored_count; i++)
		add_field(all, t->ignored[i]);
}

/* With another password of the same length all else has to be the same. */
static void
check_independence(const char *text, size_t size, const struct conninfo_password *password,
    const struct bytes *before)
{
	char *masked = xstrndup(text, size);
	struct bytes after = { 0 };
	struct conninfo target;
	struct conninfo_password again;
	struct conninfo_error error;

	memset(masked + password->start, 'x', password->end - password->start);
	check(conninfo_parse(masked, size, &target, &again, &error));
	check(again.given && again.start == password->start && again.end == password->end);
	describe(&after, &target);
	check(after.len == before->len && memcmp(after.data, before->data, after.len) == 0);
	conninfo_free(&target);
	bytes_free(&after);
	free(masked);
}

static void
check_password(const char *text, size_t size, const struct conninfo_password *password)
{
	size_t len = password->end - password->start;
	char *plain;

	check(password->start <= password->end && password->end <= size);
	check(password->given || len == 0);
	plain = xmalloc(len + 1);
	check(conninfo_decode(text, password, plain) <= len);
	check(strlen(plain) <= len);
	free(plain);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* exactly as large, so that reading behind it is seen */
	char *text = xmalloc(size);
	struct bytes all = { 0 };
	struct conninfo target;
	struct conninfo_password password;
	struct conninfo_error error;

	if (size > 0)
		memcpy(text, data, size);
	if (conninfo_parse(text, size, &target, &password, &error)) {
		check(error.rule == NULL && error.hint == NULL);
		check_password(text, size, &password);
		describe(&all, &target);
		if (password.given)
			check_independence(text, size, &password, &all);
		conninfo_free(&target);
		bytes_free(&all);
	} else {
		check(error.rule != NULL && error.position <= size + 1);
		check(target.host == NULL && target.count == 0 && !password.given);
	}
	free(text);
	return 0;
}
