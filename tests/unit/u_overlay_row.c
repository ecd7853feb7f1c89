#include "seed/overlay_row.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "check.h"

/* Rows as "column=value ...", "!" is NULL; keys; what one row has of both: "column:base|over". */
static const struct {
	const char *what, *base, *over, *key, *both;
} cases[] = {
	{ "what the environment has takes the place of what the base has", "slug=pro price=20", "slug=pro price=25", "slug", "slug:pro| price:20|25" },
	{ "what it does not have stays", "slug=pro price=20 name=Pro", "slug=pro price=25", "slug", "slug:pro| price:20|25 name:Pro|" },
	{ "a column of its own comes last", "slug=pro", "trial=1 slug=pro", "slug", "slug:pro| trial:|1" },
	{ "NULL is a value, on either side", "slug=pro price=20 name=!", "slug=pro price=! name=x", "slug", "slug:pro| price:20|! name:!|x" },
	{ "the columns of a key are those of the base", "b=1 a=2 c=3", "a=2 b=1 c=4", "a b", "b:1| a:2| c:3|4" },
	{ "the order is that of the base", "c=1 b=2 a=3", "a=6 b=5 c=4", "-", "c:1|4 b:2|5 a:3|6" },
	{ "an equal value is told all the same", "slug=pro price=20", "slug=pro price=20", "slug", "slug:pro| price:20|20" },
	{ "two rows without a column in common", "a=1", "b=2", "-", "a:1| b:|2" },
	{ "an empty object changes nothing", "slug=pro price=20", "", "slug", "slug:pro| price:20|" },
};

static size_t
read_row(const char *text, struct row_value values[8])
{
	size_t count = 0;

	while (*text != '\0') {
		size_t name = strcspn(text, "="), value = strcspn(text + name + 1, " ");

		values[count] = (struct row_value){ .name = xstrndup(text, name), .null = text[name + 1] == '!' };
		bytes_add(&values[count++].text, text + name + 1, value);
		text += name + 1 + value;
		text += *text == ' ';
	}
	return count;
}

static void
free_row(struct row_value values[8], size_t count)
{
	while (count-- > 0) {
		free(values[count].name);
		bytes_free(&values[count].text);
	}
}

static void
show(struct bytes *out, const struct overlay_value *row, size_t count)
{
	size_t i;

	bytes_str(out, "");
	for (i = 0; i < count; i++)
		bytes_format(out, "%s%s:%s|%s", i > 0 ? " " : "", row[i].base != NULL ? row[i].base->name : row[i].over->name,
		    row[i].base != NULL ? row[i].base->text.data : "", row[i].over != NULL ? row[i].over->text.data : "");
}

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct row_value base[8], over[8];
		struct overlay_value row[16];
		struct seed_names key = { 0 };
		struct bytes text = { 0 };
		size_t mine = read_row(cases[i].base, base), theirs = read_row(cases[i].over, over);
		const char *at = cases[i].key;

		for (; *at != '\0'; at += strcspn(at, " "), at += *at == ' ')
			seed_names_add(&key, xstrndup(at, strcspn(at, " ")));
		show(&text, row, overlay_row(base, mine, over, theirs, &key, row));
		check_text(cases[i].what, text.data, cases[i].both);
		bytes_free(&text);
		seed_names_free(&key);
		free_row(base, mine);
		free_row(over, theirs);
	}
	return checks_failed();
}
