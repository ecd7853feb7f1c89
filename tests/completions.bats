#!/usr/bin/env bats
# Completions of bash, zsh and fish: made by `mig completions SHELL` of the tables of options.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup() {
  folder_new
  migration 20240101000000_init 'SELECT 1;'
  migration 20240102000000_more 'SELECT 1;'
}

teardown() { tmux -S "$BATS_TEST_TMPDIR/tmux" kill-server 2>/dev/null || true; }

# completed LINE: what bash makes of it, a word a line; blanks behind a word count.
completed() {
  run bash --norc -c '
    compopt() { :; }
    source <(mig completions bash)
    COMP_LINE=$1 COMP_POINT=${#1}
    _mig_complete
    printf "%s\n" "${COMPREPLY[@]}"' - "$1"
  assert_success
}

@test "bash: options of each tool, and of each command of mig" {
  local tool option
  for tool in scan plan apply seed check; do
    completed "mig-$tool --"
    while read -r option; do
      grep -qxE -- "$option=?" <<<"$output" || fail "mig-$tool: $option is not offered: $output" || return 1
    done < <(mig-"$tool" --help=all | grep -oE '^  (-[a-zA-Z], |    )--[a-z-]+' | grep -oE -- '--[a-z-]+')
    want=$output
    [[ $tool != plan ]] || continue
    completed "mig $tool --"
    assert_equal "$output" "$want"
  done
  completed 'mig deploy --dry'
  assert_output -- --dry-run
  completed 'mig status --st'
  assert_output ''
}

@test "bash: of mig-fleet what its --help has" {
  completed 'mig-fleet --'
  assert_equal "$(sort <<<"$output")" "$(mig-fleet --help | grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+[= [].' | grep -oE -- '--[a-z-]+=?' | sed 's/^--strict=/--strict/' | sort)"
  completed 'mig-fleet re'
  assert_output $'resume\nreport'
  completed 'mig-fleet apply --engine='
  assert_output $'parallel\nslurm'
}

@test "bash: commands, sources, formats, migrations, checks and their settings" {
  completed 'mig de'
  assert_output deploy
  completed 'mig-scan -d '
  assert_output $'env:DATABASE_URL\nenv:\nfile:\ncmd:'
  completed 'mig-scan --database=f'
  assert_output file:
  completed 'mig-plan --to '
  assert_output $'20240101000000_init\n20240102000000_more'
  completed 'mig plan --baseline=20240102'
  assert_output 20240102000000_more
  completed 'mig-seed --as='
  assert_output $'csv\ntsv\nndjson'
  completed 'mig-check health.cer'
  assert_output $'health.certificate-warn=\nhealth.certificate-crit='
  completed 'mig-check database='
  assert_output $'env:DATABASE_URL\nenv:\nfile:\ncmd:'
  completed 'mig-check history.failed=w'
  assert_output warning
  completed 'mig completions '
  assert_output $'bash\nzsh\nfish'
  completed 'mig --v'
  assert_output -- --version
  completed 'mig check his'
  assert_line history
  touch plan.rec
  completed 'mig-apply pl'
  assert_output plan.rec
}

@test "zsh: its candidates are the same" {
  local line
  command -v zsh >/dev/null || skip "no zsh"
  mig completions zsh >_mig
  run zsh -n _mig
  assert_success
  for line in 'mig-scan --' 'mig deploy --' 'mig-plan --to=' 'mig ' 'mig-seed --as='; do
    # shellcheck disable=SC2086
    set -- $line
    [[ $line != *' ' ]] || set -- "$@" ''
    current=${!#}
    run zsh -f -c 'compdef() { :; }; source ./_mig; _mig_candidates "$@"' - "$current" "${@:1:$#-1}"
    assert_success
    want=$output
    run bash -c 'complete() { :; }; source <(mig completions bash); _mig_candidates "$@"' - "$current" "${@:1:$#-1}"
    assert_equal "$output" "$want"
    [[ -n $want ]] || fail "nothing for $line"
  done
}

@test "fish: what it offers" {
  command -v fish >/dev/null || skip "no fish"
  export HOME=$BATS_TEST_TMPDIR
  mig completions fish >mig.fish
  offered() { run fish -c 'source mig.fish; complete -C "$argv[1]" | string split -f 1 \t' -- "$1"; }
  offered 'mig deploy --dry'
  assert_output -- --dry-run
  offered 'mig-plan --to '
  assert_output $'20240101000000_init\n20240102000000_more'
  offered 'mig-scan --database '
  assert_line file:
  offered 'mig-scan --database file:pri'
  assert_output file:prisma/
  offered 'mig-check health.certificate-w'
  assert_output health.certificate-warn=
  offered 'mig de'
  assert_output deploy
}

# Words in a shell on a terminal, with its own completion: what stands at the prompt after the tabulator.
shell_begin() { # LINE THAT LOADS COMMAND…
  local load=$1
  shift
  mkdir -p "$BATS_TEST_TMPDIR/home"
  touch "$BATS_TEST_TMPDIR/home/.zshrc"
  env -u TMUX HOME="$BATS_TEST_TMPDIR/home" TERM=screen PS1='$ ' PROMPT='$ ' SHELL=/bin/sh \
    tmux -u -f /dev/null -S "$BATS_TEST_TMPDIR/tmux" new-session -d -x 160 -y 40 "$*"
  shell_type "PS1='\$ '; PROMPT='\$ '; clear; $load; echo loa''ded" Enter
  eventually 30 screen_has loaded
}
shell_type() { tmux -S "$BATS_TEST_TMPDIR/tmux" send-keys -l "$1" && tmux -S "$BATS_TEST_TMPDIR/tmux" send-keys "$2"; }
screen_has() { tmux -S "$BATS_TEST_TMPDIR/tmux" capture-pane -p | grep -qxF -- "$1"; }
shell_completes() { # WORDS COMPLETED
  shell_type "$1" Tab
  eventually screen_has "\$ $2" || fail "$1: $(tmux -S "$BATS_TEST_TMPDIR/tmux" capture-pane -p)" || return 1
  tmux -S "$BATS_TEST_TMPDIR/tmux" send-keys C-u
}
shell_completes_words() {
  echo '-- authorities' >authorities.pem
  shell_completes 'mig dep' 'mig deploy'
  shell_completes 'mig deploy --wa' 'mig deploy --wait='
  shell_completes 'mig plan --to=20240102' 'mig plan --to=20240102000000_more'
  shell_completes 'mig-scan --database=file:pri' 'mig-scan --database=file:prisma/'
  shell_completes 'mig status -d file:auth' 'mig status -d file:authorities.pem'
  shell_completes 'mig check health.ca=auth' 'mig check health.ca=authorities.pem'
  shell_completes 'mig-check history.pending=cr' 'mig-check history.pending=critical'
}

@test "bash on a terminal: words, values behind = and :, and files" {
  command -v tmux >/dev/null || skip 'no tmux'
  shell_begin 'source <(mig completions bash)' bash --norc
  shell_completes_words
}

@test "zsh on a terminal: words, values behind = and :, and files" {
  command -v tmux >/dev/null || skip 'no tmux'
  command -v zsh >/dev/null || skip 'no zsh'
  mig completions zsh >_mig
  shell_begin 'fpath=($PWD $fpath); autoload -Uz compinit; compinit -D -u' zsh -f
  shell_completes_words
}

@test "an unknown shell is refused" {
  run --separate-stderr mig completions tcsh
  assert_code 64
  says 'bash, zsh or fish'
}
