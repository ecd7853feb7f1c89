/*
 * The five programs, for the one file that is all of them (tools/mig.c): what each takes, and its main(), which is
 * compiled there by this name.
 */
#ifndef MIG_TOOLS_PROGRAMS_H
#define MIG_TOOLS_PROGRAMS_H

#include "base/options.h"

extern const struct program mig_scan_program, mig_apply_program, mig_seed_program;
extern struct program mig_plan_program, mig_check_program; /* whose help is made when it is asked for */

int mig_scan_main(int argc, char *argv[]);
int mig_plan_main(int argc, char *argv[]);
int mig_apply_main(int argc, char *argv[]);
int mig_seed_main(int argc, char *argv[]);
int mig_check_main(int argc, char *argv[]);

#endif
