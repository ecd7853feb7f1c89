#include "base/bytes.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mig.h"
#include "check.h"

/* What a process ends with that may open no more files, and then opens a folder; 0: it got an answer. */
static int
without_descriptors(const char *path)
{
	struct rlimit none = { 0, 0 };
	pid_t child = fork();
	int status = -1;

	if (child == 0) {
		(void)close(STDERR_FILENO);
		_exit(setrlimit(RLIMIT_NOFILE, &none) == 0 && open_listing(path) == NULL ? 0 : 99);
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
main(void)
{
	DIR *folder = open_listing(".");

	check("a folder is opened", folder != NULL);
	check("none at all is NULL", open_listing("/nowhere/at/all") == NULL && errno == ENOENT);
	check("for want of descriptors the program ends", without_descriptors(".") == MIG_FAILED);
	if (folder != NULL)
		(void)closedir(folder);
	return checks_failed();
}
