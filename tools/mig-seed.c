/*
 * mig-seed: puts reference data in, all of it or nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "database.h"
#include "face.h"
#include "message.h"
#include "mig.h"
#include "model.h"
#include "options.h"
#include "output.h"
#include "record.h"
#include "seed.h"
#include "signals.h"
#include "source.h"

static const char *const usage[] = {
	"mig-seed [-d SOURCE] [--max-stall=TIME] [--wait=TIME] [-o FILE] [FILE.sql | -] ...",
	NULL,
};
enum { OPTION_MAX_STALL = 128, OPTION_WAIT };
static const struct option_spec specs[] = {
	OPTION_DATABASE,
	{ OPTION_MAX_STALL, "max-stall", "TIME", "how long others may wait for us at a time (default 1s)", false },
	{ OPTION_WAIT, "wait", "TIME", "how long \"not now\" is answered by trying again (default 10min)", false },
	OPTION_OUTPUT,
	OPTION_FORMAT("text|records"),
	OPTION_LAST,
};
static const struct program program = {
	.name = "mig-seed",
	.about = "puts reference data in: SQL files, in one transaction",
	.usage = usage,
	.options = specs,
	.more = "The files run in the order in which they are named; write them so that they can run again\n"
	        "(INSERT ... ON CONFLICT).\n"
	        "\n"
	        "examples:\n"
	        "  mig-seed prisma/seed/010_roles.sql prisma/seed/020_plans.sql\n"
	        "\n"
	        "exit codes: 0 done, 1 refused by the server, 64 usage, 65 bad input, 69 unreachable,\n"
	        "74 output lost, 75 not now, 77 permission denied, 78 no usable connection string,\n"
	        "128+N by signal N; but for 0 and 74 nothing was seeded\n",
};

struct request {
	const char *database;
	long long max_stall_ms, wait_ms;
	char *const *paths;
	size_t count;
};

static int
read_command_line(int argc, char *argv[], struct request *request, struct output *out)
{
	struct options o;
	int option;

	options_begin(&o, &program, argc, argv);
	while ((option = options_next(&o)) != OPTIONS_DONE) {
		switch (option) {
		case OPTIONS_WRONG:
			return MIG_USAGE;
		case 'd':
			request->database = o.value;
			break;
		case OPTION_MAX_STALL:
			if (options_time("max-stall", o.value, &request->max_stall_ms) != 0)
				return MIG_USAGE;
			break;
		case OPTION_WAIT:
			if (options_time("wait", o.value, &request->wait_ms) != 0)
				return MIG_USAGE;
			break;
		case 'o':
		case 'F':
			if (output_option(out, option, o.value, "text|records") != 0)
				return MIG_USAGE;
			break;
		}
	}
	request->paths = argv + o.first;
	request->count = (size_t)(argc - o.first);
	return request->count > 0 ? 0 : options_wrong("which files?");
}

static void
write_results(const struct seed_file *files, size_t count, struct output *out)
{
	char span[CLOCK_SPAN];
	size_t i;

	for (i = 0; i < count; i++) {
		struct seeded seeded = { .file = files[i].path,
			.rows_read = RECORD_NULL,
			.rows_inserted = RECORD_NULL,
			.rows_updated = RECORD_NULL,
			.rows_unchanged = RECORD_NULL,
			.rows_deleted = RECORD_NULL,
			.took_ms = files[i].took_ms };

		message_info("%s  seeded  %s", files[i].path, clock_span(files[i].took_ms, span));
		if (out->writer != NULL)
			writer_put(out->writer, &seeded_form, &seeded);
	}
	out->complete = true;
}

static int
seed(const struct request *request, struct seed_file *files, struct output *out)
{
	struct source source = { 0 };
	struct db *db = NULL;
	struct bytes place = { 0 };
	int code = 0;
	size_t i;

	for (i = 0; code == 0 && i < request->count; i++)
		code = seed_read(&files[i], request->paths[i]);
	if (code == 0)
		code = source_open(&source, request->database);
	if (code == 0)
		db = db_open(&source, "mig-seed", request->wait_ms, &code);
	secret_free(source.password); /* connected: it is not needed again */
	source.password = NULL;
	if (code == 0) {
		db_place(db, &place);
		message_info("%s, user %s", place.data, db_user(db));
		code = seed_run(db, files, request->count, request->max_stall_ms, request->wait_ms);
	}
	if (code == 0)
		code = output_open(out);
	if (code == 0)
		write_results(files, request->count, out);
	bytes_free(&place);
	db_close(db);
	source_free(&source);
	return code;
}

int
main(int argc, char *argv[])
{
	struct request request = { .max_stall_ms = 1000, .wait_ms = 600000 };
	struct output out = { .kind = "rows" };
	struct seed_file *files = NULL;
	size_t i;
	int code;

	secret_begin(argc, argv);
	message_begin("mig-seed");
	signals_begin();
	code = read_command_line(argc, argv, &request, &out);
	if (code == 0) {
		files = xcalloc(request.count, sizeof *files);
		code = seed(&request, files, &out);
	}
	code = output_close(&out, code);
	for (i = 0; files != NULL && i < request.count; i++)
		bytes_free(&files[i].text);
	free(files);
	if (code > 128)
		signals_reraise();
	return code;
}
