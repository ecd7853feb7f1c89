#!/usr/bin/env bats
# --help in one screen, mig help CODE, and what the manual says of it.
# shellcheck disable=SC2016,SC2154

load helper
load words

setup_file() {
  local page
  # man(1) finds the pages of this tree
  for page in "$BATS_TEST_DIRNAME"/../man/*.[157]; do
    mkdir -p "$BATS_FILE_TMPDIR/man/man${page##*.}"
    cp "$page" "$BATS_FILE_TMPDIR/man/man${page##*.}"
  done
  export MANPATH=$BATS_FILE_TMPDIR/man
}

@test "--help fits one screen of 40 lines and 80 columns, and --help=all has everything" {
  local -a call
  local words
  for words in mig-scan mig-plan mig-apply mig-seed mig-check mig 'mig status' 'mig plan' 'mig deploy' 'mig verify' mig-release mig-fleet; do
    read -r -a call <<<"$words"
    run --separate-stderr "${call[@]}" --help
    assert_code 0
    ((${#lines[@]} <= 40)) || fail "$words: ${#lines[@]} lines"
    (($(wc -l <<<"$output") <= 40)) || fail "$words: $(wc -l <<<"$output") lines"
    assert_equal "$words: $(awk 'length > 80' <<<"$output")" "$words: "
    # no sentence is cut in the middle
    assert_equal "$words: $(grep -E '^ +(-., )?--.*[,;:]$' <<<"$output")" "$words: "
    [[ $words != mig && $words != mig-release && $words != mig-fleet ]] || continue
    run --separate-stderr "${call[@]}" --help=all
    assert_code 0
    assert_output --partial '(default: a'
  done
  run mig-plan --help=all
  assert_output --partial 'rules that --strict and --allow move:'
  run mig-check --help=all
  assert_output --partial '  history.pending=STATE '
}

@test "--help=CHECK shows a check and its settings; what is no check is refused" {
  run --separate-stderr mig-check --help=database
  assert_code 0
  assert_line --partial 'database.lag-warn=TIME'
  refute_output --partial health
  run --separate-stderr mig-check --help=databse
  assert_code 3
  says '--help=databse: must be all or a check'
  run --separate-stderr mig-scan --help=database
  assert_code 64
  says '--help=database: must be all'
}

need_man() { man -w 7 mig >/dev/null 2>&1 || skip "no man, or it shows no pages here"; }

# shown TOPIC TEXT…: the paragraph of the manual has the texts.
shown() {
  run --separate-stderr mig help "$1"
  assert_code 0
  shift
  shows "$@"
}

@test "mig help CODE shows what the manual says of it" {
  need_man
  shown p3009 'mig(7), DIAGNOSTICS:' 'an earlier migration is unfinished' '--mark-rolled-back NAME'
  refute_output --partial P3008
  shown 75 'mig(7), EXIT STATUS:' 'Busy: locked, starting up' 'mig-release(1), EXIT STATUS:'
  refute_output --partial 'Permission denied'
  shown 55P03 'a table stays busy' 'TABLE stayed busy; gave up' 'it resumes at'
  shown 57014 'while N sessions wait for TABLE' 'cancelled and rolled back, and is not retried'
  refute_output --partial '55P03'
  shown stalls 'mig-plan(1), '
  shown database.lag-warn 'mig-check(1), SETTINGS:' 'replication lag'
  shown 'stays busy' '55P03'
}

@test "mig help with what no page has is refused" {
  need_man
  run --separate-stderr mig help P9999
  assert_code 64
  says 'the manual has no item on "P9999"'
}

@test "mig help says that the manual cannot be read" {
  run --separate-stderr env MANPATH=/nonexistent mig help P3009
  assert_code 78
  says 'cannot read the manual'
}

@test "each exit code, and each rule of mig-plan, has its item" {
  need_man
  local topic
  shown 70 'mig(7), EXIT STATUS:'
  man 7 mig >"$BATS_TEST_TMPDIR/page"
  for topic in 0 1 2 64 65 69 70 74 75 77 78; do
    sed -n '/^EXIT STATUS/,/^[A-Z]/p' "$BATS_TEST_TMPDIR/page" | grep -qE "^ +$topic " || fail "no item on $topic" || return 1
  done
  man 1 mig-plan >"$BATS_TEST_TMPDIR/page"
  for topic in $(mig-plan --help=all | sed -n '/^rules/,/^$/p' | tr -d ',:;' | tr ' ' '\n' | grep '_\|stalls\|late'); do
    grep -qE "^ +$topic  +(error|warning|note) " "$BATS_TEST_TMPDIR/page" || fail "no item on $topic"
  done
}
