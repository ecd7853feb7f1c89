/*
 * Put in front of pg_dump (LD_PRELOAD): a server that is newer than it is taken for one of its own major version.  Debian has no
 * pg_dump for the newest servers, and an older one refuses them.  What tests compare is two dumps of plain tables, made by
 * the same program; whatever is new since then is in neither.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

int PQserverVersion(const void *connection);

int
PQserverVersion(const void *connection)
{
	static int (*real)(const void *);
	const char *own = getenv("PG_DUMP_MAJOR");
	void *found;
	int version, most;

	if (real == NULL) {
		found = dlsym(RTLD_NEXT, "PQserverVersion");
		memcpy(&real, &found, sizeof real);
	}
	version = real(connection);
	most = own != NULL ? atoi(own) * 10000 : version;
	return version > most ? most : version;
}
