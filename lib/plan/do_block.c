#include "plan/do_block.h"

#include <stddef.h>
#include <string.h>

void
do_block(struct bytes *out, struct bytes *body)
{
	struct bytes tag = { 0 };
	size_t n = 0;

	bytes_str(&tag, "$mig$");
	while (strstr(body->data, tag.data) != NULL) {
		tag.len = 0;
		bytes_format(&tag, "$mig%zu$", ++n);
	}
	bytes_format(out, "DO %s BEGIN ", tag.data);
	bytes_add(out, body->data, body->len);
	bytes_format(out, " END %s", tag.data);
	bytes_free(&tag);
	bytes_free(body);
}
