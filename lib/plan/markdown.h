/*
 * A plan as a comment on a pull request, in the Markdown that GitHub and GitLab share.  Pure.
 *
 * The first line is MARKDOWN_MARK, by which a job finds the comment of its last run.  Names, messages and SQL stand in
 * it as text: they make no markup, mention nobody, and end no block.  Control characters, and those
 * that turn the direction of a text (terminal_control()), become U+FFFD: what is reviewed is what the server reads.
 */
#ifndef MIG_PLAN_MARKDOWN_H
#define MIG_PLAN_MARKDOWN_H

#include "base/bytes.h"
#include "plan/plan.h"

#define MARKDOWN_MARK "<!-- mig plan -->"

/* Bytes that a comment has at most; a comment on GitHub has at most 65,536 characters. */
enum { MARKDOWN_MOST = 60000 };

/*
 * Appends the comment: findings first, the steps, the SQL of each to be unfolded, with what a rehearsal measured.
 * SQL for which there is no room is left out, and counted.  digest: of the plan.  command: the command that makes the
 * plan (base/shell_quote.h); NULL: unknown, as of a kept plan.
 */
void markdown_plan(struct bytes *out, const struct planned *planned, const char *digest, const char *command);

#endif
