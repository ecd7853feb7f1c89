/*
 * Shared by the files that find the input (seed/inputs.h); private to them.
 */
#ifndef MIG_SEED_INPUTS_INTERNAL_H
#define MIG_SEED_INPUTS_INTERNAL_H

#include "seed/file.h"
#include "seed/inputs.h"

/* --- inputs.c --- */

/* Takes ownership of path, which is also the name. */
struct seed_file *inputs_add_file(struct seed_input *input, enum seed_kind kind, char *path);
/*
 * Checks name, settings and header of a data file.  This and the functions below return 0, or an exit code with
 * the error reported.
 */
int inputs_check_data(struct seed_file *file, const struct seed_request_files *request);

/* Takes ownership of path. */
int inputs_take_file(struct seed_input *input, const struct seed_request_files *request, char *path);

/* --- folder.c --- */

/* All files of a folder, or of the base and the environment in it. */
int inputs_take_folder(struct seed_input *input, const struct seed_request_files *request, const char *folder);

/* --- stdin.c --- */

int inputs_take_standard_input(struct seed_input *input, const struct seed_request_files *request);

/* --- sql_check.c --- */

/* Reads it into file->text. */
int inputs_check_sql(struct seed_file *file, int fd);

#endif
