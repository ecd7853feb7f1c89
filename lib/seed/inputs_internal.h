/*
 * Shared by the files that find what is to be put in (seed/inputs.h); nobody else includes it.
 */
#ifndef MIG_SEED_INPUTS_INTERNAL_H
#define MIG_SEED_INPUTS_INTERNAL_H

#include "seed/file.h"
#include "seed/inputs.h"

/* --- inputs.c --- */

/* Takes path, which is its name as well. */
struct seed_file *inputs_add_file(struct seed_input *input, enum seed_kind kind, char *path);
/* Name, settings and header of a data file: 0, or an exit code, said; so for all here. */
int inputs_check_data(struct seed_file *file, const struct seed_request_files *request);

/* --- stdin.c --- */

int inputs_take_standard_input(struct seed_input *input, const struct seed_request_files *request);

/* --- sql_check.c --- */

/* Reads it into file->text. */
int inputs_check_sql(struct seed_file *file, int fd);

#endif
