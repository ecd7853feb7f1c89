#include "records/record.h"

#include <string.h>

#include "base/bytes.h"
#include "base/mig.h"
#include "records/record_internal.h"

const char *
record_name(const struct record *record)
{
	const struct value *value = record_get(record, "record", NULL);

	return value != NULL && value->type == VALUE_TEXT ? value->text : NULL;
}

bool
record_is(const struct record *record, const struct record_form *form)
{
	return strcmp(record_name(record), form->name) == 0;
}

static const char *
type_name(enum field_type type)
{
	switch (type) {
	case FIELD_TEXT:
		return "a text";
	case FIELD_NUMBER:
		return "a whole number";
	case FIELD_FLAG:
		return "true or false";
	case FIELD_OBJECT:
		return "an object";
	case FIELD_LIST:
		return "a list of texts";
	case FIELD_WORD:
		return "a word";
	}
	return "";
}

/*
 * NULL is the first word of a nullable field.  Enums are ints to gcc and clang, as long as no value of theirs is negative or
 * large.
 */
static bool
fill_word(const struct field *field, const char *text, char *at)
{
	int i = text != NULL && field->nullable;

	while (text != NULL && field->words[i] != NULL && strcmp(field->words[i], text) != 0)
		i++;
	*(int *)(void *)at = i;
	return field->words[i] != NULL;
}

/* "error, warning or note": the words that a field may have. */
static void
list_words(const struct field *field, struct bytes *out)
{
	const char *const *word = field->words + field->nullable;

	for (; *word != NULL; word++)
		bytes_format(out, "%s%s", out->len == 0 ? "" : word[1] != NULL || field->nullable ? ", " : " or ", *word);
}

static int
refuse_value(struct reader *r, const struct record_form *form, const struct field *field)
{
	struct bytes words = { 0 };

	if (field->type == FIELD_WORD)
		list_words(field, &words);
	else
		bytes_str(&words, type_name(field->type));
	(void)reader_refuse(r, "\"%s\" of the %s record is not %s%s", field->key, form->name, words.data,
	    field->nullable ? " or null" : "");
	bytes_free(&words);
	return MIG_DATA;
}

/* Puts one value where its field says; false where it is of another type. */
static bool
fill_field(const struct field *field, const struct value *value, char *at)
{
	static const enum value_type types[] = {
		[FIELD_TEXT] = VALUE_TEXT,
		[FIELD_NUMBER] = VALUE_NUMBER,
		[FIELD_FLAG] = VALUE_FLAG,
		[FIELD_OBJECT] = VALUE_OTHER,
		[FIELD_LIST] = VALUE_LIST,
		[FIELD_WORD] = VALUE_TEXT,
	};
	bool null = value->type == VALUE_NULL;

	if (null ? !field->nullable : value->type != types[field->type])
		return false;
	switch (field->type) {
	case FIELD_TEXT:
	case FIELD_LIST:
		*(const char **)(void *)at = value->text;
		break;
	case FIELD_NUMBER:
		*(long long *)(void *)at = null ? NUMBER_UNKNOWN : value->number;
		break;
	case FIELD_FLAG:
		*(bool *)at = value->number != 0;
		break;
	case FIELD_OBJECT:
		*(const char **)(void *)at = NULL;
		break;
	case FIELD_WORD:
		return fill_word(field, null ? NULL : value->text, at);
	}
	return true;
}

int
record_fill(struct reader *r, const struct record *record, const struct record_form *form, void *out)
{
	static const struct value null = { VALUE_NULL, NULL, 0 };
	const struct field *field;
	size_t next = 1; /* behind "record" */

	for (field = form->fields; field->key != NULL; field++) {
		const struct value *value = record_get(record, field->key, &next);

		if (value == NULL && field->nullable)
			value = &null;
		if (value == NULL)
			return reader_refuse(r, "the %s record has no \"%s\"", form->name, field->key);
		if (!fill_field(field, value, (char *)out + field->offset))
			return refuse_value(r, form, field);
	}
	return 0;
}
