/*
 * Character classes of Prisma's grammar.  Pure.
 */
#ifndef MIG_DATAMODEL_LETTERS_H
#define MIG_DATAMODEL_LETTERS_H

#include <stdbool.h>

bool is_letter(unsigned long c);          /* Unicode category L */
bool is_space_separator(unsigned long c); /* Unicode category Zs */

#endif
