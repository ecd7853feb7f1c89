#include "route.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/options.h"
#include "base/suggest.h"
#include "check/check.h"
#include "program.h"
#include "programs.h"

const struct tool tools[TOOLS] = {
	[TOOL_SCAN] = { "mig-scan", &mig_scan_program, mig_scan_main, MIG_USAGE },
	[TOOL_PLAN] = { "mig-plan", &mig_plan_program, mig_plan_main, MIG_USAGE },
	[TOOL_APPLY] = { "mig-apply", &mig_apply_program, mig_apply_main, MIG_USAGE },
	[TOOL_SEED] = { "mig-seed", &mig_seed_program, mig_seed_main, MIG_USAGE },
	[TOOL_CHECK] = { "mig-check", &mig_check_program, mig_check_main, 3 /* UNKNOWN, of a plugin */ },
};

void
route_add(struct part *part, const char *word)
{
	part->argv = xrealloc(part->argv, ((size_t)part->argc + 2) * sizeof *part->argv);
	part->argv[part->argc++] = (char *)(uintptr_t)word;
	part->argv[part->argc] = NULL;
}

void
route_free(struct route *route)
{
	size_t i;

	for (i = 0; i < route->count; i++)
		free(route->parts[i].argv);
	route->count = 0;
}

/* --- whose an option is --- */

/* What it begins with is enough, where that is one option's alone, as for the tools themselves. */
static const struct option_spec *
find_long(const struct route *route, const char *name, size_t len)
{
	const struct option_spec *found = NULL, *spec;
	size_t i;

	for (i = 0; i <= route->count; i++) {
		for (spec = i < route->count ? route->parts[i].tool->program->options : options_common; spec->name != NULL; spec++) {
			if (strncmp(spec->name, name, len) != 0)
				continue;
			if (spec->name[len] == '\0')
				return spec;
			if (found != NULL && strcmp(found->name, spec->name) != 0)
				return NULL;
			found = spec;
		}
	}
	return found;
}

static const struct option_spec *
find_short(const struct route *route, int letter)
{
	const struct option_spec *spec;
	size_t i;

	for (i = 0; i <= route->count; i++)
		for (spec = i < route->count ? route->parts[i].tool->program->options : options_common; spec->name != NULL; spec++)
			if (spec->letter == letter && options_has_letter(spec))
				return spec;
	return NULL;
}

static bool
has(const struct program *program, const char *name, size_t len)
{
	const struct option_spec *spec;

	for (spec = program->options; spec->name != NULL; spec++)
		if (strncmp(spec->name, name, len) == 0 && spec->name[len] == '\0')
			return true;
	return false;
}

/* One place gets it: what is seen, and how far the plan goes (mig-scan has a --to of its own, for --replay). */
static bool
is_of_one(const struct option_spec *spec)
{
	return spec->letter == 'o' || spec->letter == 'F' || strcmp(spec->name, "to") == 0;
}

static bool
is_common(const struct option_spec *spec)
{
	const struct option_spec *common;

	for (common = options_common; common->name != NULL; common++)
		if (common == spec)
			return true;
	return false;
}

/* Passes an option to each tool that has it.  Each tool checks for duplicates itself. */
static void
give(struct route *route, const struct option_spec *spec, const char *word, const char *value)
{
	bool given = false;
	size_t i;

	if (spec->letter == 'h')
		route->help = true;
	for (i = route->count; i-- > 0 && !(given && is_of_one(spec));) {
		if (!is_common(spec) && !has(route->parts[i].tool->program, spec->name, strlen(spec->name)))
			continue;
		route_add(&route->parts[i], word);
		if (value != NULL)
			route_add(&route->parts[i], value);
		given = true;
	}
}

/* --- what is refused --- */

static int
usage_code(const struct route *route)
{
	return route->parts[route->count - 1].tool->usage;
}

static int
refuse_long(const struct route *route, const char *name, size_t len)
{
	const char *names[64], *nearest;
	const struct option_spec *spec;
	size_t i, n = 0;

	for (i = 0; i < TOOLS; i++) {
		if (!has(tools[i].program, name, len))
			continue;
		(void)message_error(usage_code(route), "mig %s has no option --%.*s; %s has it", route->command->name, (int)len,
		    name, tools[i].name);
		message_line("  what it does: %s --help", tools[i].name);
		return usage_code(route);
	}
	for (i = 0; i < route->count; i++)
		for (spec = route->parts[i].tool->program->options; spec->name != NULL && n < 64; spec++)
			names[n++] = spec->name;
	nearest = suggest_nearest(name, len, names, n);
	(void)message_error(usage_code(route), "mig %s has no option --%.*s%s%s%s", route->command->name, (int)len, name,
	    nearest != NULL ? "; did you mean --" : "", nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
	message_line("  see mig %s --help", route->command->name);
	return usage_code(route);
}

static int
refuse_no_value(const struct route *route, const char *option)
{
	(void)message_error(usage_code(route), "option %s needs a value", option);
	message_line("  see mig %s --help", route->command->name);
	return usage_code(route);
}

static int
refuse_short(const struct route *route, char letter)
{
	(void)message_error(usage_code(route), "mig %s has no option -%c", route->command->name,
	    letter > 0x20 && letter < 0x7F ? letter : '?');
	message_line("  see mig %s --help", route->command->name);
	return usage_code(route);
}

/* --- the words --- */

/* A value stands behind it. */
static bool
wants_value(const struct option_spec *spec)
{
	return spec->argument != NULL && spec->argument[0] != '[';
}

/* A wrong time is refused here, once: otherwise each tool of a pipe that has the option would. */
static bool
is_right_time(const struct option_spec *spec, const char *value)
{
	long long ms;

	if (spec->argument == NULL || strcmp(spec->argument, "TIME") != 0)
		return true;
	if (strcmp(spec->name, "max-stall") == 0)
		return program_max_stall(value, &ms) == 0;
	return options_time(spec->name, value, &ms) == 0;
}

static int
take_long(struct route *route, int argc, char *argv[], int *i)
{
	const char *name = argv[*i] + 2;
	size_t len = strcspn(name, "=");
	const struct option_spec *spec = find_long(route, name, len);
	bool apart = spec != NULL && wants_value(spec) && name[len] == '\0' && *i + 1 < argc;
	const char *value;

	if (spec == NULL)
		return refuse_long(route, name, len);
	if (wants_value(spec) && name[len] == '\0' && !apart)
		return refuse_no_value(route, argv[*i]);
	value = apart ? argv[*i + 1] : name[len] == '=' ? name + len + 1 : NULL;
	if (value != NULL && route->count > 1 && !is_right_time(spec, value))
		return usage_code(route);
	route->help_all |= spec->letter == 'h' && value != NULL && strcmp(value, "all") == 0;
	give(route, spec, argv[*i], apart ? value : NULL);
	*i += apart;
	return 0;
}

/* -qd SOURCE: the letters of one word may be of several tools, so each of them becomes a word. */
static int
take_short(struct route *route, int argc, char *argv[], int *i)
{
	static const char *const plain[] = { "-q", "-v", "-h", "-V" };
	const char *c;
	size_t p;

	for (c = argv[*i] + 1; *c != '\0'; c++) {
		const struct option_spec *spec = find_short(route, *c);
		const char *word = NULL, *value = NULL;

		if (spec == NULL)
			return refuse_short(route, *c);
		if (wants_value(spec)) {
			word = spec->letter == 'd' ? "-d" : "-o";
			if (c[1] != '\0')
				value = c + 1;
			else if (*i + 1 < argc)
				value = argv[++*i];
			else
				return refuse_no_value(route, word);
			give(route, spec, word, value);
			return 0;
		}
		for (p = 0; p < sizeof plain / sizeof *plain; p++)
			if (plain[p][1] == *c)
				word = plain[p];
		give(route, spec, word, NULL);
	}
	return 0;
}

static bool
is_check(const char *word)
{
	size_t i;

	for (i = 0; check_kinds[i] != NULL; i++)
		if (strcmp(check_kinds[i]->name, word) == 0)
			return true;
	return strchr(word, '=') != NULL;
}

static void
take_operand(struct route *route, const char *word)
{
	if (route->count > 1 && route->parts[route->count - 1].tool == &tools[TOOL_CHECK] && is_check(word)) {
		route_add(&route->parts[route->count - 1], word);
		return;
	}
	if (route->operand == NULL)
		route->operand = word;
	route_add(&route->parts[0], word);
}

int
route_make(struct route *route, const struct command *command, int argc, char *argv[])
{
	bool options = true;
	int code = 0, i;
	size_t p;

	*route = (struct route){ .command = command, .count = command->count };
	for (p = 0; p < command->count; p++) {
		route->parts[p].tool = &tools[command->tools[p]];
		route_add(&route->parts[p], route->parts[p].tool->name);
		if (command->first[p] != NULL)
			route_add(&route->parts[p], command->first[p]);
	}
	for (i = 0; i < argc && code == 0; i++) {
		if (options && strcmp(argv[i], "--") == 0) {
			options = false;
			route_add(&route->parts[0], argv[i]);
		} else if (options && strncmp(argv[i], "--", 2) == 0) {
			code = take_long(route, argc, argv, &i);
		} else if (options && argv[i][0] == '-' && argv[i][1] != '\0') {
			code = take_short(route, argc, argv, &i);
		} else {
			take_operand(route, argv[i]);
		}
	}
	return code;
}
