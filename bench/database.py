"""The databases: where they are, and how millions of tokens get into them."""

import glob
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile

import machine


class Sqlite:
    name = "SQLite"

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="latchkey-bench-")
        self.environment = {"LATCHKEY_DATA_DIR": self.folder}
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def cpu(self):
        """The database works inside the server."""
        return 0.0

    def grow(self, rows):
        """So many tokens more, like the one that is there; the server must not run."""
        db = sqlite3.connect(f"{self.folder}/latchkey.sqlite3")
        # What is lost in a crash of this machine is only made again.
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA cache_size = -400000")
        columns = [row[1] for row in db.execute("PRAGMA table_info(tokens)")]
        made = "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'tokens' AND sql IS NOT NULL"
        indexes = [row[0] for row in db.execute(made)]
        for name, in db.execute("SELECT name FROM sqlite_master WHERE sql IS NOT NULL AND type = 'index' AND tbl_name = 'tokens'").fetchall():
            db.execute(f'DROP INDEX "{name}"')
        series = f"WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {rows}) "
        db.execute(copies(columns, "randomblob(32)", "substr(hex(randomblob(4)), 1, 8)", series, "series"))
        for index in indexes:
            db.execute(index)
        db.commit()
        db.execute("ANALYZE")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()


class Postgres:
    """A cluster of its own on a loopback port, as durable as PostgreSQL is by default."""

    name = "PostgreSQL"

    def __enter__(self):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: int(path.split("/")[4]))
        initdb = found[-1] if found else machine.need("initdb")
        self.bin = os.path.dirname(initdb)
        self.folder = tempfile.mkdtemp(prefix="latchkey-bench-")
        if os.getuid() == 0:
            # PostgreSQL refuses to run as root.
            shutil.chown(self.folder, "postgres")
        self.port = machine.free_port()
        data, log = f"{self.folder}/data", f"{self.folder}/log"
        options = f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories={self.folder} -c shared_buffers=512MB"
        self.run("initdb", "-D", data, "-U", "latchkey", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        self.run("pg_ctl", "-D", data, "-l", log, "-w", "-t", "60", "start", "-o", options)
        self.url = f"postgres://latchkey@127.0.0.1:{self.port}/postgres"
        self.environment = {"LATCHKEY_DATABASE_URL": self.url, "LATCHKEY_DATA_DIR": self.folder}
        return self

    def __exit__(self, *_):
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder)

    def run(self, program, *words):
        as_owner = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        done = subprocess.run([*as_owner, f"{self.bin}/{program}", *words], cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"{program}: {done.stderr}")

    def sql(self, text):
        command = [f"{self.bin}/psql", "-qAt", "-v", "ON_ERROR_STOP=1", self.url]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout.splitlines()

    def cpu(self):
        """Of the cluster's processes that live; those of a pool live as long as its server."""
        with open(f"{self.folder}/data/postmaster.pid") as file:
            leader = file.readline().strip()
        with open(f"/proc/{leader}/task/{leader}/children") as children:
            return sum(machine.cpu_seconds(pid) for pid in children.read().split())

    def grow(self, rows):
        """So many tokens more, like the one that is there."""
        columns = self.sql("SELECT quote_ident(column_name) FROM information_schema.columns WHERE table_name = 'tokens'")
        primary = "SELECT indexrelid::regclass::text FROM pg_index WHERE indisprimary"
        made = f"FROM pg_indexes WHERE tablename = 'tokens' AND indexname NOT IN ({primary})"
        indexes = self.sql(f"SELECT indexdef {made}")
        names = self.sql(f"SELECT quote_ident(indexname) {made}")
        self.sql(
            "SET maintenance_work_mem = '1GB';"
            + "".join(f"DROP INDEX {name};" for name in names)
            + copies(columns, "sha256(gen_random_uuid()::text::bytea)", "substr(md5(random()::text), 1, 8)", "", f"generate_series(1, {rows})")
            + ";"
            + "".join(f"{index};" for index in indexes)
            + "VACUUM ANALYZE tokens; CHECKPOINT;"
        )


def copies(columns, digest, prefix, with_series, series):
    """Copies of one token with digests of their own, whatever columns the table has by now."""
    other = {"digest": digest, "prefix": prefix}
    columns = [column for column in columns if column != "id"]
    values = ", ".join(other.get(column, f"t.{column}") for column in columns)
    one = "(SELECT * FROM tokens WHERE NOT is_default ORDER BY id LIMIT 1) t"
    return f"{with_series}INSERT INTO tokens ({', '.join(columns)}) SELECT {values} FROM {one} CROSS JOIN {series}"
