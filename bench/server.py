"""The server under test: started on a database, asked over connections that stay open."""

import http.client
import json
import os
import subprocess
import sys
import time
from contextlib import closing

import machine

USER, PASSWORD = "root", "bench Password 1"


class Connection:
    """One connection that stays open."""

    def __init__(self, port):
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, method, path, fields=None, expect=200, **headers):
        body = None
        if fields is not None:
            body, headers["Content-Type"] = json.dumps(fields), "application/json"
        self.http.request(method, path, body, headers)
        answer = self.http.getresponse()
        text = answer.read()
        if answer.status != expect:
            sys.exit(f"{method} {path}: {answer.status}: {text.decode()}")
        return json.loads(text) if text[:1] in b"{[" else text

    def close(self):
        self.http.close()


class Server:
    """A context: the server runs inside it."""

    def __init__(self, binary, database, settings=None):
        self.binary, self.database = binary, database
        self.port = machine.free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("LATCHKEY_")} | {
            "ROCKET_PORT": str(self.port),
            "RUST_LOG": "error",
            "LATCHKEY_SECRET_KEY": "0" * 64,
            "LATCHKEY_THROTTLES_ENABLED": "false",
            "LATCHKEY_SUPERUSER_USERNAME": USER,
            "LATCHKEY_SUPERUSER_PASSWORD": PASSWORD,
            **database.environment,
            **(settings or {}),
        }

    def command(self, *words):
        done = subprocess.run([self.binary, *words], env=self.environment, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"latchkey {' '.join(words)}: {done.stderr}")
        return done.stdout.strip()

    def __enter__(self):
        begin = time.monotonic()
        self.process = subprocess.Popen([self.binary], env=self.environment, stdout=subprocess.DEVNULL)
        self.pid = self.process.pid
        while not self.answers():
            if self.process.poll() is not None:
                sys.exit("the server did not start")
            time.sleep(0.001)
        self.first_answer = time.monotonic() - begin
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def answers(self):
        try:
            with closing(self.connect()) as connection:
                connection.ask("GET", "/healthz")
            return True
        except OSError:
            return False

    def connect(self):
        return Connection(self.port)

    def cpu(self):
        return machine.cpu_seconds(self.pid)

    def pair(self):
        """A refresh and an access token."""
        with closing(self.connect()) as connection:
            return connection.ask("POST", "/api/token/", {"username": USER, "password": PASSWORD})
