/*
 * Each script is two parts: what there is, written from the tables, and how a shell asks for it, the same for all.
 *
 * What there is, in bash and zsh: options of a program or of a command of mig, a word each, with what its value is behind "=":
 * --database=SOURCE --offline --format=text|records; and the words of mig-check.
 */
#include "completions.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/options.h"
#include "check/check.h"
#include "manual.h"

static const char others[] = "check seed scan apply help install-links";

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

static void
print_checks(void)
{
	const struct setting *setting;
	size_t i;

	for (i = 0; check_kinds[i] != NULL; i++) {
		const struct check_kind *kind = check_kinds[i];

		printf(" %s%s", kind->name, kind->value != NULL && !kind->value_optional ? "=" : "");
		for (setting = kind->settings; setting != NULL && setting->name != NULL; setting++)
			printf(" %s.%s=", kind->name, setting->name);
	}
}

static void
print_tables(const struct command *const commands[])
{
	int i;

	printf("_mig_options() {\n  case $1 in\n");
	for (i = 0; i < TOOLS; i++) {
		printf("  %s) echo '", tools[i].name);
		print_options(&i, 1);
		printf("' ;;\n");
	}
	for (i = 0; commands[i] != NULL; i++) {
		printf("  mig-command-%s) echo '", commands[i]->name);
		print_options(commands[i]->tools, commands[i]->count);
		printf("' ;;\n");
	}
	printf("  esac\n}\n_mig_commands='");
	for (i = 0; commands[i] != NULL; i++)
		printf("%s ", commands[i]->name);
	printf("%s'\n_mig_checks='", others);
	print_checks();
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
    "_mig_values() { # ARGUMENT PREFIX\n"
    "  case $1 in\n"
    "  SOURCE) printf '%s\\n' \"${2}env:DATABASE_URL\" \"${2}env:\" \"${2}file:\" \"${2}cmd:\" ;;\n"
    "  NAME*) _mig_migrations \"$2\" ;;\n"
    "  FILE*) echo files ;;\n"
    "  DIR*) echo folders ;;\n"
    "  [a-z]*\\|*) printf '%s\\n' \"$1\" | tr '|' '\\n' | while read -r word; do printf '%s\\n' \"$2$word\"; done ;;\n"
    "  esac\n"
    "}\n"
    "_mig_candidates() { # CURRENT WORD...\n"
    "  local current=$1 program=${2##*/} before option\n"
    "  shift 2\n"
    "  if [ \"$program\" = mig ]; then\n"
    "    if [ $# -eq 0 ]; then\n"
    "      printf '%s\\n' \"$_mig_commands\" | tr ' ' '\\n'\n"
    "      return\n"
    "    fi\n"
    "    case $1 in\n"
    "    check | seed | scan | apply) program=mig-$1 ;;\n"
    "    help) printf '%s\\n' mig scan plan apply seed check records; return ;;\n"
    "    install-links) echo folders; return ;;\n"
    "    *) program=mig-command-$1 ;;\n"
    "    esac\n"
    "  fi\n"
    "  before=\n"
    "  for option; do before=$option; done\n"
    "  case $before in -d) before=--database ;; -o) before=--output ;; esac\n"
    "  _mig_options \"$program\" | tr ' ' '\\n' | {\n"
    "    while read -r option; do\n"
    "      case $option in *=*) ;; *) continue ;; esac\n"
    "      if [ \"$before\" = \"${option%%=*}\" ]; then\n"
    "        _mig_values \"${option#*=}\" ''\n"
    "        exit\n"
    "      fi\n"
    "      case $current in\n"
    "      \"${option%%=*}\"=*) _mig_values \"${option#*=}\" \"${option%%=*}=\"; exit ;;\n"
    "      esac\n"
    "    done\n"
    "    case $current in\n"
    "    -*)\n"
    "      _mig_options \"$program\" | tr ' ' '\\n' | sed 's/=.*/=/' ;;\n"
    "    *)\n"
    "      case $program in\n"
    "      mig-check | mig-command-verify) printf '%s\\n' \"$_mig_checks\" | tr ' ' '\\n' ;;\n"
    "      *) echo files ;;\n"
    "      esac ;;\n"
    "    esac\n"
    "  }\n"
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
    "    files) mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -f -- \"${current#\"$cut\"}\") ;;\n"
    "    folders) mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -d -- \"${current#\"$cut\"}\") ;;\n"
    "    \"$current\"*) COMPREPLY+=(\"${found#\"$cut\"}\") ;;\n"
    "    esac\n"
    "  done < <(_mig_candidates \"$current\" \"${words[@]}\")\n"
    "  [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *[=:] ]] || compopt -o nospace\n"
    "}\n"
    "complete -o filenames -F _mig_complete mig mig-scan mig-plan mig-apply mig-seed mig-check\n";

static const char zsh[] =
    "_mig() {\n"
    "  emulate -L zsh\n"
    "  local found\n"
    "  local -a plain open\n"
    "  for found in ${(f)\"$(_mig_candidates \"$PREFIX\" \"${(@)words[1,CURRENT-1]}\")\"}; do\n"
    "    case $found in\n"
    "    files) compset -P '*='; _files ;;\n"
    "    folders) compset -P '*='; _files -/ ;;\n"
    "    *[=:]) open+=(\"$found\") ;;\n"
    "    *) plain+=(\"$found\") ;;\n"
    "    esac\n"
    "  done\n"
    "  (( ! $#plain )) || compadd -- \"${plain[@]}\"\n"
    "  (( ! $#open )) || compadd -S '' -- \"${open[@]}\"\n"
    "}\n"
    "if [ \"$funcstack[1]\" = _mig ]; then _mig \"$@\"; else compdef _mig mig mig-scan mig-plan mig-apply mig-seed mig-check; fi\n";

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
			printf(" -x -a 'env:DATABASE_URL env: file: cmd:'");
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
	print_quoted(spec->help);
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
	size_t i, k;

	printf("function __mig_migrations\n"
	       "  for folder in prisma/migrations/*/ migrations/*/\n"
	       "    test -e $folder/migration.sql; and basename $folder\n"
	       "  end\n"
	       "end\n"
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
	printf("complete -c mig-check -f -a '");
	print_checks();
	printf("'\ncomplete -c mig -f -n '__fish_seen_subcommand_from check verify' -a '");
	print_checks();
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
		printf("#compdef mig mig-scan mig-plan mig-apply mig-seed mig-check\n# Made of the tables of options.\n");
		print_tables(commands);
		printf("%s%s", candidates, zsh);
	} else {
		return options_wrong("completions are for bash, zsh or fish");
	}
	return manual_end();
}
