"""The runs of tests/fuzz/faults, which says what they are: faults.py COUNT SEED [FAULT], with servers in SERVERS."""
import json
import multiprocessing
import os
import random
import re
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict

import proxy
from faults_cases import CASES
from faults_kinds import Fault, nothing

BUILD, WORK, TESTS = os.environ["BUILD"], os.environ["WORK"], os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ONLY = os.environ.get("CASES", "").split()
STATIC = os.environ.get("STATIC", "")
LIMIT = 150  # seconds: a run has to end by itself
TOOLS = ("mig-scan", "mig-plan", "mig-apply", "mig-seed")
FULL_KB = 64

HISTORY = """SELECT migration_name, checksum, finished_at IS NOT NULL, rolled_back_at IS NOT NULL, applied_steps_count, logs
  FROM _prisma_migrations ORDER BY started_at, migration_name"""
# what a catalog's records do not say: rows, what is half done, and what waits for an answer
REST = """SELECT c.oid::regclass::text, query_to_xml(format('SELECT t::text AS t FROM %s t ORDER BY 1', c.oid::regclass), false, true, '')::text
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind = 'r' AND nspname !~ '^pg_|^information_schema$' AND relname <> '_prisma_migrations'
  UNION ALL SELECT 'index', concat_ws(' ', indexrelid::regclass, indisvalid, indisready, indislive) FROM pg_index JOIN pg_class ON oid = indrelid WHERE relkind <> 't' AND indrelid > 16383
  UNION ALL SELECT 'detached', concat_ws(' ', inhrelid::regclass, to_jsonb(i) -> 'inhdetachpending') FROM pg_inherits i
  UNION ALL SELECT 'prepared', gid FROM pg_prepared_xacts ORDER BY 1, 2"""


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def read(path):
    with open(path, errors="replace") as file:
        return file.read()


class Ran:
    """One run of the tools of a case: their exit codes, and what they said."""

    def __init__(self, codes, said, out, took):
        self.codes, self.said, self.out, self.took = codes, said, out, took

    @property
    def code(self):
        return self.codes[-1]

    def __str__(self):
        return f"exit {' '.join(map(str, self.codes))}\n{self.said}{self.out}"


class Worker:
    """A server, a database, a proxy before it, and what was seen of each case undisturbed."""

    def __init__(self, server):
        self.server = server
        self.socket = os.path.join(server, ".s.PGSQL." + read(os.path.join(server, "port")).strip())
        self.port = self.socket.rsplit(".", 1)[1]
        self.dir = os.path.join(WORK, os.path.basename(server))
        proxy.Session(self.socket, "postgres", "postgres").ask("CREATE DATABASE faults OWNER tester")
        self.admin, self.striker = (proxy.Session(self.socket, "postgres", "faults") for _ in "12")
        self.lock, self.ended, self.fault, self.processes, self.holders = threading.Lock(), threading.Event(), None, {}, {}
        self.count, self.timers = Counter(), []
        self.proxy = proxy.Proxy(self.socket, self.pass_on)
        self.direct = f"postgresql://tester@localhost:{self.port}/faults?host={server}"
        self.through = f"postgresql://tester@127.0.0.1:{self.proxy.port}/faults?sslmode=disable&gssencmode=disable&connect_timeout=5"
        self.known = {}
        self.clock = os.path.join(self.dir, "clock")
        write(self.clock, "\0" * 8)
        self.full = os.path.join(self.dir, "full")
        os.makedirs(self.full, exist_ok=True)
        if os.geteuid() == 0:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={FULL_KB}k", "tmpfs", self.full], check=True)
        if STATIC:
            os.makedirs(os.path.join(self.dir, "static"))
            for tool in TOOLS:
                os.symlink(STATIC, os.path.join(self.dir, "static", tool))

    # ---- the network, as the proxy's threads see it ----

    def pass_on(self, link, to_server, kind, whole):
        if getattr(link, "stalled", False):
            self.ended.wait(200)
            raise EOFError
        name = link.name.split(" ")[0]
        with self.lock:
            self.count[name] += 1
            if to_server and name != "mig-scan":
                self.count["COMMIT"] += b"COMMIT" in whole
                self.let_go(whole)
            due = self.fault is not None and self.fault.is_due(name, self.count[name], to_server, kind, whole)
            if due:
                self.fault.fired = True
                fault = self.fault
        if not due:
            return whole
        try:
            return fault.strike(self, link, to_server, whole)
        finally:
            fault.over.set()

    def hold(self, case):
        for text, lock in case.held.items():
            session = proxy.Session(self.socket, "postgres", "faults")
            session.ask("BEGIN")
            session.ask(f"LOCK TABLE {lock} MODE")
            self.holders[text.encode()] = session

    def let_go(self, whole):
        for text in [t for t in self.holders if t in whole]:
            self.later(0.05, self.holders.pop(text).close)

    def later(self, seconds, act):
        timer = threading.Timer(seconds, act)
        self.timers.append(timer)
        timer.start()

    def server_ctl(self, *words):
        subprocess.run(["bash", "-c", 'source "$0/server.bash"; server_ctl "$@"', TESTS, *words], env={**os.environ, "MIG_TEST_SERVER": self.server},
                       check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    def set_clock(self, seconds):
        with open(self.clock, "r+b") as file:
            file.write(struct.pack("q", seconds))

    # ---- a case ----

    def ask(self, text):
        for _ in range(200):  # it may be starting up, or our session is of the time before
            try:
                return self.admin.ask(text)
            except (OSError, EOFError):
                time.sleep(0.05)
            except RuntimeError as error:
                if "57P0" not in str(error):
                    raise
                self.admin.close()
                time.sleep(0.05)
        raise RuntimeError("the server does not come back")

    def empty(self, then):
        self.ask("""SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'faults' AND pid <> pg_backend_pid() AND backend_type = 'client backend'""")
        self.ask("""SET client_min_messages = error; DO $$ DECLARE s name; BEGIN FOR s IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$'
          LOOP EXECUTE format('DROP SCHEMA %I CASCADE', s); END LOOP; END $$; CREATE SCHEMA public AUTHORIZATION tester; SET ROLE tester; """ + then)
        self.ask("RESET ROLE; RESET ALL")

    def state(self, case):
        self.ask("")
        catalog = subprocess.run(["mig-scan", "--catalog", "-q"], env=self.environment(self.direct), cwd=self.dir, stdout=subprocess.PIPE, check=True).stdout
        lines = [line for line in catalog.decode().splitlines() if '"record":"end"' not in line]
        return "\n".join(lines + [json.dumps(row) for row in (self.ask(HISTORY) if case.action != "seed" else []) + self.ask(REST)])

    def names(self, case):
        """Of the migrations that it applies or takes back, in the order of its steps."""
        names = [f"2024010200{n:04}_more" for n in range(len(case.more))]
        return names[::-1] if case.action == "revert" else names

    def know(self, case):
        """Its folder, its start, and what an undisturbed run says and leaves."""
        if case.name in self.known:
            return self.known[case.name]
        folder = os.path.join(self.dir, case.name)
        for n, script in enumerate(case.base):
            write(f"{folder}/prisma/migrations/2024010100{n:04}_base/migration.sql", script)
        for name, text in case.files.items():
            write(f"{folder}/seed/{name}", text)
        self.empty(case.before)
        deploy = [["mig-scan"], ["mig-plan"], ["mig-apply"]]
        if case.base and case.action != "revert":
            self.must(self.run(case, deploy))
        for n, script in enumerate(case.more):
            up, *down = script if isinstance(script, tuple) else (script,)
            write(f"{folder}/prisma/migrations/2024010200{n:04}_more/migration.sql", up)
            for text in down:
                write(f"{folder}/prisma/migrations/2024010200{n:04}_more/down.sql", text)
        if case.action == "revert":
            self.must(self.run(case, deploy))
        dump = subprocess.run(["pg_dump", "-h", self.server, "-p", self.port, "-U", "postgres", "--inserts", "--no-owner", "--no-privileges", "faults"],
                              check=True, capture_output=True, text=True).stdout
        start = "".join(line + "\n" for line in dump.splitlines() if not re.match(r"\\|CREATE SCHEMA public;|COMMENT ON SCHEMA public", line))
        self.empty(start)
        before = self.state(case) if case.action == "seed" else None
        self.hold(case)
        ran = self.must(self.run(case, self.commands(case), self.through))
        self.known[case.name] = {"start": start, "before": before, "wanted": self.state(case), "counts": Counter(self.count), "out": len(ran.out), "took": ran.took}
        return self.known[case.name]

    def must(self, ran):
        if any(ran.codes):
            raise RuntimeError(f"undisturbed: {ran}")
        return ran

    def commands(self, case):
        if case.action == "seed":
            return [["cat", "seed/stdin"]] * ("stdin" in case.files) + [["mig-seed", *case.arguments]]
        back = ["--allow=unverified_down", f"--down-to=2024010100{len(case.base) - 1:04}_base"] if case.action == "revert" else []
        return [["mig-scan"], ["mig-plan", *back], ["mig-apply"]]

    def environment(self, url, static=False, clock=False):
        env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8", "TERM": "dumb", "TZ": "UTC", "DATABASE_URL": url, "ASAN_OPTIONS": "verify_asan_link_order=0:exitcode=70", "UBSAN_OPTIONS": "exitcode=70"}
        if static:
            env["PATH"] = os.path.join(self.dir, "static") + ":" + env["PATH"]
        if clock:
            env.update(LD_PRELOAD=os.path.join(BUILD, "tests", "shim_clock.so"), CLOCK_STEP=self.clock)
        return env

    def output_of(self, fault):
        """Where the last program writes, what goes before its command line, and the command's further words."""
        out, how = os.path.join(self.dir, "out"), fault.kind.how if fault else None
        if how == "full":
            out = os.path.join(self.full, "out")
            write(os.path.join(self.full, "ballast"), "x" * max(0, FULL_KB * 1024 - 4096 - fault.output_at // 4096 * 4096))
        for old in (out, os.path.join(self.dir, "out")):
            if os.path.exists(old):
                os.remove(old)
        named = how in ("full", "limit") and fault.output_at % 2 == 0
        before = ["prlimit", f"--fsize={fault.output_at}"] if how == "limit" else []
        if how == "tmp":
            # where the program itself is below /tmp, it is seen elsewhere
            before = ["unshare", "-m", "bash", "-c", f'''it=$(realpath "$1") && mount --bind "${{it%/*}}" /mnt && mount -t tmpfs -o size={fault.rng.randrange(1, 14) * 4096} t /tmp &&
              exec -a "$1" "/mnt/${{it##*/}}" "${{@:2}}"''', "bash"]
        return out, named, before

    def run(self, case, commands, url=None, fault=None, static=False):
        folder = os.path.join(self.dir, case.name)
        env = self.environment(url or self.direct, static, fault is not None and fault.kind.how == "clock")
        out, named, before = self.output_of(fault)
        began = time.monotonic()
        self.ended.clear()
        with self.lock:
            self.count.clear()
            self.processes, self.fault = {}, fault
        stdin = subprocess.DEVNULL
        if fault and fault.kind.how == "stream":
            at = [words[0] for words in commands].index(fault.channel_before) + 1
            commands = commands[:at] + [fault.filter()] + commands[at:]
        files = []
        for n, words in enumerate(commands):
            last = n == len(commands) - 1
            files.append(open(os.path.join(self.dir, words[0] + ".err"), "w"))
            if last and fault and fault.kind.how == "reader":
                reader, stdout = os.pipe()
                self.reader, stdout = os.fdopen(reader, "rb"), os.fdopen(stdout, "wb")
            else:
                stdout = subprocess.PIPE if not last else open(out if not named else os.path.join(self.dir, "page"), "w")
            words = [shutil.which(words[0], path=env["PATH"]), *words[1:]] + (["-o", out] if last and named else [])
            process = subprocess.Popen((before if last else []) + words, cwd=folder, env=env, stdin=stdin, stdout=stdout, stderr=files[-1])
            self.processes[commands[n][0]] = process
            for file in (stdin, stdout if last else None):
                if hasattr(file, "close"):
                    file.close()
            stdin = process.stdout
        codes = [self.wait(process, began + LIMIT) for process in self.processes.values()]
        self.after(files)
        said = "".join(read(os.path.join(self.dir, words[0] + ".err")) for words in commands)
        text = read(out) if os.path.exists(out) and not (fault and fault.kind.how == "reader") else ""
        return Ran(codes, said, text, time.monotonic() - began)

    def after(self, files):
        """As things are for the next run: the network is there again, and nobody holds a lock."""
        with self.lock:
            fault, self.fault = self.fault, None
        self.ended.set()
        if fault is not None and fault.fired:
            fault.over.wait(60)
        for timer in self.timers:
            timer.join()
        self.timers = []
        self.proxy.refuses = False
        self.proxy.forget()
        for session in self.holders.values():
            session.close()
        self.holders = {}
        self.set_clock(0)
        for file in files:
            file.close()

    def wait(self, process, until):
        try:
            code = process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return "none"
        return 128 - code if code < 0 else code

    # ---- is it true? ----

    def untruths(self, case, fault, ran):
        if "none" in ran.codes:
            yield f"it did not end by itself within {LIMIT} s"
        allowed = {0, *fault.kind.codes} | ({65} if case.action == "seed" and fault.kind.how == "tmp" else set())
        if case.name == "seed-stdin" and fault.kind.how == "limit": # the file may be the one that keeps standard input
            allowed |= {75}
        if ran.code not in allowed:
            yield f"it ended with {ran.code}"
        if re.search(r"Sanitizer|runtime error|: bug: ", ran.said) or any(c in (134, 139, 70) for c in ran.codes):
            yield "crash, or the like"
        if case.action == "seed":
            yield from self.untruths_of_seed(case, fault, ran)
        elif ran.code != 137:
            yield from self.untruths_of_apply(case, fault, ran)

    def untruths_of_seed(self, case, fault, ran):
        known = self.known[case.name]
        for _ in range(100):
            if not self.ask("SELECT FROM pg_stat_activity WHERE application_name LIKE 'mig-seed%'"):
                break
            time.sleep(0.02)
        now = self.state(case)
        if now not in (known["before"], known["wanted"]):
            yield "a part was seeded"
        if ran.code == 0 and now != known["wanted"]:
            yield "exit 0, and not all is seeded"
        if "Nothing was seeded" in ran.said and now != known["before"]:
            yield "it says that nothing was seeded, and something was"

    def untruths_of_apply(self, case, fault, ran):
        names = self.names(case)
        there = {row[0] for row in self.ask("SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL")} \
            if self.ask("SELECT to_regclass('_prisma_migrations')") != [[None]] else set()
        done = {name for name in names if (name in there) != (case.action == "revert")}
        if ran.code == 65 and done:
            yield f"exit 65, and done is {sorted(done)}"
        if ran.code == 0 and len(done) != len(names):
            yield f"exit 0, and only {sorted(done)} are done"
        for word, steps in re.findall(r"^  (committed|rolled back|not started) +(.*)$", ran.said, re.M):
            found = re.fullmatch(r"(?:all of )?steps? (\d+)(?: (?:to|and) (\d+))?(?:,.*)?", steps)
            for step in range(int(found[1]), int(found[2] or found[1]) + 1) if found else ():
                if (names[step - 1] in done) != (word == "committed"):
                    yield f'it says "{word} {steps}", and done is {sorted(done)}'
        results = [json.loads(line) for line in ran.out.splitlines() if line.startswith('{"record":"result"') and line.endswith("}")]
        for r in results:
            if r["status"] in ("applied", "skipped", "reverted") and r["migration"] not in done or r["status"] == "not_started" and r["migration"] in done:
                if "unknown" not in ran.said:
                    yield f"its records say that {r['migration']} is {r['status']}, and done is {sorted(done)}"

    # ---- one fault ----

    def make(self, seed, number):
        rng = random.Random(f"{seed}:{number}")
        cases = [c for c in CASES if not ONLY or c.name in ONLY]
        block, inside = divmod(number, 4)  # four in one case, so that a short round need not know all of them
        case = cases[(block + seed) % len(cases)]
        known = self.know(case)
        return Fault(seed, number, case, block // len(cases) * 4 + inside, rng, known["counts"], known["out"]), known

    def one(self, seed, number):
        fault, known = self.make(seed, number)
        case = fault.case
        static = bool(STATIC) and fault.kind.how != "clock" and fault.rng.random() < 0.2
        self.empty(known["start"])
        self.hold(case)
        ran = self.run(case, self.commands(case), self.through, fault, static)
        bad = list(self.untruths(case, fault, ran))
        self.ask("")  # "starting up" is 75, and not what is asked here
        again = self.run(case, self.commands(case), static=static)
        if any(again.codes):
            bad.append(f"the next run ended with {again.codes}")
        now = self.state(case)
        if now != known["wanted"]:
            bad.append("what is left is not what an undisturbed run leaves")
            write(f"{self.dir}/wanted", known["wanted"] + "\n")
            write(f"{self.dir}/now", now + "\n")
            bad.append(subprocess.run(["diff", f"{self.dir}/wanted", f"{self.dir}/now"], capture_output=True, text=True).stdout)
        struck = any(ran.codes) if fault.kind.act is nothing else fault.struck and fault.fired
        label = f"{fault}{' (static)' if static else ''}: exit {' '.join(map(str, ran.codes))} in {ran.took:.1f} s" + ("" if struck else ", came too late") + f", the next run {again.took:.1f} s"
        return {"number": number, "kind": fault.kind.name, "case": case.name, "label": label, "bad": bad, "said": f"{ran}\nthe next run:\n{again}", "code": ran.code,
                "struck": struck, "static": static, "again": again.took, "step": (fault.channel, fault.at, known["counts"][fault.channel]), "message": fault.kind.how is None,
                "done": "committed" if fault.kind.how == "commit" and re.search("committed|exit 0", ran.said) else ""}


# ---- the round -------------------------------------------------------------------------------------------------------------


def begin(servers):
    global worker
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):  # what is ignored here, as behind nohup, is ignored by the tools, too
        signal.signal(number, lambda *_: None)
    worker = Worker(servers.get())


def one(job):
    return worker.one(*job)


def table(results, key):
    rows = defaultdict(list)
    for r in results:
        rows[r[key]].append(r)
    for name, some in sorted(rows.items()):
        codes = Counter(r["code"] for r in some)
        yield f"  {name:42} {len(some):5} injected {sum(r['struck'] for r in some):5} struck {sum(bool(r['bad']) for r in some):3} bad, exit " + \
            ", ".join(f"{code} ({n})" for code, n in sorted(codes.items(), key=str))


def main():
    count, seed, only = int(sys.argv[1]), int(sys.argv[2]), [int(n) for n in sys.argv[3:]]
    numbers = only or range(count)
    servers = multiprocessing.Queue()
    for server in os.environ["SERVERS"].split():
        servers.put(server)
    began, results = time.monotonic(), []
    print(f"seed {seed}", flush=True)
    with multiprocessing.Pool(len(os.environ["SERVERS"].split()), begin, (servers,)) as pool:
        for r in pool.imap_unordered(one, [(seed, n) for n in numbers]):
            results.append(r)
            if r["bad"] or only or os.environ.get("VERBOSE"):
                print(r["label"], *("    BAD: " + line for text in r["bad"] for line in text.splitlines()), sep="\n")
            if r["bad"] or only:
                print(*("    " + line for line in r["said"].splitlines()[:60]), f"    again: make check-faults SEED={seed} FAULT={r['number']}", sep="\n", flush=True)
    print("by kind:", *table(results, "kind"), "by case:", *table(results, "case"), sep="\n")
    steps = {(r["case"], r["step"][0], r["step"][1]) for r in results if r["message"]}
    print(f"{len(steps)} messages of {len({s[:2] for s in steps})} sessions; {sum(r['static'] for r in results)} with the static program; "
          f"the slowest next run took {max(r['again'] for r in results):.1f} s")
    bad = sum(bool(r["bad"]) for r in results)
    print(f"{len(results)} faults of seed {seed} in {time.monotonic() - began:.0f} s, {bad} of them bad")
    return bad > 0


sys.exit(main())
