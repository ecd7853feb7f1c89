/*
 * Saying things to people, on standard error, each first line prefixed with the tool's name.
 *
 * Whoever sees a failure first says it here, once; everyone above only passes a code on.
 * The first error that is said is kept: it is the cause that a `failed` record carries down the
 * pipe.  Control characters, and marks
 * that change the direction of writing, are replaced.
 */
#ifndef MIG_BASE_MESSAGE_H
#define MIG_BASE_MESSAGE_H

#include <stdbool.h>

#include "base/bytes.h"

/* Before anything else is said.  `tool` is kept, not copied. */
void message_begin(const char *tool);
const char *message_tool(void);

/* -q is -1: only errors; -v is 1 and more. */
extern int message_verbosity;

/* "tool: error: ..."; returns code, so that `return message_error(MIG_DATA, ...)` reads well. */
int message_error(int code, const char *format, ...) MIG_PRINTF(2, 3);

void message_warning(const char *format, ...) MIG_PRINTF(1, 2);  /* "tool: warning: ..." */
void message_info(const char *format, ...) MIG_PRINTF(1, 2);     /* "tool: ..."; silent with -q */
void message_verbose(const char *format, ...) MIG_PRINTF(1, 2);  /* "tool: ..."; only with -v */

/* A line that belongs to the message before it, as it is: facts, aligned, and the next command. */
void message_line(const char *format, ...) MIG_PRINTF(1, 2);

/*
 * The same for a text that is not ours: "LABEL TEXT".  Its further lines are indented behind a bar, as those of what
 * message_error() and the like are given: no server, file or record can make a line that looks like ours.
 */
void message_quote(const char *label, const char *text);
void message_quote_to(struct bytes *out, const char *text);

/*
 * The exit code of a program that ends in the middle, where memory is out or there is a bug: the one that
 * message_end_with() named, else `code`.  mig-check has the codes of plugins.
 */
void message_end_with(int code);
int message_end_code(int code);

/* "cannot happen": says so with file and line, asks for a report, exits with MIG_BUG. */
#define MESSAGE_BUG(...) message_bug(__FILE__, __LINE__, __VA_ARGS__)
void message_bug(const char *file, int line, const char *format, ...) MIG_PRINTF(3, 4) MIG_NORETURN;

/* The text of the first error that was said, without prefix, or NULL; and its code, or 0. */
const char *message_cause(void);
int message_code(void);

/*
 * The live line of a terminal: written over by the next message or live line, at most four times a second, and cut to
 * what the terminal is wide now.  Where standard error
 * is no terminal nothing is shown; message_is_live() says which.
 */
bool message_is_live(void);
void message_live(const char *format, ...) MIG_PRINTF(1, 2);
void message_live_clear(void);

/* Whether a stream may have colour, as NO_COLOR, CLICOLOR_FORCE and TERM say. */
bool message_colour(int fd);

#endif
