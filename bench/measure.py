"""The measurements, one function a section; each fills rows of the table."""

import base64
import json
import os
import subprocess
import threading
from contextlib import closing

import machine
from server import PASSWORD, USER, Server
from table import median

CONNECTIONS = 32


class Bench:
    """What all sections share."""

    def __init__(self, binary, database, table, options):
        self.binary, self.database, self.table, self.options = binary, database, table, options
        self.where = database.name

    def server(self, **settings):
        return Server(self.binary, self.database, settings)

    def row(self, what, value, unit="", **goal):
        self.table.add(self.where, what, value, unit, **goal)


def start(bench):
    """First answer and idle memory; the first start of all has migrated."""
    with bench.server():
        pass
    firsts = []
    for _ in range(5):
        with bench.server() as server:
            firsts.append(server.first_answer * 1000)
    bench.row("first answer after start, migrations applied", median(firsts), "ms", most=100)
    with bench.server() as server:
        # What the start has left to do is done when its last message is written.
        threading.Event().wait(2)
        bench.row("idle memory", machine.memory_mb(server.pid, "VmRSS"), "MB", most=25)


def checks(bench, server, token, access, label="Bearer"):
    """The guarded list beside a plain-text route of the same server, in interleaved rounds."""
    guarded = f"{server.base}/studentapi/"
    cases = {
        "plain": (f"{server.base}/healthz", ()),
        "Token": (guarded, (f"Authorization: Token {token}",)),
        label: (guarded, (f"Authorization: Bearer {access}",)),
    }
    if label != "Bearer":
        del cases["Token"]
    columns = {name: [] for name in cases}
    for _ in range(bench.options.rounds):
        for name, (url, headers) in cases.items():
            before = server.cpu()
            load = machine.wrk(url, bench.options.seconds, CONNECTIONS, headers)
            columns[name].append((load.rate, 1e6 * (server.cpu() - before) / load.requests, load.p99))
    plain = columns.pop("plain")
    bench.row("plain route", median(row[0] for row in plain), "/s")
    bench.row("plain route, CPU", median(row[1] for row in plain), "us")
    for name, rows in columns.items():
        # A round's ratio: what else the machine did then, it did to both.
        ratio = lambda at: median(row[at] / base[at] for row, base in zip(rows, plain))
        bench.row(f"{name}: throughput / plain", ratio(0), least=0.8 if name == "Token" else 0.75)
        bench.row(f"{name}: CPU / plain", ratio(1))
        bench.row(f"{name}: p99 / plain", ratio(2), most=5)


def algorithm_of(jwt):
    header = jwt.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["alg"]


def hashing(bench, server, token):
    """Sign-ins and registrations beside a loop that only hashes."""
    threads = os.cpu_count()
    loop = [os.path.join(os.path.dirname(machine.HERE), "target/release/argon2_loop")]
    loop += [str(threads), str(bench.options.seconds)]
    typed = "Content-Type: application/json"
    cases = {
        "sign-ins": ("/api/token/", (typed,), "sign_in.lua", lambda _: (USER, PASSWORD, "right")),
        "registrations": ("/registerapi/", (typed, f"Authorization: Token {token}"), "register.lua", lambda n: (f"r{n}",)),
    }
    bare, columns = [], {name: [] for name in cases}
    machine.forget_peak(server.pid)
    for n in range(bench.options.rounds):
        hashes, took, cpu = map(float, subprocess.run(loop, capture_output=True, text=True, check=True).stdout.split())
        bare.append((hashes / took, cpu / hashes))
        for name, (path, headers, script, arguments) in cases.items():
            before = server.cpu()
            load = machine.wrk(server.base + path, bench.options.seconds, 8, headers, script, arguments(n))
            columns[name].append((load.rate, (server.cpu() - before) / load.requests))
    bench.row("bare Argon2id loop", median(row[0] for row in bare), "/s")
    for name, rows in columns.items():
        bench.row(f"{name}: throughput / bare loop", median(r[0] / b[0] for r, b in zip(rows, bare)), least=0.95)
        bench.row(f"{name}: CPU of a bare hash / CPU", median(b[1] / r[1] for r, b in zip(rows, bare)))
    bench.row("memory at most during both", machine.memory_mb(server.pid, "VmHWM"), "MB", most=90)


def refresh(bench):
    """Rotation: each connection goes on with what it was given last."""
    count = bench.options.families
    with bench.server() as server:
        with_families = [server.pair()["refresh"] for _ in range(count)]
        for connections in (1, 16):
            each = 100 * count // (8 * connections)
            refreshed(bench, server, with_families, connections, each, "", most=0.2)
    with bench.server() as server:
        refreshed(bench, server, with_families, 16, count // 16, ", first after a restart")


def refreshed(bench, server, tokens, connections, each, note, **goal):
    """`tokens` are replaced by their successors. Each connection has its share of them."""
    share = len(tokens) // connections

    def work(first):
        with closing(server.connect()) as connection:
            for n in range(each):
                at = first + n % share
                tokens[at] = connection.ask("POST", "/api/token/refresh/", {"refresh": tokens[at]})["refresh"]

    threads = [threading.Thread(target=work, args=(n * share,)) for n in range(connections)]
    before, beside = server.cpu(), bench.database.cpu()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total = each * connections
    at_once = f"refresh, {connections} at once{note}"
    bench.row(f"{at_once}: CPU", 1000 * (server.cpu() - before) / total, "ms", **goal)
    if bench.database.name != "SQLite":
        bench.row(f"{at_once}: CPU of the database beside", 1000 * (bench.database.cpu() - beside) / total, "ms")


def flood(bench, server, token):
    """A Token check while many sign in, half of them with wrong passwords."""
    url, headers = f"{server.base}/studentapi/", (f"Authorization: Token {token}",)
    typed = ("Content-Type: application/json",)
    seconds = bench.options.seconds
    for name, connections in (("full load", CONNECTIONS), ("light load", 2)):
        calm, flooded, served = [], [], []
        for _ in range(bench.options.rounds):
            calm.append(machine.wrk(url, seconds, connections, headers))
            guests = machine.start_wrk(
                f"{server.base}/api/token/", seconds + 2, 64, typed, "sign_in.lua", (USER, PASSWORD, "mixed")
            )
            threading.Event().wait(1)
            flooded.append(machine.wrk(url, seconds, connections, headers))
            served.append(machine.result_of(guests, some_refused=True).rate)
        bench.row(f"Token check, {name}: p99, calm", median(load.p99 for load in calm), "ms")
        ratio = median(f.p99 / c.p99 for f, c in zip(flooded, calm))
        bench.row(f"Token check, {name}: p99, login flood / calm", ratio, most=10)
        bench.row(f"  sign-ins meanwhile", median(served), "/s")
