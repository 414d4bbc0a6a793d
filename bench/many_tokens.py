"""What a check costs with few and with very many tokens in the table."""

import time
from contextlib import closing

from table import median

SAMPLE = 1000


def many_tokens(bench):
    rows = bench.options.tokens
    with bench.server() as server:
        admin = server.command("create-token", "root")
        samples = [[make(connection, admin) for _ in range(SAMPLE)] for connection in (server.connect(), server.connect())]
    few = passes(bench, samples)
    begin = time.monotonic()
    bench.database.grow(rows)
    bench.row("tokens in the table", rows + 2 * SAMPLE + 1)
    bench.row("  made in", time.monotonic() - begin, "s")
    many = passes(bench, samples)
    for name, (cpu, took) in few.items():
        bench.row(f"check, {name}, {2 * SAMPLE} tokens: CPU", 1000 * cpu, "ms")
        bench.row(f"check, {name}, {rows:,} tokens: CPU", 1000 * many[name][0], "ms")
        bench.row(f"check, {name}: CPU / with few", many[name][0] / cpu, most=1.3)
        bench.row(f"check, {name}: median time / with few", many[name][1] / took, most=1.3)


def make(connection, admin):
    fields = {"name": "sample", "scopes": "students:read"}
    headers = {"Authorization": f"Token {admin}"}
    return connection.ask("POST", "/api/tokens/", fields, expect=201, **headers)["key"]


def passes(bench, samples):
    """CPU seconds (with the database's own) and median seconds of a check: the first after a restart, others
    whose key is not remembered, and those that are."""
    found = {}
    with bench.server() as server, closing(server.connect()) as connection:
        for name, sample in (("after a restart", samples[0]), ("not remembered", samples[1]), ("remembered", 4 * samples[0])):
            before = server.cpu() + bench.database.cpu()
            times = []
            for key in sample:
                begin = time.perf_counter()
                connection.ask("GET", "/studentapi/", Authorization=f"Token {key}")
                times.append(time.perf_counter() - begin)
            found[name] = ((server.cpu() + bench.database.cpu() - before) / len(sample), median(times))
    return found
