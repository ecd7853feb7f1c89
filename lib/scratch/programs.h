/*
 * Finds PostgreSQL's server programs on this machine.
 */
#ifndef MIG_SCRATCH_PROGRAMS_H
#define MIG_SCRATCH_PROGRAMS_H

#include <stdbool.h>

struct programs {
	char *folder;      /* contains initdb and postgres */
	char *version;     /* "15.18" */
	int major;
	bool several;      /* other major versions are installed too */
};

/*
 * Searches `pg_config --bindir`, /usr/lib/postgresql/N/bin and PATH for the version nearest to `major`: the same,
 * else the next newer, else the newest.  major 0: the newest.  MIG_PG_BIN names the only folder to search.
 * Returns false if there is none.  Call programs_free() after success.
 */
bool programs_find(struct programs *programs, int major);
void programs_free(struct programs *programs);

#endif
