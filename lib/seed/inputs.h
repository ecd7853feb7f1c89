/*
 * Finds the input: files, folders, standard input.
 */
#ifndef MIG_SEED_INPUTS_H
#define MIG_SEED_INPUTS_H

#include "base/bytes.h"
#include "records/record.h"
#include "seed/environment.h"
#include "seed/file.h"
#include "seed/secrets.h"
#include "seed/settings.h"

struct seed_input {
	struct seed_file *files;   /* SQL first, then data */
	size_t count, cap;
	size_t sql_count;
	struct reader *reader;     /* of the stream on standard input, whose failure is passed on; else NULL */
	const struct failure *failure;
	const char *environment;   /* --env, or NULL */
	struct seed_secrets secrets; /* values of secret columns */
	struct bytes overridden;   /* for pages: a line for each file or setting of the base that the environment replaces, or adds */
};

struct seed_request_files {
	char *const *paths;        /* files, folders, "-" */
	size_t count;
	const char *table;         /* the table of NDJSON on standard input; NULL: it is a stream, or SQL */
	const char *environment;   /* --env, or NULL */
	struct seed_word *words;
	size_t word_count;
	const struct environment *in; /* while the files of one are gathered */
};

/*
 * Finds and checks all input before the connection is opened.  Returns 0, or an exit code with the error reported;
 * sets input->failure if the previous tool failed.
 */
int seed_gather(struct seed_input *input, const struct seed_request_files *request);
void seed_input_free(struct seed_input *input);

#endif
