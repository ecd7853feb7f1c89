/*
 * Messages on standard error.  The first line of each is prefixed with the tool's name.
 *
 * The code that detects a failure reports it here, once; its callers only pass the exit code on.  The first error
 * is kept: it becomes the cause in the `failed` record that goes down the pipe.  Control characters and
 * bidirectional marks are replaced.
 */
#ifndef MIG_BASE_MESSAGE_H
#define MIG_BASE_MESSAGE_H

#include <stdbool.h>

#include "base/bytes.h"

/* Call this before any message.  `tool` is kept, not copied. */
void message_begin(const char *tool);
const char *message_tool(void);

/* -1 with -q: errors only; 1 or more with -v */
extern int message_verbosity;

/* "tool: error: ..."; returns code, so that `return message_error(MIG_DATA, ...)` works. */
int message_error(int code, const char *format, ...) MIG_PRINTF(2, 3);

void message_warning(const char *format, ...) MIG_PRINTF(1, 2);  /* "tool: warning: ..." */
void message_info(const char *format, ...) MIG_PRINTF(1, 2);     /* "tool: ..."; silent with -q */
void message_verbose(const char *format, ...) MIG_PRINTF(1, 2);  /* "tool: ..."; only with -v */

/* A line that belongs to the previous message, printed as is: aligned facts, the next command. */
void message_line(const char *format, ...) MIG_PRINTF(1, 2);

/*
 * The same for foreign text: "LABEL TEXT".  Its further lines are indented behind a bar, as are those in the
 * arguments of message_error() and the like, so that no server, file or record can forge a line of ours.
 */
void message_quote(const char *label, const char *text);
void message_quote_to(struct bytes *out, const char *text);

/*
 * The exit code of a program that stops early, out of memory or on a bug: the one set by message_end_with(), else
 * `code`.  mig-check sets one, because it uses the exit codes of monitoring plugins.
 */
void message_end_with(int code);
int message_end_code(int code);

/* Reports "cannot happen" with file and line, asks for a bug report, and exits with MIG_BUG. */
#define MESSAGE_BUG(...) message_bug(__FILE__, __LINE__, __VA_ARGS__)
void message_bug(const char *file, int line, const char *format, ...) MIG_PRINTF(3, 4) MIG_NORETURN;

/*
 * For one piece of work after another: what follows is about `subject`, a path, which the first message names on a line before it.  The
 * first error, below, is then that of this subject.  Kept, not copied; NULL: about the whole.
 */
void message_about(const char *subject);

/* The text of the first error, without prefix, or NULL; and its exit code, or 0. */
const char *message_cause(void);
int message_code(void);

/*
 * The live line of a terminal: overwritten by the next message or live line, at most four times a second, and
 * truncated to the current width of the terminal.  message_is_live() says whether there is one; if standard error
 * is not a terminal, nothing is shown.
 */
bool message_is_live(void);
void message_live(const char *format, ...) MIG_PRINTF(1, 2);
void message_live_clear(void);

/* Sets when streams have colour: "always", "never" or "auto".  False: it is none of these. */
bool message_colour_by(const char *when);

/* Whether a stream may have colour: by message_colour_by(), else NO_COLOR, CLICOLOR_FORCE, a terminal and TERM, in this order. */
bool message_colour(int fd);

#endif
