/*
 * Macros for the rows of a `struct field` table (records/record.h).  The key of a field is the member's name; the
 * _AS forms take another one.  Only files with such tables include this header.
 */
#ifndef MIG_RECORDS_FORM_H
#define MIG_RECORDS_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "records/record.h"

#define FORM_ROW(type, key, member, kind, null, words) { key, kind, null, offsetof(struct type, member), words }

#define TEXT_AS(type, key, member)                FORM_ROW(type, key, member, FIELD_TEXT, false, NULL)
#define TEXT_OR_NULL_AS(type, key, member)        FORM_ROW(type, key, member, FIELD_TEXT, true, NULL)
#define FLAG_AS(type, key, member)                FORM_ROW(type, key, member, FIELD_FLAG, false, NULL)
#define TEXT_LIST_AS(type, key, member)           FORM_ROW(type, key, member, FIELD_LIST, false, NULL)
#define TEXT_LIST_OR_NULL_AS(type, key, member)   FORM_ROW(type, key, member, FIELD_LIST, true, NULL)

#define TEXT(type, member)                        TEXT_AS(type, #member, member)
#define TEXT_OR_NULL(type, member)                TEXT_OR_NULL_AS(type, #member, member)
#define FLAG(type, member)                        FLAG_AS(type, #member, member)
#define FLAG_OR_NULL(type, member)                FORM_ROW(type, #member, member, FIELD_FLAG, true, NULL)
#define NUMBER(type, member)                      FORM_ROW(type, #member, member, FIELD_NUMBER, false, NULL)
#define NUMBER_OR_NULL(type, member)              FORM_ROW(type, #member, member, FIELD_NUMBER, true, NULL)
#define TEXT_LIST(type, member)                   TEXT_LIST_AS(type, #member, member)
#define TEXT_LIST_OR_NULL(type, member)           TEXT_LIST_OR_NULL_AS(type, #member, member)
#define OBJECT_OR_NULL(type, member)              FORM_ROW(type, #member, member, FIELD_OBJECT, true, NULL)
#define WORD(type, member, words)                 FORM_ROW(type, #member, member, FIELD_WORD, false, words)
#define WORD_OR_NULL(type, member, words)         FORM_ROW(type, #member, member, FIELD_WORD, true, words)
#define LAST                                      { NULL, FIELD_TEXT, false, 0, NULL }

#endif
