#!/usr/bin/env bats
# The files of examples/ for those who run mig unattended: cron, systemd, Prometheus, Icinga, Kubernetes.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words
load npm

setup_file() { server_start; }
teardown_file() { server_stop; }

setup() {
  EXAMPLES=$(readlink -f "$BATS_TEST_DIRNAME/../examples")
  database_new
  folder_new
}

# A shop that is well: a migration that is deployed, the schema that the code expects, and reference data.
shop() {
  migration 20260101000000_init 'CREATE TABLE "Plan" ("name" TEXT NOT NULL, CONSTRAINT "Plan_pkey" PRIMARY KEY ("name"));'
  printf '%s\n' 'datasource db {' '  provider = "postgresql"' '}' '' 'model Plan {' '  name String @id' '}' >prisma/schema.prisma
  mkdir prisma/seed place
  printf 'name\nfree\npro\n' >prisma/seed/Plan.csv
  mig deploy -q
  mig-seed -q prisma/seed
  (umask 077 && database_url tester >place/database-url) # without the password that no file may have
  unset DATABASE_URL
}

# The codes of mig(7) after which a deploy needs a human: all but done and something to do, and those that go away with time.
hopeless() {
  sed -n '/^\.Sh EXIT STATUS/,/^\.Pp/s/^\.It \([0-9]*\)$/\1/p' "$BATS_TEST_DIRNAME/../man/mig.7" | grep -vxE '0|2|69|75' | paste -sd "${1-,}"
}

## cron

# The places of the example are those of this test.
places() {
  sed -e "s,/srv/shop,$PROJECT,g; s,/etc/shop,$PROJECT/place,g; s,/var/lib/shop,$PROJECT/place,g" \
    -e "s,/var/lib/prometheus/node-exporter,$PROJECT/place,g; s,/usr/local/bin,$BUILD,g"
}

# Lines are the commands, and settings what cron exports to them.
crontab_read() {
  local line
  settings=() commands=()
  while read -r line; do
    case $line in
    '' | '#'*) ;;
    [A-Z]*=*) settings+=("$line") ;;
    *)
      [[ $line =~ ^([0-9*/,-]+\ +){5}(.*)$ ]] || fail "not a line of a crontab: $line" || return 1
      # cron makes line breaks of them
      [[ ${BASH_REMATCH[2]} != *%* ]] || fail "a percent sign: $line" || return 1
      commands+=("${BASH_REMATCH[2]}")
      ;;
    esac
  done < <(places <"$EXAMPLES/cron/crontab")
}

# What cron would mail.
mailed() {
  env -i HOME="$PROJECT" LOGNAME=deploy SHELL=/bin/sh PATH=/usr/bin:/bin "${settings[@]}" /bin/sh -c "$1" 2>&1
}

# mails N TEXT…: the line N, counted from 0, mails something with these texts.
mails() {
  local output
  output=$(mailed "${commands[$1]}") || true
  shift
  shows "$@"
}

@test "crontab: no line prints anything while all is well" {
  local command
  shop
  crontab_read
  assert_equal "${#commands[@]}" 5
  for command in "${commands[@]}"; do
    assert_equal "$(mailed "$command")" ''
  done
  grep -q '^mig_check_status{.*check="history"} 0$' place/shop.prom
  # node_exporter is another user
  [[ $(stat -c %a place/shop.prom) == *4 ]]
}

@test "crontab: what is wrong is mailed with its database or file, once by the line that looks at it" {
  shop
  crontab_read
  migration 20260102000000_more 'SELECT 1;'
  mails 0 "WARNING: $PGDATABASE at " history '1 pending' 20260102000000_more "$FOLDER"
  assert_equal "$(mailed "${commands[4]}")" ''
  grep -q '^mig_history_migrations{.*state="pending"} 1$' place/shop.prom
  rm -r "${FOLDER:?}/20260102000000_more"

  sql 'ALTER TABLE "Plan" ADD COLUMN "price" integer; UPDATE "Plan" SET "name" = $$gone$$ WHERE "name" = $$pro$$'
  mails 1 CRITICAL schema price "$PROJECT/prisma/schema.prisma"
  mails 2 WARNING seeds Plan.csv
  assert_equal "$(mailed "${commands[0]}")" ''
}

@test "crontab: a database, a folder or a string that is not there is mailed by each line that needs it" {
  local i
  shop
  crontab_read
  echo "postgresql://nobody@127.0.0.1:1/nowhere" >place/database-url
  for i in 0 1 2; do
    mails "$i" 127.0.0.1
  done
  rm place/database-url
  for i in 0 1 2; do
    mails "$i" place/database-url
  done
  mv prisma moved
  mails 0 'prisma/migrations'
  cd .. && mv "$PROJECT" "$PROJECT.moved"
  for i in 0 1 2 4; do
    mails "$i" "$PROJECT"
  done
}

@test "crontab: silence is mailed, whether the first check hangs or never ran" {
  shop
  crontab_read
  mails 3 'no check of' "$PROJECT"
  mailed "${commands[0]}"
  assert_equal "$(mailed "${commands[3]}")" ''
  touch -d '46 minutes ago' place/check.rec
  mails 3 "shop on $(uname -n)" 'no check of' "$PROJECT"
  # one that finds something wrong is not silent
  migration 20260102000000_more 'SELECT 1;'
  mails 0 WARNING
  assert_equal "$(mailed "${commands[3]}")" ''
}

## systemd

# The units of the instance `shop`, with the programs as built.
units() {
  local unit
  mkdir -p units
  for unit in "$EXAMPLES"/systemd/*; do
    sed -e "s,^ExecStart=mig ,ExecStart=$BUILD/mig ," -e '/^Documentation=/d' "$unit" >"units/${unit##*/}"
  done
}

# The command and the environment of a unit, as systemd makes them for an instance.
start() {
  local unit=$EXAMPLES/systemd/$1 command
  local -a environment
  mkdir -p credentials
  install -m 400 place/database-url credentials/database-url
  mapfile -t environment < <(sed -n "s,%d,$PROJECT/credentials,g; s/^Environment=//p" "$unit")
  command=$(sed -n 's/%i/shop/g; s/^ExecStart=//p' "$unit")
  shift
  run --separate-stderr env -i PATH="$BUILD:/usr/bin:/bin" "${environment[@]}" "$@" sh -c "exec $command" </dev/null
}

@test "units: systemd finds nothing wrong with them" {
  command -v systemd-analyze >/dev/null || skip "no systemd-analyze"
  units
  run systemd-analyze verify --man=no "./units/mig-check@.timer" "./units/mig-check@.service" "./units/mig-deploy@.service" "./units/mig-failed@.service"
  assert_success
  assert_output ''
  sed -i 's/^RestartSec=1min/RestartSec=soon/' units/mig-deploy@.service
  run systemd-analyze verify --man=no "./units/mig-deploy@.service"
  assert_output --partial 'mig-deploy@.service:26: Failed to parse'
}

@test "units: they are shut off from the system as far as a program with a network connection can be" {
  local unit
  command -v systemd-analyze >/dev/null || skip "no systemd-analyze"
  systemd-analyze security --help | grep -q -e --offline || skip "systemd is older than 250"
  units
  for unit in check deploy; do
    cp "units/mig-$unit@.service" "units/mig-$unit@shop.service"
    run systemd-analyze security --offline=yes --threshold=15 --no-pager "./units/mig-$unit@shop.service"
    assert_success
  done
  sed -i '/^Dynamic/d; /^Protect/d; /^Capability/d' units/mig-deploy@shop.service
  run systemd-analyze security --offline=yes --threshold=15 --no-pager ./units/mig-deploy@shop.service
  assert_failure
}

@test "units: the filter lets every system call pass that a deploy and a check make" {
  [[ $BUILD != */sanitize* ]] || skip "sanitizers do not work under strace"
  local unit
  command -v systemd-analyze >/dev/null || skip "no systemd-analyze"
  command -v strace >/dev/null || skip "no strace"
  shop
  migration 20260102000000_more 'CREATE INDEX CONCURRENTLY "i" ON "Plan" ("name");'
  # the calls of a set, and of the sets in it
  members() {
    local word
    for word in $(systemd-analyze syscall-filter --no-pager "$1" | sed -nE 's/^ +([@a-z0-9_-]+)$/\1/p'); do
      if [[ $word == @* ]]; then members "$word"; else echo "$word"; fi
    done
  }
  comm -23 <(members @system-service | sort -u) <(members @privileged | sort -u) >allowed
  (($(wc -l <allowed) > 200))
  for unit in deploy check; do
    grep -qx 'SystemCallFilter=@system-service' "$EXAMPLES/systemd/mig-$unit@.service"
    start "mig-$unit@.service" strace -f -qq -o trace
    assert_code 0
    sed -nE 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' trace | sort -u >made
    grep -qx connect made
    assert_equal "$(comm -23 made allowed)" ''
  done
}

@test "units: the deploy and the check do what they are for, with the string as a credential" {
  shop
  migration 20260102000000_more 'CREATE TABLE more ();'
  start mig-check@.service
  assert_code 1
  shows '1 pending' 20260102000000_more
  start mig-deploy@.service
  assert_code 0
  assert_equal "$(applied | tail -n 1)" 20260102000000_more
  start mig-check@.service
  assert_code 0
  assert_equal "$output$stderr" ''
}

@test "units: the deploy is started again after busy and unreachable, and after nothing else that mig can exit with" {
  assert_equal "$(sed -n 's/^RestartPreventExitStatus=//p' "$EXAMPLES/systemd/mig-deploy@.service")" "$(hopeless ' ')"
}

## Prometheus and Icinga

@test "alert rules: each one fires when it should, by the series that mig-check writes" {
  local name
  shop
  mig-scan -d file:place/database-url | mig-check --format=prometheus history database -d file:place/database-url >metrics
  while read -r name; do
    grep -q "^$name{" metrics || fail "nobody writes $name"
  done < <(grep -oE 'mig_[a-z_]+' "$EXAMPLES/prometheus/mig.rules.yml" | sort -u)
  grep -q '^mig_history_migrations{.*state="pending"' metrics
  command -v promtool >/dev/null || skip "no promtool (of prometheus)"
  run promtool check rules "$EXAMPLES/prometheus/mig.rules.yml"
  assert_success
  sed "s,RULES,$EXAMPLES/prometheus/mig.rules.yml," "$BATS_TEST_DIRNAME/operations/alerts.yml" >alerts.yml
  run promtool test rules alerts.yml
  assert_success
}

@test "Icinga: its own check accepts the commands, which are the ones that run here" {
  local conf=$EXAMPLES/icinga/mig.conf dir=$BATS_TEST_TMPDIR/icinga command
  shop
  # as Icinga makes it of `mig-history`: $$ is a dollar
  command=$(sed -n 's/^  command = \[ "\/bin\/sh", "-c", "\(.*\)", "mig" \]$/\1/p' "$conf" | sed 's/\\"/"/g; s/\$\$/$/g')
  run --separate-stderr sh -c "$command" mig "$PROJECT" file:place/database-url
  assert_success
  assert_output --regexp '^MIG OK - .*history.* \| '
  run --separate-stderr sh -c "$command" mig "$PROJECT" file:place/nowhere
  assert_failure
  assert_output --regexp '^MIG UNKNOWN - '
  command -v icinga2 >/dev/null || skip "no icinga2"
  mkdir -p "$dir"/{data,cache,log,run,spool}
  printf '%s\n' 'const NodeName = "here"' 'include <itl>' 'object Host "shop" { check_command = "dummy" }' "include \"$conf\"" >"$dir/icinga2.conf"
  run icinga2 daemon -C -c "$dir/icinga2.conf" -D DataDir="$dir/data" -D CacheDir="$dir/cache" -D LogDir="$dir/log" \
    -D InitRunDir="$dir/run" -D SpoolDir="$dir/spool" -D RunAsUser="$(id -un)" -D RunAsGroup="$(id -gn)"
  assert_success
  assert_line --partial 'Instantiated 2 Services'
}

## Kubernetes

@test "manifests: Kubernetes' schemas have each of their fields, and only these values" {
  local why home=${XDG_CACHE_HOME:-$MIG_TEST_HOME/.cache}/mig-tests/kubernetes-models-4.5.1 slip
  why=$(npm_packages "The schemas of Kubernetes" "$BATS_TEST_DIRNAME/kubernetes/package.json" "$home" 2>&1) || skip "$why"
  validate() { (cd "$home" && node "$BATS_TEST_DIRNAME/kubernetes/validate.js" "$@"); }
  run validate "$EXAMPLES"/kubernetes/*.yaml "$EXAMPLES"/kubernetes/fleet/*.yaml
  assert_success
  assert_output ''
  for slip in s/backoffLimit/backofLimit/ s/operator/operater/ s/readOnlyRoot/readonlyRoot/ 's/runAsUser: 65532/runAsUser: mig/'; do
    sed "$slip" "$EXAMPLES/kubernetes/job.yaml" >slip.yaml
    run validate "$PWD/slip.yaml"
    assert_failure 1
  done
}

@test "manifests: containers of mig run as nobody in particular, on a file system that cannot be written, with the secret as a file" {
  local file
  for file in job deployment; do
    file=$EXAMPLES/kubernetes/$file.yaml
    for line in 'runAsNonRoot: true' 'allowPrivilegeEscalation: false' 'readOnlyRootFilesystem: true' 'drop: \[ALL\]' 'type: RuntimeDefault' \
      'automountServiceAccountToken: false' 'value: /run/secrets/shop/database-url' 'mountPath: /run/secrets/shop' 'readOnly: true'; do
      grep -qE "^ +(- )?$line$" "$file" || fail "$file: $line"
    done
  done
}

@test "Job: it is given up after what needs a human, and tried again after the rest" {
  local file=$EXAMPLES/kubernetes/job.yaml
  assert_equal "$(sed -n 's/^ *values: \[\(.*\)\]$/\1/p' "$file" | tr -d ' ')" "$(hopeless)"
  grep -qx '      - action: FailJob' "$file"
  grep -qx '  backoffLimit: 5' "$file"
  # exit codes decide only where the pod is not started again in place
  grep -qx '      restartPolicy: Never' "$file"
}

@test "Indexed Job: a database that needs a human is given up by itself, and tried again after the rest" {
  local file=$EXAMPLES/kubernetes/fleet/job.yaml line
  assert_equal "$(sed -n 's/^ *values: \[\(.*\)\]$/\1/p' "$file" | tr -d ' ')" "$(hopeless)"
  for line in '      - action: FailIndex' '  completionMode: Indexed' '      restartPolicy: Never' '  backoffLimitPerIndex: 5' 'immutable: true' \
    "  completions: $(grep -c '	file:/run/secrets/' "$file")"; do
    grep -qx -- "$line" "$file" || fail "$line"
  done
  for line in 'runAsNonRoot: true' 'allowPrivilegeEscalation: false' 'readOnlyRootFilesystem: true' 'drop: \[ALL\]' 'automountServiceAccountToken: false'; do
    grep -qE "^ +(- )?$line$" "$file" || fail "$line"
  done
  # the list of the example is one that mig-fleet takes
  sed -n 's/^    \(.*\tpg1\t.*\)$/\1/p' "$file" >targets
  run mig-check "fleet=$PWD/targets"
  assert_success
}

@test "Indexed Job: what its container runs, for its index; what a pod before it has begun goes on as approved" {
  local one=$EXAMPLES/kubernetes/fleet/deploy-one
  migration 1_one 'CREATE TABLE one ();'
  migration 2_two 'CREATE TABLE two ();'
  mig-scan --offline -o folder.rec >/dev/null
  printf 'other\tpg1\t1\tservice=none\nours\tpg1\t1\tfile:%s/url\n' "$PWD" >targets
  (umask 077 && database_url tester >url)
  export RUN=$PWD/run FLEET=$PWD TARGETS=$PWD/targets JOB_COMPLETION_INDEX=1
  EXPECT_STEPS=0123456789abcdef run --separate-stderr sh "$one"
  assert_code 65
  assert_equal "$(applied)" ''
  EXPECT_STEPS=$(mig-scan --offline | mig-plan --from-empty | jq -r 'select(.record == "plan").steps_digest')
  export EXPECT_STEPS
  # a pod that ended in the midst: its plan is there, and one of two steps is applied
  mkdir -p run/plan
  mig-scan -d file:url | mig-plan -q -o run/plan/ours.rec >/dev/null
  mig-scan -d file:url | mig-plan --to 1_one | mig-apply -q -d file:url >/dev/null
  run --separate-stderr sh "$one"
  assert_code 0
  assert_equal "$(applied)" $'1_one\n2_two'
  run mig-check "fleet=$RUN"
  assert_output --partial '1 of 1 database done'
}

# in_pod COMMAND…: as the manifests have it: another user, a secret that is mounted read-only, and nothing of the environment.
in_pod() {
  run --separate-stderr unshare -m bash -c '
    url=$1 build=$2 folder=$3
    shift 3
    mount -t tmpfs -o mode=755 none /mnt
    mkdir -p /mnt/app/prisma /mnt/bin /mnt/shop
    cp "$build/mig" /mnt/bin
    cp -r "$folder" /mnt/app/prisma/
    chmod -R go+rX /mnt/app
    printf "%s\n" "$url" >/mnt/shop/database-url
    chown 0:65532 /mnt/shop/database-url
    chmod 440 /mnt/shop/database-url
    mount -o remount,ro /mnt
    cd /mnt/app
    exec env -i DATABASE_URL_FILE=/mnt/shop/database-url PATH=/mnt/bin:/usr/bin:/bin \
      setpriv --reuid 65532 --regid 65532 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"' - \
    "$DATABASE_URL" "$BUILD" "$FOLDER" "$@"
}

@test "Job and Deployment: what their containers run, as their user and with their secret" {
  local -a deploy wait
  ((EUID == 0)) || skip "only root can become another user"
  unshare -m true 2>/dev/null || skip "no mount namespaces"
  migration 20260101000000_init 'CREATE TABLE a (id int);'
  args() { sed -n 's/^ *args: \[\(.*\)\]$/\1/p' "$EXAMPLES/kubernetes/$1.yaml" | sed "s,/prisma,/mnt/app/prisma,; s/--wait=10min/--wait=$2/"; }
  IFS=', ' read -r -a deploy < <(args job 1min)
  IFS=', ' read -r -a wait < <(args deployment 0)
  in_pod mig "${wait[@]}"
  assert_code 1
  shows '1 pending'
  in_pod mig "${deploy[@]}"
  assert_code 0
  assert_equal "$(applied)" 20260101000000_init
  in_pod mig "${wait[@]}"
  assert_code 0
}
