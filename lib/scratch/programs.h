/*
 * PostgreSQL's server programs on this machine.
 */
#ifndef MIG_SCRATCH_PROGRAMS_H
#define MIG_SCRATCH_PROGRAMS_H

#include <stdbool.h>

struct programs {
	char *folder;      /* has initdb and postgres */
	char *version;     /* "15.18" */
	int major;
	bool several;      /* there are other majors, too */
};

/*
 * Looks where `pg_config --bindir` says, in /usr/lib/postgresql/N/bin and along PATH, for the major that is nearest to
 * `major`: that one, else the next newer, else the newest there is.  major 0: the newest.  MIG_PG_BIN names the only
 * folder to look in.  False: there is none.  programs_free() is due after success.
 */
bool programs_find(struct programs *programs, int major);
void programs_free(struct programs *programs);

#endif
