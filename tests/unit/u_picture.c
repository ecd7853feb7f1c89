#include "check/picture.h"

#include <stddef.h>
#include <string.h>

#include "base/bytes.h"
#include "check.h"

static size_t
count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)) != NULL; text += strlen(what))
		n++;
	return n;
}

static size_t
kept(const struct picture_line *line)
{
	size_t n = 0, i;

	for (i = 0; i < PICTURE_SLOTS; i++)
		n += line->worst_us[i] >= 0;
	return n;
}

static const char *
drawn(struct bytes *out, const struct picture *picture)
{
	out->len = 0;
	picture_svg(out, picture, "a < b & \"c\"");
	return out->data;
}

int
main(void)
{
	struct picture picture;
	struct bytes svg = { 0 };
	long long i;
	size_t line;

	picture_begin(&picture);
	check("a title is quoted, and nothing else is needed", strstr(drawn(&svg, &picture), "a &lt; b &amp; &quot;c&quot;") != NULL);

	line = picture_add_line(&picture, "health");
	picture_add_point(&picture, line, 1000, 5000, false);
	check("a single point is a dot", count(drawn(&svg, &picture), "<circle") == 1);
	for (i = 0; i < 100000; i++)
		picture_add_point(&picture, line, 1000 + i * 100, i == 777 ? 2500000 : 4000, i == 778);
	check("slots become longer, none is lost", kept(&picture.lines[line]) > PICTURE_SLOTS / 2);
	check("the worst of a slot is kept", picture.lines[line].top_us == 2500000);
	check("and shown", strstr(drawn(&svg, &picture), "health: at most 2.50 s") != NULL);
	check("what was bad has a dot", count(drawn(&svg, &picture), "<circle") == 1);
	check("the scale reaches as far as the worst", strstr(svg.data, ">10 s</text>") != NULL && strstr(svg.data, ">100 s</text>") == NULL);

	picture_add_point(&picture, line, -5000000, 1000, false);
	check("an earlier time makes room in front", picture.origin_ms <= -5000000 && picture.first_ms == -5000000);
	check("and the others stay", picture.lines[line].top_us == 2500000 && kept(&picture.lines[line]) > 2);
	picture_free(&picture);

	line = picture_add_line(&picture, "mig");
	for (i = 0; i < 5; i++)
		picture_add_point(&picture, line, i * 1000 - 1000, 1000, false);
	picture.zero_ms = 0;
	picture_mark(&picture, line, 2500);
	picture_add_bar(&picture, "20261120_order", -500, 1000, 1500, false);
	check("the axis counts from what it is told", strstr(drawn(&svg, &picture), ">-1.0 s</text>") != NULL || strstr(svg.data, ">-1 s</text>") != NULL);
	check("a step that waited has two bars", count(svg.data, "<rect") == 2 && strstr(svg.data, "20261120_order, 1.50 s") != NULL);
	check("a mark is a dashed line", count(svg.data, "stroke-dasharray") == 1);
	for (i = 0; i < 50; i++)
		picture_add_bar(&picture, "x", 0, 0, 10, i == 3);
	check("many steps are counted", strstr(drawn(&svg, &picture), "and 11 more steps") != NULL);
	check("one that failed is red", count(svg.data, "fill:#c0392b") == 1);
	picture_free(&picture);
	bytes_free(&svg);
	return checks_failed();
}
