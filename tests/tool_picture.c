/*
 * tool_picture TITLE: draws what it reads, by check/picture.h.  Times are of one clock, in ms; lines of
 *
 *	zero MS             what the axis counts from
 *	line NAME           a line begins
 *	point MS US [bad]   a point of it, and how long it took
 *	mark MS             when what it is about was done
 *	bar MS WAITED TOOK NAME
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "check/picture.h"

int
main(int argc, char *argv[])
{
	struct bytes svg = { 0 };
	struct picture picture;
	char line[512], name[400];
	size_t number = 0;

	picture_begin(&picture);
	while (fgets(line, sizeof line, stdin) != NULL) {
		long long at, a, b;

		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "line %399[^\n]", name) == 1)
			number = picture_add_line(&picture, name);
		else if (sscanf(line, "point %lld %lld", &at, &a) == 2 && picture.line_count > 0)
			picture_add_point(&picture, number, at, a, strstr(line, " bad") != NULL);
		else if (sscanf(line, "mark %lld", &at) == 1 && picture.line_count > 0)
			picture_mark(&picture, number, at);
		else if (sscanf(line, "bar %lld %lld %lld %399[^\n]", &at, &a, &b, name) == 4)
			picture_add_bar(&picture, name, at, a, b, false);
		else if (sscanf(line, "zero %lld", &at) == 1)
			picture.zero_ms = at;
		else
			return fprintf(stderr, "tool_picture: not understood: %s\n", line), 65;
	}
	picture_svg(&svg, &picture, argc > 1 ? argv[1] : "");
	fwrite(bytes_text(&svg), 1, svg.len, stdout);
	bytes_free(&svg);
	picture_free(&picture);
	return 0;
}
