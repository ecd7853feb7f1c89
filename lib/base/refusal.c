#include "base/refusal.h"

#include <stdarg.h>
#include <string.h>

#include "base/message.h"

int
refusal_make(struct refusal *refusal, int code, const char *format, ...)
{
	va_list args;

	refusal->code = code;
	va_start(args, format);
	bytes_vformat(&refusal->lines, format, args);
	va_end(args);
	bytes_char(&refusal->lines, '\0');
	return code;
}

void
refusal_line(struct refusal *refusal, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	bytes_vformat(&refusal->lines, format, args);
	va_end(args);
	bytes_char(&refusal->lines, '\0');
}

int
refusal_say(struct refusal *refusal)
{
	int code = refusal->code;
	size_t at;

	for (at = 0; at < refusal->lines.len; at += strlen(refusal->lines.data + at) + 1)
		if (at == 0)
			(void)message_error(code, "%s", refusal->lines.data);
		else
			message_line("%s", refusal->lines.data + at);
	refusal_free(refusal);
	return code;
}

void
refusal_free(struct refusal *refusal)
{
	bytes_free(&refusal->lines);
	*refusal = (struct refusal){ 0 };
}
