#include "check/page_internal.h"

#include <string.h>

#include "base/bytes.h"

void
check_page_xml(struct bytes *out, const char *text)
{
	struct bytes valid = { 0 };
	const char *c;

	utf8_repair(&valid, text, strlen(text));
	for (c = bytes_text(&valid); *c != '\0'; c++) {
		unsigned char byte = (unsigned char)*c;

		if (byte == '&')
			bytes_str(out, "&amp;");
		else if (byte == '<')
			bytes_str(out, "&lt;");
		else if (byte == '>')
			bytes_str(out, "&gt;"); /* "]]>" may not stand in a text */
		else if (byte == '"')
			bytes_str(out, "&quot;");
		else if (byte == '\n' || byte == '\t')
			bytes_format(out, "&#%d;", byte); /* an attribute would have a blank */
		else if (byte < 0x20)
			bytes_str(out, "\xEF\xBF\xBD");
		else if (byte == 0xEF && (unsigned char)c[1] == 0xBF && (unsigned char)c[2] >= 0xBE)
			bytes_str(out, "\xEF\xBF\xBD"), c += 2; /* U+FFFE, U+FFFF */
		else
			bytes_char(out, *c);
	}
	bytes_free(&valid);
}
