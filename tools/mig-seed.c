/*
 * mig-seed: makes tables of reference data equal to files, all of them or none.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/options.h"
#include "base/shell_quote.h"
#include "database/liveness.h"
#include "database/locks.h"
#include "database/pooler.h"
#include "database/role.h"
#include "datamodel/client.h"
#include "datamodel/files.h"
#include "postgres/connection.h"
#include "records/output.h"
#include "secret/source.h"
#include "seed/changes.h"
#include "seed/file.h"
#include "seed/find_datamodel.h"
#include "seed/inputs.h"
#include "seed/seed.h"
#include "seed/settings.h"
#include "seed/summary.h"
#include "program.h"
#include "programs.h"
#include "seed/table.h"

static const char *const usage[] = {
	"mig-seed [-d SOURCE] [--dry-run] [OPTION]... FILE | DIR | - ...",
	"mig-seed [-d SOURCE] --export [--into=DIR] [OPTION]... TABLE ...",
	NULL,
};
enum { OPTION_SCHEMA_NAME = 128, OPTION_MAX_STALL, OPTION_WAIT, OPTION_DRY_RUN, OPTION_PRUNE, OPTION_KEY, OPTION_INSERT_ONLY,
	OPTION_TABLE, OPTION_EXPORT, OPTION_AS, OPTION_INTO, OPTION_ROW_SECURITY, OPTION_DATAMODEL, OPTION_AS_ROLE,
	OPTION_ENV, OPTION_SECRET, OPTION_COLUMNS, OPTION_WHERE, OPTION_WITH_HIDDEN, OPTION_NATURAL };
static const struct option_spec specs[] = {
	OPTION_DATABASE,
	OPTION_SCHEMA(OPTION_SCHEMA_NAME),
	{ OPTION_DRY_RUN, "dry-run", "[=full]", "compare only: show every change, write nothing\n(full: write everything, and roll it back)", false },
	{ OPTION_ENV, "env", "NAME", "the environment: its folder overrides base", false },
	{ OPTION_PRUNE, "prune", NULL, "also delete rows that are not in the file", false },
	{ OPTION_KEY, "key", "TABLE:COLUMN,...",
	    "the unique key of a row (default: the primary key)", true },
	{ OPTION_INSERT_ONLY, "insert-only", "TABLE:COLUMN,...",
	    "columns that only new rows get", true },
	{ OPTION_SECRET, "secret", "TABLE:COLUMN,...",
	    "\ncolumns whose values are env:NAME or file:PATH", true },
	{ OPTION_DATAMODEL, "datamodel", "FILE|DIR|none", "\nfor values that Prisma's client makes\n(default: the schema.prisma next to the files)", false },
	{ OPTION_ROW_SECURITY, "enable-row-security", NULL,
	    "\nignore rows that policies hide from the role\ninstead of refusing to run", false },
	{ OPTION_TABLE, "table", "TABLE", "\nstandard input is NDJSON for this table", false },
	{ OPTION_EXPORT, "export", NULL, "write tables as seed files", false },
	{ OPTION_AS, "as", "csv|tsv|ndjson", "\nwhat --export writes (default csv)", false },
	{ OPTION_COLUMNS, "columns", "TABLE:COLUMN,...", "what --export writes, or with -COLUMN does not", true },
	{ OPTION_WHERE, "where", "TABLE:CONDITION", "which rows --export writes, in SQL", true },
	{ OPTION_WITH_HIDDEN, "with-hidden", NULL, "\n--export writes passwords and the like, too", false },
	{ OPTION_NATURAL, "natural-keys", NULL, "--export writes role.slug in place of ids", false },
	{ OPTION_INTO, "into", "DIR", "where --export writes (default: this folder)", false },
	{ OPTION_MAX_STALL, "max-stall", "TIME", "longest time to keep other sessions waiting (1s)\nby a statement of ours, at a time", false },
	{ OPTION_WAIT, "wait", "TIME", "keep retrying while something is busy (10min)\nthe server, or a table", false },
	OPTION_ROLE(OPTION_AS_ROLE),
	OPTION_OUTPUT,
	OPTION_FORMAT("text|records"),
	OPTION_LAST,
};
const struct program mig_seed_program = {
	.name = "mig-seed",
	.about = "make tables match files of reference data, in one transaction",
	.usage = usage,
	.options = specs,
	.all = "Settings are kept with the data, in seed.conf:\n"
	       "  [User]\n"
	       "  key = email\n"
	       "  insert-only = password_hash, created_at\n"
	       "\n"
	       "further examples:\n"
	       "  mig-seed --dry-run prisma/seed | mig-check seeds\n"
	       "  curl -fsS https://example.com/rates.json | jq -c '.[]' |\n"
	       "      mig-seed --table=Rate -\n",
	.more = "files: NAME.sql runs as it is, first; [SCHEMA.]TABLE.csv, .tsv and .ndjson are\n"
	        "put into their tables. Only rows that differ are written.\n"
	        "\n"
	        "examples:\n"
	        "  mig-seed --dry-run prisma/seed\n"
	        "  mig-seed prisma/seed\n"
	        "  mig-seed --export --into=prisma/seed Role Plan\n"
	        "\n"
	        "exit codes: 0 done, 1 refused by the server, 64 usage, 65 bad input,\n"
	        "69 unreachable, 74 could not write output, 75 busy, 77 permission denied, 78 no\n"
	        "usable connection string, 128+N by signal N; but for 0 and 74 nothing was seeded\n",
};

struct request {
	const char *database;
	const char *schema;        /* --schema */
	struct seed_job job;
	long long absent_ms;       /* how much of --wait for a server that is not there */
	struct seed_request_files files;
	struct seed_word words[32];
	bool export;
	enum seed_kind as;
	const char *as_word, *into;
	const char *role;          /* --role, as given */
	const char *datamodel;     /* as given; NULL: to be found */
	struct client_model client;
};

static int
take_word(struct request *request, const char *option, const char *value)
{
	if (request->files.word_count == sizeof request->words / sizeof *request->words)
		return options_wrong("too many --%s options: use seed.conf", option);
	request->words[request->files.word_count++] = (struct seed_word){ option, value, false };
	return 0;
}

static int
take_as(struct request *request, const char *value)
{
	static const struct {
		const char *word;
		enum seed_kind kind;
	} words[] = { { "csv", SEED_CSV }, { "tsv", SEED_TSV }, { "ndjson", SEED_NDJSON } };
	size_t i;

	request->as_word = value;
	for (i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(value, words[i].word) == 0) {
			request->as = words[i].kind;
			return 0;
		}
	}
	return options_wrong("--as=%s: must be one of csv|tsv|ndjson", value);
}

static int
take_option(struct request *request, int option, const char *value, struct output *out)
{
	switch (option) {
	case 'd':
		request->database = value;
		return 0;
	case OPTION_SCHEMA_NAME:
		request->schema = value;
		return 0;
	case OPTION_DRY_RUN:
		request->job.dry_run = true;
		request->job.full = value != NULL && strcmp(value, "full") == 0;
		return value == NULL || request->job.full ? 0 : options_wrong("--dry-run=%s: only full can be named", value);
	case OPTION_PRUNE:
		request->job.prune = true;
		return 0;
	case OPTION_KEY:
		return take_word(request, "key", value);
	case OPTION_INSERT_ONLY:
		return take_word(request, "insert-only", value);
	case OPTION_COLUMNS:
		return take_word(request, "columns", value);
	case OPTION_WHERE:
		return take_word(request, "where", value);
	case OPTION_WITH_HIDDEN:
		request->job.with_hidden = true;
		return 0;
	case OPTION_NATURAL:
		request->job.natural = true;
		return 0;
	case OPTION_SECRET:
		return take_word(request, "secret", value);
	case OPTION_ENV:
		request->files.environment = value;
		return 0;
	case OPTION_DATAMODEL:
		request->datamodel = value;
		return 0;
	case OPTION_ROW_SECURITY:
		request->job.row_security = true;
		return 0;
	case OPTION_TABLE:
		request->files.table = value;
		return 0;
	case OPTION_EXPORT:
		request->export = true;
		return 0;
	case OPTION_AS:
		return take_as(request, value);
	case OPTION_INTO:
		request->into = value;
		return 0;
	case OPTION_AS_ROLE:
		request->role = value;
		return 0;
	case OPTION_MAX_STALL:
		return program_max_stall(value, &request->job.max_stall_ms);
	case OPTION_WAIT:
		if (options_time("wait", value, &request->job.wait_ms) != 0)
			return MIG_USAGE;
		request->absent_ms = request->job.wait_ms;
		return 0;
	case 'o':
	case 'F':
		return output_option(out, option, value);
	}
	return MIG_USAGE; /* said */
}

static int
check_request(const struct request *request)
{
	const struct seed_request_files *files = &request->files;
	bool standard = false, rows = false;
	size_t i;

	for (i = 0; i < files->count; i++)
		standard |= strcmp(files->paths[i], "-") == 0;
	if (files->count == 0)
		return options_wrong(request->export ? "which tables?" : "which files? e.g. prisma/seed");
	if (request->export && (request->job.dry_run || request->job.prune || files->table != NULL))
		return options_wrong("--export changes no table: it cannot be combined with --dry-run, --prune or --table");
	if (request->export && files->environment != NULL)
		return options_wrong("--export writes the files of one folder: name it with --into, not with --env");
	for (i = 0; i < files->word_count; i++)
		rows |= strcmp(files->words[i].option, "columns") == 0 || strcmp(files->words[i].option, "where") == 0;
	if (!request->export && (request->as_word != NULL || request->into != NULL || rows || request->job.with_hidden || request->job.natural))
		return options_wrong("--as, --into, --columns, --where, --with-hidden and --natural-keys need --export");
	if (files->table != NULL && !standard)
		return options_wrong("--table=%s names the table of standard input: add -", files->table);
	return 0;
}

static int
read_command_line(int argc, char *argv[], struct request *request, struct output *out)
{
	struct options o;
	int option, code;

	options_begin(&o, &mig_seed_program, argc, argv);
	while ((option = options_next(&o)) != OPTIONS_DONE)
		if ((code = take_option(request, option, o.value, out)) != 0)
			return code;
	request->files.paths = argv + o.first;
	request->files.count = (size_t)(argc - o.first);
	request->files.words = request->words;
	return program_role(request->role, &request->job.role) != 0 ? MIG_USAGE : check_request(request);
}

static bool
is_dry_run(const char *word)
{
	return strncmp(word, "--dr", 4) == 0 && strncmp(word, "--dry-run", strcspn(word, "=")) == 0;
}

/* The command without --dry-run, to be typed; not known where its rows came through a pipe, or -d may not be shown. */
static void
add_command(struct bytes *out, const struct request *request, int argc, char *argv[])
{
	struct shell_words words = { .unknown = !source_word_is_public(request->database) };
	bool options = true;
	int i;

	shell_program(&words, "mig-seed");
	for (i = 1; i < argc; i++) {
		if (!options || !is_dry_run(argv[i]))
			shell_option(&words, argv[i], NULL);
		words.unknown |= strcmp(argv[i], "-") == 0;
		options &= strcmp(argv[i], "--") != 0;
	}
	if (shell_words(&words) != NULL)
		shell_command(out, shell_words(&words));
	else
		bytes_str(out, "the same command without --dry-run");
	shell_words_free(&words);
}

/* --- what is done --- */

/* The deploy lock needs a session of its own. */
static int
check_pooler(struct db *db, struct source *source)
{
	struct answer *a = NULL;
	enum db_outcome outcome = db_query(db, &a, "SELECT pg_catalog.pg_backend_pid()", 0, NULL);
	int code = outcome == DB_OK ? pooler_refuse(db, source, (int)answer_number(a, 0, 0))
	                            : db_say(db, outcome, "seed");

	answer_free(a);
	return code;
}

/* The session, and what looks after it where it is silent. */
struct connection {
	struct source source;
	struct db *db;
	struct lock_watch *watch;
	struct liveness liveness;
};

static int
connect_to(const struct request *request, struct connection *c)
{
	const struct db_patience patience = { request->job.wait_ms, request->absent_ms };
	bool writes = !seed_only_compares(&request->job) && !request->export;
	struct bytes place = { 0 };
	int code = source_open(&c->source, request->database, request->schema);

	if (code == 0)
		c->db = db_open(&c->source, "mig-seed", &patience, &code);
	if (code == 0 && writes)
		code = check_pooler(c->db, &c->source);
	if (code != 0)
		return code;
	db_release_on_death(c->db);
	if (request->job.row_security)
		db_filter_rows(c->db);
	c->liveness = (struct liveness){ .db = c->db,
		.pid_is_sure = writes,
		.source = &c->source,
		.application = "mig-seed watch",
		.watch = &c->watch,
		.patience_ms = request->job.wait_ms };
	liveness_begin(&c->liveness);
	if (request->job.role != NULL && (code = role_check(c->db, request->job.role)) != 0)
		return code;
	if (request->job.role != NULL && request->export && (code = role_take(c->db, request->job.role)) != 0)
		return code;
	db_place(c->db, &place);
	message_info("%s%s, user %s%s%s", request->job.full ? "full dry run: " : request->job.dry_run ? "dry run: " : "", place.data,
	    db_user(c->db), request->job.role != NULL ? ", role " : "", request->job.role != NULL ? request->job.role : "");
	bytes_free(&place);
	return 0;
}

static void
close_connection(struct connection *c)
{
	locks_close(c->watch);
	db_close(c->db);
	source_free(&c->source);
}

/* What Prisma's client makes; one that was not named need not be there. */
static int
read_datamodel(struct request *request)
{
	char *into = xstrdup(request->into != NULL ? request->into : ".");
	char *path = request->datamodel != NULL ? xstrdup(request->datamodel)
	    : request->export ? find_datamodel(&into, 1) : find_datamodel(request->files.paths, request->files.count);
	int code = 0;

	if (path != NULL && strcmp(path, "none") != 0) {
		message_verbose("values of Prisma's client: %s", path);
		code = client_model_open(path, &request->client);
		request->job.client = &request->client;
	}
	if (code != 0 && request->datamodel == NULL)
		message_line("next: repair it, or name another one (--datamodel=FILE), or none (--datamodel=none)");
	free(into);
	free(path);
	return code;
}

static int
seed(struct request *request, struct seed_input *input, struct output *out, int argc, char *argv[])
{
	struct seed_tables tables = { 0 };
	struct changes changes = { .out = out, .keep = !seed_only_compares(&request->job) };
	struct connection connection = { 0 };
	struct bytes command = { 0 };
	const char *folder = request->into != NULL ? request->into : "";
	int code = request->export ? seed_export_names(input, &request->files, request->as, folder)
	                           : seed_gather(input, &request->files);

	out->upstream = input->failure;
	request->job.tell = message_verbosity > 0;
	request->job.change = changes_take;
	request->job.again = changes_forget;
	request->job.context = &changes;
	if (code == 0)
		code = read_datamodel(request);
	if (code == 0)
		code = connect_to(request, &connection);
	if (code == 0)
		code = request->export ? seed_export(connection.db, input->files, input->count, &request->job, folder, &tables)
		                       : seed_run(connection.db, input, &request->job, &tables);
	if (code == 0) {
		changes_tell_kept(&changes);
		add_command(&command, request, argc, argv);
		summary_tell(&(struct summary){ &request->job, request->export, command.data }, input, &tables, out, changes.any);
	}
	bytes_free(&command);
	changes_free(&changes);
	seed_tables_free(&tables);
	close_connection(&connection);
	client_model_free(&request->client);
	return code;
}

int
main(int argc, char *argv[])
{
	struct request request = { .job = { .max_stall_ms = 1000, .wait_ms = 600000 }, .absent_ms = DB_ABSENT_MS,
		.as = SEED_CSV };
	struct output out = { .kind = "rows", .formats = "text|records", .replaces = true };
	struct seed_input input = { 0 };
	int code;

	program_begin(&out, &mig_seed_program, argc, argv, PROGRAM_ROLLS_BACK);
	code = read_command_line(argc, argv, &request, &out);
	if (code == 0)
		code = output_open(&out);
	if (code == 0)
		code = seed(&request, &input, &out, argc, argv);
	code = program_end(&out, code);
	seed_input_free(&input);
	return code;
}
