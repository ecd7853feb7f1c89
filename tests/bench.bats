#!/usr/bin/env bats
# That `make bench` works. What it measures is not asked here: other tests may be running.

@test "the bench measures three cases in small and prints its tables" {
  source "$BATS_TEST_DIRNAME/server.bash"
  [[ -x $(server_programs)/psql ]] || skip "no psql of this server"
  cd "$BATS_TEST_DIRNAME/.."
  run tests/bench/run --quick -o "$BATS_TEST_TMPDIR/results.md" nothing scan seed
  [[ $status == 0 ]]
  [[ $output == *'| target | figure | at most | met |'*'nothing to do, wall'*'scan of 500 files'* ]]
  [[ $output == *'| case | round trip | contestant |'*'mig-scan \| mig-plan \| mig-apply'* ]]
  [[ $output == *"10000 rows of CSV into an empty table, wall"*'all in the table already, wall'* ]]
  # an empty figure is a mistake in the script
  [[ $output != *'|  |'* ]]
  [[ -s $BATS_TEST_TMPDIR/results.md ]]
}

@test "the bench refuses a case that it does not know" {
  run "$BATS_TEST_DIRNAME/bench/run" --quick elephants
  [[ $status == 64 ]]
  [[ $output == usage:* ]]
}
