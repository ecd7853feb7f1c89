#include "base/spoken.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/bytes.h"

static bool called_as_mig;

void
spoken_begin(void)
{
	called_as_mig = true;
}

enum { WORDS = 64, PARTS = 4 };

/* A word of a command line, with its quotes. */
struct word {
	const char *at;
	size_t len;
};

/* mig-scan and what follows it, up to the next pipe. */
struct part {
	struct word words[WORDS];
	size_t count;
};

struct command {
	struct part parts[PARTS];
	size_t count;
	const char *end;
};

static bool
is(const struct word *word, const char *text)
{
	return word->len == strlen(text) && memcmp(word->at, text, word->len) == 0;
}

static bool
begins(const struct word *word, const char *text)
{
	return word->len >= strlen(text) && memcmp(word->at, text, strlen(text)) == 0;
}

static bool
same(const struct word *a, const struct word *b)
{
	return a->len == b->len && memcmp(a->at, b->at, a->len) == 0;
}

static bool
is_tool(const struct word *word)
{
	static const char *const tools[] = { "mig-scan", "mig-plan", "mig-apply", "mig-seed", "mig-check" };
	size_t i;

	for (i = 0; i < sizeof tools / sizeof *tools; i++)
		if (is(word, tools[i]))
			return true;
	return false;
}

/* --- reading --- */

/* In quotes a blank is a part of the word. */
static struct word
next_word(const char *at)
{
	struct word word = { at, 0 };
	bool quoted = false;

	for (; *at != '\0' && *at != '\n' && (quoted || *at != ' '); at++) {
		if (*at == '\\' && !quoted && at[1] != '\0' && at[1] != '\n')
			at++;
		else if (*at == '\'')
			quoted = !quoted;
	}
	word.len = (size_t)(at - word.at);
	return word;
}

/* False: it is too long, or pipes into something else. */
static bool
read_command(const char *at, struct command *command)
{
	struct part *part = &command->parts[0];

	*command = (struct command){ .count = 1 };
	for (;;) {
		struct word word = next_word(at);

		if (is(&word, "|")) {
			if (part->count == 0 || command->count == PARTS)
				return false;
			part = &command->parts[command->count++];
		} else if (part->count == WORDS || (part->count == 0 && !is_tool(&word))) {
			return false;
		} else {
			part->words[part->count++] = word;
		}
		at = word.at + word.len;
		if (at[0] != ' ' || at[1] == ' ' || at[1] == '\0' || at[1] == '\n')
			break;
		at++;
	}
	command->end = at;
	return part->count > 0;
}

/* --- one command line for all of it --- */

/* An option whose value is the next word. */
static bool
takes_next(const struct word *word)
{
	return is(word, "-d") || is(word, "-o") || is(word, "--expect");
}

/* The words [*from, from + n) of an option that several of them have, or n = 0. */
static size_t
find_option(const struct part *part, const char *name, size_t *from)
{
	size_t i;

	for (i = 1; i < part->count; i++)
		if (begins(&part->words[i], name)) {
			*from = i;
			return takes_next(&part->words[i]) && i + 1 < part->count ? 2 : 1;
		}
	return 0;
}

static bool
agree(const struct part *a, const struct part *b, const char *option)
{
	size_t i = 0, j = 0, n = find_option(a, option, &i), m = find_option(b, option, &j), k;

	for (k = 0; k < n && k < m; k++)
		if (!same(&a->words[i + k], &b->words[j + k]))
			return false;
	return n == m;
}

static bool
has_operand(const struct part *part)
{
	size_t i;

	for (i = 1; i < part->count; i++) {
		if (takes_next(&part->words[i]))
			i++;
		else if (part->words[i].at[0] != '-' || part->words[i].len == 1)
			return true;
	}
	return false;
}

/* Where a scan goes, and what would go there as well. */
static bool
is_from_pipe(const struct part *scan)
{
	size_t from;

	return (scan->count > 1 && is(&scan->words[scan->count - 1], "-")) || find_option(scan, "-o", &from) > 0 ||
	    find_option(scan, "--format", &from) > 0;
}

/* How many of the parts `mig plan` or `mig deploy` stand for; 0: they do not. */
static size_t
composed(const struct command *c)
{
	const struct part *p = c->parts;
	size_t from;

	if (c->count < 2 || !is(&p[0].words[0], "mig-scan") || !is(&p[1].words[0], "mig-plan") || is_from_pipe(&p[0]) || has_operand(&p[1]))
		return 0;
	if (c->count == 2 || !is(&p[2].words[0], "mig-apply"))
		return 2;
	return !has_operand(&p[2]) && find_option(&p[1], "-o", &from) == 0 && find_option(&p[1], "--format", &from) == 0 &&
	        agree(&p[0], &p[2], "-d") && agree(&p[0], &p[2], "--database=") && agree(&p[0], &p[2], "--schema=") && agree(&p[0], &p[2], "--wait") &&
	        agree(&p[1], &p[2], "--max-stall")
	    ? 3
	    : 0;
}

static void
add_word(struct bytes *out, const struct word *word)
{
	bytes_char(out, ' ');
	bytes_add(out, word->at, word->len);
}

/* The words of a part but those that an earlier one has already. */
static void
add_words(struct bytes *out, const struct command *c, size_t at)
{
	const struct part *part = &c->parts[at];
	size_t i, j, k;

	for (i = 1; i < part->count; i++) {
		bool there = false, pair = takes_next(&part->words[i]) && i + 1 < part->count;

		for (j = 0; j < at; j++)
			for (k = 1; k < c->parts[j].count; k++)
				there |= same(&c->parts[j].words[k], &part->words[i]) && part->words[i].at[0] == '-';
		for (j = 0; j <= pair; j++)
			if (!there)
				add_word(out, &part->words[i + j]);
		i += pair;
	}
}

/* --- the whole --- */

static void
add_part(struct bytes *out, const struct command *c, size_t at)
{
	const struct part *part = &c->parts[at];
	size_t i;

	bytes_str(out, at > 0 ? " | mig " : "mig ");
	bytes_add(out, part->words[0].at + 4, part->words[0].len - 4);
	for (i = 1; i < part->count; i++)
		add_word(out, &part->words[i]);
	/* without a stream `mig plan` makes a scan of its own */
	if (at > 0 && is(&part->words[0], "mig-plan") && !has_operand(part))
		bytes_str(out, " -");
}

static void
add_command(struct bytes *out, const struct command *c)
{
	size_t done = composed(c), i;

	if (done > 0) {
		bytes_str(out, done == 2 ? "mig plan" : "mig deploy");
		for (i = 0; i < done; i++)
			add_words(out, c, i);
	} else if (c->count == 2 && is(&c->parts[0].words[0], "mig-scan") && c->parts[0].count == 1 &&
	    is(&c->parts[1].words[0], "mig-check") && c->parts[1].count > 1 && is(&c->parts[1].words[1], "history")) {
		bytes_str(out, "mig check");
		add_words(out, c, 1);
		done = 2;
	}
	for (i = done; i < c->count; i++)
		add_part(out, c, i);
}

/* "(mig-plan -v shows them)", but not "(mig-scan failed)". */
static bool
is_told(const char *at)
{
	struct word name = next_word(at), next = name.at[name.len] == ' ' ? next_word(name.at + name.len + 1) : name;

	return begins(&next, "-") || is(&next, "shows");
}

/* Whether a command may begin here: not in the midst of a sentence, where the name of a session may be the same. */
static bool
is_beginning(const char *lines, const char *at)
{
	const char *before = at;

	while (before > lines && before[-1] == ' ')
		before--;
	if (before == lines || before[-1] == '\n' || at - before > 1)
		return true;
	if (at == before)
		return before[-1] == '(' && is_told(at);
	/* "next: ", but not "mig: mig-scan was ended by a signal" */
	return before[-1] == ':' && !(before - lines == 4 && memcmp(lines, "mig:", 4) == 0);
}

char *
spoken(const char *lines)
{
	struct bytes out = { 0 };
	const char *at = lines, *found;
	struct command command;
	struct word word;

	while (called_as_mig && (found = strstr(at, "mig-")) != NULL) {
		bytes_add(&out, at, (size_t)(found - at));
		word = next_word(found);
		at = found;
		if (is_tool(&word) && is_beginning(lines, found) && read_command(found, &command)) {
			add_command(&out, &command);
			at = command.end;
		} else {
			bytes_add(&out, at, strlen("mig-"));
			at += strlen("mig-");
		}
	}
	bytes_str(&out, at);
	return out.data != NULL ? out.data : xstrdup("");
}
