"""What tests/fuzz/faults disturbs: deploys, reverts and seeds. No clock, no chance and no sequence that outlives a rollback: two
runs of a case leave the same rows.

A case starts from `before`, SQL, and from the migrations `base`, which are deployed. Then it does its `action`:
  apply    the migrations `more` are deployed
  revert   base and more are there, and all of `more` is taken back
  seed     `files` are put into their tables, from a folder or by standard input
`held`: {text: lock}. The lock is held by another session until a message with the text has come to the server, and a moment more, so
that the statement is disturbed while it waits between two transactions of its own.
"""


class Case:
    def __init__(self, name, action, before="", base=(), more=(), files=None, arguments=(), held=None):
        self.name, self.action, self.before, self.base, self.more = name, action, before, base, more
        self.files, self.arguments, self.held = files or {}, list(arguments), held or {}


def table(n, rows=5):
    return f"CREATE TABLE t{n} (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t{n} SELECT i, 'row ' || i FROM generate_series(1, {rows}) i;"


PLAIN = [
    table(1),
    "ALTER TABLE t1 ADD COLUMN a INTEGER NOT NULL DEFAULT 3; UPDATE t1 SET a = a * id;",
    "CREATE TYPE e AS ENUM ('A', 'B'); CREATE TABLE t3 (e e DEFAULT 'A'); INSERT INTO t3 DEFAULT VALUES;",
    "CREATE FUNCTION f(a INTEGER) RETURNS INTEGER LANGUAGE plpgsql AS $$ BEGIN RETURN a + 1; END $$;",
    "CREATE UNIQUE INDEX i5 ON t1 (v); SELECT pg_sleep(0.03); INSERT INTO t3 VALUES ('B');",
    "UPDATE t1 SET a = f(a);",
]
# the word keeps a step from being sent before the one in front of it is answered
ONE_BY_ONE = [f"{script} -- not with synchronous_commit" for script in PLAIN]
BIG = ["CREATE TABLE big (id INTEGER PRIMARY KEY, v TEXT);",
       "".join(f"INSERT INTO big VALUES ({i}, '{'x' * 400} {i}');\n" for i in range(250)) + "SELECT pg_sleep(0.03); DELETE FROM big WHERE id % 7 = 0;",
       "UPDATE big SET v = v || ' seen' WHERE id % 2 = 0;"]
LATE = ["""CREATE TABLE late (id INTEGER);
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.06); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow();""",
        "INSERT INTO late VALUES (1);", "INSERT INTO late VALUES (2); -- not with synchronous_commit", "INSERT INTO late VALUES (3);"]
OWN = [table(1),
       "BEGIN; CREATE TABLE t2 (id INTEGER); SELECT pg_sleep(0.03); INSERT INTO t2 VALUES (2); COMMIT;",
       "BEGIN; INSERT INTO t2 VALUES (3); COMMIT; SELECT pg_sleep(0.02); UPDATE t2 SET id = id + 1; BEGIN; INSERT INTO t2 VALUES (4); COMMIT; INSERT INTO t2 VALUES (5);",
       "UPDATE t2 SET id = id * 2; COMMIT; UPDATE t2 SET id = id + 1; ROLLBACK; BEGIN; UPDATE t2 SET id = id + 7; COMMIT AND CHAIN; UPDATE t2 SET id = id * 3; COMMIT;",
       "INSERT INTO t2 VALUES (9);"]
SESSION = [table(1),
           "CREATE SCHEMA app; CREATE TABLE t2 AS SELECT 2 AS n; CREATE TABLE app.t2 AS TABLE t2; SET search_path = app, public; COMMIT; SELECT pg_sleep(0.02); "
           "VACUUM t1; UPDATE t2 SET n = n + 1; COMMIT; RESET search_path;",
           "CREATE TABLE t3 (v TEXT); SET my.own = 'mine'; COMMIT; BEGIN; SET my.own = 'rolled back'; ROLLBACK; VACUUM t1; INSERT INTO t3 SELECT current_setting('my.own');"]
VALUE = ["CREATE TYPE e AS ENUM ('A'); CREATE TABLE t1 (e e);",
         "ALTER TYPE e ADD VALUE 'B'; SELECT pg_sleep(0.02); INSERT INTO t1 VALUES ('B');", "ALTER TYPE e ADD VALUE 'C';", "INSERT INTO t1 VALUES ('C');"]
# twice as long as it has rows
SLOW = "CREATE FUNCTION slowly(i INTEGER) RETURNS INTEGER IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.002); RETURN i; END $$;"
CONCURRENTLY = [table(1, 20) + SLOW,
                "INSERT INTO t1 VALUES (100, 'one'); CREATE INDEX CONCURRENTLY c1 ON t1 (slowly(id)); UPDATE t1 SET v = v || '!';",
                "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS c2 ON t1 (v);",
                "REINDEX INDEX CONCURRENTLY c1; INSERT INTO t1 VALUES (200, 'two'); DROP INDEX CONCURRENTLY c2;", "CREATE TABLE last (id INTEGER);"]
ALONE_TABLES = "".join(f"CREATE TABLE t{n} (n INTEGER); INSERT INTO t{n} SELECT generate_series(1, 30);" for n in (1, 2, 3, 4, 5, 7)) + """
CREATE INDEX t2_old ON t2 (n); CREATE INDEX t3_n ON t3 (n); CREATE INDEX t7_old ON t7 (n);
CREATE TABLE t6 (n INTEGER) PARTITION BY RANGE (n); CREATE TABLE t6_1 PARTITION OF t6 FOR VALUES FROM (0) TO (1000); INSERT INTO t6 VALUES (1);
CREATE SCHEMA other; CREATE TABLE other.t8 (n INTEGER PRIMARY KEY);"""
ALONE = ["""CREATE INDEX CONCURRENTLY ON t1 (n, (n + 1)) WHERE n > 3;
DROP INDEX CONCURRENTLY t2_old;
REINDEX INDEX CONCURRENTLY t3_n;
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t4_n ON t4 (n);
VACUUM t5;
ALTER TABLE t6 DETACH PARTITION t6_1 CONCURRENTLY;
DROP INDEX CONCURRENTLY IF EXISTS public.t7_old;
REINDEX SCHEMA other;"""]
ALONE_HELD = {"ON t1 (": "t1 IN ROW EXCLUSIVE", "t2_old": "t2 IN ACCESS SHARE", "INDEX CONCURRENTLY t3_n": "t3 IN ROW EXCLUSIVE", "ON t4": "t4 IN ROW EXCLUSIVE",
              "VACUUM t5": "t5 IN SHARE UPDATE EXCLUSIVE", "DETACH": "t6 IN ACCESS SHARE", "t7_old": "t7 IN ACCESS SHARE", "SCHEMA other": "other.t8 IN ROW EXCLUSIVE"}
DETACH = ["ALTER TABLE t6 DETACH PARTITION t6_1 CONCURRENTLY;", "INSERT INTO t1 VALUES (77); ALTER TABLE public.t6 DETACH PARTITION t6_2 CONCURRENTLY; INSERT INTO t1 VALUES (78);"]
DETACH_TABLES = ALONE_TABLES + "CREATE TABLE t6_2 PARTITION OF t6 FOR VALUES FROM (1000) TO (2000);"

DOWN = [(table(11, 0), "DROP TABLE t11;"), ("ALTER TABLE t1 ADD COLUMN b INTEGER;", "ALTER TABLE t1 DROP COLUMN b;"),
        ("CREATE INDEX b1 ON t1 (v);", "SELECT pg_sleep(0.03); DROP INDEX b1;"), ("CREATE TYPE e2 AS ENUM ('A');", "DROP TYPE e2;")]
DOWN_ALONE = [("CREATE TABLE t12 (id INTEGER);", "DROP TABLE t12;"),
              ("CREATE INDEX CONCURRENTLY b1 ON t1 (v); CREATE INDEX CONCURRENTLY b2 ON t1 (v, id);", "DROP INDEX CONCURRENTLY b2; DROP INDEX CONCURRENTLY b1;"),
              ("CREATE FUNCTION g() RETURNS INTEGER LANGUAGE SQL AS 'SELECT 1';", "BEGIN; DROP FUNCTION g(); COMMIT; SELECT pg_sleep(0.02);")]

SEED_TABLES = """CREATE TABLE role (id INTEGER PRIMARY KEY, slug TEXT UNIQUE NOT NULL, rank INTEGER DEFAULT 0);
CREATE TABLE member (id INTEGER GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, mail TEXT UNIQUE NOT NULL, role_id INTEGER NOT NULL REFERENCES role, note TEXT);
CREATE TABLE log (what TEXT); CREATE TABLE price (code TEXT PRIMARY KEY, amount NUMERIC(12, 2), at TIMESTAMPTZ);
INSERT INTO role VALUES (1, 'old', 3), (99, 'more', 0); INSERT INTO price VALUES ('p3', 0, NULL);"""
SEED_FILES = {
    "1.sql": "INSERT INTO log SELECT 'seeded' WHERE NOT EXISTS (SELECT FROM log); SELECT pg_sleep(0.02);",
    "role.csv": "id,slug,rank\n" + "".join(f"{n},slug {n},{n * 7}\n" for n in range(1, 21)),
    "member.ndjson": "".join('{"id": %d, "mail": "m%d@example.com", "role_id": %d, "note": "%s"}\n' % (n, n, n % 20 + 1, "é" * (n % 50)) for n in range(1, 301)),
    "price.csv": "code,amount,at\n" + "".join(f"p{n},{n}.50,2024-01-01 00:00:{n % 60:02}+00\n" for n in range(1, 200)),
}
LINES = "".join('{"code": "p%d", "amount": %d.25}\n' % (n, n) for n in range(1, 1500))

APPLIED = [table(1), "CREATE TABLE t2 (id INTEGER);"]

CASES = [
    Case("plain", "apply", more=PLAIN),
    Case("one-by-one", "apply", base=[table(0)], more=ONE_BY_ONE),
    Case("big", "apply", more=BIG),
    Case("late-commit", "apply", more=LATE),
    Case("own-transactions", "apply", more=OWN),
    Case("session", "apply", more=SESSION),
    Case("enum-value", "apply", more=VALUE),
    Case("concurrently", "apply", more=CONCURRENTLY),
    Case("alone", "apply", base=[ALONE_TABLES], more=ALONE, held=ALONE_HELD),
    Case("detach", "apply", base=[DETACH_TABLES], more=DETACH, held={"t6_1 CONC": "t6 IN ACCESS SHARE"}),
    Case("revert", "revert", base=APPLIED, more=DOWN),
    Case("revert-alone", "revert", base=APPLIED, more=DOWN_ALONE, held={"b2": "t1 IN ACCESS SHARE"}),
    Case("seed", "seed", before=SEED_TABLES, files=SEED_FILES, arguments=["seed"]),
    Case("seed-prune", "seed", before=SEED_TABLES, files={"role.csv": SEED_FILES["role.csv"], "price.csv": "code,amount\np3,3\n"}, arguments=["--prune", "seed"]),
    Case("seed-stdin", "seed", before=SEED_TABLES, files={"stdin": LINES}, arguments=["--table=price", "-"]),
]
