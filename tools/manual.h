/* The manual and the version page of the one file. */
#ifndef MIG_TOOLS_MANUAL_H
#define MIG_TOOLS_MANUAL_H

/* Each prints to standard output and returns the exit code. */

/*
 * A page: "scan", "mig-scan", "records", "mig"; else what the pages say of a word: "P3009", "75", "55P03", "stalls", "--wait".  A static
 * file holds them; else man(1) is asked.
 */
int manual_show(const char *topic);

/* The version, and in a static file what else is in it, with versions and licences. */
int manual_version(void);

/* The end of what was printed: 0, or MIG_OUTPUT, said, where it was lost. */
int manual_end(void);

#endif
