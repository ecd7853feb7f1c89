#include "scan_request.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mig.h"
#include "base/options.h"
#include "base/shell_quote.h"
#include "catalog/stream.h"
#include "records/output.h"
#include "secret/source.h"
#include "programs.h"

static const char *const usage[] = {
	"mig-scan [-d SOURCE] [--offline] [--wait=TIME] [-o FILE] [DIR | -]",
	"mig-scan --rehearse [--offline | --load[=TIME][,statements]] [DIR | -]",
	"mig-scan --draft=NAME [DIR] >DIR/NAME/down.sql | --log [FILE|DIR]...",
	"mig-scan --replay [--to=NAME] | --catalog | --datamodel=FILE|DIR [DIR]",
	NULL,
};
enum { OPTION_OFFLINE = 128, OPTION_WAIT, OPTION_DATAMODEL, OPTION_CATALOG, OPTION_GRANTS, OPTION_REPLAY, OPTION_TO, OPTION_SCRATCH,
	OPTION_SAME_SERVER, OPTION_REHEARSE, OPTION_LOAD, OPTION_SCHEMA_NAME, OPTION_DRAFT, OPTION_LOG };
static const struct option_spec specs[] = {
	OPTION_DATABASE,
	OPTION_SCHEMA(OPTION_SCHEMA_NAME),
	{ OPTION_OFFLINE, "offline", NULL, "read only the folder, not the database", false },
	{ OPTION_WAIT, "wait", "TIME",
	    "keep retrying this long if the server is not there\n(default 0): it cannot be reached, is starting up, or has no connection left; "
	    "also how long a statement may take with --rehearse (default 1min)", false },
	{ OPTION_REHEARSE, "rehearse", NULL,
	    "run the pending ones in a scratch database\nbehind the applied ones, and write what each statement locks, reads, rewrites and breaks; with -v also a draft of each down.sql that is not there", false },
	{ OPTION_LOAD, "load", "[=TIME][,statements]",
	    "with --rehearse: also how busy production is\n"
	    "how large and how busy the tables are in the database, counted over TIME (default: since its counters began), and "
	    "which sessions are blocking; with `statements` also which of those that production runs fail from then on "
	    "(--load=statements: without TIME)", false },
	{ OPTION_DRAFT, "draft", "NAME",
	    "print a draft of the down.sql of a migration\nmade from the schema before and after it, and tried out: it is printed only if it takes the migration back", false },
	{ OPTION_DATAMODEL, "datamodel", "FILE|DIR",
	    "the schema that the code expects\nread only schema.prisma, or all *.prisma of a folder", false },
	{ OPTION_CATALOG, "catalog", NULL, "the schema that the database has", false },
	{ OPTION_REPLAY, "replay", NULL, "the schema that the migrations make\nrun in a scratch database", false },
	{ OPTION_LOG, "log", NULL, "who deployed what, by kept files\nof mig-apply -o, or folders with such files (default: releases)", false },
	{ OPTION_TO, "to", "NAME", "with --replay: the last migration to run\nwith --rehearse: has the database what the migrations up to NAME make?", false },
	{ OPTION_SCRATCH, "scratch", "SOURCE",
	    "a server for the scratch database, as for -d\n(default: SHADOW_DATABASE_URL where it is set, else one of our own)", false },
	{ OPTION_SAME_SERVER, "same-server", NULL, "--scratch may be on production's server\nin another database", false },
	{ OPTION_GRANTS, "grants", NULL, "with --catalog or --replay: also who may do what", false },
	OPTION_OUTPUT,
	OPTION_FORMAT("text|records"),
	OPTION_LAST,
};
const struct program mig_scan_program = {
	.name = "mig-scan",
	.about = "show which migrations are applied, pending or failed",
	.usage = usage,
	.options = specs,
	.more = "DIR is prisma/migrations, else migrations; with `-` an offline scan is read.\n"
	        "\n"
	        "examples:\n"
	        "  mig-scan                              the status page\n"
	        "  mig-scan | mig-plan | mig-apply       deploy\n"
	        "\n"
	        "exit codes: 0 done, 1 a migration does not run, 64 usage, 65 bad input,\n"
	        "69 unreachable, 74 could not write output, 75 busy, 77 permission denied,\n"
	        "78 no usable connection string or no scratch server\n",
	.all = "further examples:\n"
	       "  mig-scan --rehearse                   what will the pending ones lock?\n"
	       "  mig-scan --log                        who deployed what?\n"
	       "  mig-scan | mig-plan                   what a deploy would do\n"
	       "  mig-scan --offline | ssh bastion 'mig-scan - | mig-plan | mig-apply'\n"
	       "  mig-scan --replay                     do all run, and what do they make?\n"
	       "  mig-scan --catalog                    what does the database have?\n",
};

/* By mode. */
static const char *const mode_options[] = { "", "--datamodel", "--catalog", "--replay", "--draft", "--log" };

static int
set_mode(struct scan_request *request, enum scan_mode mode, struct output *out)
{
	if (request->mode != MODE_SCAN)
		return options_wrong("%s and %s contradict each other", mode_options[request->mode], mode_options[mode]);
	request->mode = mode;
	out->kind = SCHEMA_STREAM;
	return 0;
}

static enum scan_mode
mode_of(int option)
{
	switch (option) {
	case OPTION_DATAMODEL:
		return MODE_DATAMODEL;
	case OPTION_CATALOG:
		return MODE_CATALOG;
	case OPTION_DRAFT:
		return MODE_DRAFT;
	case OPTION_LOG:
		return MODE_LOG;
	default:
		return MODE_REPLAY;
	}
}

/* What only some modes take. */
static int
check_mode(const struct scan_request *request, const struct output *out)
{
	const char *mode = mode_options[request->mode];
	bool replays = request->mode == MODE_REPLAY || request->mode == MODE_DRAFT, reads_folder = request->mode == MODE_SCAN || replays;

	if (request->mode == MODE_DATAMODEL &&
	    (request->database != NULL || request->schema != NULL || request->offline || request->wait != NULL || request->dir != NULL))
		return options_wrong("--datamodel reads only a datamodel: no database and no folder of migrations");
	if (request->offline && request->mode != MODE_SCAN)
		return options_wrong("--offline and %s contradict each other", mode);
	if (request->dir != NULL && !reads_folder)
		return options_wrong("%s reads no folder: %s", mode, request->dir);
	if (request->dir != NULL && strcmp(request->dir, "-") == 0 && (request->offline || replays))
		return options_wrong("%s reads a folder, not standard input", request->offline ? "--offline" : mode);
	if (request->rehearse && request->mode != MODE_SCAN)
		return options_wrong("--rehearse and %s contradict each other", mode);
	if (request->mode == MODE_DRAFT && (out->path != NULL || out->format != NULL))
		return options_wrong("--draft prints SQL, and takes no %s", out->path != NULL ? "-o" : "--format");
	if (request->rehearse && request->dir != NULL && strcmp(request->dir, "-") == 0 && (request->database != NULL || request->schema != NULL))
		return options_wrong("mig-scan --rehearse - asks no database: the scan that it reads may have been made with %s",
		    request->database != NULL ? "-d" : "--schema");
	if (request->load && !request->rehearse)
		return options_wrong("--load is for --rehearse");
	if (request->load && (request->offline || (request->dir != NULL && strcmp(request->dir, "-") == 0)))
		return options_wrong("--load asks the database, and %s does without it", request->offline ? "--offline" : "a scan from standard input");
	if (request->mode != MODE_REPLAY && !request->rehearse && request->to != NULL)
		return options_wrong("--to is for --replay and --rehearse");
	if (request->rehearse && request->to != NULL && (request->offline || (request->dir != NULL && strcmp(request->dir, "-") == 0)))
		return options_wrong("--rehearse --to asks the database, and %s does without it", request->offline ? "--offline" : "a scan from standard input");
	if (!replays && !request->rehearse && (request->scratch != NULL || request->same_server))
		return options_wrong("--scratch and --same-server are for --replay, --rehearse and --draft");
	if (request->grants && request->mode != MODE_CATALOG && request->mode != MODE_REPLAY)
		return options_wrong("--grants is for --catalog and --replay");
	return 0;
}

/* [TIME][,statements] */
static int
read_load(struct scan_request *request, const char *value)
{
	static const char word[] = "statements";
	const char *comma = value != NULL ? strchr(value, ',') : NULL, *rest = comma != NULL ? comma + 1 : value;
	char *time;
	int code = 0;

	request->load = true;
	request->load_word = value;
	request->statements = rest != NULL && strcmp(rest, word) == 0;
	if (comma != NULL && !request->statements)
		return options_wrong("--load=%s: behind the comma only `%s` can stand", value, word);
	if (value == NULL || rest == value)
		return request->statements || value == NULL ? 0 : options_time("load", value, &request->load_ms);
	time = xstrndup(value, (size_t)(comma - value));
	code = options_time("load", time, &request->load_ms);
	free(time);
	return code;
}

/* Any number of files and folders, and nothing else. */
static int
read_log(struct scan_request *request, struct output *out, char *const files[], size_t count)
{
	size_t i;

	out->kind = "log";
	request->files = files;
	request->file_count = count;
	if (request->database != NULL || request->schema != NULL || request->offline || request->wait != NULL || request->rehearse ||
	    request->load || request->grants || request->to != NULL || request->scratch != NULL || request->same_server)
		return options_wrong("--log reads only files of results: no database and no migrations");
	for (i = 0; i < count; i++)
		if (strcmp(files[i], "-") == 0)
			return options_wrong("--log reads files, each of them twice, and not standard input");
	return 0;
}

int
scan_request_read(int argc, char *argv[], struct scan_request *request, struct output *out)
{
	struct options o;
	int option;

	options_begin(&o, &mig_scan_program, argc, argv);
	while ((option = options_next(&o)) != OPTIONS_DONE) {
		switch (option) {
		case OPTIONS_WRONG:
			return MIG_USAGE;
		case 'd':
			request->database = o.value;
			break;
		case OPTION_SCHEMA_NAME:
			request->schema = o.value;
			break;
		case OPTION_OFFLINE:
			request->offline = true;
			break;
		case OPTION_WAIT:
			if (options_time("wait", o.value, &request->wait_ms) != 0)
				return MIG_USAGE;
			request->wait = o.value;
			break;
		case OPTION_DATAMODEL:
		case OPTION_CATALOG:
		case OPTION_REPLAY:
		case OPTION_DRAFT:
		case OPTION_LOG:
			if (set_mode(request, mode_of(option), out) != 0)
				return MIG_USAGE;
			request->datamodel = option == OPTION_DATAMODEL ? o.value : NULL;
			request->draft = option == OPTION_DRAFT ? o.value : NULL;
			break;
		case OPTION_REHEARSE:
			request->rehearse = true;
			break;
		case OPTION_LOAD:
			if (read_load(request, o.value) != 0)
				return MIG_USAGE;
			break;
		case OPTION_GRANTS:
			request->grants = true;
			break;
		case OPTION_TO:
			request->to = o.value;
			break;
		case OPTION_SCRATCH:
			request->scratch = o.value;
			break;
		case OPTION_SAME_SERVER:
			request->same_server = true;
			break;
		case 'o':
		case 'F':
			if (output_option(out, option, o.value) != 0)
				return MIG_USAGE;
			break;
		}
	}
	if (request->offline && (request->database != NULL || request->schema != NULL))
		return options_wrong("--offline and --%s contradict each other", request->database != NULL ? "database" : "schema");
	if (request->mode == MODE_LOG)
		return read_log(request, out, o.argv + o.first, (size_t)(o.argc - o.first));
	if (options_one_operand(&o, &request->dir) != 0)
		return MIG_USAGE;
	return check_mode(request, out);
}

void
scan_request_words(struct shell_words *words, const struct scan_request *request)
{
	if (request->database != NULL && source_word_is_public(request->database))
		shell_option(words, "-d", request->database);
	words->unknown |= !source_word_is_public(request->database) || !source_word_is_public(request->scratch);
	if (request->schema != NULL)
		shell_option(words, "--schema", request->schema);
	if (request->offline)
		shell_option(words, "--offline", NULL);
	if (request->rehearse)
		shell_option(words, "--rehearse", NULL);
	if (request->load)
		shell_option(words, "--load", request->load_word);
	if (request->mode != MODE_SCAN)
		shell_option(words, mode_options[request->mode], request->mode == MODE_DRAFT ? request->draft : request->datamodel);
	if (request->to != NULL)
		shell_option(words, "--to", request->to);
	if (request->scratch != NULL && source_word_is_public(request->scratch))
		shell_option(words, "--scratch", request->scratch);
	if (request->same_server)
		shell_option(words, "--same-server", NULL);
	if (request->grants)
		shell_option(words, "--grants", NULL);
	if (request->wait != NULL)
		shell_option(words, "--wait", request->wait);
}
