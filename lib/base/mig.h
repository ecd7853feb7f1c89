/*
 * Shared by all five programs: the version, and the meaning of exit codes.  mig-check uses the plugin codes 0 to 3
 * instead; see check/check.h.
 */
#ifndef MIG_BASE_MIG_H
#define MIG_BASE_MIG_H

#define MIG_VERSION "0.1.0"

enum mig_exit {
	MIG_OK = 0,          /* done; also: nothing to do, or another deployer did it */
	MIG_FAILED = 1,      /* needs a human */
	MIG_TODO = 2,        /* mig-plan --exit-code only: there is something to do */
	MIG_USAGE = 64,      /* wrong usage */
	MIG_DATA = 65,       /* bad input: a broken stream, a missing folder, a plan for another target */
	MIG_UNREACHABLE = 69, /* the database cannot be reached */
	MIG_BUG = 70,        /* cannot happen: please report */
	MIG_OUTPUT = 74,     /* could not write output */
	MIG_BUSY = 75,       /* busy: the same command may work later */
	MIG_DENIED = 77,     /* permission denied */
	MIG_CONFIG = 78      /* no usable connection string */
};

#endif
