/* What a source gives: the first line of a file, a variable, a command. */
#include "secret/source_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/shell_quote.h"
#include "base/signals.h"

void
source_input_free(struct source_input *in)
{
	secret_free(in->secret);
	bytes_free(&in->label);
	*in = (struct source_input){ .string = in->string };
}

static void
input_refuse(struct source_input *in, int code)
{
	secret_free(in->secret);
	in->secret = NULL;
	in->code = code;
}

bool
source_is_variable_name(const char *text)
{
	size_t len =
	    strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

	return len > 0 && text[len] == '\0' && !(*text >= '0' && *text <= '9');
}

bool
source_path_is_shown(const char *path)
{
	return strpbrk(path, "@=:;&?") == NULL;
}

static void
label_file(struct bytes *label, const char *path, const char *variable)
{
	if (source_path_is_shown(path))
		bytes_format(label, "the file \"%s\"%s%s%s", path, variable != NULL ? " (" : "",
		    variable != NULL ? variable : "", variable != NULL ? ")" : "");
	else if (variable != NULL)
		bytes_format(label, "the file that %s names", variable);
	else
		bytes_str(label, "the file after \"file:\"");
}

/* The mount of a container's secrets is read-only, and there the modes say little. */
bool
source_is_open_to_others(int fd, const struct stat *file)
{
	struct statvfs mount;

	if (!S_ISREG(file->st_mode) || (file->st_mode & (S_IRGRP | S_IROTH)) == 0)
		return false;
	return fstatvfs(fd, &mount) != 0 || (mount.f_flag & ST_RDONLY) == 0;
}

static void
fail_file(struct source_input *in, int why)
{
	in->code = why == EINTR && signals_caught() != 0 ? 128 + signals_caught() : message_error(why == EACCES || why == EPERM ? MIG_DENIED : MIG_CONFIG, "cannot read %s: %s", in->label.data, why == EFBIG ? "its first line is too long" : file_why(why));
}

static int
file_open(struct source_input *in, const char *path)
{
	struct bytes word = { 0 };
	struct stat file;
	int fd = open_given(path), why = 0;

	if (fd < 0 || fstat(fd, &file) != 0)
		why = errno;
	if (why == 0 && !source_is_open_to_others(fd, &file))
		return fd;
	if (why != 0) {
		fail_file(in, why);
		if (strstr(path, "://") != NULL)
			message_line("  Expected a path there, but this is a connection string.");
	} else {
		in->code = message_error(MIG_CONFIG, "%s can be read by other users", in->label.data);
		shell_path_word(&word, path);
		message_line("  Remove the access of others:  chmod 600 %s", word.data);
		bytes_free(&word);
	}
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static void
read_file(struct source_input *in, const char *path, const char *variable, const char *what)
{
	int fd;

	label_file(&in->label, path, variable);
	if ((fd = file_open(in, path)) < 0)
		return;
	if ((in->secret = secret_read(fd, in->string ? SECRET_OBJECT : 0, 0)) == NULL)
		fail_file(in, errno);
	else if (secret_length(in->secret) == 0)
		input_refuse(in, message_error(MIG_CONFIG, "no %s: the first line of %s is empty", what, in->label.data));
	(void)close(fd);
}

static void
read_variable(struct source_input *in, const char *name, const char *what)
{
	char *twin = xformat("%s_FILE", name);
	const char *path = getenv(twin);

	if (path != NULL && *path == '\0')
		path = NULL;
	in->secret = secret_take(name);
	bytes_str(&in->label, name);
	if (secret_length(in->secret) > 0 && path != NULL) {
		input_refuse(in, message_error(MIG_CONFIG, "both %s and %s are set; only one is allowed", name, twin));
		message_line("  Unset one of them:  unset %s", twin);
	} else if (path != NULL) {
		source_input_free(in);
		read_file(in, path, twin, what);
	} else if (secret_length(in->secret) == 0) {
		input_refuse(in, source_say_missing(name, in->secret != NULL, what));
	}
	free(twin);
}

bool
source_read(struct source_input *in, const char *word, const char *what, int wrong)
{
	if (strncmp(word, "env:", 4) == 0) {
		if (source_is_variable_name(word + 4))
			read_variable(in, word + 4, what);
		else
			in->code = message_error(wrong, "\"env:\" must be followed by the name of a variable");
	} else if (strncmp(word, "file:", 5) == 0) {
		if (word[5] != '\0')
			read_file(in, word + 5, NULL, what);
		else
			in->code = message_error(wrong, "\"file:\" must be followed by a path");
	} else if (strncmp(word, "cmd:", 4) == 0) {
		if (strncmp(word + 4, "postgres", 8) == 0 && strstr(word, "://") < word + 4 + strlen("postgresql://"))
			in->code = message_error(wrong, "\"cmd:\" must be followed by a command, not by a connection string");
		else if (word[4] != '\0')
			source_command(in, word + 4, what);
		else
			in->code = message_error(wrong, "\"cmd:\" must be followed by a command");
	} else {
		return false;
	}
	return true;
}

struct secret *
secret_open(const char *word, const char *what, int *code)
{
	struct secret *secret;
	struct source_input in = { 0 };

	if (!source_read(&in, word, what, MIG_USAGE))
		in.code = message_error(MIG_USAGE,
		    "the %s must be given as env:NAME, file:PATH or "
		    "cmd:COMMAND, because other users can see command lines",
		    what);
	*code = in.code;
	secret = in.secret;
	in.secret = NULL;
	source_input_free(&in);
	return secret;
}
