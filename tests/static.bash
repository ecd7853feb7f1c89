# shellcheck shell=bash
# The one static file: `load static` after `load helper`.
#
#   static_build     for setup_file: STATIC is it, as the sources are now, or empty where what it is linked of is not at hand
#   static_needed    for setup: skips where there is none
#
# `make static` leaves copies of that in ~/.cache/mig; with them it is a matter of seconds, and all tests are run.

static_build() {
  local source
  source=$(cd "$TESTS/.." && pwd)
  STATIC=${MIG_TEST_STATIC-}
  export STATIC
  # of what is tested, and of none with sanitizers
  [[ -z $STATIC && $BUILD == "$source/build" ]] || return 0
  mkdir -p "$BUILD"
  (
    # several files may want it at once
    flock 9
    export HOME=$MIG_TEST_HOME
    "$source/scripts/static-libraries" --cached "$source/build/static/libraries" || exit 77
    env -u MAKEFLAGS -u MAKELEVEL -u BUILD -u HOST make -C "$source" STATIC=1 build/static/mig
  ) >"$BATS_FILE_TMPDIR/static.log" 2>&1 3>&- 4>&- 9>"$BUILD/static.lock"
  case $? in
  0) STATIC=$BUILD/static/mig ;;
  77) ;;
  *) cat "$BATS_FILE_TMPDIR/static.log" && return 1 ;;
  esac
}

static_needed() {
  [[ -n $STATIC ]] || skip "no libraries for the one static file: make check-static"
}
