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

# shellcheck source=tests/npm.bash
source "$(dirname "${BASH_SOURCE[0]}")/npm.bash"

# Where it lies: outside the tree, one folder a set of versions.
prisma_home() {
  echo "${MIG_TEST_PRISMA:-${XDG_CACHE_HOME:-${MIG_TEST_HOME:-$HOME}/.cache}/mig-tests/prisma-6.19.3}"
}

prisma_install() {
  local home tests
  tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  home=$(prisma_home)
  export MIG_TEST_PRISMA=$home
  npm_packages Prisma "$tests/prisma/package.json" "$home" prisma_complete
}

# in its folder, once npm has installed it
prisma_complete() {
  # Prisma looks for native engines and would download them. These are never run: an adapter takes their place.
  : >none.so.node
  # The classes of the command line, used without it, look for the engine here.
  ln -sfn ../../prisma/build node_modules/@prisma/internals/build
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

# prisma_client: the client of $PROJECT/prisma/schema.prisma, in $PROJECT/client. The schema's generator must say
# provider = "prisma-client-js", engineType = "client", output = "../client".
prisma_client() {
  ln -sfn "$MIG_TEST_PRISMA/node_modules" "$PROJECT/node_modules"
  (cd "$PROJECT" && prisma_environment node node_modules/prisma/build/index.js generate --schema prisma/schema.prisma >/dev/null 3>&-)
}

# prisma_script FILE.mjs…: runs it in $PROJECT with `prisma`, a client of $DATABASE_URL, and `adapter` as globals
prisma_script() (
  cd "$PROJECT" || exit 1
  prisma_environment node "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/prisma/script.mjs" "$PWD" "$@" 3>&-
)
