/*
 * Characters as Prisma's grammar sees them.  Pure.
 */
#ifndef MIG_DATAMODEL_LETTERS_H
#define MIG_DATAMODEL_LETTERS_H

#include <stdbool.h>

bool is_letter(unsigned long c);          /* Unicode's category L */
bool is_space_separator(unsigned long c); /* and Zs */

#endif
