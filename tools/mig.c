/*
 * mig: all five programs in one file, selected by its own name or by the first argument, and pipes of them without
 * a shell.  Only the tools know what a deploy is.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/options.h"
#include "base/shell_quote.h"
#include "base/spoken.h"
#include "base/suggest.h"
#include "chain.h"
#include "completions.h"
#include "manual.h"
#include "programs.h"
#include "route.h"

static const struct command status_command = { "status", "which migrations are applied, pending or failed", 1, { TOOL_SCAN }, { NULL } };
static const struct command plan_command = { "plan", "what a deploy would do; with FILE or -: from a saved scan", 2,
	{ TOOL_SCAN, TOOL_PLAN }, { NULL } };
static const struct command deploy_command = { "deploy", "do it", 3, { TOOL_SCAN, TOOL_PLAN, TOOL_APPLY }, { NULL } };
static const struct command verify_command = { "verify", "do the migrations make what schema.prisma says?", 2,
	{ TOOL_SCAN, TOOL_CHECK }, { "--replay", NULL } };
/* Checks of a scan: where none comes through a pipe, it is made. */
static const struct command history_command = { "check", "has the database what the folder has?", 2, { TOOL_SCAN, TOOL_CHECK }, { NULL } };
static const struct command schema_command = { "check", "has the database what the code expects?", 2, { TOOL_SCAN, TOOL_CHECK },
	{ "--catalog", NULL } };
static const struct command *const commands[] = { &status_command, &plan_command, &deploy_command, &verify_command, NULL };

/* --- help --- */

static void
print_parts(const struct command *command)
{
	size_t i;

	for (i = 0; i < command->count; i++)
		printf("%s%s%s%s", i > 0 ? " | " : "", tools[command->tools[i]].name, command->first[i] != NULL ? " " : "",
		    command->first[i] != NULL ? command->first[i] : "");
	if (command == &verify_command)
		printf(" schema=prisma/schema.prisma");
	printf("\n");
}

static int
say_help(void)
{
	size_t i;

	printf("mig: takes Prisma migrations to a production PostgreSQL\n\nusage: mig COMMAND [OPTION]... [DIR]\n\n");
	for (i = 0; commands[i] != NULL; i++) {
		printf("  %-8s %s\n  %8s = ", commands[i]->name, commands[i]->about, "");
		print_parts(commands[i]);
	}
	printf("  check    checks of deploy, database and application: mig-check\n"
	       "           history and schema=FILE scan by themselves, but for a scan in a pipe\n"
	       "  seed     reference data: mig-seed\n"
	       "  scan     one tool alone, as are apply, check and seed\n"
	       "  help     this page; help TOPIC a page of the manual: mig, scan, plan, apply,\n"
	       "           seed, check, records, release, cookbook; or what it says of a code, a\n"
	       "           rule, an option: mig help P3009, mig help 75, mig help stalls\n"
	       "  install-links DIR\n"
	       "           create links with the names of the tools\n"
	       "  completions bash|zsh|fish\n"
	       "           completions for these shells\n");
	printf("\nAn option goes to each tool of the pipe that has it, -o and --format to the\n"
	       "last: mig COMMAND --help.\n"
	       "Exit codes are those of the last tool; see mig help mig.\n");
	return manual_end();
}

/* The names of a tool's options alone. */
static void
add_names(struct bytes *out, const struct program *program)
{
	const struct option_spec *spec;
	struct bytes names = { 0 };
	char *head = xformat("%s:", program->name);

	for (spec = program->options; spec->name != NULL; spec++)
		bytes_format(&names, "%s--%s", names.len > 0 ? " " : "", spec->name);
	options_help_line(out, head, strlen("mig-apply: "), bytes_text(&names), true);
	free(head);
	bytes_free(&names);
}

/* In short: what the options of its last tool do, and which ones the others have. */
static int
say_command_help(const struct command *command, bool all)
{
	struct bytes text = { 0 };
	size_t i;
	int code;

	printf("mig %s: %s\n\n  mig %s [OPTION]... [DIR]\n    = ", command->name, command->about, command->name);
	print_parts(command);
	for (i = 0; i < command->count; i++) {
		const struct program *program = tools[command->tools[i]].program;

		if (all || i + 1 == command->count) {
			bytes_format(&text, "\n%s:\n", program->name);
			options_help(&text, program->options, all);
		} else {
			bytes_char(&text, '\n');
			add_names(&text, program);
		}
	}
	bytes_str(&text, "\neach:\n");
	options_help(&text, options_common, all);
	code = options_print(&text);
	bytes_free(&text);
	return code;
}

/* --- pipes --- */

/* A stream, and not a folder of migrations: - or a file, also one by its name that is not there. */
static bool
is_stream(const char *operand)
{
	const char *end = operand != NULL ? strrchr(operand, '.') : NULL;
	struct stat file;

	if (operand == NULL)
		return false;
	if (strcmp(operand, "-") == 0 || (end != NULL && strcmp(end, ".rec") == 0))
		return true;
	return stat(operand, &file) == 0 && !S_ISDIR(file.st_mode);
}

/* mig-plan --diff FROM TO, whose files are no folder of migrations either. */
static bool
compares_files(int argc, char *argv[])
{
	int i;

	for (i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--diff") == 0)
			return true;
	return false;
}

/* The datamodel, where Prisma has it by default. */
static void
add_schema(struct part *check)
{
	static char file[] = "schema=prisma/schema.prisma", folder[] = "schema=prisma/schema";
	struct stat found;
	int i;

	for (i = 1; i < check->argc; i++)
		if (strncmp(check->argv[i], "schema", 6) == 0)
			return;
	route_add(check, stat(file + 7, &found) != 0 && stat(folder + 7, &found) == 0 ? folder : file);
}

/* A plan that is there already is for mig-apply alone. */
static int
refuse_stream(const char *operand)
{
	struct bytes command = { 0 };

	bytes_str(&command, "mig apply ");
	if (strcmp(operand, "-") == 0)
		bytes_str(&command, operand);
	else
		shell_path_word(&command, operand);
	(void)message_error(MIG_USAGE, "mig deploy starts from a folder of migrations");
	message_line("  to apply a plan that is there already:  %s", command.data);
	bytes_free(&command);
	return MIG_USAGE;
}

static int
run_command(const struct command *command, int argc, char *argv[])
{
	struct command stream = { command->name, command->about, 1, { TOOL_PLAN }, { NULL } };
	struct route route;
	int code = route_make(&route, command, argc, argv);

	if (command == &plan_command && (is_stream(route.operand) || compares_files(argc, argv))) {
		route_free(&route);
		command = &stream;
		code = route_make(&route, command, argc, argv);
	}
	if (code == 0 && route.help)
		code = say_command_help(command, route.help_all);
	else if (code == 0 && command == &deploy_command && is_stream(route.operand))
		code = refuse_stream(route.operand);
	else if (code == 0 && command == &verify_command)
		add_schema(&route.parts[1]);
	if (code == 0 && !route.help)
		code = chain_run(&route);
	route_free(&route);
	return code;
}

/* --- checks --- */

/* Standard input has a stream: a file, or a pipe into which something was written. */
static bool
has_input(void)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	struct stat file;
	int bytes = 0;

	if (fstat(STDIN_FILENO, &file) != 0 || S_ISCHR(file.st_mode))
		return false;
	if (S_ISREG(file.st_mode))
		return true;
	while (poll(&in, 1, -1) < 0 && errno == EINTR)
		continue;
	return ioctl(STDIN_FILENO, FIONREAD, &bytes) != 0 || bytes > 0;
}

/* The pipe of a check that judges a scan; NULL: of others, or where --help is wanted. */
static const struct command *
checking_command(int argc, char *argv[])
{
	const struct command *found = NULL;
	int i;

	for (i = 0; i < argc; i++) {
		if (strcmp(argv[i], "-d") == 0 || strcmp(argv[i], "-o") == 0)
			i++;
		else if (strcmp(argv[i], "-h") == 0 || strncmp(argv[i], "--help", 6) == 0)
			return NULL;
		else if (strcmp(argv[i], "history") == 0)
			found = &history_command;
		else if (strncmp(argv[i], "schema=", strlen("schema=")) == 0 && found == NULL)
			found = &schema_command;
	}
	return found != NULL && !has_input() ? found : NULL;
}

/* --- links --- */

/* The path of this file, the caller's; NULL: it cannot be told. */
static char *
own_path(const char *called)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);

	if (len > 0)
		return xstrndup(path, (size_t)len);
	return strchr(called, '/') != NULL ? realpath(called, NULL) : NULL;
}

static bool
is_same_file(const char *a, const char *b)
{
	struct stat one, other;

	return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static int
install_links(const char *called, int argc, char *argv[])
{
	char *self;
	int code = 0;
	size_t i;

	if (argc != 1)
		return options_wrong("install-links needs a folder: mig install-links /usr/local/bin");
	if ((self = own_path(called)) == NULL)
		return message_error(MIG_CONFIG, "cannot find out the path of this program: call it by its full path");
	for (i = 0; i < TOOLS && code == 0; i++) {
		char *path = xformat("%s/%s", argv[0], tools[i].name);

		if (symlink(self, path) != 0 && !(errno == EEXIST && is_same_file(self, path)))
			code = message_error(errno == EACCES || errno == EPERM ? MIG_DENIED : MIG_OUTPUT,
			    "cannot make the link %s: %s", path, strerror(errno));
		free(path);
	}
	free(self);
	return code;
}

/* --- words --- */

static int
refuse_word(const char *word)
{
	static const char *const words[] = { "status", "plan", "deploy", "verify", "check", "seed", "scan", "apply", "help",
		"install-links", "completions" };
	const char *nearest = suggest_nearest(word, strlen(word), words, sizeof words / sizeof *words);

	/* a word with other characters than letters may be a secret */
	if (word[strspn(word, "abcdefghijklmnopqrstuvwxyz-")] != '\0' || strlen(word) > 24)
		return options_wrong("the first argument must be a command: status, plan, deploy, verify, check, seed, help");
	return options_wrong("there is no command %s%s%s%s", word, nearest != NULL ? "; did you mean " : "",
	    nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
}

static int
run_tool(const struct tool *tool, int argc, char *argv[])
{
	argv[0] = (char *)(uintptr_t)tool->name;
	return tool->main(argc, argv);
}

/* Also by its whole name. */
static const struct tool *
find_tool(const char *word)
{
	size_t i;

	for (i = 0; i < TOOLS; i++)
		if (strcmp(word, tools[i].name) == 0 || strcmp(word, tools[i].name + strlen("mig-")) == 0)
			return &tools[i];
	return NULL;
}

/* A word of the launcher's own, asked for its help. */
static bool
wants_help(const char *word, int argc, char *argv[])
{
	bool own = strcmp(word, "help") == 0 || strcmp(word, "completions") == 0 || strcmp(word, "install-links") == 0;

	return own && argc > 2 && (strcmp(argv[2], "-h") == 0 || strncmp(argv[2], "--help", strlen("--help")) == 0);
}

int
main(int argc, char *argv[])
{
	const char *called = argc > 0 ? argv[0] : "mig", *name = strrchr(called, '/'), *word = argc > 1 ? argv[1] : "";
	const struct command *checking;
	const struct tool *tool;
	size_t i;

	name = name != NULL ? name + 1 : called;
	if (strncmp(name, "mig-", 4) == 0 && (tool = find_tool(name)) != NULL)
		return tool->main(argc, argv);
	message_begin("mig");
	spoken_begin();
	for (i = 0; commands[i] != NULL; i++)
		if (strcmp(word, commands[i]->name) == 0)
			return run_command(commands[i], argc - 2, argv + 2);
	if (strcmp(word, "check") == 0 && (checking = checking_command(argc - 2, argv + 2)) != NULL)
		return run_command(checking, argc - 2, argv + 2);
	if ((tool = find_tool(word)) != NULL)
		return run_tool(tool, argc - 1, argv + 1);
	if (wants_help(word, argc, argv))
		return say_help();
	if (strcmp(word, "help") == 0 && argc > 2)
		return manual_show(argv[2]);
	if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return say_help();
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
		return manual_version();
	if (strcmp(word, "completions") == 0)
		return completions_show(argc > 2 ? argv[2] : "", commands);
	if (strcmp(word, "install-links") == 0)
		return install_links(called, argc - 2, argv + 2);
	if (argc < 2)
		return options_wrong("a command is missing: status, plan, deploy, verify, check, seed, help");
	return refuse_word(word);
}
