# shellcheck shell=bash disable=SC2031,SC2154
# What revert-matrix and revert-kills have in common: copies of a database, what is in it, rows and clients, and kills.

# shellcheck source=tests/server.bash
source "$here/../server.bash"
unset "${!PG@}" DATABASE_URL MIG_DATABASE
export LANG=C.UTF-8 CLIENT_ROLE=postgres
# shellcheck disable=SC2031
PATH=$build:$(server_programs):$PATH

bad=0 where=
wrong() {
  echo "$where: WRONG: $*"
  bad=$((bad + 1))
}

# clone TEMPLATE: a copy of it, to be worked on; again TEMPLATE: that one anew
clone() {
  database_new
  again "$1"
  DATABASE_URL=$(database_url postgres)
}
again() {
  PGDATABASE=postgres sql_admin >/dev/null <<<"DROP DATABASE \"$PGDATABASE\" WITH (FORCE); CREATE DATABASE \"$PGDATABASE\" TEMPLATE \"$1\""
}

# The schema, by its catalog, in which neither the order of columns nor the history is told; and the values of its tables.
schema() { client psql -XAtq -v ON_ERROR_STOP=1 -f "$here/catalog-text.sql"; }
values() { client psql -XAtq -v ON_ERROR_STOP=1 -f "$here/rows-text.sql"; }
everything() { client psql -XAtq -v ON_ERROR_STOP=1 -f "$here/catalog-text.sql" -f "$here/rows-text.sql"; }

scan() { mig-scan -q --rehearse --scratch env:SCRATCH_URL --same-server "$FOLDER" 2>>"$work/err"; }
plan_to() { # plan_to NAME [RULES]: the plan down to it
  scan >"$work/scan.rec"
  mig-plan -q --down-to "$1" --allow="${2:-loses}" -o "$work/plan.rec" "$work/scan.rec" >/dev/null 2>"$work/refusal"
}

# fill FROM TO [TABLE…]: rows with these numbers in every table but these, with values that are the same everywhere, so that keys to other
# tables hold; what a rule forbids is left out.
fill() {
  local from=$1 to=$2
  shift 2
  sql_admin <<SQL
DO \$\$ DECLARE t record; i int; pass int;
BEGIN
  FOR pass IN 1 .. 4 LOOP
    FOR t IN SELECT c.oid::regclass AS name, string_agg(quote_ident(a.attname), ', ') AS columns, string_agg(CASE
        WHEN y.typtype = 'e' THEN (SELECT quote_literal(enumlabel) FROM pg_enum WHERE enumtypid = y.oid ORDER BY enumsortorder LIMIT 1)
        WHEN y.typcategory = 'A' THEN '''{}''' WHEN y.typname = 'uuid' THEN '''00000000-0000-0000-0000-00000000000~''' WHEN y.typname IN ('json', 'jsonb') THEN '''{"n": ~}'''
        WHEN y.typcategory = 'S' THEN '''x~''' WHEN y.typcategory = 'N' THEN '~' WHEN y.typcategory = 'D' THEN '''2026-01-0~'''
        WHEN y.typcategory = 'B' THEN 'true' ELSE '''''' END, ', ') AS vals
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = '' JOIN pg_type y ON y.oid = a.atttypid
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> '_prisma_migrations' AND c.relname <> ALL (string_to_array('$*', ' ')) GROUP BY c.oid
    LOOP
      FOR i IN $from .. $to LOOP
        BEGIN
          EXECUTE format('INSERT INTO %s (%s) VALUES (%s) ON CONFLICT DO NOTHING', t.name, t.columns, replace(t.vals, '~', i::text));
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
      END LOOP;
    END LOOP;
  END LOOP;
END \$\$;
SQL
}

# killed_everywhere TEMPLATE STRIDE RIGHT: the connection is cut behind each STRIDEth message of the plan, mig-apply killed at once, and a plain
# run follows; RIGHT is what there is in the end.  Sets kills.
killed_everywhere() {
  local template=$1 stride=$2 right=$3 m direct=$DATABASE_URL fd proxy job port listens code fired
  kills=0 m=$((RANDOM % stride))
  while :; do
    again "$template"
    exec {fd}< <(exec "$build/tests/tool_proxy" --cut-after-messages "$m" --refuse "$MIG_TEST_SERVER/.s.PGSQL.$(server_port)")
    proxy=$!
    read -r port <&"$fd"
    exec {fd}<&-
    DATABASE_URL="postgresql://postgres@127.0.0.1:$port/$PGDATABASE?sslmode=disable&connect_timeout=2" mig-apply -q --wait 20s "$work/plan.rec" >/dev/null 2>"$work/err" &
    job=$!
    # the proxy listens no more once it has cut
    printf -v listens ':%04X 00000000:0000 0A' "$port"
    while kill -0 "$job" 2>/dev/null && grep -qF "$listens" /proc/net/tcp; do sleep 0.01; done
    kill -KILL "$job" 2>/dev/null || true
    wait "$job" 2>/dev/null || true
    kill "$proxy"
    fired=true
    wait "$proxy" || fired=false
    code=0
    DATABASE_URL=$direct mig-apply -q --wait 60s "$work/plan.rec" >/dev/null 2>"$work/err" || code=$?
    ((code == 0)) || wrong "killed behind message $m: the next run ended with $code: $(head -n 3 "$work/err")"
    everything | cmp -s - "$right" || wrong "killed behind message $m: $(diff <(everything) "$right" | head -n 5)"
    [[ $(sql_admin <<<'SELECT count(*) FROM _prisma_migrations WHERE finished_at IS NULL') == 0 ]] || wrong "killed behind message $m: a row is not finished"
    $fired || break
    kills=$((kills + 1)) m=$((m + stride))
  done
}
