/*
 * Colour by meaning: what is wrong is red, what waits or warns is yellow, what was just done is green, the command to type next is
 * bold, and what is only there for completeness is dim.  Colour repeats a word and never stands for one.
 *
 * Pure.  Colours are marks of base/page.h until paint_show() makes escape sequences of them, or drops them.
 */
#ifndef MIG_BASE_PAINT_H
#define MIG_BASE_PAINT_H

#include <stdbool.h>

#include "base/bytes.h"

/*
 * Appends lines as they are printed, wrapped and without marks, and marks in them:
 *
 *	error: and warning:, behind the program or the place that the first line begins with
 *	the caret below a line of a script
 *	the state in " 2/4  20261120101500_order_currency  failed ...", and what "applied 4 of 4" begins with
 *	the command behind next:
 */
void paint_message(struct bytes *out, const char *lines);

/* The same of a page, whose own marks stay: only the command behind next: is marked. */
void paint_page(struct bytes *out, const char *lines);

/* Appends marked text with the escape sequences of the 8 basic colours, bold and dim; without `colour` the marks are dropped. */
void paint_show(struct bytes *out, const char *marked, bool colour);

#endif
