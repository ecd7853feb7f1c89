"""The driver of tests/torture/run: see there."""
import os
import random
import re
import shlex
import subprocess
import sys
import time

BUILD, WORK = os.environ["BUILD"], os.environ["WORK"]
EVERY = int(os.environ.get("EVERY", "1"))          # each N-th call
FAR = int(os.environ.get("FAR", "20"))             # of the many in other libraries: each N-th of those
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
VERBOSE = os.environ.get("VERBOSE")
SHIM = BUILD + "/tests/torture.so"
# The sanitizer's own allocator has to come first, and so none of its allocations fail.
ASAN = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True).stdout.strip() if os.environ.get("SANITIZED") else ""
KINDS = os.environ.get("KINDS", "near libc map pq curl far on").split()
LIMIT = 60
MARK, COUNT = WORK + "/mark", WORK + "/count"

SCRIPTS = {
    "1_tables": "CREATE TABLE a (id int PRIMARY KEY, t text); INSERT INTO a VALUES (1, 'x'); ALTER TABLE a ADD COLUMN b int;",
    "2_indexes": "CREATE INDEX CONCURRENTLY i ON a (t);\nCREATE INDEX CONCURRENTLY j ON a (b);",
    "3_own": "BEGIN;\nCREATE TABLE c (id int);\nCOMMIT;\nINSERT INTO c VALUES (1);",
    "4_last": "CREATE TABLE d (id int);",
}
STATE = """
SELECT string_agg(x, E'\\n') FROM (
  SELECT 'column ' || attrelid::regclass || ' ' || attname || ' ' || atttypid::regtype AS x FROM pg_attribute
    JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND relname <> '_prisma_migrations'
  UNION ALL SELECT 'index ' || indexrelid::regclass || ' ' || indisvalid FROM pg_index JOIN pg_class c ON c.oid = indexrelid
    WHERE relnamespace = 'public'::regnamespace
  UNION ALL SELECT 'data ' || coalesce((SELECT string_agg(s.v, ',' ORDER BY s.v) FROM (%s) s), '') ORDER BY 1) y;
"""
HISTORY = """SELECT string_agg(migration_name || ' ' || (finished_at IS NOT NULL)::text || ' ' || applied_steps_count, ',' ORDER BY migration_name)
  FROM _prisma_migrations WHERE rolled_back_at IS NULL;"""
FRESH = "SET client_min_messages = warning; DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public;"


class Psql:
    """One session for all that is asked and reset."""

    def __init__(self):
        self.p = subprocess.Popen(["psql", "-XAtq", os.environ["DATABASE_URL"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)

    def __call__(self, sql):
        self.p.stdin.write(sql + "\n;\n\\echo ---done---\n")
        self.p.stdin.flush()
        lines = []
        while (line := self.p.stdout.readline().rstrip("\n")) != "---done---":
            if line == "" and self.p.poll() is not None:
                sys.exit("psql has ended: " + "\n".join(lines))
            lines.append(line)
        return "\n".join(lines)


def path(name):
    return os.path.join(WORK, name)


def read(name):
    try:
        with open(path(name), encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def sh(command, folder="project", **environment):
    """A command for the shell, in the project; code, stdout, stderr."""
    p = subprocess.run(["bash", "-c", "set -o pipefail; " + command], cwd=path(folder), env={**os.environ, **environment},
                       stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT)
    return p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")


def must(command, folder="project"):
    code, out, err = sh(command, folder)
    if code != 0:
        sys.exit(f"torture: {command}: {code}\n{out}{err}")
    return out


def settled(text):
    """Output without what differs from run to run."""
    text = re.sub(r'"(digest|started_at|finished_at|rolled_back_at|id|scanned_at|planned_at|at|now|clock)":"[^"]*"', r'"\1":"-"', text)
    text = re.sub(r'"([a-z_]*_ms|[a-z_]*_s|ms|pid|backend_pid|lsn|xid|scan_lsn)":("[^"]*"|[0-9.]+)', r'"\1":0', text)
    text = re.sub(r"\d+(\.\d+)? m?s\b", "0 s", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.0-9]*(Z|\+00)?", "-", text)
    text = re.sub(r"[0-9A-F]+/[0-9A-F]{3,}", "-", text)
    return text


class Case:
    """A run, what it needs, and how its end is judged."""

    def __init__(self, name, command, program=None, again=None, reset="", codes=(1,), state_data=None, folder="project"):
        self.name, self.command, self.program = name, command, program or command.split()[0]
        self.again, self.reset, self.codes, self.state_data, self.folder = again, reset, codes, state_data, folder
        self.wanted = None

    def begin(self):
        if self.reset:
            psql(self.reset)
        for file in ("mark", "count", "out.file", "project/a.csv"):
            try:
                os.unlink(path(file))
            except OSError:
                pass

    def state(self):
        return psql(STATE % self.state_data) + "\n" + (psql(HISTORY) if "deploy" in self.again or "apply" in self.again else "")

    def run(self, **environment):
        try:
            # only the tool under torture is preloaded
            env = {"TORTURE_PROGRAM": self.program, "TORTURE_COUNT": COUNT, **environment}
            words = " ".join(f"{k}={shlex.quote(str(v))}" for k, v in env.items())
            if os.environ.get("SANITIZED"):
                words += " ASAN_OPTIONS=detect_leaks=1:exitcode=99"
            return sh(f"env {words} LD_PRELOAD='{ASAN} {SHIM}' {self.command}", self.folder)
        except subprocess.TimeoutExpired:
            return "hangs", "", ""

    def counts(self):
        self.begin()
        code, out, err = self.run()
        if code != 0:
            sys.exit(f"torture: {self.name}: undisturbed: {code}\n{out}{err}")
        self.wanted = settled(out) + settled(read("out.file"))
        if self.again:
            self.good = self.state()
        found = {}
        for line in read("count").splitlines():
            kind, n = line.split()
            found[kind] = max(found.get(kind, 0), int(n))
        return found

    def fault(self, code, out, err, what):
        """What is wrong with this end, or None."""
        # gss_acquire_cred(), which libpq calls over TCP, uses what it did not get: nothing that its callers could prevent
        if "libgssapi_krb5" in what and code in (-11, 139):
            finished = not self.again or (sh(self.again, self.folder)[0] == 0 and self.state() == self.good)
            return None if finished else "it crashed, and the same again does not finish it"
        if code == "hangs":
            return "it hangs"
        if code < 0 or code > 128:
            return f"it crashed: {code}"
        if re.search(r"Sanitizer|runtime error|double free|corrupted", err):
            return "a sanitizer, or the allocator, has something to say"
        if re.search(r"\bbug: ", err):
            return "it takes this for a bug"
        left = [f for f in os.listdir(path(self.folder)) if f not in ("prisma", "seeds", "plan.rec", "scan.rec", "results.rec") and not (f == "a.csv" and "--export" in self.command)]
        if left:
            for f in left:
                os.unlink(os.path.join(path(self.folder), f))
            return f"it left {' '.join(left)}"
        if code != 0:
            if code not in self.codes:
                return f"its exit code is {code}"
            if not err.strip() and not out.strip():
                return "it says nothing"
        elif not self.again and "not seen" not in out and settled(out) + settled(read("out.file")) != self.wanted:
            return "it exits with 0, and its output is another one"
        if self.again:
            if code == 0 and self.state() != self.good:
                return "it exits with 0, and is not done"
            code, out, err = sh(self.again, self.folder)
            if code != 0:
                return f"the same again ends with {code}:\n{out}{err}"
            if (is_now := self.state()) != self.good:
                return f"the same again does not finish it:\n{is_now}\nwanted:\n{self.good}"
        return None


def cases():
    deploy = "mig-scan | mig-plan | mig-apply"
    history_data = "SELECT id || t || coalesce(b::text, '') AS v FROM a"
    yield Case("mig-scan", "mig-scan", codes=(1, 69))
    yield Case("mig-scan -o", "mig-scan -o ../out.file", codes=(1, 69))
    yield Case("mig-scan --catalog", "mig-scan --catalog", codes=(1, 69))
    yield Case("mig-plan", "mig-plan <scan.rec")
    yield Case("mig-plan --format=text", "mig-plan --format=text <scan.rec")
    yield Case("mig-apply", "mig-apply <plan.rec", again=deploy, reset=FRESH, codes=(1, 69), state_data=history_data)
    yield Case("mig-apply ahead", "mig-apply <plan.rec", again=deploy, reset=FRESH, codes=(1, 69), folder="small",
               state_data="SELECT string_agg(v, ',' ORDER BY v) AS v FROM (SELECT id::text AS v FROM s3 UNION ALL SELECT id::text FROM s7) x")
    yield Case("mig-apply --dry-run", "mig-apply --dry-run <plan.rec", reset=FRESH, codes=(1, 69))
    yield Case("mig deploy", "mig deploy", program="mig", again=deploy, reset=FRESH, codes=(1, 65, 69), state_data=history_data)
    seeded = FRESH + SCRIPTS["1_tables"]
    yield Case("mig-seed", "mig-seed seeds", again="mig-seed seeds", reset=seeded, codes=(1, 69), state_data=history_data)
    yield Case("mig-seed --export", "mig-seed --export a -o ../out.file", reset=seeded, codes=(1, 69))
    yield Case("mig-check deploy", "mig-check deploy <results.rec", codes=(3,))
    yield Case("mig-check history", "mig-check history <scan.rec", codes=(2, 3))
    yield Case("mig-check database", "mig-check database", codes=(2, 3))
    http, tls = (f"http://127.0.0.1:{os.environ['HTTP']}", f"https://127.0.0.1:{os.environ['HTTPS']}")
    yield Case("mig-check health", f"mig-check health={http}/ok", codes=(2, 3))
    yield Case("mig-check health json", f"mig-check health={http}/json health.json=.db.status=up health.method=POST health.header='X-One: 1' "
               "health.bearer=env:TOKEN", codes=(2, 3))
    yield Case("mig-check health redirect", f"mig-check health={http}/away", codes=(2, 3))
    yield Case("mig-check health https", f"mig-check health={tls}/ok health.ca={WORK}/cert.pem", codes=(2, 3))


def make_folder(folder, scripts):
    migrations = path(folder + "/prisma/migrations/")
    os.makedirs(migrations)
    with open(migrations + "migration_lock.toml", "w") as f:
        f.write('provider = "postgresql"\n')
    for name, script in scripts.items():
        os.makedirs(migrations + name)
        with open(f"{migrations}{name}/migration.sql", "w") as f:
            f.write(script)


def prepare():
    make_folder("project", SCRIPTS)
    make_folder("small", {f"{i}_s": f"CREATE TABLE s{i} (id int);\nINSERT INTO s{i} VALUES (1);\nINSERT INTO s{i} VALUES (2);"
                          for i in range(1, 9)})
    os.makedirs(path("project/seeds"))
    with open(path("project/seeds/a.csv"), "w") as f:
        f.write("id,t,b\n1,one,1\n5,five,5\n6,six,\n")
    psql(FRESH)
    must("mig-scan | mig-plan >plan.rec", "small")
    must("mig-scan >scan.rec && mig-plan <scan.rec >plan.rec && mig-apply -q <plan.rec >results.rec && mig-scan >scan.rec")


def torture(case):
    counts = case.counts()
    bad = 0
    for kind in KINDS:
        # 'on': from there on nothing is to be had any more
        calls = counts.get("memory" if kind == "on" else kind, 0)
        step = EVERY * (FAR if kind in ("far", "on") else 1)
        ends = {}
        done = 0
        for n in range(1 + rng.randrange(min(step, calls)) if calls else 1, calls + 1, step):
            if ONLY and (kind, n) != ONLY:
                continue
            environment = {"TORTURE_KIND": "memory" if kind == "on" else kind, "TORTURE_N": n, "TORTURE_MARK": MARK}
            if kind == "on":
                environment["TORTURE_ON"] = 1
            case.begin()
            code, out, err = case.run(**environment)
            what = read("mark").strip()
            if not what:
                continue  # the run was shorter this time
            done += 1
            ends[code] = ends.get(code, 0) + 1
            why = case.fault(code, out, err, what)
            if why is None and kind in ("near", "map") and code != 0 and "memory" not in out + err:
                why = "nothing is said of memory"
            if VERBOSE or why:
                first = (err.strip() or out.strip()).splitlines()
                print(f"  {case.name}: {kind} {n}: {what}: {code}: {first[0] if first else ''}")
            if why:
                bad += 1
                print(f"wrong: {case.name}, {kind} {n}, {what}: {why}\n  " + "\n  ".join((err + out[:400]).splitlines()[:12]), flush=True)
        total[kind] = total.get(kind, 0) + done
        text = ", ".join(f"{k}: {v}" for k, v in sorted(ends.items(), key=str))
        if done:
            print(f"{case.name}: {kind}: {done} of {calls} calls failed; ended with {text}", flush=True)
    return bad


psql = Psql()
rng = random.Random(SEED)
total = {}
ONLY = None
if len(sys.argv) > 2:
    ONLY = (sys.argv[2], int(sys.argv[3]))
wanted = os.environ.get("TOOLS", "").split(",") if os.environ.get("TOOLS") else None
began = time.time()
prepare()
wrong = sum(torture(c) for c in cases() if (wanted is None or c.name in wanted) and (len(sys.argv) < 2 or sys.argv[1] == c.name))
print(f"torture: seed {SEED}: {sum(total.values())} calls failed ({', '.join(f'{k} {v}' for k, v in total.items())}), "
      f"{wrong} wrong, {time.time() - began:.0f} s")
sys.exit(1 if wrong or not sum(total.values()) else 0)
