/*
 * The record words for the enums of a catalog, in the order of each enum.
 */
#ifndef MIG_CATALOG_WORDS_H
#define MIG_CATALOG_WORDS_H

#include <stddef.h>

struct words {
	const char *const *words; /* NULL: null */
	int count;
};

extern const struct words arity_words, type_kind_words, default_kind_words, literal_kind_words, sort_words, action_words;

const char *word_of(const struct words *words, int value);

/* The enum value of a word (NULL: of null), or -1. */
int word_find(const struct words *words, const char *word);

#endif
