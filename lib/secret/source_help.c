/* What is said where no connection string was found. */
#include "secret/source_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"

extern char **environ;

enum { OTHERS_SHOWN = 3 }; /* variables that may be meant */

void
source_say_ways(void)
{
	message_line("    read -rs DATABASE_URL; export DATABASE_URL      "
	             "paste it; not echoed, not in the shell history");
	message_line(
	    "    -d env:PROD_DATABASE_URL                        it is in another variable");
	message_line("    -d file:/run/secrets/database-url               "
	             "it is in a file (or set DATABASE_URL_FILE)");
	if (source_has_shell())
		message_line("    -d 'cmd:railway variables --json | jq -r .DATABASE_URL'");
	message_line("    -d 'host=db.example.com dbname=shop'            "
	             "without the password; it comes from .pgpass, as in psql");
}

/* The variables that are set and may be meant instead of `name`; returns how many there are. */
static size_t
find_others(const char *name, char *others[OTHERS_SHOWN])
{
	static const char usual[] = "DATABASE_URL";
	struct secret *taken = secret_take(usual);
	size_t count = 0, tail = sizeof usual - 1, i;

	if (secret_length(taken) > 0 && strcmp(name, usual) != 0)
		others[count++] = xstrdup(usual);
	secret_free(taken);
	for (i = 0; environ != NULL && environ[i] != NULL && count < OTHERS_SHOWN; i++) {
		size_t len = strcspn(environ[i], "=");

		if (len < tail || strncmp(environ[i] + len - tail, usual, tail) != 0 ||
		    environ[i][len] == '\0' || environ[i][len + 1] == '\0')
			continue;
		others[count] = xstrndup(environ[i], len);
		if (source_is_variable_name(others[count]))
			count++;
		else
			free(others[count]);
	}
	return count;
}

/* `NAME=… mig-scan | mig-plan | mig-apply`: the commonest slip of all. */
static bool
is_behind_pipe(void)
{
	struct stat in;

	return strcmp(message_tool(), "mig-scan") != 0 && fstat(STDIN_FILENO, &in) == 0 &&
	    S_ISFIFO(in.st_mode);
}

static void
say_slip(const char *name, const char *other)
{
	const char *first = strcmp(message_tool(), "mig-seed") == 0 ? "COMMAND" : "mig-scan";

	message_line("  Before a pipe, `%s=… %s` sets it for %s alone. Export it, then run the pipe:", name,
	    first, first);
	if (other != NULL)
		message_line("    export %s=\"$%s\"", name, other);
	else
		message_line("    read -rs %s; export %s      paste it; not echoed", name, name);
}

int
source_say_missing(const char *name, bool empty, const char *what)
{
	int code = message_error(
	    MIG_CONFIG, "no %s: %s is %s", what, name, empty ? "set, but empty" : "not set");
	char *others[OTHERS_SHOWN];
	size_t count, i;

	if (strcmp(what, "connection string") != 0) {
		message_line("  Set %s, or set %s_FILE to the path of a file that holds it.", name, name);
		return code;
	}
	count = find_others(name, others);
	if (empty)
		message_line("  A reference to an empty variable can cause this.");
	if (!empty && is_behind_pipe()) {
		say_slip(name, count > 0 ? others[0] : NULL);
	} else {
		message_line("  mig never guesses a database. Say where the string is in one of these ways:");
		source_say_ways();
		for (i = 0; i < count; i++)
			message_line("  %s is set: -d env:%s", others[i], others[i]);
		message_line("  A .env file is not read.");
	}
	for (i = 0; i < count; i++)
		free(others[i]);
	return code;
}
