"""What the machine says: CPU time and memory of a process, free ports, load by wrk."""

import os
import re
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
TICK = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def need(program):
    return shutil.which(program) or sys.exit(f"{program} is not there")


def cpu_seconds(pid):
    """User and system time of all threads, also of those that have ended."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def cpu_ms(pid):
    """Of the threads that live, to the nanosecond: for what takes less than a tick."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat") as stat:
            total += int(stat.read().split()[0])
    return total / 1e6


def memory_mb(pid, what):
    """`VmRSS` (now) or `VmHWM` (most since `forget_peak`)."""
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(rf"{what}:\s+(\d+)", status.read())[1]) / 1024


def forget_peak(pid):
    with open(f"/proc/{pid}/clear_refs", "w") as refs:
        refs.write("5")


@dataclass
class Load:
    requests: int
    seconds: float
    p50: float
    p99: float
    refused: int

    @property
    def rate(self):
        return self.requests / self.seconds


def start_wrk(url, seconds, connections, headers=(), script=None, arguments=()):
    command = ["wrk", "-t", str(min(2, connections)), "-c", str(connections), "-d", f"{seconds}s"]
    command += ["-s", os.path.join(HERE, script or "report.lua"), url]
    for header in headers:
        command += ["-H", header]
    if arguments:
        command += ["--", *map(str, arguments)]
    environment = os.environ | {"LUA_PATH": f"{HERE}/?.lua;;"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def result_of(process, some_refused=False):
    """Waits for a wrk. Times in milliseconds."""
    out = process.communicate()[0]
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+)", out)
    if process.returncode or not found:
        sys.exit(f"wrk failed:\n{out}")
    requests, micros, p50, p99, refused = map(int, found.groups())
    if refused and not some_refused:
        sys.exit(f"not all answers were good:\n{out}")
    return Load(requests, micros / 1e6, p50 / 1000, p99 / 1000, refused)


def wrk(*args, some_refused=False, **kwargs):
    return result_of(start_wrk(*args, **kwargs), some_refused)


def stolen_s():
    """Seconds of CPU time since the start that a virtual machine wanted and others on its host had."""
    with open("/proc/stat", encoding="ascii") as stat:
        return int(stat.readline().split()[8]) / TICK
