/*
 * A picture of times: how long something took, over the time of a deploy, as SVG.  One line for each thing that was timed; below it
 * a bar for each step.  The vertical scale is logarithmic.
 *
 * It keeps the worst of each slot of time, so its size does not depend on how long it is added to.  Pure: no file, no clock.
 */
#ifndef MIG_CHECK_PICTURE_H
#define MIG_CHECK_PICTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

enum { PICTURE_SLOTS = 1024 };

struct picture_line {
	char *name;
	long long worst_us[PICTURE_SLOTS]; /* of each slot; -1: there is none */
	bool bad[PICTURE_SLOTS];
	long long top_us;                  /* the worst of all; -1: none */
	long long mark_ms;                 /* PICTURE_NOWHERE: none */
};

struct picture_bar {
	char *name;
	long long from_ms, waited_ms, took_ms; /* took_ms includes waited_ms */
	bool failed;
};

#define PICTURE_NOWHERE (-4611686018427387904LL)

struct picture {
	struct picture_line *lines;
	size_t line_count, line_cap;
	struct picture_bar *bars;
	size_t bar_count, bar_cap;
	long long origin_ms, slot_ms;      /* of slot 0, and how long each is; slot_ms 0: there is no point yet */
	long long first_ms, last_ms;       /* of all points; PICTURE_NOWHERE: there is none */
	long long zero_ms;                 /* what the axis counts from; PICTURE_NOWHERE: its beginning */
};

void picture_begin(struct picture *picture);

/* Adds a line and returns its number. */
size_t picture_add_line(struct picture *picture, const char *name);

/* Adds a time that began at `at_ms` of any one clock; a bad one has a dot.  Those of a line may come in any order. */
void picture_add_point(struct picture *picture, size_t line, long long at_ms, long long took_us, bool bad);

/* When what a line is about was done: a vertical line in its colour. */
void picture_mark(struct picture *picture, size_t line, long long at_ms);

void picture_add_bar(struct picture *picture, const char *name, long long from_ms, long long waited_ms, long long took_ms, bool failed);

/* Appends the SVG, with a title: no script, no font; readable on light and on dark. */
void picture_svg(struct bytes *out, const struct picture *picture, const char *title);

void picture_free(struct picture *picture);

#endif
