/* Secrets that are data: values of a table, not of a connection. */
#include "secret/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mig.h"
#include "base/shell_quote.h"
#include "secret/source_internal.h"

static struct secret *
read_file(const char *path, int *code, struct bytes *why, struct bytes *next)
{
	struct secret *secret = NULL;
	struct stat file;
	int fd = open_given(path), error = 0;

	if (fd < 0 || fstat(fd, &file) != 0) {
		error = errno;
	} else if (source_is_open_to_others(fd, &file)) {
		bytes_format(why, "the file \"%s\" can be read by other users", path);
		bytes_str(next, "chmod 600 ");
		shell_path_word(next, path);
	} else if ((secret = secret_read(fd, SECRET_WHOLE, 0)) == NULL) {
		error = errno;
	}
	if (error != 0)
		bytes_format(why, "cannot read the file \"%s\": %s", path, error == EFBIG ? "it is larger than 16 kB" : file_why(error));
	if (secret != NULL && secret_length(secret) == 0)
		bytes_format(why, "the file \"%s\" is empty", path);
	if (error == EACCES || error == EPERM)
		*code = MIG_DENIED;
	if (fd >= 0)
		(void)close(fd);
	return secret;
}

static struct secret *
read_variable(const char *name, int *code, struct bytes *why, struct bytes *next)
{
	char *twin = xformat("%s_FILE", name);
	const char *path = getenv(twin);
	struct secret *secret = NULL;

	if (secret_is_reserved(name)) {
		bytes_format(why, "%s is for a connection, and not for data", name);
	} else if ((secret = secret_take(name)) != NULL && path != NULL && *path != '\0') {
		bytes_format(why, "both %s and %s are set; only one is allowed", name, twin);
		bytes_format(next, "unset %s", twin);
	} else if (secret == NULL && path != NULL && *path != '\0') {
		secret = read_file(path, code, why, next);
	} else if (secret_length(secret) == 0) {
		bytes_format(why, "%s is %s", name, secret == NULL ? "not set" : "empty");
		bytes_format(next, "read -rs %s; export %s", name, name);
	}
	free(twin);
	return secret;
}

struct secret *
secret_value(const char *word, int *code, struct bytes *why, struct bytes *next)
{
	struct secret *secret = NULL;

	*code = MIG_CONFIG;
	if (strncmp(word, "env:", 4) == 0 && source_is_variable_name(word + 4))
		secret = read_variable(word + 4, code, why, next);
	else if (strncmp(word, "env:", 4) == 0)
		bytes_str(why, "\"env:\" must be followed by the name of a variable");
	else if (word[5] != '\0')
		secret = read_file(word + 5, code, why, next);
	else
		bytes_str(why, "\"file:\" must be followed by a path");
	if (why->len == 0) {
		*code = 0;
		return secret;
	}
	secret_free(secret);
	return NULL;
}
