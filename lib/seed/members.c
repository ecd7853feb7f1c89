#include "seed/members.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "seed/copy_source.h"

static bool
is_member(const struct seed_file *file, size_t at, struct seed_span key)
{
	const char *name;

	if (at >= file->members.count)
		return false;
	name = file->members.names[at];
	return key.len == strlen(name) + 2 && memcmp(key.text + 1, name, key.len - 2) == 0;
}

/* Where a member is, or `count`.  Objects mostly have their members in the same order: `guess` is tried first. */
static size_t
find(const struct seed_file *file, struct seed_span key, size_t guess)
{
	size_t i;

	if (is_member(file, guess, key))
		return guess;
	for (i = 0; i < file->members.count && !is_member(file, i, key); i++)
		;
	return i;
}

void
members_add(struct seed_file *file, struct seed_span object)
{
	const char *at = object.text;
	struct seed_span key, value;
	size_t guess = 0;

	while (seed_json_member(&at, object.text + object.len, &key, &value)) {
		size_t found = find(file, key, guess);

		if (found == file->members.count) {
			char *name = seed_json_text(key);

			if (name == NULL)
				continue; /* no column of ours has such a name */
			seed_names_add(&file->members, name);
			file->member_rows = xrealloc(file->member_rows, file->members.count * sizeof *file->member_rows);
			file->member_rows[found] = 0;
		}
		file->member_rows[found]++;
		guess = found + 1;
	}
}

int
members_read(struct seed_file *file)
{
	struct copy_source feed;
	const char *line, *from;
	size_t len;
	int code = copy_source_open(&feed, file, false);

	while (code == 0 && copy_source_line(&feed, &line, &len)) {
		from = seed_json_blanks(line, line + len);
		if (from == line + len || *from != '{')
			continue; /* reported where it is sent */
		members_add(file, (struct seed_span){ from, (size_t)(line + len - from) });
		file->rows++;
	}
	code = code != 0 ? code : feed.code;
	copy_source_close(&feed);
	return code;
}

static size_t
rows_with(const struct seed_file *file, const char *name)
{
	size_t i;

	for (i = 0; i < file->members.count; i++)
		if (strcmp(file->members.names[i], name) == 0)
			return file->member_rows[i];
	return 0;
}

bool
members_all(const struct seed_file *file, const char *name)
{
	return rows_with(file, name) >= file->rows;
}

bool
members_any(const struct seed_file *file, const char *name)
{
	return rows_with(file, name) > 0;
}
