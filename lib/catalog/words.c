#include "catalog/words.h"

#include "catalog/catalog.h"

#define WORDS(name, ...)                                                                          \
	static const char *const name##_list[] = { __VA_ARGS__ };                                 \
	const struct words name##_words = { name##_list, sizeof name##_list / sizeof *name##_list }

WORDS(arity, "required", "nullable", "list");
WORDS(type_kind, "native", "enum", "unsupported");
WORDS(default_kind, NULL, "value", "list", "now", "expression", "sequence");
WORDS(literal_kind, "string", "integer", "decimal", "boolean", "time", "json", "bytes", "enum");
WORDS(sort, NULL, "asc", "desc");
WORDS(action, "no_action", "restrict", "cascade", "set_null", "set_default");

const char *
word_of(const struct words *words, int value)
{
	return words->words[value];
}

int
word_find(const struct words *words, const char *word)
{
	int i;

	for (i = 0; i < words->count; i++)
		if (text_equal(words->words[i], word))
			return i;
	return -1;
}
