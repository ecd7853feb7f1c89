#!/usr/bin/env bats
# How the programs are built: with which compilers, what they are linked with, and what make install installs.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

TOOLS=(mig-scan mig-plan mig-apply mig-seed mig-check)

setup_file() { server_start; }
teardown_file() { server_stop; }

# A test that needs a database says database_new itself.
setup() {
  export DATABASE_URL=postgresql://nobody@127.0.0.1:1/nowhere
  folder_new
}

needed() {
  readelf -d "$BUILD/$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

@test "each tool links what it talks to, and no more; libpq and libcurl wait until they are asked, and a note says so" {
  local tool note
  command -v readelf >/dev/null || skip "no readelf(1)"
  for tool in "${TOOLS[@]}"; do
    run needed "$tool"
    assert_line --partial libjansson.
    assert_line --partial libsodium.
    refute_line --partial libpq.
    refute_line --partial libcurl.
    # what packagers read: the ELF dlopen metadata specification
    run bash -c "readelf -nW '$BUILD/$tool' | grep -o 'FDO  *0x' | wc -l"
    case $tool in
    mig-plan) assert_output 0 ;;
    mig-check) assert_output 2 ;;
    *) assert_output 1 ;;
    esac
    note=$(readelf -p .note.dlopen "$BUILD/$tool" 2>/dev/null || true)
    case $tool in
    mig-plan) ! grep -qaF libpq.so "$BUILD/$tool" ;;
    *) [[ $note == *'"feature":"postgresql","priority":"required","soname":["libpq.so.5"]'* ]] ;;
    esac
    case $tool in
    mig-check) [[ $note == *'"feature":"http","priority":"recommended","soname":["libcurl.so.4"]'* ]] ;;
    *) ! grep -qaF libcurl.so "$BUILD/$tool" ;;
    esac
  done
}

@test "a library that is missing or too old is named with its package, 78; 3 from mig-check" {
  local tool
  # the same programs, in search of other names
  for tool in mig-scan mig-check; do
    sed 's/libpq\.so\.5/libpq.so.9/g; s/libcurl\.so\.4/libcurl.so.9/g' "$BUILD/$tool" >"missing-$tool"
    sed 's/PQsslInUse/PQsslInUsX/g' "$BUILD/$tool" >"old-$tool"
  done
  chmod +x missing-* old-*
  run --separate-stderr ./missing-mig-scan
  assert_code 78
  assert_equal "$stderr" 'mig-scan: error: libpq.so.9 is missing: apt-get install libpq5'
  run --separate-stderr ./old-mig-scan
  assert_code 78
  says 'libpq.so.5 is too old: it lacks PQsslInUsX: apt-get install libpq5'
  run --separate-stderr ./missing-mig-check database
  assert_code 3
  says 'libpq.so.9 is missing: apt-get install libpq5'
  run --separate-stderr ./missing-mig-check health=http://127.0.0.1:1/
  assert_code 3
  says 'libcurl.so.9 is missing: apt-get install libcurl4'
  run ./missing-mig-scan --offline
  assert_success
}

# A copy of what is built, without what other settings would make otherwise; the programs under test stay as they are.
built_copy() {
  local object
  mkdir "$1"
  cp -rp "$BUILD"/{lib,tools,libmig.a} "$1"
  for object in "${@:2}"; do rm "$1/lib/$object.o"; done
  rm "$1/libmig.a"
}

@test "make LINK=1 links libpq and libcurl where they are called, and without nettle the checksums are the same" {
  local linked=$BATS_TEST_TMPDIR/linked tool
  command -v readelf >/dev/null || skip "no readelf(1)"
  [[ $BUILD != */sanitize* ]] || skip "its objects want the sanitizers"
  built_copy "$linked" postgres/libpq check/curl migrations/checksum
  run make_into "$linked" LINK=1 NETTLE=
  assert_success
  assert_equal "$output" ''
  for tool in "${TOOLS[@]}"; do
    run readelf -d "$linked/$tool"
    refute_line --partial libnettle.
    case $tool in
    mig-plan) refute_line --partial libpq. ;;
    *) assert_line --regexp 'NEEDED.*libpq\.so\.5' ;;
    esac
    case $tool in
    mig-check) assert_line --regexp 'NEEDED.*libcurl\.so\.4' ;;
    *) refute_line --partial libcurl. ;;
    esac
    run readelf -SW "$linked/$tool"
    refute_line --partial .note.dlopen
  done
  database_new
  migration 20240101000000_init 'CREATE TABLE a (id int);'
  migration 20240102000000_long "-- $(printf '%0100000d' 7)"
  assert_equal "$("$linked/mig-scan" --offline)" "$(mig-scan --offline)"
  PATH=$linked:$PATH pipeline
  assert_code 0
  run "$linked/mig-check" health=http://127.0.0.1:1/
  assert_failure 2
}

@test "the programs are hardened: position-independent, relocations read-only, bound at the start, no executable stack" {
  local tool
  command -v readelf >/dev/null || skip "no readelf(1)"
  for tool in "${TOOLS[@]}"; do
    run readelf -hldW "$BUILD/$tool"
    assert_success
    assert_line --regexp 'Type: +DYN'
    assert_line --regexp 'FLAGS_1.*PIE'
    assert_line --regexp 'GNU_RELRO'
    assert_line --regexp 'FLAGS_1.*NOW'
    assert_line --regexp 'GNU_STACK.* RW +0x'
    refute_line --regexp '(RPATH|RUNPATH)'
  done
}

# make, as somebody would who has just unpacked it; what it makes goes to a folder of the test's own.
make_into() {
  local dir=$1
  shift
  env -u MAKEFLAGS -u MAKELEVEL make -s -j2 -C "$TESTS/.." BUILD="$dir" "$@"
}

# Whether CC makes programs with sanitizers here.
sanitizes() { # CC
  command -v "$1" >/dev/null && echo 'int main(void) { return 0; }' |
    "$1" -fsanitize=address,undefined -x c - -o "$BATS_TEST_TMPDIR/sanitized" 2>/dev/null
}

# One build for both, since it takes longest of all tests. (That cc, mostly gcc, warns of nothing scripts/test sees by its own
# build.)
@test "clang builds without a warning, and with sanitizers a deploy and each tool's ordinary runs are clean" {
  local cc=clang
  sanitizes clang || cc=cc
  sanitizes "$cc" || skip "no sanitizers"
  run make_into "$BATS_TEST_TMPDIR/build" SANITIZE=address,undefined CC="$cc" CFLAGS='-O0 -Werror' FORTIFY=
  assert_success
  assert_equal "$output" ''
  run "$BATS_TEST_TMPDIR/build/mig-plan" --version
  assert_output --partial 'mig-plan (mig) '
  database_new
  migrations_many 10
  # The search for leaks traces the process, which none but root may do to one that holds a password.
  export PATH=$BATS_TEST_TMPDIR/build:$PATH ASAN_OPTIONS=detect_leaks=$((EUID == 0))
  pipeline plan: --allow=destructive
  assert_code 0
  says_not Sanitizer 'runtime error'
  assert_equal "$(applied | wc -l)" 10

  # every tool's ordinary run: no report, and nothing that is not given back
  sql 'CREATE TABLE plain (id INTEGER PRIMARY KEY)'
  printf 'id\n1\n2\n' >plain.csv
  mkdir out
  for command in 'mig-scan | mig-plan | mig-apply' 'mig-seed --dry-run plain.csv' 'mig-seed plain.csv' 'mig-seed plain.csv' \
    'mig-seed --export --into=out plain' 'mig-scan | mig-check history relation=plain database' 'mig-check log=plain.csv'; do
    run --separate-stderr bash -c "$command"
    says_not Sanitizer 'runtime error'
  done
}

@test "every target that the Makefile declares, and that HACKING names, has a rule" {
  local target
  for target in $(sed -n 's/^\.PHONY: //p' "$TESTS/../Makefile") $(grep -oE '^    make [a-z-]+' "$TESTS/../HACKING.md" | cut -c 10-); do
    grep -qE "^$target( [a-z-]+)*:" "$TESTS/../Makefile" || fail "no rule: $target"
  done
}

@test "make install puts programs and pages where PREFIX and DESTDIR say" {
  [[ $BUILD != */sanitize* ]] || skip "its objects want the sanitizers"
  local root=$BATS_TEST_TMPDIR/root copy=$BATS_TEST_TMPDIR/build page
  # A copy, so that the programs under test stay as they are; what is up to date is not made again.
  mkdir "$copy"
  cp -rp "$BUILD"/{lib,tools,libmig.a,mig-*} "$copy"
  run make_into "$copy" install PREFIX=/opt/mig DESTDIR="$root"
  assert_success
  run ls "$root/opt/mig/bin"
  assert_output $'mig\nmig-apply\nmig-check\nmig-fleet\nmig-plan\nmig-release\nmig-scan\nmig-seed'
  run "$root/opt/mig/bin/mig-scan" --version
  assert_success
  for page in "${TOOLS[@]/%/.1}" mig-records.5 mig-release.1 mig-fleet.1 mig.1 mig.7; do
    [[ -s $root/opt/mig/share/man/man${page##*.}/$page ]] || fail "no page $page"
  done
  run bash -c 'cd "$1" && find . -type f ! -path "./opt/mig/bin/*" ! -path "./opt/mig/share/man/man[157]/*" \
    ! -path "./opt/mig/share/bash-completion/completions/mig" ! -path "./opt/mig/share/zsh/site-functions/_mig" \
    ! -path "./opt/mig/share/fish/vendor_completions.d/mig.fish" ! -path "./opt/mig/share/doc/mig/examples/*"' - "$root"
  assert_output ./opt/mig/share/mig/release.mk
  run diff -r "$root/opt/mig/share/doc/mig/examples" "$TESTS/../examples"
  assert_success
  run make_into "$copy" uninstall PREFIX=/opt/mig DESTDIR="$root"
  assert_success
  run find "$root" -type f -o -type l
  assert_output ''
}

@test "make dist gives the same bytes twice, also from what was unpacked of it" {
  local copy
  command -v git >/dev/null || skip "no git"
  [[ -e $TESTS/../.git ]] || skip "not a checkout"
  "$TESTS/../scripts/dist" one.tar.gz
  (umask 077 && TZ=Asia/Tokyo "$TESTS/../scripts/dist" two.tar.gz)
  run cmp one.tar.gz two.tar.gz
  assert_success
  tar -xzf one.tar.gz
  copy=$(echo mig-*/)
  mkdir "$copy/build"
  touch "$copy/build/mig"
  "$copy/scripts/dist" three.tar.gz
  run cmp one.tar.gz three.tar.gz
  assert_success
}

@test "the note .note.dlopen becomes the dependencies of a package" {
  command -v dpkg >/dev/null || skip "no dpkg"
  command -v readelf >/dev/null || skip "no readelf(1)"
  run "$TESTS/../scripts/dlopen-depends" "$BUILD"/mig-*
  assert_success
  assert_output --regexp '^dlopen:Depends=libpq5 \(>= 14\)
dlopen:Recommends=libcurl4[a-z0-9]*$'
  run "$TESTS/../scripts/dlopen-depends" "$BUILD"/mig-plan
  assert_output $'dlopen:Depends=\ndlopen:Recommends='
}
