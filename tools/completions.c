/*
 * Writes shell completions.  Each script has two parts: the data, written from the option tables, and the shell
 * code that uses it, which is the same for all programs.
 *
 * In bash and zsh, the data is one word per option of a program or of a command of mig, with its possible values
 * after "=": --database=SOURCE --offline --format=text|records; likewise mig-check's arguments.
 */
#include "completions.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/options.h"
#include "check/check.h"
#include "manual.h"

/* Of mig-fleet, which is a script; tests/completions.bats compares it with its --help. */
static const char fleet_commands[] = "status plan apply resume report";
static const struct option_spec fleet_options[] = {
	{ 128, "dir", "DIR", "the migrations", false },
	{ 129, "scan", "FILE", "what mig-scan --offline wrote", false },
	{ 130, "per-server", "N", "databases of one server at a time", false },
	{ 131, "jobs", "N", "of all other servers at a time", false },
	{ 132, "expect-steps", "DIGEST", "only the steps that mig-fleet plan shows", false },
	{ 133, "canary", "N", "first N alone", false },
	{ 134, "max-failed", "N|N%", "begin no more when more than N have failed", false },
	{ 135, "wait", "TIME", "as for mig-apply, for each database", false },
	{ 136, "max-stall", "TIME", "as for mig-apply", false },
	{ 137, "strict", "[=RULE,...]", "as for mig-plan", false },
	{ 138, "allow", "RULE,...", "as for mig-plan", false },
	{ 139, "engine", "parallel|slurm", "what runs the databases", false },
	{ 140, "ssh", "HOST,...", "let GNU parallel run them on these hosts", false },
	{ 141, "chunk", "N", "of Slurm: databases a task, at most", false },
	{ 'h', "help", NULL, "show the options", false },
	{ 'V', "version", NULL, "show the version", false },
	OPTION_LAST,
};

static const char others[] = "check seed scan apply help install-links completions";

/* --- what there is --- */

static void
print_option(const struct option_spec *spec)
{
	const char *argument = spec->argument;

	if (argument != NULL && strncmp(argument, "[=", 2) == 0) /* [=RULE,...] */
		argument = NULL;
	printf(" --%s%s%s", spec->name, argument != NULL ? "=" : "", argument != NULL ? argument : "");
}

static bool
is_in(const struct option_spec *spec, const struct program *program)
{
	const struct option_spec *other;

	for (other = program->options; other->name != NULL; other++)
		if (strcmp(other->name, spec->name) == 0)
			return true;
	return false;
}

/* Of several programs each option once: the last one's, which is the one that gets -o and --format. */
static void
print_options(const int which[], size_t count)
{
	const struct option_spec *spec;
	size_t i, k;

	for (i = 0; i < count; i++) {
		for (spec = tools[which[i]].program->options; spec->name != NULL; spec++) {
			for (k = i + 1; k < count && !is_in(spec, tools[which[k]].program); k++)
				continue;
			if (k >= count)
				print_option(spec);
		}
	}
	for (spec = options_common; spec->name != NULL; spec++)
		print_option(spec);
}

/* What a shell can help with of what stands behind "="; else "". */
static const char *
known_argument(const char *argument, bool is_state)
{
	if (is_state)
		return "ok|warning|critical";
	if (strcmp(argument, "SOURCE") == 0)
		return argument;
	if (strncmp(argument, "FILE", 4) == 0)
		return "FILE";
	return strchr(argument, '|') != NULL ? argument : "";
}

static void
print_checks(bool arguments)
{
	const struct setting *setting;
	size_t i;

	for (i = 0; check_kinds[i] != NULL; i++) {
		const struct check_kind *kind = check_kinds[i];

		if (kind->value == NULL || kind->value_optional)
			printf(" %s", kind->name);
		if (kind->value != NULL)
			printf(" %s=%s", kind->name, arguments ? known_argument(kind->value, false) : "");
		for (setting = kind->settings; setting != NULL && setting->name != NULL; setting++)
			printf(" %s.%s=%s", kind->name, setting->name,
			    arguments ? known_argument(setting->argument, setting->type == SETTING_STATE) : "");
	}
}

static void
print_tables(const struct command *const commands[])
{
	const struct option_spec *spec;
	int i;

	printf("_mig_options() {\n  case $1 in\n");
	for (i = 0; i < TOOLS; i++) {
		printf("  %s) echo '", tools[i].name);
		print_options(&i, 1);
		printf("' ;;\n");
	}
	printf("  mig-fleet) echo '");
	for (spec = fleet_options; spec->name != NULL; spec++)
		print_option(spec);
	printf("' ;;\n");
	for (i = 0; commands[i] != NULL; i++) {
		printf("  mig-command-%s) echo '", commands[i]->name);
		print_options(commands[i]->tools, commands[i]->count);
		printf("' ;;\n");
	}
	printf("  esac\n}\n_mig_commands='");
	for (i = 0; commands[i] != NULL; i++)
		printf("%s ", commands[i]->name);
	printf("%s'\n_mig_fleet='%s'\n_mig_checks='", others, fleet_commands);
	print_checks(true);
	printf("'\n");
}

/* --- how bash and zsh ask --- */

/*
 * Candidates for the word $1 behind the words $2..., which are the program, what stands behind it: one a line, and
 * "files", "folders" for what the shell knows itself.
 */
static const char candidates[] =
    "_mig_migrations() {\n"
    "  local folder=prisma/migrations path\n"
    "  [ -d \"$folder\" ] || folder=migrations\n"
    "  for path in \"$folder\"/*/migration.sql; do\n"
    "    [ -e \"$path\" ] || continue\n"
    "    path=${path%/migration.sql}\n"
    "    printf '%s\\n' \"$1${path##*/}\"\n"
    "  done\n"
    "}\n"
    "_mig_values() { # ARGUMENT PREFIX VALUE\n"
    "  case $1 in\n"
    "  SOURCE)\n"
    "    case $3 in\n"
    "    file:*) echo files ;;\n"
    "    *) printf '%s\\n' \"${2}env:DATABASE_URL\" \"${2}env:\" \"${2}file:\" \"${2}cmd:\" ;;\n"
    "    esac ;;\n"
    "  NAME*) _mig_migrations \"$2\" ;;\n"
    "  FILE*) echo files ;;\n"
    "  DIR*) echo folders ;;\n"
    "  *\\|*) printf '%s\\n' \"$1\" | tr '|' '\\n' | while read -r word; do printf '%s\\n' \"$2$word\"; done ;;\n"
    "  esac\n"
    "}\n"
    "_mig_among() { # TABLE CURRENT BEFORE: the value of a word of the table, or 1\n"
    "  printf '%s\\n' \"$1\" | tr ' ' '\\n' | (\n"
    "    while read -r word; do\n"
    "      case $word in *=*) ;; *) continue ;; esac\n"
    "      if [ \"$3\" = \"${word%%=*}\" ]; then\n"
    "        _mig_values \"${word#*=}\" '' \"$2\"\n"
    "        exit 0\n"
    "      fi\n"
    "      case $2 in\n"
    "      \"${word%%=*}\"=*) _mig_values \"${word#*=}\" \"${word%%=*}=\" \"${2#*=}\"; exit 0 ;;\n"
    "      esac\n"
    "    done\n"
    "    exit 1\n"
    "  )\n"
    "}\n"
    "_mig_candidates() { # CURRENT WORD...\n"
    "  local current=$1 program=${2##*/} before word\n"
    "  shift 2\n"
    "  if [ \"$program\" = mig ]; then\n"
    "    if [ $# -eq 0 ]; then\n"
    "      printf '%s\\n' \"$_mig_commands --help --version\" | tr ' ' '\\n'\n"
    "      return\n"
    "    fi\n"
    "    case $1 in\n"
    "    check | seed | scan | apply) program=mig-$1 ;;\n"
    "    help) printf '%s\\n' mig scan plan apply seed check records; return ;;\n"
    "    completions) printf '%s\\n' bash zsh fish; return ;;\n"
    "    install-links) echo folders; return ;;\n"
    "    *) program=mig-command-$1 ;;\n"
    "    esac\n"
    "  fi\n"
    "  if [ \"$program\" = mig-fleet ] && [ $# -eq 0 ] && case $current in -*) false ;; esac; then\n"
    "    printf '%s\\n' \"$_mig_fleet\" | tr ' ' '\\n'\n"
    "    return\n"
    "  fi\n"
    "  before=\n"
    "  for word; do before=$word; done\n"
    "  case $before in -d) before=--database ;; -o) before=--output ;; --*) ;; *) before= ;; esac\n"
    "  _mig_among \"$(_mig_options \"$program\")\" \"$current\" \"$before\" && return\n"
    "  case $current in\n"
    "  -*)\n"
    "    _mig_options \"$program\" | tr ' ' '\\n' | sed 's/=.*/=/' ;;\n"
    "  *)\n"
    "    case $program in\n"
    "    mig-check | mig-command-verify)\n"
    "      _mig_among \"$_mig_checks\" \"$current\" '' && return\n"
    "      printf '%s\\n' \"$_mig_checks\" | tr ' ' '\\n' | sed 's/=.*/=/' ;;\n"
    "    *) echo files ;;\n"
    "    esac ;;\n"
    "  esac\n"
    "}\n";

static const char bash[] =
    "_mig_complete() {\n"
    "  local line=${COMP_LINE:0:COMP_POINT} current found cut\n"
    "  local -a words\n"
    "  read -ra words <<<\"$line\"\n"
    "  current=\n"
    "  if [[ $line != *[[:space:]] ]]; then\n"
    "    current=${words[${#words[@]}-1]}\n"
    "    words=(\"${words[@]:0:${#words[@]}-1}\")\n"
    "  fi\n"
    "  # readline replaces only what stands behind the last of these\n"
    "  cut=${current%\"${current##*[=:]}\"}\n"
    "  COMPREPLY=()\n"
    "  while read -r found; do\n"
    "    case $found in\n"
    "    '') ;;\n"
    "    files | folders)\n"
    "      compopt -o filenames\n"
    "      mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(\n"
    "        if [[ $found = files ]]; then compgen -f -- \"${current#\"$cut\"}\"; else compgen -d -- \"${current#\"$cut\"}\"; fi)\n"
    "      ;;\n"
    "    \"$current\"*) COMPREPLY+=(\"${found#\"$cut\"}\") ;;\n"
    "    esac\n"
    "  done < <(_mig_candidates \"$current\" \"${words[@]}\")\n"
    "  [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *[=:] ]] || compopt -o nospace\n"
    "}\n"
    "complete -F _mig_complete mig mig-scan mig-plan mig-apply mig-seed mig-check mig-fleet\n";

static const char zsh[] =
    "_mig() {\n"
    "  local found\n"
    "  local -a plain open\n"
    "  for found in ${(f)\"$(_mig_candidates \"$PREFIX\" \"${(@)words[1,CURRENT-1]}\")\"}; do\n"
    "    case $found in\n"
    "    files) compset -P '*='; compset -P 'file:'; _files ;;\n"
    "    folders) compset -P '*='; _files -/ ;;\n"
    "    *[=:]) open+=(\"$found\") ;;\n"
    "    *) plain+=(\"$found\") ;;\n"
    "    esac\n"
    "  done\n"
    "  (( ! $#plain )) || compadd -- \"${plain[@]}\"\n"
    "  (( ! $#open )) || compadd -S '' -- \"${open[@]}\"\n"
    "}\n"
    "if [ \"$funcstack[1]\" = _mig ]; then _mig \"$@\"; else compdef _mig mig mig-scan mig-plan mig-apply mig-seed mig-check mig-fleet; fi\n";

/* --- fish, which has a line for each option --- */

static void
print_quoted(const char *text)
{
	putchar('\'');
	for (; *text != '\0'; text++) {
		if (*text == '\'' || *text == '\\')
			putchar('\\');
		putchar(*text == '\n' ? ' ' : *text);
	}
	putchar('\'');
}

static void
print_fish_option(const char *program, const char *condition, const struct option_spec *spec)
{
	const char *argument = spec->argument;

	printf("complete -c %s%s%s%s -l %s", program, condition != NULL ? " -n '__fish_seen_subcommand_from " : "",
	    condition != NULL ? condition : "", condition != NULL ? "'" : "", spec->name);
	if (options_has_letter(spec))
		printf(" -s %c", spec->letter);
	if (argument != NULL && argument[0] != '[') {
		if (strcmp(argument, "SOURCE") == 0)
			printf(" -x -a 'env:DATABASE_URL env: cmd: (__mig_files)'");
		else if (strncmp(argument, "NAME", 4) == 0)
			printf(" -x -a '(__mig_migrations)'");
		else if (strncmp(argument, "FILE", 4) == 0 || strncmp(argument, "DIR", 3) == 0)
			printf(" -r -F");
		else if (strchr(argument, '|') != NULL && *argument >= 'a') {
			printf(" -x -a '");
			for (; *argument != '\0'; argument++)
				putchar(*argument == '|' ? ' ' : *argument);
			printf("'");
		} else {
			printf(" -x");
		}
	}
	printf(" -d ");
	print_quoted(spec->help + (*spec->help == '\n'));
	printf("\n");
}

static void
print_fish_program(const char *program, const char *condition, const struct program *table)
{
	const struct option_spec *spec;

	for (spec = table->options; spec->name != NULL; spec++)
		print_fish_option(program, condition, spec);
	for (spec = options_common; spec->name != NULL; spec++)
		print_fish_option(program, condition, spec);
}

static void
print_fish(const struct command *const commands[])
{
	const struct option_spec *spec;
	size_t i, k;

	printf("function __mig_migrations\n"
	       "  for folder in prisma/migrations/*/ migrations/*/\n"
	       "    test -e $folder/migration.sql; and basename $folder\n"
	       "  end\n"
	       "end\n"
	       "function __mig_files\n"
	       "  set -l word (commandline -ct)\n"
	       "  string match -q '*file:*' -- $word; or begin; echo file:; return; end\n"
	       "  for path in (__fish_complete_path (string replace -r '^.*?file:' '' -- $word))\n"
	       "    echo file:$path\n"
	       "  end\n"
	       "end\n"
	       "complete -c mig -n __fish_use_subcommand -l help -l version\n"
	       "complete -c mig -f -n '__fish_seen_subcommand_from completions' -a 'bash zsh fish'\n"
	       "complete -c mig -f -n __fish_use_subcommand -a '");
	for (i = 0; commands[i] != NULL; i++)
		printf("%s ", commands[i]->name);
	printf("%s'\n", others);
	printf("complete -c mig -f -n '__fish_seen_subcommand_from help' -a 'mig scan plan apply seed check records'\n");
	for (i = 0; i < TOOLS; i++) {
		print_fish_program(tools[i].name, NULL, tools[i].program);
		if (i != TOOL_PLAN) /* which is a command of two */
			print_fish_program("mig", tools[i].name + strlen("mig-"), tools[i].program);
	}
	for (i = 0; commands[i] != NULL; i++)
		for (k = 0; k < commands[i]->count; k++)
			print_fish_program("mig", commands[i]->name, tools[commands[i]->tools[k]].program);
	printf("complete -c mig-fleet -n __fish_use_subcommand -a '%s'\n", fleet_commands);
	for (spec = fleet_options; spec->name != NULL; spec++)
		print_fish_option("mig-fleet", NULL, spec);
	printf("complete -c mig-check -f -a '");
	print_checks(false);
	printf("'\ncomplete -c mig -f -n '__fish_seen_subcommand_from check verify' -a '");
	print_checks(false);
	printf("'\n");
}

int
completions_show(const char *shell, const struct command *const commands[])
{
	if (strcmp(shell, "fish") == 0) {
		printf("# Completions of mig for fish, made of its tables of options.\n");
		print_fish(commands);
	} else if (strcmp(shell, "bash") == 0) {
		printf("# Completions of mig for bash, made of its tables of options.\n");
		print_tables(commands);
		printf("%s%s", candidates, bash);
	} else if (strcmp(shell, "zsh") == 0) {
		printf("#compdef mig mig-scan mig-plan mig-apply mig-seed mig-check mig-fleet\n# Made of the tables of options.\n");
		print_tables(commands);
		printf("%s%s", candidates, zsh);
	} else {
		return options_wrong("completions are for bash, zsh or fish");
	}
	return manual_end();
}
