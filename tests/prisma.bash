# shellcheck shell=bash disable=SC2154
# The real Prisma Migrate 6.19.3, for tests that ask whether it and mig agree: `load prisma` after `load helper`.
#
#   setup() { prisma_available; database_new; folder_new; prisma_project; }
#
#   prisma deploy | status | resolve --applied NAME | resolve --rolled-back NAME | diff …
#                                 `prisma migrate …` on $FOLDER and $DATABASE_URL; use it with bats's `run`
#   prisma_available              installs it once into a cache folder; skips the test where that cannot be done, or
#                                 fails it if MIG_TEST_REQUIRE=prisma
#   prisma_install                the same without bats: 0 if Prisma is there, else 1 and a word on stderr
#   prisma_project                makes prisma/schema.prisma and prisma.config.mjs beside $FOLDER

# Where it lies: outside the tree, one folder a set of versions.
prisma_home() {
  echo "${MIG_TEST_PRISMA:-${XDG_CACHE_HOME:-${MIG_TEST_HOME:-$HOME}/.cache}/mig-tests/prisma-6.19.3}"
}

prisma_install() {
  local home tests
  tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  home=$(prisma_home)
  export MIG_TEST_PRISMA=$home
  cmp -s "$tests/prisma/package.json" "$home/installed.json" && return 0
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "Prisma is not here: node and npm are not installed" >&2
    return 1
  fi
  mkdir -p "$home" || return 1
  (
    # Files that run in parallel wait for the first of them.
    flock 9
    cmp -s "$tests/prisma/package.json" "$home/installed.json" && exit 0
    # An attempt that failed is not repeated by every test that follows.
    if [[ -n $(find "$home/failed" -mmin -10 2>/dev/null) ]]; then
      cat "$home/failed" >&2
      exit 1
    fi
    cp "$tests/prisma/package.json" "$home/package.json"
    if HOME=${MIG_TEST_HOME:-$HOME} npm --prefix "$home" install --ignore-scripts --no-audit --no-fund --no-update-notifier \
      --fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000 --fetch-timeout=60000 >"$home/install.log" 2>&1; then
      # Prisma looks for native engines and would download them. These are never run: an adapter takes their place.
      : >"$home/none.so.node"
      # The classes of the command line, used without it, look for the engine here.
      ln -sfn ../../prisma/build "$home/node_modules/@prisma/internals/build"
      cp "$home/package.json" "$home/installed.json"
    else
      echo "Prisma is not here: npm could not install it (see $home/install.log)" | tee "$home/failed" >&2
      exit 1
    fi
  ) 9>"$home/lock" 3>&-
}

prisma_available() {
  local why
  if why=$(prisma_install 2>&1); then
    prisma_home >/dev/null && MIG_TEST_PRISMA=$(prisma_home)
    export MIG_TEST_PRISMA
  elif [[ ${MIG_TEST_REQUIRE-} == *prisma* ]]; then
    fail "${why:-Prisma is not here}"
  else
    skip "${why:-Prisma is not here}"
  fi
}

prisma_project() {
  local tests
  tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  cat >"$PROJECT/prisma/schema.prisma" <<-'PRISMA'
	datasource db {
	  provider = "postgresql"
	  url      = env("DATABASE_URL")
	}
	PRISMA
  cat >"$PROJECT/prisma.config.mjs" <<-CONFIG
	import whole from '$tests/prisma/whole.mjs'

	export default {
	  experimental: { adapter: true },
	  engine: 'js',
	  schema: '$PROJECT/prisma/schema.prisma',
	  migrations: { path: '$FOLDER' },
	  adapter: async () => whole(process.env.DATABASE_URL),
	}
	CONFIG
}

prisma_environment() {
  env HOME="$MIG_TEST_PRISMA" PRISMA_QUERY_ENGINE_LIBRARY="$MIG_TEST_PRISMA/none.so.node" PRISMA_SCHEMA_ENGINE_BINARY=/bin/true \
    PRISMA_HIDE_UPDATE_MESSAGE=1 CHECKPOINT_DISABLE=1 NO_COLOR=1 "$@"
}

prisma() (
  cd "$PROJECT" || exit 1
  prisma_environment node "$MIG_TEST_PRISMA/node_modules/prisma/build/index.js" migrate "$@" 3>&-
)
