/*
 * Building blocks of the pages that users read.  Pure: prints nothing and knows no records.
 *
 * Colour is written as one of the marks below.  output_page() turns them into the terminal's escape sequences, or
 * drops them (base/paint.h); it replaces every other control character.
 */
#ifndef MIG_BASE_PAGE_H
#define MIG_BASE_PAGE_H

#include <stddef.h>

#include "base/bytes.h"

#define PAGE_RED    "\xF8"  /* bytes that never occur in UTF-8 */
#define PAGE_YELLOW "\xF9"
#define PAGE_GREEN  "\xFA"
#define PAGE_PLAIN  "\xFB"
#define PAGE_BOLD   "\xFC"
#define PAGE_DIM    "\xFD"

/* Appends text, padded with blanks to `width` columns; at least one blank if text is longer. */
void page_pad(struct bytes *out, const char *text, size_t width);

/* The same, shortened in the middle to `cut` columns (0: not shortened): "20260207100.._add_tag". */
void page_pad_cut(struct bytes *out, const char *text, size_t cut, size_t width);

/*
 * The width of a table's name column: the longest name, or what `others` leave of `columns` (0: unlimited); at
 * least 20.
 */
size_t page_name_width(size_t longest, size_t columns, size_t others);

/* Appends "3 pending", after a comma unless `out` is empty. */
void page_comma_count(struct bytes *out, size_t count, const char *word);

/* Appends "1 step", "4 steps", "0 steps". */
void page_count(struct bytes *out, size_t count, const char *singular);

/* Appends 41000000 as "41 M rows", in thousands of the units: " rows", " k rows", ..., NULL; page_bytes(): "9.2 GB". */
void page_large(struct bytes *out, long long n, const char *const units[]);
void page_bytes(struct bytes *out, long long n);

/* Appends "shop at db.example.com:5432, schema public", or "the local socket" if there is no host. */
void page_place(struct bytes *out, const char *database, const char *host, long long port,
    const char *schema);

/* A session that holds or blocks something.  NULL or NUMBER_UNKNOWN: not known, or not visible to the role. */
struct page_session {
	long long pid;            /* 0: a prepared transaction, which has none */
	const char *application;
	const char *kind;         /* backend_type; used if there is no application */
	const char *user;
	const char *client;       /* address; NULL: local */
	const char *state;        /* "idle in transaction", ... */
	long long age_ms;         /* time in this state or transaction */
	const char *word;         /* the first word of its statement */
};

/*
 * Appends "pid 20117, web, shop_app from 10.0.3.7, idle in transaction for 3 min, last SELECT"; omits unknown
 * parts.  Every page and message describes a session this way.
 */
void page_session(struct bytes *out, const struct page_session *session);

/*
 * Appends a line of a script with a caret below the column, as compilers do:
 *     "    5 | ALTER TABLE ...;\n      |             ^\n"
 * A long line is shortened around the column to fit `columns` (0: unlimited).
 */
void page_caret(struct bytes *out, const char *text, size_t line, size_t column, size_t columns);

#endif
