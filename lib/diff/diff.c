#include "diff/diff_internal.h"

#include <stdarg.h>
#include <stdlib.h>

struct difference *
add_difference(struct diff *diff, enum change_kind change, enum object_kind object, const char *schema, const char *relation,
    const char *name)
{
	struct difference *d;

	ARRAY_ROOM(diff->differences, diff->difference_count, diff->difference_cap);
	d = &diff->differences[diff->difference_count++];
	*d = (struct difference){ .change = change,
		.object = object,
		.schema = schema,
		.relation = relation,
		.name = name,
		.damage = DAMAGE_NONE };
	return d;
}

void
add_finding(struct diff *diff, const char *rule, enum severity severity, const char *remedy, const char *format, ...)
{
	struct bytes message = { 0 };
	va_list args;

	va_start(args, format);
	bytes_vformat(&message, format, args);
	va_end(args);
	ARRAY_ROOM(diff->findings, diff->finding_count, diff->finding_cap);
	diff->findings[diff->finding_count++] = (struct diff_finding){ .rule = rule,
		.severity = severity,
		.message = arena_text(&diff->arena, bytes_text(&message), message.len),
		.remedy = remedy };
	bytes_free(&message);
}

void
diff_make(struct catalog *from, struct catalog *to, struct diff *diff)
{
	struct work w = { .diff = diff };

	sides_make(&w, from, to);
	match_tables(&w);
	make_schemas(&w);
	make_extensions(&w);
	make_enums(&w);
	make_tables(&w);
	if (w.has_quote)
		add_finding(diff, RULE_BROKEN, SEVERITY_WARNING, NULL,
		    "a quote in a name, or in a value of an enum, is not doubled in this script: it is a syntax error (42601)");
	order_steps(diff);
}

void
diff_by_damage(struct diff *diff)
{
	struct difference *sorted = xcalloc(diff->difference_count + 1, sizeof *sorted);
	size_t count = 0, i;
	int damage;

	for (damage = DAMAGE_LOSES; damage <= DAMAGE_NONE; damage++)
		for (i = 0; i < diff->difference_count; i++)
			if ((int)diff->differences[i].damage == damage)
				sorted[count++] = diff->differences[i];
	free(diff->differences);
	diff->differences = sorted;
	diff->difference_cap = diff->difference_count + 1;
}

void
diff_free(struct diff *diff)
{
	size_t i;

	for (i = 0; i < diff->step_count; i++)
		bytes_free(&diff->steps[i].sql);
	free(diff->differences);
	free(diff->findings);
	free(diff->steps);
	arena_free(&diff->arena);
	*diff = (struct diff){ 0 };
}
