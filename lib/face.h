/*
 * Pages for people.  Facts come in as structs, text goes out; nothing is printed here.
 *
 * Pure: no file, no socket, no clock.  Colour is written as one of the marks below, which output_page() turns
 * into the terminal's sequences, or into nothing; every other control character is replaced there.
 */
#ifndef MIG_FACE_H
#define MIG_FACE_H

#include <stdbool.h>
#include <stddef.h>

#include "bytes.h"
#include "migration.h"
#include "model.h"
#include "plan.h"
#include "status.h"

#define FACE_RED    "\xF8"  /* bytes that no UTF-8 text has */
#define FACE_YELLOW "\xF9"
#define FACE_GREEN  "\xFA"
#define FACE_PLAIN  "\xFB"

/* "shop at db.example.com:5432, schema public"; says "the local socket" where there is no host. */
void face_place(struct bytes *out, const char *database, const char *host, long long port,
    const char *schema);

/* "pid 20117, mig-apply, deployer from 10.0.3.7": what is not known is left out. */
void face_holder(struct bytes *out, long long pid, const char *application, const char *user,
    const char *client);

/* mig-scan's page.  folder NULL: the scan came from standard input.  deploying_for: "41 s", or NULL. */
void face_status(struct bytes *out, const struct scan *scan, const struct status *status,
    const char *folder, const char *deploying_for, bool unfold);

/*
 * mig-plan's page; digest: of the plan's records; words: the options that decided about it, each with a blank before, to
 * be typed again.  scan and status NULL: a kept plan, shown again.
 */
void face_preview(struct bytes *out, const struct scan *scan, const struct status *status,
    const struct planned *planned, const char *digest, const char *words, bool unfold);

/* "20261120_x/migration.sql:5:1: " or "20261120_x: " or "". */
void face_finding_place(struct bytes *out, const struct finding *finding);

/* "1 step", "4 steps"; "0 steps". */
void face_count(struct bytes *out, size_t count, const char *singular);

/*
 * The line of a script with a caret below the column, as compilers show it:
 *     "    5 | ALTER TABLE ...;\n      |             ^\n"
 * A long line is cut around the column.
 */
void face_caret(struct bytes *out, const char *text, size_t line, size_t column);

/* Appends text and blanks until `width` characters are filled; at least one blank where text is longer. */
void face_pad(struct bytes *out, const char *text, size_t width);

#endif
