#include "check/picture.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "check/page_internal.h"

/* --- what is kept --- */

enum { FIRST_SLOT_MS = 10 };

void
picture_begin(struct picture *p)
{
	*p = (struct picture){ .first_ms = PICTURE_NOWHERE, .last_ms = PICTURE_NOWHERE, .zero_ms = PICTURE_NOWHERE };
}

size_t
picture_add_line(struct picture *p, const char *name)
{
	struct picture_line *line;
	size_t i;

	ARRAY_ROOM(p->lines, p->line_count, p->line_cap);
	line = &p->lines[p->line_count];
	*line = (struct picture_line){ .name = xstrdup(name), .top_us = -1, .mark_ms = PICTURE_NOWHERE };
	for (i = 0; i < PICTURE_SLOTS; i++)
		line->worst_us[i] = -1;
	return p->line_count++;
}

static void
keep_worst(struct picture_line *line, size_t slot, long long took_us, bool bad)
{
	if (took_us > line->worst_us[slot])
		line->worst_us[slot] = took_us;
	line->bad[slot] |= bad;
}

/* Moves what every line has so that slot `i` becomes (i + shift) / divisor. */
static void
move_slots(struct picture *p, size_t shift, size_t divisor)
{
	size_t i, k;

	for (k = 0; k < p->line_count; k++) {
		struct picture_line *line = &p->lines[k], old = *line;

		for (i = 0; i < PICTURE_SLOTS; i++) {
			line->worst_us[i] = -1;
			line->bad[i] = false;
		}
		for (i = 0; i < PICTURE_SLOTS; i++)
			if (old.worst_us[i] >= 0 && (i + shift) / divisor < PICTURE_SLOTS)
				keep_worst(line, (i + shift) / divisor, old.worst_us[i], old.bad[i]);
	}
}

/* The slot of a time.  Slots become longer until there is one. */
static size_t
slot_of(struct picture *p, long long at_ms)
{
	if (p->slot_ms == 0) {
		p->slot_ms = FIRST_SLOT_MS;
		p->origin_ms = at_ms;
	}
	while (at_ms < p->origin_ms) {
		/* room in front: as many slots as are behind, in half of the slots */
		move_slots(p, PICTURE_SLOTS, 2);
		p->origin_ms -= p->slot_ms * PICTURE_SLOTS;
		p->slot_ms *= 2;
	}
	while ((at_ms - p->origin_ms) / p->slot_ms >= PICTURE_SLOTS) {
		move_slots(p, 0, 2);
		p->slot_ms *= 2;
	}
	return (size_t)((at_ms - p->origin_ms) / p->slot_ms);
}

void
picture_add_point(struct picture *p, size_t line, long long at_ms, long long took_us, bool bad)
{
	size_t slot = slot_of(p, at_ms);

	keep_worst(&p->lines[line], slot, took_us, bad);
	if (took_us > p->lines[line].top_us)
		p->lines[line].top_us = took_us;
	if (p->first_ms == PICTURE_NOWHERE || at_ms < p->first_ms)
		p->first_ms = at_ms;
	if (at_ms + took_us / 1000 > p->last_ms)
		p->last_ms = at_ms + took_us / 1000;
}

void
picture_mark(struct picture *p, size_t line, long long at_ms)
{
	p->lines[line].mark_ms = at_ms;
}

void
picture_add_bar(struct picture *p, const char *name, long long from_ms, long long waited_ms, long long took_ms, bool failed)
{
	ARRAY_ROOM(p->bars, p->bar_count, p->bar_cap);
	p->bars[p->bar_count++] = (struct picture_bar){ xstrdup(name), from_ms, waited_ms, took_ms, failed };
}

void
picture_free(struct picture *p)
{
	size_t i;

	for (i = 0; i < p->line_count; i++)
		free(p->lines[i].name);
	for (i = 0; i < p->bar_count; i++)
		free(p->bars[i].name);
	free(p->lines);
	free(p->bars);
	picture_begin(p);
}

/* --- SVG --- */

enum { WIDTH = 900, LEFT = 60, RIGHT = 880, TOP = 34, BOTTOM = 284, BAR = 18, MOST_BARS = 40 };

#define BAD "#c0392b"
static const char *const colours[] = { "#2e86c1", "#d68910", "#7d8c1f", "#8e44ad" };

/* Where the axes begin and end. */
struct frame {
	long long from_ms, span_ms;
	int decades; /* from 1 ms up */
};

/* Tenths of a unit of the picture, as integers, so that the bytes do not depend on the machine. */
static long long
x_of(const struct frame *f, long long at_ms)
{
	return LEFT * 10 + (at_ms > f->from_ms ? (at_ms - f->from_ms) * (RIGHT - LEFT) * 10 / f->span_ms : 0);
}

/* 1000 times the logarithm to the base 10 of a number from 1 on, by steps of a hundredth of a decade. */
static long long
log_thousandth(long long number)
{
	long long whole = 0, mantissa = number * 1000000, step = 0;

	for (; mantissa >= 10000000; mantissa /= 10)
		whole++;
	/* 1.023293 is the hundredth root of 10 */
	for (; mantissa > 1000000 && step < 100; step++)
		mantissa = mantissa * 1000000 / 1023293;
	return whole * 1000 + step * 10;
}

static long long
y_of(const struct frame *f, long long us)
{
	long long height = (BOTTOM - TOP) * 10, up = us <= 1000 ? 0 : log_thousandth(us) - 3000;

	up = height * up / (f->decades * 1000LL);
	return BOTTOM * 10 - (up > height ? height : up);
}

static void
tenths(struct bytes *out, const char *attribute, long long value)
{
	bytes_format(out, " %s=\"%lld.%lld\"", attribute, value / 10, value % 10);
}

static void
text(struct bytes *out, long long x, long long y, const char *anchor, const char *colour, const char *words)
{
	bytes_str(out, "<text");
	tenths(out, "x", x);
	tenths(out, "y", y);
	if (anchor != NULL)
		bytes_format(out, " text-anchor=\"%s\"", anchor);
	if (colour != NULL)
		bytes_format(out, " style=\"fill:%s\"", colour);
	bytes_char(out, '>');
	check_page_xml(out, words);
	bytes_str(out, "</text>\n");
}

static struct frame
frame_of(const struct picture *p)
{
	struct frame f = { p->first_ms, 0, 3 };
	long long until = p->last_ms, top = 0, limit;
	size_t i;

	for (i = 0; i < p->bar_count; i++) {
		if (f.from_ms == PICTURE_NOWHERE || p->bars[i].from_ms < f.from_ms)
			f.from_ms = p->bars[i].from_ms;
		if (p->bars[i].from_ms + p->bars[i].took_ms > until)
			until = p->bars[i].from_ms + p->bars[i].took_ms;
	}
	for (i = 0; i < p->line_count; i++) {
		top = p->lines[i].top_us > top ? p->lines[i].top_us : top;
		if (p->lines[i].mark_ms > until)
			until = p->lines[i].mark_ms;
	}
	for (limit = 1000000; limit < top && f.decades < 8; limit *= 10)
		f.decades++;
	f.span_ms = until > f.from_ms ? until - f.from_ms : 1;
	return f;
}

static void
draw_scales(struct bytes *out, const struct picture *p, const struct frame *f)
{
	static const long long steps_ms[] = { 100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000, 300000, 600000, 3600000, 21600000, 86400000 };
	long long step = steps_ms[sizeof steps_ms / sizeof *steps_ms - 1], us = 1000, zero, at;
	char words[CLOCK_SPAN];
	size_t i;
	int decade;

	for (decade = 0; decade <= f->decades; decade++, us *= 10) {
		char *label = us < 1000000 ? xformat("%lld ms", us / 1000) : xformat("%lld s", us / 1000000);

		bytes_format(out, "<line x1=\"%d\" x2=\"%d\"", LEFT, RIGHT);
		tenths(out, "y1", y_of(f, us));
		tenths(out, "y2", y_of(f, us));
		bytes_str(out, "/>");
		text(out, (LEFT - 8) * 10, y_of(f, us) + 40, "end", NULL, label);
		free(label);
	}
	for (i = sizeof steps_ms / sizeof *steps_ms; i-- > 0;)
		if (f->span_ms / steps_ms[i] <= 12)
			step = steps_ms[i];
	zero = p->zero_ms != PICTURE_NOWHERE ? p->zero_ms : f->from_ms;
	at = zero - (zero - f->from_ms) / step * step;
	for (; at <= f->from_ms + f->span_ms; at += step) {
		long long ms = at - zero;
		char *label = step >= 1000 && step < 60000 ? xformat("%lld s", ms / 1000)
		    : step < 1000                          ? xformat("%s%lld.%lld s", ms < 0 ? "-" : "", llabs(ms) / 1000, llabs(ms) % 1000 / 100)
		                                           : xformat("%s%s", ms < 0 ? "-" : "", clock_age(llabs(ms), words));

		text(out, x_of(f, at), (BOTTOM + 20) * 10, "middle", NULL, label);
		free(label);
	}
}

static void
draw_line(struct bytes *out, const struct picture *p, const struct frame *f, const struct picture_line *line, const char *colour)
{
	size_t i, last = 0, points = 0;

	bytes_format(out, "<polyline stroke=\"%s\" points=\"", colour);
	for (i = 0; i < PICTURE_SLOTS; i++) {
		long long x = x_of(f, p->origin_ms + (long long)i * p->slot_ms), y;

		if (line->worst_us[i] < 0)
			continue;
		y = y_of(f, line->worst_us[i]);
		bytes_format(out, "%s%lld.%lld,%lld.%lld", points++ > 0 ? " " : "", x / 10, x % 10, y / 10, y % 10);
		last = i;
	}
	bytes_str(out, "\"/>\n");
	for (i = 0; i < PICTURE_SLOTS; i++) {
		/* one point alone makes no line */
		if (line->worst_us[i] < 0 || !(line->bad[i] || (points == 1 && i == last)))
			continue;
		bytes_format(out, "<circle r=\"3\" fill=\"%s\"", line->bad[i] ? BAD : colour);
		tenths(out, "cx", x_of(f, p->origin_ms + (long long)i * p->slot_ms));
		tenths(out, "cy", y_of(f, line->worst_us[i]));
		bytes_str(out, "/>\n");
	}
	if (line->mark_ms != PICTURE_NOWHERE) {
		bytes_format(out, "<line y1=\"%d\" y2=\"%d\" style=\"stroke:%s;stroke-dasharray:4 4\"", TOP, BOTTOM, colour);
		tenths(out, "x1", x_of(f, line->mark_ms));
		tenths(out, "x2", x_of(f, line->mark_ms));
		bytes_str(out, "/>\n");
	}
}

static void
draw_rectangle(struct bytes *out, long long x, long long width, long long y, const char *style)
{
	bytes_format(out, "<rect height=\"%d\" style=\"%s\"", BAR - 4, style);
	tenths(out, "x", x);
	tenths(out, "y", y);
	tenths(out, "width", width > 10 ? width : 10);
	bytes_str(out, "/>\n");
}

/* A step: how long it waited, then how long it worked. */
static void
draw_bar(struct bytes *out, const struct frame *f, const struct picture_bar *bar, long long y)
{
	long long from = x_of(f, bar->from_ms), works = x_of(f, bar->from_ms + bar->waited_ms), until = x_of(f, bar->from_ms + bar->took_ms);
	char span[CLOCK_SPAN], *words = xformat("%s, %s", bar->name, clock_span(bar->took_ms, span));
	long long room = (long long)strlen(words) * 75;

	if (bar->waited_ms > 0)
		draw_rectangle(out, from, works - from, y, "fill:#9995");
	draw_rectangle(out, works, until - works, y, bar->failed ? "fill:" BAD : "fill:#27ae60");
	if (until + 60 + room <= RIGHT * 10)
		text(out, until + 60, y + 110, NULL, NULL, words);
	else
		text(out, from > LEFT * 10 + room ? from - 60 : (LEFT + 4) * 10, y + 110, from > LEFT * 10 + room ? "end" : NULL, NULL, words);
	free(words);
}

void
picture_svg(struct bytes *out, const struct picture *p, const char *title)
{
	struct frame f = frame_of(p);
	size_t bars = p->bar_count < MOST_BARS ? p->bar_count : MOST_BARS, i;
	long long y = BOTTOM + 32;

	bytes_format(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %lld\" font-family=\"sans-serif\" font-size=\"13\">\n", WIDTH,
	    y + (long long)(bars + p->line_count + (bars < p->bar_count)) * BAR + 10);
	bytes_str(out, "<style>text{fill:#555}line{stroke:#9995}polyline{fill:none;stroke-width:1.5}"
	               "@media(prefers-color-scheme:dark){text{fill:#bbb}}</style>\n");
	text(out, LEFT * 10, 160, NULL, NULL, title);
	draw_scales(out, p, &f);
	for (i = 0; i < p->line_count; i++)
		draw_line(out, p, &f, &p->lines[i], colours[i % 4]);
	for (i = 0; i < bars; i++, y += BAR)
		draw_bar(out, &f, &p->bars[i], y * 10);
	if (bars < p->bar_count) {
		char *more = xformat("and %zu more steps", p->bar_count - bars);

		text(out, LEFT * 10, (y + 11) * 10, NULL, NULL, more);
		free(more);
		y += BAR;
	}
	for (i = 0; i < p->line_count; i++, y += BAR) {
		char span[CLOCK_SPAN];
		char *legend = p->lines[i].top_us < 0 ? xformat("%s: no answer", p->lines[i].name)
		    : p->lines[i].top_us < 1000000    ? xformat("%s: at most %lld ms", p->lines[i].name, (p->lines[i].top_us + 999) / 1000)
		                                      : xformat("%s: at most %s", p->lines[i].name, clock_span(p->lines[i].top_us / 1000, span));

		text(out, LEFT * 10, (y + 14) * 10, NULL, colours[i % 4], legend);
		free(legend);
	}
	bytes_str(out, "</svg>\n");
}
