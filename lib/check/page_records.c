/* What a check measured, for records. */
#include "check/page_internal.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/null.h"

void
check_page_measures(struct bytes *out, const struct check_outcome *o)
{
	size_t i;

	bytes_char(out, '{');
	for (i = 0; i < o->measure_count; i++) {
		bytes_format(out, "%s\"%s\":", i > 0 ? "," : "", o->measures[i].metric->key);
		if (o->measures[i].value == NUMBER_UNKNOWN)
			bytes_str(out, "null");
		else
			bytes_format(out, "%lld", o->measures[i].value);
	}
	bytes_char(out, '}');
}

void
check_page_limits(struct bytes *out, const struct check_outcome *o)
{
	size_t i, told = 0;

	bytes_char(out, '{');
	for (i = 0; i < o->measure_count; i++) {
		const struct measure *m = &o->measures[i];
		bool both = m->warning != NUMBER_UNKNOWN && m->critical != NUMBER_UNKNOWN;

		if (m->warning == NUMBER_UNKNOWN && m->critical == NUMBER_UNKNOWN)
			continue;
		bytes_format(out, "%s\"%s\":{", told++ > 0 ? "," : "", m->metric->key);
		if (m->warning != NUMBER_UNKNOWN)
			bytes_format(out, "\"warning\":%lld", m->warning);
		if (m->critical != NUMBER_UNKNOWN)
			bytes_format(out, "%s\"critical\":%lld", both ? "," : "", m->critical);
		bytes_char(out, '}');
	}
	bytes_char(out, '}');
}
