/*
 * What the command line of mig-scan asks for.
 */
#ifndef MIG_TOOLS_SCAN_REQUEST_H
#define MIG_TOOLS_SCAN_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/shell_quote.h"
#include "records/output.h"

/* What is read: the history and the folder, or one schema. */
enum scan_mode { MODE_SCAN, MODE_DATAMODEL, MODE_CATALOG, MODE_REPLAY, MODE_DRAFT, MODE_LOG };

struct scan_request {
	const char *database;  /* -d */
	const char *schema;    /* --schema */
	const char *dir;       /* NULL: the usual places; "-": standard input */
	bool offline;
	long long wait_ms;
	const char *wait;      /* as it was said */
	enum scan_mode mode;
	const char *datamodel; /* --datamodel */
	bool grants;
	bool rehearse;
	bool load;             /* --load */
	long long load_ms;     /* its TIME; 0: none */
	const char *load_word; /* its value as it was said; NULL: none */
	bool statements;       /* and `statements` in it */
	const char *draft;     /* --draft */
	const char *to;        /* --replay's */
	const char *scratch;   /* and --rehearse's */
	bool same_server;
	char *const *files;    /* --log's */
	size_t file_count;
};

/* 0, or MIG_USAGE, said.  Points into argv; sets out->kind. */
int scan_request_read(int argc, char *argv[], struct scan_request *request, struct output *out);

/* The options, to be typed again; words->unknown where one may not be shown. */
void scan_request_words(struct shell_words *words, const struct scan_request *request);

#endif
