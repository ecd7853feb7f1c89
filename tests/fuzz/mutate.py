"""The runs of tests/fuzz/mutate, which says what they are: mutate.py ROUNDS SEED, with a server in PGHOST and PGPORT."""
import concurrent.futures
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time

import proxy
from proxy import columns, message

ROUNDS, SEED = int(sys.argv[1]), int(sys.argv[2])
BUILD, WORK = os.environ["BUILD"], os.environ["WORK"]
SERVER = (os.environ["PGHOST"], int(os.environ["PGPORT"]))
JOBS = int(os.environ.get("JOBS", "4"))
ONLY = os.environ.get("TOOLS", "").split()
LIMIT = 90  # seconds: a run has to end by itself; the longest are 30 of patience with a silent server, and three times 10

# ---- what is deployed, seeded and asked --------------------------------------------------------------------------------

SCRIPTS = {
    "batch": [
        "CREATE TABLE t1 (id INTEGER PRIMARY KEY); INSERT INTO t1 VALUES (1), (2);",
        "CREATE TABLE t2 (id INTEGER); ALTER TABLE t1 ADD COLUMN a TEXT;",
        "CREATE TABLE t3 (id INTEGER); INSERT INTO t3 SELECT id FROM t1;",
    ],
    "mixed": [
        "CREATE TABLE t1 (id INTEGER PRIMARY KEY); SELECT * FROM t1; INSERT INTO t1 VALUES (1), (2);",
        "CREATE TABLE t2 (id INTEGER); CREATE INDEX CONCURRENTLY i2 ON t2 (id); INSERT INTO t2 VALUES (1);",
        "BEGIN; CREATE TABLE t3 (id INTEGER); COMMIT; BEGIN; INSERT INTO t3 VALUES (1); COMMIT;",
    ],
}
# a statement that is true when the whole of step N is in the database, and one that is true when nothing of it is
WHOLE = {
    "batch": [
        "EXISTS (SELECT FROM t1 HAVING count(*) = 2)",
        "to_regclass('t2') IS NOT NULL AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('t1') AND attname = 'a')",
        "EXISTS (SELECT FROM t3 HAVING count(*) = 2)",
    ],
    "mixed": [
        "EXISTS (SELECT FROM t1 HAVING count(*) = 2)",
        "EXISTS (SELECT FROM t2 HAVING count(*) = 1) AND EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('i2') AND indisvalid)",
        "EXISTS (SELECT FROM t3 HAVING count(*) = 1)",
    ],
}
ROWS = "id,name\n" + "".join(f"{n},name {n}\n" for n in range(1, 41))
SEED_FROM = "CREATE TABLE s (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO s VALUES (1, 'old'), (2, 'name 2'), (99, 'more');"
TOOLS = ["scan", "batch", "mixed", "seed", "dry", "export", "check"]


def sql(database, text):
    ran = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", text], capture_output=True, text=True)
    if ran.returncode:
        raise RuntimeError(ran.stderr)
    return ran.stdout.strip()


# ---- what the proxy does ----------------------------------------------------------------------------------------------

STRANGERS = [
    message(b"E", b"SERROR\0VERROR\0C42P01\0Mno such thing\0\0"),
    message(b"E", b"SFATAL\0VFATAL\0C57P01\0Mthe end\0\0"),
    message(b"E", b"\0"),
    message(b"N", b"SNOTICE\0VNOTICE\0C00000\0M\x1b[2Jnote\0\0"),
    message(b"C", b"SELECT 0\0"),
    message(b"C", b"COMMIT\0"),
    message(b"C", b"INSERT 0 1\0"),
    message(b"Z", b"I"),
    message(b"Z", b"T"),
    message(b"Z", b"E"),
    message(b"T", struct.pack(">h", 1) + b"c\0" + struct.pack(">ihihih", 0, 0, 25, -1, -1, 0)),
    message(b"T", struct.pack(">h", 0)),
    message(b"D", struct.pack(">hi", 1, 1) + b"t"),
    message(b"D", struct.pack(">hi", 1, -1)),
    message(b"D", struct.pack(">h", 0)),
    message(b"I"), message(b"1"), message(b"2"), message(b"3"), message(b"n"), message(b"s"), message(b"c"),
    message(b"t", struct.pack(">h", 0)),
    message(b"S", b"client_encoding\0SQL_ASCII\0"),
    message(b"S", b"standard_conforming_strings\0off\0"),
    message(b"A", struct.pack(">i", 1) + b"channel\0load\0"),
    message(b"G", struct.pack(">bhh", 0, 1, 0)),
    message(b"H", struct.pack(">bhh", 0, 1, 0)),
    message(b"W", struct.pack(">bhh", 0, 1, 0)),
    message(b"d", b"x\n"),
    message(b"R", struct.pack(">i", 0)),
    message(b"R", struct.pack(">i", 3)),
    message(b"K", struct.pack(">ii", 1, 1)),
    message(b"v", struct.pack(">ii", 3, 0)),
    message(b"?", b"what"),
]


def row(values):
    """A DataRow of them."""
    body = b"".join(struct.pack(">i", -1) if v is None else struct.pack(">i", len(v)) + v for v in values)
    return message(b"D", struct.pack(">h", len(values)) + body)


def a_flip(rng, kind, body):
    data = bytearray(message(kind, body))
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def a_length(rng, kind, body):
    size = rng.choice([0, 3, 4, 5, len(body) + 3, len(body) + 5, len(body) + 400, 1 << 20, 1 << 29, 0x7FFFFFFF, 0xFFFFFFFF])
    return kind + struct.pack(">I", size) + body


def a_null(rng, kind, body):
    if kind != b"D" or not (found := columns(body)):
        return None
    found[rng.randrange(len(found))] = None
    return row(found)


def a_shorter_row(rng, kind, body):
    if kind != b"D" or not (found := columns(body)):
        return None
    return row(found[: rng.randrange(len(found))])


# each gives what is sent instead of a message; None: it does not fit that one, and the next is tried
MUTATIONS = {
    "flip": a_flip,
    "kind": lambda rng, kind, body: message(bytes([rng.choice(b"RSKZTDCEN12n3IGHWdcts?")]), body),
    "length": a_length,
    "drop": lambda rng, kind, body: b"",
    "twice": lambda rng, kind, body: message(kind, body) * 2,
    "often": lambda rng, kind, body: message(kind, body) * 80,
    "shorter": lambda rng, kind, body: message(kind, body[: rng.randrange(len(body))]) if body else None,
    "longer": lambda rng, kind, body: message(kind, body + bytes(rng.randrange(256) for _ in range(rng.randrange(1, 40)))),
    "cut": lambda rng, kind, body: message(kind, body)[: rng.randrange(1, len(body) + 5)],
    "before": lambda rng, kind, body: rng.choice(STRANGERS) + message(kind, body),
    "behind": lambda rng, kind, body: message(kind, body) + rng.choice(STRANGERS),
    "instead": lambda rng, kind, body: rng.choice(STRANGERS),
    "null": a_null,
    "shorter-row": a_shorter_row,
    "noise": lambda rng, kind, body: bytes(rng.randrange(256) for _ in range(len(body) + 5)),
}
KINDS = list(MUTATIONS) + ["delay", "swap", "silence", "silence-all", "close"]
# what changes a value that nobody can tell from a right one
FORGES = {"flip", "kind", "shorter", "longer", "before", "behind", "instead", "null", "shorter-row", "noise", "length", "swap", "often"}


class Mutator(proxy.Proxy):
    """Mutates what the server says as `plan` wants: (kind, which message, random numbers)."""

    def __init__(self):
        self.lock = threading.Lock()
        self.begin(None)
        super().__init__(SERVER, self.change)

    def begin(self, plan):
        self.plan, self.count, self.what, self.mute, self.swapped = plan, 0, None, False, {}

    def change(self, link, to_server, kind, whole):
        if to_server:
            return whole
        with self.lock:
            self.count += 1
            due = self.plan is not None and self.what is None and self.count > self.plan[1]
            made = self.mutate(kind, whole[5:]) if due else whole
        if made == "close":
            raise EOFError
        if made == "silence":
            time.sleep(120)
            raise EOFError
        if made == "delay":
            time.sleep(self.plan[2].uniform(0.1, 2))
            made = whole
        if made == "swap":
            self.swapped[link] = whole
            return b""
        return made + self.swapped.pop(link, b"")

    def mutate(self, kind, body):
        name, _, rng = self.plan
        if name in ("delay", "swap", "close"):
            made = name
        elif name.startswith("silence"):
            made, self.mute = "silence", name == "silence-all"
        elif (made := MUTATIONS[name](rng, kind, body)) is None:
            return message(kind, body)
        self.what = f"{name} of message {self.count} ({kind.decode('latin1')})"
        return made


# ---- a worker: a database, a proxy, and what the tools need -------------------------------------------------------------


class Worker:
    baseline = None  # of the first one, which is everybody's: what each tool says and hears undisturbed

    def __init__(self, number):
        self.number, self.database, self.dir = number, f"mutate_{number}", os.path.join(WORK, str(number))
        self.proxy = Mutator()
        sql("postgres", f"DROP DATABASE IF EXISTS {self.database}")
        sql("postgres", f"CREATE DATABASE {self.database}")
        self.direct = f"postgresql://postgres@{SERVER[0]}:{SERVER[1]}/{self.database}?sslmode=disable&gssencmode=disable"
        self.url = f"postgresql://postgres@127.0.0.1:{self.proxy.port}/{self.database}?sslmode=disable&gssencmode=disable"
        for name, scripts in SCRIPTS.items():
            for n, script in enumerate(scripts, 1):
                self.write(f"{name}/prisma/migrations/2024010100000{n}_t{n}/migration.sql", script)
        self.write("s.csv", ROWS)
        self.reset("scan")
        for name in SCRIPTS:
            self.write(f"{name}.rec", self.pipe(name))
        if Worker.baseline is None:
            Worker.baseline = {name: self.undisturbed(name) for name in TOOLS}

    def write(self, path, text):
        path = os.path.join(self.dir, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)

    def environment(self, url):
        env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8", "TERM": "dumb", "DATABASE_URL": url}
        env["ASAN_OPTIONS"] = "exitcode=99:detect_leaks=0"  # libpq leaks where the protocol breaks down
        env["UBSAN_OPTIONS"] = "exitcode=99:print_stacktrace=1"
        return env

    def pipe(self, name):
        command = "mig-scan | mig-plan"
        return subprocess.run(["bash", "-c", command], cwd=os.path.join(self.dir, name), env=self.environment(self.direct),
                              capture_output=True, text=True, check=True).stdout

    def command(self, tool):
        return {
            "scan": ["mig-scan", "batch/prisma/migrations"],
            "batch": ["mig-apply", "--wait=3s", "batch.rec"],
            "mixed": ["mig-apply", "--wait=3s", "mixed.rec"],
            "seed": ["mig-seed", "--wait=3s", "s.csv"],
            "dry": ["mig-seed", "--wait=3s", "--dry-run", "s.csv"],
            "export": ["mig-seed", "--export", "--wait=3s", "--into=out", "s"],
            "check": ["mig-check", "history", "relation=s", "database", "--wait=300ms"],
        }[tool]

    def reset(self, tool):
        text = "SET client_min_messages = error; DROP SCHEMA public CASCADE; CREATE SCHEMA public; "
        if tool in ("seed", "dry", "export", "check"):
            text += SEED_FROM
        sql(self.database, text)
        shutil.rmtree(os.path.join(self.dir, "out"), ignore_errors=True)
        os.makedirs(os.path.join(self.dir, "out"), exist_ok=True)

    def run(self, tool, url):
        began = time.monotonic()
        stdin = self.pipe_offline() if tool == "check" else ""
        process = subprocess.Popen(self.command(tool), cwd=self.dir, env=self.environment(url), text=True, errors="replace",
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        writer = threading.Thread(target=self.feed, args=(process, stdin), daemon=True)
        writer.start()
        done = threading.Event()
        threading.Thread(target=self.watch, args=(process, done), daemon=True).start()
        out, err = self.collect(process)
        done.set()
        return process.returncode, out, err, time.monotonic() - began

    def pipe_offline(self):
        if not hasattr(self, "offline"):
            self.offline = subprocess.run(["mig-scan", "--offline", "batch/prisma/migrations"], cwd=self.dir, text=True,
                                          env=self.environment(self.direct), capture_output=True, check=True).stdout
        return self.offline

    @staticmethod
    def feed(process, text):
        try:
            process.stdin.write(text)
            process.stdin.close()
        except OSError:
            pass

    @staticmethod
    def collect(process):
        parts = {}
        readers = [threading.Thread(target=lambda name, file: parts.__setitem__(name, file.read()), args=pair)
                   for pair in (("out", process.stdout), ("err", process.stderr))]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        process.wait()
        return parts["out"], parts["err"]

    @staticmethod
    def watch(process, done):
        """Whoever has not ended by himself, which is bad, shows whether he ends by SIGTERM."""
        if not done.wait(LIMIT):
            process.send_signal(signal.SIGTERM)
            if not done.wait(5):
                process.kill()

    def undisturbed(self, tool):
        self.reset(tool)
        self.proxy.begin(None)
        code, out, err, _ = self.run(tool, self.url)
        if code != (1 if tool == "check" else 0) or "Sanitizer" in err:
            raise RuntimeError(f"{tool} undisturbed: exit {code}: {err}{out}")
        return {"messages": self.proxy.count, "out": self.plain(tool, out)}

    def plain(self, tool, out):
        """What has to be the same each time."""
        if tool == "export":
            with open(os.path.join(self.dir, "out", "s.csv")) as file:
                return file.read()
        records = []
        for line in out.splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                return out
            if record.get("record") in ("migration", "history", "change", "seeded"):
                for key in ("took_ms",):
                    record.pop(key, None)
                records.append(record)
        return json.dumps(records, sort_keys=True)

    # -- is it true?

    def holds(self, statement):
        try:
            return sql(self.database, f"SELECT {statement}") == "t"
        except RuntimeError:  # its table is not there
            return False

    def quiet(self):
        """Until no session of a tool is left."""
        for _ in range(300):
            if sql(self.database, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
                                  "pg_backend_pid() AND backend_type = 'client backend'") == "0":
                return
            time.sleep(0.1)
        sql(self.database, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid "
                           "<> pg_backend_pid() AND backend_type = 'client backend'")
        time.sleep(0.3)

    def lies_of_apply(self, tool, code, out, err):
        try:
            finished = sql(self.database, "SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL").split()
            rows = sql(self.database, "SELECT migration_name FROM _prisma_migrations").split()
        except RuntimeError:
            finished, rows = [], []
        results = [json.loads(line) for line in out.splitlines() if line.startswith('{"record":"result"')]
        if code == 0 and len(finished) != 3:
            yield f"exit 0, and finished is {finished}"
        for n, name in enumerate(sorted(f"2024010100000{n}_t{n}" for n in (1, 2, 3))):
            whole = self.holds(WHOLE[tool][n])
            table = self.holds(f"to_regclass('t{n + 1}') IS NOT NULL")
            if name in finished and not whole:
                yield f"{name} is finished in the history, and not in the database"
            for r in results:
                if r["migration"] != name:
                    continue
                if r["status"] == "applied" and (name not in finished or not whole):
                    yield f"{name} is said to be applied, and is not"
                if r["status"] == "not_started" and (name in rows or table):
                    yield f"{name} is said not to be started, and is"
            if re.search(rf"rolled back +step {n + 1}, all of it", err) and (name in rows or table):
                yield f"{name} is said to be rolled back, and is there"
            if re.search(rf"committed +step {n + 1}, all of it", err) and not whole:
                yield f"{name} is said to be committed, and is not"

    def lies(self, tool, kind, code, out, err):
        if tool in SCRIPTS:
            yield from self.lies_of_apply(tool, code, out, err)
            return
        if tool == "check":
            if code == 0 and kind not in FORGES:
                yield "exit 0 where migrations are pending"
            return
        if tool == "seed":
            count = sql(self.database, "SELECT count(*) || ' ' || count(*) FILTER (WHERE name = 'name ' || id) FROM s")
            if code == 0 and count != "41 40":
                yield f"exit 0, and the table has {count}"
            if code != 0 and count not in ("41 40", "3 1"):
                yield f"exit {code}, and a part was seeded: {count}"
            if re.search("Nothing was seeded|rolled back", err) and count != "3 1":
                yield f"it says that nothing was seeded, and the table has {count}"
            return
        if code == 0 and kind not in FORGES and self.plain(tool, out) != self.baseline[tool]["out"]:
            yield "exit 0 with another result than undisturbed"

    def round(self, seed):
        rng = random.Random(seed)
        tool = rng.choice(ONLY or TOOLS)
        kind = rng.choice(KINDS)
        at = rng.randrange(self.baseline[tool]["messages"])
        self.reset(tool)
        self.proxy.begin((kind, at, rng))
        code, out, err, took = self.run(tool, self.url)
        what, mute = self.proxy.what, self.proxy.mute
        self.proxy.forget()
        self.quiet()
        complaints = []
        if code < 0 or code in (99, 139, 134) or "Sanitizer" in err or "runtime error" in err or ": bug: " in err:
            complaints.append(f"crash, or the like: exit {code}")
        if took >= LIMIT:
            complaints.append(f"did not end by itself within {LIMIT} s")
        complaints += self.lies(tool, kind, code, out, err)
        label = f"seed {seed}: {tool}, {what or kind + ' of nothing'}: exit {code} in {took:.1f} s"
        if complaints:
            return label, "; ".join(complaints), err + ("\n" + out if os.environ.get("VERBOSE") else "")
        return label, None, err


def main():
    count = min(JOBS, ROUNDS)
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        workers = [Worker(0)] + list(pool.map(Worker, range(1, count)))
    idle, bad, done = list(workers), 0, 0
    lock = threading.Lock()

    def one(seed):
        with lock:
            worker = idle.pop()
        try:
            return worker.round(seed)
        finally:
            with lock:
                idle.append(worker)

    with concurrent.futures.ThreadPoolExecutor(len(workers)) as pool:
        for label, complaint, err in pool.map(one, range(SEED, SEED + ROUNDS)):
            done += 1
            if complaint:
                bad += 1
                print(f"{label}: {complaint}", *("    " + line for line in err.splitlines()[:60]), sep="\n", flush=True)
            elif os.environ.get("VERBOSE"):
                print(label, flush=True)
    print(f"{done} runs from seed {SEED} on, {bad} bad")
    return bad > 0


sys.exit(main())
