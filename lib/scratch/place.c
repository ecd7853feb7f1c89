#include "scratch/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/signals.h"
#include "scratch/files.h"

enum { SOCKET_PATH = 107, LEAVE_MS = 30000 /* initdb, ended in the middle, on a busy machine */ };

/* --- the folder --- */

struct try {
	const char *base;
	int error;
};

/* In the child: the folder, its two parts, and the lock that runs take while they come and go. */
static int
make_base(void *context)
{
	const struct try *t = context;
	char *cache = xformat("%s/cache", t->base), *run = xformat("%s/run", t->base), *lock = xformat("%s/lock", t->base);
	int error = files_private_folder(t->base), fd;

	if (error == 0)
		error = files_private_folder(cache);
	if (error == 0)
		error = files_private_folder(run);
	if (error == 0) {
		if ((fd = open(lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)) < 0)
			error = errno;
		else
			(void)close(fd);
	}
	free(cache);
	free(run);
	free(lock);
	return error;
}

static bool
fits(const char *base)
{
	return *base == '/' && strlen(base) + strlen("/run/4194304-0123456789ab/.s.PGSQL.5432") <= SOCKET_PATH;
}

/* Root may chown a folder that it has just created, because no other process has used it yet. */
static void
make_for_other(const struct child_user *user, const char *base)
{
	char *above = xstrdup(base), *slash = strrchr(above, '/');

	*slash = '\0';
	if (mkdir(above, 0755) != 0 && errno != EEXIST)
		message_verbose("cannot make %s: %s", above, strerror(errno));
	if (mkdir(base, 0700) == 0 && lchown(base, user->uid, user->gid) != 0)
		(void)rmdir(base);
	free(above);
}

/* Takes `base` where it can be used; keeps the first reason why one cannot. */
static bool
take_base(struct server_place *place, char *base, struct bytes *why)
{
	struct try t = { base, 0 };

	if (place->base == NULL && base != NULL) {
		if (place->user->other)
			make_for_other(place->user, base);
		t.error = fits(base) ? child_do(place->user, make_base, &t) : ENAMETOOLONG;
		if (t.error == 0) {
			place->base = base;
			return true;
		}
		bytes_format(why, "%s%s: %s", why->len > 0 ? "; " : "", base,
		    t.error == EEXIST ? "it exists and belongs to another user" : strerror(t.error));
	}
	free(base);
	return place->base != NULL;
}

static char *
below(const char *variable, const char *rest, const struct child_user *user)
{
	const char *folder = getenv(variable);

	if (folder == NULL || *folder != '/')
		return NULL;
	return *rest != '\0' ? xformat("%s%s", folder, rest) : xformat("%s/mig-%lu", folder, (unsigned long)user->uid);
}

static int
find_base(struct server_place *place)
{
	struct bytes why = { 0 };
	bool found = take_base(place, below("XDG_CACHE_HOME", "/mig", place->user), &why) ||
	    (!place->user->other && take_base(place, below("HOME", "/.cache/mig", place->user), &why)) ||
	    take_base(place, below("TMPDIR", "", place->user), &why) ||
	    take_base(place, xformat("/tmp/mig-%lu", (unsigned long)place->user->uid), &why);
	int code = found ? 0 : message_error(MIG_CONFIG, "no folder for a scratch server: %s", why.data);

	if (found && why.len > 0)
		message_verbose("not the scratch server's folder: %s", why.data);
	bytes_free(&why);
	return code;
}

/* --- locks --- */

/* -1 with errno; EWOULDBLOCK: another process holds it. */
static int
lock_file(const char *folder, const char *name, bool wait)
{
	char *path = xformat("%s/%s", folder, name);
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), error = 0;

	free(path);
	while (fd >= 0 && flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) != 0)
		if (errno != EINTR || signals_caught() != 0) {
			error = errno;
			(void)close(fd);
			errno = error;
			return -1;
		}
	return fd;
}

static bool
is_held(const char *folder, const char *name)
{
	int fd = lock_file(folder, name, false);
	bool held = fd < 0 && errno == EWOULDBLOCK;

	if (fd >= 0)
		(void)close(fd);
	return held;
}

/* --- what killed runs left --- */

static int
remove_it(void *path)
{
	return files_remove(path);
}

/* The process that postmaster.pid names; 0: none, or one that does not work in that folder any more. */
static pid_t
server_process(const char *run)
{
	char *data = xformat("%s/data", run), *path = xformat("%s/postmaster.pid", data), link[64];
	struct stat here, there;
	FILE *file = fopen(path, "r");
	long pid = 0;

	if (file != NULL && fscanf(file, "%ld", &pid) != 1)
		pid = 0;
	if (file != NULL)
		(void)fclose(file);
	snprintf(link, sizeof link, "/proc/%ld/cwd", pid);
	if (pid > 1 && stat("/proc/self", &here) == 0 &&
	    (stat(data, &here) != 0 || stat(link, &there) != 0 || here.st_ino != there.st_ino || here.st_dev != there.st_dev))
		pid = 0;
	free(path);
	free(data);
	return pid > 1 ? (pid_t)pid : 0;
}

static void
sweep_run(const struct server_place *place, const char *name)
{
	char *run = xformat("%s/run/%s", place->base, name);
	long long until = clock_now_ms() + LEAVE_MS;
	bool told = false;

	if (!is_held(run, "lock")) {
		while (is_held(run, "server.lock") && clock_now_ms() < until && signals_caught() == 0) {
			pid_t pid = told ? 0 : server_process(run);

			if (pid > 0)
				told = kill(pid, SIGQUIT) == 0;
			(void)signals_wait(-1, 0, 10);
		}
		if (!is_held(run, "server.lock") && child_do(place->user, remove_it, run) == 0)
			message_info("removed %s%s, left by an interrupted run", run, told ? ", and ended its server" : "");
		else
			message_warning("could not yet remove a leftover of an interrupted run: %s", run);
	}
	free(run);
}

static void
sweep(const struct server_place *place)
{
	char *folder = xformat("%s/run", place->base);
	DIR *list = open_listing(folder);
	struct dirent *entry;

	while (list != NULL && (entry = readdir(list)) != NULL)
		if (*entry->d_name != '.')
			sweep_run(place, entry->d_name);
	if (list != NULL)
		(void)closedir(list);
	free(folder);
}

/* --- this run --- */

static int
make_run(void *context)
{
	static const char *const files[] = { "lock", "server.lock" };
	const char *run = context;
	int error = mkdir(run, 0700) != 0 ? errno : 0, fd;
	size_t i;

	for (i = 0; error == 0 && i < 2; i++) {
		char *path = xformat("%s/%s", run, files[i]);

		if ((fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0)
			error = errno;
		else
			(void)close(fd);
		free(path);
	}
	return error;
}

static int
open_run(struct server_place *place)
{
	char *run = xformat("%s/run/%ld-%08lx", place->base, (long)getpid(), (unsigned long)randombytes_random());
	int error = child_do(place->user, make_run, run);

	place->run = run;
	if (error == 0 && ((place->lock = lock_file(run, "lock", false)) < 0 ||
	    (place->server_lock = lock_file(run, "server.lock", false)) < 0))
		error = errno;
	return error == 0 ? 0 : message_error(MIG_CONFIG, "cannot make the scratch server's folder %s: %s", run, strerror(error));
}

int
place_open(struct server_place *place, const struct child_user *user)
{
	int code, lock;

	*place = (struct server_place){ .user = user, .lock = -1, .server_lock = -1 };
	if ((code = find_base(place)) != 0)
		return code;
	if ((lock = lock_file(place->base, "lock", true)) < 0)
		return signals_caught() != 0 ? 128 + signals_caught()
		                             : message_error(MIG_CONFIG, "cannot use %s: %s", place->base, strerror(errno));
	sweep(place);
	code = open_run(place);
	(void)close(lock);
	return code;
}

void
place_close(struct server_place *place)
{
	int error = 0;

	if (place->run != NULL)
		error = child_do(place->user, remove_it, place->run);
	if (error != 0)
		message_warning("%s could not be removed: %s", place->run, strerror(error));
	if (place->lock >= 0)
		(void)close(place->lock);
	if (place->server_lock >= 0)
		(void)close(place->server_lock);
	free(place->base);
	free(place->run);
	*place = (struct server_place){ .lock = -1, .server_lock = -1 };
}
