/* Values to text. */
#include "records/json_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

enum { ESCAPE_MAX = 7 };

static size_t
escape(unsigned char c, char *out)
{
	static const char letters[256] = { ['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n',
		['\r'] = 'r', ['\t'] = 't' };

	if (letters[c] == 0)
		return (size_t)snprintf(out, ESCAPE_MAX, "\\u%04X", c);
	out[0] = '\\';
	out[1] = letters[c];
	return 2;
}

static void
write_valid(json_sink *sink, void *context, const char *text, size_t len)
{
	const unsigned char *c = (const unsigned char *)text, *end = c + len;
	char out[4096];
	size_t n = 0;

	out[n++] = '"';
	while (c < end) {
		/* as many as fit, whatever they are */
		size_t most = (sizeof out - n) / ESCAPE_MAX;
		const unsigned char *stop = (size_t)(end - c) < most ? end : c + most;

		while (c < stop) {
			if (json_plain[*c])
				out[n++] = (char)*c++;
			else
				n += escape(*c++, out + n);
		}
		if (sizeof out - n < ESCAPE_MAX) {
			sink(context, out, n);
			n = 0;
		}
	}
	sink(context, out, n);
	sink(context, "\"", 1);
}

void
json_write_text(json_sink *sink, void *context, const char *text)
{
	size_t len = strlen(text);
	struct bytes mended = { 0 };

	if (utf8_check(text, len) == len) {
		write_valid(sink, context, text, len);
		return;
	}
	utf8_repair(&mended, text, len);
	write_valid(sink, context, bytes_text(&mended), mended.len);
	bytes_free(&mended);
}

static void
add_bytes(void *context, const char *data, size_t len)
{
	bytes_add(context, data, len);
}

void
json_add_text(struct bytes *out, const char *text)
{
	json_write_text(add_bytes, out, text);
}

void
json_add_list(struct bytes *out, const char *const items[], size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		bytes_char(out, i > 0 ? ',' : '[');
		if (items[i] != NULL)
			json_add_text(out, items[i]);
		else
			bytes_str(out, "null");
	}
	bytes_str(out, count > 0 ? "]" : "[]");
}
