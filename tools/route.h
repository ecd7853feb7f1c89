/*
 * One command line of `mig` becomes those of the tools that it is made of.
 *
 * An option goes to each of them that has it; -o, --format and --to to the last that has it; -q, -v and --color to all.
 * A word that is no option goes to the first; a check or a setting of one (with = in it) to mig-check, where that is the last.
 */
#ifndef MIG_TOOLS_ROUTE_H
#define MIG_TOOLS_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/options.h"

struct tool {
	const char *name;              /* mig-scan */
	const struct program *program;
	int (*main)(int argc, char *argv[]);
	int usage;                     /* exit code of wrong usage */
};

enum { TOOL_SCAN, TOOL_PLAN, TOOL_APPLY, TOOL_SEED, TOOL_CHECK, TOOLS };
extern const struct tool tools[TOOLS];

/* A tool and its command line, which ends with NULL. */
struct part {
	const struct tool *tool;
	char **argv;
	int argc;
};

enum { PARTS = 3 };

/* A pipe of tools, and what is typed for it. */
struct command {
	const char *name;           /* deploy */
	const char *about;          /* one line */
	size_t count;
	int tools[PARTS];
	const char *first[PARTS];   /* an option that a tool always gets, or NULL */
};

struct route {
	const struct command *command;
	struct part parts[PARTS];
	size_t count;
	const char *operand;        /* the first word that went to the first tool, or NULL */
	bool help, help_all;        /* --help was there; --help=all */
};

/*
 * argv[0 ... argc) stand behind the command.  Returns 0, or the exit code of wrong usage, said.  The words are argv's own; the
 * rest is the route's: route_free().
 */
int route_make(struct route *route, const struct command *command, int argc, char *argv[]);
void route_free(struct route *route);

/* Adds a word to the command line of a part. */
void route_add(struct part *part, const char *word);

#endif
