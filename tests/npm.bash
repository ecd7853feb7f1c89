# shellcheck shell=bash
# Packages of npm that single tests need, installed once into a cache folder.
#
#   npm_packages WHAT PACKAGE.json FOLDER [COMPLETE]    installs them there, and runs COMPLETE in it; 0 if WHAT is there, else 1
#                                                       and a word on stderr
npm_packages() {
  local what=$1 package=$2 home=$3 complete=${4:-true}
  cmp -s "$package" "$home/installed.json" && return 0
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "$what is not here: node and npm are not installed" >&2
    return 1
  fi
  mkdir -p "$home" || return 1
  (
    # Files that run in parallel wait for the first of them.
    flock 9
    cmp -s "$package" "$home/installed.json" && exit 0
    # An attempt that failed is not repeated by every test that follows.
    if [[ -n $(find "$home/failed" -mmin -10 2>/dev/null) ]]; then
      cat "$home/failed" >&2
      exit 1
    fi
    cp "$package" "$home/package.json"
    if HOME=${MIG_TEST_HOME:-$HOME} npm --prefix "$home" install --ignore-scripts --no-audit --no-fund --no-update-notifier \
      --fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000 --fetch-timeout=60000 >"$home/install.log" 2>&1; then
      cd "$home" && "$complete" && cp package.json installed.json
    else
      echo "$what is not here: npm could not install it (see $home/install.log)" | tee "$home/failed" >&2
      exit 1
    fi
  ) 9>"$home/lock" 3>&-
}
