/*
 * What pages for people are made of.  Pure: nothing is printed here, and no record is known here.
 *
 * Colour is written as one of the marks below, which output_page() turns into the terminal's sequences, or into
 * nothing; every other control character is replaced there.
 */
#ifndef MIG_BASE_PAGE_H
#define MIG_BASE_PAGE_H

#include <stddef.h>

#include "base/bytes.h"

#define PAGE_RED    "\xF8"  /* bytes that no UTF-8 text has */
#define PAGE_YELLOW "\xF9"
#define PAGE_GREEN  "\xFA"
#define PAGE_PLAIN  "\xFB"

/* Appends text and blanks until `width` columns are filled; at least one blank where text is longer. */
void page_pad(struct bytes *out, const char *text, size_t width);

/* The same, cut in its middle to `cut` columns (0: whole): "20260207100.._add_tag". */
void page_pad_cut(struct bytes *out, const char *text, size_t cut, size_t width);

/*
 * How wide a table's column of names is: as the longest, or what `others` leave of `columns` (0: there is no limit), and
 * 20 at least.
 */
size_t page_name_width(size_t longest, size_t columns, size_t others);

/* "1 step", "4 steps"; "0 steps". */
void page_count(struct bytes *out, size_t count, const char *singular);

/* "shop at db.example.com:5432, schema public"; says "the local socket" where there is no host. */
void page_place(struct bytes *out, const char *database, const char *host, long long port,
    const char *schema);

/* A session that holds or blocks something.  NULL or NUMBER_UNKNOWN: not known, or the role may not see it. */
struct page_session {
	long long pid;            /* 0: a prepared transaction, which has none */
	const char *application;
	const char *kind;         /* backend_type, named where there is no application */
	const char *user;
	const char *client;       /* address; NULL: local */
	const char *state;        /* "idle in transaction", ... */
	long long age_ms;         /* of the state or the transaction */
	const char *word;         /* the first word of its statement */
};

/*
 * "pid 20117, web, shop_app from 10.0.3.7, idle in transaction for 3 min, last SELECT": what is not known is left out.  Who
 * blocks whom reads so everywhere.
 */
void page_session(struct bytes *out, const struct page_session *session);

/*
 * The line of a script with a caret below the column, as compilers show it:
 *     "    5 | ALTER TABLE ...;\n      |             ^\n"
 * A long line is cut around the column, to fit `columns` (0: there is no limit).
 */
void page_caret(struct bytes *out, const char *text, size_t line, size_t column, size_t columns);

#endif
