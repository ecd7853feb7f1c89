/*
 * tool_target [-p] < STRING: what conninfo_parse() makes of a connection string, as key=value lines,
 * or `error POSITION: RULE` and `hint: ...`.  With -p the password too, for tests of its decoding.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "secret/conninfo.h"

static void
print(const char *key, const char *value)
{
	if (value != NULL)
		printf("%s=%s\n", key, value);
}

static void
print_target(const struct conninfo *t)
{
	size_t i;

	print("host", t->host);
	print("port", t->port);
	print("user", t->user);
	print("database", t->database);
	print("schema", t->schema);
	for (i = 0; i < t->count; i++)
		print(t->parameters[i].keyword, t->parameters[i].value);
	for (i = 0; i < t->ignored_count; i++)
		print("ignored", t->ignored[i]);
	if (t->pooled)
		puts("pooled");
	if (conninfo_first_host(t) != NULL)
		printf("first=%s %d\n", conninfo_first_host(t), conninfo_first_port(t));
	puts(t->is_url ? "form=url" : t->is_name ? "form=name" : "form=keywords");
}

int
main(int argc, char *argv[])
{
	struct bytes in = { 0 };
	struct conninfo target;
	struct conninfo_password password;
	struct conninfo_error error;

	if (bytes_read_fd(&in, 0) != 0)
		return 2;
	if (!conninfo_parse(bytes_text(&in), in.len, &target, &password, &error)) {
		printf("error %zu: %s\n", error.position, error.rule);
		if (error.hint != NULL)
			printf("hint: %s\n", error.hint);
		bytes_free(&in);
		return 1;
	}
	print_target(&target);
	if (argc > 1 && strcmp(argv[1], "-p") == 0 && password.given) {
		char *plain = xmalloc(password.end - password.start + 1);

		conninfo_decode(in.data, &password, plain);
		printf("password=%s\n", plain);
		free(plain);
	}
	conninfo_free(&target);
	bytes_free(&in);
	return 0;
}
