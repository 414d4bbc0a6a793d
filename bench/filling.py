"""Fills a database with a million users, tokens, students and lines of audit, for bench/panel and for whoever wants to
look at pages that are full. The same rows for the same seed, apart from the day they are counted from.

    bench/fill sqlite:/tmp/million/latchkey.sqlite3
    bench/fill postgres://latchkey@localhost/million --users 10000 --tokens 10000

The database is made and migrated by the binary, with a superuser `root` whose password is `bench Password 1`; all others
have that password, too. It must hold nothing else, and no server may run on it.
"""

import argparse
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import machine
from people import People
from server import Server

SECRET = "0" * 64
USER, PASSWORD = "root", "bench Password 1"
WAITING = "SELECT id FROM audit_events WHERE seq IS NULL LIMIT 1"
TABLES = ["users", "tokens", "students", "audit_events", "sessions", "refresh_families"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", help="sqlite:<path> or postgres://...")
    options(parser)
    chosen = parser.parse_args()
    fill(chosen.binary, chosen.database, chosen)


def options(parser):
    release = os.path.join(os.path.dirname(machine.HERE), "target/release/latchkey")
    parser.add_argument("--binary", default=release, help="whose schema it is")
    for table, rows in (("users", 10), ("tokens", 10), ("students", 10), ("audit-events", 10), ("sessions", 1)):
        parser.add_argument(f"--{table}", type=int, default=100_000 * rows, metavar="N")
    parser.add_argument("--seed", default="latchkey")


def fill(binary, url, chosen):
    """The database at `url`, from nothing."""
    begin = time.monotonic()
    database = Postgres(url) if url.startswith("postgres") else Sqlite(url.removeprefix("sqlite:"))
    run(binary, url, "createsuperuser", "--noinput")
    first, password = database.one("SELECT id, password FROM users")
    sizes = {table: getattr(chosen, table, 0) for table in TABLES}
    people = People(chosen.seed, int(time.time()), int(first), password, sizes)
    for table in TABLES:
        then = time.monotonic()
        n = database.load(table, getattr(people, table)())
        print(f"  {table:<20}{n:>12,}{time.monotonic() - then:>8.1f} s", flush=True)
    database.finish()
    # What the program derives from the rows itself: at its start, and while it seals the log.
    run(binary, url, "migrate")
    then = time.monotonic()
    with Server(binary, type("Place", (), {"environment": {"LATCHKEY_DATABASE_URL": url}})):
        while database.waiting():
            time.sleep(1)
    print(f"  {'sealing the log':<32}{time.monotonic() - then:>8.1f} s", flush=True)
    database.analyze()
    print(f"  in all{time.monotonic() - begin:>34.1f} s")


def run(binary, url, *words):
    settings = {
        "LATCHKEY_DATABASE_URL": url,
        "LATCHKEY_SECRET_KEY": SECRET,
        "LATCHKEY_SUPERUSER_USERNAME": USER,
        "LATCHKEY_SUPERUSER_PASSWORD": PASSWORD,
    }
    done = subprocess.run([binary, *words], env=os.environ | settings, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"latchkey {' '.join(words)}: {done.stderr}")


class Column:
    """Of the schema as it is: what stands in a row that says nothing."""

    def __init__(self, name, kind, is_required):
        self.name, kind = name, kind.lower()
        empty = "" if "text" in kind or "char" in kind else b"" if "blob" in kind or "bytea" in kind else False if "bool" in kind else 0
        self.nothing = empty if is_required else None


def values(columns, rows):
    """Rows as tuples in the order of the columns; an id that a row does not name is the database's to give."""
    row = next(rows)
    unknown = row.keys() - {column.name for column in columns}
    if unknown:
        sys.exit(f"this schema has no column {', '.join(unknown)}")
    while row:
        yield tuple(row.get(column.name, column.nothing) for column in columns)
        row = next(rows, None)


def to_be_filled(columns, rows):
    """The columns that rows say something of or that must be said something of, and all rows again: what is left out,
    such as an id, is for the database to give."""
    row = next(rows, None)
    columns = [column for column in columns if column.name in (row or ()) or (column.name != "id" and column.nothing is not None)]
    return columns, (again for part in ([row] if row else [], rows) for again in part)


class Sqlite:
    def __init__(self, path):
        self.path, self.indexes = path, []

    def connect(self):
        db = sqlite3.connect(self.path, isolation_level=None)
        # What is lost in a crash of this machine is only made again.
        for pragma in ("journal_mode = MEMORY", "synchronous = OFF", "cache_size = -400000", "temp_store = MEMORY"):
            db.execute(f"PRAGMA {pragma}").fetchall()
        return db

    def one(self, sql):
        self.db = self.connect()
        return self.db.execute(sql).fetchone()

    def load(self, table, rows):
        columns = [Column(name, kind, required and default is None) for _, name, kind, required, default, _ in self.db.execute(f"PRAGMA table_info({table})")]
        columns, rows = to_be_filled(columns, rows)
        made = f"SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = '{table}' AND sql IS NOT NULL"
        for name, sql in self.db.execute(made).fetchall():
            self.indexes.append(sql)
            self.db.execute(f'DROP INDEX "{name}"')
        names, marks = ", ".join(column.name for column in columns), ", ".join("?" * len(columns))
        self.db.execute("BEGIN")
        self.db.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", values(columns, rows))
        self.db.execute("COMMIT")
        return self.one(f"SELECT COUNT(*) FROM {table}")[0]

    def finish(self):
        for index in self.indexes:
            self.db.execute(index)
        self.db.close()

    def waiting(self):
        with closing(sqlite3.connect(self.path, timeout=30)) as db:
            return db.execute(WAITING).fetchone()

    def analyze(self):
        db = self.connect()
        db.execute("ANALYZE")
        db.execute("PRAGMA journal_mode = WAL")
        db.close()


class Postgres:
    def __init__(self, url):
        self.url, self.indexes = url, []

    def psql(self, sql):
        done = subprocess.run([machine.need("psql"), "-qAt", "-v", "ON_ERROR_STOP=1", self.url], input=sql, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"psql: {done.stderr}")
        return done.stdout.splitlines()

    def one(self, sql):
        return self.psql(sql)[0].split("|")

    def load(self, table, rows):
        known = self.psql(
            "SELECT column_name, data_type, is_nullable = 'NO' AND column_default IS NULL FROM information_schema.columns "
            f"WHERE table_schema = current_schema() AND table_name = '{table}' ORDER BY ordinal_position"
        )
        columns = [Column(name, kind, required == "t") for name, kind, required in (line.split("|") for line in known)]
        columns, rows = to_be_filled(columns, rows)
        # Those behind a constraint stay.
        made = f"FROM pg_index JOIN pg_class ON oid = indexrelid WHERE indrelid = '{table}'::regclass AND NOT indisprimary"
        self.indexes += self.psql(f"SELECT pg_get_indexdef(indexrelid) {made}")
        dropped = "".join(f"DROP INDEX {name};" for name in self.psql(f"SELECT quote_ident(relname) {made}"))
        command = [machine.need("psql"), "-qAt", "-v", "ON_ERROR_STOP=1", self.url, "-c", f"{dropped}", "-c"]
        command += [f"COPY {table} ({', '.join(column.name for column in columns)}) FROM STDIN"]
        copy = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
        for row in values(columns, rows):
            copy.stdin.write("\t".join(map(text, row)) + "\n")
        copy.stdin.close()
        if copy.wait():
            sys.exit(f"{table}: COPY failed")
        named = f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT MAX(id) FROM {table}))"
        self.psql(named)
        return int(self.one(f"SELECT COUNT(*) FROM {table}")[0])

    def waiting(self):
        return self.psql(WAITING)

    def finish(self):
        self.psql("SET maintenance_work_mem = '1GB';" + "".join(f"{index};" for index in self.indexes))

    def analyze(self):
        # Rows were written twice: once by COPY, once with what the program derives.
        self.psql("SET maintenance_work_mem = '1GB'; VACUUM FULL; VACUUM ANALYZE; CHECKPOINT;")


def text(value):
    """As COPY reads it."""
    if value is None:
        return "\\N"
    if isinstance(value, bytes):
        return "\\\\x" + value.hex()
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")

