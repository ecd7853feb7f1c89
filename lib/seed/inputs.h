/*
 * Finds what is to be put in: files, folders, standard input.
 */
#ifndef MIG_SEED_INPUTS_H
#define MIG_SEED_INPUTS_H

#include "records/record.h"
#include "seed/file.h"
#include "seed/settings.h"

struct seed_input {
	struct seed_file *files;   /* SQL first, then data */
	size_t count, cap;
	size_t sql_count;
	struct reader *reader;     /* of the stream on standard input, whose failure is passed on; else NULL */
	const struct failure *failure;
};

struct seed_request_files {
	char *const *paths;        /* files, folders, "-" */
	size_t count;
	const char *table;         /* of the NDJSON on standard input; NULL: it is a stream, or SQL */
	struct seed_word *words;
	size_t word_count;
};

/*
 * Finds and checks all that is to be put in, before anybody connects.  Returns 0, or an exit code, said;
 * input->failure is set where the tool before gave up.
 */
int seed_gather(struct seed_input *input, const struct seed_request_files *request);
void seed_input_free(struct seed_input *input);

#endif
